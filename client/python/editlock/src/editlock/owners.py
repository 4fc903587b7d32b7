"""Who acts, where a call does not say it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Callable, Optional, Union

from .types import Owner

_acting: ContextVar[Optional[Callable[[], Owner]]] = ContextVar("editlock_owner", default=None)


def console_owner() -> Owner:
    """The owner of a program that names none: this process, on this host.

    Each process is an owner of its own, so two copies of a script exclude
    each other.
    """
    host = socket.gethostname()[:60] or "localhost"
    return Owner(
        session=f"console-session-{host}-{os.getpid()}",
        user_id="console-user",
        login="console",
        name="console-user",
        host=host,
    )


def current_owner() -> Owner:
    """The owner of the innermost acting_as around here, or the console owner."""
    acting = _acting.get()
    return console_owner() if acting is None else acting()


def has_owner() -> bool:
    """Whether there is an acting_as around here."""
    return _acting.get() is not None


@contextmanager
def acting_as(owner: Union[Owner, Callable[[], Owner]]) -> Iterator[None]:
    """Makes calls within the block those of an owner.

    It holds for this thread or asyncio task and the tasks it starts. A
    function is called whenever the owner is asked for, so what it costs is
    paid only where locks are used.
    """

    def known() -> Owner:
        return owner() if callable(owner) else owner

    reset = _acting.set(known)
    try:
        yield
    finally:
        _acting.reset(reset)
