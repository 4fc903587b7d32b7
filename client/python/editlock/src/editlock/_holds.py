"""What a client keeps: which holds are to be refreshed together, and which are over.

Nothing here waits, locks or calls: that is for the keepers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from ._lease import Lease, clock
from .errors import EditlockError, Limited, Lost, Unauthenticated, Unavailable
from .types import ID, Mutex, Owner, RefreshItem

#: How many are refreshed by one call: far below the server's limits of items and bytes.
_BATCH = 200
#: How long to sleep at most: the clock of a sleep may stop while the machine sleeps.
_NAP = 1.0
#: Errors that say nothing about one item of a call.
_OF_THE_CALL = (Unavailable, Limited, Unauthenticated)

Result = tuple[Optional[Mutex], Optional[EditlockError]]
Loss = tuple["Hold", Lost]


class Hold:
    """A mutex that a client keeps refreshed: what Held and AsyncHeld have in common."""

    _owner: Owner
    _lease: Optional[Lease] = None
    _due = 0.0  # when to refresh it, by clock()
    _refreshing = False
    _alone = False  # to be refreshed by a call of its own

    @property
    def mutex(self) -> Mutex:
        """The mutex as last confirmed, with who waits for it."""
        return self._leased.mutex

    @property
    def id(self) -> ID:
        return self.mutex.id

    @property
    def token(self) -> int:
        """The fencing token, to give along with what is written."""
        return self.mutex.token

    @property
    def lost(self) -> Optional[Lost]:
        """How the mutex was lost; None while it is held."""
        raise NotImplementedError

    def check(self) -> None:
        """Raises Lost if the mutex is lost: to be called before what must not happen then."""
        lost = self.lost
        if lost is not None:
            raise lost

    @property
    def _leased(self) -> Lease:
        assert self._lease is not None, "the mutex is held within the async with block only"
        return self._lease

    def _lose(self, lost: Lost) -> None:
        raise NotImplementedError

    def _item(self, status_data: str = "") -> RefreshItem:
        return RefreshItem(self.id, self.token, status_data=status_data)


def closing(hold: Hold) -> Lost:
    """How a hold is lost whose client is closed."""
    why = "the client was closed"
    return Lost(f"the lock on {hold.id} is lost: {why}", id=hold.id, by=hold.mutex.owner, reason=why)


class Holds:
    """The holds of a client. One that is lost is no longer among them."""

    def __init__(self) -> None:
        self._all: set[Hold] = set()
        self._named: dict[ID, set[Hold]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Hold]:
        return iter(self._all)

    def add(self, hold: Hold) -> None:
        hold._due = clock() + hold._leased.pause()
        self._all.add(hold)
        self._named.setdefault(hold.id, set()).add(hold)

    def discard(self, hold: Hold) -> None:
        if hold not in self._all:
            return
        self._all.remove(hold)
        named = self._named[hold.id]
        named.remove(hold)
        if not named:
            del self._named[hold.id]

    def of(self, id: Optional[ID]) -> Sequence[Hold]:
        """Those of one mutex."""
        return list(self._named.get(id, ())) if id is not None else []

    def clear(self) -> list[Hold]:
        """Empties it and returns what was in it."""
        every = list(self._all)
        self._all.clear()
        self._named.clear()
        return every

    def refresh_now(self) -> None:
        """Makes all of them due."""
        for hold in self._all:
            hold._due = 0.0

    def batch(self) -> list[Hold]:
        """Some of one owner that are to be refreshed now by one call. What is
        due soon goes along, so that holds of one client come to beat together."""
        now = clock()
        ready = sorted((hold for hold in self._all if not hold._refreshing), key=lambda hold: hold._due)
        if not ready or ready[0]._due > now:
            return []
        first = ready[0]
        found: dict[ID, Hold] = {}
        for hold in [first] if first._alone else ready:
            soon = hold is first or hold._due - now <= hold._leased.length / 6
            if soon and hold._owner == first._owner and not (hold._alone and hold is not first):
                found.setdefault(hold.id, hold)
            if len(found) == _BATCH:
                break
        for hold in found.values():
            hold._refreshing = True
        return list(found.values())

    def patience(self, batch: Sequence[Hold]) -> float:
        """Seconds that refreshing some may take: a try that hangs leaves time for
        others before the deadline, and for telling of those that end meanwhile."""
        ends = [hold._leased.deadline for hold in self._all]
        left = min((end for end in ends if end is not None), default=float("inf")) - clock()
        return max(min(left, *(hold._leased.length / 4 for hold in batch)), 0.01)

    def pause(self) -> float:
        """Seconds until there may be something to do."""
        next = [hold._due for hold in self._all if not hold._refreshing]
        next += [end for end in (hold._leased.deadline for hold in self._all) if end is not None]
        return max(min(min(next, default=float("inf")) - clock(), _NAP), 0.0)

    def lapsed(self) -> list[Loss]:
        """Those whose deadline has passed."""
        over = [(hold, hold._leased.lapsed()) for hold in self._all]
        return self._over((hold, lost) for hold, lost in over if lost is not None)

    def answered(self, batch: Sequence[Hold], results: Sequence[Result], sent: float) -> list[Loss]:
        """Books the answer to a call that went out at ``sent``."""
        losses: list[Loss] = []
        for hold, (mutex, err) in zip(batch, results):
            if mutex is not None:
                hold._leased.confirm(mutex, sent)
                hold._alone = False
            elif isinstance(err, Lost):
                losses.append((hold, err))
            elif err is not None:
                hold._leased.failed(err)
            self._next(hold)
        return self._over(losses)

    def failed(self, batch: Sequence[Hold], err: Exception) -> None:
        """Books a call that came to nothing."""
        for hold in batch:
            hold._leased.failed(err)
            hold._alone = not isinstance(err, _OF_THE_CALL)  # one must not take the others along
            self._next(hold)

    def _next(self, hold: Hold) -> None:
        hold._refreshing = False
        hold._due = clock() + hold._leased.pause()

    def _over(self, losses: Iterable[Loss]) -> list[Loss]:
        over = list(losses)
        for hold, _ in over:
            self.discard(hold)
        return over
