"""The column of a changelist that says who edits what, and who looks at it."""

from __future__ import annotations

from typing import Any, Callable, Optional

from ...errors import EditlockError
from ...types import ID, Looking, Mutex
from .. import peek
from ..names import mutex_id
from ..owners import owner_of
from ..texts import cell, present, text

#: The attribute of a request that has its changelist.
ROWS = "_editlock_changelist"


def holder_column(request: Any, model: Any) -> Callable[[Any], str]:
    """A column for list_display that asks the server once, when its first row is drawn."""
    held: Optional[dict[ID, list[Mutex]]] = None

    def holders(obj: Any) -> dict[ID, list[Mutex]]:
        nonlocal held
        if held is None:
            held = {}
            id = mutex_id(obj)
            try:
                page = peek(lambda client: client.list(group=id.group, mode=id.mode, limit=1000))
                for mutex in page.mutexes:  # by name: the whole before its parts
                    held.setdefault(mutex.id.whole, []).append(mutex)
            except EditlockError:
                pass  # the page does without
        return held

    def editlock_holder(obj: Any) -> str:
        id = mutex_id(obj)
        every = ID(mode=id.mode, group=id.group, below=True)
        return cell(holders(obj).get(id) or holders(obj).get(every) or (), owner_of(request))

    return _column(editlock_holder)


def present_column(request: Any, model: Any) -> Callable[[Any], str]:
    """The same with those who look, of the rows of the page only."""
    seen: Optional[dict[ID, Looking]] = None

    def rows() -> dict[ID, Looking]:
        nonlocal seen
        if seen is None:
            shown = getattr(request, ROWS, None)
            ids = dict.fromkeys(model.get_editlock_id(obj) for obj in (shown.result_list if shown else ()))
            try:
                seen = {one.id: one for one in peek(lambda client: client.looking(ids, owner=owner_of(request)))}
            except EditlockError:
                seen = {}
        return seen

    def editlock_holder(obj: Any) -> str:
        one = rows().get(model.get_editlock_id(obj))
        return "" if one is None else present(one)

    return _column(editlock_holder)


def _column(show: Callable[[Any], str]) -> Callable[[Any], str]:
    show.short_description = text("column")  # type: ignore[attr-defined]
    show.empty_value_display = ""  # type: ignore[attr-defined]
    return show
