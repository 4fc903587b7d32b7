"""Objects that change past their lock: SQL, an import. No save overwrites them, and no machine merges."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db.models import F
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import override_settings
from formpage import FormPage

import django_site  # configures Django
from editlock import Client, Owner
from editlock.django.names import mutex_id
from editlock.django.owners import session_of
from editlock.django.said import SAVE_FIELD, SAVE_HEADER, Malformed, save_number
from editlock.django.versions import etag, version_of, version_of_tag
from servers import Server
from shop.models import Customer, Letter

assert django_site

CONTRACT = json.loads((Path(__file__).parents[3] / "testdata" / "guard" / "versions.json").read_text(encoding="utf-8"))


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
def letter() -> Letter:
    customer = Customer.objects.create(name="Smith & Sons")
    made = Letter.objects.create(
        subject="Offer", text="as it\r\nwas", customer=customer, at="2026-11-30T10:00:00.123456Z"
    )
    made.readers.set([customer])
    return Letter.objects.get(pk=made.pk)


class Anna(Browser):
    """An administrator who edits a letter, at one of its two forms, without scripts."""

    def __init__(self, letter: Letter, locks: Client, address: str, language: str = "en") -> None:
        super().__init__(HTTP_ACCEPT_LANGUAGE=language)
        user, _ = get_user_model().objects.get_or_create(
            username="anna", defaults={"first_name": "Anna", "is_staff": True, "is_superuser": True}
        )
        self.force_login(user)
        owner = Owner(session=session_of(self.session.session_key or ""), user_id=str(user.pk), name="Anna")
        self.letter = letter
        self.address = address.format(letter.pk)
        self.token = locks.capture(mutex_id(letter), owner=owner).token
        self.page = self.read(self.get(self.address))

    def read(self, response: Any) -> FormPage:
        self.text = html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode()))
        return FormPage(response.content.decode(), has="subject")

    def save(self, **fields: Any) -> Any:
        """Sends the form of the page as it is shown, with some fields filled in; None leaves one out."""
        sent = {**self.page.fields, "editlock_token": self.token, **fields}
        response = self.post(self.address, {name: value for name, value in sent.items() if value is not None})
        if response.status_code not in (302, 503):
            self.page = self.read(response)
        return response


FORMS = ["/admin/shop/letter/{}/change/", "/letter/{}/"]


@pytest.fixture(params=FORMS, ids=["admin", "view"])
def anna(request: pytest.FixtureRequest, letter: Letter, locks: Client) -> Anna:
    return Anna(letter, locks, request.param)


def past(letter: Letter, **fields: Any) -> None:
    """Writes past the lock, as an import does."""
    Letter.objects.filter(pk=letter.pk).update(revision=F("revision") + 1, **fields)


def now(letter: Letter) -> Letter:
    return Letter.objects.get(pk=letter.pk)


def test_a_form_that_nobody_wrote_past_is_saved(anna: Anna, letter: Letter) -> None:
    assert anna.save(subject="New offer").status_code == 302
    assert (now(letter).subject, now(letter).text) == ("New offer", "as it\r\nwas")
    # As it was shown: no field is another by the way there and back.
    anna.page = anna.read(anna.get(anna.address))
    assert anna.save().status_code == 302


def test_a_field_that_only_the_other_changed_is_proposed_and_not_taken(anna: Anna, letter: Letter) -> None:
    past(letter, text="imported")
    refused = anna.save(subject="mine")
    assert refused.status_code == 412
    assert (now(letter).subject, now(letter).text) == ("Offer", "imported")
    assert "changed while you edited it" in anna.text
    assert "Only somebody else changed this." in anna.text
    assert "imported" in anna.text
    assert "as it" in anna.text
    assert anna.page.fields["subject"] == ["mine"]  # what was typed stays in the form
    assert anna.page.fields["editlock_take-text"] == ["theirs"]
    assert anna.page.fields["editlock_take-subject"] == ["mine"]
    assert anna.save().status_code == 302  # the person has pressed the button
    assert (now(letter).subject, now(letter).text) == ("mine", "imported")


def test_the_proposal_may_be_turned_down(anna: Anna, letter: Letter) -> None:
    past(letter, text="imported")
    anna.save(subject="mine")
    assert anna.save(**{"editlock_take-text": "mine", "editlock_take-subject": "theirs"}).status_code == 302
    assert (now(letter).subject, now(letter).text) == ("Offer", "as it\r\nwas")


def test_a_field_that_both_changed_has_no_proposal(anna: Anna, letter: Letter) -> None:
    past(letter, text="imported", subject="mine")
    assert anna.save(subject="mine", text="typed").status_code == 412
    assert "You and somebody else changed this." in anna.text
    assert "editlock_take-text" not in anna.page.fields
    assert anna.page.radios == {"editlock_take-text": ["mine", "theirs"]}  # both made the same subject
    # Without an answer nothing is saved, though the version is known by now.
    assert anna.save().status_code == 412
    assert "Nothing was saved yet" in anna.text
    assert now(letter).text == "imported"
    assert anna.save(**{"editlock_take-text": "mine"}).status_code == 302
    assert now(letter).text == "typed"


def test_a_second_change_is_shown_before_it_is_overwritten(anna: Anna, letter: Letter) -> None:
    past(letter, text="imported")
    anna.save(text="typed")
    past(letter, text="imported again")
    assert anna.save(**{"editlock_take-text": "mine"}).status_code == 412
    assert "imported again" in anna.text
    assert now(letter).text == "imported again"
    assert anna.save(**{"editlock_take-text": "theirs"}).status_code == 302
    assert now(letter).text == "imported again"


def test_every_kind_of_field_is_compared_and_taken(anna: Anna, letter: Letter) -> None:
    other = Customer.objects.create(name="<b>Jones</b>")
    at, day = "2027-01-02T03:04:05.678901Z", "2027-01-02"
    past(letter, paid=True, kind="b", at=at, day=day, customer=other)
    letter.readers.set([other])
    assert anna.save(subject="mine").status_code == 412
    for field in ("paid", "kind", "at", "day", "customer", "readers"):
        assert anna.page.fields[f"editlock_take-{field}"] == ["theirs"]
    for shown in ("Urgent", "Ordinary", "<b>Jones</b>", "Smith & Sons", "yes", "(empty)"):
        assert shown in anna.text
    assert anna.save().status_code == 302
    saved = now(letter)
    assert (saved.subject, saved.paid, saved.kind, str(saved.day), saved.customer) == ("mine", True, "b", day, other)
    assert saved.at is not None
    assert saved.at.year == 2027
    assert list(saved.readers.all()) == [other]


def test_mistakes_and_changes_are_mended_together(anna: Anna, letter: Letter) -> None:
    past(letter, text="imported")
    anna.save(subject="mine")
    assert anna.save(subject="", **{"editlock_take-text": "theirs"}).status_code == 412
    assert anna.page.fields["editlock_take-text"] == ["theirs"]
    assert anna.save(subject="mended").status_code == 302
    assert (now(letter).subject, now(letter).text) == ("mended", "imported")


def test_a_mistake_alone_keeps_what_the_form_was_made_of(anna: Anna, letter: Letter) -> None:
    assert anna.save(subject="").status_code == 200
    past(letter, text="imported")
    assert anna.save(subject="mine").status_code == 412
    assert anna.page.fields["editlock_take-text"] == ["theirs"]
    assert anna.save().status_code == 302


def test_a_form_sent_twice_has_nothing_to_decide(anna: Anna, letter: Letter) -> None:
    assert anna.save(subject="mine").status_code == 302
    assert anna.save(subject="mine").status_code == 302
    assert now(letter).subject == "mine"


def test_a_save_without_a_version_is_refused(anna: Anna, letter: Letter) -> None:
    assert anna.save(subject="mine", editlock_version=None).status_code == 412
    assert now(letter).subject == "Offer"


def test_an_object_that_is_gone(anna: Anna, letter: Letter) -> None:
    Letter.objects.filter(pk=letter.pk).delete()
    assert anna.post(anna.address, anna.page.fields).status_code in (302, 404)
    assert not Letter.objects.filter(pk=letter.pk).exists()


def test_a_lost_lock_is_refused_as_ever(anna: Anna, letter: Letter, locks: Client, olga: Owner) -> None:
    locks.takeover(mutex_id(letter), anna.token, "urgent", owner=olga)
    assert anna.save(subject="mine").status_code == 409
    assert now(letter).subject == "Offer"


@pytest.mark.parametrize("address", FORMS)
def test_in_russian(letter: Letter, locks: Client, address: str) -> None:
    anna = Anna(letter, locks, address, language="ru")
    past(letter, text="из импорта")
    assert anna.save(text="моё").status_code == 412
    for said in (
        "Ничего не сохранено",
        "Оставить моё",
        "Взять то, что сохранено сейчас",
        "Как было раньше",
        "и кто-то другой",
    ):
        assert said in anna.text


def test_a_change_outside_of_the_form_is_told_by_a_revision(letter: Letter, locks: Client) -> None:
    anna = Anna(letter, locks, "/letter/{}/")
    past(letter)
    assert anna.save(subject="mine").status_code == 412
    assert "in no field of this form" in anna.text
    assert anna.save().status_code == 302


# --- pages that save by themselves


class Page:
    """A page's script: it sends the form as it is, with the version that it knows and a number for each save."""

    def __init__(self, anna: Anna) -> None:
        self.anna = anna
        self.version = etag(str(now(anna.letter).revision))
        self.number = 100

    def save(self, forget: bool = False, number: int = 0, **fields: Any) -> Any:
        self.number += 1
        response = self.anna.post(
            self.anna.address,
            {**self.anna.page.fields, "editlock_token": self.anna.token, **fields},
            headers={
                "Accept": "application/json",
                "If-Match": self.version,
                "Editlock-Save": str(number or self.number),
            },
        )
        if response.status_code == 200 and not forget:
            self.version = response["ETag"]
        return response


@pytest.fixture
def page(letter: Letter, locks: Client) -> Page:
    return Page(Anna(letter, locks, "/letter/{}/"))


def test_ones_own_saves_never_conflict(page: Page, letter: Letter) -> None:
    first = page.save(text="first")
    assert (first.status_code, first.json(), first["ETag"]) == (200, {"version": "2"}, '"2"')
    assert page.save(text="second", forget=True).status_code == 200  # its answer is lost
    assert page.save(text="third", forget=True).status_code == 200
    assert page.save(text="fourth").status_code == 200
    assert now(letter).text == "fourth"
    # The form itself was sent while all that was under way, with the version of the page's start.
    assert page.anna.save(text="fifth", editlock_version="5", editlock_save="200").status_code == 302
    assert now(letter).text == "fifth"


def test_an_old_save_that_comes_late_undoes_nothing(page: Page, letter: Letter) -> None:
    assert page.save(text="newer", forget=True, number=120).status_code == 200
    late = page.save(text="older", number=119)
    assert (late.status_code, late.json()["code"]) == (412, "changed")
    assert now(letter).text == "newer"


def test_what_others_wrote_between_ones_own_saves_is_found(page: Page, letter: Letter) -> None:
    assert page.save(text="mine", forget=True).status_code == 200
    past(letter, text="imported")
    refused = page.save(text="mine again")
    assert refused.status_code == CONTRACT["status"]
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json() == {
        "code": CONTRACT["code"],
        "detail": "Nothing was saved: this was changed while you edited it, by an import or another program.",
        "seen": "1",
        "current": "3",
    }
    assert now(letter).text == "imported"


def test_a_script_is_told_of_a_lost_lock_and_of_mistakes(
    page: Page, letter: Letter, locks: Client, olga: Owner
) -> None:
    mistaken = page.save(subject="")
    assert (mistaken.status_code, "subject" in mistaken.json()["errors"]) == (400, True)
    locks.takeover(mutex_id(letter), page.anna.token, "urgent", owner=olga)
    lost = page.save(text="mine")
    assert (lost.status_code, lost.json()["code"]) == (409, "lost")
    assert now(letter).text == "as it\r\nwas"


def test_rest(letter: Letter, locks: Client) -> None:
    anna = Anna(letter, locks, "/letter/{}/")

    def call(method: str, tag: str = "", **headers: str) -> Any:
        headers = {"Editlock-Token": str(anna.token), **({"If-Match": tag} if tag else {}), **headers}
        return anna.generic(
            method,
            f"/api-letter/{letter.pk}/",
            json.dumps({"text": "new"}),
            content_type="application/json",
            headers=headers,
        )

    assert call("GET")["ETag"] == '"1"'
    for method in ("PATCH", "DELETE"):
        missing = call(method)
        assert (missing.status_code, missing.json()["code"]) == (428, "version_required")
    saved = call("PATCH", 'W/"1"', **{"Editlock-Save": "1"})
    assert (saved.status_code, saved["ETag"]) == (200, '"2"')
    assert call("PATCH", '"1"', **{"Editlock-Save": "2"}).status_code == 200  # one's own
    past(letter, text="imported")
    for method in ("PATCH", "DELETE"):
        refused = call(method, '"3"', **{"Editlock-Save": "3"})
        assert (refused.status_code, refused.json()["code"]) == (412, "changed")
        assert (refused.json()["seen"], refused.json()["current"]) == ("3", "4")
    assert now(letter).text == "imported"
    assert call("DELETE", '"4"').status_code == 204


