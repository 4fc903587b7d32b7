"""Where mutexes are kept. ModelMutexBackend, which kept them in a Django
model, keeps them on an editlock server."""

from __future__ import annotations

import datetime
from typing import Any, Optional

import editlock

from . import _names as names
from ._server import client
from .domain import Mutex, MutexState, TimeoutAutoRelease
from .exceptions import MutexBusy
from .helpers import compare_owners, get_default_owner


class BaseMutexBackend:
    """For stores of one's own: captures, releases and requests made of four
    steps that a subclass gives, each a call of its own. Two callers can get
    in between; ModelMutexBackend lets nobody."""

    def capture_mutex(
        self,
        mutex_id: Any,
        owner: Any = None,
        auto_release: Any = TimeoutAutoRelease(),  # noqa: B008 - as in m3-mutex
        status_data: Any = None,
    ) -> Mutex:
        """See api.capture_mutex."""
        owner = owner or get_default_owner()
        text = names.status_text(status_data)
        state, mutex = self.request_mutex(mutex_id, owner)
        if state == MutexState.CAPTURED_BY_OTHER:
            raise MutexBusy
        if mutex is not None:
            self._refresh_mutex(mutex_id, text)
            return mutex
        mutex = Mutex(mutex_id, owner, auto_release)
        mutex.captured_since = datetime.datetime.now()
        mutex.status_data = text
        self._add_mutex(mutex)
        return mutex

    def release_mutex(self, mutex_id: Any, owner: Any = None) -> None:
        """See api.release_mutex."""
        state, _ = self.request_mutex(mutex_id, owner)
        if state == MutexState.CAPTURED_BY_OTHER:
            raise MutexBusy
        if state == MutexState.CAPTURED_BY_ME:
            self._remove_mutex(mutex_id)

    def request_mutex(self, mutex_id: Any, owner: Any = None) -> tuple[int, Optional[Mutex]]:
        """See api.request_mutex."""
        mutex = self._read_mutex(mutex_id)
        if mutex is not None and mutex.auto_release and mutex.auto_release.check(mutex):
            self._remove_mutex(mutex_id)
            mutex = None
        if mutex is None:
            return MutexState.FREE, None
        mine = compare_owners(mutex.owner, owner or get_default_owner())
        return MutexState.CAPTURED_BY_ME if mine else MutexState.CAPTURED_BY_OTHER, mutex

    def _read_mutex(self, mutex_id: Any) -> Optional[Mutex]:
        raise NotImplementedError("a backend must say how a mutex is read")

    def _add_mutex(self, mutex: Mutex) -> None:
        raise NotImplementedError("a backend must say how a mutex is stored")

    def _refresh_mutex(self, mutex_id: Any, status_data: Any) -> None:
        raise NotImplementedError("a backend must say how a mutex is refreshed")

    def _remove_mutex(self, mutex_id: Any) -> None:
        raise NotImplementedError("a backend must say how a mutex is removed")


class ModelMutexBackend(BaseMutexBackend):
    """Keeps mutexes on the editlock server; each change is one atomic step there."""

    def capture_mutex(
        self,
        mutex_id: Any,
        owner: Any = None,
        auto_release: Any = TimeoutAutoRelease(),  # noqa: B008 - as in m3-mutex
        status_data: Any = None,
    ) -> Mutex:
        """See api.capture_mutex."""
        owner = owner or get_default_owner()
        name, who, text = names.to_id(mutex_id), names.to_owner(owner), names.status_text(status_data)
        rule = names.to_rule(auto_release)
        while True:
            try:
                taken = client().capture(name, owner=who, status_data=text, auto_release=rule, if_free=True)
            except editlock.Busy as busy:
                if not busy.holder.owner.is_holder(who):
                    raise _busy(busy) from busy
                seen, shared = busy.holder.token, busy.holder.sharing == "shared"
            else:
                mutex = names.from_mutex(taken)
                mutex.id, mutex.owner, mutex.auto_release = mutex_id, owner, auto_release
                return mutex
            try:
                # It is the owner's: a refresh, which leaves the rule as it is.
                # One that is shared with others who read becomes the owner's alone, or is busy.
                sharing: Any = "exclusive" if shared else None
                held = client().capture(name, owner=who, status_data=text, if_token=seen, sharing=sharing)
                return names.from_mutex(held)
            except editlock.Lost:
                continue  # it ended in between
            except editlock.Busy as busy:
                raise _busy(busy) from busy

    def release_mutex(self, mutex_id: Any, owner: Any = None) -> None:
        """See api.release_mutex."""
        name, who = names.to_id(mutex_id), names.to_owner(owner or get_default_owner(), stranger=True)
        if who == editlock.STRANGER:
            state, held = client().request(name, owner=who)
            if held is not None:
                raise MutexBusy(f"{name} is held by {held.owner.label}")
            return
        try:
            client().release(name, owner=who)
        except editlock.Busy as busy:
            raise _busy(busy) from busy

    def request_mutex(self, mutex_id: Any, owner: Any = None) -> tuple[int, Optional[Mutex]]:
        """See api.request_mutex."""
        who = names.to_owner(owner or get_default_owner(), stranger=True)
        state, held = client().request(names.to_id(mutex_id), owner=who)
        return int(state), None if held is None else names.from_mutex(held)

    def list_mutexes(self, mutex_query: Any) -> list[Mutex]:
        """See api.get_mutex_list."""
        end = None if mutex_query.offset < 0 else mutex_query.start + mutex_query.offset
        found: list[Mutex] = []
        cursor: Optional[str] = None
        while end is None or len(found) < end:
            page = client().list(text=str(mutex_query.filter or ""), limit=1000, cursor=cursor)
            found += [names.from_mutex(held) for held in page.mutexes]
            cursor = page.next
            if cursor is None:
                break
        return found[mutex_query.start : end]


class SessionMutexBackend(BaseMutexBackend):
    """As empty as in m3-mutex: for mutexes of one request only."""


def _busy(refused: editlock.Busy) -> MutexBusy:
    err = MutexBusy(str(refused))
    err.mutex = names.from_mutex(refused.holder)
    return err
