"""The admin's page of locks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils.translation import get_language

from ..errors import EditlockError, Unavailable
from . import client, public_url

_TEXTS = {
    "en": {
        "title": "Locks",
        "manager": "Open the lock manager",
        "search": "Search",
        "what": "What",
        "who": "Who",
        "since": "Since",
        "none": "Nothing is locked.",
        "more": "There are more: narrow the search, or see the lock manager.",
        "down": "The lock server does not answer.",
    },
    "ru": {
        "title": "Блокировки",
        "manager": "Открыть диспетчер блокировок",
        "search": "Найти",
        "what": "Что",
        "who": "Кто",
        "since": "С какого времени",
        "none": "Ничего не заблокировано.",
        "more": "Показаны не все: уточните поиск или откройте диспетчер блокировок.",
        "down": "Сервер блокировок не отвечает.",
    },
}


def locks(request: Any) -> TemplateResponse:
    """What is locked, with a link to the lock manager, where locks are taken over or released."""
    text = request.GET.get("q", "")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "texts": _TEXTS["ru" if (get_language() or "").startswith("ru") else "en"],
        "query": text,
        "manager": public_url() + "/",
    }
    context["title"] = context["texts"]["title"]
    try:
        page = client().list(text=text, limit=100)
        context.update(mutexes=page.mutexes, more=page.next is not None)
    except Unavailable:
        context["error"] = context["texts"]["down"]
    except EditlockError as err:
        context["error"] = str(err)
    return TemplateResponse(request, "editlock/locks.html", context)
