"""A mutex that keeps itself refreshed, for asyncio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ._calls import Call
from ._calls import refresh as refresh_call
from ._lease import Lease, clock
from .errors import EditlockError, Lost
from .owners import current_owner
from .types import ID, Mutex, Owner, RefreshItem

if TYPE_CHECKING:
    from .aio import AsyncClient

T = TypeVar("T")

#: Seconds for finding out what became of a capture that was cancelled.
_UNDO_WITHIN = 3.0


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Awaits work that must not be left half done: it goes on through any
    number of cancellations of its caller, who is cancelled when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: Optional[asyncio.CancelledError] = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as err:
            cancelled = err
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # which the cancellation comes before
        raise cancelled
    return task.result()


class AsyncHeld:
    """A mutex that is held within an ``async with`` block, and refreshed in
    the background at a third of its idle time.

    When it is lost, what runs in the block is cancelled and the block ends
    with Lost: at the latest before the store could give the mutex to another
    by itself, and at once, by event, after a takeover, forced release or
    hand-over. However often the task is cancelled, the mutex is released
    first. Fence writes with the token.
    """

    def __init__(self, client: AsyncClient, owner: Optional[Owner], capture: Call[Mutex]) -> None:
        self._client = client
        self._owner = current_owner() if owner is None else owner
        self._capture = capture
        self._lease: Optional[Lease] = None
        self._lost: Optional[Lost] = None
        self._cancelled = False
        self._body: Optional[asyncio.Task[None]] = None
        self._work: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> AsyncHeld:
        sent = clock()
        try:
            mutex = await self._client._run(self._capture)
        except asyncio.CancelledError:
            await to_its_end(self._undo())
            raise
        self._lease = Lease(mutex, sent)
        try:
            if self._capture.wait:
                # Nobody knows how long ago the wait was granted: ask anew.
                await self._refresh("", None)
        except BaseException:
            await to_its_end(self._free(quietly=True))
            raise
        self._body = asyncio.current_task()
        self._work = [asyncio.ensure_future(work) for work in (self._keep(), self._listen(), self._expire())]
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._body = None  # from here on a loss cancels nothing
        try:
            await to_its_end(self._leave(quietly=err is not None))
        except asyncio.CancelledError:
            self._uncancel()
            raise
        lost = self._lost
        if lost is None:
            return
        if self._cancelled and isinstance(err, asyncio.CancelledError):
            if self._uncancel() > 0:
                return  # somebody else cancels the task too, which comes first
            raise lost from None
        if err is None:
            raise lost

    def _uncancel(self) -> int:
        """Takes back the cancellation that a loss was told by, and says how many are left."""
        task = asyncio.current_task()
        if sys.version_info < (3, 11) or task is None or not self._cancelled:
            return 0
        return task.uncancel()

    async def _leave(self, quietly: bool) -> None:
        """Ends the work in the background and frees the mutex."""
        # A credential function of the caller's may lose a cancellation, as
        # wait_for does before Python 3.12: it is repeated.
        while [task for task in self._work if not task.done()]:
            for task in self._work:
                task.cancel()
            await asyncio.wait(self._work, timeout=0.1)
        await asyncio.gather(*self._work, return_exceptions=True)
        if self._lost is None or self._lost.how == "expired":
            # After a lapse the store may hold it still, if only answers were lost.
            await self._free(quietly=self._lost is not None or quietly)

    async def _undo(self) -> None:
        """Frees what a capture got whose caller was cancelled before the answer. Asked
        again, it is the same capture, and no longer waits."""
        self._capture.shorten(0.0)
        try:
            self._lease = Lease(await self._client._run(self._capture, _UNDO_WITHIN), clock())
        except EditlockError:
            return  # it got nothing
        await self._free(quietly=True)

    @property
    def mutex(self) -> Mutex:
        """The mutex as last confirmed, with who waits for it."""
        assert self._lease is not None, "the mutex is held within the async with block only"
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
        if self._lost is None and self._lease is not None:
            lapsed = self._lease.lapsed()
            if lapsed is not None:
                self._lose(lapsed)
        return self._lost

    def check(self) -> None:
        """Raises Lost if the mutex is lost: to be called before what must not happen then."""
        lost = self.lost
        if lost is not None:
            raise lost

    async def set_status_data(self, text: str) -> None:
        """Replaces the status data (progress, for example), which also refreshes."""
        await self._refresh(text, None)

    def _lose(self, lost: Lost) -> None:
        if self._lost is not None:
            return
        self._lost = lost
        if self._body is not None:
            self._cancelled = True
            self._body.cancel()

    async def _free(self, quietly: bool) -> None:
        try:
            if not await self._client.release(self.id, owner=self._owner, if_token=self.token) and not quietly:
                await self._claim()
        except Lost as lost:
            if not quietly:
                self._lost = lost
        except EditlockError:
            if not quietly:
                raise

    async def _claim(self) -> None:
        """Raises Lost, with what is known of it, for a mutex that was not released."""
        await self._client.capture(self.id, owner=self._owner, if_token=self.token)
        # Nobody has taken it, so there is something to release after all.
        await self._client.release(self.id, owner=self._owner, if_token=self.token)

    async def _refresh(self, text: str, within: Optional[float]) -> None:
        assert self._lease is not None
        sent = clock()
        item = RefreshItem(self.id, self.token, status_data=text)
        (mutex, err), *_ = await self._client._run(refresh_call([item], self._owner, False), within)
        if mutex is not None:
            self._lease.confirm(mutex, sent)
            return
        assert err is not None
        if isinstance(err, Lost):
            self._lose(err)
        raise err

    async def _keep(self) -> None:
        assert self._lease is not None
        while self._lost is None:
            await asyncio.sleep(self._lease.pause())
            try:
                # A try that hangs leaves time for others before the deadline.
                await self._refresh("", self._lease.length / 4)
            except Lost:
                return
            except EditlockError as err:
                self._lease.failed(err)

    async def _expire(self) -> None:
        """Ends the hold at its deadline, whatever the refreshes do."""
        assert self._lease is not None
        while self.lost is None:
            deadline = self._lease.deadline
            # At most a second: the event loop's clock may stop while the machine sleeps.
            await asyncio.sleep(1.0 if deadline is None else min(max(deadline - clock(), 0.0), 1.0))

    async def _listen(self) -> None:
        assert self._lease is not None
        after: Optional[int] = None
        while True:
            try:
                if after is None:
                    # What happened since the capture, before there was a watch.
                    entries = (await self._client.history(self.id)).entries
                    lost = self._lease.ended_in(entries)
                    if lost is not None:
                        self._lose(lost)
                        return
                    after = entries[0].seq if entries else None
                async for event in self._client.watch(self.id, after=after):
                    after = event.seq
                    lost = self._lease.ended_by(event)
                    if lost is not None:
                        self._lose(lost)
                        return
            except EditlockError:
                # The refreshes find it out, only later; try again with them.
                await asyncio.sleep(self._lease.length / 3)
