"""What a page needs so that its form is locked: two elements for its head, or its form, or one around each part."""

from __future__ import annotations

import json
from typing import Any, Optional

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from .._forms import from_id
from ..types import ID
from . import public_url
from .owners import owner_of
from .said import TOKEN_FIELD
from .tokens import page_token

#: What would end the element in HTML.
_ESCAPES = {ord(">"): "\\u003E", ord("<"): "\\u003C", ord("&"): "\\u0026"}


class Asset:
    """An element among the scripts of a page; forms.Media shows each once."""

    def __init__(self, html: str) -> None:
        self._html = html

    def __html__(self) -> str:
        return self._html

    __str__ = __html__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and other._html == self._html

    def __hash__(self) -> int:
        return hash(self._html)


def assets(
    request: Any,
    id: ID,
    *,
    form: str = "",
    token_url: str = "",
    unsaved: Optional[dict[str, str]] = None,
    refused: bool = False,
    presence: bool = False,
) -> list[Asset]:
    """The elements that lock a form: what is locked by whom, and the script that wraps the form.

    :param form: the id of the form; empty for the one around these elements.
    :param token_url: where newer tokens come from, if the server wants tokens.
    :param unsaved: what was typed and is not stored, by the names of fields.
    :param refused: the form shows what is stored, and not that.
    :param presence: the page says who else looks at it, and is told of.
    """
    said = {
        **_caller(request, token_url),
        "mutex": from_id(id),
        "field": TOKEN_FIELD,
        "form": form,
        "unsaved": unsaved or {},
        "refused": refused,
        "presence": presence,
    }
    return _script("page", said)


def part(request: Any, id: ID, *, first: bool) -> SafeString:
    """The start tag of the element around a part of a form; before the first one the script for all of them."""
    said = _caller(request, named_token_url())
    owner = said["owner"]
    names = {"group": id.group, "mode": id.mode, "object": id.id, "object-part": id.part, "server": said["server"]}
    names.update(
        {"session": owner["session"], "user": owner["user_id"], "login": owner["login"], "name": owner["name"]}
    )
    names["token-field"] = TOKEN_FIELD
    attributes = format_html_join("", ' {}="{}"', ((name, value) for name, value in names.items() if value))
    scripts = "".join(map(str, _script("parts", said))) if first else ""
    return format_html("{}<edit-lock{}>", mark_safe(scripts), attributes)


def named_token_url() -> str:
    """Where the page gets newer tokens, if the site has given token_view the name editlock_token."""
    try:
        return reverse("editlock_token")
    except NoReverseMatch:
        return ""


def _caller(request: Any, token_url: str) -> dict[str, Any]:
    """Where the server is, and who asks it."""
    from django.conf import settings

    owner = owner_of(request)
    signed = bool(getattr(settings, "EDITLOCK_TOKEN_KEY", None))
    return {
        "server": public_url(),
        "owner": {"session": owner.session, "user_id": owner.user_id, "login": owner.login, "name": owner.name},
        "token": page_token(request) if signed else "",
        "token_url": token_url if signed else "",
    }


def _script(name: str, said: dict[str, Any]) -> list[Asset]:
    """A script of the site's static files, and its settings."""
    from django.templatetags.static import static

    data = json.dumps(said, ensure_ascii=False).translate(_ESCAPES)
    return [
        Asset(f'<script type="application/json" id="editlock-{name}">{data}</script>'),
        Asset(f'<script type="module" src="{static(f"editlock/{name}.js")}"></script>'),
    ]
