"""Events, for a client that blocks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType
from typing import Callable, Optional

from . import _calls as calls
from . import _http as http
from ._answers import Retry, refusal, unreached
from ._events import MAX_TRIES, SILENCE, Resumption
from ._exchange import Exchange
from ._sockets import Connection
from .credential import headers as proof
from .errors import Closed, Unauthenticated, Unavailable
from .types import Entry


class Watch:
    """Events, as an iterator. Close it, or use it as a context manager, to end it;
    another thread may do so too. Closed is raised when the client is closed."""

    def __init__(
        self, client: Exchange, path: str, after: Optional[int], begun: Callable[[], None] = lambda: None
    ) -> None:
        self._client = client
        self._path = path
        self._from = Resumption(after)
        self._begun = begun
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
            finally:
                self._connection = None
            if self._closed:
                return
            if self._client._pool.closed:
                raise Closed
            if self._from.tries >= MAX_TRIES:
                raise why.error
            self._client._pool.pause(calls.pause(max(self._from.tries, 1), why.after))

    def _stream(self, secret: str) -> Iterator[Entry]:
        client = self._client
        self._secret = secret
        data = http.request(client._address, "GET", self._path, {**self._from.begin(), **proof(secret)}, None)
        if client._pool.closed:
            raise Closed
        connection = Connection(client._address, client._tls, client._timeout)
        with contextlib.closing(connection), client._pool.ends_with(connection):
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
            self._begun()
            while True:
                piece = connection.read(http.read_chunk(), None, SILENCE)
                if not piece:
                    return
                yield from self._from.feed(piece)
