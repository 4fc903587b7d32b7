"""Server-sent events, and where a watch goes on after a cut."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Optional

from . import _forms as forms
from ._answers import problem_event
from .errors import Unavailable
from .types import Entry

#: How long a stream may be quiet before it counts as dead: three heartbeats.
SILENCE = 45.0
#: How often in a row a watch tries to come back: about five seconds.
MAX_TRIES = 9
_MAX_EVENT = 1 << 20


class Resumption:
    """Reads streams of events, one after another, without loss or repetition."""

    def __init__(self, after: Optional[int]) -> None:
        self.last = after or 0
        self.resumes = after is not None
        self.tries = 0
        self._rest = b""
        self._id = self._kind = self._data = ""

    def begin(self) -> Mapping[str, str]:
        """Starts another stream: its headers."""
        self.tries += 1
        self._rest = b""
        self._id = self._kind = self._data = ""
        headers = {"Accept": "text/event-stream"}
        return {**headers, "Last-Event-ID": str(self.last)} if self.resumes else headers

    def feed(self, piece: bytes) -> Iterator[Entry]:
        """Takes what came and yields the events that are whole.

        Raises what a problem tells of, as a Retry where another try may help.
        """
        self.tries = 0
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) + len(self._data) > _MAX_EVENT:
            raise Unavailable("a stream of events holds one that is too large")
        for raw in lines:
            line = raw.rstrip(b"\r").decode("utf-8", "replace")
            if line:
                name, _, value = line.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if name == "id":
                    self._id = value
                elif name == "event":
                    self._kind = value
                elif name == "data":
                    self._data += value
                continue
            event = self._event()
            self._id = self._kind = self._data = ""
            if event is not None:
                yield event

    def _event(self) -> Optional[Entry]:
        if self._kind == "problem":
            raise problem_event(self._data)
        seq = int(self._id) if self._id.isdigit() else self.last
        event: Optional[Entry] = None
        if self._data and seq > self.last:
            try:
                event = forms.to_entry(json.loads(self._data))
            except (ValueError, KeyError, TypeError, AttributeError) as err:
                raise Unavailable(f"a stream of events holds one that makes no sense ({err!r})") from err
        if self._id:
            self.last, self.resumes = max(seq, self.last), True
        return event
