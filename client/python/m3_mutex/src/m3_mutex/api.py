"""The functions of m3-mutex."""

from __future__ import annotations

from typing import Any, Optional

from .backends import ModelMutexBackend
from .domain import Mutex, MutexQuery, TimeoutAutoRelease


def get_backend(mutex_id: Any) -> ModelMutexBackend:
    """Where a mutex is kept: always the editlock server."""
    return ModelMutexBackend()


def capture_mutex(
    mutex_id: Any,
    owner: Any = None,
    auto_release: Any = TimeoutAutoRelease(timeout=300),  # noqa: B008 - as in m3-mutex
    status_data: Any = None,
) -> Mutex:
    """Captures a mutex, or refreshes it if the owner's session holds it.

    Raises MutexBusy if another holds it. A refresh keeps the rule of release
    and, unless ``status_data`` is given, the status data.

    :param owner: by default the one of the current request or process.
    """
    return get_backend(mutex_id).capture_mutex(mutex_id, owner, auto_release, status_data)


def release_mutex(mutex_id: Any, owner: Any = None) -> None:
    """Releases a mutex of the owner's. Raises MutexBusy if another holds it."""
    get_backend(mutex_id).release_mutex(mutex_id, owner)


def request_mutex(mutex_id: Any, owner: Any = None) -> tuple[int, Optional[Mutex]]:
    """Tells the MutexState, and the mutex unless it is free."""
    return get_backend(mutex_id).request_mutex(mutex_id, owner)


def get_mutex_list(mutex_query: Any = MutexQuery()) -> list[Mutex]:  # noqa: B008 - as in m3-mutex
    """The mutexes that are captured, in the order of their names."""
    return get_backend(None).list_mutexes(mutex_query)
