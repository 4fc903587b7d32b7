"""Refuses to write objects whose lock is not held, wherever the code is that writes.

The setting EDITLOCK_GUARD_WRITES names the models, such as ["shop.Invoice"].
Saves of new objects, fixtures, QuerySet.update and bulk_update pass: they send
no signal, or are of no object that somebody could edit.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models.signals import pre_delete, pre_save

from .names import locked_model, mutex_id
from .writes import current


class Unguarded(PermissionDenied):
    """A write of an object whose lock is not held: use ``editlock.django.writes.locked``."""


def guarded_models() -> set[Any]:
    """The models that the setting names."""
    from django.apps import apps
    from django.conf import settings

    return {locked_model(apps.get_model(label)) for label in getattr(settings, "EDITLOCK_GUARD_WRITES", ())}


def connect() -> None:
    """Connects the signals of those models, their proxies and their children."""
    from django.apps import apps

    guarded = guarded_models()
    for model in apps.get_models(include_auto_created=True):
        if locked_model(model) in guarded:
            pre_save.connect(_saved, sender=model, dispatch_uid=f"editlock.{model._meta.label_lower}")
            pre_delete.connect(_deleted, sender=model, dispatch_uid=f"editlock.{model._meta.label_lower}")


def _saved(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if not raw and not instance._state.adding:
        _check(instance)


def _deleted(sender: Any, instance: Any, **kwargs: Any) -> None:
    _check(instance)


def _check(instance: Any) -> None:
    writes = current()
    if writes is None or mutex_id(instance) not in writes.ids:
        raise Unguarded(f"the lock on {mutex_id(instance)} is not held by the code that writes {instance!r}")
