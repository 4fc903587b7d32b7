"""The errors of editlock. Those that refuse carry the holder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from .types import ID, Draining, Mutex, Owner


class EditlockError(Exception):
    """The base of all errors here. ``code`` is the stable name of the kind."""

    code = "internal"


@dataclass(frozen=True)
class Answer:
    """What a holder said to somebody who waited."""

    by: Optional[Owner]
    at: datetime
    message: str


class Busy(EditlockError):
    """The mutex is held by another, or by the caller where it had to be free.

    ``holder`` is the mutex in the way: the one asked for, or one above or below it;
    ``holders`` are all of them where several were to be captured. Of one that several
    hold, or that others hold something below, they are the first
    20, and ``holders_total`` counts all. ``self_held`` says that the holder is the
    caller, as the same session or the same user: in another tab perhaps.
    ``declined`` is the holder's answer if that ended a wait. ``draining`` is the first
    who waits for something above it. ``asked`` is what the call named; None: several.
    """

    code = "busy"

    def __init__(
        self,
        message: str,
        holder: Mutex,
        holders: tuple[Mutex, ...] = (),
        self_held: bool = False,
        declined: Optional[Answer] = None,
        holders_total: int = 0,
        draining: Optional[Draining] = None,
        asked: Optional[ID] = None,
    ) -> None:
        super().__init__(message)
        self.holder = holder
        self.holders = holders or (holder,)
        self.self_held = self_held
        self.declined = declined
        self.holders_total = holders_total or len(self.holders)
        self.draining = draining
        self.asked = asked


class Conflict(EditlockError):
    """The mutex is held, or waited for, with another limit than asked for, or with one where none was asked for.

    ``holder`` says how: all who hold it or wait must ask for the same.
    """

    code = "conflict"

    def __init__(self, message: str, holder: Mutex) -> None:
        super().__init__(message)
        self.holder = holder


class Lost(EditlockError):
    """The lock is no longer the caller's.

    ``holder`` is who has it now, None if nobody. ``how`` is expired,
    taken_over, force_released, handed_over, released or upgraded, or empty if
    that is not known; ``by``, ``at`` and ``reason`` tell the rest.
    """

    code = "lost"

    def __init__(
        self,
        message: str,
        id: Optional[ID] = None,
        holder: Optional[Mutex] = None,
        how: str = "",
        by: Optional[Owner] = None,
        at: Optional[datetime] = None,
        reason: str = "",
    ) -> None:
        super().__init__(message)
        self.id = id
        self.holder = holder
        self.how = how
        self.by = by
        self.at = at
        self.reason = reason


class NotHeld(EditlockError):
    """Nobody holds the mutex ``id`` that was to be taken over, or released by force."""

    code = "not_held"

    def __init__(self, message: str, id: Optional[ID] = None) -> None:
        super().__init__(message)
        self.id = id


class Invalid(EditlockError, ValueError):
    """An argument is wrong: ``field`` names it, the message says what is allowed."""

    code = "invalid"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}".strip())
        self.field = field
        self.problem = problem


class Forbidden(EditlockError):
    """The caller may not do this."""

    code = "forbidden"


class HeldByPerson(Forbidden):
    """An agent asked to end the hold of a person, which no agent may: ``holder`` is who to ask."""

    code = "held_by_person"

    def __init__(self, message: str, holder: Mutex) -> None:
        super().__init__(message)
        self.holder = holder


class Unauthenticated(EditlockError):
    """The server wants to know who calls."""

    code = "unauthenticated"


class Limited(EditlockError):
    """The call was over a limit of the server, which did nothing.

    ``retry_after`` is in how many seconds it is worth another try.
    """

    code = "limited"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(EditlockError):
    """The server, or the store behind it, is out of reach or answers nonsense."""

    code = "unavailable"


class Closed(Unavailable):
    """The client was closed: before the call, or while it waited."""

    def __init__(self, message: str = "the client is closed") -> None:
        super().__init__(message)
