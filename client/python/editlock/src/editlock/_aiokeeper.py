"""The tasks of a client for asyncio that holds mutexes: one refreshes, one listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Optional

from . import _calls as calls
from ._feed import Feed
from ._holds import Hold, Holds, closing
from ._keeper import pause_after, tell
from ._lease import clock
from .errors import Closed, Invalid
from .types import Entry

if TYPE_CHECKING:
    from ._aioexchange import AsyncExchange

Task = asyncio.Task[None]


class AsyncKeeper:
    """Keeps all holds of a client, by two tasks and one stream of events, which
    are there while something is held. A call that refreshes is a task, too, so
    that a deadline waits for none."""

    def __init__(self, client: AsyncExchange) -> None:
        self._client = client
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._holds = Holds()
        self._feed = Feed()
        self._tasks: set[Task] = set()
        self._listener: Optional[Task] = None
        self._nap: Optional[asyncio.Future[None]] = None

    def add(self, hold: Hold) -> None:
        """Keeps a hold, which may be told of its loss at once."""
        if self._closed:
            raise Closed
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            self._begin()  # tasks of another loop run no more
        self._holds.add(hold)
        lost = self._feed.add(hold)
        if not self._tasks:
            self._start(self._keep(self._holds))
        if self._listener is None or self._listener.done() or not self._feed.covers(hold):
            self._listen_on()
        self._wake()
        if lost is not None:
            self._holds.discard(hold)
            hold._lose(lost)

    def discard(self, hold: Hold) -> None:
        self._holds.discard(hold)

    async def remove(self, hold: Hold) -> None:
        """Drops a hold. With the last one all tasks end, and have ended then."""
        self._holds.discard(hold)
        if not self._holds and self._loop is asyncio.get_running_loop():
            tasks = self._tasks
            self._begin()
            await end(tasks)

    async def refresh(self, batch: list[Hold], status_data: str = "", within: Optional[float] = None) -> None:
        """Refreshes holds of one owner, and tells those that are lost."""
        holds, sent = self._holds, clock()
        call = calls.refresh([hold._item(status_data) for hold in batch], batch[0]._owner, False)
        call.background = within is not None
        try:
            results = await self._client._run(call, within)
        except Exception as err:
            holds.failed(batch, err)
            raise
        tell(holds.answered(batch, results, sent))
        for _, failure in results if within is None else ():
            if failure is not None:
                raise failure

    async def close(self) -> None:
        """Ends the tasks; what is held is lost to this client."""
        self._closed = True
        tasks, holds = self._tasks, self._holds.clear()
        self._begin()
        if self._loop is not asyncio.get_running_loop():
            return  # tasks of another loop run no more
        for task in tasks:
            task.cancel()
        tell([(hold, closing(hold)) for hold in holds])
        await end(tasks)

    def _start(self, work: Coroutine[Any, Any, None]) -> Task:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _wake(self) -> None:
        if self._nap is not None and not self._nap.done():
            self._nap.set_result(None)

    async def _keep(self, holds: Holds) -> None:
        while self._holds is holds:
            losses = holds.lapsed()
            tell(losses)
            while batch := holds.batch():
                self._start(self._refresh(batch, holds.patience(batch)))
            self._nap = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._nap], timeout=holds.pause())

    async def _refresh(self, batch: list[Hold], patience: float) -> None:
        with contextlib.suppress(Exception):  # booked; also what a credential function raises
            await self.refresh(batch, within=patience)
        self._wake()

    def _listen_on(self) -> None:
        """Listens to a stream that shows all holds."""
        if self._listener is not None:
            self._listener.cancel()
        self._listener = self._start(self._listen(self._feed))

    async def _listen(self, feed: Feed) -> None:
        me = asyncio.current_task()
        while self._listener is me and self._holds:
            scope, after = feed.begin(self._holds)
            path = calls.events(None, False, scope.group, scope.mode, scope.session, after)
            pause = 0.0
            try:
                async for event in self._client._follow(path, after, self._begun):
                    if self._listener is me:
                        self._hear(event)
            except Closed:
                return
            except Exception as err:  # the refreshes find losses out meanwhile, only later
                pause = pause_after(err)
                if isinstance(err, Invalid):
                    feed.lose_place()
            await asyncio.sleep(pause)

    def _begun(self) -> None:
        if self._feed.begun():
            self._holds.refresh_now()
            self._wake()

    def _hear(self, event: Entry) -> None:
        losses = self._feed.heard(event, self._holds)
        for hold, _ in losses:
            self._holds.discard(hold)
        tell(losses)
        if event.kind == "gap":
            self._wake()


async def end(tasks: set[Task]) -> None:
    """Cancels tasks and waits for them. A credential function of the caller's may lose
    a cancellation, as wait_for does before Python 3.12: it is repeated."""
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=0.1)
