"""Two administrators in Chromium, in a project that follows the manual to the letter."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from project import Project, chromium, steps

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"

# The default of five seconds is little on a busy machine.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = chromium(playwright)
        yield started
        started.close()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    began = time.monotonic()
    made = Project(tmp_path_factory.mktemp("project"))
    assert time.monotonic() - began < 300
    yield made
    made.stop()


@pytest.fixture
def invoice(project: Project) -> int:
    return project.invoice("as it was")


class Person:
    """One administrator, logged in, in a browser profile of their own."""

    def __init__(self, browser: Browser, project: Project, login: str, **options: Any) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1100, "height": 760}, **options)
        self.context.set_default_timeout(20_000)
        self.project = project
        self.login = login
        self.page = self.context.new_page()
        self.enter(f"{project.url}/admin/")

    def enter(self, address: str) -> None:
        self.page.goto(address)
        self.sign_in()

    def sign_in(self) -> None:
        self.page.fill("[name=username]", self.login)
        self.page.fill("[name=password]", self.login)
        self.page.locator("#login-form [type=submit], form [type=submit]").first.click()

    def open(self, pk: int, page: str = "change/") -> Page:
        self.page.goto(f"{self.project.url}/admin/shop/invoice/{pk}/{page}")
        return self.page

    def list(self) -> Page:
        self.page.goto(f"{self.project.url}/admin/shop/invoice/")
        return self.page


@pytest.fixture
def people(browser: Browser, project: Project) -> Iterator[tuple[Person, Person]]:
    both = Person(browser, project, "ivan"), Person(browser, project, "olga")
    yield both
    for person in both:
        person.context.close()


def state(page: Page, wanted: str) -> None:
    expect(page.locator("edit-lock")).to_have_attribute("state", wanted)


def test_the_manual_takes_ten_lines() -> None:
    code = steps()
    assert set(code) == {"editlock.toml", "settings.py", "admin.py"}
    assert sum(len(lines.strip().splitlines()) for lines in code.values()) <= 10


def test_two_administrators(people: tuple[Person, Person], project: Project, invoice: int) -> None:
    ivan, olga = people
    page = ivan.open(invoice)
    state(page, "mine")
    page.fill("#id_text", "Ivan's text")

    # Olga is told who edits, everywhere.
    hers = olga.open(invoice)
    state(hers, "other")
    expect(hers.locator("edit-lock")).to_contain_text("Ivan Ivanov")
    expect(hers.locator("#id_text")).to_have_attribute("readonly", "")
    if os.environ.get("EDITLOCK_PICTURES"):
        hers.screenshot(path=str(PICTURES / "django-admin.png"))
    hers.click("a.deletelink")
    expect(hers.locator(".messagelist")).to_contain_text("Nothing was deleted. Invoice 17: Ivan Ivanov")
    olga.list()
    expect(hers.locator("#result_list")).to_contain_text(re.compile(r"Ivan Ivanov, since \d\d:\d\d"))
    if os.environ.get("EDITLOCK_PICTURES"):
        hers.screenshot(path=str(PICTURES / "django-list.png"))
    hers.check("#action-toggle")
    hers.select_option("[name=action]", "delete_selected")
    hers.click("button[name=index]")
    expect(hers.locator(".messagelist")).to_contain_text("The action was not run. Invoice 17: Ivan Ivanov")
    hers.fill("#id_form-0-text", "from the list")
    hers.click("[name=_save]")
    expect(hers.locator(".messagelist")).to_contain_text("Nothing was saved. Invoice 17: Ivan Ivanov")
    expect(hers.locator("#id_form-0-text")).to_have_value("from the list")

    # Ivan's own second tab is told that it is Ivan.
    second = ivan.context.new_page()
    second.goto(page.url)
    state(second, "self")
    second.close()

    # They go on: their lock has survived all that.
    page.click("[name=_continue]")
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    state(page, "mine")
    assert project.stored() == "Ivan's text"

    # A mistake in the form keeps the text, and the lock.
    page.fill("#id_text", "Ivan's next text")
    page.fill("#id_number", "")
    page.click("[name=_continue]")
    expect(page.locator(".errornote")).to_be_visible()
    state(page, "mine")
    expect(page.locator("#id_text")).to_have_value("Ivan's next text")
    page.fill("#id_number", "17")


def test_takeover_and_stale_post(people: tuple[Person, Person], project: Project, invoice: int) -> None:
    ivan, olga = people
    page = ivan.open(invoice)
    state(page, "mine")
    page.fill("#id_text", "typed by Ivan")
    token = page.locator("[name=editlock_token]").input_value()
    hers = olga.open(invoice)
    state(hers, "other")
    hers.get_by_role("button", name="Take over").click()
    hers.locator("edit-lock dialog textarea").fill("urgent")
    hers.locator("edit-lock dialog button[value=ok]").click()
    state(hers, "mine")

    # Ivan learns it at once, and keeps the text; a save that is on its way is refused.
    state(page, "lost")
    expect(page.locator("edit-lock")).to_contain_text("typed by Ivan")
    page.on("dialog", lambda dialog: dialog.accept())
    page.evaluate(
        """token => {
            const form = document.querySelector('#invoice_form');
            form.elements.text.value = 'typed by Ivan at last';
            form.elements.editlock_token.value = token;
            HTMLFormElement.prototype.submit.call(form);
        }""",
        token,
    )
    expect(page.locator(".messagelist")).to_contain_text("Olga Petrova")
    expect(page.locator(".messagelist")).to_contain_text("Nothing was saved")
    state(page, "other")
    expect(page.locator("#id_text")).to_have_value("as it was")
    expect(page.locator("edit-lock")).to_contain_text("typed by Ivan at last")
    expect(page.locator(".editlock-unsaved")).to_have_count(0)
    assert project.stored() == "as it was"

    # Olga saves; Ivan gets the newest text, and puts the own one back.
    hers.fill("#id_text", "by Olga")
    hers.click("[name=_save]")
    expect(hers.locator(".messagelist")).to_contain_text("was changed successfully")
    state(page, "free")
    page.get_by_role("button", name="Start editing").click()
    state(page, "mine")
    expect(page.locator("#id_text")).to_have_value("by Olga")
    page.get_by_role("button", name="Put it into the form").click()
    page.click("[name=_save]")
    expect(page.locator(".messagelist")).to_contain_text("was changed successfully")
    assert project.stored() == "typed by Ivan at last"


def test_the_end_of_a_session(people: tuple[Person, Person], project: Project, invoice: int) -> None:
    ivan, olga = people
    page = ivan.open(invoice)
    state(page, "mine")
    page.fill("#id_text", "typed by Ivan")
    project.sql("DELETE FROM django_session WHERE session_key = ?", cookie(ivan))
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[name=_save]")
    ivan.sign_in()
    state(page, "mine")
    expect(page.locator("edit-lock")).to_contain_text("typed by Ivan")
    assert project.stored() == "as it was"

    # Who logs out holds nothing.
    hers = olga.open(invoice)
    state(hers, "other")
    leaving = ivan.context.new_page()
    leaving.goto(f"{project.url}/admin/")
    leaving.locator("#logout-form button, a[href='/admin/logout/']").first.click()
    state(hers, "free")


def test_the_form_and_the_list_say_who_else_looks(browser: Browser, tmp_path: Path) -> None:
    project = Project(tmp_path, admin="    editlock_presence = True\n")
    try:
        pk = project.invoice("old")
        ivan, olga = Person(browser, project, "ivan"), Person(browser, project, "olga")
        page = ivan.open(pk)
        state(page, "mine")
        hers = olga.open(pk)
        state(hers, "other")
        page.evaluate("dispatchEvent(new Event('online'))")  # what its timer does within ten seconds
        expect(page.locator("edit-lock summary")).to_contain_text("Also looking: Olga Petrova")

        second = ivan.context.new_page()
        second.goto(f"{project.url}/admin/shop/invoice/")
        expect(second.locator("#result_list")).to_contain_text(
            re.compile(r"you, since \d\d:\d\d; looking: Olga Petrova")
        )
        if os.environ.get("EDITLOCK_PICTURES"):
            second.set_viewport_size({"width": 1500, "height": 480})
            second.screenshot(path=str(PICTURES / "django-looking.png"))
        page.fill("#id_text", "new")
        page.evaluate("dispatchEvent(new Event('online'))")
        hers.evaluate("dispatchEvent(new Event('online'))")
        expect(hers.locator("edit-lock #company")).to_contain_text("Ivan Ivanov has unsaved edits.")
    finally:
        project.stop()


AXE = Path(__file__).parents[3] / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize(
    ("language", "said", "choice"),
    [
        ("en", "was changed while you edited it", "Keep mine"),
        ("ru", "пока вы редактировали", "Оставить моё"),
    ],
)
def test_what_was_written_past_the_lock_is_decided_by_the_person(
    browser: Browser, tmp_path: Path, language: str, said: str, choice: str
) -> None:
    middleware = "MIDDLEWARE.insert(2, 'django.middleware.locale.LocaleMiddleware')\n"
    project = Project(tmp_path, more=middleware, admin="    editlock_version = True\n")
    try:
        pk = project.invoice("as it was")
        ivan = Person(browser, project, "ivan", locale=language)
        page = ivan.open(pk)
        state(page, "mine")
        project.sql("UPDATE shop_invoice SET text = 'imported'")
        page.fill("#id_text", "typed by Ivan")
        page.click("[name=_continue]")
        asked = page.locator(".editlock-changed")
        expect(asked).to_contain_text(said)
        for text in ("typed by Ivan", "imported", "as it was"):
            expect(asked).to_contain_text(text)
        expect(page.locator("#id_text")).to_have_value("typed by Ivan")
        state(page, "mine")
        assert project.stored() == "imported"
        if AXE.exists():
            page.add_script_tag(path=str(AXE))
            found = page.evaluate("axe.run('.editlock-changed', { resultTypes: ['violations'] })")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
        if os.environ.get("EDITLOCK_PICTURES") and language == "en":
            page.screenshot(path=str(PICTURES / "django-changed.png"), full_page=True)

        # No answer, no save: the browser says so itself, and asks at the first choice.
        page.click("[name=_continue]")
        assert project.stored() == "imported"
        # By keyboard alone.
        page.get_by_label(choice).focus()
        page.keyboard.press("Space")
        expect(page.get_by_label(choice)).to_be_checked()
        page.locator("#id_text").focus()
        page.keyboard.type("!")
        state(page, "mine")  # not checking, as after a beat that was late
        page.locator("[name=_continue]").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".messagelist .success")).to_be_visible()
        state(page, "mine")
        expect(asked).to_have_count(0)
        assert "typed by Ivan" in project.stored()
    finally:
        project.stop()


def cookie(person: Person) -> str:
    return next(str(c["value"]) for c in person.context.cookies() if c["name"] == "sessionid")


#: What each theme's own manual asks for.
THEMES = {
    "unfold": {
        "more": 'INSTALLED_APPS.insert(0, "unfold")\n',
        "base": "UnfoldAdmin",
        "header": "from unfold.admin import ModelAdmin as UnfoldAdmin\n",
    },
    "grappelli": {
        "more": 'INSTALLED_APPS.insert(0, "grappelli")\n',
        "urls": "from django.urls import include\nurlpatterns += [path('grappelli/', include('grappelli.urls'))]\n",
    },
}


@pytest.mark.parametrize("theme", THEMES)
def test_themes(theme: str, browser: Browser, tmp_path: Path) -> None:
    pytest.importorskip(theme, reason=f"{theme} is not installed for this Django")
    project = Project(tmp_path, **THEMES[theme])
    try:
        pk = project.invoice("old")
        ivan, olga = Person(browser, project, "ivan"), Person(browser, project, "olga")
        page = ivan.open(pk)
        state(page, "mine")
        page.fill("#id_text", "new")
        hers = olga.open(pk)
        state(hers, "other")
        expect(hers.locator("edit-lock")).to_contain_text("Ivan Ivanov")
        expect(hers.locator("#id_text")).to_have_attribute("readonly", "")
        expect(hers.locator("[name=_save]").first).to_be_disabled()
        hers.goto(f"{project.url}/admin/shop/invoice/{pk}/delete/")
        expect(hers.locator("body")).to_contain_text("Nothing was deleted. Invoice 17: Ivan Ivanov")
        olga.list()
        expect(hers.locator("body")).to_contain_text(re.compile(r"Ivan Ivanov, since \d\d:\d\d"))
        page.locator("[name=_save]").first.click()
        expect(page.locator("body")).to_contain_text("was changed successfully")
        assert project.stored() == "new"
    finally:
        project.stop()
