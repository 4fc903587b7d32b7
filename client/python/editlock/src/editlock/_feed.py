"""The one stream of events of a client: what it asks for, and which holds it ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple, Optional

from ._holds import Hold, Holds, Loss
from ._lease import ENDINGS
from .errors import Lost
from .types import Entry

#: How old a capture may be whose events since are asked for; else a refresh tells.
_RECENT = timedelta(minutes=1)


class Scope(NamedTuple):
    """What a stream shows; empty is everything."""

    session: str = ""
    group: str = ""
    mode: str = ""

    def covers(self, hold: Hold) -> bool:
        mutex = hold.mutex
        return (
            self.session in ("", mutex.owner.session)
            and self.group in ("", mutex.id.group)
            and self.mode in ("", mutex.id.mode)
        )


def scope_of(holds: Iterable[Hold]) -> Scope:
    """The narrowest that a server offers for some mutexes."""
    mutexes = [hold.mutex for hold in holds]
    sessions = {mutex.owner.session for mutex in mutexes}
    if len(sessions) == 1:
        return Scope(session=sessions.pop())
    groups, modes = {mutex.id.group for mutex in mutexes}, {mutex.id.mode for mutex in mutexes}
    return Scope(group=groups.pop() if len(groups) == 1 else "", mode=modes.pop() if len(modes) == 1 else "")


class Feed:
    """Where the stream stands. Tokens are numbers of events, so that the token of a
    hold is where its own events begin."""

    def __init__(self) -> None:
        self.scope: Optional[Scope] = None  # None: there was no stream yet
        self._at: Optional[int] = None  # the last event; None: not known
        self._floor = 0  # all endings after it are remembered
        self._recent: deque[Entry] = deque(maxlen=256)
        self._blind = False  # there may be holds of which the stream can't tell what was

    def covers(self, hold: Hold) -> bool:
        return self.scope is None or self.scope.covers(hold)

    def begin(self, holds: Iterable[Hold]) -> tuple[Scope, Optional[int]]:
        """What another stream is to ask for: a scope, and the event to begin behind."""
        every = list(holds)
        new = [hold for hold in every if self._at is None or not self.covers(hold)]
        recent = [hold.token for hold in new if hold.mutex.as_of - hold.mutex.captured_at < _RECENT]
        self._blind = len(recent) < len(new)
        if self._at is not None:
            self._at = min([self._at, *recent])
        elif recent and not self._blind:
            self._at = min(recent)
        if new or self.scope is None:
            self.scope = scope_of(every)
            self._floor = self._at or 0
            self._recent.clear()
        return self.scope, self._at

    def begun(self) -> bool:
        """Books that a stream is open; True: all holds are to be refreshed now."""
        blind, self._blind = self._blind, False
        return blind

    def lose_place(self) -> None:
        """Forgets where it stands, which the server does not know."""
        self._at, self._blind = None, True

    def add(self, hold: Hold) -> Optional[Lost]:
        """The loss of a new hold, if it was told of before it was known here; a
        hold that can't be told of is to be refreshed now."""
        if self.scope is None or not self.covers(hold):
            return None  # the next stream begins early enough
        if self._at is None or hold.token < self._floor:
            hold._due = 0.0
        told = (hold._leased.ended_by(event) for event in self._recent if event.id == hold.id)
        return next((lost for lost in told if lost is not None), None)

    def heard(self, event: Entry, holds: Holds) -> list[Loss]:
        """The holds that an event ends."""
        self._at = max(event.seq, self._at or 0)
        if event.kind == "gap":
            self._floor = event.seq
            holds.refresh_now()
            return []
        if event.kind not in ENDINGS:
            return []
        if len(self._recent) == self._recent.maxlen:
            self._floor = self._recent[0].seq
        self._recent.append(event)
        told = ((hold, hold._leased.ended_by(event)) for hold in holds.of(event.id))
        return [(hold, lost) for hold, lost in told if lost is not None]
