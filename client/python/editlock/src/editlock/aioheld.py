"""A mutex that keeps itself refreshed, for asyncio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, TypeVar

from ._calls import Call
from ._holds import Hold
from ._lease import Lease, clock
from .errors import EditlockError, Lost
from .owners import current_owner
from .types import Mutex, Owner

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


class AsyncHeld(Hold):
    """A mutex that is held within an ``async with`` block, and refreshed in
    the background at a third of its idle time.

    When it is lost, what runs in the block is cancelled and the block ends
    with Lost: at the latest before the store could give the mutex to another
    by itself, and at once, by event, after a takeover, forced release or
    hand-over. However often the task is cancelled, the mutex is released
    first. Fence writes with the token.

    All that a client holds is refreshed by one task, and another one listens
    to one stream of events.
    """

    def __init__(self, client: AsyncClient, owner: Optional[Owner], capture: Call[Mutex]) -> None:
        self._client = client
        self._owner = current_owner() if owner is None else owner
        self._capture = capture
        self._lost: Optional[Lost] = None
        self._cancelled = False
        self._detached = False
        self._body: Optional[asyncio.Task[None]] = None

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
                # Nobody knows how long ago the wait was granted: ask again.
                await self._client._keeper.refresh([self])
            self._body = asyncio.current_task()
            self._client._keeper.add(self)
        except BaseException:
            await to_its_end(self._free(quietly=True))
            raise
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
        await self._client._keeper.remove(self)
        if self._detached:
            return
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
    def lost(self) -> Optional[Lost]:
        """How the mutex was lost; None while it is held."""
        if self._lost is None and self._lease is not None and not self._detached:
            lapsed = self._lease.lapsed()
            if lapsed is not None:
                self._lose(lapsed)
        return self._lost

    async def refresh(self) -> Mutex:
        """Extends the hold now. Raises Lost if it is lost."""
        await self._refresh("")
        return self.mutex

    async def set_status_data(self, text: str) -> None:
        """Replaces the status data (progress, for example), which also refreshes."""
        await self._refresh(text)

    def detach(self) -> Mutex:
        """Ends the hold without a call, and returns the mutex as last confirmed.

        The server keeps it until it expires, or until it is released by its
        token. Nothing refreshes it any more, a loss cancels nothing, and the
        end of the block releases nothing.
        """
        mutex = self.mutex
        self._detached = True
        self._client._keeper.discard(self)
        return mutex

    async def _refresh(self, text: str) -> None:
        self.check()
        await self._client._keeper.refresh([self], text)

    def _lose(self, lost: Lost) -> None:
        if self._lost is not None or self._detached:
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
