"""A mutex that keeps itself refreshed, for programs that block."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Optional

from ._calls import refresh as refresh_call
from ._lease import Lease, clock
from .errors import EditlockError, Lost
from .types import ID, Mutex, Owner, RefreshItem

if TYPE_CHECKING:
    from ._watch import Watch
    from .client import Client


class Held:
    """A mutex that is held, and refreshed in the background at a third of its
    idle time, until release or the end of a ``with`` block.

    A loss is told by ``lost``, by ``check``, by ``wait_lost``, by ``on_loss``
    (called once, in another thread) and, at the end of the block, by a raised
    Lost. Whether the store confirmed the mutex in time is judged by a clock
    that is never set, counted from before the last refresh was sent: ``lost``
    is there before the store could give the mutex to another by itself. A
    takeover, forced release or hand-over is told by event at once, or else
    with the next refresh. Fence writes with the token.
    """

    def __init__(
        self, client: Client, owner: Owner, mutex: Mutex, sent: float, on_loss: Optional[Callable[[Lost], None]]
    ) -> None:
        self._client = client
        self._owner = owner
        self._lease = Lease(mutex, sent)
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._lost: Optional[Lost] = None
        self._ended = threading.Event()  # released or lost
        self._was_lost = threading.Event()
        self._released = False
        self._watch: Optional[Watch] = None
        for work in (self._keep, self._listen):
            threading.Thread(target=work, name=f"editlock {mutex.id}", daemon=True).start()

    @property
    def mutex(self) -> Mutex:
        """The mutex as last confirmed, with who waits for it."""
        return self._lease.mutex

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
        if self._lost is None and not self._released:
            lapsed = self._lease.lapsed()
            if lapsed is not None:
                self._lose(lapsed)
        return self._lost

    def check(self) -> None:
        """Raises Lost if the mutex is lost: to be called before what must not happen then."""
        lost = self.lost
        if lost is not None:
            raise lost

    def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits for a loss, up to so many seconds; False if there was none."""
        return self._was_lost.wait(timeout)

    def set_status_data(self, text: str) -> None:
        """Replaces the status data (progress, for example), which also refreshes."""
        self._refresh(text, None)

    def release(self) -> None:
        """Ends the hold and frees the mutex; may be called again. Raises Lost if it was lost before,
        which the server says where nobody else has said it yet."""
        lost = self.lost
        with self._lock:
            again, self._released = self._released, True
        self._end()
        if again:
            return
        if lost is None or lost.how == "expired":
            # After a lapse the store may hold it still, if only answers were lost.
            try:
                if not self._client.release(self.id, owner=self._owner, if_token=self.token):
                    self._claim()
            except EditlockError as err:
                if lost is None:
                    if isinstance(err, Lost):
                        self._lost = err
                    raise
        if lost is not None:
            raise lost

    def _claim(self) -> None:
        """Raises Lost, with what is known of it, for a mutex that was not released."""
        self._client.capture(self.id, owner=self._owner, if_token=self.token)
        # Nobody has taken it, so there is something to release after all.
        self._client.release(self.id, owner=self._owner, if_token=self.token)

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        try:
            self.release()
        except EditlockError:
            if err is None:
                raise

    def _end(self) -> None:
        self._ended.set()
        watch = self._watch
        if watch is not None:
            watch.close()

    def _lose(self, lost: Lost) -> None:
        with self._lock:
            if self._lost is not None or self._released:
                return
            self._lost = lost
        self._was_lost.set()
        self._end()
        if self._on_loss is not None:
            threading.Thread(target=self._on_loss, args=(lost,), name=f"editlock loss of {self.id}").start()

    def _refresh(self, text: str, within: Optional[float]) -> None:
        sent = clock()
        item = RefreshItem(self.id, self.token, status_data=text)
        (mutex, err), *_ = self._client._run(refresh_call([item], self._owner, False), within)
        if mutex is not None:
            with self._lock:
                self._lease.confirm(mutex, sent)
            return
        assert err is not None
        if isinstance(err, Lost):
            self._lose(err)
        raise err

    def _keep(self) -> None:
        while not self._ended.wait(self._lease.pause()):
            if self.lost is not None:
                return
            try:
                # A try that hangs leaves time for others before the deadline.
                self._refresh("", self._lease.length / 4)
            except Lost:
                return
            except EditlockError as err:
                self._lease.failed(err)

    def _listen(self) -> None:
        after: Optional[int] = None
        while not self._ended.is_set():
            try:
                if after is None:
                    # What happened since the capture, before there was a watch.
                    entries = self._client.history(self.id).entries
                    lost = self._lease.ended_in(entries)
                    if lost is not None:
                        self._lose(lost)
                        return
                    after = entries[0].seq if entries else None
                with self._client.watch(self.id, after=after) as watch:
                    self._watch = watch
                    for event in watch if not self._ended.is_set() else ():
                        after = event.seq
                        lost = self._lease.ended_by(event)
                        if lost is not None:
                            self._lose(lost)
                            return
            except EditlockError:
                # The refreshes find it out, only later; try again with them.
                self._ended.wait(self._lease.length / 3)
