"""Refuses to save what somebody else may be editing by now."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, TypeVar, cast

from .. import words
from ..errors import Lost
from ..types import ID, Mutex
from . import client

View = TypeVar("View", bound=Callable[..., Any])

TOKEN_FIELD = "editlock_token"
TOKEN_HEADER = "Editlock-Token"
_SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")


def save_guard(mutex_id: Callable[..., ID]) -> Callable[[View], View]:
    """Decorates a view that saves: it runs only for who holds the lock.

    A request that may change something must bring the token of the lock, in
    the form field ``editlock_token`` or the header ``Editlock-Token``. If the
    mutex is not held with that token by the request's session, the view does
    not run, and the answer is 409 with who holds it now. Otherwise the lock
    is refreshed, and ``request.editlock`` is the mutex. GET, HEAD, OPTIONS
    and TRACE pass unguarded. The view may be asynchronous.

    :param mutex_id: the ID of what is saved, from the view's own arguments.
    """

    def decorate(view: View) -> View:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_async(request: Any, *args: Any, **kwargs: Any) -> Any:
                from asgiref.sync import sync_to_async

                refused = await sync_to_async(_refuse)(request, mutex_id, args, kwargs)
                return await view(request, *args, **kwargs) if refused is None else refused

            return cast(View, guarded_async)

        @functools.wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
            refused = _refuse(request, mutex_id, args, kwargs)
            return view(request, *args, **kwargs) if refused is None else refused

        return cast(View, guarded)

    return decorate


class SaveGuardMixin:
    """save_guard for class-based views: give ``get_mutex_id``."""

    def get_mutex_id(self, request: Any, *args: Any, **kwargs: Any) -> ID:
        """The ID of what is saved, from the view's arguments."""
        raise NotImplementedError(f"{type(self).__name__} must say in get_mutex_id which mutex guards it")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        refused = _refuse(request, self.get_mutex_id, args, kwargs)
        if refused is not None:
            return refused
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


def _refuse(request: Any, mutex_id: Callable[..., ID], args: Any, kwargs: Any) -> Any:
    """The answer that refuses a request; None if it may go on."""
    if request.method in _SAFE:
        return None
    try:
        request.editlock = _confirm(request, mutex_id(request, *args, **kwargs))
    except Lost as lost:
        return _answer(request, lost)
    return None


def _confirm(request: Any, id: ID) -> Mutex:
    from .owners import owner_of

    text = request.headers.get(TOKEN_HEADER) or request.POST.get(TOKEN_FIELD, "")
    # Digits alone, few enough for the server: anything else is no token.
    if not (text.isascii() and text.isdigit() and 0 < int(text[:17]) < 2**53 and len(text) <= 16):
        raise Lost(f"the request brings no token of the lock on {id}", id=id)
    return client().capture(id, owner=owner_of(request), if_token=int(text))


def _answer(request: Any, lost: Lost) -> Any:
    from django.http import HttpResponse, JsonResponse
    from django.utils.translation import get_language

    text = words.loss(lost, language=get_language() or "en")
    if "text/html" in request.headers.get("Accept", ""):
        return HttpResponse(text, status=409, content_type="text/plain; charset=utf-8")
    form = {"code": "lost", "detail": text, "holder": lost.holder and {"name": lost.holder.owner.label}}
    return JsonResponse(
        form, status=409, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )
