"""What people are told, in English and Russian; and the forms behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Optional

import pytest

from editlock import ID, AutoRelease, Busy, Draining, Lost, Mutex, Owner
from editlock._forms import duration, parse_duration, parse_time, shown
from editlock.words import being_edited, draining, loss, refusal

NOON = datetime(2026, 3, 7, 9, 4, tzinfo=timezone.utc)
MOSCOW = timezone(timedelta(hours=3))
IVAN = Owner(session="s", name="Иванов И. И.")
MUTEX = Mutex(ID("1"), IVAN, 7, "", AutoRelease(300), NOON, NOON, None, NOON + timedelta(hours=1), None)


def test_refusals_name_the_holder_and_the_time() -> None:
    assert refusal(Busy("", MUTEX), zone=MOSCOW) == "Иванов И. И. has been editing this since 12:04."
    assert refusal(Busy("", MUTEX), language="ru", zone=MOSCOW) == "Уже редактирует Иванов И. И., с 12:04."
    mine = Busy("", MUTEX, self_held=True)
    assert refusal(mine, language="ru-RU", zone=MOSCOW) == "Вы уже редактируете это в другом окне, с 12:04."
    assert refusal(mine, language="de", zone=MOSCOW) == "You have been editing this in another window since 12:04."


def test_readers_are_not_said_to_edit() -> None:
    read = Busy("", replace(MUTEX, sharing="shared"))
    assert refusal(read, zone=MOSCOW) == "Иванов И. И. has been reading this since 12:04."
    assert refusal(read, language="ru", zone=MOSCOW) == "Уже читает Иванов И. И., с 12:04."
    mine = Busy("", read.holder, self_held=True)
    assert refusal(mine, zone=MOSCOW) == "You have been reading this in another window since 12:04."
    assert refusal(mine, language="ru", zone=MOSCOW) == "Вы уже читаете это в другом окне, с 12:04."


CONTRACT = ID("7", "contract", "crm")
ALL = ID(mode="contract", group="crm", below=True)


@pytest.mark.parametrize(
    ("held", "asked", "english", "russian"),
    [
        (
            ALL,
            CONTRACT,
            "Иванов И. И. has kept all of crm/contract closed since 12:04.",
            "Иванов И. И. держит всё в crm/contract закрытым с 12:04.",
        ),
        (
            replace(CONTRACT, part="адрес"),
            CONTRACT,
            "Иванов И. И. has been editing the part адрес since 12:04.",
            "Иванов И. И. редактирует часть адрес с 12:04.",
        ),
        (
            CONTRACT,
            replace(CONTRACT, part="адрес"),
            "Иванов И. И. has been editing the whole of this since 12:04.",
            "Иванов И. И. редактирует это целиком с 12:04.",
        ),
        (
            replace(CONTRACT, part="адрес"),
            replace(CONTRACT, part="адрес"),
            "Иванов И. И. has been editing this since 12:04.",
            "Уже редактирует Иванов И. И., с 12:04.",
        ),
        (
            CONTRACT,
            ALL,
            "Иванов И. И. has been editing crm/contract/7 since 12:04.",
            "Иванов И. И. редактирует crm/contract/7 с 12:04.",
        ),
        (
            replace(CONTRACT, part="адрес"),
            ALL,
            "Иванов И. И. has been editing адрес of crm/contract/7 since 12:04.",
            "Иванов И. И. редактирует часть адрес в crm/contract/7 с 12:04.",
        ),
        (
            replace(CONTRACT, part="адрес"),
            None,
            "Иванов И. И. has been editing the part адрес since 12:04.",
            "Иванов И. И. редактирует часть адрес с 12:04.",
        ),
        (
            ID(below=True),
            None,
            "Иванов И. И. has kept everything without a group closed since 12:04.",
            "Иванов И. И. держит всё без группы закрытым с 12:04.",
        ),
    ],
)
def test_what_is_in_the_way_is_named(held: ID, asked: Optional[ID], english: str, russian: str) -> None:
    err = Busy("", replace(MUTEX, id=held), asked=asked)
    assert refusal(err, zone=MOSCOW) == english
    assert refusal(err, language="ru", zone=MOSCOW) == russian


def test_the_reader_is_told_of_their_own_other_window() -> None:
    mine = Busy("", replace(MUTEX, id=ALL), self_held=True)
    assert refusal(mine, zone=MOSCOW) == "You have kept all of crm/contract closed in another window since 12:04."
    part = Busy("", replace(MUTEX, id=replace(CONTRACT, part="адрес"), sharing="shared"), self_held=True)
    assert refusal(part, language="ru", zone=MOSCOW) == "Вы уже читаете часть адрес в другом окне, с 12:04."


def test_a_wait_for_what_is_above_is_told() -> None:
    drain = Draining(ALL, replace(IVAN, name="Петрова"), NOON + timedelta(minutes=6), "импорт.")
    err = Busy("", replace(MUTEX, id=replace(CONTRACT, id="8")), draining=drain, asked=CONTRACT)
    assert refusal(err, zone=MOSCOW) == (
        "Иванов И. И. has been editing crm/contract/8 since 12:04. Петрова has been waiting for all of crm/contract "
        "since 12:10, so nothing else in it can be locked. Message: импорт."
    )
    assert refusal(err, language="ru", zone=MOSCOW) == (
        "Иванов И. И. редактирует crm/contract/8 с 12:04. Петрова с 12:10 ждёт, пока освободится всё в crm/contract; "
        "до тех пор ничего другого там не занять. Сообщение: импорт."
    )
    whole = replace(drain, id=CONTRACT, message="")
    part = Busy("", MUTEX, draining=whole, asked=replace(CONTRACT, part="адрес"))
    assert draining(part, zone=MOSCOW) == (
        " Петрова has been waiting for the whole of this since 12:10, so nothing else in it can be locked."
    )


def test_another_day_is_named() -> None:
    later = NOON + timedelta(days=2)
    assert "с 07.03.2026 12:04" in being_edited(MUTEX, language="ru", zone=MOSCOW, now=later)


@pytest.mark.parametrize(
    ("lost", "english", "russian"),
    [
        (Lost(""), "You do not hold the lock any more.", "Блокировка больше не ваша."),
        (
            Lost("", how="expired", reason="not confirmed"),
            "Your lock has expired: it was not renewed in time.",
            "Ваша блокировка истекла: она не была вовремя продлена.",
        ),
        (
            Lost("", how="taken_over", by=replace(IVAN, name="Петрова"), reason="Срочно.", holder=MUTEX),
            "Петрова took over your lock. Reason: Срочно. Иванов И. И. is editing this now.",
            "Вашу блокировку перехватили (Петрова). Причина: Срочно. Сейчас редактирует Иванов И. И.",
        ),
        (
            Lost("", how="taken_over", by=replace(IVAN, name="Петрова"), holder=replace(MUTEX, sharing="shared")),
            "Петрова took over your lock. Иванов И. И. is reading this now.",
            "Вашу блокировку перехватили (Петрова). Сейчас читает Иванов И. И.",
        ),
        (
            Lost("", how="force_released"),
            "Somebody released your lock.",
            "Вашу блокировку снял администратор (Неизвестный).",
        ),
    ],
)
def test_losses_say_how(lost: Lost, english: str, russian: str) -> None:
    assert loss(lost) == english
    assert loss(lost, language="ru") == russian


def test_names_keep_the_order_of_the_text_around_them() -> None:
    turning = replace(MUTEX, owner=replace(IVAN, name="\u05d3\u05d5\u05d3\u2069\u202e\u2029"))
    shown = "\u2068\u05d3\u05d5\u05d3[U+2069][U+202E][U+2029]\u2069"
    assert refusal(Busy("", turning), zone=MOSCOW) == f"{shown} has been editing this since 12:04."
    lost = Lost("", how="taken_over", by=turning.owner, reason="\u202e!", holder=turning)
    assert loss(lost) == f"{shown} took over your lock. Reason: [U+202E]!. {shown} is editing this now."


@pytest.mark.parametrize(
    ("text", "seconds"), [("5m0s", 300), ("1h30m0.5s", 5400.5), ("1.5s", 1.5), ("250ms", 0.25), ("2µs", 2e-6)]
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5m x", "5 m", "-5s"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_durations_are_written() -> None:
    assert [duration("x", value) for value in (300, 1.5, timedelta(hours=1), 0)] == ["300s", "1.5s", "3600s", "0s"]


def test_times_are_read_to_the_microsecond() -> None:
    assert parse_time("2026-03-07T09:04:00Z") == NOON
    assert parse_time("2026-03-07T12:04:00.123456789+03:00") == NOON + timedelta(microseconds=123456)
    with pytest.raises(ValueError, match="time"):
        parse_time("yesterday")


def test_ids_have_the_text_form_of_the_command_line() -> None:
    assert str(ID("17")) == "17"
    assert str(ID("17", mode="a/b")) == "a%2Fb/17"
    assert str(ID("17", group="g")) == "g//17"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Anna", "Anna"),
        ("\u202bשרה\u202c", "שרה"),  # as some directories store names
        ("gpj.exe\u202e", "gpj.exe"),
        ("Anna\u2029Boris", "AnnaBoris"),
        (" ", ""),
        ("\u200b\u3164", ""),
        (None, ""),
        ("я" * 150, "я" * 100),
    ],
)
def test_names_of_other_systems_are_shown_as_owners_may_have_them(text: object, want: str) -> None:
    assert shown(text) == want
