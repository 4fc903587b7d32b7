"""Saves of several parts of an object: all of their tokens are in force, or nothing is saved."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.test.utils import override_settings

import django_site
import m3_mutex
from editlock import ID, Client, Lost, Owner, Unavailable
from editlock.django.owners import session_of
from editlock.django.parts import HeldPart, check_held, held_of, parse_held
from editlock.django.said import Malformed
from mariadb import mariadb
from postgres import postgres
from servers import Server
from test_django import browser, locks, site, tables

__all__ = ["locks", "site", "tables"]  # fixtures

CONTRACT = json.loads((Path(__file__).parents[3] / "testdata" / "guard" / "parts.json").read_text(encoding="utf-8"))
OBJECT = ID(id="7", mode="contract", group="crm")


def part(name: str, of: ID = OBJECT) -> ID:
    return ID(of.id, of.mode, of.group, name)


# --- what a request says


def test_tokens_of_parts_travel_as_everywhere() -> None:
    for case in CONTRACT["read"]:
        want = tuple(HeldPart(part(name), token) for name, token in case["held"])
        assert parse_held(OBJECT, case["text"]) == want, case["text"]
    many = ",".join(f"a{n}=7" for n in range(CONTRACT["most"] + 1))
    assert len(parse_held(OBJECT, many.rpartition(",")[0])) == CONTRACT["most"]
    for text in (*CONTRACT["refused"], many, "a" * 201 + "=7"):
        with pytest.raises(Malformed, match=f"^{CONTRACT['header']} (must be|names (a|more than 100) part)"):
            parse_held(OBJECT, text)


def test_the_name_of_the_field_is_told() -> None:
    from django.test import RequestFactory

    bad = RequestFactory().post("/", {CONTRACT["field"]: "address"})
    with pytest.raises(Malformed, match="^editlock_token must be the token of a lock, a whole number above 0$"):
        held_of(bad, OBJECT)
    # The header is for scripts, whose body may be none of a form.
    both = RequestFactory().post("/", {CONTRACT["field"]: "address=7"}, headers={CONTRACT["header"]: "lines=9"})
    assert held_of(both, OBJECT) == (HeldPart(part("lines"), 9),)


# --- in a template


def rendered(text: str, **values: Any) -> str:
    from django.template import engines

    request = browser("ivan").get("/quiet/").wsgi_request
    return str(engines["django"].from_string("{% load editlock %}" + text).render(values, request))


def test_each_part_has_its_element_and_the_page_one_script() -> None:
    end = "{% endeditlock_part %}"
    page = rendered(
        "{% editlock_part id 'address' %}<b>{{ id.id }}</b>" + end + "{% editlock_part id name %}" + end,
        id=OBJECT,
        name='a"<',
    )
    assert page.count('id="editlock-parts"') == page.count("editlock/parts.js") == 1
    assert '"token": "ey' in page  # of this site, which signs them
    assert '"token_url": "/token/"' in page
    assert 'group="crm" mode="contract" object="7" object-part="address"' in page
    assert 'object-part="a&quot;&lt;"' in page
    assert 'name="Иван Иванов" token-field="editlock_token"><b>7</b></edit-lock>' in page
    assert "object-part" not in rendered("{% editlock_token %}")


@pytest.mark.parametrize("begin", ["{% editlock_part id %}", "{% editlock_part id '' %}"])
def test_a_part_has_a_name(begin: str) -> None:
    from django.template import TemplateSyntaxError

    with pytest.raises(TemplateSyntaxError, match="name"):
        rendered(begin + "{% endeditlock_part %}", id=OBJECT)


# --- over HTTP


@pytest.mark.parametrize("view", ["save-parts", "save-parts-class", "save-parts-async", "save-parts-m3"])
def test_a_view_saves_the_parts_that_are_held(locks: Client, name: str, view: str, olga: Owner) -> None:
    ivan = browser("ivan")
    ivan.post(f"/{name}/block/")  # which makes the session
    me = Owner(session=session_of(ivan.session.session_key or ""), user_id="17", name="Ivan")
    whole = django_site.mutex_id(None, name)  # type: ignore[arg-type]
    locks.release(whole, owner=me)
    tokens = {key: locks.capture(part(key, whole), owner=me).token for key in ("address", "lines", "a,b=%")}

    def save(*, form: bool = False, **header: Any) -> Any:
        said = header.get("said", "")
        if form:
            return ivan.post(f"/{name}/{view}/", {"editlock_token": said})
        return ivan.post(f"/{name}/{view}/", headers={"Editlock-Token": said} if said else {})

    both = f"lines={tokens['lines']},address={tokens['address']}"
    for form in (False, True):
        assert save(said=both, form=form).json() == {
            "saved": [["lines", tokens["lines"]], ["address", tokens["address"]]]
        }
        assert save(said=f"a%2Cb%3D%25={tokens['a,b=%']}", form=form).json() == {"saved": [["a,b=%", tokens["a,b=%"]]]}
        malformed = save(said="address", form=form)
        assert (malformed.status_code, malformed.json()["code"]) == (400, "invalid")
        assert malformed.json()["field"] == ("editlock_token" if form else "Editlock-Token")
        assert save(said="", form=form).status_code == 409
        assert save(said=str(tokens["address"]), form=form).status_code == 409  # a part's token is not the whole's
    locks.takeover(part("lines", whole), tokens["lines"], "urgent", owner=olga)
    refused = save(said=both)
    assert (refused.status_code, refused.json()["code"], refused.json()["mutex"]["part"]) == (409, "lost", "lines")
    assert (
        refused.json()["detail"]
        == "lines: Петрова А. А. took over your lock. Reason: urgent. Петрова А. А. is editing this now."
    )
    assert save(said=f"address={tokens['address']}").status_code == 200
    # What holds for one token holds for those of parts.
    other = browser("olga")
    assert other.post(f"/{name}/{view}/", headers={"Editlock-Token": f"address={tokens['address']}"}).status_code == 409
    locks.capture(part("address", whole), owner=me, sharing="shared")
    shared = save(said=f"address={tokens['address']}")
    assert shared.status_code == 409, "a shared hold is no editor's"
    assert shared.json()["detail"].startswith("address: This page does not hold the lock. Ivan has been reading this")


def test_one_token_is_not_read_as_that_of_a_part(locks: Client, name: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]
    assert ivan.post(f"/{name}/save-parts/", {"editlock_token": token}).json() == {"saved": [["", token]]}
    # A view of the whole takes no part's token, whatever is held.
    assert ivan.post(f"/{name}/save/", {"editlock_token": f"address={token}"}).status_code == 400


@pytest.mark.parametrize("view", ["save", "save-parts"])
def test_without_a_server_nothing_is_saved(name: str, view: str) -> None:
    ivan = browser("ivan")
    with override_settings(EDITLOCK_URL="http://127.0.0.1:9"):
        refused = ivan.post(f"/{name}/{view}/", {"editlock_token": "7"})
        assert (refused.status_code, refused.json()["code"]) == (503, Unavailable.code)


# --- in the transaction that saves


class World:
    """A lock server whose tables are in the site's database."""

    def __init__(self, locks: Client, alias: str, tables: str = "") -> None:
        self.locks, self.alias, self.tables = locks, alias, tables

    def check(self, *held: HeldPart) -> None:
        check_held(held, using=self.alias, tables=self.tables)


