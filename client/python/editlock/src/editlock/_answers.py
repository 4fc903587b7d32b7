"""What an answer's head and body mean to a caller."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any, TypeVar

from . import _forms as forms
from ._calls import Call
from ._http import Address, Head
from .errors import Busy, EditlockError, Forbidden, Limited, Unauthenticated, Unavailable

T = TypeVar("T")


class Retry(Exception):
    """A failure that another try may not meet."""

    def __init__(self, error: EditlockError, after: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.after = after


#: What a time that is up raises; one and the same since Python 3.11.
TIME_UP = (TimeoutError, socket.timeout, asyncio.TimeoutError)


def unreached(address: Address, err: BaseException) -> Unavailable:
    text = "the time is up" if isinstance(err, TIME_UP) else (str(err) or type(err).__name__)
    return Unavailable(f"no answer from {address.header}: {text}")


def _strange(address: Address, what: str) -> Unavailable:
    return Unavailable(f"{address.header} answers with {what}; is it an editlock server?")


def refusal(address: Address, head: Head, body: bytes) -> EditlockError:
    """The error that a status other than 200 tells of; raises Retry where it may pass."""
    status = f"status {head.status} {head.reason}".rstrip()
    err: EditlockError = _strange(address, status)
    if head.status in _REFUSALS:  # a proxy's, unless there is a problem
        err = _REFUSALS[head.status](f"{address.header} answers with {status}")
    if head.is_type("application/problem+json"):
        try:
            err = forms.to_error(json.loads(body))
        except (ValueError, KeyError, TypeError, AttributeError):
            err = _strange(address, "a problem that makes no sense")
    text = head.headers.get("retry-after", "")
    after = float(text) if text.isdigit() and len(text) < 5 else 0.0
    if isinstance(err, Limited):
        err.retry_after = max(after, 1.0)
        raise Retry(err, err.retry_after)
    if head.status in (502, 503, 504):
        raise Retry(err, min(after, 2.0))
    return err


#: Statuses that say enough without a problem.
_REFUSALS: dict[int, type[EditlockError]] = {401: Unauthenticated, 403: Forbidden, 429: Limited}


def result(address: Address, call: Call[T], head: Head, body: bytes) -> T:
    """What a whole answer means."""
    if head.status != 200 and not (head.status == 202 and call.wait):
        err = refusal(address, head, body)
        if isinstance(err, Busy):
            err.asked = call.asks_for
        raise err
    if not head.is_type("application/json"):
        raise _strange(address, f"content of type {head.headers.get('content-type', '')[:80]!r}")
    try:
        return call.answer(json.loads(body))
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise _strange(address, f"JSON that makes no sense ({err!r})") from err


def problem_event(data: str) -> EditlockError:
    """The error that the last event of a stream tells of; raises Retry where it may pass."""
    try:
        form: Any = json.loads(data)
        err = forms.to_error(form)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Unavailable("a stream of events ends with a problem that makes no sense")
    if form["code"] == "unavailable":
        raise Retry(err)
    return err
