"""editlock in Django 3.2 and newer.

Settings: EDITLOCK_URL is the server (default ``http://127.0.0.1:7117``, or
the environment's EDITLOCK_URL), EDITLOCK_PUBLIC_URL its address as browsers
reach it, for links to the lock manager (default EDITLOCK_URL).
"""

from __future__ import annotations

import os

from .. import Client

__all__ = ["client", "public_url"]

_clients: dict[str, Client] = {}


def _url() -> str:
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_URL", "") or os.environ.get("EDITLOCK_URL", "http://127.0.0.1:7117")
    return url


def client() -> Client:
    """The client of the server in the settings; one for the process, safe for its threads and forks."""
    url = _url()
    if url not in _clients:
        _clients[url] = Client(url)
    return _clients[url]


def public_url() -> str:
    """The address of the server for browsers."""
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_PUBLIC_URL", "") or _url()
    return url.rstrip("/")
