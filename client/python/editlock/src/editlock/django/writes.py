"""What a request may write: the objects whose locks it holds."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Optional

from ..errors import Busy, EditlockError, Lost, Unavailable
from ..owners import current_owner
from ..types import ID, AutoRelease, Mutex, Owner
from . import client
from .names import mutex_id

#: A page that goes away leaves its lock for up to so many seconds to the one that follows.
_GRACE = 5.0
#: How many locks one call takes.
_BATCH = 1000
#: The largest token of a server: greater numbers are not exact in JavaScript.
_MAX_TOKEN = 2**53 - 1
#: How long a lock outlives a process that died while it wrote.
_LEASE = AutoRelease(idle=60)

_current: ContextVar[Optional[Writes]] = ContextVar("editlock_writes", default=None)


class Writes:
    """A block of code in which the locks of what is written are held.

    ``confirm`` is for an object whose form has the token, ``hold`` for one
    that nobody has a form of. Locks of ``hold`` are released at the end of the
    block; put a transaction inside of it, not around it. Not for several
    threads.

    If the server does not answer, both raise Unavailable, unless the setting
    EDITLOCK_WHEN_UNREACHABLE is "allow": then ``unlocked`` tells so.
    """

    def __init__(self, owner: Optional[Owner] = None) -> None:
        self.owner = current_owner() if owner is None else owner
        self.ids: set[ID] = set()
        self.unlocked = False
        self._held: list[Mutex] = []
        self._before: Optional[Token[Optional[Writes]]] = None

    def __enter__(self) -> Writes:
        self._before = _current.set(self)
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if self._before is not None:
            _current.reset(self._before)
        held, self._held = self._held, []
        if held:
            with suppress(EditlockError):  # then they end by themselves
                client().release_all(held, owner=self.owner)

    def confirm(self, id: ID, token: Optional[int]) -> Optional[Mutex]:
        """Refreshes the lock that the owner holds with a token; Lost, with the present holder, if they do not.

        One that is shared or has a limit is not enough, as others may read or write meanwhile.
        The answer is None where the server may be silent.
        """
        mutex = None
        try:
            if token is None or token > _MAX_TOKEN:
                _, holder = client().request(id, owner=self.owner)
                raise Lost(f"the request brings no token of the lock on {id}", id=id, holder=holder)
            mutex = client().capture(id, owner=self.owner, if_token=token)
            if mutex.sharing != "exclusive":
                raise Lost(f"the lock on {id} is shared with others", id=id, holder=mutex)
        except Unavailable:
            self._allow()
        self.ids.add(id)
        return mutex

    def hold(self, ids: Iterable[ID]) -> None:
        """Takes the locks of objects, all or none; Busy, with every holder, if somebody edits one of them.

        The owner's own form in another window is in the way like anybody's.
        """
        wanted = [id for id in dict.fromkeys(ids) if id not in self.ids]
        try:
            for start in range(0, len(wanted), _BATCH):
                self._take(wanted[start : start + _BATCH])
        except Unavailable:
            self._allow()
        self.ids.update(wanted)

    def _take(self, ids: list[ID]) -> None:
        terms: Any = {"owner": self.owner, "auto_release": _LEASE}
        try:
            self._held += client().capture_all(ids, if_free=True, **terms)
            return
        except Busy as busy:
            others = [holder for holder in busy.holders if not self.left_behind(holder)]
            if others:
                refusal = self.busy(others, busy)
                refusal.asked = ids[0] if len(ids) == 1 else None
                raise refusal from None
            left = busy.holders
        # What the owner's last page has left behind and nobody has taken up.
        for mutex in left:
            self._held.append(client().capture(mutex.id, if_token=mutex.token, **terms))
        rest = [id for id in ids if id not in {mutex.id for mutex in left}]
        if rest:
            self._held += client().capture_all(rest, if_free=True, **terms)

    def busy(self, holders: list[Mutex], told: Optional[Busy] = None) -> Busy:
        """The refusal by some holders, of those that another one tells of."""
        mine = all(holder.owner.is_holder(self.owner) for holder in holders)
        busy = Busy("somebody edits this", holders[0], tuple(holders), self_held=mine)
        if told is not None:
            busy.holders_total += told.holders_total - len(told.holders)
            busy.draining = told.draining
        return busy

    def left_behind(self, holder: Mutex) -> bool:
        """Whether it is only kept for a page of the owner's that may be on its way."""
        mine = holder.owner.is_holder(self.owner)
        return mine and holder.expires_in is not None and holder.expires_in <= _GRACE

    def _allow(self) -> None:
        if not unreachable_is_allowed():
            raise
        self.unlocked = True


def unreachable_is_allowed() -> bool:
    """Whether objects may be changed while the lock server does not answer."""
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured

    policy = getattr(settings, "EDITLOCK_WHEN_UNREACHABLE", "refuse")
    if policy not in ("refuse", "allow"):
        raise ImproperlyConfigured(f'EDITLOCK_WHEN_UNREACHABLE is {policy!r}; "refuse" and "allow" are allowed')
    return bool(policy == "allow")


def current() -> Optional[Writes]:
    """The block that this code runs in."""
    return _current.get()


class locked(Writes):
    """Holds the locks of some objects while a block writes them, for scripts and tasks:

    with locked(invoice):
        invoice.save()

    Busy says who edits one of them.
    """

    def __init__(self, *objects: Any, owner: Optional[Owner] = None) -> None:
        super().__init__(owner)
        self._objects = objects

    def __enter__(self) -> locked:
        super().__enter__()
        try:
            self.hold(mutex_id(obj) for obj in self._objects)
        except BaseException as err:
            self.__exit__(type(err), err, None)
            raise
        return self
