"""The asyncio client under the methods of the one that blocks, so that one
test is a test of both."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Optional, TypeVar, Union

from editlock import ID, AsyncClient, AutoRelease, Client, Entry, Owner

T = TypeVar("T")


class Blocking(Client):
    """AsyncClient, called from other threads than its loop's."""

    def __init__(self, url: str, *, timeout: float = 15.0, **proof: Any) -> None:
        super().__init__(url, timeout=timeout, tls=proof.get("tls"))
        self.client = AsyncClient(url, timeout=timeout, **proof)
        self.loop = asyncio.new_event_loop()
        self._call: Optional[concurrent.futures.Future[Any]] = None
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def _run(self, call: Any, within: Optional[float] = None) -> Any:
        self._call = asyncio.run_coroutine_threadsafe(self.client._run(call, within), self.loop)
        return self._call.result(60)

    def give_up(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def events(self, count: int, **query: Any) -> list[Entry]:
        async def take() -> list[Entry]:
            found: list[Entry] = []
            watch = self.client.watch(**query)
            async for event in watch:
                found.append(event)
                if len(found) == count:
                    break
            await watch.aclose()  # type: ignore[attr-defined]
            return found

        return self.wait(take())

    def close(self) -> None:
        if self.loop.is_closed():
            return
        self.wait(self.client.close())

        async def settle() -> None:
            await self.loop.shutdown_asyncgens()
            await asyncio.sleep(0.01)  # transports close with the next turn of the loop

        self.wait(settle())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        super().close()

    async def hold_until(self, id: ID, act: Callable[[], None], owner: Owner, rule: AutoRelease) -> None:
        """Holds, acts in another thread, and goes on for as long as nobody cancels it."""
        async with self.client.hold(id, owner=owner, auto_release=rule):
            await asyncio.get_running_loop().run_in_executor(None, act)
            await asyncio.sleep(60)


class Aborting(Client):
    """A client whose wait another thread can give up."""

    def give_up(self) -> None:
        self.close()


Abandonable = Union[Blocking, Aborting]


def abandonable(like: Client) -> Abandonable:
    """A new client of the same kind, whose one call can be given up."""
    kind = Blocking if isinstance(like, Blocking) else Aborting
    return kind(f"http://{like._address.header}")


def events(client: Client, count: int, **query: Any) -> list[Entry]:
    """The first so many events of a watch."""
    if isinstance(client, Blocking):
        return client.events(count, **query)
    with client.watch(**query) as watch:
        found: Iterator[Entry] = iter(watch)
        return [next(found) for _ in range(count)]
