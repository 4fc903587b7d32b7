"""Two people at two parts of one object, in Chromium, by the manual's own template and view."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from project import DOC, Project
from test_admin_browser import Person, browser

__all__ = ["browser"]  # a fixture

URLS = """
from django.http import HttpResponse
from django.db import transaction
from django.template import engines
from django.urls import path
from shop.models import Invoice
{view}
PAGE = '''<!doctype html><html lang="en"><title>Invoice</title>{template}'''
def page(request, pk):
    if request.method == "POST":
        return save(request, pk)
    invoice = Invoice.objects.get(pk=pk)
    return HttpResponse(engines["django"].from_string(PAGE).render({{"invoice": invoice}}, request))
urlpatterns += [path("invoice/<int:pk>/", page)]
"""


def manual() -> str:
    """The template and the view of the manual, for the project's model, whose locks are in no database of its."""
    text = DOC.read_text(encoding="utf-8").partition("## Parts of an object")[2].partition("\n## ")[0]
    template, view = (
        re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[0] for kind in ("html", "python")
    )
    view = re.sub(r"FIELDS = .*", 'FIELDS = {"number": ["number"], "text": ["text"]}', view)
    view, checks = re.subn(r"^ *check_held\(.*\n", "", view, flags=re.MULTILINE)
    assert checks == 1
    for old, new in (("address", "number"), ("lines", "text")):
        template, parts = re.subn(
            rf'"{old}" %}}<fieldset inert><legend>\w+</legend>…',
            f'"{new}" %}}<fieldset inert><legend>{new}</legend><input name="{new}" value="{{{{ invoice.{new} }}}}">',
            template,
        )
        assert parts == 1
    code = URLS.format(template=template, view=view)
    return code.replace("Contract", "Invoice").replace("contract", "invoice")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("project"), urls=manual())
    yield made
    made.stop()


def part(page: Page, name: str) -> Locator:
    return page.locator(f"edit-lock[object-part={name}]")


def enter(page: Page, name: str) -> None:
    """Focuses a field of a part, once the parts have their locks: until then the form is inert."""
    page.locator("form:has(edit-lock):not([inert])").wait_for()
    page.locator(f"[name={name}]").focus()


def test_two_people_edit_two_parts(browser: Browser, project: Project) -> None:
    pk = project.invoice("as it was")
    people = [Person(browser, project, login) for login in ("ivan", "olga")]
    one, other = (person.page for person in people)
    try:
        for page in (one, other):
            page.goto(f"{project.url}/invoice/{pk}/")
        enter(one, "number")
        expect(part(one, "number")).to_have_attribute("state", "mine")
        one.fill("[name=number]", "18")
        # The second person is told who edits that part, and edits the other one.
        expect(part(other, "number")).to_have_attribute("state", "other")
        expect(part(other, "number")).to_contain_text("Ivan Ivanov")
        expect(other.locator("[name=number]")).to_have_attribute("readonly", "")
        enter(other, "text")
        expect(part(other, "text")).to_have_attribute("state", "mine")
        other.fill("[name=text]", "other")
        other.click("button")
        other.wait_for_load_state()
        assert project.sql("SELECT number, text FROM shop_invoice") == [("17", "other")]
        # The first save writes one part alone, although its page shows an old text in the other one.
        one.click("button")
        one.wait_for_load_state()
        assert project.sql("SELECT number, text FROM shop_invoice") == [("18", "other")]
    finally:
        for person in people:
            person.context.close()


def test_a_part_that_was_taken_over_saves_nothing(browser: Browser, project: Project) -> None:
    pk = project.invoice("as it was")
    person = Person(browser, project, "ivan")
    try:
        page = person.page
        page.goto(f"{project.url}/invoice/{pk}/")
        enter(page, "text")
        expect(part(page, "text")).to_have_attribute("state", "mine")
        page.fill("[name=text]", "theirs")
        sent = page.locator("[name=editlock_token]").input_value()
        assert re.fullmatch(r"text=\d+", sent)
        stale = page.evaluate(
            """async () => {
              const form = new FormData(document.querySelector('form'));
              form.set('editlock_token', 'text=1,number=999999');
              return (await fetch(location.href, { method: 'POST', body: form })).status;
            }"""
        )
        assert stale == 409
        assert project.stored() == "as it was"
    finally:
        person.context.close()
