"""editlock in Django: owners from requests, guarded saves, the admin's page."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import AsyncClient as AsyncBrowser
from django.test import Client as Browser
from django.test.utils import override_settings

import django_site
from editlock import Client, Owner, Page
from editlock.django.owners import session_of
from servers import Server

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="module")
def tables() -> None:
    call_command("migrate", verbosity=0)


@pytest.fixture(autouse=True)
def site(server: Server, tmp_path: Path) -> Iterator[None]:
    with override_settings(EDITLOCK_URL=server.url, SESSION_FILE_PATH=str(tmp_path)):
        yield


@pytest.fixture
def locks(server: Server) -> Iterator[Client]:
    with Client(server.url) as made:
        yield made


def browser(login: str = "", language: str = "en") -> Browser:
    made = Browser(HTTP_ACCEPT_LANGUAGE=language)
    if login:
        user, _ = get_user_model().objects.get_or_create(
            username=login,
            defaults={"first_name": "Иван", "last_name": "Иванов", "is_staff": True, "is_superuser": True},
        )
        made.force_login(user)
    return made


def test_the_owner_is_the_requests_session_and_user(locks: Client, name: str) -> None:
    ivan = browser("ivan")
    assert ivan.post(f"/{name}/block/").status_code == 200
    held = locks.list(group=name).mutexes[0]
    user = get_user_model().objects.get(username="ivan")
    assert held.owner == Owner(
        session=session_of(ivan.session.session_key or ""),
        user_id=str(user.pk),
        login="ivan",
        name="Иван Иванов",
        host="127.0.0.1",
    )


def test_nobody_can_read_the_session_key_in_the_list(locks: Client, name: str) -> None:
    ivan = browser("ivan")
    ivan.post(f"/{name}/block/")
    assert str(ivan.session.session_key) not in repr(locks.list(group=name))


def test_the_same_browser_is_the_same_holder_and_another_is_not(name: str) -> None:
    ivan, olga = browser("ivan"), browser("olga")
    token = ivan.post(f"/{name}/block/").json()["token"]
    assert ivan.post(f"/{name}/block/").json()["token"] == token
    from editlock import Busy

    with pytest.raises(Busy, match="Иван Иванов"):
        olga.post(f"/{name}/block/")


def test_a_visitor_who_locks_is_given_a_session(name: str) -> None:
    visitor = browser()
    token = visitor.post(f"/{name}/block/").json()["token"]
    assert visitor.post(f"/{name}/block/").json()["token"] == token


def test_a_visitor_who_locks_nothing_is_not(name: str) -> None:
    assert not browser().get("/quiet/").cookies


def test_a_user_without_names_has_none() -> None:
    from m3_mutex import MutexOwner
    from m3_mutex._names import to_owner

    owner = to_owner(MutexOwner(session_id="s", user_id=17, name=" ", login="ivan", host=" "))
    assert (owner.name, owner.label, owner.host) == ("", "ivan", "")


def test_the_drop_in_takes_the_same_owner(name: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]
    got = ivan.post(f"/{name}/block-m3/").json()
    assert got["token"] == token
    assert got["owner"]["name"] == "Иван Иванов"


CONTRACT = json.loads((ROOT.parents[1] / "testdata" / "guard" / "contract.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("view", ["save", "save-class", "save-async"])
@pytest.mark.parametrize("case", CONTRACT["cases"], ids=[case["name"] for case in CONTRACT["cases"]])
def test_the_guard_reads_what_every_client_sends(locks: Client, name: str, view: str, case: dict[str, Any]) -> None:
    ivan = browser("ivan")
    stale = ivan.post(f"/{name}/block/").json()["token"]
    id = django_site.mutex_id(None, name)  # type: ignore[arg-type]
    holder = locks.request(id)[1]
    assert holder is not None
    current = locks.takeover(id, stale, "again", owner=holder.owner).token
    token = {"current": str(current), "stale": str(stale)}.get(case["token"], case["token"])
    want = 200 if case["saved"] else 400 if case.get("malformed") else 409
    header: Any = {"HTTP_" + CONTRACT["header"].upper().replace("-", "_"): token}
    assert ivan.post(f"/{name}/{view}/", **header).status_code == want
    assert ivan.post(f"/{name}/{view}/", {CONTRACT["field"]: token}).status_code == want


@pytest.mark.parametrize("view", ["save", "save-class"])
def test_a_save_without_the_token_is_refused(name: str, view: str) -> None:
    ivan = browser("ivan")
    ivan.post(f"/{name}/block/")
    for text in ("", "9007199254740993", "9223372036854775807"):
        assert ivan.post(f"/{name}/{view}/", {"editlock_token": text}).status_code == 409, text
    for text in ("0", "-1", "x", "1" * 30, "٣"):
        refused = ivan.post(f"/{name}/{view}/", {"editlock_token": text})
        assert refused.status_code == 400
        assert (refused.json()["code"], refused.json()["field"]) == ("invalid", "editlock_token")
        assert "editlock_token must be the token of a lock, a whole number above 0" in refused.json()["detail"]
    assert ivan.get(f"/{name}/{view}/").status_code == 200


@pytest.mark.parametrize("view", ["save", "save-class"])
def test_a_save_with_the_token_goes_through(name: str, view: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]
    assert ivan.post(f"/{name}/{view}/", {"editlock_token": token}).status_code == 200
    assert ivan.post(f"/{name}/{view}/", HTTP_EDITLOCK_TOKEN=str(token)).status_code == 200
    assert ivan.post(f"/{name}/save/", {"editlock_token": token}).json() == {"saved": token}


def test_a_save_after_a_takeover_is_refused_and_told_who_took_over(locks: Client, name: str, olga: Owner) -> None:
    ivan = browser("ivan", "ru")
    token = ivan.post(f"/{name}/block/").json()["token"]
    locks.takeover(django_site.mutex_id(None, name), token, "срочно", owner=olga)  # type: ignore[arg-type]
    refused = ivan.post(f"/{name}/save/", {"editlock_token": token})
    assert refused.status_code == 409
    assert refused.json()["holder"] == {"name": "Петрова А. А."}
    assert "Вашу блокировку перехватили (Петрова А. А.). Причина: срочно." in refused.json()["detail"]
    page = ivan.post(f"/{name}/save/", {"editlock_token": token}, HTTP_ACCEPT="text/html,*/*")
    assert page.status_code == 409
    assert "Петрова" in page.content.decode()


def test_anothers_token_does_not_save(name: str) -> None:
    token = browser("ivan").post(f"/{name}/block/").json()["token"]
    assert browser("olga").post(f"/{name}/save/", {"editlock_token": token}).status_code == 409


@pytest.mark.parametrize("view", ["save", "save-class", "save-async"])
def test_a_shared_hold_saves_nothing(locks: Client, name: str, view: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]
    whole = django_site.mutex_id(None, name)  # type: ignore[arg-type]
    me = locks.request(whole)[1]
    assert me is not None
    locks.capture(whole, owner=me.owner, sharing="shared")
    refused = ivan.post(f"/{name}/{view}/", {"editlock_token": token})
    assert (refused.status_code, refused.json()["code"]) == (409, "lost")


def test_asynchronous_views_are_guarded_and_have_the_owner(name: str) -> None:
    ivan = browser("ivan")
    token = ivan.post(f"/{name}/block/").json()["token"]

    async def visit() -> tuple[Any, Any, Any]:
        browsing = AsyncBrowser()
        header: Any = {"Editlock-Token": str(token)}
        browsing.cookies = ivan.cookies
        return (
            await browsing.post(f"/{name}/save-async/", "{}", content_type="application/json", **header),
            await browsing.post(f"/{name}/save-async/", "{}", content_type="application/json"),
            await browsing.get(f"/{name}/who-async/"),
        )

    saved, refused, who = asyncio.run(visit())
    assert (saved.status_code, refused.status_code) == (200, 409)
    assert saved.json() == {"saved": token}
    assert who.json()["session"] == session_of(ivan.session.session_key or "")


def test_the_admins_page_lists_what_is_locked(locks: Client, name: str) -> None:
    ivan = browser("ivan", "ru")
    ivan.post(f"/{name}/block/")
    page = ivan.get("/admin/locks/", {"q": name}).content.decode()
    assert f"{name}/invoice/17" in page
    assert "Иван Иванов" in page
    assert "Открыть диспетчер блокировок" in page
    assert "Nothing is locked." in browser("ivan").get("/admin/locks/", {"q": f"no such {name}"}).content.decode()


@pytest.mark.parametrize("empty", [3, 10**6])
def test_the_admins_page_reads_on_where_a_search_ends_early(
    locks: Client, name: str, monkeypatch: pytest.MonkeyPatch, empty: int
) -> None:
    from editlock.django import views

    ivan = browser("ivan")
    ivan.post(f"/{name}/block/")
    asked = []

    class Scarce:
        def list(self, cursor: Optional[str] = None, **filters: Any) -> Page:
            asked.append(cursor)
            return Page((), f"after {len(asked)}") if len(asked) <= empty else locks.list(**filters)

    monkeypatch.setattr(views, "client", Scarce)
    monkeypatch.setattr(views, "_READ_FOR", 10 if empty == 3 else 0)
    page = ivan.get("/admin/locks/", {"q": name}).content.decode()
    assert "Nothing is locked." not in page
    if empty == 3:
        assert f"{name}/invoice/17" in page
        assert asked == [None, "after 1", "after 2", "after 3"]
    else:
        assert "There are more" in page


def test_the_admins_page_links_to_the_lock_manager() -> None:
    with override_settings(EDITLOCK_PUBLIC_URL="https://locks.example.org/"):
        assert 'href="https://locks.example.org/"' in browser("ivan").get("/admin/locks/").content.decode()


def test_the_admins_page_is_for_staff() -> None:
    assert browser().get("/admin/locks/").status_code == 302


def test_the_admins_page_says_that_the_server_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from editlock import django as setup

    with Client("http://127.0.0.1:9", timeout=0.1) as away, override_settings(EDITLOCK_URL="http://127.0.0.1:9"):
        monkeypatch.setitem(setup._clients, "http://127.0.0.1:9", away)
        assert "does not answer" in browser("ivan").get("/admin/locks/").content.decode()


def test_the_drop_in_asks_for_no_migration() -> None:
    call_command("makemigrations", "m3_mutex", check=True, dry_run=True, verbosity=0)


def test_what_the_table_holds_is_carried_over(locks: Client, name: str) -> None:
    from datetime import timedelta
    from io import StringIO

    from django.utils import timezone

    from m3_mutex.models import MutexModel

    visitor = browser("ivan")
    key = visitor.session.session_key or ""

    def row(
        id: str, session: str, age: float, rule: str = "timeout", config: str = "300", mode: str = "invoice"
    ) -> None:
        MutexModel.objects.create(
            mutex_group=name,
            mutex_mode=mode,
            mutex_id=id,
            owner_session=session,
            owner_name="Иванов",
            owner_id="17",
            auto_release_rule=rule,
            auto_release_config=config,
            captured_since=timezone.now() - timedelta(seconds=age),
            status_data=f"tab {id}",
        )

    MutexModel.objects.all().delete()
    row("17", key, 10)
    row("expired", "s", 301)
    row("forever", "job", 9999, rule="")
    row("twice", "first", 20)
    row("twice", "last", 10)
    row("17", "s", 10, mode="of another set")
    out, err = StringIO(), StringIO()
    call_command("m3_mutex_import", mode=["invoice"], stdout=out, stderr=err)
    assert out.getvalue().strip() == "captured: 3, expired: 1, held already: 1"
    assert f"{name}/invoice/twice is held by Иванов" in err.getvalue()
    held = {mutex.id.id: mutex for mutex in locks.list(group=name).mutexes}
    assert set(held) == {"17", "forever", "twice"}
    assert (held["17"].owner.user_id, held["17"].status_data) == ("17", "tab 17")
    assert held["forever"].auto_release.never
    assert held["twice"].owner.session == "last"
    assert {mutex.id.mode for mutex in held.values()} == {"invoice"}
    # The visitor goes on with it.
    assert visitor.post(f"/{name}/block/").json()["token"] == held["17"].token
    call_command("m3_mutex_import", mode=["invoice"], stdout=out, stderr=err)
    assert out.getvalue().endswith("captured: 0, expired: 1, held already: 4\n")


M3 = """
import django
from django.conf import settings
settings.configure(SECRET_KEY="for tests", INSTALLED_APPS=[])
django.setup()
import m3_mutex
from m3_mutex.helpers import get_default_owner
from editlock.django.owners import session_of
from m3_legacy.middleware import M3CommonMiddleware, get_thread_data
class User:
    id, username, first_name, last_name, is_authenticated = 17, "ivan", "Ivan", "Ivanov", True
