"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Optional, TypeVar

from . import _calls as calls
from . import _forms as forms
from . import _http as http
from ._answers import TIME_UP, Retry, refusal, result, unreached
from ._events import MAX_TRIES, SILENCE, Resumption
from ._streams import AsyncConnection, AsyncPool, within
from .aioheld import AsyncHeld
from .credential import AsyncCredential, Kept
from .credential import headers as proof
from .errors import Closed, EditlockError, Limited, Unauthenticated, Unavailable
from .owners import current_owner
from .types import ID, AutoRelease, Entry, HistoryPage, Mutex, Owner, Page, RefreshItem, Seconds, State

T = TypeVar("T")


class AsyncClient:
    """The locks of a server, for asyncio: Client with ``await`` before each call.

    Connections belong to the event loop they were made in; a client may be
    used from one loop after another, not from two at once. A call that is
    cancelled may have been carried out; a wait that is cancelled leaves the
    queue. ``credential`` may be an async function, too.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 15.0,
        tls: Optional[ssl.SSLContext] = None,
        credential: Optional[AsyncCredential] = None,
        owner_proved: bool = False,
    ) -> None:
        self._credential = Kept(credential)
        self._owner_proved = owner_proved
        self._address = http.Address.parse(url)
        self._timeout = timeout
        if self._address.tls and tls is None:
            tls = ssl.create_default_context()
        self._tls = tls if self._address.tls else None
        self._pool = AsyncPool(self._address, self._tls)
        self._leaving: set[asyncio.Task[None]] = set()  # the queues of cancelled waits

    async def close(self) -> None:
        """Ends connections, watches, and calls that wait for a mutex, as Client.close does."""
        self._pool.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def capture(
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
        """As Client.capture."""
        mutex = await self._run(
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
        return await self._taken_up(mutex, owner) if wait and calls.provisional(mutex) else mutex

    async def _taken_up(self, mutex: Mutex, owner: Optional[Owner]) -> Mutex:
        """What a wait was granted, which is gone soon unless it is confirmed."""
        (confirmed, err), *_ = await self.refresh([RefreshItem(mutex.id, mutex.token)], owner=owner)
        if confirmed is None:
            assert err is not None
            raise err
        return confirmed

    async def capture_all(
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
        """As Client.capture_all."""
        return await self._run(
            calls.capture_all(ids, owner, status_data, auto_release, if_free, grant_after, request_id)
        )

    async def refresh(
        self, items: Sequence[RefreshItem], *, owner: Optional[Owner] = None, by_token: bool = False
    ) -> list[tuple[Optional[Mutex], Optional[EditlockError]]]:
        """As Client.refresh."""
        return await self._run(calls.refresh(items, owner, by_token))

    async def request(self, id: ID, *, owner: Optional[Owner] = None) -> tuple[State, Optional[Mutex]]:
        """As Client.request."""
        return await self._run(calls.request(id, owner))

    async def release(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        if_status_data: Optional[str] = None,
        if_token: Optional[int] = None,
        grace: Optional[Seconds] = None,
    ) -> bool:
        """As Client.release."""
        return await self._run(calls.release(id, owner, if_status_data, if_token, grace))

    async def ping(self, *, timeout: Optional[Seconds] = None) -> None:
        """As Client.ping."""
        await self._run(calls.ping(), None if timeout is None else forms.seconds(timeout))

    async def release_all(self, mutexes: calls.Several, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """As Client.release_all."""
        released: list[ID] = []
        for call in calls.release_all(mutexes, owner):
            found: tuple[ID, ...] = await self._run(call)
            released += found
        return tuple(released)

    async def release_session(self, session: str, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """As Client.release_session."""
        return await self._run(calls.release_session(session, owner))

    async def takeover(
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
        """As Client.takeover."""
        return await self._run(
            calls.takeover(id, seen_token, reason, owner, status_data, auto_release, grant_after, request_id)
        )

    async def force_release(self, id: ID, seen_token: int, reason: str, *, owner: Optional[Owner] = None) -> None:
        """As Client.force_release."""
        return await self._run(calls.force_release(id, seen_token, reason, owner))

    async def hand_over(self, id: ID, *, owner: Optional[Owner] = None) -> bool:
        """As Client.hand_over."""
        return await self._run(calls.hand_over(id, owner))

    async def decline(self, id: ID, waiter: str, message: str = "", *, owner: Optional[Owner] = None) -> bool:
        """As Client.decline."""
        return await self._run(calls.decline(id, waiter, message, owner))

    async def list(
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
        """As Client.list."""
        return await self._run(calls.list_mutexes(group, mode, session, user_id, text, limit, cursor))

    async def history(
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
        """As Client.history."""
        return await self._run(calls.history(id, group, mode, user_id, kinds, start, end, limit, cursor))

    async def watch(
        self,
        id: Optional[ID] = None,
        *,
        group: str = "",
        mode: str = "",
        session: str = "",
        after: Optional[int] = None,
    ) -> AsyncIterator[Entry]:
        """As Client.watch, for ``async for``. It ends when its task is cancelled."""
        path = calls.events(id, group, mode, session, after)
        position = Resumption(after)
        while True:
            secret = await self._credential.get_async()
            try:
                async for event in self._stream(path, position, secret):
                    yield event
                why = Retry(Unavailable("the stream of events ended"))
            except Unauthenticated as err:
                # Streams end with a token; a newer one goes on.
                if secret == await self._credential.get_async(secret) or position.tries >= MAX_TRIES:
                    raise
                why = Retry(err)
            except Retry as again:
                why = again
            except (OSError, *TIME_UP) as err:
                why = Retry(unreached(self._address, err))
            if self._pool.closed:
                raise Closed
            if position.tries >= MAX_TRIES:
                raise why.error
            await self._pool.pause(calls.pause(max(position.tries, 1), why.after))

    async def _stream(self, path: str, position: Resumption, secret: str) -> AsyncIterator[Entry]:
        if self._pool.closed:
            raise Closed
        data = http.request(self._address, "GET", path, {**position.begin(), **proof(secret)}, None)
        connection = await within(AsyncConnection.open(self._address, self._tls), self._timeout)
        with contextlib.closing(connection), self._pool.ends_with(connection):
            await within(connection.send(data), self._timeout)
            head = await within(connection.read(http.read_head()), SILENCE)
            if head.status != 200:
                body = await within(connection.read(http.read_body(head)), SILENCE)
                raise refusal(self._address, head, body)
            if not head.chunked or not head.is_type("text/event-stream"):
                raise Unavailable(f"{self._address.header} answers with no stream of events")
            while True:
                piece = await within(connection.read(http.read_chunk()), SILENCE)
                if not piece:
                    return
                for event in position.feed(piece):
                    yield event

    async def _run(self, call: calls.Call[T], within: Optional[float] = None) -> T:
        """Sends a call; a wait that is given up, or ended by close, leaves the queue."""
        try:
            return await self._send(call, within)
        except BaseException as err:  # cancelled, for example
            leave = call.withdrawal() if isinstance(err, Closed) or not isinstance(err, Exception) else None
            if leave is not None:
                # Shielded: if this task is cancelled again, it goes on without it.
                task = asyncio.ensure_future(self._withdraw(leave))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)
                await asyncio.shield(task)
            raise

    async def _withdraw(self, leave: calls.Call[bool]) -> None:
        with contextlib.suppress(Exception):
            await within(self._leave(leave), calls.LEAVE_WITHIN)

    async def _leave(self, leave: calls.Call[bool]) -> None:
        """Sends a call on a connection of its own, which the client being closed does not matter to."""
        secret = await self._credential.get_async()
        with contextlib.closing(await AsyncConnection.open(self._address, self._tls)) as connection:
            await connection.send(self._encoded(leave, secret))
            await connection.read(http.read_head())

    async def _send(self, call: calls.Call[T], within: Optional[float]) -> T:
        """Sends a call until there is an answer that counts, or its time is up."""
        budget = self._timeout if within is None else within
        granted = time.monotonic() + call.wait
        deadline = granted + budget
        tries = 1
        secret, renewed = await self._credential.get_async(), False
        call.prove(secret, self._owner_proved)
        while True:
            now = time.monotonic()
            # A try on a connection that died without a word leaves time for another.
            patience = call.lasts(granted - now) + max((deadline - max(now, granted)) / 2, 0.001)
            try:
                return await self._try(call, patience, secret)
            except calls.WaitsOn:
                call.short, tries = True, 1
                call.shorten(granted - time.monotonic())
                continue
            except Unauthenticated:
                old, secret = secret, "" if renewed else await self._credential.get_async(secret)
                if secret in ("", old):
                    raise
                renewed = True
                continue
            except Retry as again:
                pause = calls.pause(tries, again.after)
                if time.monotonic() + pause >= deadline:
                    raise again.error from again.__cause__
                tries += not isinstance(again.error, Limited)  # of which the server did nothing
            await self._pool.pause(pause)
            call.shorten(granted - time.monotonic())

    async def _try(self, call: calls.Call[T], patience: float, secret: str) -> T:
        try:
            head, body = await within(self._exchange(call, secret), patience)
        except (OSError, *TIME_UP) as err:
            if self._pool.closed:
                raise Closed from err
            raise Retry(unreached(self._address, err)) from err
        return result(self._address, call, head, body)

    def _encoded(self, call: calls.Call[T], secret: str) -> bytes:
        headers = {**call.headers(), **proof(secret)}
        return http.request(self._address, call.method, call.path, headers, call.body)

    async def _exchange(self, call: calls.Call[T], secret: str) -> tuple[http.Head, bytes]:
        while True:
            # No more than a call may take, however long it waits for its answer.
            connection, used = await self._pool.get(self._timeout)
            try:
                with self._pool.ends_with(connection) if call.ends_with_client else contextlib.nullcontext():
                    await connection.send(self._encoded(call, secret))
                    head = await connection.read(http.read_head())
                    body = await connection.read(http.read_body(head))
                break
            except OSError:
                connection.close()
                if not used:
                    raise
            except BaseException:
                connection.close()
                raise
        if head.keeps:
            self._pool.put(connection)
        else:
            connection.close()
        return head, body

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
    ) -> AsyncHeld:
        """Holds a mutex for an ``async with`` block: captures it at its
        beginning, keeps it refreshed, releases it at its end.

        See Client.capture for what may be given and raised, and AsyncHeld for
        what a loss does.
        """
        me = current_owner() if owner is None else owner
        capture = calls.capture(id, me, status_data, auto_release, if_free, None, None, wait, message, grant_after, "")
        return AsyncHeld(self, me, capture)
