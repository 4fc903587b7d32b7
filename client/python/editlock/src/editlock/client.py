"""The client that blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Callable, Optional, TypeVar

from . import _calls as calls
from . import _forms as forms
from ._exchange import Exchange
from ._keeper import Keeper
from ._lease import clock
from ._watch import Watch
from .errors import EditlockError, Lost
from .held import Held
from .owners import current_owner
from .types import (
    ID,
    AutoRelease,
    Company,
    HistoryPage,
    Look,
    Looking,
    Mutex,
    Owner,
    Page,
    RefreshItem,
    Seconds,
    Sharing,
    State,
)

T = TypeVar("T")


class Client(Exchange):
    """The locks of a server. Safe for threads, and for processes that fork.

    Connections are kept for reuse. A call that met no server, a cut
    connection or a status of 502, 503 or 504 is repeated with growing pauses
    until its time is up, and one that was over a limit (429) after the time
    that the server asks for, if there is that much left; other refusals are
    never repeated. Captures and takeovers
    carry a key that makes a repetition the same capture, even if only the
    answer of the first was lost.

    ``owner`` of a call is who makes it; without one, see acting_as.

    :param url: ``http://HOST:PORT`` or https.
    :param timeout: seconds that a call may take with all repetitions, beyond
        the ``wait`` it asks for.
    :param tls: for https, where the system's certificates are not the ones.
    :param credential: proves who calls: an API key, a JWT, or a function that
        returns one and is asked again when the server refuses it. With a JWT,
        calls that name no owner leave it to the claims.
    :param owner_proved: ``tls`` has a client certificate that says who calls:
        without a credential, calls that name no owner leave it to the server.
    """

    def _forked(self) -> None:
        self._keeper = Keeper(self)
        if self._pool.closed:
            self._keeper.close()

    def close(self) -> None:
        """Ends connections, watches, and calls that wait for a mutex: they raise Closed, as later calls do.

        What hold keeps is lost to the program, which is told so: nothing
        refreshes it any more. Mutexes stay held by their owners until they
        expire. Other calls under way in other threads are finished. It may be
        called more than once.
        """
        self._pool.close()
        self._keeper.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def capture(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        if_status_data: Optional[str] = None,
        if_token: Optional[int] = None,
        wait: Optional[Seconds] = None,
        message: str = "",
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
        request_id: str = "",
    ) -> Mutex:
        """Takes a mutex, or refreshes it if the owner's session holds it.

        Raises Busy if another holds it, or anybody with ``if_free``. With
        ``if_status_data`` or ``if_token`` it only refreshes: Lost if the
        mutex is not the owner's with just that. ``wait`` queues for what
        another holds, first come, first served, and ``message`` asks the
        holder. A caller who gives a wait up, by an exception such as
        KeyboardInterrupt, leaves the queue; with a ``request_id`` of the
        caller's the place is kept some seconds for another try.

        ``sharing`` says who may hold it at the same time: nobody else
        (``"exclusive"``, as a new hold is without it), or all who hold it
        ``"shared"``, too. Without it, the owner's own hold stays as it is.
        ``limit`` instead: at most so many, who all give it; Conflict if some hold
        it otherwise. A shared mutex of the owner's becomes exclusive, with a new
        token, only while nobody else holds it or waits: Busy at once.
        """
        mutex = self._run(
            calls.capture(
                id,
                owner,
                status_data,
                auto_release,
                if_free,
                if_status_data,
                if_token,
                wait,
                message,
                grant_after,
                sharing,
                limit,
                request_id,
            )
        )
        return self._taken_up(mutex, owner) if wait and calls.provisional(mutex) else mutex

    def _taken_up(self, mutex: Mutex, owner: Optional[Owner]) -> Mutex:
        """What a wait was granted, which is gone soon unless it is confirmed."""
        (confirmed, err), *_ = self.refresh([RefreshItem(mutex.id, mutex.token)], owner=owner)
        if confirmed is None:
            assert err is not None
            raise err
        return confirmed

    def capture_all(
        self,
        ids: Iterable[ID],
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
        request_id: str = "",
    ) -> tuple[Mutex, ...]:
        """Captures several mutexes, all or none, in one atomic step. Busy names every holder in the way."""
        return self._run(
            calls.capture_all(ids, owner, status_data, auto_release, if_free, grant_after, sharing, limit, request_id)
        )

    def refresh(
        self, items: Sequence[RefreshItem], *, owner: Optional[Owner] = None, by_token: bool = False
    ) -> list[tuple[Optional[Mutex], Optional[EditlockError]]]:
        """Extends mutexes by their tokens; never captures.

        Each item is told of for itself: the mutex, or the error, usually
        Lost. Accepted from the session that holds and from the same user in a
        new one; ``by_token`` accepts the token alone.
        """
        return self._run(calls.refresh(items, owner, by_token))

    def request(self, id: ID, *, owner: Optional[Owner] = None) -> tuple[State, Optional[Mutex]]:
        """Tells who holds a mutex, and changes nothing. Ask as STRANGER to be nobody.

        Of several holders it is the owner's hold or else the oldest; see Mutex.others.
        """
        return self._run(calls.request(id, owner))

    def release(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        if_status_data: Optional[str] = None,
        if_token: Optional[int] = None,
        grace: Optional[Seconds] = None,
    ) -> bool:
        """Frees a mutex of the owner's, or passes it to the first who waits.

        What is free already, or does not meet the condition, is left as it
        is: False. Raises Busy if another holds it and no condition is given.
        With ``grace`` (1 s to 60 s) it is freed so long after, unless
        refreshed before.
        """
        return self._run(calls.release(id, owner, if_status_data, if_token, grace))

    def ping(self, *, timeout: Optional[Seconds] = None) -> None:
        """Checks that the server can do its work: it answers, and its store takes writes.

        Raises Unavailable otherwise, after ``timeout`` seconds of tries or,
        without one, as many as any call has. No credential is checked.
        """
        self._run(calls.ping(), None if timeout is None else forms.seconds(timeout))

    def release_all(self, mutexes: calls.Several, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """Releases several mutexes of the owner's, each for itself, and tells which were released.

        A Mutex, as a capture returned it, or an ID with its token in a mapping
        is released only while that very hold lasts, in a call each; a bare ID
        whichever hold of the owner's there is, in one call for all. Others'
        are left alone. After an error the rest are not released.
        """
        return tuple(id for call in calls.release_all(mutexes, owner) for id in self._run(call))

    def release_session(self, session: str, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """Releases everything that a session holds. ``owner`` is who does it, for the history."""
        return self._run(calls.release_session(session, owner))

    def takeover(
        self,
        id: ID,
        seen_token: int,
        reason: str,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        grant_after: Optional[Seconds] = None,
        request_id: str = "",
    ) -> Mutex:
        """Makes the owner the holder in place of the one seen, who is told why.

        Raises Busy if another holds it by now, NotHeld if nobody does.
        """
        return self._run(
            calls.takeover(id, seen_token, reason, owner, status_data, auto_release, grant_after, request_id)
        )

    def force_release(self, id: ID, seen_token: int, reason: str, *, owner: Optional[Owner] = None) -> None:
        """Frees a mutex of anybody's. Refused like a takeover."""
        return self._run(calls.force_release(id, seen_token, reason, owner))

    def hand_over(self, id: ID, *, owner: Optional[Owner] = None) -> bool:
        """Passes a mutex of the owner's to the first who waits. False: nobody waits, and the owner keeps it."""
        return self._run(calls.hand_over(id, owner))

    def decline(self, id: ID, waiter: str, message: str = "", *, owner: Optional[Owner] = None) -> bool:
        """Ends somebody's wait, by Waiter.id. False: they wait no more."""
        return self._run(calls.decline(id, waiter, message, owner))

    def look(self, page: str, looks: Iterable[Look], *, owner: Optional[Owner] = None) -> tuple[Company, ...]:
        """Tells that a page shows records, for 30 seconds, and is told who else looks at them.

        ``looks`` are all that the page shows; without any, it is gone. It takes and
        prolongs no lock.
        """
        return self._run(calls.look(page, looks, owner))

    def looking(self, ids: Iterable[ID], *, owner: Optional[Owner] = None) -> tuple[Looking, ...]:
        """Who edits the records of a list, and who else looks at them, in the order of the ids, each given once.

        It changes nothing. A hundred records are one call.
        """
        return tuple(one for call in calls.looking(ids, owner) for one in self._run(call))

    def list(
        self,
        *,
        group: str = "",
        mode: str = "",
        session: str = "",
        user_id: str = "",
        text: str = "",
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page:
        """A page of captured mutexes, in the order of their ids; ``text`` is found in any letter case."""
        return self._run(calls.list_mutexes(group, mode, session, user_id, text, limit, cursor))

    def history(
        self,
        id: Optional[ID] = None,
        *,
        tree: bool = False,
        group: str = "",
        mode: str = "",
        user_id: str = "",
        kinds: Iterable[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        text: str = "",
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> HistoryPage:
        """A page of what happened, newest first, from ``start`` to before ``end``.

        With ``tree`` it has the entries of all that is below ``id``, too.
        """
        return self._run(calls.history(id, tree, group, mode, user_id, kinds, start, end, text, limit, cursor))

    def watch(
        self,
        id: Optional[ID] = None,
        *,
        tree: bool = False,
        group: str = "",
        mode: str = "",
        session: str = "",
        after: Optional[int] = None,
    ) -> Watch:
        """Events as they happen, from now on or behind the one numbered ``after``.

        With ``tree`` those of all below ``id``, too. After a cut it comes back and goes on without loss or repetition.
        """
        return Watch(self, calls.events(id, tree, group, mode, session, after), after)

    def hold(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        wait: Optional[Seconds] = None,
        message: str = "",
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
        on_loss: Optional[Callable[[Lost], None]] = None,
    ) -> Held:
        """Captures a mutex and keeps it refreshed until the end of a ``with`` block.

        See capture for what may be given and raised, and Held for how a loss
        is told.
        """
        me = current_owner() if owner is None else owner
        capture = calls.capture(
            id, me, status_data, auto_release, if_free, None, None, wait, message, grant_after, sharing, limit, ""
        )
        capture.leaves = True  # nobody would ever release what the caller does not get
        sent = clock()
        mutex = self._run(capture)
        try:
            if wait:
                # Nobody knows how long ago the wait was granted: ask again.
                sent = clock()
                mutex = self._taken_up(mutex, me)
            return Held(self, me, mutex, sent, on_loss)
        except BaseException:
            with contextlib.suppress(EditlockError):
                self.release(id, owner=me, if_token=mutex.token)
            raise
