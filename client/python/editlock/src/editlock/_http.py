"""HTTP/1.1 as bytes, for any transport: a socket or an asyncio stream.

A reader is a generator. It yields what it needs next, LINE or a number of
bytes or REST, and is sent just that; empty where the connection ended.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import urlsplit

from .errors import Invalid

LINE = -1  #: a line with its end, of at most MAX_LINE bytes
REST = -2  #: everything until the connection ends
MAX_LINE = 256 << 10
#: More than a page of 1000 mutexes takes.
MAX_BODY = 128 << 20


class Cut(ConnectionError):
    """The connection ended before the answer did, or the answer is not HTTP."""


@dataclass(frozen=True)
class Address:
    """Where a server is."""

    host: str
    port: int
    tls: bool
    base: str  # path before /v1, without a slash at its end
    header: str  # value of Host

    @classmethod
    def parse(cls, url: str) -> Address:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as err:
            raise Invalid("url", f"{url!r} is not a URL: {err}") from None
        if parts.scheme not in ("http", "https"):
            raise Invalid("url", f"must begin with http:// or https://, not {parts.scheme!r}")
        if not parts.hostname:
            raise Invalid("url", "names no host; write http://HOST:PORT")
        if parts.username is not None or parts.password is not None:
            raise Invalid("url", "must not hold a user or password")
        if "?" in url or "#" in url:
            raise Invalid("url", "must end after the path: what follows ? or # has no meaning here")
        if not parts.path.isascii() or any(c <= " " for c in url):
            raise Invalid("url", "has characters that must be percent-encoded")
        tls = parts.scheme == "https"
        return cls(
            parts.hostname,
            port or (443 if tls else 80),
            tls,
            parts.path.rstrip("/"),
            parts.netloc.encode("idna").decode(),
        )


@dataclass(frozen=True)
class Head:
    """The beginning of an answer."""

    status: int
    reason: str
    headers: Mapping[str, str]  # names in lower case

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length(self) -> Optional[int]:
        text = self.headers.get("content-length")
        if text is None:
            return None
        if not text.isdigit():
            raise Cut(f"an answer with a Content-Length of {text[:40]!r}")
        return int(text)

    @property
    def keeps(self) -> bool:
        """Whether the connection can be used again after the body."""
        known_end = self.chunked or self.length is not None
        return known_end and self.headers.get("connection", "").lower() != "close"

    def is_type(self, want: str) -> bool:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == want


Reader = Generator[int, bytes, Head]
BodyReader = Generator[int, bytes, bytes]


def request(address: Address, method: str, path: str, headers: Mapping[str, str], body: Optional[Any]) -> bytes:
    """A whole request, ready to be sent. The body becomes JSON."""
    try:
        data = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError as err:
        raise Invalid("body", f"holds a text that is not valid Unicode: {err.object[:40]!r}") from None
    lines = [f"{method} {address.base}{path} HTTP/1.1", f"Host: {address.header}"]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + data


def _line() -> BodyReader:
    line = yield LINE
    if not line.endswith(b"\n"):
        raise Cut("the connection ended within the answer" if line else "the connection ended")
    return line.rstrip(b"\r\n")


def read_head() -> Reader:
    """Reads the beginning of an answer; interim answers are passed over."""
    while True:
        first = (yield from _line()).decode("latin-1")
        version, _, rest = first.partition(" ")
        status, _, reason = rest.partition(" ")
        if not version.startswith("HTTP/1.") or not (status.isdigit() and len(status) == 3):
            raise Cut(f"an answer that is not HTTP/1.1: {first[:60]!r}")
        headers: dict[str, str] = {}
        while True:
            line = yield from _line()
            if not line:
                break
            if len(headers) > 200:
                raise Cut("an answer with more than 200 headers")
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if int(status) >= 200:
            return Head(int(status), reason, headers)


def read_chunk() -> BodyReader:
    """Reads the next piece of a chunked body; empty at its end."""
    line = (yield from _line()).partition(b";")[0].strip()
    try:
        size = int(line, 16)
    except ValueError:
        size = -1
    if not 0 <= size <= MAX_BODY:
        raise Cut(f"a chunk of the size {line[:40]!r}")
    if size == 0:
        while (yield from _line()):
            pass  # trailers
        return b""
    data = yield size
    if len(data) != size or (yield from _line()):
        raise Cut("the connection ended within a chunk")
    return data


def read_body(head: Head) -> BodyReader:
    """Reads a whole body."""
    if head.chunked:
        pieces: list[bytes] = []
        total = 0
        while True:
            piece = yield from read_chunk()
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)
            total += len(piece)
            if total > MAX_BODY:
                raise Cut(f"an answer of more than {MAX_BODY} bytes")
    length = head.length
    if length is None:
        return (yield REST)
    if length > MAX_BODY:
        raise Cut(f"an answer of more than {MAX_BODY} bytes")
    data = (yield length) if length else b""
    if len(data) != length:
        raise Cut("the connection ended within the answer")
    return data
