"""What a request says of its save: under which tokens it is made, and which one of its page it is."""

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
    """A header or a field of a request is not as it must be: the answer is 400."""


def said(request: Any, header: str, field: str) -> tuple[str, str]:
    """Where a request says something, and what; without the header it is the field of a form."""
    text = request.headers.get(header, "")
    return (header, text) if text else (field, request.POST.get(field, ""))


def number(where: str, text: str, what: str) -> int:
    """A whole number above 0; else Malformed, with the header's or the field's name."""
    sound = text.isascii() and text.isdigit() and len(text) <= 100 and 0 < int(text) < _MOST
    if not sound:
        raise Malformed(where, f"must be {what}, a whole number above 0")
    return int(text)


def token_of(request: Any) -> Optional[int]:
    """The token that a request brings, in its header or its form; None without one, Malformed if it is none."""
    where, text = said(request, TOKEN_HEADER, TOKEN_FIELD)
    return number(where, text, "the token of a lock") if text else None


def save_number(request: Any) -> int:
    """The number that a page gives its save, greater with each; 0 without one, Malformed if it is none."""
    where, text = said(request, SAVE_HEADER, SAVE_FIELD)
    return number(where, text, "the number of the save") if text else 0
