"""Mutexes that keep themselves refreshed, and how a loss is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from both import Blocking
from editlock import ID, NEVER, AsyncClient, AutoRelease, Busy, Client, Lost, Owner, State, Unavailable
from editlock._aiokeeper import AsyncKeeper
from editlock._keeper import Keeper
from editlock._lease import Lease, clock
from servers import Server

SHORT = AutoRelease(idle=2)


def lose(client: Client, id: ID, owner: Owner, rule: AutoRelease, act: Callable[[], None]) -> Lost:
    """Holds a mutex while something happens, and returns how it was lost."""
    if isinstance(client, Blocking):
        with pytest.raises(Lost) as lost:
            client.wait(client.hold_until(id, act, owner, rule))
        return lost.value
    with (
        pytest.raises(Lost) as lost,
        client.hold(id, owner=owner, auto_release=rule) as held,
    ):
        act()
        assert held.wait_lost(30)
        with pytest.raises(Lost):
            held.check()
    return lost.value


def test_it_outlives_its_idle_time(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    if isinstance(client, Blocking):

        async def hold() -> State:
            async with client.client.hold(invoice, owner=ivan, auto_release=SHORT) as held:
                await asyncio.sleep(3)
                held.check()
                return (await client.client.request(invoice, owner=ivan))[0]

        assert client.wait(hold()) is State.CAPTURED_BY_ME
    else:
        with client.hold(invoice, owner=ivan, auto_release=SHORT) as held:
            assert not held.wait_lost(3)
            assert client.request(invoice, owner=ivan)[0] is State.CAPTURED_BY_ME
    assert client.request(invoice, owner=ivan)[0] is State.FREE


def test_a_takeover_is_told_at_once_with_who_and_why(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    def take() -> None:
        with another(client) as colleague:
            seen = colleague.request(invoice)[1]
            assert seen is not None
            colleague.takeover(invoice, seen.token, "urgent", owner=olga)

    begin = time.monotonic()
    lost = lose(client, invoice, ivan, AutoRelease(idle=300), take)
    assert time.monotonic() - begin < 60  # not at the refresh, which comes after 100 s
    assert (lost.how, lost.reason, lost.by and lost.by.name) == ("taken_over", "urgent", "Петрова А. А.")
    held = client.request(invoice, owner=olga)[1]
    assert held is not None, "the loser must not release what the other has"
    assert held.owner == olga


def another(client: Client) -> Client:
    """For calls from other threads."""
    return Client(f"http://{client._address.header}")


def test_a_forced_release_ends_it(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    def force() -> None:
        with another(client) as colleague:
            seen = colleague.request(invoice)[1]
            assert seen is not None
            colleague.force_release(invoice, seen.token, "cleaning up", owner=olga)

    lost = lose(client, invoice, ivan, AutoRelease(idle=3), force)
    assert lost.how == "force_released"


@pytest.mark.parametrize("how", ["taken_over", "force_released"])
def test_a_release_tells_of_a_loss_that_no_event_has_told(
    client: Client, invoice: ID, ivan: Owner, olga: Owner, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def deaf(keeper: AsyncKeeper, feed: object) -> None:
        return None

    monkeypatch.setattr(AsyncKeeper, "_listen", deaf)
    monkeypatch.setattr(Keeper, "_listen", lambda keeper, shift: None)

    def end() -> None:
        with another(client) as colleague:
            seen = colleague.request(invoice)[1]
            assert seen is not None
            if how == "taken_over":
                colleague.takeover(invoice, seen.token, "urgent", owner=olga)
            else:
                colleague.force_release(invoice, seen.token, "urgent", owner=olga)

    if isinstance(client, Blocking):

        async def hold() -> None:
            async with client.client.hold(invoice, owner=ivan):
                end()

        with pytest.raises(Lost) as lost:
            client.wait(hold())
    else:
        held = client.hold(invoice, owner=ivan)
        end()
        with pytest.raises(Lost) as lost:
            held.release()
        assert held.lost is lost.value
    assert (lost.value.how, lost.value.reason, lost.value.by) == (how, "urgent", olga)


def test_a_server_that_hangs_is_a_loss_before_the_lease_ends(own_server: Server, ivan: Owner) -> None:
    with Client(own_server.url) as client:
        told = threading.Event()
        held = client.hold(ID("1"), owner=ivan, auto_release=AutoRelease(idle=2), on_loss=lambda lost: told.set())
        begin = clock()
        own_server.pause()
        assert held.wait_lost(30)
        assert clock() - begin < 2.5
        assert held.lost is not None
        assert held.lost.how == "expired"
        assert told.wait(10)
        own_server.go_on()
        with pytest.raises(Lost):
            held.release()


def test_a_server_that_hangs_cancels_the_block(own_server: Server, ivan: Owner) -> None:
    async def work() -> None:
        rule = AutoRelease(idle=2)
        async with AsyncClient(own_server.url) as client, client.hold(ID("1"), owner=ivan, auto_release=rule):
            own_server.pause()
            try:
                await asyncio.sleep(30)
            finally:
                own_server.go_on()

    with pytest.raises(Lost) as lost:
        asyncio.run(work())
    assert lost.value.how == "expired"


def test_a_server_that_restarts_is_no_loss(own_server: Server, ivan: Owner) -> None:
    with Client(own_server.url) as client, client.hold(ID("1"), owner=ivan, auto_release=AutoRelease(idle=4)) as held:
        own_server.kill()
        own_server.start()
        assert not held.wait_lost(4.5)
        assert client.request(ID("1"), owner=ivan)[0] is State.CAPTURED_BY_ME


def test_an_error_of_the_block_comes_first(client: Client, invoice: ID, ivan: Owner) -> None:
    if isinstance(client, Blocking):

        async def fail() -> None:
            async with client.client.hold(invoice, owner=ivan):
                raise KeyError("mine")

        with pytest.raises(KeyError):
            client.wait(fail())
    else:
        with pytest.raises(KeyError), client.hold(invoice, owner=ivan):
            raise KeyError("mine")
    assert client.request(invoice, owner=ivan)[0] is State.FREE


def test_it_waits_its_turn(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    client.capture(invoice, owner=olga)

    def release_when_asked() -> None:
        with another(client) as colleague:
            seen = colleague.request(invoice)[1]
            while seen is not None and not seen.waiting:
                seen = colleague.request(invoice)[1]
            colleague.release(invoice, owner=olga)

    holder = threading.Thread(target=release_when_asked)
    holder.start()
    if isinstance(client, Blocking):

        async def hold() -> Owner:
            async with client.client.hold(invoice, owner=ivan, wait=20) as held:
                return held.mutex.owner

        assert client.wait(hold()) == ivan
    else:
        with client.hold(invoice, owner=ivan, wait=20) as held:
            assert held.mutex.owner == ivan
    holder.join()


def test_it_is_refused_by_name(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    client.capture(invoice, owner=olga)
    if isinstance(client, Blocking):

        async def hold() -> None:
            async with client.client.hold(invoice, owner=ivan):
                pass

        with pytest.raises(Busy, match="Петрова"):
            client.wait(hold())
    else:
        with pytest.raises(Busy, match="Петрова"):
            client.hold(invoice, owner=ivan)


def test_status_data_is_replaced(client: Client, invoice: ID, ivan: Owner) -> None:
    if isinstance(client, Blocking):

        async def hold() -> str:
            async with client.client.hold(invoice, owner=ivan, auto_release=NEVER) as held:
                await held.set_status_data("50 %")
                return held.mutex.status_data

        assert client.wait(hold()) == "50 %"
    else:
        with client.hold(invoice, owner=ivan, auto_release=NEVER) as held:
            held.set_status_data("50 %")
            assert held.mutex.status_data == "50 %"
            shown = client.request(invoice)[1]
            assert shown is not None
            assert shown.status_data == "50 %"


def test_a_release_from_outside_cancels_nothing_else(server: Server, invoice: ID, ivan: Owner) -> None:
    """A task that is cancelled by its own program stays cancelled."""

    async def work() -> bool:
        async with AsyncClient(server.url) as client:

            async def hold() -> None:
                async with client.hold(invoice, owner=ivan):
                    entered.set()
                    await asyncio.sleep(30)

            entered = asyncio.Event()
            task = asyncio.ensure_future(hold())
            await entered.wait()
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled()

    assert asyncio.run(work())


def test_the_lease_is_counted_from_before_the_call(client: Client, invoice: ID, ivan: Owner) -> None:
    mutex = client.capture(invoice, owner=ivan, auto_release=AutoRelease(idle=100))
    lease = Lease(mutex, sent=1000.0)
    assert lease.deadline == pytest.approx(1098)
    lease.confirm(mutex, sent=900.0)  # an older answer that came later
    assert lease.deadline == pytest.approx(1098)
    lease = Lease(mutex, sent=clock())
    assert 30 <= lease.pause() <= 37
    assert lease.lapsed() is None
    assert Lease(mutex, sent=clock() - 98.5).lapsed() is not None
    assert Lease(client.capture(invoice, owner=ivan, auto_release=NEVER), sent=0).lapsed() is None


class Interrupted:
    """Loses an answer, once: what is raised in its place is as the caller's own doing."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, path: str, raised: BaseException, times: int = 1) -> None:
        exchange = Client._exchange
        left = [times]

        def losing(client: Client, connection: object, data: bytes, deadline: float) -> object:
            answer = exchange(client, connection, data, deadline)  # type: ignore[arg-type]
            if left[0] and data.startswith(f"POST {path} ".encode()):
                left[0] -= 1
                raise raised
            return answer

        monkeypatch.setattr(Client, "_exchange", losing)


def test_a_release_that_is_repeated_after_an_error_is_the_same(
    server: Server, invoice: ID, ivan: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(server.url, timeout=0.3) as client:
        held = client.hold(invoice, owner=ivan)
        Interrupted(monkeypatch, "/v1/release", TimeoutError("lost"), times=100)
        with pytest.raises(Unavailable):
            held.release()
        monkeypatch.undo()
        held.release()  # its own release is no loss
        held.release()


def test_a_hold_that_is_interrupted_as_it_begins_leaves_nothing(
    server: Server, invoice: ID, ivan: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(server.url) as client:
        Interrupted(monkeypatch, "/v1/capture", KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            client.hold(invoice, owner=ivan)
        assert client.request(invoice)[0] is State.FREE
