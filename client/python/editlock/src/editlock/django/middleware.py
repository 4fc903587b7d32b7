"""Makes the calls of a request those of its user."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Callable, Union

import asgiref.sync

from ..owners import acting_as
from .owners import owner_of

_Answer = Union[Any, Awaitable[Any]]


def _is_asynchronous(function: Any) -> bool:
    return bool(getattr(asgiref.sync, "iscoroutinefunction", asyncio.iscoroutinefunction)(function))


def _mark_asynchronous(instance: Any) -> None:
    """Makes Django await what calling the instance returns."""
    mark = getattr(asgiref.sync, "markcoroutinefunction", None)
    if mark is not None:
        mark(instance)
    else:  # asgiref before 3.6, as Django 3.2 may have it: by the mark that asyncio knows
        instance._is_coroutine = getattr(asyncio.coroutines, "_is_coroutine", True)


class OwnerMiddleware:
    """Sets the owner of every editlock (and m3_mutex) call within a request.

    Put it behind SessionMiddleware and AuthenticationMiddleware. Session and
    user are looked up when a lock is asked for, not before.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], _Answer]) -> None:
        self.get_response = get_response
        self._asynchronous = _is_asynchronous(get_response)
        if self._asynchronous:
            _mark_asynchronous(self)

    def __call__(self, request: Any) -> _Answer:
        if self._asynchronous:
            return self._respond(request)
        with acting_as(lambda: owner_of(request)):
            return self.get_response(request)

    async def _respond(self, request: Any) -> Any:
        with acting_as(lambda: owner_of(request)):
            return await self.get_response(request)
