"""Saves of some parts of an object: each part has a lock and a token of its own, and all of them must be in force.

A form whose parts different people edit names each part that changed with its token,
in the header ``Editlock-Token`` or the field ``editlock_token``: ``address=7,lines=9``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from django.db import NotSupportedError, transaction
from django.db.utils import DatabaseError

from ..errors import Lost
from ..types import ID
from .said import TOKEN_FIELD, TOKEN_HEADER, Malformed, number, said

#: How many parts of an object a save may name.
_MOST = 100
#: Bytes of a part's name, as the server limits them.
_MAX_PART = 200
#: The SQLSTATE of a token that is not in force.
_STALE = "EL001"
_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


class HeldPart(NamedTuple):
    """A part of an object, or the whole of it, and the token that a save claims to hold it under."""

    id: ID
    token: int


def parse_held(object: ID, text: str, where: str = TOKEN_HEADER) -> tuple[HeldPart, ...]:
    """Reads ``part=token``, with commas between and each part percent-encoded, such as ``address=7,lines=9``.

    A token alone, such as ``7``, is that of the whole object. Save only the parts that are
    returned. An empty text has none; Malformed names the header, or ``where`` the text was.
    """
    held: list[HeldPart] = []
    for one in text.split(",") if text else ():
        part, mark, token = one.partition("=")
        id = replace(object, part=_part(part.strip(), where)) if mark else object
        if any(known.id == id for known in held):
            raise Malformed(where, "names a part twice")
        held.append(HeldPart(id, number(where, (token if mark else one).strip(), "the token of a lock")))
        if len(held) > _MOST:
            raise Malformed(where, f"names more than {_MOST} parts")
    return tuple(held)


def _part(text: str, where: str) -> str:
    """The name of a part."""
    try:
        part = unquote_to_bytes(text).decode() if not _ESCAPE.search(text) else ""
    except UnicodeDecodeError:
        part = ""
    if not part:
        raise Malformed(where, "must be part=token, with commas between and each part percent-encoded")
    if any(unicodedata.category(c) == "Cc" for c in part):
        raise Malformed(where, "names a part with a control character; none is allowed")
    if len(part.encode()) > _MAX_PART:
        raise Malformed(where, f"names a part that is {len(part.encode())} bytes long; at most {_MAX_PART} are allowed")
    return part


def held_of(request: Any, object: ID) -> tuple[HeldPart, ...]:
    """The parts that a request claims to hold, in its header or its form; empty if it names none."""
    where, text = said(request, TOKEN_HEADER, TOKEN_FIELD)
    return parse_held(object, text, where)


def ordered(held: Iterable[HeldPart]) -> list[HeldPart]:
    """The same in the order of names, so that two saves never wait for each other."""
    return sorted(held, key=lambda one: one.id.canonical)


def check_held(held: Iterable[HeldPart], *, using: str = "default", tables: str = "") -> None:
    """Raises Lost unless all tokens are in force, by the database's clock, within the transaction that saves.

    From then on nobody else gets these parts until the transaction ends. It is for sites whose
    database has the tables of the lock server: on PostgreSQL, MariaDB, MySQL and SQLite. Let
    the error leave ``transaction.atomic``; it names the first part that is lost. If nothing is
    held, it raises Lost, too, as nothing may be saved then.

    :param using: the database, as in DATABASES.
    :param tables: the schema of the server's tables; on MariaDB and MySQL their database, on
        SQLite the name under which the server's file is attached. Empty: where the site's own are.
    """
    connection = transaction.get_connection(using)
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "check_held must run within transaction.atomic: outside of it the lock may be lost before the save"
        )
    check = _CHECKS.get(connection.vendor)
    if check is None:
        raise NotSupportedError(f"check_held: {connection.vendor} is none of {', '.join(sorted(_CHECKS))}")
    checked = ordered(held)
    if not checked:
        raise Lost("nothing that is to be saved is held")
    for id, token in checked:
        with connection.cursor() as cursor:
            if not check(cursor, tables and f"{connection.ops.quote_name(tables)}.", _names(id), token):
                raise Lost(f"the lock on {id} is not held under the token {token}", id=id)


def _names(id: ID) -> list[str]:
    """The names under which a hold of a mutex, or of something above it, is stored."""
    above = [id.whole] if id.part else []
    if id.mode:
        above.append(ID(group=id.group, mode=id.mode, below=True))
    above.append(ID(group=id.group, below=True))
    return [name.canonical for name in (id, *above)]


def _postgresql(cursor: Any, tables: str, names: list[str], token: int) -> bool:
    marks = ", ".join(["%s"] * len(names))
    try:
        cursor.execute(
            f"SELECT {tables}editlock_guard(ARRAY[{marks}]::text[], %s::bigint) IS NOT NULL", [*names, token]
        )
        cursor.fetchall()
    except DatabaseError as err:
        cause = err.__cause__
        if _STALE in (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None)):
            return False
        raise
    return True


def _sqlite(cursor: Any, tables: str, names: list[str], token: int) -> bool:
    for name in names:
        cursor.execute(
            f"UPDATE {tables}editlock_row SET rev = rev WHERE k = 'h' || %s AND rev = %s AND (due IS NULL OR due > "
            "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)) RETURNING rev",
            [name, token],
        )
        if cursor.fetchall():
            return True
    return False


def _mysql(cursor: Any, tables: str, names: list[str], token: int) -> bool:
    for name in names:
        cursor.execute(
            f"SELECT 1 FROM {tables}editlock_row WHERE k = CONCAT('h', %s) AND rev = %s"
            " AND due > TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
            [name, token],
        )
        if cursor.fetchall():
            cursor.execute(
                f"SELECT 1 FROM {tables}editlock_guard WHERE k = CONCAT('h', %s) AND rev = %s LOCK IN SHARE MODE",
                [name, token],
            )
            return bool(cursor.fetchall())
    return False


_CHECKS = {"postgresql": _postgresql, "sqlite": _sqlite, "mysql": _mysql}
