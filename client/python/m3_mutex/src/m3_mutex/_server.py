"""The editlock server in use."""

from __future__ import annotations

import os
import sys

from editlock import Client
from editlock.credential import credential_from_environment

_client: dict[str, Client] = {}


def client() -> Client:
    """The client of the server that Django's settings name (EDITLOCK_URL), or
    else the environment."""
    if "django" in sys.modules:
        from django.conf import settings

        if settings.configured:
            from editlock.django import client as configured

            return configured()
    url = os.environ.get("EDITLOCK_URL", "http://127.0.0.1:7117")
    if url not in _client:
        _client[url] = Client(url, credential=credential_from_environment())
    return _client[url]
