"""What the end of a client does to what goes on; pings; releases of very holds."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from both import Blocking
from editlock import ID, AsyncClient, AutoRelease, Client, Closed, Owner, State, Unavailable
from servers import Server


def ended(work: Callable[[], object], end: Callable[[], object], ready: Callable[[], bool]) -> tuple[Exception, float]:
    """What work in another thread raises once it is ready and ended, and how many seconds after."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as err:
            raised.append(err)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    begin = time.monotonic()
    end()
    thread.join(20)
    assert not thread.is_alive(), "it goes on"
    return raised[0], time.monotonic() - begin


def close_async(client: Blocking) -> None:
    client.wait(client.client.close())


def test_close_ends_a_wait_and_leaves_the_queue(client: Client, server: Server, ivan: Owner, invoice: ID) -> None:
    boss = Owner(session=f"boss {invoice.group}")
    with Client(server.url) as other:
        theirs = other.capture(invoice, owner=boss)

        def waiting() -> bool:
            found = other.request(invoice)[1]
            return found is not None and found.waiting == 1

        end = (lambda: close_async(client)) if isinstance(client, Blocking) else client.close
        err, took = ended(lambda: client.capture(invoice, owner=ivan, wait=60), end, waiting)
        assert isinstance(err, Closed)
        assert str(err) == "the client is closed"
        assert took < 1.5
        assert not waiting(), "the place in the queue is kept"
        other.release(invoice, owner=boss, if_token=theirs.token)
        assert other.request(invoice)[0] is State.FREE
    with pytest.raises(Closed):
        client.request(invoice)
    client.close()
    client.close()


@pytest.mark.parametrize("kind", [Client, Blocking])
def test_close_ends_the_pauses_between_tries(kind: Callable[..., Client], own_server: Server) -> None:
    client = kind(own_server.url, timeout=60)
    client.request(ID("1"))
    own_server.kill()
    begun = time.monotonic()
    end = (lambda: close_async(client)) if isinstance(client, Blocking) else client.close
    err, took = ended(lambda: client.request(ID("1")), end, lambda: time.monotonic() > begun + 1)
    assert isinstance(err, Closed)
    assert took < 1
    client.close()


def test_close_ends_a_watch(client: Client, ivan: Owner, invoice: ID) -> None:
    seen = threading.Event()

    def watch() -> None:
        if isinstance(client, Blocking):

            async def follow() -> None:
                async for _ in client.client.watch(invoice):
                    seen.set()

            client.wait(follow())
        for _ in client.watch(invoice):
            seen.set()

    def ready() -> bool:  # the watch may begin only after some of these
        client.capture(invoice, owner=ivan)
        client.release(invoice, owner=ivan)
        return seen.is_set()

    end = (lambda: close_async(client)) if isinstance(client, Blocking) else client.close
    err, took = ended(watch, end, ready)
    assert isinstance(err, Closed)
    assert took < 1.5


def test_close_lets_short_calls_finish(own_server: Server, ivan: Owner) -> None:
    client = Client(own_server.url)
    client.request(ID("1"))
    own_server.pause()
    got: list[object] = []
    call = threading.Thread(target=lambda: got.append(client.capture(ID("1"), owner=ivan)))
    call.start()
    time.sleep(0.2)
    client.close()
    own_server.go_on()
    call.join(20)
    assert got, "its caller is not told of a capture that was made"


def test_many_waits_end_together(server: Server, ivan: Owner, name: str) -> None:
    with Client(server.url) as other:
        ids = [ID(str(n), group=name) for n in range(10)]
        other.capture_all(ids, owner=ivan)
        client = Client(server.url)
        raised: list[Exception] = []

        def work(n: int) -> None:
            try:
                client.capture(ids[n], owner=Owner(session=f"{name} {n}"), wait=60)
            except Exception as err:
                raised.append(err)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
        for thread in threads:
            thread.start()
        while sum(mutex.waiting for mutex in other.list(group=name).mutexes) < 10:
            time.sleep(0.01)
        client.close()
        for thread in threads:
            thread.join(20)
        assert [type(err) for err in raised] == [Closed] * 10
        assert sum(mutex.waiting for mutex in other.list(group=name).mutexes) == 0


def _close_in_child(client: Client, results: Any) -> None:
    client.close()
    results.put(True)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_that_closes_ends_nothing_of_its_parent(server: Server, ivan: Owner, invoice: ID) -> None:
    with Client(server.url) as client, Client(server.url) as other:
        boss = Owner(session=f"boss {invoice.group}")
        theirs = other.capture(invoice, owner=boss)
        got: list[int] = []
        wait = threading.Thread(target=lambda: got.append(client.capture(invoice, owner=ivan, wait=30).token))
        wait.start()
        while (seen := other.request(invoice)[1]) is None or not seen.waiting:
            time.sleep(0.01)
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        child = context.Process(target=_close_in_child, args=(client, results))
        child.start()
        assert results.get(timeout=30)
        child.join(20)
        other.release(invoice, owner=boss, if_token=theirs.token)
        wait.join(20)
        assert got


def test_ping_tells_whether_the_server_works(client: Client, own_server: Server) -> None:
    client.ping()
    kind = type(client)
    other = kind(own_server.url)
    other.ping()
    own_server.kill()
    begin = time.monotonic()
    with pytest.raises(Unavailable):
        other.ping(timeout=0.3)
    assert time.monotonic() - begin < 5
    other.close()


def test_release_all_ends_no_newer_hold(client: Client, invoice: ID, ivan: Owner, olga: Owner, name: str) -> None:
    first, second, third = (ID(n, group=name) for n in "123")
    old = client.capture_all([first, second, third], owner=ivan)
    client.release(first, owner=ivan)
    newer = client.capture(first, owner=ivan)
    client.release(second, owner=ivan)
    client.capture(second, owner=olga)
    assert client.release_all(old, owner=ivan) == (third,)
    held = client.request(first, owner=ivan)[1]
    assert held is not None
    assert held.token == newer.token
    assert client.release_all({first: old[0].token}, owner=ivan) == ()
    assert client.release_all({first: newer.token}, owner=ivan) == (first,)
    assert client.release_all([second], owner=ivan) == ()
    assert client.request(second, owner=olga)[0] is State.CAPTURED_BY_ME


def test_release_all_takes_some_with_tokens_and_some_without(client: Client, ivan: Owner, name: str) -> None:
    ids = [ID(str(n), group=name) for n in range(4)]
    held = client.capture_all(ids, owner=ivan, auto_release=AutoRelease(idle=60))
    assert set(client.release_all([ids[0], held[1], ids[2]], owner=ivan)) == set(ids[:3])
    assert client.request(ids[3], owner=ivan)[0] is State.CAPTURED_BY_ME


def test_async_close_may_be_called_by_a_waiting_tasks_own_loop(server: Server) -> None:
    import asyncio

    async def work() -> None:
        async with AsyncClient(server.url) as client:
            await client.close()
            await client.close()
            with pytest.raises(Closed):
                await client.ping()

    asyncio.run(work())
