"""A driver of OpenStack's tooz: its locks are editlock's.

A program that uses tooz names it by the URL of its coordinator, such as
``editlock+http://HOST:PORT?group=cinder`` or ``editlock+https://…``. There are
locks only, exclusive and shared: no groups of members and no leaders, as with
tooz's drivers for MySQL and PostgreSQL.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any, NoReturn, Optional

import tooz
from tooz import coordination, locking, utils

from .client import Client
from .credential import credential_file
from .errors import Busy, EditlockError, Lost, NotHeld, Unavailable
from .held import Held
from .owners import console_owner
from .types import ID, STRANGER, AutoRelease, Owner

#: Seconds that a coordinator waits for the server when it starts.
_START = 5.0
#: Seconds that a server lets one call wait.
_LONGEST_WAIT = 3600.0


class EditlockLock(locking.Lock):
    """A lock of which each acquire is a hold of its own: threads and processes exclude each other,
    and so do two acquires of one object. It is refreshed in the background, without heartbeats."""

    def __init__(self, driver: EditlockDriver, name: bytes) -> None:
        super().__init__(name)
        self._driver = driver
        self._id = driver._id(name)
        self._lock = threading.Lock()
        self._held: list[Held] = []

    @property
    def acquired(self) -> bool:
        """Whether it was acquired and not released, lost or not."""
        return bool(self._held)

    def acquire(self, blocking: bool = True, shared: bool = False, timeout: Optional[float] = None) -> bool:
        """Captures the lock, waiting in its queue while it is held. False if that took too long or a holder declined.

        :param blocking: False not to wait; a number is a timeout.
        :param shared: hold it beside others that hold it shared.
        :param timeout: seconds to wait at most.
        """
        waits, seconds = utils.convert_blocking(blocking, timeout)
        end = time.monotonic() + (float("inf") if seconds is None else seconds)
        while True:
            left = max(end - time.monotonic(), 0.0) if waits else 0.0
            try:
                held = self._driver._hold(self._id, shared, min(left, _LONGEST_WAIT))
            except Busy as busy:
                if left <= _LONGEST_WAIT or busy.declined is not None:
                    return False
                continue
            with self._lock:
                self._held.append(held)
            return True

    def release(self) -> bool:
        """Ends what one acquire began. False if nothing is held, or it was lost."""
        with self._lock:
            if not self._held:
                return False
            held = self._held.pop()
        try:
            self._driver._release(held)
        except Lost:
            return False
        except tooz.ToozError:
            with self._lock:
                self._held.append(held)  # to be released again
            raise
        return True

    def is_still_owner(self) -> bool:
        """Whether it is held, as far as the server has confirmed it in time."""
        with self._lock:
            return any(held.lost is None for held in self._held)

    def break_(self) -> bool:
        """Releases it for all who hold it. False if nobody does."""
        return self._driver._break(self._id)


class EditlockDriver(coordination.CoordinationDriver):
    """The coordinator of a member, which the lock manager shows as the holder. It releases what it holds when it stops.

    Options in the URL: ``group`` and ``mode`` of the mutexes ("" and "tooz" without them), ``timeout``, the
    seconds after which a process that died holds nothing (30), and ``credential_file``, with an API key.
    """

    CHARACTERISTICS = (
        coordination.Characteristics.DISTRIBUTED_ACROSS_THREADS,
        coordination.Characteristics.DISTRIBUTED_ACROSS_PROCESSES,
        coordination.Characteristics.DISTRIBUTED_ACROSS_HOSTS,
        coordination.Characteristics.LINEARIZABLE,
    )

    def __init__(self, member_id: bytes, parsed_url: Any, options: dict[str, Any]) -> None:
        super().__init__(member_id, parsed_url, options)
        self._member = _text(member_id)
        self._url = f"{parsed_url.scheme.rpartition('+')[2]}://{parsed_url.netloc}{parsed_url.path}"
        given = utils.collapse(options)
        self._group = given.pop("group", "")
        self._mode = given.pop("mode", "tooz")
        self._auto_release = AutoRelease(idle=_seconds("timeout", given.pop("timeout", 30)))
        path = given.pop("credential_file", None)
        self._credential = None if path is None else credential_file(path)
        if given:
            raise tooz.ToozError(f"{', '.join(given)}: unknown; group, mode, timeout and credential_file are allowed")
        self._client: Optional[Client] = None
        self._held: set[Held] = set()

    def get_lock(self, name: bytes) -> EditlockLock:
        """The lock of a name of at most 500 bytes."""
        return EditlockLock(self, name)

    def _none(self, *args: object, **kwargs: object) -> NoReturn:
        raise tooz.NotImplemented("editlock has locks, no groups and no leaders")

    # The class above would remember callbacks that nobody calls.
    watch_join_group = unwatch_join_group = watch_leave_group = unwatch_leave_group = _none
    watch_elected_as_leader = unwatch_elected_as_leader = _none

    def _start(self) -> None:
        with _as_tooz_errors():
            client = Client(self._url, credential=self._credential)
        try:
            client.ping(timeout=_START)
        except Unavailable as err:
            client.close()
            raise coordination.ToozConnectionError(str(err)) from err
        self._client = client

    def _stop(self) -> None:
        client = self._started_client()
        for held in list(self._held):
            with contextlib.suppress(EditlockError):
                held.release()
        self._held.clear()
        self._client = None
        client.close()

    def _started_client(self) -> Client:
        if self._client is None:
            raise tooz.ToozError("the coordinator is not started")
        return self._client

    def _id(self, name: bytes) -> ID:
        return ID(_text(name), mode=self._mode, group=self._group)

    def _owner(self) -> Owner:
        """The member, in a session of its own: one session has one hold of a mutex, however often it captures it."""
        return Owner(session=f"tooz {uuid.uuid4().hex}", name=self._member, host=console_owner().host)

    def _hold(self, id: ID, shared: bool, wait: float) -> Held:
        with _as_tooz_errors():
            held = self._started_client().hold(
                id,
                owner=self._owner(),
                auto_release=self._auto_release,
                wait=wait,
                sharing="shared" if shared else "exclusive",
            )
        self._held.add(held)
        return held

    def _release(self, held: Held) -> None:
        with _as_tooz_errors():
            try:
                held.release()
            except Lost:
                self._held.discard(held)
                raise
        self._held.discard(held)

    def _break(self, id: ID) -> bool:
        client, broken = self._started_client(), False
        while True:
            with _as_tooz_errors():
                _, oldest = client.request(id, owner=STRANGER)
                holders = () if oldest is None else (oldest, *oldest.others)
                for mutex in holders:
                    with contextlib.suppress(NotHeld, Busy):  # released, or another's by now
                        client.force_release(id, mutex.token, "broken by a program", owner=self._owner())
                        broken = True
            if oldest is None or oldest.beside < len(holders):  # all were told of
                return broken


@contextlib.contextmanager
def _as_tooz_errors() -> Iterator[None]:
    """Raises what goes wrong as a ToozError. Busy and Lost, which are answers, stay."""
    try:
        yield
    except (Busy, Lost):
        raise
    except EditlockError as err:
        raise tooz.ToozError(str(err)) from err


def _text(name: bytes | str) -> str:
    try:
        return name.decode() if isinstance(name, bytes) else name
    except UnicodeDecodeError as err:
        raise ValueError(f"{name!r}: not UTF-8, which names must be: {err}") from None


def _seconds(field: str, given: Any) -> float:
    try:
        return float(given)
    except (TypeError, ValueError):
        raise tooz.ToozError(f"{field}: {given!r} is not a number of seconds") from None
