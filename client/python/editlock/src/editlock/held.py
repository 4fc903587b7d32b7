"""A mutex that keeps itself refreshed, for programs that block."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Callable, Optional

from . import _calls as calls
from ._holds import Hold
from ._lease import Lease, clock
from .errors import EditlockError, Lost
from .types import Mutex, Owner

if TYPE_CHECKING:
    from .client import Client


class Held(Hold):
    """A mutex that is held, and refreshed in the background at a third of its
    idle time, until release, detach or the end of a ``with`` block.

    A loss is told by ``lost``, by ``check``, by ``wait_lost``, by ``on_loss``
    (called once, in another thread) and, at the end of the block, by a raised
    Lost. Whether the store confirmed the mutex in time is judged by a clock
    that is never set, counted from before the last refresh was sent: ``lost``
    is there before the store could give the mutex to another by itself. A
    takeover, forced release or hand-over is told by event at once, or else
    with the next refresh. Fence writes with the token.

    All that a client holds is refreshed by one thread, and another one
    listens to one stream of events. A hold is its process's: in a child that
    was forked while it lasted, it is lost, and its end frees nothing.
    """

    def __init__(
        self, client: Client, owner: Owner, mutex: Mutex, sent: float, on_loss: Optional[Callable[[Lost], None]]
    ) -> None:
        self._client = client
        self._keeper = client._keeper
        self._owner = owner
        self._lease = Lease(mutex, sent)
        self._on_loss = on_loss
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._lost: Optional[Lost] = None
        self._ended = threading.Event()  # released, detached or lost
        self._kept = True  # until release or detach
        self._leaving = threading.Lock()
        self._left = False  # nothing is to be released any more
        self._releasing: Optional[calls.Call[bool]] = None  # sent again, it is the same release
        self._keeper.add(self)

    @property
    def lost(self) -> Optional[Lost]:
        """How the mutex was lost; None while it is held."""
        if self._pid != os.getpid():
            why = "it is held by the process that this one was forked from"
            return Lost(f"the lock on {self.id} is lost: {why}", id=self.id, by=self.mutex.owner, reason=why)
        if self._lost is None and not self._left:
            lapsed = self._leased.lapsed()
            if lapsed is not None:
                self._lose(lapsed)
        return self._lost

    def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits for a loss, up to so many seconds; False if there was none, or the hold was ended."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.lost is None and self._kept:
            deadline = self._leased.deadline
            # At most a second: a sleep may stop while the machine sleeps.
            pause = 1.0 if deadline is None else min(max(deadline - clock(), 0.0), 1.0)
            if end is not None:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                pause = min(pause, left)
            self._ended.wait(pause)
        return self.lost is not None

    def refresh(self) -> Mutex:
        """Extends the hold now. Raises Lost if it is lost."""
        self._refresh("")
        return self.mutex

    def set_status_data(self, text: str) -> None:
        """Replaces the status data (progress, for example), which also refreshes."""
        self._refresh(text)

    def detach(self) -> Mutex:
        """Ends the hold without a call, and returns the mutex as last confirmed.

        The server keeps it until it expires, or until it is released by its
        token. Nothing refreshes it any more; release, and the end of a
        ``with`` block, then do nothing.
        """
        if self._pid == os.getpid():
            self._leave()
            self._left = True
        return self.mutex

    def release(self) -> None:
        """Ends the hold and frees the mutex; may be called again, also after an error. Raises Lost if it was
        lost before, which the server says where nobody else has said it yet."""
        if self._pid != os.getpid():
            return
        lost = self.lost
        self._leave()
        with self._leaving:
            if self._left:
                return
            if lost is None or lost.how == "expired":
                # After a lapse the store may hold it still, if only answers were lost.
                if self._releasing is None:
                    self._releasing = calls.release(self.id, self._owner, None, self.token, None)
                try:
                    if not self._client._run(self._releasing):
                        self._claim()
                except EditlockError as err:
                    if lost is None:
                        if isinstance(err, Lost):
                            self._lost, self._left = err, True
                        raise
            self._left = True
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

    def _refresh(self, text: str) -> None:
        self.check()
        self._keeper.refresh([self], text)

    def _leave(self) -> None:
        """Ends what goes on in the background."""
        with self._lock:
            self._kept = False
        self._keeper.discard(self)
        self._ended.set()

    def _lose(self, lost: Lost) -> None:
        with self._lock:
            if self._lost is not None or not self._kept:
                return
            self._lost = lost
        self._keeper.discard(self)
        self._ended.set()
        if self._on_loss is not None:
            with contextlib.suppress(RuntimeError):  # the interpreter ends
                name = f"editlock loss of {self.id}"
                threading.Thread(target=self._on_loss, args=(lost,), name=name, daemon=True).start()
