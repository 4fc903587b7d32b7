"""The words of editlock: names of mutexes, their owners, what is held and what happened."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, Optional, Union

#: A duration as callers give it: seconds, or a timedelta.
Seconds = Union[int, float, timedelta]

#: Who may hold a mutex at the same time: nobody else, or all who hold it shared, too.
Sharing = Literal["exclusive", "shared"]

#: What an owner is.
OwnerKind = Literal["person", "agent", "job"]

#: How long a mutex is good for without a refresh, unless said otherwise.
DEFAULT_IDLE = 300.0


@dataclass(frozen=True)
class ID:
    """The name of a mutex: an object, within a mode (its type) and a group.

    Group and mode may be empty, the id not. Limits: 200 bytes of UTF-8 for
    group, mode and part, 500 for the id, no control characters.

    ``part`` is a part of the object, such as a section of a form; empty: the whole of
    it. ``below`` without an id stands for all objects of the mode, or without a mode of
    the group. The holder of one has all that is below it: others hold neither that nor
    what is above.
    """

    id: str = ""
    mode: str = ""
    group: str = ""
    part: str = ""
    below: bool = False

    def __str__(self) -> str:
        """The text form that the command line takes: ``group/mode/id#part``, or ``group/mode/`` with below."""
        return self.canonical if self.below else self.canonical.lstrip("/")

    @property
    def canonical(self) -> str:
        """The same with the group and the mode, though they be empty, as the server's logs have it."""
        from ._names import escaped

        path = f"{escaped(self.group)}/"
        if self.below:
            return path + (f"{escaped(self.mode)}/" if self.mode else "")
        path += f"{escaped(self.mode)}/{escaped(self.id)}"
        return f"{path}#{escaped(self.part)}" if self.part else path

    @classmethod
    def parse(cls, text: str) -> ID:
        """Reads the text form of an object or a part of one: ``id``, ``mode/id`` or ``group/mode/id``, and ``#part``.

        Raises Invalid. A slash, a percent sign or a # within a name is percent-encoded.
        """
        from ._names import parsed

        return parsed(text)

    @classmethod
    def parse_below(cls, text: str) -> ID:
        """Reads the text form of all that is below: ``group`` or ``group/mode``, and a slash behind it or not."""
        from ._names import parsed_below

        return parsed_below(text)

    @property
    def whole(self) -> ID:
        """The object that this is a part of; else this."""
        return replace(self, part="") if self.part else self


@dataclass(frozen=True)
class Owner:
    """Who captures.

    The identity is ``session`` and ``kind``: two owners with the same ones are the same
    holder, if one issuer or API key states it where a server knows its callers.
    The same non-empty ``user_id`` in another session is the same
    person, if ``kind`` is the same, who may go on there. Each field takes 200 bytes.

    An agent is a program that decides by itself what it edits. It never takes over
    from a person, and holds for 30 minutes at most, 5 of them without a refresh.
    A job does what it was written for, such as an import.
    """

    session: str
    user_id: str = ""
    login: str = ""
    name: str = ""
    host: str = ""
    kind: OwnerKind = "person"
    on_behalf_of: str = ""  #: whom an agent or a job acts for, for people to read

    def is_holder(self, other: Owner) -> bool:
        """Whether both are one holder: one session, of one kind."""
        return self.session == other.session and self.kind == other.kind

    @property
    def label(self) -> str:
        """The most readable field: name, login, user id or session."""
        return self.name or self.login or self.user_id or self.session


#: Asks without saying who asks: whatever is held is then held by another.
STRANGER = Owner(session="")

#: The owner of what the system does by itself.
SYSTEM = Owner(session="system", name="system", host="server")


class State(enum.IntEnum):
    """What a request finds, with the values that m3-mutex gives them."""

    FREE = 1
    CAPTURED_BY_ME = 2
    CAPTURED_BY_OTHER = 3


@dataclass(frozen=True)
class AutoRelease:
    """When a mutex is freed by itself, in seconds.

    ``idle`` after the last refresh or ``max_hold`` after the capture,
    whichever is first; each from 1 s to 30 days. ``idle`` of None means not
    said: 300 s at a capture, no change at a refresh. ``max_hold`` of None is
    unlimited. See NEVER for a mutex that is held until it is released.
    """

    idle: Optional[Seconds] = None
    max_hold: Optional[Seconds] = None
    never: bool = False


#: Held until released.
NEVER = AutoRelease(never=True)


