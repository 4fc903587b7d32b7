"""The flows of m3-mutex's page "Simple usage", with the page's own class."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

import pytest

import m3_mutex
import seed_page
from editlock import ID, Client, EditLock, Owner, acting_as
from servers import Server

LIFTED = "Блокировка объекта снята!"


@pytest.fixture
def page(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("EDITLOCK_URL", server.url)
    return seed_page.ObjEditMutex()


class Go:
    """Go's EditLock, as a program."""

    def __init__(self, url: str, owner: Owner) -> None:
        self._said = [os.environ["EDITLOCK_TEST_GO"], url, owner.session, owner.name]

    def __getattr__(self, verb: str) -> Any:
        def call(*words: str) -> str:
            return subprocess.run(
                [*self._said, verb, *words], check=True, capture_output=True, text=True
            ).stdout.strip()

        return call


def test_a_free_object_is_blocked_and_released(page: Any, name: str, ivan: Owner, olga: Owner) -> None:
    with acting_as(ivan):
        assert page.check("42", name, "tab 1")
        assert page.block("42", name, "tab 1") is None
        assert page.check("42", name, "tab 1")
        page.release("42", name, "tab 1")
    with acting_as(olga):
        assert page.block("42", name, "tab 2") is None


def test_a_second_tab_is_refused_by_its_own_name(page: Any, name: str, ivan: Owner) -> None:
    with acting_as(ivan):
        assert page.block("42", name, "tab 1") is None
        assert page.block("42", name, "tab 2") == "Иванов И. И."
        assert page.block("42", name, "tab 1") == "Иванов И. И."


def test_another_person_is_refused_by_the_name_of_the_first(page: Any, name: str, ivan: Owner, olga: Owner) -> None:
    with acting_as(ivan):
        page.block("42", name, "tab 1")
    with acting_as(olga):
        assert not page.check("42", name, "tab 2")
        assert page.block("42", name, "tab 2") == "Иванов И. И."
        page.release("42", name, "tab 1")
    with acting_as(ivan):
        assert page.refresh("42", name, "tab 1") is None


def test_refresh_is_for_the_request_that_blocked(page: Any, name: str, ivan: Owner, olga: Owner) -> None:
    with acting_as(ivan):
        assert page.refresh("42", name, "tab 1") == LIFTED
        page.block("42", name, "tab 1")
        assert page.refresh("42", name, "tab 1") is None
        assert page.refresh("42", name, "tab 2") == LIFTED
    with acting_as(olga):
        assert page.refresh("42", name, "tab 1") == LIFTED


def test_release_is_for_the_request_that_blocked(page: Any, name: str, ivan: Owner) -> None:
    with acting_as(ivan):
        page.block("42", name, "tab 1")
        page.release("42", name, "tab 2")
        assert page.refresh("42", name, "tab 1") is None
        page.release("42", name, "tab 1")
        assert page.refresh("42", name, "tab 1") == LIFTED


def test_an_integer_id_is_the_text_of_it(page: Any, name: str, ivan: Owner) -> None:
    with acting_as(ivan):
        page.block(42, name, "tab 1")
        page.release(42, name, "tab 1")  # the page gives this one as it is, the others as text
        assert page.block("42", name, "tab 1") is None


def test_what_is_not_refreshed_expires(page: Any, name: str, ivan: Owner, olga: Owner) -> None:
    with acting_as(ivan):
        m3_mutex.capture_mutex(
            m3_mutex.MutexID(mode=name, id="42"), auto_release=m3_mutex.TimeoutAutoRelease(1), status_data="tab 1"
        )
        assert page.refresh("42", name, "tab 1") is None
    time.sleep(1.1)
    with acting_as(olga):
        assert page.block("42", name, "tab 2") is None
    with acting_as(ivan):
        assert page.refresh("42", name, "tab 1") == LIFTED
        page.release("42", name, "tab 1")
    with acting_as(olga):
        assert page.refresh("42", name, "tab 2") is None


