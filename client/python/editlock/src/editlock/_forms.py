"""The JSON forms of the server, and what they mean here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from .errors import (
    Answer,
    Busy,
    Conflict,
    EditlockError,
    Forbidden,
    HeldByPerson,
    Invalid,
    Limited,
    Lost,
    NotHeld,
    Unauthenticated,
    Unavailable,
)
from .types import (
    ID,
    AutoRelease,
    Company,
    Draining,
    Entry,
    HistoryPage,
    Look,
    Looker,
    Looking,
    Mutex,
    Owner,
    Page,
    Reader,
    RefreshItem,
    Seconds,
    State,
    Waiter,
)

Form = dict[str, Any]

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


def seconds(value: Seconds) -> float:
    """A duration as a number of seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def duration(field: str, value: Seconds) -> str:
    """The form of a duration, as Go writes it; its bounds are the server's to check."""
    number = seconds(value)
    if not abs(number) < 1e9:
        raise Invalid(field, f"is {number} seconds; up to 2592000 (30 days) are allowed")
    return f"{number:.6f}".rstrip("0").rstrip(".") + "s"


def parse_duration(text: str) -> float:
    """Seconds of a duration such as 1h30m0s."""
    total, end = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != end:
            break
        total, end = total + float(part[1]) * _UNITS[part[2]], part.end()
    if end == 0 or end != len(text):
        raise ValueError(f"{text!r} is not a duration")
    return total


def parse_time(text: str) -> datetime:
    """A time as RFC 3339 writes it, in UTC, cut to microseconds."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    micro = int((match[7] or "0").ljust(9, "0")[:6])
    if match[8] == "Z":
        return datetime(year, month, day, hour, minute, second, micro, timezone.utc)
    sign = -1 if match[8][0] == "-" else 1
    zone = timezone(sign * timedelta(hours=int(match[8][1:3]), minutes=int(match[8][4:])))
    return datetime(year, month, day, hour, minute, second, micro, zone).astimezone(timezone.utc)


def _optional_time(text: Optional[str]) -> Optional[datetime]:
    return None if text is None else parse_time(text)


def _optional_duration(text: Optional[str]) -> Optional[float]:
    return None if text is None else parse_duration(text)


def from_id(id: ID) -> Form:
    form: Form = {"group": id.group, "mode": id.mode}
    if id.id or not id.below:
        form["id"] = id.id
    if id.part:
        form["part"] = id.part
    if id.below:
        form["below"] = True
    return form


def to_id(form: Mapping[str, Any]) -> ID:
    below = form.get("below", False)
    return ID("" if below else form["id"], form["mode"], form["group"], form.get("part", ""), below)


def from_owner(owner: Owner) -> Form:
    form: Form = {
        "session": owner.session,
        "user_id": owner.user_id,
        "login": owner.login,
        "name": owner.name,
        "host": owner.host,
    }
    if owner.kind != "person":
        form["kind"] = owner.kind
    if owner.on_behalf_of:
        form["on_behalf_of"] = owner.on_behalf_of
    return form


def to_owner(form: Mapping[str, Any]) -> Owner:
    """The owner in a form. A kind that only a newer server knows is a person's."""
    kind = form.get("kind", "person")
    return Owner(
        form["session"],
        form["user_id"],
        form["login"],
        form["name"],
        form["host"],
        kind if kind in ("agent", "job") else "person",
        form.get("on_behalf_of", ""),
    )


def _optional_owner(form: Optional[Mapping[str, Any]]) -> Optional[Owner]:
    return None if form is None else to_owner(form)


def from_auto_release(rule: AutoRelease) -> Form:
    form: Form = {}
    if rule.never:
        form["never"] = True
    if rule.idle is not None:
        form["idle"] = duration("auto_release.idle", rule.idle)
    if rule.max_hold is not None:
        form["max_hold"] = duration("auto_release.max_hold", rule.max_hold)
    return form


def to_auto_release(form: Mapping[str, Any]) -> AutoRelease:
    return AutoRelease(
        idle=_optional_duration(form.get("idle")),
        max_hold=_optional_duration(form.get("max_hold")),
        never=form.get("never", False),
    )


def from_item(item: RefreshItem) -> Form:
    form: Form = {"mutex": from_id(item.id), "token": item.token}
    if item.status_data:
        form["status_data"] = item.status_data
    if item.auto_release is not None:
        form["auto_release"] = from_auto_release(item.auto_release)
    return form


def _to_waiter(form: Mapping[str, Any]) -> Waiter:
    return Waiter(
        id=form["id"],
        owner=to_owner(form["owner"]),
        since=parse_time(form["since"]),
        message=form["message"],
        grant_at=_optional_time(form.get("grant_at")),
    )


def to_mutex(form: Mapping[str, Any]) -> Mutex:
    return Mutex(
        id=to_id(form["mutex"]),
        owner=to_owner(form["owner"]),
        token=form["token"],
        status_data=form["status_data"],
        auto_release=to_auto_release(form["auto_release"]),
        captured_at=parse_time(form["captured_at"]),
        refreshed_at=parse_time(form["refreshed_at"]),
        expires_at=_optional_time(form["expires_at"]),
        as_of=parse_time(form["as_of"]),
        expires_in=None if form["expires_in_s"] is None else float(form["expires_in_s"]),
        grant_after=_optional_duration(form.get("grant_after")),
        waiting=form["waiting"],
        waiters=tuple(_to_waiter(waiter) for waiter in form["waiters"]),
        sharing=form.get("sharing"),
        limit=form.get("limit"),
        beside=form.get("beside", 0),
        draining=_optional_draining(form.get("draining")),
    )


