"""Which locked objects a deletion or an inline would change besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin.utils import NestedObjects
from django.db import router

from ...errors import Unavailable
from ...types import ID
from .. import peek
from ..names import locked_model, mutex_id
from ..strict import guarded_models
from ..writes import Writes


def locked_models(site: Any) -> set[Any]:
    """The models whose objects are locked: by an admin site, or wherever they are written."""
    from .mixin import EditLockAdmin

    registry = site._registry.items()
    locked = {locked_model(model) for model, registered in registry if isinstance(registered, EditLockAdmin)}
    return locked | guarded_models()


def deleted_with(site: Any, objects: Iterable[Any]) -> dict[ID, str]:
    """The locks of objects, and of those that are deleted along with them, and how people call these."""
    objects = list(objects)
    if not objects:
        return {}
    collector = NestedObjects(using=router.db_for_write(type(objects[0]), instance=objects[0]))
    collector.collect(objects)
    locked = locked_models(site)
    found = {mutex_id(obj): str(obj) for obj in objects}
    for model, instances in collector.data.items():
        if locked_model(model) in locked:
            found.update({mutex_id(obj): str(obj) for obj in instances})
    return found


def changed_in(site: Any, formset: Any) -> dict[ID, str]:
    """The locks of the objects that an inline changes or deletes, if they are locked by themselves."""
    if locked_model(formset.model) not in locked_models(site):
        return {}
    changed = [form.instance for form in formset.initial_forms if form.has_changed()]
    return {mutex_id(obj): str(obj) for obj in changed if obj.pk is not None}


def look(writes: Writes, named: Mapping[ID, str]) -> None:
    """Raises Busy if somebody is known to edit one of some objects. It takes no lock, and needs no server."""
    held = []
    try:
        for group, mode in dict.fromkeys((id.group, id.mode) for id in named):
            page = peek(lambda client, group=group, mode=mode: client.list(group=group, mode=mode, limit=1000))  # type: ignore[misc]
            every = ID(mode=mode, group=group, below=True)
            held += [
                mutex
                for mutex in page.mutexes
                if (mutex.id.whole in named or mutex.id == every) and not writes.left_behind(mutex)
            ]
    except Unavailable:
        return
    if held:
        raise writes.busy(held)
