"""The client that blocks."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Callable, Optional, TypeVar

from . import _calls as calls
from . import _http as http
from ._answers import TIME_UP, Retry, refusal, result, unreached
from ._events import MAX_TRIES, SILENCE, Resumption
from ._lease import clock
from ._sockets import Connection, Pool
from .credential import Credential, Kept
from .credential import headers as proof
from .errors import EditlockError, Limited, Lost, Unauthenticated, Unavailable
from .held import Held
from .owners import current_owner
from .types import ID, AutoRelease, Entry, HistoryPage, Mutex, Owner, Page, RefreshItem, Seconds, State

T = TypeVar("T")


class Client:
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

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 15.0,
        tls: Optional[ssl.SSLContext] = None,
        credential: Optional[Credential] = None,
        owner_proved: bool = False,
    ) -> None:
        self._credential = Kept(credential)
        self._owner_proved = owner_proved
        self._address = http.Address.parse(url)
        self._timeout = timeout
        if self._address.tls and tls is None:
            tls = ssl.create_default_context()
        self._tls = tls if self._address.tls else None
        self._pool = Pool(self._address, self._tls)

    def close(self) -> None:
        """Lets go of unused connections. Later calls fail; mutexes stay held."""
        self._pool.close()

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
        request_id: str = "",
    ) -> Mutex:
        """Takes a mutex, or refreshes it if the owner's session holds it.

        Raises Busy if another holds it, or anybody with ``if_free``. With
        ``if_status_data`` or ``if_token`` it only refreshes: Lost if the
        mutex is not the owner's with just that. ``wait`` queues for what
        another holds, first come, first served, and ``message`` asks the
        holder. Whoever gives a wait up, by an exception such as
        KeyboardInterrupt, leaves the queue; with a ``request_id`` of the
        caller's the place is kept some seconds for another try.
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
        request_id: str = "",
    ) -> tuple[Mutex, ...]:
        """Captures several mutexes, all or none, in one atomic step. Busy names every holder in the way."""
        return self._run(calls.capture_all(ids, owner, status_data, auto_release, if_free, grant_after, request_id))

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
        """Tells who holds a mutex, and changes nothing. Ask as STRANGER to be nobody."""
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

    def release_all(self, ids: Iterable[ID], *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """Releases several mutexes of the owner's and tells which were his."""
        return self._run(calls.release_all(ids, owner))

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
        """Passes a mutex of the owner's to the first who waits. False: nobody does, and he keeps it."""
        return self._run(calls.hand_over(id, owner))

    def decline(self, id: ID, waiter: str, message: str = "", *, owner: Optional[Owner] = None) -> bool:
        """Ends somebody's wait, by Waiter.id. False: he waits no more."""
        return self._run(calls.decline(id, waiter, message, owner))

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
        group: str = "",
        mode: str = "",
        user_id: str = "",
        kinds: Iterable[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> HistoryPage:
        """A page of what happened, newest first, from ``start`` to before ``end``."""
        return self._run(calls.history(id, group, mode, user_id, kinds, start, end, limit, cursor))

    def watch(
        self,
        id: Optional[ID] = None,
        *,
        group: str = "",
        mode: str = "",
        session: str = "",
        after: Optional[int] = None,
    ) -> Watch:
        """Events as they happen, from now on or behind the one numbered ``after``.

        After a cut it comes back and goes on without loss or repetition.
        """
        return Watch(self, calls.events(id, group, mode, session, after), after)

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
        on_loss: Optional[Callable[[Lost], None]] = None,
    ) -> Held:
        """Captures a mutex and keeps it refreshed until the end of a ``with`` block.

        See capture for what may be given and raised, and Held for how a loss
        is told.
        """
        me = current_owner() if owner is None else owner
        sent = clock()
        mutex = self.capture(
            id,
            owner=me,
            status_data=status_data,
            auto_release=auto_release,
            if_free=if_free,
            wait=wait,
            message=message,
            grant_after=grant_after,
        )
        if wait:
            # Nobody knows how long ago the wait was granted: ask anew.
            sent = clock()
            try:
                mutex = self._taken_up(mutex, me)
            except BaseException:
                # Nobody would ever release what the caller does not get.
                with contextlib.suppress(EditlockError):
                    self.release(id, owner=me, if_token=mutex.token)
                raise
        return Held(self, me, mutex, sent, on_loss)

    def _run(self, call: calls.Call[T], within: Optional[float] = None) -> T:
        """Sends a call; whoever gives up a wait leaves the queue."""
        try:
            return self._send(call, within)
        except Exception:
            raise
        except BaseException:  # KeyboardInterrupt, for example
            leave = call.withdrawal()
            if leave is not None:
                with contextlib.suppress(Exception):
                    self._try(leave, time.monotonic() + calls.LEAVE_WITHIN, self._credential.get())
            raise

    def _send(self, call: calls.Call[T], within: Optional[float]) -> T:
        """Sends a call until there is an answer that counts, or its time is up."""
        budget = self._timeout if within is None else within
        granted = time.monotonic() + call.wait
        deadline = granted + budget
        tries = 1
        secret, renewed = self._credential.get(), False
        call.prove(secret, self._owner_proved)
        while True:
            now = time.monotonic()
            # A try on a connection that died without a word leaves time for another.
            patience = call.lasts(granted - now) + max((deadline - max(now, granted)) / 2, 0.001)
            try:
                return self._try(call, now + patience, secret)
            except calls.WaitsOn:
                call.short, tries = True, 1
                call.shorten(granted - time.monotonic())
                continue
            except Unauthenticated:
                old, secret = secret, "" if renewed else self._credential.get(secret)
                if secret in ("", old):
                    raise
                renewed = True
                continue
            except Retry as again:
                pause = calls.pause(tries, again.after)
                if time.monotonic() + pause >= deadline:
                    raise again.error from again.__cause__
                tries += not isinstance(again.error, Limited)  # of which the server did nothing
            time.sleep(pause)
            call.shorten(granted - time.monotonic())

    def _try(self, call: calls.Call[T], deadline: float, secret: str) -> T:
        while True:
            used = False
            try:
                connection, used = self._connect(deadline)
                headers = {**call.headers(), **proof(secret)}
                data = http.request(self._address, call.method, call.path, headers, call.body)
                head, body = self._exchange(connection, data, deadline)
                break
            except OSError as err:
                if used and not isinstance(err, TIME_UP):
                    continue  # the server closed it while it was not in use
                raise Retry(unreached(self._address, err)) from err
        return result(self._address, call, head, body)

    def _connect(self, deadline: float) -> tuple[Connection, bool]:
        if self._pool.closed:
            raise Unavailable("the client is closed")
        return self._pool.get(max(deadline - time.monotonic(), 0.001))

    def _exchange(self, connection: Connection, data: bytes, deadline: float) -> tuple[http.Head, bytes]:
        try:
            connection.send(data, max(deadline - time.monotonic(), 0.001))
            head = connection.read(http.read_head(), deadline)
            body = connection.read(http.read_body(head), deadline)
        except BaseException:
            connection.close()
            raise
        if head.keeps:
            self._pool.put(connection)
        else:
            connection.close()
        return head, body


class Watch:
    """Events, as an iterator. Close it, or use it as a context manager, to end it;
    another thread may do so too."""

    def __init__(self, client: Client, path: str, after: Optional[int]) -> None:
        self._client = client
        self._path = path
        self._from = Resumption(after)
        self._connection: Optional[Connection] = None
        self._closed = False
        self._secret = ""
        self._events = self._follow()

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        return next(self._events)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the watch: the iterator stops."""
        self._closed = True
        connection = self._connection
        if connection is not None:
            connection.abort()

    def _follow(self) -> Iterator[Entry]:
        while not self._closed:
            try:
                yield from self._stream(self._client._credential.get())
                why = Retry(Unavailable("the stream of events ended"))
            except Unauthenticated as err:
                # Streams end with a token; a newer one goes on.
                if self._secret == self._client._credential.get(self._secret) or self._from.tries >= MAX_TRIES:
                    raise
                why = Retry(err)
            except Retry as again:
                why = again
            except OSError as err:
                why = Retry(unreached(self._client._address, err))
            if self._closed:
                return
            if self._from.tries >= MAX_TRIES:
                raise why.error
            time.sleep(calls.pause(max(self._from.tries, 1), why.after))

    def _stream(self, secret: str) -> Iterator[Entry]:
        client = self._client
        self._secret = secret
        if client._pool.closed:
            raise Unavailable("the client is closed")
        data = http.request(client._address, "GET", self._path, {**self._from.begin(), **proof(secret)}, None)
        connection = Connection(client._address, client._tls, client._timeout)
        try:
            self._connection = connection
            if self._closed:
                return
            connection.send(data, client._timeout)
            head = connection.read(http.read_head(), None, SILENCE)
            if head.status != 200:
                body = connection.read(http.read_body(head), None, SILENCE)
                raise refusal(client._address, head, body)
            if not head.chunked or not head.is_type("text/event-stream"):
                raise Unavailable(f"{client._address.header} answers with no stream of events")
            while True:
                piece = connection.read(http.read_chunk(), None, SILENCE)
                if not piece:
                    return
                yield from self._from.feed(piece)
        finally:
            self._connection = None
            connection.close()
