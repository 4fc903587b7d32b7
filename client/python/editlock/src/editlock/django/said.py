"""What a request says of its save: the tokens it is made under, and its number among the saves of its page."""

from __future__ import annotations

from typing import Any, Optional

from ..errors import Invalid

TOKEN_FIELD = "editlock_token"
TOKEN_HEADER = "Editlock-Token"
SAVE_FIELD = "editlock_save"
SAVE_HEADER = "Editlock-Save"

#: What editlock counts fits into a signed number of 64 bits.
_MOST = 2**63


class Malformed(Invalid):
    """A malformed header or field of a request: the answer is 400."""


def said(request: Any, header: str, field: str) -> tuple[str, str]:
    """The name and the text of a header, or of a form's field if there is no header."""
    text = request.headers.get(header, "")
    return (header, text) if text else (field, request.POST.get(field, ""))


def number(where: str, text: str, what: str) -> int:
    """A whole number above 0; else Malformed, with the header's or the field's name."""
    sound = text.isascii() and text.isdigit() and len(text) <= 100 and 0 < int(text) < _MOST
    if not sound:
        raise Malformed(where, f"must be {what}, a whole number above 0")
    return int(text)


def token_of(request: Any) -> Optional[int]:
    """The token in a request's header or form; None if there is none, Malformed if it is not a token."""
    where, text = said(request, TOKEN_HEADER, TOKEN_FIELD)
    return number(where, text, "the token of a lock") if text else None


def save_number(request: Any) -> int:
    """The number that a page gives its save, greater with each; 0 if there is none, Malformed if it is not a number."""
    where, text = said(request, SAVE_HEADER, SAVE_FIELD)
    return number(where, text, "the number of the save") if text else 0
