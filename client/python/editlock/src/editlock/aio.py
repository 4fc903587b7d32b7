"""The client for asyncio."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Optional, TypeVar

from . import _calls as calls
from . import _forms as forms
from ._aioexchange import AsyncExchange
from ._aiokeeper import AsyncKeeper
from .aioheld import AsyncHeld
from .credential import AsyncCredential
from .errors import EditlockError
from .owners import current_owner
from .types import (
    ID,
    AutoRelease,
    Company,
    Entry,
    HistoryPage,
    Look,
    Looking,
    Mutex,
    Owner,
    Page,
    RefreshItem,
    Seconds,
    Sharing,
    State,
)

T = TypeVar("T")


class AsyncClient(AsyncExchange):
    """The locks of a server, for asyncio: Client with ``await`` before each call.

    Connections belong to the event loop they were made in; a client may be
    used from one loop after another, not from two at once. A call that is
    cancelled may have been carried out; a wait that is cancelled leaves the
    queue. ``credential`` may be an async function, too.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 15.0,
        tls: Optional[ssl.SSLContext] = None,
        credential: Optional[AsyncCredential] = None,
        owner_proved: bool = False,
    ) -> None:
        super().__init__(url, timeout=timeout, tls=tls, credential=credential, owner_proved=owner_proved)
        self._keeper = AsyncKeeper(self)

    async def close(self) -> None:
        """Ends connections, watches, and calls that wait for a mutex, as Client.close does."""
        self._pool.close()
        await self._keeper.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        await self.close()

    async def capture(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        if_status_data: Optional[str] = None,
        if_token: Optional[int] = None,
        wait: Optional[Seconds] = None,
        message: str = "",
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
        request_id: str = "",
    ) -> Mutex:
        """As Client.capture."""
        mutex = await self._run(
            calls.capture(
                id,
                owner,
                status_data,
                auto_release,
                if_free,
                if_status_data,
                if_token,
                wait,
                message,
                grant_after,
                sharing,
                limit,
                request_id,
            )
        )
        return await self._taken_up(mutex, owner) if wait and calls.provisional(mutex) else mutex

    async def _taken_up(self, mutex: Mutex, owner: Optional[Owner]) -> Mutex:
        """What a wait was granted, which is gone soon unless it is confirmed."""
        (confirmed, err), *_ = await self.refresh([RefreshItem(mutex.id, mutex.token)], owner=owner)
        if confirmed is None:
            assert err is not None
            raise err
        return confirmed

    async def capture_all(
        self,
        ids: Iterable[ID],
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
        request_id: str = "",
    ) -> tuple[Mutex, ...]:
        """As Client.capture_all."""
        return await self._run(
            calls.capture_all(ids, owner, status_data, auto_release, if_free, grant_after, sharing, limit, request_id)
        )

    async def refresh(
        self, items: Sequence[RefreshItem], *, owner: Optional[Owner] = None, by_token: bool = False
    ) -> list[tuple[Optional[Mutex], Optional[EditlockError]]]:
        """As Client.refresh."""
        return await self._run(calls.refresh(items, owner, by_token))

    async def request(self, id: ID, *, owner: Optional[Owner] = None) -> tuple[State, Optional[Mutex]]:
        """As Client.request."""
        return await self._run(calls.request(id, owner))

    async def release(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        if_status_data: Optional[str] = None,
        if_token: Optional[int] = None,
        grace: Optional[Seconds] = None,
    ) -> bool:
        """As Client.release."""
        return await self._run(calls.release(id, owner, if_status_data, if_token, grace))

    async def ping(self, *, timeout: Optional[Seconds] = None) -> None:
        """As Client.ping."""
        await self._run(calls.ping(), None if timeout is None else forms.seconds(timeout))

    async def release_all(self, mutexes: calls.Several, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """As Client.release_all."""
        released: list[ID] = []
        for call in calls.release_all(mutexes, owner):
            found: tuple[ID, ...] = await self._run(call)
            released += found
        return tuple(released)

    async def release_session(self, session: str, *, owner: Optional[Owner] = None) -> tuple[ID, ...]:
        """As Client.release_session."""
        return await self._run(calls.release_session(session, owner))

    async def takeover(
        self,
        id: ID,
        seen_token: int,
        reason: str,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        grant_after: Optional[Seconds] = None,
        request_id: str = "",
    ) -> Mutex:
        """As Client.takeover."""
        return await self._run(
            calls.takeover(id, seen_token, reason, owner, status_data, auto_release, grant_after, request_id)
        )

    async def force_release(self, id: ID, seen_token: int, reason: str, *, owner: Optional[Owner] = None) -> None:
        """As Client.force_release."""
        return await self._run(calls.force_release(id, seen_token, reason, owner))

    async def hand_over(self, id: ID, *, owner: Optional[Owner] = None) -> bool:
        """As Client.hand_over."""
        return await self._run(calls.hand_over(id, owner))

    async def decline(self, id: ID, waiter: str, message: str = "", *, owner: Optional[Owner] = None) -> bool:
        """As Client.decline."""
        return await self._run(calls.decline(id, waiter, message, owner))

    async def look(self, page: str, looks: Iterable[Look], *, owner: Optional[Owner] = None) -> tuple[Company, ...]:
        """As Client.look."""
        return await self._run(calls.look(page, looks, owner))

    async def looking(self, ids: Iterable[ID], *, owner: Optional[Owner] = None) -> tuple[Looking, ...]:
        """As Client.looking."""
        return tuple([one for call in calls.looking(ids, owner) for one in await self._run(call)])

    async def list(
        self,
        *,
        group: str = "",
        mode: str = "",
        session: str = "",
        user_id: str = "",
        text: str = "",
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> Page:
        """As Client.list."""
        return await self._run(calls.list_mutexes(group, mode, session, user_id, text, limit, cursor))

    async def history(
        self,
        id: Optional[ID] = None,
        *,
        tree: bool = False,
        group: str = "",
        mode: str = "",
        user_id: str = "",
        kinds: Iterable[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        text: str = "",
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
    ) -> HistoryPage:
        """As Client.history."""
        return await self._run(calls.history(id, tree, group, mode, user_id, kinds, start, end, text, limit, cursor))

    async def watch(
        self,
        id: Optional[ID] = None,
        *,
        tree: bool = False,
        group: str = "",
        mode: str = "",
        session: str = "",
        after: Optional[int] = None,
    ) -> AsyncIterator[Entry]:
        """As Client.watch, for ``async for``. It ends when its task is cancelled."""
        events = self._follow(calls.events(id, tree, group, mode, session, after), after)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    def hold(
        self,
        id: ID,
        *,
        owner: Optional[Owner] = None,
        status_data: str = "",
        auto_release: Optional[AutoRelease] = None,
        if_free: bool = False,
        wait: Optional[Seconds] = None,
        message: str = "",
        grant_after: Optional[Seconds] = None,
        sharing: Optional[Sharing] = None,
        limit: Optional[int] = None,
    ) -> AsyncHeld:
        """Holds a mutex for an ``async with`` block: captures it at its
        beginning, keeps it refreshed, releases it at its end.

        See Client.capture for what may be given and raised, and AsyncHeld for
        what a loss does.
        """
        me = current_owner() if owner is None else owner
        capture = calls.capture(
            id, me, status_data, auto_release, if_free, None, None, wait, message, grant_after, sharing, limit, ""
        )
        return AsyncHeld(self, me, capture)
