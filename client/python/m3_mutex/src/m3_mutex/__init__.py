"""m3-mutex's functions and classes, on an editlock server.

Nothing here imports Django: it may be listed in INSTALLED_APPS, and works
without Django too.
"""

from .api import capture_mutex, get_mutex_list, release_mutex, request_mutex
from .domain import (
    Mutex,
    MutexAutoReleaseRule,
    MutexID,
    MutexOwner,
    MutexQuery,
    MutexState,
    SystemOwner,
    TimeoutAutoRelease,
)
from .exceptions import MutexBusy

__all__ = [
    "Mutex",
    "MutexAutoReleaseRule",
    "MutexBusy",
    "MutexID",
    "MutexOwner",
    "MutexQuery",
    "MutexState",
    "SystemOwner",
    "TimeoutAutoRelease",
    "capture_mutex",
    "get_mutex_list",
    "release_mutex",
    "request_mutex",
]
