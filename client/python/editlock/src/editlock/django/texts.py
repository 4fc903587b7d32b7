"""What the pages of a Django site say about locks, in English and Russian."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, Optional

from .. import words
from ..errors import Busy, EditlockError, Lost, Unavailable
from ..types import ID, Looking, Mutex, Owner
from .said import Malformed

TEXTS = {
    "en": {
        "lock": "lock",
        "title": "Locks",
        "manager": "Open the lock manager",
        "search": "Search",
        "what": "What",
        "who": "Who",
        "since": "Since",
        "none": "Nothing is locked.",
        "more": "There are more: narrow the search, or see the lock manager.",
        "down": "The lock server does not answer.",
        "column": "being edited by",
        "you": "you",
        "cell": "{who}, since {since}",
        "reading": "reading: {who}",
        "reading more": "reading: {who} and {count} more",
        "looking": "looking: {who}",
        "looking more": "looking: {who} and {count} more",
        "unsaved": "What you typed",
        "not saved": "Nothing was saved. {why}",
        "not deleted": "Nothing was deleted. {why}",
        "not run": "The action was not run. {why}",
        "object": "{object}: {why}",
        "and more": "And {count} more.",
        "away": "The lock server does not answer, so nobody knows whether somebody else is editing this.",
        "refuses": "The lock server refused: {why}",
        "unlocked": "The lock server did not answer, so this was changed without a lock.",
        "unlocked page": "The lock server does not answer. You can edit, but so can others at the same time.",
        "malformed": "The request is wrong: {why}.",
        "no token": "This page does not hold the lock.",
        "no version": "The request does not say which version of this was seen.",
        "changed": "Nothing was saved: this was changed while you edited it, by an import or another program. "
        "Choose what to keep of each field, then save again.",
        "changed elsewhere": "Nothing was saved: this was changed while you edited it, in no field of this form. "
        "Save again to keep both.",
        "changed briefly": "Nothing was saved: this was changed while you edited it, by an import or another program.",
        "changed gone": "Nothing was saved: this was deleted while you edited it.",
        "choose": "Nothing was saved yet: choose what to keep of each field, then save again.",
        "mine": "Keep mine",
        "theirs": "Take what is stored now",
        "was": "What it was before:",
        "both": "You and somebody else changed this.",
        "only you": "Only you changed this.",
        "only they": "Only somebody else changed this.",
        "yes": "yes",
        "no": "no",
        "empty": "(empty)",
    },
    "ru": {
        "lock": "блокировка",
        "title": "Блокировки",
        "manager": "Открыть диспетчер блокировок",
        "search": "Найти",
        "what": "Что",
        "who": "Кто",
        "since": "С какого времени",
        "none": "Ничего не заблокировано.",
        "more": "Показаны не все: уточните поиск или откройте диспетчер блокировок.",
        "down": "Сервер блокировок не отвечает.",
        "column": "кто редактирует",
        "you": "вы",
        "cell": "{who}, с {since}",
        "reading": "читают: {who}",
        "reading more": "читают: {who} и ещё {count}",
        "looking": "смотрят: {who}",
        "looking more": "смотрят: {who} и ещё {count}",
        "unsaved": "Что вы ввели",
        "not saved": "Ничего не сохранено. {why}",
        "not deleted": "Ничего не удалено. {why}",
        "not run": "Действие не выполнено. {why}",
        "object": "{object}: {why}",
        "and more": "И ещё {count}.",
        "away": "Сервер блокировок не отвечает, и неизвестно, не редактирует ли это кто-то ещё.",
        "refuses": "Сервер блокировок отказал: {why}",
        "unlocked": "Сервер блокировок не ответил, поэтому изменено без блокировки.",
        "unlocked page": "Сервер блокировок не отвечает. Редактировать можно, но это могут делать и другие.",
        "malformed": "Неверный запрос: {why}.",
        "no token": "Эта страница не держит блокировку.",
        "no version": "Запрос не говорит, какая версия этого была показана.",
        "changed": "Ничего не сохранено: пока вы редактировали, это изменил импорт или другая программа. "
        "Выберите для каждого поля, что оставить, и сохраните ещё раз.",
        "changed elsewhere": "Ничего не сохранено: пока вы редактировали, это изменили, но не в полях этой формы. "
        "Сохраните ещё раз: останется и то, и другое.",
        "changed briefly": "Ничего не сохранено: пока вы редактировали, это изменил импорт или другая программа.",
        "changed gone": "Ничего не сохранено: пока вы редактировали, это удалили.",
        "choose": "Пока ничего не сохранено: выберите для каждого поля, что оставить, и сохраните ещё раз.",
        "mine": "Оставить моё",
        "theirs": "Взять то, что сохранено сейчас",
        "was": "Как было раньше:",
        "both": "Изменили и вы, и кто-то другой.",
        "only you": "Изменили только вы.",
        "only they": "Изменил только кто-то другой.",
        "yes": "да",
        "no": "нет",
        "empty": "(пусто)",
    },
}


def language() -> str:
    """The language of the request, as words takes it."""
    from django.utils.translation import get_language

    return "ru" if (get_language() or "").startswith("ru") else "en"


def text(key: str, **values: Any) -> str:
    """A text in the language of the request."""
    return TEXTS[language()][key].format(**values)


def _zone() -> Any:
    from django.conf import settings
    from django.utils import timezone

    return timezone.get_current_timezone() if settings.USE_TZ else None


def edited_by(mutex: Mutex, self_held: bool = False, asked: Optional[ID] = None) -> str:
    """Who has been editing an object, and since when, by the reader's clock."""
    return words.being_edited(mutex, language=language(), self_held=self_held, zone=_zone(), asked=asked)


