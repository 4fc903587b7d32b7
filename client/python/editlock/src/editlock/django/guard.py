"""Refuses to save what somebody else may be editing by now."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, TypeVar, cast

from .._forms import from_id
from ..errors import EditlockError, Lost, Unavailable
from ..types import ID
from .owners import owner_of
from .parts import held_of, ordered
from .said import Malformed, token_of
from .texts import why
from .versions import Changed
from .writes import Writes

View = TypeVar("View", bound=Callable[..., Any])

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


def save_guard(mutex_id: Callable[..., ID], *, parts: bool = False) -> Callable[[View], View]:
    """Decorates a view that saves: it runs only for who holds the lock.

    A request that may change something must bring the token of the lock, in
    the form field ``editlock_token`` or the header ``Editlock-Token``. If the
    mutex is not held with that token by the request's session, the view does
    not run, and the answer is 409 with who holds it now. Otherwise the lock
    is refreshed, and ``request.editlock`` is the mutex. GET, HEAD, OPTIONS
    and TRACE pass unguarded. The view may be asynchronous. A malformed
    token is answered with 400.

    With ``parts`` the request may name some parts of the object, each with its
    token: ``address=7,lines=9``. All of them must be held. The
    view may save those in ``request.editlock_held``, and no others. If the lock
    server's tables are in the site's database, give them to ``parts.check_held``
    within the transaction that saves: nothing can happen in between then.

    :param mutex_id: the ID of what is saved, from the view's own arguments.
    """

    def decorate(view: View) -> View:
        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def guarded_async(request: Any, *args: Any, **kwargs: Any) -> Any:
                from asgiref.sync import sync_to_async

                if request.method in SAFE_METHODS:
                    return await view(request, *args, **kwargs)
                with Writes(await sync_to_async(owner_of)(request)) as writes:
                    refused = await sync_to_async(_refuse)(writes, request, mutex_id, parts, args, kwargs)
                    try:
                        return await view(request, *args, **kwargs) if refused is None else refused
                    except _REFUSALS as err:
                        return _answer(request, err)

            return cast(View, guarded_async)

        @functools.wraps(view)
        def guarded(request: Any, *args: Any, **kwargs: Any) -> Any:
            return _run(request, mutex_id, parts, args, kwargs, lambda: view(request, *args, **kwargs))

        return cast(View, guarded)

    return decorate


class SaveGuardMixin:
    """save_guard for class-based views: give ``get_mutex_id``."""

    #: Whether a request may name some parts of the object.
    editlock_parts = False

    def get_mutex_id(self, request: Any, *args: Any, **kwargs: Any) -> ID:
        """The ID of what is saved, from the view's arguments."""
        raise NotImplementedError(f"{type(self).__name__} must say in get_mutex_id which mutex guards it")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        def run() -> Any:
            return super(SaveGuardMixin, self).dispatch(request, *args, **kwargs)  # type: ignore[misc]

        return _run(request, self.get_mutex_id, self.editlock_parts, args, kwargs, run)


#: What a view's transaction may raise: check of versions, and check_held of parts.
_REFUSALS = (Changed, Lost, Malformed)


def _run(
    request: Any, mutex_id: Callable[..., ID], parts: bool, args: Any, kwargs: Any, view: Callable[[], Any]
) -> Any:
    if request.method in SAFE_METHODS:
        return view()
    with Writes(owner_of(request)) as writes:
        refused = _refuse(writes, request, mutex_id, parts, args, kwargs)
        try:
            return view() if refused is None else refused
        except _REFUSALS as err:
            return _answer(request, err)


def _refuse(writes: Writes, request: Any, mutex_id: Callable[..., ID], parts: bool, args: Any, kwargs: Any) -> Any:
    """The answer that refuses a request; None if it may go on."""
    object = mutex_id(request, *args, **kwargs)
    try:
        if not parts:
            request.editlock = writes.confirm(object, token_of(request))
            return None
        request.editlock_held = held_of(request, object)
        for id, token in ordered(request.editlock_held):
            writes.confirm(id, token)
        if not request.editlock_held:
            writes.confirm(object, None)  # which says who holds it
    except (*_REFUSALS, Unavailable) as err:
        return _answer(request, err)
    return None


def problem(err: EditlockError) -> dict[str, Any]:
    """A refusal in the form that editlock's clients read."""
    form: dict[str, Any] = {"code": err.code, "detail": why(err)}
    if err.code == "changed":  # by a writer without the lock, so there is no holder
        return {**form, "seen": getattr(err, "seen", ""), "current": getattr(err, "current", None)}
    if isinstance(err, Malformed):
        return {**form, "field": err.field}
    if isinstance(err, Lost) and err.id is not None:
        form["mutex"] = from_id(err.id)
    holder = getattr(err, "holder", None)
    return {**form, "holder": holder and {"name": holder.owner.label}}


def problem_response(err: EditlockError, status: int) -> Any:
    """The answer to a script that is refused."""
    from django.http import JsonResponse

    return JsonResponse(
        problem(err),
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )


def status_of(err: EditlockError) -> int:
    """The status of a refusal."""
    if isinstance(err, Malformed):
        return 400
    return 503 if isinstance(err, Unavailable) else 412 if err.code == "changed" else 409


def _answer(request: Any, err: EditlockError) -> Any:
    from django.http import HttpResponse

    status = status_of(err)
    if "text/html" in request.headers.get("Accept", ""):
        return HttpResponse(why(err), status=status, content_type="text/plain; charset=utf-8")
    return problem_response(err, status)