def test_a_view_of_ones_own(letter: Letter, locks: Client) -> None:
    anna = Anna(letter, locks, "/letter/{}/")

    def save(version: str, **more: str) -> Any:
        form = {"text": "new", "editlock_token": str(anna.token), "editlock_version": version, **more}
        return anna.post(f"/letter/{letter.pk}/save/", form)

    saved = save("1")
    assert (saved.status_code, saved["ETag"]) == (200, '"2"')
    refused = save("1")
    assert (refused.status_code, refused.json()["code"], refused.json()["current"]) == (412, "changed", "2")
    assert save("").status_code == 412
    assert save("2").status_code == 200


# --- versions


def test_versions_travel_as_everywhere() -> None:
    for case in CONTRACT["tags"]:
        assert etag(case["version"]) == case["tag"]
        assert version_of_tag(case["tag"]) == case["version"]
    for case in CONTRACT["read"]:
        if "version" in case:
            assert version_of_tag(case["header"]) == case["version"], case["name"]
            continue
        with pytest.raises(Malformed, match="^If-Match must be one entity tag in quotes"):
            version_of_tag(case["header"])


@pytest.mark.parametrize("where", [SAVE_HEADER, SAVE_FIELD])
def test_the_numbers_of_saves_are_read_as_everywhere(where: str) -> None:
    def request(text: str) -> Any:
        if where == SAVE_FIELD:
            return RequestFactory().post("/", {where: text})
        return RequestFactory().post("/", headers={where: text})

    assert (CONTRACT["save_header"], CONTRACT["save_field"]) == (SAVE_HEADER, SAVE_FIELD)
    for case in CONTRACT["saves"]:
        assert save_number(request(case["text"])) == case["number"]
    for text in CONTRACT["bad_saves"]:
        with pytest.raises(Malformed, match=f"^{where} must be the number of the save, a whole number above 0$"):
            save_number(request(text))


def test_what_a_save_says_of_itself_must_be_sound(letter: Letter, locks: Client) -> None:
    anna = Anna(letter, locks, "/letter/{}/")
    script = {"Accept": "application/json", "Editlock-Token": str(anna.token), "If-Match": '"1"', "Editlock-Save": "1"}
    for header, text in (
        ("Editlock-Token", "x"),
        ("If-Match", "1"),
        ("If-Match", f'"{"1" * 201}"'),
        ("Editlock-Save", "x"),
    ):
        headers = {**script, header: text}
        form = {name: value for name, value in anna.page.fields.items() if name != "editlock_version"}
        for refused in (
            anna.post(anna.address, form, headers=headers),
            anna.post(f"/letter/{letter.pk}/save/", {"text": "new"}, headers=headers),
            anna.patch(f"/api-letter/{letter.pk}/", "{}", content_type="application/json", headers=headers),
        ):
            assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (400, "invalid", header)
            assert f"{header} " in refused.json()["detail"]
        page = anna.post(f"/admin/shop/letter/{letter.pk}/change/", form, headers={**headers, "Accept": "text/html"})
        assert page.status_code == 400
        assert "Nothing was saved. The request is wrong" in page.content.decode()
    assert now(letter).text == "as it\r\nwas"
    assert now(letter).revision == 1


def test_a_version_is_short_whatever_it_is_made_of(letter: Letter) -> None:
    digest = version_of(letter)
    assert re.fullmatch("[0-9a-f]{32}", digest)
    assert version_of(now(letter)) == digest
    past(letter, text="other")
    assert version_of(now(letter)) != digest
    assert version_of(letter, "at") == "2026-11-30T10:00:00.123456+00:00"
    assert version_of(letter, lambda obj: f"r{obj.revision}") == "r1"
    assert len(version_of(letter, lambda obj: "x" * 500)) == 32
