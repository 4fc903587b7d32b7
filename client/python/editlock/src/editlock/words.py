"""What to tell people, in English and Russian."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from typing import Optional

from .errors import Busy, Lost
from .types import ID, Mutex, Owner

_TEXTS = {
    "en": {
        "busy": "{who} has been editing this since {since}.",
        "self": "You have been editing this in another window since {since}.",
        "busy shared": "{who} has been reading this since {since}.",
        "self shared": "You have been reading this in another window since {since}.",
        "busy other": "{who} has been editing {what} since {since}.",
        "self other": "You have been editing {what} in another window since {since}.",
        "busy other shared": "{who} has been reading {what} since {since}.",
        "self other shared": "You have been reading {what} in another window since {since}.",
        "busy all": "{who} has kept {what} closed since {since}.",
        "self all": "You have kept {what} closed in another window since {since}.",
        "draining": " {who} has been waiting for {what} since {since}, so nothing else in it can be locked.",
        "message": " Message: {message}.",
        "part": "the part {part}",
        "part of": "{part} of {name}",
        "whole": "the whole of this",
        "all": "all of {name}",
        "no group": "everything without a group",
        "expired": "Your lock has expired: it was not renewed in time.",
        "taken_over": "{who} took over your lock.",
        "force_released": "{who} released your lock.",
        "lost": "You do not hold the lock any more.",
        "reason": " Reason: {reason}.",
        "now": " {who} is editing this now.",
        "now shared": " {who} is reading this now.",
        "somebody": "Somebody",
        "agent": "{who} (agent)",
        "agent for": "{who} (agent for {whom})",
        "job": "{who} (job)",
        "job for": "{who} (job for {whom})",
    },
    "ru": {
        "busy": "Уже редактирует {who}, с {since}.",
        "self": "Вы уже редактируете это в другом окне, с {since}.",
        "busy shared": "Уже читает {who}, с {since}.",
        "self shared": "Вы уже читаете это в другом окне, с {since}.",
        "busy other": "{who} редактирует {what} с {since}.",
        "self other": "Вы уже редактируете {what} в другом окне, с {since}.",
        "busy other shared": "{who} читает {what} с {since}.",
        "self other shared": "Вы уже читаете {what} в другом окне, с {since}.",
        "busy all": "{who} держит {what} закрытым с {since}.",
        "self all": "Вы держите {what} закрытым в другом окне, с {since}.",
        "draining": " {who} с {since} ждёт, пока освободится {what}; до тех пор ничего другого там не занять.",
        "message": " Сообщение: {message}.",
        "part": "часть {part}",
        "part of": "часть {part} в {name}",
        "whole": "это целиком",
        "all": "всё в {name}",
        "no group": "всё без группы",
        "expired": "Ваша блокировка истекла: она не была вовремя продлена.",
        "taken_over": "Вашу блокировку перехватили ({who}).",
        "force_released": "Вашу блокировку снял администратор ({who}).",
        "lost": "Блокировка больше не ваша.",
        "reason": " Причина: {reason}.",
        "now": " Сейчас редактирует {who}.",
        "now shared": " Сейчас читает {who}.",
        "somebody": "Неизвестный",
        "agent": "{who} (агент)",
        "agent for": "{who} (агент, от имени: {whom})",
        "job": "{who} (задание)",
        "job for": "{who} (задание, от имени: {whom})",
    },
}


_DIRECTING = re.compile("[\u2028-\u202e\u2066-\u2069]")


def isolated(text: str) -> str:
    """A text that somebody wrote, so that it does not change the order of the text around it.

    Characters that direct text are written out: one of them could end the isolation.
    """
    text = _DIRECTING.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return f"\u2068{text}\u2069"
    return text


def _texts(language: str) -> dict[str, str]:
    return _TEXTS["ru" if language.lower().startswith("ru") else "en"]


def called(owner: Owner, *, language: str = "en") -> str:
    """How an owner is called: one that is no person with what it is, and for whom."""
    who, texts = isolated(owner.label), _texts(language)
    if owner.kind == "person":
        return who
    key = owner.kind + (" for" if owner.on_behalf_of else "")
    return texts[key].format(who=who, whom=isolated(owner.on_behalf_of))


def being_edited(
    mutex: Mutex,
    *,
    language: str = "en",
    self_held: bool = False,
    zone: Optional[tzinfo] = None,
    now: Optional[datetime] = None,
    asked: Optional[ID] = None,
) -> str:
    """Says who edits an object, or reads it and shares the lock, and since when.

    Of a part it says which, of all of a mode or group that somebody keeps it closed.

    :param language: a code such as ``ru`` or ``ru-RU``; others are English.
    :param self_held: the reader is the holder, in another window.
    :param zone: the reader's time zone; without one, the machine's.
    :param asked: what the reader would like to have, if the mutex may be another one.
    """
    what = _object(mutex.id, asked or mutex.id.whole, language)
    key = "self" if self_held else "busy"
    if mutex.sharing == "shared":
        key += " other shared" if what else " shared"
    else:
        key += " all" if mutex.id.below else " other" if what else ""
    shown = _moment(mutex.captured_at, now or mutex.as_of, zone)
    return _texts(language)[key].format(who=called(mutex.owner, language=language), what=what, since=shown)


def _moment(at: datetime, now: datetime, zone: Optional[tzinfo]) -> str:
    at = at.astimezone(zone)
    return at.strftime("%H:%M" if at.date() == now.astimezone(zone).date() else "%d.%m.%Y %H:%M")


def _object(id: ID, asked: ID, language: str) -> str:
    """What a mutex names, for somebody who asked for another one; empty: the same."""
    texts = _texts(language)
    if id == ID(below=True):
        return texts["no group"]
    if id.below:
        return texts["all"].format(name=isolated(str(id)[:-1]))
    if id == asked:
        return ""
    of = id.whole != asked.whole
    if not id.part:
        return isolated(str(id)) if of else texts["whole"]
    return texts["part of" if of else "part"].format(part=isolated(id.part), name=isolated(str(id.whole)))


def refusal(err: Busy, *, language: str = "en", zone: Optional[tzinfo] = None) -> str:
    """Says why a lock was refused."""
    text = being_edited(err.holder, language=language, self_held=err.self_held, zone=zone, asked=err.asked)
    return text + draining(err, language=language, zone=zone)


def draining(err: Busy, *, language: str = "en", zone: Optional[tzinfo] = None) -> str:
    """Says who waits for something above, for which nothing in it is given out; empty: nobody."""
    drain, texts = err.draining, _texts(language)
    if drain is None:
        return ""
    what = _object(drain.id, err.asked or drain.id, language) or texts["whole"]
    text = texts["draining"].format(
        who=called(drain.by, language=language), what=what, since=_moment(drain.since, err.holder.as_of, zone)
    )
    if drain.message:
        text += texts["message"].format(message=isolated(drain.message.rstrip(".")))
    return text


def loss(err: Lost, *, language: str = "en") -> str:
    """Says how a lock was lost, and who has it now."""
    texts = _texts(language)
    who = called(err.by, language=language) if err.by is not None else texts["somebody"]
    known = err.how in ("expired", "taken_over", "force_released")
    text = texts[err.how if known else "lost"].format(who=who)
    if err.reason and err.how != "expired":
        text += texts["reason"].format(reason=isolated(err.reason.rstrip(".")))
    if err.holder is not None:
        key = "now shared" if err.holder.sharing == "shared" else "now"
        text += texts[key].format(who=called(err.holder.owner, language=language))
    return text.replace("..", ".")  # a name that ends in a full stop
