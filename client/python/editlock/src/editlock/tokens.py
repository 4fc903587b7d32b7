"""Tokens for pages: what a web application says of the person in front of it.

A page sends its token to the editlock server, which takes the owner from its
claims; so a page can't act for another. The server's configuration names the
application as an issuer, with the same secret or the public key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import importlib
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any, Union

from .errors import Invalid
from .types import Owner

#: How long a page's token is good for, in seconds.
DEFAULT_LIFETIME = 600
_MAX_LIFETIME = 24 * 3600
#: The least length of a secret for each algorithm, in bytes.
_SECRETS = {"HS256": 32, "HS384": 48, "HS512": 64}


def mint(
    key: Union[str, bytes],
    *,
    issuer: str,
    audience: str,
    owner: Owner,
    groups: Iterable[str] = (),
    grants: Iterable[Mapping[str, Any]] = (),
    rank: int = 0,
    lifetime: float = DEFAULT_LIFETIME,
    algorithm: str = "HS256",
    key_id: str = "",
) -> str:
    """Signs a token.

    HS256, HS384 and HS512 need nothing but a secret of 32, 48 or 64 bytes that
    the application shares with the server. The others (RS256, PS256, ES256,
    EdDSA and their like) need the package ``cryptography`` and a private key
    as PEM.

    :param owner: the person, or the agent or job that the token is for alone;
        ``user_id`` is required. Keep the session for as long as the login lasts
        and never let the page choose it: two people with one session are one
        holder.
    :param grants: rights beside the server's own rules, such as
        ``{"rights": ["read", "use"], "group": "docs", "mode": "*"}``.
    :param lifetime: seconds, up to a day: a token can't be revoked.
    :param key_id: the ``kid`` of the key, where the issuer has several.
    """
    if not issuer or not audience:
        raise Invalid("issuer" if not issuer else "audience", "must not be empty")
    for field in ("session", "user_id"):
        if not getattr(owner, field):
            raise Invalid(f"owner.{field}", "must not be empty: it says who the token is for")
    if not 0 < lifetime <= _MAX_LIFETIME:
        raise Invalid("lifetime", f"is {lifetime} seconds; up to a day is allowed: a token can't be revoked")
    now = int(time.time())
    own: dict[str, Any] = {"session": owner.session, "host": owner.host, "grants": list(grants), "rank": rank}
    own["kind"], own["on_behalf_of"] = "" if owner.kind == "person" else owner.kind, owner.on_behalf_of
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": [audience],
        "sub": owner.user_id,
        "jti": secrets.token_urlsafe(16),
        "iat": now,
        "exp": now + max(int(lifetime), 1),
        "preferred_username": owner.login,
        "name": owner.name,
        "groups": list(groups),
        "editlock": {name: value for name, value in own.items() if value},
    }
    header = {"alg": algorithm, "typ": "JWT", "kid": key_id}
    signed = b".".join(_part({name: value for name, value in part.items() if value}) for part in (header, claims))
    key = key.encode() if isinstance(key, str) else key
    return (signed + b"." + _encoded(_sign(key, algorithm, signed))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _part(form: Mapping[str, Any]) -> bytes:
    return _encoded(json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode())


def _sign(key: bytes, algorithm: str, data: bytes) -> bytes:
    if algorithm in _SECRETS:
        if len(key) < _SECRETS[algorithm]:
            raise Invalid("key", f"has {len(key)} bytes; {algorithm} needs at least {_SECRETS[algorithm]}")
        if key.lstrip().startswith(b"-----BEGIN"):
            raise Invalid("key", f"is PEM, but {algorithm} takes a secret; name the algorithm of the key")
        return hmac.new(key, data, getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    return _sign_asymmetric(key, algorithm, data)


#: What signs by each family, and the curve with the size of its numbers.
_CURVES = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


def _sign_asymmetric(pem: bytes, algorithm: str, data: bytes) -> bytes:
    if algorithm not in _CURVES and algorithm not in _RSA and algorithm != "EdDSA":
        known = ", ".join([*_SECRETS, *_RSA, *_CURVES, "EdDSA"])
        raise Invalid("algorithm", f"is {algorithm!r}; there are {known}")
    try:
        hashes = importlib.import_module("cryptography.hazmat.primitives.hashes")
    except ImportError:
        raise Invalid(
            "algorithm", f"{algorithm} needs the package cryptography (pip install cryptography); HS256 needs none"
        ) from None
    serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
    padding = importlib.import_module("cryptography.hazmat.primitives.asymmetric.padding")
    asymmetric = "cryptography.hazmat.primitives.asymmetric"
    try:
        private: Any = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise Invalid("key", f"can't be read; {algorithm} takes a private key as PEM, without a password") from None
    if algorithm == "EdDSA":
        _must_be(private, importlib.import_module(f"{asymmetric}.ed25519").Ed25519PrivateKey, algorithm)
        return bytes(private.sign(data))
    digest = getattr(hashes, f"SHA{algorithm[2:]}")()
    if algorithm in _RSA:
        _must_be(private, importlib.import_module(f"{asymmetric}.rsa").RSAPrivateKey, algorithm)
        pad = padding.PKCS1v15() if algorithm[0] == "R" else padding.PSS(padding.MGF1(digest), digest.digest_size)
        return bytes(private.sign(data, pad, digest))
    ec = importlib.import_module(f"{asymmetric}.ec")
    _must_be(private, ec.EllipticCurvePrivateKey, algorithm)
    curve, size = _CURVES[algorithm]
    if private.curve.name != curve:
        raise Invalid("key", f"is of the curve {private.curve.name}; {algorithm} takes {curve}")
    pair = importlib.import_module(f"{asymmetric}.utils").decode_dss_signature(private.sign(data, ec.ECDSA(digest)))
    return b"".join(number.to_bytes(size, "big") for number in pair)


def _must_be(key: Any, kind: type, algorithm: str) -> None:
    if not isinstance(key, kind):
        raise Invalid("key", f"is not one that {algorithm} signs with")
