"""The classes of m3-mutex: names, owners, mutexes and rules of release."""

from __future__ import annotations

import datetime
from typing import Any, Optional


class MutexID:
    """The name of a mutex."""

    def __init__(self, group: Any = "", mode: Any = "", id: Any = "") -> None:
        self.group = group
        self.mode = mode
        self.id = id


class MutexOwner:
    """Who captures; owners with one ``session_id`` are the same."""

    def __init__(self, session_id: Any = "", user_id: Any = 0, name: Any = "", login: Any = "", host: Any = "") -> None:
        self.session_id = session_id
        self.name = name
        self.user_id = user_id
        self.login = login
        self.host = host


class SystemOwner(MutexOwner):
    """The system itself, as an owner."""

    def __init__(self) -> None:
        super().__init__(session_id="system", name="system", login="", user_id=0, host="server")


class MutexState:
    """What a request finds."""

    FREE = 1
    CAPTURED_BY_ME = 2
    CAPTURED_BY_OTHER = 3


_NO_ID = MutexID()
_NO_OWNER = MutexOwner()


class Mutex:
    """A captured mutex. ``token`` is new: see editlock.Mutex."""

    # Each mutex has an id and an owner of its own: in m3-mutex all that give
    # none share one of each, so that to read one mutex changes another.
    def __init__(self, id: Any = _NO_ID, owner: Any = _NO_OWNER, auto_release: Any = None) -> None:
        self.id = MutexID() if id is _NO_ID else id
        self.owner = MutexOwner() if owner is _NO_OWNER else owner
        self.auto_release = auto_release
        #: When it was captured or refreshed last, as a naive local time.
        self.captured_since = datetime.datetime.min
        self.status_data: Optional[str] = None
        self.token = 0

    def check_owner(self, owner: Any) -> bool:
        """Whether the owner is that of the mutex."""
        return bool(owner.session_id == self.owner.session_id)


class MutexAutoReleaseRule:
    """When a mutex is released by itself."""

    def check(self, mutex: Any) -> bool:
        """Whether the mutex is to be released."""
        raise NotImplementedError("a rule must say when a mutex is released")

    def dump(self) -> tuple[str, str]:
        """The code of the rule and its parameters, as they are stored."""
        raise NotImplementedError("a rule must say how it is stored")

    def restore(self, config: Any) -> None:
        """Takes the parameters up that dump gave."""
        raise NotImplementedError("a rule must say how it is read")

    @staticmethod
    def get_rule_class(str: Any = "timeout") -> Any:
        """The class of a rule, by its code; None if there is none."""
        return TimeoutAutoRelease if str == "timeout" else None


class TimeoutAutoRelease(MutexAutoReleaseRule):
    """Releases what was not refreshed for so many seconds: 1 to 2592000 (30 days)."""

    DEFAULT_TIMEOUT = 300

    def __init__(self, timeout: Any = DEFAULT_TIMEOUT) -> None:
        self.timeout = timeout

    def check(self, mutex: Any) -> bool:
        held = datetime.datetime.now() - mutex.captured_since
        return bool(held.total_seconds() > (self.timeout or self.DEFAULT_TIMEOUT))

    def dump(self) -> tuple[str, str]:
        return "timeout", str(self.timeout or self.DEFAULT_TIMEOUT)

    def restore(self, config: Any) -> None:
        try:
            self.timeout = int(config)
        except ValueError:
            self.timeout = self.DEFAULT_TIMEOUT


class MutexQuery:
    """Selects mutexes: those with the text ``filter`` in them, ``offset`` many
    (-1: all) behind the first ``start``."""

    def __init__(self, filter: Any = "", start: int = 0, offset: int = -1) -> None:
        self.filter = filter
        self.start = start
        self.offset = offset
