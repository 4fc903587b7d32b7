"""What people are told, in English and Russian; and the forms behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from editlock import ID, AutoRelease, Busy, Lost, Mutex, Owner
from editlock._forms import duration, parse_duration, parse_time, shown
from editlock.words import being_edited, loss, refusal

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
    turning = replace(MUTEX, owner=replace(IVAN, name="\u05d3\u05d5\u05d3\u2069\u202e"))
    shown = "\u2068\u05d3\u05d5\u05d3[U+2069][U+202E]\u2069"
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
        (" ", ""),
        ("\u200b\u3164", ""),
        (None, ""),
        ("я" * 150, "я" * 100),
    ],
)
def test_names_of_other_systems_are_shown_as_owners_may_have_them(text: object, want: str) -> None:
    assert shown(text) == want
