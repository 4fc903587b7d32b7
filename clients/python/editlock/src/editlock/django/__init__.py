"""editlock in Django 3.2 and newer.

Settings: EDITLOCK_URL is the server (default ``http://127.0.0.1:7117``, or
the environment's EDITLOCK_URL), EDITLOCK_PUBLIC_URL its address as browsers
reach it, for links to the lock manager (default EDITLOCK_URL).
EDITLOCK_CREDENTIAL is the API key of this site, or a function that returns it
(default: the environment's EDITLOCK_CREDENTIAL_FILE or EDITLOCK_CREDENTIAL).
"""

from __future__ import annotations

import os
from typing import Any

from .. import Client
from ..credential import credential_from_environment

__all__ = ["client", "public_url"]

_clients: dict[Any, Client] = {}


def _url() -> str:
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_URL", "") or os.environ.get("EDITLOCK_URL", "http://127.0.0.1:7117")
    return url


def client() -> Client:
    """The client of the server in the settings; one for the process, safe for its threads and forks."""
    from django.conf import settings

    key = _url(), getattr(settings, "EDITLOCK_CREDENTIAL", None)
    if key not in _clients:
        url, credential = key
        _clients[key] = Client(url, credential=credential or credential_from_environment())
    return _clients[key]


def public_url() -> str:
    """The address of the server for browsers."""
    from django.conf import settings

    url: str = getattr(settings, "EDITLOCK_PUBLIC_URL", "") or _url()
    return url.rstrip("/")
