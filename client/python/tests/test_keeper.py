"""Many holds of one client: one keep-alive, one stream of events, and every loss told in time."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Optional

import pytest

from editlock import ID, NEVER, AsyncClient, AutoRelease, Client, Closed, Invalid, Lost, Owner, State
from editlock import _http as http
from editlock import _keeper as keeper
from editlock._lease import clock
from editlock.held import Held
from servers import Server

SHORT = AutoRelease(idle=2)  # a busy machine is late
LONGER = 2.5


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of all requests."""
    paths: list[str] = []
    request = http.request

    def recording(address: Any, method: str, path: str, headers: Any, body: Any) -> bytes:
        paths.append(path)
        return request(address, method, path, headers, body)

    monkeypatch.setattr(http, "request", recording)
    return paths


@pytest.fixture
def boss(server: Server, name: str) -> Iterator[Callable[[ID], None]]:
    """Somebody who takes over what is held."""
    with Client(server.url) as other:

        def take(id: ID) -> None:
            seen = other.request(id)[1]
            assert seen is not None
            other.takeover(id, seen.token, "urgent", owner=Owner(session=f"boss {name}", name="The boss"))

        yield take


def ours() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("editlock ")]


def until(true: Callable[[], bool], within: float = 10) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def names(name: str, count: int) -> list[ID]:
    return [ID(str(n), mode="doc", group=name) for n in range(count)]


def test_twenty_holds_take_two_threads_one_stream_and_few_calls(
    server: Server, name: str, ivan: Owner, sent: list[str]
) -> None:
    before = len(ours())
    with Client(server.url) as client, contextlib.ExitStack() as stack:
        holds = [
            stack.enter_context(client.hold(id, owner=ivan, auto_release=AutoRelease(idle=4))) for id in names(name, 20)
        ]
        assert len(ours()) - before == 2
        assert all(thread.daemon for thread in ours())
        time.sleep(5)
        assert [held.lost for held in holds] == [None] * 20
        assert len([path for path in sent if path.startswith("/v1/events")]) == 1
        # Each is refreshed some four times: by calls of its own these were 80.
        assert 2 <= len([path for path in sent if path == "/v1/refresh"]) <= 30
    until(lambda: len(ours()) == before)


def test_twenty_async_holds_take_two_tasks_and_one_stream(
    server: Server, name: str, ivan: Owner, sent: list[str]
) -> None:
    async def work() -> tuple[int, int]:
        before = len(asyncio.all_tasks())
        async with AsyncClient(server.url) as client:
            async with contextlib.AsyncExitStack() as stack:
                for id in names(name, 20):
                    await stack.enter_async_context(client.hold(id, owner=ivan, auto_release=AutoRelease(idle=4)))
                during = len(asyncio.all_tasks()) - before
                await asyncio.sleep(5)
                for id in names(name, 20):
                    assert (await client.request(id, owner=ivan))[0] is State.CAPTURED_BY_ME
            return during, len(asyncio.all_tasks()) - before

    during, after = asyncio.run(work())
    assert during <= 3  # one more before Python 3.12, within the reading of the stream
    assert after == 0
    assert len([path for path in sent if path.startswith("/v1/events")]) == 1
    assert 2 <= len([path for path in sent if path == "/v1/refresh"]) <= 30


def test_threads_end_some_time_after_the_last_hold(
    server: Server, name: str, ivan: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "_LINGER", 0.3)
    before = len(ours())
    with Client(server.url) as client:
        for _ in range(2):
            with client.hold(ID("1", group=name), owner=ivan):
                assert len(ours()) - before == 2
            with client.hold(ID("2", group=name), owner=ivan):
                assert len(ours()) - before == 2
            until(lambda: len(ours()) == before)


def test_one_loss_of_many_is_told_at_once_and_alone(
    server: Server, name: str, ivan: Owner, boss: Callable[[ID], None]
) -> None:
    ids = names(name, 20)
    with Client(server.url) as client:
        holds = [client.hold(id, owner=ivan) for id in ids]
        begin = time.monotonic()
        boss(ids[7])
        assert holds[7].wait_lost(20)
        assert time.monotonic() - begin < 10  # not at a refresh, which comes after 100 s
        assert [held.lost is None for held in holds] == [n != 7 for n in range(20)]
        for n, held in enumerate(holds):
            if n != 7:
                held.release()


