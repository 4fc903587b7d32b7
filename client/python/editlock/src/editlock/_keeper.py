"""The threads of a client that holds mutexes: one refreshes, one listens."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Optional

from . import _calls as calls
from ._feed import Feed
from ._holds import Hold, Holds, Loss, closing
from ._lease import clock
from ._watch import Watch
from .errors import Closed, Invalid, Limited, Unavailable
from .types import Entry

if TYPE_CHECKING:
    from ._exchange import Exchange

#: Seconds that the threads stay for the next hold.
_LINGER = 1.0
#: Seconds before a stream that was refused is tried again.
_REFUSED = 30.0


class Keeper:
    """Keeps all holds of a client, by two threads and one stream of events,
    which are there while something is held and a little longer."""

    def __init__(self, client: Exchange) -> None:
        self._client = client
        self._changed = threading.Condition()
        self._holds = Holds()
        self._feed = Feed()
        self._watch: Optional[Watch] = None
        self._shift: Optional[object] = None  # of the threads that are at work
        self._closed = False

    def add(self, hold: Hold) -> None:
        """Keeps a hold, which may be told of its loss at once."""
        with self._changed:
            if self._closed:
                raise Closed
            self._holds.add(hold)
            if self._shift is None:
                self._start(hold)
            lost = self._feed.add(hold)
            if not self._feed.covers(hold) and self._watch is not None:
                self._watch.close()  # the next one shows more
            if lost is not None:
                self._holds.discard(hold)
            self._changed.notify_all()
        if lost is not None:
            hold._lose(lost)

    def discard(self, hold: Hold) -> None:
        with self._changed:
            self._holds.discard(hold)

    def refresh(self, batch: list[Hold], status_data: str = "", within: Optional[float] = None) -> None:
        """Refreshes holds of one owner, and tells those that are lost."""
        sent = clock()
        call = calls.refresh([hold._item(status_data) for hold in batch], batch[0]._owner, False)
        call.background = within is not None
        try:
            results = self._client._run(call, within)
        except Exception as err:
            with self._changed:
                self._holds.failed(batch, err)
            raise
        with self._changed:
            losses = self._holds.answered(batch, results, sent)
        tell(losses)
        for _, failure in results if within is None else ():
            if failure is not None:
                raise failure

    def close(self) -> None:
        """Ends the threads; what is held is lost to this client."""
        with self._changed:
            self._closed = True
            holds = self._holds.clear()
            self._end()
        tell([(hold, closing(hold)) for hold in holds])

    def _start(self, hold: Hold) -> None:
        shift, self._feed = object(), Feed()
        self._shift = shift
        try:
            for name, work in (("keeper", self._keep), ("listener", self._listen)):
                threading.Thread(target=work, args=(shift,), name=f"editlock {name}", daemon=True).start()
        except RuntimeError:  # the interpreter ends, or there are too many threads
            self._shift = None
            self._holds.discard(hold)
            raise

    def _end(self) -> None:
        self._shift = None
        if self._watch is not None:
            self._watch.close()
        self._changed.notify_all()

    def _keep(self, shift: object) -> None:
        while True:
            with self._changed:
                if self._shift is not shift:
                    return
                if not self._holds:
                    if not self._changed.wait_for(lambda: self._shift is not shift or len(self._holds), _LINGER):
                        self._end()
                    continue
                losses = self._holds.lapsed()
                batch = self._holds.batch() if not losses else []
                within = self._holds.patience(batch) if batch else 0.0
                if not losses and not batch:
                    self._changed.wait(self._holds.pause())
            tell(losses)
            if batch:
                try:
                    self.refresh(batch, within=within)
                except Closed:
                    return
                except Exception:
                    continue  # booked; also what a credential function raises

    def _listen(self, shift: object) -> None:
        while True:
            watch = self._open(shift)
            if watch is None:
                return
            pause = 0.0
            try:
                with watch:
                    for event in watch:
                        self._hear(event, shift)
            except Closed:
                return
            except Exception as err:  # the refreshes find losses out meanwhile, only later
                pause = pause_after(err)
                if isinstance(err, Invalid):
                    with self._changed:
                        self._feed.lose_place()
            with self._changed:
                self._changed.wait_for(lambda: self._shift is not shift, pause)

    def _open(self, shift: object) -> Optional[Watch]:
        """The stream to listen to; None if there is nothing to do any more."""
        with self._changed:
            self._watch = None
            self._changed.wait_for(lambda: self._shift is not shift or len(self._holds))
            if self._shift is not shift:
                return None
            scope, after = self._feed.begin(self._holds)
            path = calls.events(None, False, scope.group, scope.mode, scope.session, after)
            self._watch = Watch(self._client, path, after, self._begun)
            return self._watch

    def _begun(self) -> None:
        with self._changed:
            if self._feed.begun():
                self._holds.refresh_now()
                self._changed.notify_all()

    def _hear(self, event: Entry, shift: object) -> None:
        with self._changed:
            losses = self._feed.heard(event, self._holds) if self._shift is shift else []
            for hold, _ in losses:
                self._holds.discard(hold)
            if event.kind == "gap":
                self._changed.notify_all()
        tell(losses)


def pause_after(err: Exception) -> float:
    """Seconds before another stream, after one that ended so."""
    if isinstance(err, Limited):
        return err.retry_after
    return random.uniform(1, 2) if isinstance(err, Unavailable) else _REFUSED


def tell(losses: list[Loss]) -> None:
    for hold, lost in losses:
        hold._lose(lost)
