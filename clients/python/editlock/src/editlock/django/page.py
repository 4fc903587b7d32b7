"""What a page needs so that its form is locked: two elements for its head, or its form."""

from __future__ import annotations

import json
from typing import Any, Optional

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
    from django.conf import settings
    from django.templatetags.static import static

    owner = owner_of(request)
    signed = bool(getattr(settings, "EDITLOCK_TOKEN_KEY", None))
    settings_of_page = {
        "server": public_url(),
        "mutex": from_id(id),
        "owner": {"session": owner.session, "user_id": owner.user_id, "login": owner.login, "name": owner.name},
        "field": TOKEN_FIELD,
        "form": form,
        "token": page_token(request) if signed else "",
        "token_url": token_url if signed else "",
        "unsaved": unsaved or {},
        "refused": refused,
        "presence": presence,
    }
    data = json.dumps(settings_of_page, ensure_ascii=False).translate(_ESCAPES)
    return [
        Asset(f'<script type="application/json" id="editlock-page">{data}</script>'),
        Asset(f'<script type="module" src="{static("editlock/page.js")}"></script>'),
    ]