@contextmanager
def database(alias: str, **settings: Any) -> Iterator[str]:
    """A database of Django's beside those of the settings."""
    connections.settings.update(connections.configure_settings({"default": {}, alias: settings}) | connections.settings)
    try:
        yield alias
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


@contextmanager
def locking(store: str, folder: Path) -> Iterator[Client]:
    server = Server(folder, store=store)
    try:
        with Client(server.url) as client:
            yield client
    finally:
        server.stop()


@contextmanager
def on_sqlite(folder: Path, attached: bool = False) -> Iterator[World]:
    store = folder / "locks.db"
    file = folder / "app.db" if attached else store
    with (
        locking(f"sqlite:{store}", folder) as client,
        database("guarded", ENGINE="django.db.backends.sqlite3", NAME=str(file)) as alias,
    ):
        if attached:
            with connections[alias].cursor() as cursor:
                cursor.execute("ATTACH %s AS locks", [str(store)])
        yield World(client, alias, "locks" if attached else "")


@contextmanager
def on_postgres(folder: Path) -> Iterator[World]:
    with postgres() as name:
        host, port, base, user = name.partition(":")[2].split(",")
        url = f"postgres://{user}@{host}:{port}/{base}"
        settings = {"ENGINE": "django.db.backends.postgresql", "HOST": host, "PORT": port, "NAME": base, "USER": user}
        with locking(url, folder) as client, database("guarded", **settings) as alias:
            yield World(client, alias)


@contextmanager
def on_mariadb(folder: Path) -> Iterator[World]:
    import pymysql

    pymysql.version_info = (2, 2, 1, "final", 0)  # what Django asks of mysqlclient
    pymysql.install_as_MySQLdb()
    with mariadb() as port:
        with closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as root, root.cursor() as cursor:
            cursor.execute("CREATE DATABASE locks")
            cursor.execute("CREATE DATABASE app")
        settings = {
            "ENGINE": "django.db.backends.mysql",
            "HOST": "127.0.0.1",
            "PORT": port,
            "NAME": "app",
            "USER": "root",
        }
        with (
            locking(f"mysql://root@127.0.0.1:{port}/locks", folder) as client,
            database("guarded", **settings) as alias,
        ):
            yield World(client, alias, "locks")


WORLDS = {
    "SQLite": on_sqlite,
    "SQLite attached": lambda folder: on_sqlite(folder, attached=True),
    "PostgreSQL": on_postgres,
    "MariaDB": on_mariadb,
}


