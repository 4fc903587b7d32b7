"""EditLockAdmin: what the admin refuses, and how it says so."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connections
from django.test import Client as Browser
from django.test.utils import override_settings, setup_test_environment, teardown_test_environment

import django_site  # configures Django
from editlock import ID, Client, Look, Owner
from editlock.django.names import mutex_id
from editlock.django.owners import session_of
from servers import Server, free_port
from shop.models import Archived, CreditNote, Customer, Draft, Invoice, Item, Page, Payment, Ticket


@pytest.fixture(autouse=True, scope="module")
def tables() -> Iterator[None]:
    setup_test_environment()  # so that answers have their contexts
    call_command("migrate", run_syncdb=True, verbosity=0)
    with connections["archive"].cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS shop_archived (id INTEGER PRIMARY KEY, text TEXT)")
    yield
    teardown_test_environment()


@pytest.fixture(autouse=True)
def site(server: Server, tmp_path: Path, name: str) -> Iterator[None]:
    with override_settings(EDITLOCK_URL=server.url, EDITLOCK_GROUP=name, SESSION_FILE_PATH=str(tmp_path)):
        yield


@pytest.fixture
def locks(server: Server) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


class Admin(Browser):
    """An administrator's browser; ``open`` is what the page's script does."""

    user: Any

    def __init__(self, login: str, first: str, last: str, locks: Client, rights: Optional[list[str]] = None) -> None:
        super().__init__(HTTP_ACCEPT_LANGUAGE="en")
        self.user, _ = get_user_model().objects.get_or_create(
            username=f"{login}{'' if rights is None else rights}",
            defaults={"first_name": first, "last_name": last, "is_staff": True, "is_superuser": rights is None},
        )
        if rights is not None:
            from django.contrib.auth.models import Permission

            self.user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        self.force_login(self.user)
        self.locks = locks
        self.owner = Owner(
            session=session_of(self.session.session_key or ""), user_id=str(self.user.pk), name=f"{first} {last}"
        )

    def open(self, obj: Any) -> int:
        return self.locks.capture(mutex_id(obj), owner=self.owner, if_free=True, status_data="tab/form").token

    def save(self, obj: Any, token: Optional[int], more: Optional[dict[str, Any]] = None) -> Any:
        fields: dict[str, Any] = {"editlock_token": "" if token is None else token, **(more or {})}
        return self.post(address(obj), fields)

    def says(self, response: Any) -> str:
        """The messages on the page, or on the one that it leads to."""
        if response.status_code == 302:
            response = self.get(response["Location"])
        return re.sub(r"\s+", " ", " ".join(str(message) for message in response.context["messages"]))


def address(obj: Any, page: str = "change") -> str:
    from django.contrib.admin.utils import quote
    from django.urls import reverse

    opts = obj._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[quote(obj.pk)])


LIST = "/admin/shop/invoice/"


@pytest.fixture
def ivan(locks: Client) -> Admin:
    return Admin("ivanov", "Ivan", "Ivanov", locks)


@pytest.fixture
def olga(locks: Client) -> Admin:
    return Admin("petrova", "Olga", "Petrova", locks)


@pytest.fixture
def invoice(name: str) -> Invoice:
    return Invoice.objects.create(number=name, text="as it was")


def form_of(invoice: Invoice, **fields: Any) -> dict[str, Any]:
    form = {"number": invoice.number, "text": invoice.text}
    for prefix in ("item_set", "payment_set"):
        form.update({f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"})
    return {**form, **fields}


def row_form(invoice: Invoice, text: str) -> dict[str, Any]:
    return {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(invoice.pk),
        "form-0-text": text,
        "_save": "Save",
    }


def stored(invoice: Invoice) -> str:
    return str(Invoice.objects.get(pk=invoice.pk).text)


def page_of(response: Any) -> Any:
    found = re.search(r'id="editlock-page">(.*?)</script>', response.content.decode())
    return found and json.loads(found[1])


# --- the change form


def test_the_change_form_says_what_is_locked_and_by_whom(ivan: Admin, invoice: Invoice, server: Server) -> None:
    response = ivan.get(address(invoice))
    page = page_of(response)
    id = mutex_id(invoice)
    assert page["server"] == server.url
    assert page["mutex"] == {"group": id.group, "mode": "shop.invoice", "id": str(invoice.pk)}
    assert (page["owner"]["session"], page["owner"]["name"]) == (ivan.owner.session, "Ivan Ivanov")
    assert page["form"] == "invoice_form"
    assert re.search(r'<form [^>]*id="invoice_form"', response.content.decode())
    assert f"/static/{django_site.THEME or 'admin'}/" in response.content.decode()
    assert ivan.get(page["token_url"]).json()["token"]
    assert str(ivan.session.session_key) not in json.dumps(page)


def test_a_save_with_the_token_is_stored_and_without_it_is_not(ivan: Admin, invoice: Invoice) -> None:
    token = ivan.open(invoice)
    assert ivan.save(invoice, token, form_of(invoice, text="new")).status_code == 302
    assert stored(invoice) == "new"
    for wrong in (None, token + 1):
        refused = ivan.save(invoice, wrong, form_of(invoice, text="newer"))
        assert refused.status_code == 409
        assert "Nothing was saved." in ivan.says(refused)
    assert stored(invoice) == "new"


def test_a_stale_save_is_refused_with_the_holder_and_what_was_typed(
    ivan: Admin, olga: Admin, invoice: Invoice, locks: Client
) -> None:
    token = ivan.open(invoice)
    locks.takeover(mutex_id(invoice), token, "urgent", owner=olga.owner)
    items = {"item_set-TOTAL_FORMS": "1", "item_set-0-what": "a pen"}
    refused = ivan.save(invoice, token, form_of(invoice, text="<b>mine</b>", **items))
    assert refused.status_code == 409
    said = ivan.says(refused)
    assert "Olga Petrova took over your lock. Reason: urgent." in said
    assert "<pre>&lt;b&gt;mine&lt;/b&gt;</pre>" in said
    assert "a pen" in said
    page = page_of(refused)
    assert page["refused"]
    assert page["unsaved"] == {"text": "<b>mine</b>", "item_set-0-what": "a pen"}
    assert refused.context["adminform"].form["text"].value() == "as it was"
    assert stored(invoice) == "as it was"
    assert not Item.objects.filter(invoice=invoice).exists()


def test_a_save_without_a_token_names_who_edits(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    olga.open(invoice)
    assert "Olga Petrova" in ivan.says(ivan.save(invoice, None, form_of(invoice, text="x")))
    assert stored(invoice) == "as it was"


def test_anothers_token_saves_nothing(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    token = olga.open(invoice)
    assert "Olga Petrova" in ivan.says(ivan.save(invoice, token, form_of(invoice, text="x")))
    assert stored(invoice) == "as it was"


def test_mistakes_in_a_form_keep_what_was_typed(ivan: Admin, invoice: Invoice) -> None:
    page = ivan.save(invoice, ivan.open(invoice), form_of(invoice, number="", text="new"))
    assert page.status_code == 200
    assert (page_of(page)["unsaved"], page_of(page)["refused"]) == ({"number": "", "text": "new"}, False)


def test_a_refused_save_of_a_deleted_object_is_no_error(ivan: Admin, invoice: Invoice) -> None:
    token = ivan.open(invoice)
    page = address(invoice)
    invoice.delete()
    assert ivan.post(page, {"editlock_token": token}).status_code == 302
    assert ivan.get(page).status_code == 302


def test_what_needs_no_lock_has_none(ivan: Admin, invoice: Invoice, locks: Client) -> None:
    assert page_of(ivan.get("/admin/shop/invoice/add/")) is None
    added = ivan.post("/admin/shop/customer/add/", {"name": "ACME"})
    assert added.status_code == 302
    assert ivan.get(address(invoice, "history")).status_code == 200
    copied = ivan.save(invoice, None, form_of(invoice, number=f"{invoice.number}b", _saveasnew="1"))
    assert copied.status_code == 302
    assert Invoice.objects.filter(number=f"{invoice.number}b").count() == 1
    wrong = ivan.save(invoice, None, form_of(invoice, number="", _saveasnew="1"))
    assert wrong.status_code == 200
    assert not locks.list(group=mutex_id(invoice).group).mutexes


def test_a_popup_is_locked_like_any_form(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    assert page_of(ivan.get(address(invoice) + "?_popup=1"))
    olga.open(invoice)
    refused = ivan.post(address(invoice) + "?_popup=1", {**form_of(invoice), "_popup": "1"})
    assert refused.status_code == 409
    assert "Olga" in ivan.says(refused)


def test_who_may_only_look_takes_no_lock(locks: Client, invoice: Invoice) -> None:
    reader = Admin("reader", "Rea", "Der", locks, rights=["view_invoice"])
    page = reader.get(address(invoice))
    assert page.status_code == 200
    assert page_of(page) is None
    assert reader.save(invoice, None, form_of(invoice, text="x")).status_code == 403
    assert reader.post(address(invoice, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("make", "mode"),
    [
        (lambda name: Ticket.objects.create(text="old"), "shop.ticket"),
        (lambda name: Page.objects.create(path=f"%/a b/{name}/_/é", text="old"), "shop.page"),
        (lambda name: Page.objects.create(path=name + "x" * 600, text="old"), "shop.page"),
        (lambda name: Archived.objects.create(text="old"), "shop.archived@archive"),
    ],
    ids=["uuid", "text", "long", "unmanaged in another database"],
)
def test_keys_and_databases_of_all_kinds(ivan: Admin, olga: Admin, name: str, make: Any, mode: str) -> None:
    obj = make(name)
    id = mutex_id(obj)
    assert id.mode == mode
    assert page_of(ivan.get(address(obj)))["mutex"]["id"] == id.id
    form = {"text": "new", ("path" if isinstance(obj, Page) else "id"): obj.pk}
    token = ivan.open(obj)
    assert olga.save(obj, token, form).status_code == 409
    assert ivan.save(obj, token, form).status_code == 302
    assert type(obj).objects.get(pk=obj.pk).text == "new"


def test_a_form_that_changes_the_key_needs_both_locks(ivan: Admin, olga: Admin, name: str) -> None:
    mine, hers = (Page.objects.create(path=f"{name}{n}", text="old") for n in (1, 2))
    token = ivan.open(mine)
    olga.open(hers)
    refused = ivan.save(mine, token, {"path": hers.pk, "text": "new"})
    assert refused.status_code in (200, 409)
    assert Page.objects.get(pk=hers.pk).text == "old"
    assert ivan.save(mine, None, {"path": f"{name}3", "text": "new"}).status_code == 409
    assert ivan.save(mine, token, {"path": f"{name}3", "text": "new"}).status_code == 302


def test_proxies_and_children_share_their_parents_lock(ivan: Admin, olga: Admin, name: str) -> None:
    note = CreditNote.objects.create(number=name)
    ids = {mutex_id(o.objects.get(pk=note.pk)) for o in (Invoice, Draft, CreditNote)}
    assert len(ids) == 1
    olga.open(note)
    assert ivan.post(address(Draft.objects.get(pk=note.pk)), {"number": "x"}).status_code == 409


# --- deletion, actions, the list


def test_a_deletion_is_refused_by_name(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    olga.open(invoice)
    for call in (ivan.get, ivan.post):
        refused = call(address(invoice, "delete"), {"post": "yes"})
        assert refused.status_code == 302
        said = rf"Nothing was deleted. Invoice {invoice.number}: Olga Petrova .*since \d\d:\d\d"
        assert re.search(said, ivan.says(refused))
    assert Invoice.objects.filter(pk=invoice.pk).exists()


def test_ones_own_form_in_another_window_is_in_the_way_too(ivan: Admin, invoice: Invoice) -> None:
    ivan.open(invoice)
    assert "in another window" in ivan.says(ivan.post(address(invoice, "delete"), {"post": "yes"}))
    assert Invoice.objects.filter(pk=invoice.pk).exists()


def test_the_form_that_one_comes_from_is_not(ivan: Admin, invoice: Invoice, locks: Client) -> None:
    token = ivan.open(invoice)
    locks.release(mutex_id(invoice), owner=ivan.owner, if_token=token, grace=4)
    assert ivan.get(address(invoice, "delete")).status_code == 200
    assert ivan.post(address(invoice, "delete"), {"post": "yes"}).status_code == 302
    assert not Invoice.objects.filter(pk=invoice.pk).exists()
    assert not locks.list(group=mutex_id(invoice).group).mutexes


def test_a_deletion_asks_for_what_goes_along(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    customer = Customer.objects.create(name="ACME")
    Invoice.objects.filter(pk=invoice.pk).update(customer=customer)
    olga.open(invoice)
    said = ivan.says(ivan.post(address(customer, "delete"), {"post": "yes"}))
    assert f"Invoice {invoice.number}: Olga Petrova" in said
    chosen = {"action": "delete_selected", "_selected_action": [customer.pk], "post": "yes"}
    assert "Olga Petrova" in ivan.says(ivan.post("/admin/shop/customer/", chosen))
    assert Customer.objects.filter(pk=customer.pk).exists()


@pytest.mark.parametrize("step", ["asked", "confirmed"])
def test_delete_selected_is_refused_by_name(ivan: Admin, olga: Admin, invoice: Invoice, step: str) -> None:
    other = Invoice.objects.create(number=f"{invoice.number}b")
    olga.open(invoice)
    chosen = {"action": "delete_selected", "_selected_action": [invoice.pk, other.pk], "index": "0"}
    if step == "confirmed":
        del chosen["index"]
        chosen["post"] = "yes"
    said = ivan.says(ivan.post(LIST, chosen))
    assert f"The action was not run. Invoice {invoice.number}: Olga Petrova" in said
    assert Invoice.objects.filter(pk__in=[invoice.pk, other.pk]).count() == 2


def test_delete_selected_deletes_what_is_free_and_leaves_no_locks(ivan: Admin, invoice: Invoice, locks: Client) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [invoice.pk], "post": "yes"}
    assert ivan.post(LIST, {**chosen, "index": "0", "post": ""}).status_code == 200
    assert not locks.history(mutex_id(invoice)).entries  # asking takes no lock
    assert ivan.post(LIST, chosen).status_code == 302
    assert not Invoice.objects.filter(pk=invoice.pk).exists()
    assert not locks.list(group=mutex_id(invoice).group).mutexes


def test_ones_own_actions_are_guarded_unless_they_only_read(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    olga.open(invoice)
    chosen = {"_selected_action": [invoice.pk], "index": "0"}
    assert "Olga Petrova" in ivan.says(ivan.post(LIST, {"action": "pay", **chosen}))
    assert not Invoice.objects.get(pk=invoice.pk).paid
    assert "exported 1" in ivan.says(ivan.post(LIST, {"action": "export", **chosen}))


def test_list_editable_is_refused_by_name_and_keeps_what_was_typed(
    ivan: Admin, olga: Admin, invoice: Invoice, locks: Client
) -> None:
    Invoice.objects.exclude(pk=invoice.pk).delete()
    token = olga.open(invoice)
    refused = ivan.post(LIST, row_form(invoice, "typed"))
    assert refused.status_code == 200
    assert f"Nothing was saved. Invoice {invoice.number}: Olga Petrova" in ivan.says(refused)
    assert "typed" in refused.content.decode()
    assert stored(invoice) == "as it was"
    assert ivan.post(LIST, row_form(invoice, "as it was")).status_code == 302  # nothing to save
    locks.release(mutex_id(invoice), owner=olga.owner, if_token=token)
    assert ivan.post(LIST, row_form(invoice, "typed")).status_code == 302
    assert stored(invoice) == "typed"
    assert not locks.list(group=mutex_id(invoice).group).mutexes


def test_an_inline_that_is_locked_by_itself_is_refused(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    payment = Payment.objects.create(invoice=invoice, amount=5)
    olga.open(payment)
    inline = {
        "payment_set-TOTAL_FORMS": "1",
        "payment_set-INITIAL_FORMS": "1",
        "payment_set-0-id": payment.pk,
        "payment_set-0-invoice": invoice.pk,
        "payment_set-0-amount": "6",
    }
    refused = ivan.save(invoice, ivan.open(invoice), form_of(invoice, text="new", **inline))
    assert refused.status_code == 409
    assert "Payment 6: Olga Petrova" in ivan.says(refused)
    assert (stored(invoice), Payment.objects.get().amount) == ("as it was", 5)


def test_the_list_says_who_edits_what_by_one_query(
    ivan: Admin, olga: Admin, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = Invoice.objects.create(number=f"{invoice.number}b")
    olga.open(invoice)
    ivan.open(mine)
    calls: list[str] = []
    monkeypatch.setattr(Client, "_run", _counting(Client._run, calls))
    page = ivan.get(LIST).content.decode()
    assert re.search(r"being edited by", page, re.IGNORECASE)
    assert re.search(r"Olga Petrova, since \d\d:\d\d", page)
    assert re.search(r"you, since \d\d:\d\d", page)
    assert len(calls) == 1


def test_the_list_says_who_edits_a_part_or_has_closed_all(
    ivan: Admin, locks: Client, invoice: Invoice, olga: Admin
) -> None:
    id = mutex_id(invoice)
    every = ID(mode=id.mode, group=id.group, below=True)
    for held in (replace(id, part="address"), every):
        locks.capture(held, owner=olga.owner)
        assert re.search(r"Olga Petrova, since \d\d:\d\d", ivan.get(LIST).content.decode())
        refused = ivan.save(invoice, None, form_of(invoice, text="new"))
        assert refused.status_code == 409
        locks.release(held, owner=olga.owner)
    assert "Olga Petrova" not in ivan.get(LIST).content.decode()


@pytest.mark.parametrize("presence", [False, True])
def test_the_list_does_not_take_readers_for_editors(
    ivan: Admin, olga: Admin, locks: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch, presence: bool
) -> None:
    monkeypatch.setattr(admin.site._registry[Invoice], "editlock_presence", presence, raising=False)
    id = mutex_id(invoice)
    anna = Owner(session="Anna", name="Anna")
    locks.capture(id, owner=olga.owner, sharing="shared")
    assert re.search(r">reading: Olga Petrova, since \d\d:\d\d<", ivan.get(LIST).content.decode())
    locks.capture(id, owner=anna, sharing="shared")
    locks.capture(id, owner=ivan.owner, sharing="shared")
    said = re.search(r">reading: [^<]*<", ivan.get(LIST).content.decode())
    assert said is not None
    assert re.search(r"Olga Petrova, since \d\d:\d\d", said[0]) or re.search(r"Anna, since \d\d:\d\d", said[0])
    assert said[0].endswith(" and 1 more<")
    assert re.search(r">читают: [^<]* и ещё 1<", ivan.get(LIST, HTTP_ACCEPT_LANGUAGE="ru").content.decode())
    for owner in (olga.owner, anna, ivan.owner):
        locks.release(id, owner=owner)
    # An editor of one part is named before a reader of another.
    locks.capture(replace(id, part="address"), owner=anna, sharing="shared")
    locks.capture(replace(id, part="lines"), owner=olga.owner)
    page = ivan.get(LIST).content.decode()
    assert re.search(r">Olga Petrova, since \d\d:\d\d" + ("; reading: Anna" if presence else "<"), page)


def test_the_list_says_who_looks_by_one_query(
    ivan: Admin, olga: Admin, locks: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin.site._registry[Invoice], "editlock_presence", True, raising=False)
    mine = Invoice.objects.create(number=f"{invoice.number}b")
    olga.open(invoice)
    ivan.open(mine)
    for name in ("Anna", "Boris", "Clara", "David"):
        locks.look("p", [Look(mutex_id(mine))], owner=Owner(session=name, name=name))
    for owner in (olga.owner, ivan.owner, Owner(session="Emil", name="Emil")):  # the holder, the reader and another
        locks.look("p", [Look(mutex_id(invoice))], owner=owner)
    calls: list[str] = []
    with monkeypatch.context() as counting:
        counting.setattr(Client, "_run", _counting(Client._run, calls))
        page = ivan.get(LIST).content.decode()
    assert calls == ["/v1/presence-query"]
    assert re.search(r"Olga Petrova, since \d\d:\d\d; looking: Emil<", page)
    assert re.search(r"you, since \d\d:\d\d; looking: Anna, Boris and 2 more<", page)
    russian = ivan.get(LIST, HTTP_ACCEPT_LANGUAGE="ru").content.decode()
    assert re.search(r"Olga Petrova, с \d\d:\d\d; смотрят: Emil<", russian)
    assert "смотрят: Anna, Boris и ещё 2<" in russian
    page = ivan.get(address(mine)).content.decode()
    assert '"presence": true' in page


def test_names_keep_the_order_of_the_text_around_them(ivan: Admin, locks: Client, invoice: Invoice) -> None:
    hebrew = Invoice.objects.create(number=f"\u05d0{invoice.number}")
    locks.capture(mutex_id(hebrew), owner=Owner(session="s", name="\u05d3\u05d5\u05d3"))
    shown = "\u2068\u05d3\u05d5\u05d3\u2069"
    assert f"{shown}, since" in ivan.get(LIST).content.decode()
    said = ivan.says(ivan.post(address(hebrew, "delete"), {"post": "yes"}))
    assert f"\u2068Invoice {hebrew.number}\u2069: {shown} " in said


def _counting(run: Any, calls: list[str]) -> Any:
    def counted(self: Any, call: Any, within: Any = None) -> Any:
        calls.append(call.path)
        return run(self, call, within)

    return counted


# --- the rest


def test_logging_out_frees_what_was_held(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    ivan.open(invoice)
    ivan.post("/admin/logout/")
    olga.open(invoice)


def test_the_index_leads_to_the_locks_and_the_manager(ivan: Admin, invoice: Invoice, server: Server) -> None:
    ivan.open(invoice)
    assert 'href="/admin/editlock/lock/"' in ivan.get("/admin/").content.decode()
    page = ivan.get("/admin/editlock/lock/", {"q": invoice.number}).content.decode()
    assert "Ivan Ivanov" in page
    assert f'href="{server.url}/"' in page
    assert ivan.get("/admin/editlock/lock/add/").status_code == 404


def test_being_staff_does_not_show_the_locks_of_others(ivan: Admin, invoice: Invoice, locks: Client) -> None:
    ivan.open(invoice)
    for rights, status in (["change_invoice"], 403), (["view_lock"], 200):
        clerk = Admin("clerk", "Clara", "Klein", locks, rights=rights)
        assert ('href="/admin/editlock/lock/"' in clerk.get("/admin/").content.decode()) == (status == 200)
        page = clerk.get("/admin/editlock/lock/")
        assert (page.status_code, "Ivan Ivanov" in page.content.decode()) == (status, status == 200)


def test_refusals_are_in_the_readers_language(ivan: Admin, olga: Admin, invoice: Invoice) -> None:
    olga.open(invoice)
    refused = ivan.post(address(invoice), form_of(invoice, text="x"), HTTP_ACCEPT_LANGUAGE="ru")
    said = ivan.says(refused)
    assert said.startswith("Ничего не сохранено.")
    assert "Olga Petrova" in said
    assert "Что вы ввели" in said


# --- without a server


@pytest.fixture
def away() -> Iterator[None]:
    with override_settings(EDITLOCK_URL=f"http://127.0.0.1:{free_port()}", EDITLOCK_TIMEOUT=0.2):
        yield


@pytest.mark.usefixtures("away")
def test_without_a_server_nothing_is_saved_and_what_was_typed_stays(ivan: Admin, invoice: Invoice) -> None:
    assert page_of(ivan.get(address(invoice)))  # the element says that there is no connection
    refused = ivan.save(invoice, 7, form_of(invoice, text="typed"))
    assert refused.status_code == 503
    assert "The lock server does not answer" in ivan.says(refused)
    assert "typed" in ivan.says(refused)
    assert "does not answer" in ivan.says(ivan.post(address(invoice, "delete"), {"post": "yes"}))
    assert ivan.get(address(invoice, "delete")).status_code == 200
    assert ivan.get(LIST).status_code == 200
    Invoice.objects.exclude(pk=invoice.pk).delete()
    assert ivan.post(LIST, row_form(invoice, "typed")).status_code == 200
    assert stored(invoice) == "as it was"
    assert ivan.post("/admin/logout/").status_code == 200


@pytest.mark.usefixtures("away")
def test_without_a_server_all_is_saved_with_a_warning_where_that_is_the_policy(ivan: Admin, invoice: Invoice) -> None:
    with override_settings(EDITLOCK_WHEN_UNREACHABLE="allow"):
        page = ivan.get(address(invoice))
        assert page_of(page) is None
        assert "so can others" in ivan.says(page)
        saved = ivan.save(invoice, None, form_of(invoice, text="typed"))
        assert "without a lock" in ivan.says(saved)
        assert stored(invoice) == "typed"
        assert "without a lock" in ivan.says(ivan.post(address(invoice, "delete"), {"post": "yes"}))
    assert not Invoice.objects.filter(pk=invoice.pk).exists()


def test_a_server_that_refuses_this_site_is_no_server_that_is_away(
    ivan: Admin, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from editlock import Forbidden

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Forbidden("no such key")

    monkeypatch.setattr(Client, "capture", refuse)
    with override_settings(EDITLOCK_WHEN_UNREACHABLE="allow"):
        assert "refused: no such key" in ivan.says(ivan.save(invoice, 7, form_of(invoice, text="x")))
    assert stored(invoice) == "as it was"


def test_ids_fit_the_server() -> None:
    assert mutex_id(Ticket(id=uuid.UUID(int=7))).id == "00000000-0000-0000-0000-000000000007"
    ids = [mutex_id(Page(path=path)).id for path in ("", "%", "a\nb", "a%0Ab", "я" * 251, "я" * 250)]
    assert len(set(ids)) == len(ids)
    assert all(0 < len(id.encode()) <= 500 for id in ids)
