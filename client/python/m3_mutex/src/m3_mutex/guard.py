"""Guards of saves, which m3-mutex does not have: a view runs only for the holder of the mutex.

from m3_mutex import MutexID
from m3_mutex.guard import save_guard

@save_guard(lambda request, pk: MutexID("", "invoice", pk))
def save(request, pk): ...
"""

from __future__ import annotations

from typing import Any, Callable

from editlock.django.guard import View
from editlock.django.guard import save_guard as _save_guard

from . import _names as names

__all__ = ["save_guard"]


def save_guard(mutex_id: Callable[..., Any], *, parts: bool = False) -> Callable[[View], View]:
    """editlock.django.guard.save_guard for a MutexID.

    :param mutex_id: the MutexID of what is saved, from the view's own arguments.
    :param parts: whether a request may name some parts of the object, each with its token.
    """
    return _save_guard(lambda *args, **kwargs: names.to_id(mutex_id(*args, **kwargs)), parts=parts)
