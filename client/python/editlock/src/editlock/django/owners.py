"""Owners from requests."""

from __future__ import annotations

from typing import Any, Optional

from .._forms import shown
from ..types import Owner


def session_of(key: str) -> str:
    """The name a Django session goes by on the server.

    Not its key: who reads that in a list of locks can take over the session.
    It is the same in all services with one SECRET_KEY.
    """
    from django.utils.crypto import salted_hmac

    return salted_hmac("editlock.session", key, algorithm="sha256").hexdigest()


def owner_of(request: Any) -> Owner:
    """Who makes a request: its session and user.

    An anonymous visitor without a session is given one, as they could not keep
    a lock else. Where m3's middleware ran, the names are the ones it found.
    """
    session = request.session
    if not session.session_key:
        session.create()
        session.modified = True
    user = getattr(request, "user", None)
    known = user is not None and user.is_authenticated
    login = str(user.get_username()) if user is not None and known else ""
    name = str(user.get_full_name()) if user is not None and known and hasattr(user, "get_full_name") else ""
    return Owner(
        session=session_of(session.session_key),
        user_id=str(user.pk) if user is not None and known else "",
        login=shown(login),
        name=shown(name) or shown(login),
        host=shown(request.META.get("REMOTE_ADDR", "")),
    )


def owner_from_m3(middleware: Any) -> Optional[Owner]:
    """The owner that m3's middleware left in its thread-locals, if it did.

    :param middleware: the module m3_legacy.middleware.
    """
    data = getattr(getattr(middleware, "_thread_locals", None), "m3_data", None)
    key = getattr(data, "session_key", None)
    if data is None or not key or key == middleware.ThreadData.DEFAULT_SESSION_KEY:
        return None  # what m3 says of a program that serves no request
    return Owner(
        session=session_of(key),
        user_id=str(data.user_id or ""),
        login=shown(data.user_login),
        name=shown(data.user_name),
        host=shown(data.client_host),
    )
