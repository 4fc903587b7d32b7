"""Connections for asyncio."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import time
from collections.abc import Coroutine, Generator
from typing import Any, Optional, TypeVar, cast

from . import _http as http

T = TypeVar("T")

if sys.version_info >= (3, 12):
    within = asyncio.wait_for
else:

    async def within(work: Coroutine[Any, Any, T], timeout: float) -> T:
        """asyncio.wait_for, without its defect before Python 3.12: when the
        work is done in the turn of the loop in which its waiter is cancelled,
        that one returns the result and the cancellation is lost for ever.
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

    def close(self) -> None:
        self._writer.close()


class AsyncPool:
    """Connections that may be used again, of one event loop at a time."""

    _MAX_IDLE_SECONDS = 60.0  # less than a server keeps an unused connection

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext]) -> None:
        self._address = address
        self._tls = tls
        self._free: list[tuple[AsyncConnection, float]] = []
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self.closed = False

    async def get(self) -> tuple[AsyncConnection, bool]:
        """A connection, and whether it was used before."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            # Another loop's connections can't be used, nor closed, in this one.
            self._free, self._loop = [], loop
        while self._free:
            connection, since = self._free.pop()
            if not connection.cut and time.monotonic() - since < self._MAX_IDLE_SECONDS:
                return connection, True
            connection.close()
        return await AsyncConnection.open(self._address, self._tls), False

    def put(self, connection: AsyncConnection) -> None:
        if self.closed or self._loop is not asyncio.get_running_loop():
            connection.close()
        else:
            self._free.append((connection, time.monotonic()))

    def close(self) -> None:
        self.closed = True
        for connection, _ in self._free:
            connection.close()
        self._free = []
