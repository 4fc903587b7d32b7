"""A token for the page that is shown, of the request's session and user.

Settings: EDITLOCK_TOKEN_KEY (required; the secret, or a private key as PEM),
EDITLOCK_TOKEN_ISSUER and EDITLOCK_TOKEN_AUDIENCE (default "django" and
"editlock"), EDITLOCK_TOKEN_LIFETIME in seconds (default 600),
EDITLOCK_TOKEN_ALGORITHM (default "HS256").
"""

from __future__ import annotations

from typing import Any

from ..tokens import DEFAULT_LIFETIME, mint
from .owners import owner_of


def page_token(request: Any) -> str:
    """The token of who makes a request; empty for a visitor who is not logged in."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ""
    key = getattr(settings, "EDITLOCK_TOKEN_KEY", None)
    if not key:
        raise ImproperlyConfigured("EDITLOCK_TOKEN_KEY must be set: it signs the tokens of pages")
    return mint(
        key,
        issuer=getattr(settings, "EDITLOCK_TOKEN_ISSUER", "django"),
        audience=getattr(settings, "EDITLOCK_TOKEN_AUDIENCE", "editlock"),
        owner=owner_of(request),
        groups=[str(group.name) for group in user.groups.all()] if hasattr(user, "groups") else (),
        lifetime=getattr(settings, "EDITLOCK_TOKEN_LIFETIME", DEFAULT_LIFETIME),
        algorithm=getattr(settings, "EDITLOCK_TOKEN_ALGORITHM", "HS256"),
    )


def token_view(request: Any) -> Any:
    """Answers ``{"token": …}`` to a page that wants a newer one; 401 to who is not logged in.

    Scripts of other sites can't read the answer, as long as CORS does not let them.
    """
    from django.http import JsonResponse

    token = page_token(request)
    response = JsonResponse({"token": token}, status=200 if token else 401)
    response["Cache-Control"] = "no-store"
    return response
