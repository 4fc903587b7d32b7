"""What a child process must not share with its parent."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    def _forked(self) -> None:
        """Drops locks, connections and threads, which are the parent's."""


_known: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell_child(of: Forked) -> None:
    """Has ``_forked`` called in each child process, before anything else runs there."""
    _known.add(of)


def _tell() -> None:
    for one in list(_known):
        one._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
