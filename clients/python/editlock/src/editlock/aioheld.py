"""A mutex that keeps itself refreshed, for asyncio."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Optional

from ._calls import Call
from ._calls import refresh as refresh_call
from ._lease import Lease, clock
from .errors import EditlockError, Lost
from .owners import current_owner
from .types import ID, Mutex, Owner, RefreshItem

if TYPE_CHECKING:
    from .aio import AsyncClient


class AsyncHeld:
    """A mutex that is held within an ``async with`` block, and refreshed in
    the background at a third of its idle time.

    When it is lost, what runs in the block is cancelled and the block ends
    with Lost: at the latest before the store could give the mutex to another
    by itself, and at once, by event, after a takeover, forced release or
    hand-over. Fence writes with the token.
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
        mutex = await self._client._run(self._capture)
        self._lease = Lease(mutex, sent)
        try:
            if self._capture.wait:
                # Nobody knows how long ago the wait was granted: ask anew.
                await self._refresh("", None)
        except BaseException:
            await self._free(quietly=True)
            raise
        self._body = asyncio.current_task()
        self._work = [asyncio.ensure_future(work) for work in (self._keep(), self._listen(), self._expire())]
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._body = None  # from here on a loss cancels nothing
        # A credential function of the caller's may lose a cancellation, as
        # wait_for does before Python 3.12: it is repeated.
        while [task for task in self._work if not task.done()]:
            for task in self._work:
                task.cancel()
            await asyncio.wait(self._work, timeout=0.1)
        await asyncio.gather(*self._work, return_exceptions=True)
        lost = self._lost
        if lost is None or lost.how == "expired":
            # After a lapse the store may hold it still, if only answers were lost.
            await self._free(quietly=lost is not None or err is not None)
        if lost is None:
            return
        if self._cancelled and isinstance(err, asyncio.CancelledError):
            task_now = asyncio.current_task()
            if sys.version_info >= (3, 11) and task_now is not None and task_now.uncancel() > 0:
                return  # somebody else cancels the task too, which comes first
            raise lost from None
        if err is None:
            raise lost

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
            await self._client.release(self.id, owner=self._owner, if_token=self.token)
        except EditlockError:
            if not quietly:
                raise

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
