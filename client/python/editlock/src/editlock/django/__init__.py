"""editlock in Django 4.2 and newer.

Settings: EDITLOCK_URL is the server (default ``http://127.0.0.1:7117``, or
the environment's EDITLOCK_URL), EDITLOCK_PUBLIC_URL its address as browsers
reach it, for links to the lock manager (default EDITLOCK_URL).
EDITLOCK_CREDENTIAL is the API key of this site, or a function that returns it
(default: the environment's EDITLOCK_CREDENTIAL_FILE or EDITLOCK_CREDENTIAL).
EDITLOCK_TIMEOUT is how many seconds a call may take (default 5): a person waits,
and so may a transaction. EDITLOCK_WHEN_UNREACHABLE says whether objects may be
changed while the server does not answer: "refuse" (default) or "allow".
EDITLOCK_GROUP is the group of all locks of objects (default empty), and
EDITLOCK_GUARD_WRITES names models that code without a lock may not change.
"""

from __future__ import annotations

import os
import time
from typing import Any, Callable, TypeVar

from .. import Client
from ..credential import credential_from_environment
from ..errors import Unavailable

__all__ = ["client", "public_url"]

T = TypeVar("T")

#: How long a page that only shows who edits what waits for that, in seconds.
_PEEK = 1.0
#: For how many seconds pages ask no more after that.
_REST = 5.0

_clients: dict[Any, Client] = {}
_silent: dict[Any, float] = {}


def _url() -> str:
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_URL", "") or os.environ.get("EDITLOCK_URL", "http://127.0.0.1:7117")
    return url


def client() -> Client:
    """The client of the server in the settings; one for the process, safe for its threads and forks."""
    from django.conf import settings

    return _client(getattr(settings, "EDITLOCK_TIMEOUT", 5.0))


def _client(timeout: float) -> Client:
    from django.conf import settings

    key = _url(), getattr(settings, "EDITLOCK_CREDENTIAL", None), timeout
    if key not in _clients:
        url, credential, _ = key
        _clients[key] = Client(url, timeout=timeout, credential=credential or credential_from_environment())
    return _clients[key]


def peek(ask: Callable[[Client], T]) -> T:
    """Asks for what a page can do without: a server that is silent delays one page in five seconds, by a second."""
    url = _url()
    if time.monotonic() < _silent.get(url, 0.0):
        raise Unavailable(f"no answer from {url} a moment ago")
    try:
        return ask(_client(_PEEK))
    except Unavailable:
        _silent[url] = time.monotonic() + _REST
        raise


def public_url() -> str:
    """The address of the server for browsers."""
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_PUBLIC_URL", "") or _url()
    return url.rstrip("/")