@dataclass(frozen=True)
class Waiter:
    """Somebody in the queue of a mutex."""

    id: str  #: names this wait, for decline
    owner: Owner
    since: datetime
    message: str = ""  #: what is asked of the holder
    grant_at: Optional[datetime] = None  #: when the mutex passes by itself; None: it does not


@dataclass(frozen=True)
class Draining:
    """Somebody who waits for all of a mode or group, or for an object with its parts.

    Nothing below it is given out until then.
    """

    id: ID
    by: Owner
    since: datetime
    message: str = ""


@dataclass(frozen=True)
class Mutex:
    """A captured mutex, as it stood at ``as_of``. All times are the store's, in UTC."""

    id: ID
    owner: Owner
    token: int  #: fencing token: each change of holder gets a larger one
    status_data: str
    auto_release: AutoRelease
    captured_at: datetime
    refreshed_at: datetime
    expires_at: Optional[datetime]  #: None: never
    as_of: datetime
    expires_in: Optional[float]  #: seconds from as_of, right whatever the local clock; None: forever
    grant_after: Optional[float] = None
    waiting: int = 0  #: how many wait
    waiters: tuple[Waiter, ...] = ()  #: the first 20 of them
    sharing: Optional[Sharing] = None  #: None: there is a limit instead
    limit: Optional[int] = None  #: at most so many hold it at once
    beside: int = 0  #: how many others hold it, too; not told in lists
    others: tuple[Mutex, ...] = ()  #: the first 19 of them, oldest first, where a request asked
    draining: Optional[Draining] = None  #: who waits for something above it; not told in lists


@dataclass(frozen=True)
class Entry:
    """A line of history, or an event.

    ``kind`` is captured, released, expired, taken_over, force_released,
    handed_over, waiting, declined, shared (an exclusive hold lets others
    share) or upgraded (a shared one is exclusive now, with a new token); in a
    watch also gap: entries up to ``seq`` are gone, and nothing else is told of
    them.
    """

    seq: int
    kind: str
    id: Optional[ID] = None
    owner: Optional[Owner] = None  #: who holds it, or held it until this
    actor: Optional[Owner] = None  #: who did it
    other: Optional[Owner] = None  #: who lost it to a takeover, got it, or was declined
    token: int = 0
    at: Optional[datetime] = None
    reason: str = ""
    sharing: Optional[Sharing] = None  #: of the hold; None: it has a limit, or this is a gap
    limit: Optional[int] = None  #: of the hold
    replaced: int = 0  #: of taken_over: the token of the shared hold whose place this one took


@dataclass(frozen=True)
class Page:
    """A page of mutexes; ``next`` is the cursor of the one after, None at the end."""

    mutexes: tuple[Mutex, ...] = field(default=())
    next: Optional[str] = None


@dataclass(frozen=True)
class HistoryPage:
    """A page of history, newest first; ``next`` as in Page."""

    entries: tuple[Entry, ...] = field(default=())
    next: Optional[str] = None


@dataclass(frozen=True)
class Looker:
    """Somebody who looks at a record, on one page or several.

    ``state`` is what the pages say: unsaved (edits that are not saved),
    editing, looking or idle (nobody has moved there for some minutes).
    """

    owner: Owner
    state: str
    since: datetime


@dataclass(frozen=True)
class Look:
    """A record that a page shows, with a state of Looker. ``hidden``: the page is not seen."""

    id: ID
    state: str = "looking"
    hidden: bool = False


@dataclass(frozen=True)
class Company:
    """Who else looks at a record."""

    id: ID
    people: tuple[Looker, ...] = ()  #: the first 20, without the one who asks
    count: int = 0  #: how many there are
    error: Optional[Exception] = None  #: why nothing is told of this one


@dataclass(frozen=True)
class Reader:
    """Somebody who holds a lock shared: nobody can edit until they are done."""

    owner: Owner
    captured_at: datetime
    mine: bool = False  #: the asking session is this one


@dataclass(frozen=True)
class Looking(Company):
    """Who edits a record, who reads it under a shared lock, and who else looks at it."""

    holder: Optional[Owner] = None  #: who edits; None: nobody, or the holders share the lock and read
    captured_at: Optional[datetime] = None
    mine: bool = False  #: the asking session is the one that edits
    readers: tuple[Reader, ...] = ()  #: the first 20


@dataclass(frozen=True)
class RefreshItem:
    """A mutex to refresh by its token. What is not said keeps what is there."""

    id: ID
    token: int
    status_data: str = ""
    auto_release: Optional[AutoRelease] = None
