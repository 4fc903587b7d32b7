"""Who calls, proved to a server that wants to know; tokens for pages; limits."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from test_held import lose

from both import Blocking
from editlock import (
    ID,
    AsyncClient,
    AutoRelease,
    Client,
    Forbidden,
    Invalid,
    Limited,
    Owner,
    State,
    Unauthenticated,
    console_owner,
    credential_file,
)
from editlock._lease import Lease, clock
from editlock.tokens import mint
from servers import Server

SECRET = "0123456789abcdef0123456789abcdef"
PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "PS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
ISSUER = """
[[issuer]]
name = "{name}"
audience = "editlock"
{keys}
user_prefix = "{prefix}"
"""
RULES = """
[[rule]]
everyone = true
rights = ["read", "use", "history"]
group = "*"
mode = "*"

[limits]
backend_requests_per_second = 2
"""


def pem(key: Any) -> bytes:
    made: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made


@dataclass
class Guarded:
    url: str
    key: str


def start(folder: Path) -> tuple[Server, Guarded]:
    (folder / "page.secret").write_text(SECRET)
    issuers = ISSUER.format(name="shop", keys='secret_file = "page.secret"', prefix="")
    for name, key in PRIVATE.items():
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / f"{name}.pem").write_bytes(public)
        issuers += ISSUER.format(name=name, keys=f'public_key_file = "{name}.pem"', prefix=f"{name}:")
    (folder / "editlock.toml").write_text(issuers + RULES)
    keys = str(folder / "keys.json")
    rights = ["--right", "admin", "--group", "*", "--mode", "*"]
    anybody = ["--as-session", "*", "--as-user", "*"]
    made = subprocess.run(
        [os.environ["EDITLOCK_BIN"], "keys", "create", "shop", "--keys", keys, *rights, *anybody],
        check=True,
        capture_output=True,
        text=True,
    )
    running = Server(folder, "--config", str(folder / "editlock.toml"), "--keys", keys)
    return running, Guarded(running.url, made.stdout.strip())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    running, made = start(tmp_path_factory.mktemp("guarded"))
    yield made
    running.stop()


@pytest.fixture(params=[Client, Blocking])
def dial(request: pytest.FixtureRequest, guarded: Guarded) -> Iterator[Callable[[Any], Client]]:
    made: list[Client] = []

    def open_client(credential: Any) -> Client:
        made.append(request.param(guarded.url, credential=credential))
        return made[-1]

    yield open_client
    for client in made:
        client.close()


def token(owner: Owner, **more: Any) -> str:
    return mint(more.pop("key", SECRET), **{"issuer": "shop", "audience": "editlock", "owner": owner, **more})


def test_without_a_credential_nothing_is_told(dial: Callable[[Any], Client], invoice: ID) -> None:
    with pytest.raises(Unauthenticated):
        dial(None).capture(invoice)


def test_a_key_acts_for_whom_the_call_names(
    dial: Callable[[Any], Client], guarded: Guarded, invoice: ID, ivan: Owner
) -> None:
    client = dial(guarded.key)
    assert client.capture(invoice, owner=ivan).owner == ivan
    other = ID("18", mode=invoice.mode, group=invoice.group)
    assert client.capture(other).owner == console_owner()


def test_a_token_is_the_owner(dial: Callable[[Any], Client], invoice: ID, ivan: Owner, olga: Owner) -> None:
    client = dial(token(ivan))
    assert client.capture(invoice).owner == ivan
    assert client.capture(invoice, owner=ivan).owner == ivan
    assert client.request(invoice)[0] is State.CAPTURED_BY_ME
    assert client.hand_over(invoice) is False
    assert client.release(invoice) is True
    with pytest.raises(Forbidden):
        client.capture(invoice, owner=olga)


def test_a_hold_goes_on_with_a_newer_token(dial: Callable[[Any], Client], invoice: ID, ivan: Owner) -> None:
    said = [token(ivan) + "x", token(ivan)]  # a broken signature first

    client = dial(lambda: said.pop(0) if len(said) > 1 else said[0])
    assert client.capture(invoice).owner == ivan
    assert len(said) == 1


def test_a_refused_credential_is_asked_for_again_once(dial: Callable[[Any], Client], invoice: ID, ivan: Owner) -> None:
    asked: list[str] = []

    def ask() -> str:
        asked.append(token(ivan) + "x")
        return asked[-1]

    with pytest.raises(Unauthenticated) as refused:
        dial(ask).capture(invoice)
    assert len(asked) == 2
    assert asked[0] not in str(refused.value)


def test_an_async_function_is_asked_too(guarded: Guarded, invoice: ID, ivan: Owner) -> None:
    async def ask() -> str:
        return token(ivan)

    async def capture() -> Owner:
        async with AsyncClient(guarded.url, credential=ask) as locks:
            return (await locks.capture(invoice)).owner

    assert asyncio.run(capture()) == ivan


def test_what_can_be_no_credential_is_refused_without_telling_it(
    dial: Callable[[Any], Client], invoice: ID, tmp_path: Path
) -> None:
    for wrong in ("se cret", "secret\r\nX-Other: 1", "sécret"):
        with pytest.raises(Invalid) as refused:
            dial(wrong).capture(invoice)
        assert wrong not in str(refused.value)
    (tmp_path / "token").write_text("\n")
    with pytest.raises(Invalid, match="must not be empty"):
        dial(credential_file(tmp_path / "token")).capture(invoice)


@pytest.mark.parametrize("algorithm", PRIVATE)
def test_tokens_of_private_keys_are_accepted(guarded: Guarded, invoice: ID, ivan: Owner, algorithm: str) -> None:
    signed = token(ivan, key=pem(PRIVATE[algorithm]), issuer=algorithm, algorithm=algorithm)
    with Client(guarded.url, credential=signed) as client:
        assert client.capture(invoice).owner.user_id == f"{algorithm}:17"


def test_tokens_of_longer_digests_need_longer_secrets(ivan: Owner) -> None:
    with pytest.raises(Invalid, match="HS384 needs at least 48"):
        token(ivan, algorithm="HS384")
    assert token(ivan, key=SECRET * 2, algorithm="HS512").count(".") == 2


def test_what_makes_no_token_is_refused(ivan: Owner) -> None:
    nobody = Owner(session="s")
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("owner.user_id", {"owner": nobody}),
        ("owner.session", {"owner": Owner(session="", user_id="17")}),
        ("issuer", {"issuer": ""}),
        ("audience", {"audience": ""}),
        ("lifetime", {"lifetime": 90_000}),
        ("lifetime", {"lifetime": 0}),
        ("algorithm", {"algorithm": "none"}),
        ("key", {"key": "short"}),
        ("key", {"key": pem(PRIVATE["ES256"])}),
        ("key", {"key": "no PEM", "algorithm": "ES256"}),
        ("key", {"key": pem(PRIVATE["ES256"]), "algorithm": "ES384"}),
        ("key", {"key": pem(PRIVATE["ES256"]), "algorithm": "RS256"}),
    ]
    for field, change in wrong:
        with pytest.raises(Invalid) as refused:
            token(**{"owner": ivan, **change})
        assert refused.value.field == field


def test_without_cryptography_it_says_what_is_missing(ivan: Owner, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    def missing(name: str, package: Any = None) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(Invalid, match="pip install cryptography"):
        token(ivan, key=pem(PRIVATE["ES256"]), algorithm="ES256")
    assert token(ivan)


def test_limits_are_waited_out(guarded: Guarded, name: str, tmp_path: Path) -> None:
    running, own = start(tmp_path)
    try:
        for kind in (Client, Blocking):
            with kind(own.url, credential=own.key) as client:
                begin = time.monotonic()
                for n in range(8):  # four at once, then two a second
                    client.capture(ID(str(n), group=name))
                assert time.monotonic() - begin > 0.9
        with Client(own.url, credential=own.key, timeout=0.2) as client, pytest.raises(Limited) as refused:
            for n in range(30):
                client.capture(ID(str(n), group=name))
        assert refused.value.retry_after == 1
        assert "requests_per_second" in str(refused.value)
    finally:
        running.stop()


def test_a_limit_is_no_loss_before_the_lease_ends(guarded: Guarded, invoice: ID, ivan: Owner) -> None:
    with Client(guarded.url, credential=token(ivan)) as client:
        mutex = client.capture(invoice, auto_release=AutoRelease(idle=9))
    lease = Lease(mutex, clock())
    lease.failed(Limited("", retry_after=3600))
    assert lease.lapsed() is None
    assert 4 < lease.pause() < 5  # half of what is left: there is time for another try
    lease.failed(Limited("", retry_after=1))
    assert 0.9 < lease.pause() < 1.2
    ended = Lease(mutex, clock() - 9)
    ended.failed(Limited("", retry_after=3600))
    assert ended.pause() == 0
    lost = ended.lapsed()
    assert lost is not None
    assert lost.how == "expired"


def test_a_django_page_gets_a_token_of_its_session_and_user(guarded: Guarded, invoice: ID, tmp_path: Path) -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client as Browser
    from django.test.utils import override_settings

    import django_site  # noqa: F401 - settings
    from editlock.django.owners import session_of

    call_command("migrate", verbosity=0)
    with override_settings(SESSION_FILE_PATH=str(tmp_path)):
        page = Browser()
        assert page.get("/token/").status_code == 401
        assert page.get("/page/").content == b""
        user, _ = get_user_model().objects.get_or_create(username="pavel", defaults={"first_name": "Павел"})
        page.force_login(user)
        answer = page.get("/token/")
        assert answer["Cache-Control"] == "no-store"
        for signed in (answer.json()["token"], page.get("/page/").content.decode()):
            with Client(guarded.url, credential=signed) as client:
                owner = client.capture(invoice).owner
            assert owner.session == session_of(page.session.session_key or "")
            assert (owner.user_id, owner.login, owner.name) == (str(user.pk), "pavel", "Павел")


def test_a_takeover_is_told_at_once_where_calls_are_proved(
    guarded: Guarded, dial: Callable[[Any], Client], name: str, ivan: Owner
) -> None:
    """The stream of events names the session as the answers show it."""
    id = ID("1", group=name)
    client = dial(token(ivan))

    def take() -> None:
        with Client(guarded.url, credential=guarded.key) as boss:
            seen = boss.request(id)[1]
            assert seen is not None
            boss.takeover(id, seen.token, "urgent", owner=Owner(session="boss", user_id="1", name="The boss"))

    begin = time.monotonic()
    lost = lose(client, id, console_owner(), AutoRelease(idle=300), take)
    assert time.monotonic() - begin < 30  # not at a refresh, which comes after 100 s
    assert (lost.how, lost.reason) == ("taken_over", "urgent")
