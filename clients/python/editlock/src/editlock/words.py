"""What to tell people, in English and Russian."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, tzinfo
from typing import Optional

from .errors import Busy, Lost
from .types import Mutex, Owner

_TEXTS = {
    "en": {
        "busy": "{who} has been editing this since {since}.",
        "self": "You have been editing this in another window since {since}.",
        "busy shared": "{who} has been reading this since {since}.",
        "self shared": "You have been reading this in another window since {since}.",
        "expired": "Your lock has expired: it was not renewed in time.",
        "taken_over": "{who} took over your lock.",
        "force_released": "{who} released your lock.",
        "lost": "You do not hold the lock any more.",
        "reason": " Reason: {reason}.",
        "now": " {who} is editing this now.",
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
        "expired": "Ваша блокировка истекла: она не была вовремя продлена.",
        "taken_over": "Вашу блокировку перехватили ({who}).",
        "force_released": "Вашу блокировку снял администратор ({who}).",
        "lost": "Блокировка больше не ваша.",
        "reason": " Причина: {reason}.",
        "now": " Сейчас редактирует {who}.",
        "somebody": "Неизвестный",
        "agent": "{who} (агент)",
        "agent for": "{who} (агент, от имени: {whom})",
        "job": "{who} (задание)",
        "job for": "{who} (задание, от имени: {whom})",
    },
}


_DIRECTING = re.compile("[\u202a-\u202e\u2066-\u2069]")


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
) -> str:
    """Says who edits an object, or reads it and shares the lock, and since when.

    :param language: a code such as ``ru`` or ``ru-RU``; others are English.
    :param self_held: the reader is the holder, in another window.
    :param zone: the reader's time zone; without one, the machine's.
    """
    since = mutex.captured_at.astimezone(zone)
    today = (now or mutex.as_of).astimezone(zone).date()
    shown = since.strftime("%H:%M" if since.date() == today else "%d.%m.%Y %H:%M")
    key = ("self" if self_held else "busy") + (" shared" if mutex.sharing == "shared" else "")
    return _texts(language)[key].format(who=called(mutex.owner, language=language), since=shown)


def refusal(err: Busy, *, language: str = "en", zone: Optional[tzinfo] = None) -> str:
    """Says why a lock was refused."""
    return being_edited(err.holder, language=language, self_held=err.self_held, zone=zone)


def loss(err: Lost, *, language: str = "en") -> str:
    """Says how a lock was lost, and who has it now."""
    texts = _texts(language)
    who = called(err.by, language=language) if err.by is not None else texts["somebody"]
    known = err.how in ("expired", "taken_over", "force_released")
    text = texts[err.how if known else "lost"].format(who=who)
    if err.reason and err.how != "expired":
        text += texts["reason"].format(reason=isolated(err.reason.rstrip(".")))
    if err.holder is not None:
        text += texts["now"].format(who=called(err.holder.owner, language=language))
    return text.replace("..", ".")  # a name that ends in a full stop
