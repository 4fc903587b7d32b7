"""How a client that blocks makes its calls: connections, repetitions, the end of waits."""

from __future__ import annotations

import contextlib
import ssl
import time
from typing import Optional, TypeVar

from . import _calls as calls
from . import _forks as forks
from . import _http as http
from ._answers import TIME_UP, Retry, result, unreached
from ._sockets import Connection, Pool
from .credential import Credential, Kept
from .credential import headers as proof
from .errors import Closed, Limited, Unauthenticated

T = TypeVar("T")


class Exchange:
    """Sends calls and reads their answers. Safe for threads, and for processes that fork."""

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
        self._forked()
        forks.tell_child(self)

    def _forked(self) -> None:
        """Begins in a process of its own."""

    def _run(self, call: calls.Call[T], within: Optional[float] = None) -> T:
        """Sends a call; a wait that is given up, or ended by close, leaves the queue."""
        try:
            return self._send(call, within)
        except BaseException as err:  # KeyboardInterrupt, for example
            if isinstance(err, Closed) or not isinstance(err, Exception):
                leave = call.withdrawal()
                if leave is not None:
                    with contextlib.suppress(Exception):
                        self._withdraw(leave, time.monotonic() + calls.LEAVE_WITHIN)
            raise

    def _withdraw(self, leave: calls.Call[bool], deadline: float) -> None:
        """Sends a call on a connection of its own, which the client being closed does not matter to."""
        connection = Connection(self._address, self._tls, calls.LEAVE_WITHIN)
        try:
            data = self._encoded(leave, self._credential.get())
            connection.send(data, max(deadline - time.monotonic(), 0.001))
            connection.read(http.read_head(), deadline)
        finally:
            connection.close()

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
            self._pool.pause(pause)
            call.shorten(granted - time.monotonic())

    def _try(self, call: calls.Call[T], deadline: float, secret: str) -> T:
        while True:
            used = False
            try:
                connection, used = self._connect(deadline)
                data = self._encoded(call, secret)
                with self._pool.ends_with(connection) if call.ends_with_client else contextlib.nullcontext():
                    head, body = self._exchange(connection, data, deadline)
                break
            except OSError as err:
                if self._pool.closed:
                    raise Closed from err
                if used and not isinstance(err, TIME_UP):
                    continue  # the server closed it while it was not in use
                raise Retry(unreached(self._address, err)) from err
        return result(self._address, call, head, body)

    def _encoded(self, call: calls.Call[T], secret: str) -> bytes:
        headers = {**call.headers(), **proof(secret)}
        return http.request(self._address, call.method, call.path, headers, call.body)

    def _connect(self, deadline: float) -> tuple[Connection, bool]:
        # No more than a call may take, however long it waits for its answer.
        return self._pool.get(min(max(deadline - time.monotonic(), 0.001), self._timeout))

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
