"""What proves to a server who calls."""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable
from pathlib import Path
from typing import Callable, Optional, Union

from .errors import Invalid

#: An API key or a JWT; or what is asked for one, once, and again when the
#: server refuses what it said. Several threads may ask at once.
Credential = Union[str, Callable[[], str]]
#: The same for asyncio, where it may be asked with ``await``.
AsyncCredential = Union[str, Callable[[], Union[str, Awaitable[str]]]]


def credential_file(path: Union[str, os.PathLike[str]]) -> Callable[[], str]:
    """A credential that a file holds. A token in it may be replaced by a newer one."""

    def read() -> str:
        return Path(path).read_text(encoding="utf-8").strip()

    return read


def credential_from_environment() -> Optional[Credential]:
    """The credential in the file EDITLOCK_CREDENTIAL_FILE, or in EDITLOCK_CREDENTIAL itself."""
    path = os.environ.get("EDITLOCK_CREDENTIAL_FILE")
    return credential_file(path) if path else os.environ.get("EDITLOCK_CREDENTIAL") or None


class Kept:
    """A credential as it was said last. It does not show itself."""

    def __init__(self, source: Optional[AsyncCredential]) -> None:
        self._source = source
        self._now = ""

    def get(self, old: str = "") -> str:
        """The credential, a newer one than ``old`` if there is one; empty if there is none at all."""
        if self._now == old and self._source is not None:
            said = self._source if isinstance(self._source, str) else self._source()
            if not isinstance(said, str):
                raise Invalid(
                    "credential", "must be a text or a function that returns one; AsyncClient takes async ones"
                )
            self._now = _checked(said)
        return self._now

    async def get_async(self, old: str = "") -> str:
        """As get."""
        if self._now == old and self._source is not None:
            said = self._source if isinstance(self._source, str) else self._source()
            self._now = _checked(await said if inspect.isawaitable(said) else said)
        return self._now


def _checked(secret: str) -> str:
    """Does not tell what it is about: it is a secret."""
    if not secret:
        raise Invalid("credential", "must not be empty: it is an API key or a JWT")
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise Invalid(
            "credential", "has a character that neither API keys nor JWTs have, such as a space or a line break"
        )
    return secret


def headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def names_owner(secret: str) -> bool:
    """Whether the claims of a credential are the owner of its calls; an API key acts for many."""
    return bool(secret) and not secret.startswith("elk_")