def _moment(at: datetime, now: datetime) -> str:
    at = at.astimezone(_zone())
    return at.strftime("%H:%M" if at.date() == now.astimezone(_zone()).date() else "%d.%m.%Y %H:%M")


def _since(owner: Owner, mine: bool, at: datetime, now: datetime) -> str:
    who = text("you") if mine else words.called(owner, language=language())
    return text("cell", who=who, since=_moment(at, now))


def _several(key: str, names: list[str], count: int) -> str:
    shown = names[:2]
    more = count - len(shown)
    return text(f"{key} more" if more else key, who=", ".join(shown), count=more)


def cell(mutexes: Iterable[Mutex], me: Owner) -> str:
    """The same in a few words, for a column: who edits, or else who reads and keeps it from being edited."""
    readers = []
    for mutex in mutexes:
        said = _since(mutex.owner, mutex.owner.is_holder(me), mutex.captured_at, mutex.as_of)
        if mutex.sharing != "shared":
            return said
        readers.append(said)
    return _several("reading", readers, len(readers)) if readers else ""


def present(looking: Looking) -> str:
    """Who edits an object, who reads it and who looks at it, in a few words, for a column."""
    said, now = [], datetime.now(timezone.utc)
    if looking.holder is not None and looking.captured_at is not None:
        said.append(_since(looking.holder, looking.mine, looking.captured_at, now))
    if looking.readers:
        readers = [_since(one.owner, one.mine, one.captured_at, now) for one in looking.readers]
        said.append(_several("reading", readers, len(readers)))
    named = [owner for owner in (looking.holder, *(one.owner for one in looking.readers)) if owner is not None]
    people = [p.owner for p in looking.people if not any(_same(p.owner, owner) for owner in named)]
    count = looking.count - (len(looking.people) - len(people))
    if people:
        said.append(_several("looking", [words.called(owner, language=language()) for owner in people], count))
    return "; ".join(said)


def _same(a: Owner, b: Owner) -> bool:
    return a.kind == b.kind and (a.user_id == b.user_id if a.user_id or b.user_id else a.session == b.session)


def why(err: EditlockError, named: Optional[dict[Any, str]] = None) -> str:
    """Why something was refused: by whom it is edited, or that nobody can tell.

    :param named: the objects by the IDs of their locks, where there may be several.
    """
    named = named or {}
    if isinstance(err, Busy):
        said = []
        for holder in err.holders[:5]:
            name = named.get(holder.id) or named.get(holder.id.whole)
            stranger = ID() if named and name is None else None  # in the way, and not asked for
            one = edited_by(holder, err.self_held, err.asked or stranger)
            said.append(one if name is None else text("object", object=words.isolated(name), why=one))
        if err.holders_total > 5:
            said.append(text("and more", count=err.holders_total - min(len(err.holders), 5)))
        return " ".join(said) + words.draining(err, language=language(), zone=_zone())
    if isinstance(err, Lost):
        told = words.loss(err, language=language())
        if err.holder is not None and not err.how:
            told = f"{text('no token')} {edited_by(err.holder, asked=err.id)}"
        part = err.id.part if err.id is not None else ""
        return text("object", object=words.isolated(part), why=told) if part else told
    if isinstance(err, Malformed):
        return text("malformed", why=err)
    if err.code == "changed":
        return text("changed gone" if getattr(err, "current", None) is None else "changed briefly")
    return text("away") if isinstance(err, Unavailable) else text("refuses", why=err)