def to_mutexes(forms: list[Any]) -> tuple[Mutex, ...]:
    return tuple(to_mutex(form) for form in forms)


def to_state(form: Mapping[str, Any]) -> tuple[State, Optional[Mutex]]:
    state = State[form["state"]]
    if state is State.FREE:
        return state, None
    mutex = to_mutex(form["mutex"])
    holders = to_mutexes(form.get("holders") or [])
    return state, replace(mutex, others=tuple(other for other in holders if other.token != mutex.token))


def to_entry(form: Mapping[str, Any]) -> Entry:
    mutex = form.get("mutex")
    return Entry(
        seq=form["seq"],
        kind=form["kind"],
        id=None if mutex is None else to_id(mutex),
        owner=_optional_owner(form.get("owner")),
        actor=_optional_owner(form.get("actor")),
        other=_optional_owner(form.get("other")),
        token=form.get("token", 0),
        at=_optional_time(form.get("at")),
        reason=form.get("reason", ""),
        sharing=form.get("sharing"),
        limit=form.get("limit"),
        replaced=form.get("replaced", 0),
    )


def from_look(look: Look) -> Form:
    form: Form = {"mutex": from_id(look.id), "state": look.state}
    if look.hidden:
        form["hidden"] = True
    return form


def _to_people(form: Mapping[str, Any]) -> tuple[Looker, ...]:
    return tuple(Looker(to_owner(p["owner"]), p["state"], parse_time(p["since"])) for p in form["people"])


def to_company(id: ID, form: Mapping[str, Any]) -> Company:
    if "code" in form:
        return Company(id, error=to_error(form))
    return Company(id, _to_people(form), form["count"])


def to_looking(id: ID, form: Mapping[str, Any]) -> Looking:
    if "code" in form:
        return Looking(id, error=to_error(form))
    return Looking(
        id=id,
        holder=_optional_owner(form["holder"]),
        captured_at=_optional_time(form["captured_at"]),
        mine=form["mine"],
        readers=tuple(
            Reader(to_owner(one["owner"]), parse_time(one["captured_at"]), one["mine"]) for one in form["readers"]
        ),
        people=_to_people(form),
        count=form["count"],
    )


def to_page(form: Mapping[str, Any]) -> Page:
    return Page(to_mutexes(form["mutexes"]), form["next_cursor"])


def to_history(form: Mapping[str, Any]) -> HistoryPage:
    return HistoryPage(tuple(to_entry(entry) for entry in form["entries"]), form["next_cursor"])


def _optional_draining(form: Optional[Mapping[str, Any]]) -> Optional[Draining]:
    if form is None:
        return None
    return Draining(
        id=to_id(form["mutex"]),
        by=to_owner(form["by"]),
        since=parse_time(form["since"]),
        message=form.get("message", ""),
    )


def to_error(form: Mapping[str, Any]) -> EditlockError:
    """The error that a problem tells of; a code unknown here is Unavailable."""
    code, text = form["code"], form.get("detail") or form.get("title") or form["code"]
    holder = form.get("holder")
    if code == "busy" and holder is not None:
        answer = form.get("declined")
        return Busy(
            text,
            holder=to_mutex(holder),
            holders=to_mutexes(form.get("holders") or []),
            self_held=form.get("self", False),
            declined=answer
            and Answer(_optional_owner(answer.get("by")), parse_time(answer["at"]), answer.get("message", "")),
            holders_total=form.get("holders_total", 0),
            draining=_optional_draining(form.get("draining")),
        )
    if code == "conflict" and holder is not None:
        return Conflict(text, holder=to_mutex(holder))
    if code == "lost":
        mutex = form.get("mutex")
        return Lost(
            text,
            id=None if mutex is None else to_id(mutex),
            holder=None if holder is None else to_mutex(holder),
            how=form.get("how", ""),
            by=_optional_owner(form.get("by")),
            at=_optional_time(form.get("at")),
            reason=form.get("reason", ""),
        )
    if code == "not_held":
        mutex = form.get("mutex")
        return NotHeld(text, id=None if mutex is None else to_id(mutex))
    if code in ("invalid", "too_large"):
        field = form.get("field", "")
        return Invalid(field, text[len(field) :].strip() if field and text.startswith(field) else text)
    if code == "held_by_person" and holder is not None:
        return HeldByPerson(text, holder=to_mutex(holder))
    if code in ("forbidden", "held_by_person"):
        return Forbidden(text)
    if code == "unauthenticated":
        return Unauthenticated(text)
    if code == "limited":
        return Limited(text)
    return Unavailable(text)


_DIRECTING = re.compile("[\u2028-\u202e\u2066-\u2069]")
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that show nothing


def shown(text: object) -> str:
    """A name, login or host of another system, as an owner may have it: 200 bytes at most.

    Characters that direct text are left out, as names must not have them. A
    text of which nothing can be seen is none: it is empty then.
    """
    plain = _DIRECTING.sub("", str(text or "")).encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
    seen = any(c not in _FILLERS and unicodedata.category(c)[0] not in "CZM" for c in plain)
    return plain if seen else ""
