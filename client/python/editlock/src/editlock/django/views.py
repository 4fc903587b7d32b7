"""The admin's page of locks."""

from __future__ import annotations

import time
from typing import Any, Optional

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.template.response import TemplateResponse

from ..errors import EditlockError, Unavailable
from ..words import called
from . import client, public_url
from .texts import TEXTS, language

#: For how many seconds empty pages are read on: a search ends pages early.
_READ_FOR = 10


def locks(request: Any, site: Optional[Any] = None) -> TemplateResponse:
    """What is locked, with a link to the lock manager, where locks are taken over or released.

    It names records of every kind and who edits them, so being staff is not enough:
    it takes the permission ``editlock.view_lock``.
    """
    if not request.user.has_perm("editlock.view_lock"):
        raise PermissionDenied
    query = request.GET.get("q", "")
    context: dict[str, Any] = {
        **(site or admin.site).each_context(request),
        "texts": TEXTS[language()],
        "query": query,
        "manager": public_url() + "/",
    }
    context["title"] = context["texts"]["title"]
    try:
        page, begun = client().list(text=query, limit=100), time.monotonic()
        while not page.mutexes and page.next is not None and time.monotonic() < begun + _READ_FOR:
            page = client().list(text=query, limit=100, cursor=page.next)
        locks = [(mutex, called(mutex.owner, language=language())) for mutex in page.mutexes]
        context.update(locks=locks, more=page.next is not None)
    except Unavailable:
        context["error"] = context["texts"]["down"]
    except EditlockError as err:
        context["error"] = str(err)
    return TemplateResponse(request, "editlock/locks.html", context)
