"""The column of a changelist that says who edits what."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ...errors import EditlockError
from ...types import ID, Mutex
from .. import peek
from ..names import mutex_id
from ..owners import owner_of
from ..texts import cell, text


def holder_column(request: Any, model: Any) -> Callable[[Any], str]:
    """A column for list_display that asks the server once, when its first row is drawn."""
    held: Optional[dict[ID, Mutex]] = None

    def holders(obj: Any) -> dict[ID, Mutex]:
        nonlocal held
        if held is None:
            id = mutex_id(obj)
            try:
                page = peek(lambda client: client.list(group=id.group, mode=id.mode, limit=1000))
                held = {mutex.id: mutex for mutex in page.mutexes}
            except EditlockError:
                held = {}
        return held

    def editlock_holder(obj: Any) -> str:
        mutex = holders(obj).get(mutex_id(obj))
        return "" if mutex is None else cell(mutex, mutex.owner.session == owner_of(request).session)

    editlock_holder.short_description = text("column")  # type: ignore[attr-defined]
    editlock_holder.empty_value_display = ""  # type: ignore[attr-defined]
    return editlock_holder