def test_go_and_the_page_refuse_each_other(page: Any, server: Server, name: str, ivan: Owner, olga: Owner) -> None:
    go = Go(server.url, olga)
    with acting_as(ivan):
        assert page.block("42", name, "tab 1") is None
        assert go.check("42", name, "tab 9") == "false"
        assert "is held by Иванов И. И." in go.block("42", name, "tab 9")
        assert go.refresh("42", name, "tab 1").startswith("refused")
        assert go.release("42", name, "tab 1") == "ok"  # nothing happens
        assert page.refresh("42", name, "tab 1") is None
        page.release("42", name, "tab 1")
        assert go.block("42", name, "tab 9") == "ok"
        assert page.block("42", name, "tab 1") == "Петрова А. А."
        assert page.refresh("42", name, "tab 9") == LIFTED
        page.release("42", name, "tab 9")
        assert go.refresh("42", name, "tab 9") == "ok"
        assert go.release("42", name, "tab 9") == "ok"
        assert page.check("42", name, "tab 1")


def test_the_same_session_in_go_is_the_same_holder(page: Any, server: Server, name: str, ivan: Owner) -> None:
    with acting_as(ivan):
        page.block("42", name, "tab 1")
        assert Go(server.url, ivan).refresh("42", name, "tab 1") == "ok"
        assert Go(server.url, ivan).release("42", name, "tab 1") == "ok"
        assert page.check("42", name, "tab 1")


def test_pythons_edit_lock_and_the_page_refuse_each_other(
    page: Any, server: Server, name: str, ivan: Owner, olga: Owner
) -> None:
    with Client(server.url) as client, acting_as(ivan):
        lock = EditLock(client, owner=olga)
        lock.block("42", name, "tab 9")
        assert client.request(ID("42", mode=name), owner=olga)[0].name == "CAPTURED_BY_ME"
        assert page.block("42", name, "tab 1") == "Петрова А. А."
        lock.release("42", name, "tab 9")
        assert page.block("42", name, "tab 1") is None
        assert not lock.check("42", name, "tab 9")


def test_what_the_owner_shares_is_not_taken_for_captured(server: Server, page: Any, name: str) -> None:
    me = m3_mutex.MutexOwner(session_id=f"ivan {name}", user_id="17", name="Ivan")
    ivan, olga = Owner(session=me.session_id, user_id="17", name="Ivan"), Owner(session=f"olga {name}", name="Olga")
    id, mutex_id = ID("7", mode="invoice", group=name), m3_mutex.MutexID(name, "invoice", "7")
    with Client(server.url) as client:
        client.capture(id, owner=ivan, sharing="shared")
        client.capture(id, owner=olga, sharing="shared")
        with pytest.raises(m3_mutex.MutexBusy, match="Olga"):
            m3_mutex.capture_mutex(mutex_id, me)
        client.release(id, owner=olga)
        token = m3_mutex.capture_mutex(mutex_id, me).token
        held = client.request(id, owner=ivan)[1]
        assert held is not None
        assert (held.token, held.sharing) == (token, "exclusive")


def test_an_agent_stays_one(server: Server, page: Any, name: str) -> None:
    agent = Owner(session=f"a {name}", name="Assistant", kind="agent", on_behalf_of="Anna")
    id, mutex_id = ID("7", mode="invoice", group=name), m3_mutex.MutexID(name, "invoice", "7")
    with Client(server.url) as client, acting_as(agent):
        captured = m3_mutex.capture_mutex(mutex_id)
        held = client.request(id)[1]
        assert held is not None
        assert (held.owner.kind, held.owner.on_behalf_of) == ("agent", "Anna"), "it is no person"
        assert m3_mutex.capture_mutex(mutex_id).token == captured.token
        state, told = m3_mutex.request_mutex(mutex_id)
        assert told is not None
        assert (state, vars(told.owner)["kind"], vars(told.owner)["on_behalf_of"]) == (2, "agent", "Anna")
        person = m3_mutex.MutexOwner(session_id=agent.session, name="Anna")
        with pytest.raises(m3_mutex.MutexBusy, match="Assistant"):
            m3_mutex.capture_mutex(mutex_id, person)
        m3_mutex.release_mutex(mutex_id)
        assert client.request(id)[1] is None
