"""Connections for the client that blocks."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Generator
from typing import BinaryIO, Optional, TypeVar, cast

from . import _http as http

T = TypeVar("T")


class Connection:
    """One connection to a server."""

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext], timeout: float) -> None:
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
        """Ends the connection, also for a thread that reads from it."""
        with contextlib.suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class Pool:
    """Connections that may be used again. Safe for threads and for forks."""

    _MAX_IDLE_SECONDS = 60.0  # less than a server keeps an unused connection

    def __init__(self, address: http.Address, tls: Optional[ssl.SSLContext]) -> None:
        self._address = address
        self._tls = tls
        self._lock = threading.Lock()
        self._free: list[tuple[Connection, float]] = []
        self._pid = os.getpid()
        self.closed = False

    def get(self, timeout: float) -> tuple[Connection, bool]:
        """A connection, and whether it was used before."""
        if self._pid != os.getpid():
            # A child must neither speak on its parent's connections nor end
            # them, and its copy of the lock may be held for ever.
            self._lock, self._free, self._pid = threading.Lock(), [], os.getpid()
        while True:
            with self._lock:
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

    def close(self) -> None:
        with self._lock:
            self.closed = True
            free, self._free = self._free, []
        for connection, _ in free:
            connection.close()
