"""The error of m3-mutex."""

from __future__ import annotations

from typing import Optional

from .domain import Mutex


class MutexBusy(Exception):
    """The mutex is held by another. ``mutex``, which is new, says by whom."""

    mutex: Optional[Mutex] = None