@pytest.mark.parametrize("groups", [False, True])
def test_holds_of_several_sessions_are_told_at_once(
    server: Server, name: str, boss: Callable[[ID], None], groups: bool
) -> None:
    """The stream of the first shows too little for the second."""
    with Client(server.url) as client:
        for n in range(3):
            id = ID(str(n), group=f"{name} {n}" if groups else name)
            held = client.hold(id, owner=Owner(session=f"{name} {n}"))
            if n > 0:
                boss(id)
                assert held.wait_lost(20)
                assert held.lost is not None
                assert held.lost.how == "taken_over"


def test_an_async_client_holds_for_several_sessions(server: Server, name: str, boss: Callable[[ID], None]) -> None:
    async def lose(client: AsyncClient, n: int, ready: asyncio.Event) -> str:
        id = ID(str(n), group=name)
        try:
            async with client.hold(id, owner=Owner(session=f"{name} {n}")):
                ready.set()
                await asyncio.sleep(60)
        except Lost as lost:
            return lost.how
        return ""

    async def work() -> list[str]:
        async with AsyncClient(server.url) as client:
            tasks = []
            for n in range(4):
                ready = asyncio.Event()
                tasks.append(asyncio.ensure_future(lose(client, n, ready)))
                await ready.wait()
            for n in range(4):
                await asyncio.get_running_loop().run_in_executor(None, boss, ID(str(n), group=name))
            return list(await asyncio.wait_for(asyncio.gather(*tasks), 20))

    assert asyncio.run(work()) == ["taken_over"] * 4


@pytest.mark.parametrize("recent", [True, False])
def test_a_loss_before_the_client_listens_for_it_is_told(
    server: Server, name: str, ivan: Owner, boss: Callable[[ID], None], monkeypatch: pytest.MonkeyPatch, recent: bool
) -> None:
    from datetime import timedelta

    from editlock import _feed

    if not recent:
        monkeypatch.setattr(_feed, "_RECENT", timedelta(0))
    begin = Held.__init__

    def late(held: Held, client: Client, owner: Owner, mutex: Any, *rest: Any) -> None:
        boss(mutex.id)
        begin(held, client, owner, mutex, *rest)

    with Client(server.url) as client:
        for id in names(name, 2):  # the stream begins with the first, and goes on with the second
            monkeypatch.setattr(Held, "__init__", late)
            held = client.hold(id, owner=ivan)
            monkeypatch.setattr(Held, "__init__", begin)
            assert held.wait_lost(20)
            assert held.lost is not None
            assert held.lost.by is not None
            assert held.lost.by.name == "The boss"


def test_every_loss_is_told_before_another_can_hold(own_server: Server, name: str) -> None:
    """Whatever the leases, and whether they are of one session or several."""
    chance = random.Random(7)
    told: dict[int, float] = {}
    with Client(own_server.url) as client:

        def hold(n: int) -> Held:
            idle = chance.choice([2, 2.5, 3, 4])
            owner = Owner(session=f"{name} {n % 5}")
            return client.hold(
                ID(str(n), group=name),
                owner=owner,
                auto_release=AutoRelease(idle=idle),
                on_loss=lambda lost: told.update({n: clock()}),
            )

        holds = [hold(n) for n in range(30)]
        time.sleep(1.2)
        assert not told
        own_server.pause()
        ends: list[float] = []
        believed = set(holds)
        while believed:
            for held in list(believed):
                now = clock()
                if held.lost is not None:
                    believed.discard(held)
                    continue
                mutex, sent = held._leased._confirmed
                ends.append(sent + (mutex.expires_in or 0) - now)
        assert min(ends) > 0, "it was believed when another could hold"
        assert all(held.wait_lost(20) for held in holds)
        until(lambda: len(told) == 30)
        own_server.go_on()


