"""Who the owner is, where a call does not say it."""

from __future__ import annotations

import sys
from typing import Any

from editlock.owners import console_owner, current_owner, has_owner

from .domain import MutexOwner

CONSOLE_SESSION_KEY = "console-session"
CONSOLE_USER_ID = "console-user"
CONSILE_USER_NAME = "127.0.0.1"


def compare_owners(owner1: Any, owner2: Any, soft: Any = False) -> bool:
    """Whether two owners are the same: by session, or with ``soft`` by user too."""
    return bool(owner1.session_id == owner2.session_id or (soft and owner1.user_id == owner2.user_id))


def get_default_owner() -> MutexOwner:
    """The owner of the current request, or else this process.

    The request's owner comes from editlock.django's middleware, or else from
    m3's own where that is in use.
    """
    owner = current_owner() if has_owner() else None
    if owner is None:
        # Not imported for this: if nobody did, m3's middleware is not in use.
        legacy = sys.modules.get("m3_legacy.middleware")
        if legacy is not None:
            from editlock.django.owners import owner_from_m3

            owner = owner_from_m3(legacy)
    if owner is None:
        owner = console_owner()
    from ._names import from_owner

    return from_owner(owner, nobody=0)


def get_session_info() -> tuple[str, str]:
    """The session and user of the console."""
    return CONSOLE_SESSION_KEY, CONSOLE_USER_ID


def get_backend(mutex_id: Any) -> Any:
    """Where a mutex is kept: always the editlock server."""
    from .backends import ModelMutexBackend

    return ModelMutexBackend()


def delete_stale_mutexes_pg() -> None:
    """Does nothing: what has expired is free, and the server sweeps it away."""