class Session(dict):
    session_key = "secret"
class Request:
    user, session, META = User(), Session(x=1), {"HTTP_X_FORWARDED_FOR": "10.0.0.17"}
get_thread_data()
assert get_default_owner().session_id.startswith("console-session-"), "m3's defaults are no request"
middleware = M3CommonMiddleware(lambda request: None)
middleware.process_request(Request())
print(sorted(vars(get_default_owner()).items()) == sorted(dict(
    session_id=session_of("secret"), user_id="17", name="Ivan Ivanov", login="ivan", host="10.0.0.17").items()))
"""


def test_m3s_own_middleware_names_the_owner_where_it_is_in_use() -> None:
    paths = os.pathsep.join(str(ROOT / part / "src") for part in ("m3_mutex", "editlock"))
    said = subprocess.run(
        [os.environ["EDITLOCK_TEST_ORIGINAL"], "-W", "ignore", "-c", M3],
        env={**os.environ, "PYTHONPATH": paths},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "True"
    assert not said.stderr


def test_pages_have_every_file_that_the_element_may_load() -> None:
    built = ROOT.parent / "js" / "dist"
    static = ROOT / "editlock" / "src" / "editlock" / "django" / "static" / "editlock"
    for file in built.glob("*.js"):
        assert (static / file.name).read_bytes() == file.read_bytes()