@pytest.fixture(params=list(WORLDS), scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with WORLDS[request.param](tmp_path_factory.mktemp("world")) as made:
        with connections[made.alias].cursor() as cursor:
            cursor.execute("CREATE TABLE report (text VARCHAR(100) NOT NULL)")
            cursor.execute("INSERT INTO report VALUES ('first')")
        yield made


def text_of(world: World) -> str:
    with connections[world.alias].cursor() as cursor:
        cursor.execute("SELECT text FROM report")
        return str(cursor.fetchone()[0])


def save(world: World, text: str, *held: HeldPart, between: Any = lambda: None) -> None:
    with transaction.atomic(using=world.alias):
        world.check(*held)
        between()
        with connections[world.alias].cursor() as cursor:
            cursor.execute("UPDATE report SET text = %s", [text])


def test_all_tokens_are_checked_in_the_transaction_that_saves(
    world: World, name: str, ivan: Owner, olga: Owner
) -> None:
    object = ID(id="7 #/%", mode="contract", group=name)
    address, lines = (world.locks.capture(part(key, object), owner=ivan) for key in ("a,b=% c", "строки"))
    both = (HeldPart(lines.id, lines.token), HeldPart(address.id, address.token))
    taken: dict[ID, int] = {}

    def take(mutex: Any) -> None:
        taken[mutex.id] = world.locks.takeover(mutex.id, mutex.token, "urgent", owner=olga).token

    takers = [threading.Thread(target=take, args=[mutex]) for mutex in (address, lines)]

    def attack() -> None:
        for taker in takers:
            taker.start()
            taker.join(0.4)
        assert not taken, "a part is taken over within the transaction that guards it"

    save(world, "both", *both, between=attack)
    for taker in takers:
        taker.join(20)
    assert len(taken) == 2, "the takeovers come after the transaction"
    assert text_of(world) == "both"
    # They are olga's now.
    with pytest.raises(Lost) as refused:
        save(world, "stale", *both)
    assert refused.value.id == address.id, "the first one, in the order of names"
    save(world, "new", HeldPart(address.id, taken[address.id]))
    with pytest.raises(Lost) as refused:
        save(world, "half", HeldPart(address.id, taken[address.id]), HeldPart(lines.id, lines.token))
    assert refused.value.id == lines.id
    assert text_of(world) == "new"


def test_what_does_not_hold_saves_nothing(world: World, name: str, ivan: Owner) -> None:
    object = ID(id="8", mode="contract", group=name)
    before = text_of(world)

    def refused(*held: HeldPart) -> None:
        with pytest.raises(Lost):
            save(world, "stale", *held)

    refused()
    refused(HeldPart(object, 1))
    address = world.locks.capture(part("address", object), owner=ivan)
    refused(HeldPart(object, address.token))  # a part is not the whole
    refused(HeldPart(part("lines", object), address.token))
    world.locks.capture(address.id, owner=ivan, sharing="shared")
    refused(HeldPart(address.id, address.token))
    short = world.locks.capture(part("short", object), owner=ivan, auto_release=django_site.SHORT)
    save(world, before, HeldPart(short.id, short.token))
    threading.Event().wait(1.2)
    refused(HeldPart(short.id, short.token))
    world.locks.release(address.id, owner=ivan)
    assert text_of(world) == before


def test_who_holds_what_is_above_may_save_a_part(world: World, name: str, ivan: Owner) -> None:
    object = ID(id="9", mode="contract", group=name)
    for above in (object, ID(mode="contract", group=name, below=True), ID(group=name, below=True)):
        held = world.locks.capture(above, owner=ivan)
        save(world, "above", HeldPart(part("address", object), held.token))
        world.locks.release(above, owner=ivan)
        with pytest.raises(Lost):
            save(world, "stale", HeldPart(part("address", object), held.token))


def test_outside_of_a_transaction_it_promises_nothing(world: World) -> None:
    with pytest.raises(transaction.TransactionManagementError, match="must run within transaction.atomic"):
        world.check(HeldPart(OBJECT, 1))


def test_a_view_answers_what_the_transaction_finds(locks: Client, name: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]
    refused = ivan.post(f"/{name}/save-in-database/", headers={"Editlock-Token": str(token)})
    # The tables there are of another server, which knows nothing of this lock.
    assert (refused.status_code, refused.json()["code"], refused.json()["mutex"]["id"]) == (409, "lost", "17")


def test_m3s_names_are_the_drop_ins(name: str) -> None:
    empty = m3_mutex.MutexID(name, "invoice", "")
    from m3_mutex import _names, guard

    seen: list[Any] = []

    @guard.save_guard(lambda request: empty)
    def view(request: Any) -> None:
        seen.append(request)

    from django.test import RequestFactory

    view(RequestFactory().get("/"))
    assert len(seen) == 1
    assert _names.to_id(empty).id == "*"
