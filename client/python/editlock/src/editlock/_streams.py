"""Connections for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import sys
import time
from collections.abc import Coroutine, Generator, Iterator
from typing import Any, Optional, TypeVar, cast

from . import _http as http
from .errors import Closed

T = TypeVar("T")

if sys.version_info >= (3, 12):
    within = asyncio.wait_for
else:

    async def within(work: Coroutine[Any, Any, T], timeout: float) -> T:
        """asyncio.wait_for, without its defect before Python 3.12: when the
        work is done in the turn of the loop in which its waiter is cancelled,
        that one returns the result and the cancellation is lost forever.
        """
        task = asyncio.ensure_future(work)
        try:
            await asyncio.wait([task], timeout=timeout)
        except asyncio.CancelledError:
            await _end(task)
            if not task.cancelled() and task.exception() is None:
                result = task.result()
                if isinstance(result, AsyncConnection):
                    result.close()  # nobody else will
            raise
        late = not task.done()
        if late:
            await _end(task)
        if late and task.cancelled():
            raise asyncio.TimeoutError
        return task.result()

    async def _end(task: asyncio.Task[T]) -> None:
        """Cancels a task and waits until it no longer runs."""
        task.cancel()
        await asyncio.wait([task])


class AsyncConnection:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: http.Address, tls: Optional[ssl.SSLContext]) -> AsyncConnection:
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=tls, limit=http.MAX_LINE)
        raw = writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer)

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read(self, reader: Generator[int, bytes, T]) -> T:
        """Runs a reader."""
        try:
            need = next(reader)
            while True:
                try:
                    if need == http.LINE:
                        data = await self._reader.readuntil(b"\n")
                    elif need == http.REST:
                        data = await self._reader.read()
                    else:
                        data = await self._reader.readexactly(need)
                except asyncio.IncompleteReadError as cut:
                    data = cut.partial
                except asyncio.LimitOverrunError:
                    raise http.Cut(f"a line of more than {http.MAX_LINE} bytes") from None
                need = reader.send(data)
        except StopIteration as end:
            return cast(T, end.value)

    @property
    def cut(self) -> bool:
        """Whether the server has closed the connection, as far as is known."""
        return self._reader.at_eof() or self._writer.is_closing()

    def abort(self) -> None:
        """Ends the connection at once, also for a task that reads from it."""
        self._writer.transport.abort()

    def close(self) -> None:
        self._writer.close()


class AsyncPool:
    """Connections that may be used again, of one event loop at a time."""

    _MAX_IDLE_SECONDS = 60.0  # less than a server keeps an unused connection

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext]) -> None:
        self._address = address
        self._tls = tls
        self._free: list[tuple[AsyncConnection, float]] = []
        self._waits: set[AsyncConnection] = set()  # which close ends
        self._pauses: set[asyncio.Future[None]] = set()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self.closed = False

    def _enter(self) -> None:
        if self.closed:
            raise Closed
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Another loop's connections can't be used, nor closed, in this one.
            self._free, self._waits, self._pauses, self._loop = [], set(), set(), loop

    async def get(self, timeout: float) -> tuple[AsyncConnection, bool]:
        """A connection, and whether it was used before."""
        self._enter()
        while self._free:
            connection, since = self._free.pop()
            if not connection.cut and time.monotonic() - since < self._MAX_IDLE_SECONDS:
                return connection, True
            connection.close()
        return await within(AsyncConnection.open(self._address, self._tls), timeout), False

    def put(self, connection: AsyncConnection) -> None:
        if self.closed or self._loop is not asyncio.get_running_loop():
            connection.close()
        else:
            self._free.append((connection, time.monotonic()))

    @contextlib.contextmanager
    def ends_with(self, connection: AsyncConnection) -> Iterator[None]:
        """Has close end a connection that is in use."""
        try:
            self._enter()
        except Closed:
            connection.close()
            raise
        self._waits.add(connection)
        try:
            yield
        finally:
            self._waits.discard(connection)

    async def pause(self, seconds: float) -> None:
        """Sleeps, until close at most."""
        self._enter()
        end = asyncio.get_running_loop().create_future()
        self._pauses.add(end)
        try:
            await asyncio.wait([end], timeout=seconds)
        finally:
            self._pauses.discard(end)

    def close(self) -> None:
        self.closed = True
        free, self._free = self._free, []
        if self._loop is not asyncio.get_running_loop():
            return  # those of another loop can't be closed here
        for pause in self._pauses:
            if not pause.done():
                pause.set_result(None)
        for connection in self._waits:
            connection.abort()
        for connection, _ in free:
            connection.close()
