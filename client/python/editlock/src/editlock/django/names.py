"""What the locks of a site's objects are called."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any
from urllib.parse import quote

from ..types import ID

#: Bytes of an ID, as the server limits them.
_MAX_ID = 500


def locked_model(model: Any) -> Any:
    """The model whose table has the primary key of a model's rows.

    A proxy, and a child in multi-table inheritance, have rows in common with
    their parent, so their objects have a lock in common, too.
    """
    model = model._meta.concrete_model
    key = model._meta.pk
    while key is not None and key.remote_field is not None and key.remote_field.parent_link:
        model = key.remote_field.model._meta.concrete_model
        key = model._meta.pk
    return model


def mode_of(model: Any, database: str = "default") -> str:
    """The mode of the locks of a model's objects: ``shop.invoice``, or in another database ``shop.invoice@other``."""
    label: str = locked_model(model)._meta.label_lower
    return label if database == "default" else f"{label}@{database}"


def name_of(model: Any, pk: Any, database: str = "default") -> ID:
    """The name of the lock of one row. The group is the setting EDITLOCK_GROUP, by default empty."""
    from django.conf import settings

    return ID(id=_key(str(pk)), mode=mode_of(model, database), group=getattr(settings, "EDITLOCK_GROUP", ""))


def mutex_id(obj: Any) -> ID:
    """The name of the lock of an object, by where it would be saved."""
    return name_of(type(obj), obj.pk, database_of(obj))


def database_of(obj: Any) -> str:
    """Where an object would be saved; the same for a copy read from a replica, if the router says so."""
    from django.db import router

    alias: str = router.db_for_write(type(obj), instance=obj)
    return alias


def _key(text: str) -> str:
    """A primary key as an ID: any text, within what an ID takes."""
    if not text or text[0] == "%" or any(unicodedata.category(c) == "Cc" for c in text):
        text = "%" + quote(text, safe="")
    if len(text.encode()) > _MAX_ID:
        text = "%sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return text
