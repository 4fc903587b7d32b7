"""A client certificate says who calls."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from both import Blocking
from editlock import ID, Client, Forbidden, Owner, Unauthenticated
from servers import Server

RULES = """
[certificates]
user = "cn"

[[rule]]
everyone = true
rights = ["read", "use"]
group = "*"
mode = "*"
"""


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that those who trust it trust by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    key_file.chmod(0o600)
    return cert_file, key_file


@pytest.fixture(params=[Client, Blocking])
def kind(request: pytest.FixtureRequest) -> type[Client]:
    made: type[Client] = request.param
    return made


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ssl.SSLContext, ssl.SSLContext]]:
    """A server's address, and what shows it a client certificate and what does not."""
    folder = tmp_path_factory.mktemp("known")
    (server, server_key), (robot, robot_key) = self_signed(folder, "server"), self_signed(folder, "robot")
    (folder / "editlock.toml").write_text(RULES)
    shows, shows_none = ssl.create_default_context(cafile=server), ssl.create_default_context(cafile=server)
    shows.load_cert_chain(robot, robot_key)
    running = Server(
        folder,
        *("--config", str(folder / "editlock.toml"), "--client-ca", str(robot)),
        *("--tls-cert", str(server), "--tls-key", str(server_key)),
        tls=shows_none,
    )
    yield running.url, shows, shows_none
    running.stop()


def test_a_certificate_is_the_owner(
    kind: type[Client], known: tuple[str, ssl.SSLContext, ssl.SSLContext], invoice: ID, ivan: Owner
) -> None:
    url, shows, shows_none = known
    client = kind(url, tls=shows, owner_proved=True)
    mutex = client.capture(invoice)
    assert mutex.owner.login == "robot"
    with pytest.raises(Forbidden):
        client.capture(ID("18", mode=invoice.mode, group=invoice.group), owner=ivan)
    assert client.release(invoice)
    client.close()

    for context, refused in ((shows, Forbidden), (shows_none, Unauthenticated)):
        other = kind(url, tls=context)
        with pytest.raises(refused):
            other.capture(invoice)
        other.close()
