"""What m3-mutex's objects are on an editlock server, and back."""

from __future__ import annotations

import datetime
import math
from typing import Any, Optional

import editlock
from editlock._forms import seconds, shown

from .domain import Mutex, MutexID, MutexOwner, TimeoutAutoRelease

#: editlock has no empty ids. An empty one is written as this, and an id of
#: nothing but such marks gets one more, so that no two names become one.
_EMPTY = "*"


def to_id(mutex_id: Any) -> editlock.ID:
    """The name of a mutex, given as MutexID or as a Mutex itself."""
    if isinstance(mutex_id, Mutex):
        mutex_id = mutex_id.id
    if mutex_id.id is None:
        raise editlock.Invalid("mutex.id", "is None: an object that is not saved yet has no id to lock")
    id = str(mutex_id.id)
    return editlock.ID(
        id=id + _EMPTY if not id.strip(_EMPTY) else id, mode=_text(mutex_id.mode), group=_text(mutex_id.group)
    )


def _from_id(id: editlock.ID) -> MutexID:
    return MutexID(group=id.group, mode=id.mode, id=id.id if id.id.strip(_EMPTY) else id.id[:-1])


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def to_owner(owner: Any, stranger: bool = False) -> editlock.Owner:
    """An owner; with ``stranger``, one without a session is nobody."""
    session = _text(owner.session_id)
    if not session:
        if stranger:
            return editlock.STRANGER
        raise editlock.Invalid("owner.session_id", "must not be empty: it is what tells one holder from another")
    # m3-mutex's user 0 is nobody in particular.
    user = _text(owner.user_id)
    return editlock.Owner(
        session=session,
        user_id="" if user == "0" else user,
        login=shown(owner.login),
        name=shown(owner.name),
        host=shown(owner.host),
        # m3-mutex knows people only: these are of an owner that came from editlock.
        kind=getattr(owner, "kind", "person"),
        on_behalf_of=shown(getattr(owner, "on_behalf_of", "")),
    )


def from_owner(owner: editlock.Owner, nobody: Any = "0") -> MutexOwner:
    """An owner as m3-mutex has it; an agent or a job has ``kind`` and ``on_behalf_of``, too."""
    made = MutexOwner(
        session_id=owner.session, user_id=owner.user_id or nobody, name=owner.name, login=owner.login, host=owner.host
    )
    if owner.kind != "person":
        made.kind, made.on_behalf_of = owner.kind, owner.on_behalf_of  # type: ignore[attr-defined]
    return made


def status_text(status_data: Any) -> str:
    """Status data as text, by its own ``dump`` where it has one."""
    if status_data is None:
        return ""
    dump = getattr(status_data, "dump", None)
    return str(dump()) if callable(dump) else str(status_data)


def to_rule(rule: Any) -> editlock.AutoRelease:
    """A rule, by what it is stored as: all that are not timeouts never release."""
    code, config = rule.dump() if rule else ("", "")
    if code != "timeout":
        return editlock.NEVER
    timeout = TimeoutAutoRelease()
    timeout.restore(config)
    return editlock.AutoRelease(idle=timeout.timeout or TimeoutAutoRelease.DEFAULT_TIMEOUT)


def _from_rule(rule: editlock.AutoRelease) -> Optional[TimeoutAutoRelease]:
    return None if rule.idle is None else TimeoutAutoRelease(math.ceil(seconds(rule.idle)))


def from_mutex(held: editlock.Mutex) -> Mutex:
    """A mutex as m3-mutex shows it."""
    mutex = Mutex(_from_id(held.id), from_owner(held.owner), _from_rule(held.auto_release))
    # By the local clock, whatever it shows: its rule compares it to that.
    mutex.captured_since = datetime.datetime.now() - (held.as_of - held.refreshed_at)
    mutex.status_data = held.status_data
    mutex.token = held.token
    return mutex
