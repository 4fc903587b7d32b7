"""The Django application; it has no tables."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class EditlockConfig(AppConfig):
    name = "editlock.django"
    label = "editlock"
    verbose_name = "editlock"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from . import strict

        user_logged_out.connect(_release_session, dispatch_uid="editlock.logout")
        strict.connect()


def _release_session(sender: Any, request: Any, **kwargs: Any) -> None:
    """Frees what a session holds as it ends; if the server does not answer, the locks expire."""
    from contextlib import suppress

    from ..errors import EditlockError
    from . import peek
    from .owners import owner_of, session_of

    key = getattr(getattr(request, "session", None), "session_key", None)
    if not key:
        return
    owner = owner_of(request)
    with suppress(EditlockError):
        peek(lambda client: client.release_session(session_of(key), owner=owner))
