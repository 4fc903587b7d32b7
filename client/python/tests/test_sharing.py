"""Several holders of one mutex: those who share it, and those within a limit."""

from __future__ import annotations

import asyncio

import pytest

from both import Blocking
from editlock import ID, Busy, Client, Conflict, Invalid, Lost, Owner, State


def test_readers_share_and_a_writer_is_told_of_all(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    first = client.capture(invoice, owner=olga, sharing="shared")
    second = client.capture(invoice, owner=ivan, sharing="shared")
    assert (first.sharing, first.limit, second.beside) == ("shared", None, 1)

    state, seen = client.request(invoice, owner=ivan)
    assert seen is not None
    assert (state, seen.token, seen.beside) == (State.CAPTURED_BY_ME, second.token, 1)
    assert [(other.owner, other.token) for other in seen.others] == [(olga, first.token)]
    assert [mutex.token for mutex in client.list(group=invoice.group).mutexes] == [first.token, second.token]

    with pytest.raises(Busy) as busy:
        client.capture(invoice, owner=Owner(session=f"writer {invoice.group}"))
    assert [holder.owner for holder in busy.value.holders] == [olga, ivan]
    assert busy.value.holders_total == 2


def test_a_refusal_counts_the_holders_that_it_does_not_name(client: Client, invoice: ID, ivan: Owner) -> None:
    for number in range(22):
        client.capture(invoice, owner=Owner(session=f"reader {number} {invoice.group}"), sharing="shared")
    with pytest.raises(Busy) as busy:
        client.capture(invoice, owner=ivan)
    assert (len(busy.value.holders), busy.value.holders_total) == (20, 22)


def test_a_refusal_of_one_holder_counts_one(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    held = client.capture(invoice, owner=olga)
    assert (held.sharing, held.limit, held.beside) == ("exclusive", None, 0)
    with pytest.raises(Busy) as busy:
        client.capture(invoice, owner=ivan)
    assert (busy.value.holders, busy.value.holders_total) == ((busy.value.holder,), 1)


def test_at_most_so_many_hold_within_a_limit(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    held = client.capture(invoice, owner=ivan, limit=1)
    assert (held.sharing, held.limit) == (None, 1)
    with pytest.raises(Busy):
        client.capture(invoice, owner=olga, limit=1)
    client.release(invoice, owner=ivan)
    assert client.capture(invoice, owner=olga, limit=1, wait=5).token > held.token


@pytest.mark.parametrize("asked", [{}, {"sharing": "shared"}, {"limit": 3}])
def test_another_limit_is_a_conflict_that_says_how_it_is_held(
    client: Client, invoice: ID, ivan: Owner, olga: Owner, asked: dict[str, int]
) -> None:
    client.capture(invoice, owner=ivan, limit=2)
    with pytest.raises(Conflict) as conflict:
        client.capture(invoice, owner=olga, **asked)  # type: ignore[arg-type]
    assert (conflict.value.code, conflict.value.holder.owner, conflict.value.holder.limit) == ("conflict", ivan, 2)


def test_a_limit_goes_without_sharing(client: Client, invoice: ID, ivan: Owner) -> None:
    with pytest.raises(Invalid) as invalid:
        client.capture(invoice, owner=ivan, sharing="shared", limit=2)
    assert invalid.value.field == "limit"


def test_several_are_shared_together(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    second = ID("18", mode=invoice.mode, group=invoice.group)
    client.capture_all([invoice, second], owner=ivan, sharing="shared")
    assert [mutex.beside for mutex in client.capture_all([invoice, second], owner=olga, sharing="shared")] == [1, 1]
    with pytest.raises(Conflict):
        client.capture_all([invoice, second], owner=olga, limit=2)


def test_history_tells_of_each_change(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    first = client.capture(invoice, owner=ivan)
    assert client.capture(invoice, owner=ivan, sharing="shared").token == first.token
    hers = client.capture(invoice, owner=olga, sharing="shared")
    with pytest.raises(Busy):
        client.capture(invoice, owner=ivan, sharing="exclusive", wait=30)  # at once
    client.takeover(invoice, hers.token, "urgent", owner=Owner(session=f"third {invoice.group}"))
    client.release_session(f"third {invoice.group}")
    assert client.capture(invoice, owner=ivan, sharing="exclusive").token > hers.token
    client.release(invoice, owner=ivan)
    client.capture(invoice, owner=ivan, limit=4)
    told = [(e.kind, e.sharing, e.limit, e.replaced) for e in reversed(client.history(invoice).entries)]
    assert told == [
        ("captured", "exclusive", None, 0),
        ("shared", "shared", None, 0),
        ("captured", "shared", None, 0),
        ("taken_over", "shared", None, hers.token),
        ("released", "shared", None, 0),
        ("upgraded", "exclusive", None, 0),
        ("released", "exclusive", None, 0),
        ("captured", None, 4, 0),
    ]


def test_a_takeover_ends_the_hold_in_whose_place_it_is_and_no_other(
    client: Client, invoice: ID, ivan: Owner, olga: Owner
) -> None:
    third = Owner(session=f"third {invoice.group}")
    # Of another session, so that the client hears of all that happens in the group.
    second = ID("18", mode=invoice.mode, group=invoice.group)
    if isinstance(client, Blocking):
        locks = client.client

        async def hold() -> None:
            hers = await locks.capture(invoice, owner=olga, sharing="shared")
            async with (
                locks.hold(second, owner=third),
                locks.hold(invoice, owner=ivan, sharing="shared") as held,
            ):
                taken = await locks.takeover(invoice, hers.token, "urgent", owner=third)
                # Events come in their order: one that ends nothing, before one that ends the hold.
                await asyncio.sleep(0.5)
                held.check()
                await locks.takeover(invoice, held.token, "urgent", owner=olga)
                assert taken.token > held.token
                await asyncio.sleep(30)

        with pytest.raises(Lost) as lost:
            client.wait(hold())
    else:
        hers = client.capture(invoice, owner=olga, sharing="shared")
        with client.hold(second, owner=third):
            held = client.hold(invoice, owner=ivan, sharing="shared")
            client.takeover(invoice, hers.token, "urgent", owner=third)
            assert not held.wait_lost(0.5), held.lost
            client.takeover(invoice, held.token, "urgent", owner=olga)
            assert held.wait_lost(30)
            with pytest.raises(Lost) as lost:
                held.release()
    assert (lost.value.how, lost.value.by and lost.value.by.session) == ("taken_over", olga.session)


def test_a_hold_that_another_call_made_exclusive_is_lost(client: Client, invoice: ID, ivan: Owner) -> None:
    if isinstance(client, Blocking):
        locks = client.client

        async def hold() -> None:
            async with locks.hold(invoice, owner=ivan, sharing="shared"):
                await locks.capture(invoice, owner=ivan, sharing="exclusive")
                await asyncio.sleep(30)

        with pytest.raises(Lost) as lost:
            client.wait(hold())
    else:
        held = client.hold(invoice, owner=ivan, sharing="shared")
        client.capture(invoice, owner=ivan, sharing="exclusive")
        assert held.wait_lost(30)
        with pytest.raises(Lost) as lost:
            held.release()
    assert lost.value.how == "upgraded"
