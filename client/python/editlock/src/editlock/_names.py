"""The text forms of mutexes, as the command line and the logs of a server have them."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from .errors import Invalid
from .types import ID

_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def escaped(name: str) -> str:
    """A name within a text form: what would make it ambiguous, and blanks, percent-encoded."""
    return "".join(quote(c, safe="", errors="replace") if c in "/%# " or not c.isprintable() else c for c in name)


def parsed(text: str) -> ID:
    """The object, or the part of one, that a text form names."""
    whole, mark, part = text.partition("#")
    names = _split(whole, "id, mode/id or group/mode/id")
    group, mode, id = [""] * (3 - len(names)) + names
    if mark and not part:
        raise Invalid("mutex.part", "must not be empty behind a #; write %23 for a # within an id")
    if not id:
        raise Invalid("mutex.id", "must not be empty")
    return ID(id, mode, group, _plain(part, "mutex.part"))


def parsed_below(text: str) -> ID:
    """All that is below the group, or the group and mode, that a text form names."""
    names = _split(text[:-1] if text.endswith("/") else text, "group or group/mode")
    if len(names) > 2 or "#" in text:
        raise Invalid("below", "names an object; write group or group/mode, as it stands for all below")
    return ID(group=names[0], mode=names[1] if len(names) > 1 else "", below=True)


def _split(text: str, form: str) -> list[str]:
    names = text.split("/")
    if len(names) > 3:
        raise Invalid("id", f"has {len(names)} parts; write {form}, and %2F for a slash within a part")
    return [_plain(name, "id") for name in names]


def _plain(name: str, field: str) -> str:
    if _ESCAPE.search(name):
        raise Invalid("id", "has a % that two hexadecimal digits do not follow; write %25 for a percent sign")
    try:
        return unquote_to_bytes(name).decode()
    except UnicodeDecodeError:
        raise Invalid(field, "is not valid UTF-8") from None