def test_random_ends_leave_no_hold_believed_that_is_not(server: Server, name: str) -> None:
    """Threads hold, refresh, detach, release, take over; a believed hold is always the server's."""
    ids = names(name, 6)
    wrong: list[str] = []
    deadline = time.monotonic() + 4
    with Client(server.url) as client:

        def work(n: int) -> None:
            chance = random.Random(n)
            me = Owner(session=f"{name} {n % 3} {n}")
            while time.monotonic() < deadline:
                id = chance.choice(ids)
                try:
                    held = client.hold(id, owner=me, auto_release=SHORT, wait=0.2)
                    try:
                        for _ in range(chance.randrange(3)):
                            held.check()
                            mutex = held.refresh()
                            if mutex.token != held.token or mutex.owner != me:
                                wrong.append(f"{mutex} is not {me}'s")
                            time.sleep(chance.random() / 10)
                        if chance.random() < 0.2:
                            client.release_all([held.detach()], owner=me)
                    finally:
                        held.release()
                except Lost as lost:
                    if lost.how not in ("taken_over", "expired", "released"):
                        wrong.append(f"{lost.how}: {lost}")
                except Exception as err:
                    if getattr(err, "code", "") not in ("busy", "not_held"):
                        wrong.append(repr(err))
                    elif chance.random() < 0.3 and (seen := client.request(id, owner=me)[1]) is not None:
                        with contextlib.suppress(Exception):
                            taken = client.takeover(id, seen.token, "mine", owner=me, auto_release=SHORT)
                            client.release(id, owner=me, if_token=taken.token)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not wrong
        until(lambda: not client.list(group=name).mutexes)


