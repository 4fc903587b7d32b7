"""Edit locks: one object, one form that edits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from .aio import AsyncClient
from .client import Client
from .types import ID, AutoRelease, Mutex, Owner, State


def _same(object_id: str) -> str:
    return object_id


@dataclass(frozen=True)
class _Naming:
    group: str = ""
    object_id: Callable[[str], str] = _same
    auto_release: Optional[AutoRelease] = None
    owner: Optional[Owner] = None

    def id(self, object_id: str, mode: str) -> ID:
        """The name of the mutex of an object."""
        return ID(id=self.object_id(object_id), mode=mode, group=self.group)


class EditLock:
    """Stops two people, or one person in two tabs, from editing one object.

    It is the ObjEditMutex of m3-mutex's manual with each step made atomic:
    mutexes named by mode (the type of object) and object, with the request
    (one open form) as status data. Programs that follow that manual, in any
    language, and an EditLock see each other's locks.

    :param object_id: replaces the ids of objects, where a program names them
        in a way of its own.
    :param owner: who edits; without one, see acting_as.
    """

    def __init__(
        self,
        client: Client,
        *,
        group: str = "",
        object_id: Callable[[str], str] = _same,
        auto_release: Optional[AutoRelease] = None,
        owner: Optional[Owner] = None,
    ) -> None:
        self._client = client
        self._naming = _Naming(group, object_id, auto_release, owner)

    def id(self, object_id: str, mode: str) -> ID:
        """The name of the mutex of an object."""
        return self._naming.id(object_id, mode)

    def check(self, object_id: str, mode: str, request: str) -> bool:
        """Whether the owner might edit: it is free or their session's. It promises nothing; block does."""
        state, _ = self._client.request(self.id(object_id, mode), owner=self._naming.owner)
        return state is not State.CAPTURED_BY_OTHER

    def block(self, object_id: str, mode: str, request: str) -> Mutex:
        """Locks the object for one request. Busy, by the owner's own other request even, says by whom."""
        return self._client.capture(
            self.id(object_id, mode),
            owner=self._naming.owner,
            status_data=request,
            auto_release=self._naming.auto_release,
            if_free=True,
        )

    def refresh(self, object_id: str, mode: str, request: str) -> Mutex:
        """Keeps the lock of a request from timing out. Lost if that request does not hold it."""
        return self._client.capture(
            self.id(object_id, mode), owner=self._naming.owner, status_data=request, if_status_data=request
        )

    def release(self, object_id: str, mode: str, request: str) -> bool:
        """Frees the object if that request holds it; otherwise nothing happens: False."""
        return self._client.release(self.id(object_id, mode), owner=self._naming.owner, if_status_data=request)


class AsyncEditLock:
    """EditLock for asyncio."""

    def __init__(
        self,
        client: AsyncClient,
        *,
        group: str = "",
        object_id: Callable[[str], str] = _same,
        auto_release: Optional[AutoRelease] = None,
        owner: Optional[Owner] = None,
    ) -> None:
        self._client = client
        self._naming = _Naming(group, object_id, auto_release, owner)

    def id(self, object_id: str, mode: str) -> ID:
        """The name of the mutex of an object."""
        return self._naming.id(object_id, mode)

    async def check(self, object_id: str, mode: str, request: str) -> bool:
        """As EditLock.check."""
        state, _ = await self._client.request(self.id(object_id, mode), owner=self._naming.owner)
        return state is not State.CAPTURED_BY_OTHER

    async def block(self, object_id: str, mode: str, request: str) -> Mutex:
        """As EditLock.block."""
        return await self._client.capture(
            self.id(object_id, mode),
            owner=self._naming.owner,
            status_data=request,
            auto_release=self._naming.auto_release,
            if_free=True,
        )

    async def refresh(self, object_id: str, mode: str, request: str) -> Mutex:
        """As EditLock.refresh."""
        return await self._client.capture(
            self.id(object_id, mode), owner=self._naming.owner, status_data=request, if_status_data=request
        )

    async def release(self, object_id: str, mode: str, request: str) -> bool:
        """As EditLock.release."""
        return await self._client.release(self.id(object_id, mode), owner=self._naming.owner, if_status_data=request)
