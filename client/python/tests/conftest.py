from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from both import Blocking
from editlock import ID, Client, Owner
from servers import Server

#: tooz 9 needs Python 3.11.
collect_ignore = [] if sys.version_info >= (3, 11) else ["test_tooz.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: "test_calls_have_the_results_of_m3_mutex" not in item.nodeid)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that the test may stop and hang."""
    from pathlib import Path

    running = Server(Path(str(tmp_path)))
    yield running
    running.stop()


@pytest.fixture(params=["blocking", "asyncio"])
def client(request: pytest.FixtureRequest, server: Server) -> Iterator[Client]:
    made = Client(server.url) if request.param == "blocking" else Blocking(server.url)
    yield made
    made.close()


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A text of this test's own."""
    import uuid

    return f"case-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def invoice(name: str) -> ID:
    return ID(id="17", mode="invoice", group=name)


@pytest.fixture
def ivan(name: str) -> Owner:
    return Owner(session=f"ivan {name}", user_id="17", login="ivan", name="Иванов И. И.", host="10.0.0.17")


@pytest.fixture
def olga(name: str) -> Owner:
    return Owner(session=f"olga {name}", user_id="18", login="olga", name="Петрова А. А.", host="10.0.0.18")