def test_refresh_extends_now_or_says_who_took_it(
    server: Server, name: str, ivan: Owner, boss: Callable[[ID], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper.Keeper, "_listen", lambda keeper, shift: None)
    id = ID("1", group=name)
    with Client(server.url) as client:
        held = client.hold(id, owner=ivan, auto_release=AutoRelease(idle=60))
        first = held.mutex
        time.sleep(0.05)
        assert held.refresh().refreshed_at > first.refreshed_at
        assert held.mutex.token == first.token
        boss(id)
        assert held.lost is None, "nobody has told yet"
        with pytest.raises(Lost) as lost:
            held.refresh()
        assert lost.value.how == "taken_over"
        with pytest.raises(Lost, match="took it over"):
            held.check()
        with pytest.raises(Lost):
            held.refresh()


def test_an_async_refresh_extends_now(server: Server, name: str, ivan: Owner) -> None:
    async def work() -> bool:
        async with AsyncClient(server.url) as client, client.hold(ID("1", group=name), owner=ivan) as held:
            first = held.mutex
            await asyncio.sleep(0.05)
            return (await held.refresh()).refreshed_at > first.refreshed_at

    assert asyncio.run(work())


def test_detach_ends_a_hold_without_a_call(server: Server, name: str, ivan: Owner, sent: list[str]) -> None:
    id = ID("1", group=name)
    with Client(server.url) as client:
        told: list[Lost] = []
        with client.hold(id, owner=ivan, auto_release=SHORT, on_loss=told.append) as held:
            del sent[:]
            mutex = held.detach()
            held.release()
        assert not [path for path in sent if path in ("/v1/release", "/v1/capture", "/v1/refresh")]
        assert client.request(id, owner=ivan)[0] is State.CAPTURED_BY_ME
        assert client.release_all([mutex], owner=ivan) == (id,)
        held = client.hold(id, owner=ivan, auto_release=SHORT)
        held.detach()
        until(lambda: client.request(id)[0] is State.FREE)
        assert not held.wait_lost()
        assert not told


def test_an_async_detach_ends_a_hold_without_a_call(server: Server, name: str, ivan: Owner) -> None:
    id = ID("1", group=name)

    async def work() -> tuple[State, bool]:
        async with AsyncClient(server.url) as client:
            async with client.hold(id, owner=ivan, auto_release=SHORT) as held:
                mutex = held.detach()
                await asyncio.sleep(LONGER)  # it expires, which cancels nothing
            async with client.hold(id, owner=ivan) as held:
                mutex = held.detach()
            return (await client.request(id, owner=ivan))[0], await client.release(id, owner=ivan, if_token=mutex.token)

    assert asyncio.run(work()) == (State.CAPTURED_BY_ME, True)


def test_close_tells_holds_that_nobody_keeps_them(server: Server, name: str, ivan: Owner) -> None:
    before = len(ours())
    client, told = Client(server.url), threading.Event()
    held = client.hold(ID("1", group=name), owner=ivan, auto_release=NEVER, on_loss=lambda lost: told.set())
    waiting = threading.Thread(target=held.wait_lost)
    waiting.start()
    client.close()
    client.close()
    waiting.join(10)
    assert not waiting.is_alive()
    assert told.wait(10)
    with pytest.raises(Lost, match="the client was closed"):
        held.release()
    with pytest.raises(Closed):
        client.hold(ID("2", group=name), owner=ivan)
    until(lambda: len(ours()) == before)
    with Client(server.url) as other:
        assert other.request(ID("1", group=name), owner=ivan)[0] is State.CAPTURED_BY_ME


def test_an_async_close_cancels_what_is_held(server: Server, name: str, ivan: Owner) -> None:
    async def work() -> str:
        client = AsyncClient(server.url)
        entered = asyncio.Event()

        async def hold() -> str:
            with pytest.raises(Lost) as lost:
                async with client.hold(ID("1", group=name), owner=ivan):
                    entered.set()
                    await asyncio.sleep(60)
            return lost.value.reason

        holding = asyncio.ensure_future(hold())
        await entered.wait()
        await client.close()
        reason = await asyncio.wait_for(holding, 10)
        assert len(asyncio.all_tasks()) == 1
        return reason

    assert asyncio.run(work()) == "the client was closed"


def test_a_credential_that_fails_for_a_while_is_no_loss(server: Server, name: str, ivan: Owner) -> None:
    fails = threading.Event()
    asked = threading.Event()

    class Failing(Client):
        def _run(self, call: Any, within: Optional[float] = None) -> Any:
            if fails.is_set() and call.path == "/v1/refresh":
                asked.set()
                raise OSError("no such file")
            return super()._run(call, within)

    with Failing(server.url) as client:
        held = client.hold(ID("1", group=name), owner=ivan, auto_release=SHORT)
        fails.set()
        assert asked.wait(10)
        fails.clear()
        assert not held.wait_lost(LONGER)
        fails.set()
        assert held.wait_lost(10)
        assert held.lost is not None
        assert str(held.lost.__cause__) == "no such file"


def _child(client: Client, held: Held, id: ID, results: Any) -> None:
    lost = held.lost
    with held:
        pass
    held.release()
    held.detach()
    with client.hold(id, owner=Owner(session=f"child {id.group}"), auto_release=SHORT) as own:
        time.sleep(LONGER)
        results.put((lost is not None and lost.reason, held.wait_lost(), own.lost, len(ours())))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_keeps_only_what_is_its_own(server: Server, name: str, ivan: Owner) -> None:
    first, second = names(name, 2)
    with Client(server.url) as client, client.hold(first, owner=ivan, auto_release=SHORT) as held:
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        child = context.Process(target=_child, args=(client, held, second, results))
        child.start()
        reason, lost, own, threads = results.get(timeout=30)
        child.join(20)
        assert reason == "it is held by the process that this one was forked from"
        assert (lost, own, threads) == (True, None, 2)
        assert client.request(second)[0] is State.FREE
        assert not held.wait_lost(LONGER), "its parent keeps it still"
        assert client.request(first, owner=ivan)[0] is State.CAPTURED_BY_ME


@pytest.mark.parametrize("end", ["pass", "sys.exit()", "held.release()", "client.close()"])
def test_an_interpreter_ends_at_once_and_quietly(server: Server, name: str, end: str) -> None:
    code = f"""
import sys, time
from editlock import ID, AutoRelease, Client, Owner
client = Client({server.url!r})
held = client.hold(ID("1", group={name!r}), owner=Owner(session={name!r}), auto_release=AutoRelease(idle=1),
                   on_loss=lambda lost: time.sleep(60))
time.sleep(0.3)
{end}
"""
    path = str(Path(__file__).parents[1] / "editlock" / "src")
    begin = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, timeout=30, text=True
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert time.monotonic() - begin < 10


def test_a_client_is_closed_in_another_loop_than_it_held_in(server: Server, name: str, ivan: Owner) -> None:
    client = AsyncClient(server.url)

    async def hold() -> None:
        async with client.hold(ID("1", group=name), owner=ivan):
            pass

    asyncio.run(hold())
    asyncio.run(hold())
    asyncio.run(client.close())


def test_one_hold_that_a_call_is_refused_for_takes_no_other_along(server: Server, name: str, ivan: Owner) -> None:
    good, bad = names(name, 2)

    class Picky(Client):
        """A server that refuses whole calls for one item."""

        def _run(self, call: Any, within: Optional[float] = None) -> Any:
            if call.path == "/v1/refresh" and any(item["mutex"]["id"] == bad.id for item in call.body["items"]):
                raise Invalid("items", "are refused")
            return super()._run(call, within)

    with Picky(server.url) as client:
        holds = [client.hold(id, owner=ivan, auto_release=SHORT) for id in (good, bad)]
        assert holds[1].wait_lost(10)
        assert isinstance(holds[1].lost and holds[1].lost.__cause__, Invalid)
        assert not holds[0].wait_lost(LONGER)
        holds[0].release()
