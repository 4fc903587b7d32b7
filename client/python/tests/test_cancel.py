"""What is cancelled ends, whatever else happens in that turn of the event loop.

asyncio.wait_for loses a cancellation before Python 3.12 when what it waits
for is done in the very turn of the loop that cancels.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, Callable, Optional, TypeVar

import pytest

from editlock import ID, NEVER, AsyncClient, Owner, State
from editlock._streams import AsyncConnection, within
from editlock.credential import Kept
from servers import Server

T = TypeVar("T")

#: Is given what was read.
Hook = Callable[[object], object]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs to the end of the work, which must come: what hangs can't be cancelled here."""

    async def limited() -> T:
        done, _ = await asyncio.wait([asyncio.ensure_future(work)], timeout=20)
        assert done, "it hangs"
        return done.pop().result()

    return asyncio.run(limited())


@pytest.fixture
def after_each_read(monkeypatch: pytest.MonkeyPatch) -> Callable[[Hook], None]:
    """Calls a function with what was read, in the turn of the loop in which reading is done."""
    read = AsyncConnection.read

    def install(hook: Hook) -> None:
        async def reading(connection: AsyncConnection, reader: Any) -> Any:
            answer = await read(connection, reader)
            hook(answer)
            return answer

        monkeypatch.setattr(AsyncConnection, "read", reading)

    return install


async def cancelled(work: Awaitable[object]) -> bool:
    """Whether work that is cancelled by now ends so."""
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=10)
    return task.cancelled()


def test_a_call_is_cancelled_as_its_answer_comes(
    server: Server, invoice: ID, after_each_read: Callable[[Hook], None]
) -> None:
    async def work() -> bool:
        async with AsyncClient(server.url) as client:
            call = asyncio.ensure_future(client.request(invoice))
            after_each_read(lambda answer: isinstance(answer, bytes) and call.cancel())
            return await cancelled(call)

    assert run(work())


def test_a_watch_is_cancelled_as_an_event_comes(
    server: Server, invoice: ID, ivan: Owner, after_each_read: Callable[[Hook], None]
) -> None:
    async def work() -> bool:
        async with AsyncClient(server.url) as client:
            await client.capture(invoice, owner=ivan)

            async def watch() -> None:
                async for _ in client.watch(invoice, after=0):
                    pass

            watching = asyncio.ensure_future(watch())
            after_each_read(lambda answer: isinstance(answer, bytes) and b"data:" in answer and watching.cancel())
            return await cancelled(watching)

    assert run(work())


def test_a_hold_ends_as_its_watch_begins(
    server: Server, invoice: ID, ivan: Owner, after_each_read: Callable[[Hook], None]
) -> None:
    async def work() -> State:
        asked = asyncio.Event()
        async with AsyncClient(server.url) as client:
            async with client.hold(invoice, owner=ivan, auto_release=NEVER):
                # The first that is read now is the history; the end of the
                # block then cancels in the turn of the loop that has it.
                after_each_read(lambda answer: asked.set() if isinstance(answer, bytes) else None)
                await asked.wait()
            return (await client.request(invoice, owner=ivan))[0]

    assert run(work()) is State.FREE


def test_a_hold_ends_though_a_credential_loses_a_cancellation(
    server: Server, invoice: ID, ivan: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function that says it is the caller's, who may use wait_for."""

    async def work() -> tuple[int, State]:
        asked, lost = asyncio.Event(), 0
        body = asyncio.current_task()

        async def losing(kept: Kept, old: str = "") -> str:
            nonlocal lost
            if asyncio.current_task() is not body and not asked.is_set():
                asked.set()
                try:
                    await asyncio.sleep(3600)  # until the end of the block cancels it
                except asyncio.CancelledError:
                    lost += 1
            return ""

        monkeypatch.setattr(Kept, "get_async", losing)
        async with AsyncClient(server.url) as client:
            async with client.hold(invoice, owner=ivan, auto_release=NEVER):
                await asked.wait()
            return lost, (await client.request(invoice, owner=ivan))[0]

    assert run(work()) == (1, State.FREE)


def test_a_time_that_is_up_ends_the_work() -> None:
    async def work() -> bool:
        ended = asyncio.Event()

        async def slow() -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.set()

        with pytest.raises(asyncio.TimeoutError):
            await within(slow(), 0.01)
        return ended.is_set()

    assert run(work())


def test_a_connection_that_comes_with_the_cancellation_is_not_left_open(server: Server) -> None:
    made: list[AsyncConnection] = []

    async def work() -> bool:
        async def connect() -> AsyncConnection:
            connection = await AsyncConnection.open(AsyncClient(server.url)._address, None)
            made.append(connection)
            asyncio.get_running_loop().call_soon(waiting.cancel)
            return connection

        async def use() -> None:
            (await within(connect(), 10)).close()

        waiting = asyncio.ensure_future(use())
        await asyncio.wait([waiting])
        return made[0].cut

    assert run(work())


async def cancel_until_done(task: asyncio.Task[Any]) -> None:
    """Cancels in every turn of the event loop, for as long as the task runs."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


def test_a_hold_is_released_however_often_it_is_cancelled(server: Server, invoice: ID, ivan: Owner) -> None:
    async def work() -> tuple[bool, State]:
        begun = asyncio.Event()

        async def hold() -> None:
            async with client.hold(invoice, owner=ivan, auto_release=NEVER):
                begun.set()
                await asyncio.sleep(3600)

        async with AsyncClient(server.url) as client:
            holding = asyncio.ensure_future(hold())
            await begun.wait()
            await cancel_until_done(holding)
            return holding.cancelled(), (await client.request(invoice, owner=ivan))[0]

    assert run(work()) == (True, State.FREE)


@pytest.mark.parametrize("wait", [None, 30.0])
def test_a_hold_is_released_though_cancelled_as_it_begins(
    server: Server, invoice: ID, ivan: Owner, wait: Optional[float], after_each_read: Callable[[Hook], None]
) -> None:
    """The server has captured it, and nobody reads the answer."""

    async def work() -> tuple[bool, State]:
        async def hold() -> None:
            async with client.hold(invoice, owner=ivan, auto_release=NEVER, wait=wait):
                pass

        async with AsyncClient(server.url) as client:
            holding = asyncio.ensure_future(hold())
            answered = asyncio.Event()
            after_each_read(lambda answer: answered.set() if isinstance(answer, bytes) else holding.cancel())
            await answered.wait()
            await cancel_until_done(holding)
            return holding.cancelled(), (await client.request(invoice, owner=ivan))[0]

    assert run(work()) == (True, State.FREE)


def test_a_cancelled_wait_leaves_nothing_behind(server: Server, invoice: ID, ivan: Owner, olga: Owner) -> None:
    async def work() -> tuple[bool, State]:
        async def hold() -> None:
            async with client.hold(invoice, owner=ivan, auto_release=NEVER, wait=30):
                pass

        async with AsyncClient(server.url) as client:
            theirs = await client.capture(invoice, owner=olga)
            waiting = asyncio.ensure_future(hold())
            while (await client.request(invoice))[1].waiting == 0:  # type: ignore[union-attr]
                await asyncio.sleep(0.01)
            await client.release(invoice, owner=olga, if_token=theirs.token)
            await cancel_until_done(waiting)
            return waiting.cancelled(), (await client.request(invoice, owner=ivan))[0]

    assert run(work()) == (True, State.FREE)
