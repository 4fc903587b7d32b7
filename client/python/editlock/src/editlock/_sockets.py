"""Connections for the client that blocks."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator
from typing import BinaryIO, Optional, TypeVar, cast

from . import _forks as forks
from . import _http as http
from .errors import Closed

T = TypeVar("T")


class Connection:
    """One connection to a server."""

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext], timeout: float) -> None:
        self._pid = os.getpid()
        self._socket = socket.create_connection((address.host, address.port), timeout)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self._socket = tls.wrap_socket(self._socket, server_hostname=address.host)
            self._file = cast(BinaryIO, self._socket.makefile("rb"))
        except BaseException:
            self._socket.close()
            raise

    def send(self, data: bytes, timeout: float) -> None:
        self._socket.settimeout(timeout)
        self._socket.sendall(data)

    def read(self, reader: Generator[int, bytes, T], deadline: Optional[float], silence: float = 0.0) -> T:
        """Runs a reader, until a deadline (time.monotonic) or, without one, as
        long as the server is never silent for so many seconds."""
        try:
            need = next(reader)
            while True:
                self._socket.settimeout(silence if deadline is None else max(deadline - time.monotonic(), 0.001))
                if need == http.LINE:
                    data = self._file.readline(http.MAX_LINE)
                elif need == http.REST:
                    data = self._file.read(http.MAX_BODY)
                else:
                    data = self._file.read(need)
                need = reader.send(data)
        except StopIteration as end:
            return cast(T, end.value)

    def abort(self) -> None:
        """Ends the connection, also for a thread that reads from it. A child
        process can't: it would end its parent's."""
        if self._pid != os.getpid():
            return
        with contextlib.suppress(OSError):  # it has ended already
            # Not SSLSocket's, which drops the state that the reading thread uses.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Pool:
    """Connections that may be used again. Safe for threads and for forks."""

    _MAX_IDLE_SECONDS = 60.0  # less than a server keeps an unused connection

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext]) -> None:
        self._address = address
        self._tls = tls
        self.closed = False
        self._forked()
        forks.tell_child(self)

    def _forked(self) -> None:
        self._lock = threading.Lock()
        self._free: list[tuple[Connection, float]] = []
        self._waits: set[Connection] = set()  # which close ends
        self._ends = threading.Event()
        if self.closed:
            self._ends.set()

    def get(self, timeout: float) -> tuple[Connection, bool]:
        """A connection, and whether it was used before."""
        while True:
            with self._lock:
                if self.closed:
                    raise Closed
                if not self._free:
                    break
                connection, since = self._free.pop()
            if time.monotonic() - since < self._MAX_IDLE_SECONDS:
                return connection, True
            connection.close()
        return Connection(self._address, self._tls, timeout), False

    def put(self, connection: Connection) -> None:
        with self._lock:
            if not self.closed:
                self._free.append((connection, time.monotonic()))
                return
        connection.close()

    @contextlib.contextmanager
    def ends_with(self, connection: Connection) -> Iterator[None]:
        """Has close end a connection that is in use."""
        with self._lock:
            if self.closed:
                connection.close()
                raise Closed
            self._waits.add(connection)
        try:
            yield
        finally:
            with self._lock:
                self._waits.discard(connection)

    def pause(self, seconds: float) -> None:
        """Sleeps, until close at most."""
        self._ends.wait(seconds)

    def close(self) -> None:
        with self._lock:
            self.closed = True
            free, self._free = self._free, []
            waits = list(self._waits)
        self._ends.set()
        for connection in waits:
            connection.abort()
        for connection, _ in free:
            connection.close()
