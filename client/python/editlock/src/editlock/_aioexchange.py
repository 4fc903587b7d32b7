"""How a client for asyncio makes its calls: connections, repetitions, the end of waits."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Callable, Optional, TypeVar

from . import _calls as calls
from . import _http as http
from ._answers import TIME_UP, Retry, refusal, result, unreached
from ._events import MAX_TRIES, SILENCE, Resumption
from ._streams import AsyncConnection, AsyncPool, within
from .credential import AsyncCredential, Kept
from .credential import headers as proof
from .errors import Closed, Limited, Unauthenticated, Unavailable
from .types import Entry

T = TypeVar("T")


class AsyncExchange:
    """Sends calls and reads their answers."""

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

    async def _follow(
        self, path: str, after: Optional[int], begun: Callable[[], None] = lambda: None
    ) -> AsyncGenerator[Entry, None]:
        position = Resumption(after)
        while True:
            secret = await self._credential.get_async()
            try:
                async for event in self._stream(path, position, secret, begun):
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

    async def _stream(
        self, path: str, position: Resumption, secret: str, begun: Callable[[], None]
    ) -> AsyncIterator[Entry]:
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
            begun()
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
