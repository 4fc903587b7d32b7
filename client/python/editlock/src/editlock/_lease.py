"""How long what is held may be relied on, by the local clock."""

from __future__ import annotations

import random
import time
from typing import Callable, Optional

from ._forms import seconds
from .errors import Limited, Lost
from .types import DEFAULT_IDLE, Entry, Mutex

#: The part of a lease that is not used, for clocks that run at different speeds,
#: and the seconds at least, for a busy machine on which timers are late.
_SAFETY, _LEAST_SAFETY = 1 / 50, 0.1

#: The kinds of events that end the hold of the token that they name.
_OF_TOKEN = ("released", "expired", "force_released", "handed_over")
#: All that end a hold. The others begin another one: exclusive, it ends that of
#: each older token, else that of the token it replaces.
ENDINGS = (*_OF_TOKEN, "taken_over", "upgraded")


def _boottime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


#: Seconds of a clock that is never set; where there is one (on Linux), one
#: that goes on while the machine sleeps, as the store's does.
clock: Callable[[], float] = _boottime if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic


class Lease:
    """A mutex as last confirmed, and until when that is good."""

    def __init__(self, mutex: Mutex, sent: float) -> None:
        self._confirmed = mutex, sent  # of one answer, for threads that read it
        self.failures = 0
        self._error: Optional[Exception] = None  # of the last failure
        self._later = 0.0  # seconds that the server asks to leave it alone

    @property
    def mutex(self) -> Mutex:
        return self._confirmed[0]

    def failed(self, err: Exception) -> None:
        """Books a refresh that came to nothing."""
        self.failures += 1
        self._error = err
        self._later = err.retry_after if isinstance(err, Limited) else 0.0

    def confirm(self, mutex: Mutex, sent: float) -> None:
        """Books the answer to a call that went out at ``sent``."""
        self.failures, self._later, self._error = 0, 0.0, None
        if sent >= self._confirmed[1]:  # else an older answer that came later
            self._confirmed = mutex, sent

    @property
    def deadline(self) -> Optional[float]:
        """When, by clock(), the store might give the mutex to another; None: never by itself."""
        mutex, sent = self._confirmed
        left = mutex.expires_in
        return None if left is None else sent + left - max(left * _SAFETY, _LEAST_SAFETY)

    @property
    def length(self) -> float:
        """How long a refresh is good for."""
        lease, idle = self.mutex.expires_in, self.mutex.auto_release.idle
        if lease is None:
            return DEFAULT_IDLE  # a beat only to hear of a takeover
        return lease if idle is None else min(lease, seconds(idle))

    def pause(self) -> float:
        """How long to wait before the next refresh, at random so that many
        holders don't beat in step; never beyond the deadline."""
        usual = self.length / 3
        if self.failures:
            usual = min(self.length / 30, 0.05 * 2 ** min(self.failures, 20))
        usual *= random.uniform(0.9, 1.1)
        deadline = self.deadline
        if deadline is None:
            return max(usual, self._later)
        left = deadline - clock()
        # What the server asks for leaves time for another try.
        return max(min(max(usual, min(self._later, left / 2)), left), 0.0)

    def lapsed(self) -> Optional[Lost]:
        """The loss, if the deadline has passed."""
        deadline = self.deadline
        if deadline is None or clock() < deadline:
            return None
        mutex = self.mutex
        lost = Lost(
            f"the lock on {mutex.id} is lost: the store did not confirm a refresh in time",
            id=mutex.id,
            how="expired",
            by=mutex.owner,
            at=mutex.expires_at,
            reason="the store did not confirm a refresh in time",
        )
        lost.__cause__ = self._error
        return lost

    def ended_by(self, event: Entry) -> Optional[Lost]:
        """The loss, if that is what an event about the mutex tells of."""
        if event.kind not in ENDINGS or not self._meant(event):
            return None
        who = event.actor.label if event.actor is not None else "somebody"
        text = f"the lock on {self.mutex.id} is lost: {event.kind.replace('_', ' ')} by {who}"
        if event.reason:
            text += f" ({event.reason})"
        return Lost(text, id=self.mutex.id, how=event.kind, by=event.actor, at=event.at, reason=event.reason)

    def _meant(self, event: Entry) -> bool:
        held = self.mutex.token
        if event.kind in _OF_TOKEN:
            return event.token == held
        shared = event.sharing == "shared" or event.limit is not None
        return event.replaced == held if shared else event.token > held
