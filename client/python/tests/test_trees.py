"""All of a mode or group, and parts of an object: their names, and what is in their way."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from both import Blocking, abandonable, events
from editlock import ID, Busy, Client, Invalid, Owner, RefreshItem, State


@pytest.mark.parametrize(
    ("id", "text", "canonical"),
    [
        (ID("17"), "17", "//17"),
        (ID("17", mode="invoice"), "invoice/17", "/invoice/17"),
        (ID("17", group="g"), "g//17", "g//17"),
        (ID("7", "contract", "crm", "address"), "crm/contract/7#address", "crm/contract/7#address"),
        (ID("7", part="адрес, дом"), "7#адрес,%20дом", "//7#адрес,%20дом"),
        (ID("#7", part="a/b#c"), "%237#a%2Fb%23c", "//%237#a%2Fb%23c"),
        (ID("100 %\t\u200b\u00a0"), "100%20%25%09%E2%80%8B%C2%A0", "//100%20%25%09%E2%80%8B%C2%A0"),
        (ID(mode="contract", group="crm", below=True), "crm/contract/", "crm/contract/"),
        (ID(group="crm", below=True), "crm/", "crm/"),
        (ID(mode="contract", below=True), "/contract/", "/contract/"),
        (ID(below=True), "/", "/"),
    ],
)
def test_text_forms_are_those_of_the_command_line(id: ID, text: str, canonical: str) -> None:
    parse = ID.parse_below if id.below else ID.parse
    assert (str(id), id.canonical) == (text, canonical)
    assert (parse(text), parse(canonical)) == (id, id)


def test_other_ways_to_write_a_name_are_read() -> None:
    assert ID.parse("crm/contract/7#a/b#c") == ID("7", "contract", "crm", "a/b#c")
    assert ID.parse("%d0%b0+b") == ID("а+b")
    assert ID.parse_below("crm/contract") == ID(mode="contract", group="crm", below=True)
    assert ID.parse_below("") == ID(below=True)


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("a/b/c/d", "id", "has 4 parts; write id, mode/id or group/mode/id"),
        ("crm/contract/", "mutex.id", "must not be empty"),
        ("7#", "mutex.part", "must not be empty behind a #"),
        ("7%", "id", "two hexadecimal digits"),
        ("7#%zz", "id", "two hexadecimal digits"),
        ("7#%ff", "mutex.part", "is not valid UTF-8"),
    ],
)
def test_other_texts_name_no_object(text: str, field: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem) as invalid:
        ID.parse(text)
    assert invalid.value.field == field


@pytest.mark.parametrize("text", ["crm/contract/7", "crm/contract#a", "a/b/c/d"])
def test_other_texts_name_nothing_below(text: str) -> None:
    with pytest.raises(Invalid):
        ID.parse_below(text)


def test_parts_are_held_by_several_and_the_whole_by_one(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    address, lines = replace(invoice, part="address"), replace(invoice, part="lines")
    held = client.capture(address, owner=ivan)
    assert (held.id, held.id.whole, invoice.whole) == (address, invoice, invoice)
    client.capture(lines, owner=olga)

    writer = Owner(session=f"writer {invoice.group}")
    with pytest.raises(Busy) as busy:
        client.capture(invoice, owner=writer)
    assert [(holder.id, holder.owner) for holder in busy.value.holders] == [(address, ivan), (lines, olga)]
    assert (busy.value.asked, busy.value.holders_total, busy.value.draining) == (invoice, 2, None)
    state, seen = client.request(invoice, owner=writer)
    assert seen is not None
    assert (state, seen.id, [other.id for other in seen.others]) == (State.CAPTURED_BY_OTHER, address, [lines])
    assert [mutex.id for mutex in client.list(group=invoice.group).mutexes] == [address, lines]
    assert [entry.id for entry in client.history(lines).entries] == [lines]

    assert client.release_all([address, lines], owner=ivan) == (address,)
    assert client.release_session(olga.session) == (lines,)
    assert client.capture(invoice, owner=writer).id == invoice


def test_all_of_a_mode_is_held_by_one(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    every = ID(mode=invoice.mode, group=invoice.group, below=True)
    with pytest.raises(Busy) as busy:
        client.capture(invoice, owner=olga)
        client.capture_all([every, ID("x", group=f"{invoice.group} 2")], owner=ivan)
    assert (busy.value.holder.id, busy.value.asked) == (invoice, None)
    client.release_session(olga.session)
    if isinstance(client, Blocking):
        locks = client.client

        async def hold() -> None:
            async with locks.hold(every, owner=ivan) as held:
                assert held.id == every
                with pytest.raises(Busy):
                    await locks.capture(invoice, owner=olga)

        client.wait(hold())
    else:
        with client.hold(every, owner=ivan), pytest.raises(Busy):
            client.capture(invoice, owner=olga)
    assert [entry.kind for entry in client.history(every).entries] == ["released", "captured"]
    client.capture(invoice, owner=olga)


def test_a_wait_for_all_of_a_mode_closes_it(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    every, other = ID(mode=invoice.mode, group=invoice.group, below=True), replace(invoice, id="18")
    held = client.capture(invoice, owner=ivan)
    waiting = abandonable(client)
    thread = threading.Thread(
        target=lambda: waiting.capture(every, owner=olga, wait=30, message="import", request_id=f"w {invoice.group}")
    )
    thread.start()
    deadline = time.monotonic() + 20
    reader = Owner(session=f"reader {invoice.group}")
    while client.request(other, owner=reader)[0] is State.FREE:
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.02)
    with pytest.raises(Busy) as busy:
        client.capture(other, owner=reader)
    drain = busy.value.draining
    assert drain is not None
    assert (busy.value.holder.id, drain.id, drain.by, drain.message) == (invoice, every, olga, "import")
    refreshed, _ = client.refresh([RefreshItem(invoice, held.token)], owner=ivan)[0]
    assert refreshed is not None
    assert refreshed.draining == drain
    unheld, asked = client.request(other, owner=reader)
    assert unheld is State.CAPTURED_BY_OTHER
    assert asked is not None
    assert asked.draining == drain
    client.release(invoice, owner=ivan)
    thread.join(30)
    waiting.close()
    assert not thread.is_alive()
    assert client.request(other, owner=olga)[0] is not State.CAPTURED_BY_ME


def test_a_tree_has_the_history_of_all_below_it(client: Client, invoice: ID, ivan: Owner) -> None:
    lines, other = replace(invoice, part="lines"), replace(invoice, id=f"{invoice.id}0")
    every = ID(mode=invoice.mode, group=invoice.group, below=True)
    for id in (invoice, lines, other, every):
        client.capture(id, owner=ivan)
        client.release(id, owner=ivan)
    for tree, below in [(lines, {lines}), (invoice, {invoice, lines}), (every, {invoice, lines, other, every})]:
        entries = client.history(tree, tree=True).entries
        assert {entry.id for entry in entries} == below
        assert len(entries) == 2 * len(below)
        assert events(client, len(entries), id=tree, tree=True, after=0) == list(reversed(entries))
    with pytest.raises(Invalid) as invalid:
        client.history(group=invoice.group, tree=True)
    assert invalid.value.field == "tree"


def test_what_is_wrong_in_a_name_is_said(client: Client, ivan: Owner) -> None:
    for id, field in [
        (ID(), "mutex.id"),
        (ID("7", below=True), "mutex.id"),
        (ID(part="a", below=True), "mutex.part"),
        (ID("7", part="я" * 101), "mutex.part"),
    ]:
        with pytest.raises(Invalid) as invalid:
            client.capture(id, owner=ivan)
        assert invalid.value.field == field
    with pytest.raises(Invalid):
        client.history(ID(part="a"))
