"""Views, REST and every other write: each needs the lock."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client as Browser
from django.test.utils import override_settings

import django_site  # configures Django
from editlock import ID, Busy, Client, Owner, State
from editlock.django.names import mutex_id
from editlock.django.owners import session_of
from editlock.django.strict import Unguarded
from editlock.django.writes import locked
from servers import Server, free_port
from shop.models import Invoice, Ticket

assert django_site


@pytest.fixture(autouse=True, scope="module")
def tables() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)


@pytest.fixture(autouse=True)
def site(server: Server, tmp_path: Path, name: str) -> Iterator[None]:
    with override_settings(EDITLOCK_URL=server.url, EDITLOCK_GROUP=name, SESSION_FILE_PATH=str(tmp_path)):
        yield


@pytest.fixture
def locks(server: Server) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


@pytest.fixture
def invoice(name: str) -> Invoice:
    return Invoice.objects.create(number=name, text="as it was")


@pytest.fixture
def anna() -> Browser:
    user, _ = get_user_model().objects.get_or_create(username="anna", defaults={"first_name": "Anna"})
    made = Browser(HTTP_ACCEPT_LANGUAGE="en")
    made.force_login(user)
    return made


@pytest.fixture
def me(anna: Browser) -> Owner:
    user = get_user_model().objects.get(username="anna")
    return Owner(session=session_of(anna.session.session_key or ""), user_id=str(user.pk), name="Anna")


def stored(invoice: Invoice) -> str:
    return str(Invoice.objects.get(pk=invoice.pk).text)


def page_of(response: Any) -> Any:
    found = re.search(r'id="editlock-page">(.*?)</script>', response.content.decode())
    return found and json.loads(found[1])


def test_an_update_view_saves_with_the_token_alone(
    anna: Browser, me: Owner, olga: Owner, invoice: Invoice, locks: Client
) -> None:
    address = f"/invoice/{invoice.pk}/"
    page = page_of(anna.get(address))
    assert (page["mutex"]["id"], page["unsaved"], page["refused"]) == (str(invoice.pk), {}, False)
    assert page["token_url"] == "/token/"
    token = locks.capture(mutex_id(invoice), owner=me).token
    form = {"number": invoice.number, "text": "new", "editlock_token": token}
    assert anna.post(address, form).status_code == 302
    assert stored(invoice) == "new"
    mistaken = anna.post(address, {**form, "number": "", "text": "newer"})
    assert page_of(mistaken)["unsaved"] == {"number": "", "text": "newer"}
    locks.takeover(mutex_id(invoice), token, "urgent", owner=olga)
    refused = anna.post(address, {**form, "text": "newest"})
    assert refused.status_code == 409
    assert "Петрова А. А. took over" in refused.content.decode()
    assert (page_of(refused)["unsaved"], page_of(refused)["refused"]) == ({"text": "newest"}, True)
    assert stored(invoice) == "new"
    assert anna.delete(address).status_code == 405


def test_a_delete_view_needs_a_free_lock(anna: Browser, olga: Owner, invoice: Invoice, locks: Client) -> None:
    address = f"/invoice/{invoice.pk}/delete/"
    token = locks.capture(mutex_id(invoice), owner=olga).token
    for refused in (anna.post(address), anna.delete(address)):
        assert refused.status_code == 409
        assert "Nothing was deleted. Петрова А. А." in refused.content.decode()
    assert stored(invoice) == "as it was"
    locks.release(mutex_id(invoice), owner=olga, if_token=token)
    assert anna.post(address).status_code == 302
    assert not Invoice.objects.filter(pk=invoice.pk).exists()


def test_what_is_held_above_and_below_is_in_the_way(
    anna: Browser, me: Owner, olga: Owner, invoice: Invoice, locks: Client
) -> None:
    address, id = f"/invoice/{invoice.pk}/delete/", mutex_id(invoice)
    part, every = replace(id, part="address"), ID(mode=id.mode, group=id.group, below=True)
    for held, said in (
        (part, r"Nothing was deleted\. Петрова А\. А\. has been editing the part address since \d\d:\d\d\."),
        (every, rf"Петрова А\. А\. has kept all of {id.group}/shop\.invoice closed since \d\d:\d\d\."),
    ):
        locks.capture(held, owner=olga)
        refused = anna.post(address)
        assert refused.status_code == 409
        assert re.search(said, refused.content.decode())
        locks.release(held, owner=olga)
    locks.capture(every, owner=me)  # one's own is in nobody's way
    assert anna.post(address).status_code == 302
    assert not Invoice.objects.filter(pk=invoice.pk).exists()


def test_a_wait_for_all_of_a_model_is_told(
    anna: Browser, olga: Owner, invoice: Invoice, locks: Client, server: Server
) -> None:
    id = mutex_id(invoice)
    locks.capture(replace(id, id="other"), owner=olga)
    every, smith = ID(mode=id.mode, group=id.group, below=True), Owner(session=f"smith {id.group}", name="Smith")
    with Client(server.url) as waiting, ThreadPoolExecutor() as pool:
        waits = pool.submit(waiting.capture, every, owner=smith, wait=30, message="import")
        while locks.request(id, owner=Owner(session=""))[0] is State.FREE and not waits.done():
            time.sleep(0.02)
        refused = anna.post(f"/invoice/{invoice.pk}/delete/").content.decode()
        locks.release(replace(id, id="other"), owner=olga)
        waits.result()
        locks.release(every, owner=smith)
    assert re.search(
        r"Петрова А\. А\. has been editing case-\w+/shop\.invoice/other since \d\d:\d\d\. "
        r"Smith has been waiting for all of case-\w+/shop\.invoice since \d\d:\d\d, "
        r"so nothing else in it can be locked\. Message: import\.",
        refused,
    )


def test_a_view_without_a_lock_server_says_so(anna: Browser, invoice: Invoice) -> None:
    with override_settings(EDITLOCK_URL=f"http://127.0.0.1:{free_port()}", EDITLOCK_TIMEOUT=0.2):
        refused = anna.post(f"/invoice/{invoice.pk}/", {"number": "1", "text": "typed", "editlock_token": "7"})
    assert refused.status_code == 503
    assert page_of(refused)["unsaved"]["text"] == "typed"


@pytest.mark.parametrize("door", ["api", "api-permission"])
def test_rest(anna: Browser, me: Owner, olga: Owner, invoice: Invoice, locks: Client, door: str) -> None:
    def call(method: str, token: Any = None) -> Any:
        header: Any = {} if token is None else {"HTTP_EDITLOCK_TOKEN": str(token)}
        body = json.dumps({"text": "new"})
        return anna.generic(method, f"/{door}/{invoice.pk}/", body, content_type="application/json", **header)

    assert call("GET").json()["text"] == "as it was"
    for method in ("PATCH", "PUT", "DELETE"):
        missing = call(method)
        assert (missing.status_code, missing.json()["code"]) == (428, "token_required")
    token = locks.capture(mutex_id(invoice), owner=me).token
    assert call("PATCH", token).status_code == 200
    assert stored(invoice) == "new"
    taken = locks.takeover(mutex_id(invoice), token, "urgent", owner=olga)
    for method in ("PATCH", "DELETE"):
        malformed = call(method, "x")
        assert (malformed.status_code, malformed.json()["field"]) == (400, "Editlock-Token")
        for wrong in (token, taken.token):
            stale = call(method, wrong)
            assert stale.status_code == 409
            assert stale.json()["holder"] == {"name": "Петрова А. А."}
    with override_settings(EDITLOCK_URL=f"http://127.0.0.1:{free_port()}", EDITLOCK_TIMEOUT=0.2):
        assert call("PATCH", token).status_code == 503
    assert Invoice.objects.filter(pk=invoice.pk).exists()


def test_a_guarded_model_is_written_by_who_holds_its_lock_alone(olga: Owner, locks: Client) -> None:
    ticket = Ticket.objects.create(text="old")  # a new one is nobody's
    ticket.text = "new"
    for write in (ticket.save, ticket.delete, Ticket.objects.filter(pk=ticket.pk).delete):
        with pytest.raises(Unguarded):
            write()
    with locked(ticket):
        ticket.save()
        with pytest.raises(Busy):
            locks.capture(mutex_id(ticket), owner=olga, if_free=True)
    locks.capture(mutex_id(ticket), owner=olga)
    with pytest.raises(Busy), locked(ticket):
        ticket.delete()
    assert Ticket.objects.get(pk=ticket.pk).text == "new"


def test_what_is_not_guarded_is_written_as_ever(invoice: Invoice) -> None:
    invoice.text = "new"
    invoice.save()
    invoice.delete()


def test_a_lock_that_was_left_behind_is_let_go_if_another_is_refused(locks: Client, olga: Owner, name: str) -> None:
    me = Owner(session=f"me {name}")
    left, other = Ticket.objects.create(text="1"), Ticket.objects.create(text="2")
    locks.capture(mutex_id(left), owner=me)
    locks.release(mutex_id(left), owner=me, grace=4)  # by a page that closed

    take = Client.capture

    def capture(client: Client, *args: Any, **options: Any) -> Any:
        taken = take(client, *args, **options)
        take(locks, mutex_id(other), owner=olga)  # meanwhile
        return taken

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "capture", capture)
        with pytest.raises(Busy), locked(left, other, owner=me):
            pass
    assert locks.request(mutex_id(left))[0] is State.FREE


def test_a_block_ends_soon_though_the_lock_server_died_within(own_server: Server, name: str) -> None:
    tickets = [Ticket.objects.create(text=str(n)) for n in range(20)]
    with override_settings(EDITLOCK_URL=own_server.url, EDITLOCK_TIMEOUT=0.5), locked(*tickets):
        own_server.kill()
        begin = time.monotonic()
    assert time.monotonic() - begin < 3  # no more than one call lasts, not one for each lock
