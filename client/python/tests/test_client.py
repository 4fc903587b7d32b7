"""What a client does beyond the scenarios: retries, connections, threads, forks."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable

import pytest

from both import Blocking, events
from editlock import (
    ID,
    STRANGER,
    AsyncClient,
    AutoRelease,
    Client,
    Company,
    Invalid,
    Look,
    Looking,
    Mutex,
    Owner,
    State,
    Unavailable,
    acting_as,
    console_owner,
    current_owner,
)
from servers import Server, free_port

KINDS = [pytest.param(Client, id="blocking"), pytest.param(Blocking, id="asyncio")]


class Proxy:
    """Stands before a server and spoils what a test tells it to."""

    def __init__(self, server: Server) -> None:
        outer = self
        self.seen: list[tuple[str, str, str]] = []  # path, Idempotency-Key and -Age
        self.connections: set[Any] = set()
        self.spoil: Callable[[Any, int, bytes], bool] = lambda handler, status, body: False

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                from urllib.error import HTTPError
                from urllib.request import Request, urlopen

                body = self.rfile.read(int(self.headers["Content-Length"]))
                key, age = (self.headers.get(f"Idempotency-{name}", "") for name in ("Key", "Age"))
                outer.seen.append((self.path, key, age))
                outer.connections.add(self.client_address)
                ask = Request(server.url + self.path, body, dict(self.headers))
                try:
                    with urlopen(ask) as res:
                        status, kind, data = res.status, res.headers["Content-Type"], res.read()
                except HTTPError as err:
                    with err:
                        status, kind, data = err.code, err.headers["Content-Type"], err.read()
                if not outer.spoil(self, status, data):
                    self.answer(status, kind, data)

            def answer(self, status: int, kind: str, data: bytes, **headers: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(data)

            def cut(self) -> None:
                self.close_connection = True
                self.connection.shutdown(2)

            def log_message(self, *args: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    made = Proxy(server)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def through(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[Client]:
    made = request.param(proxy.url)
    yield made
    made.close()


def once(act: Callable[[Any], None]) -> Callable[[Any, int, bytes], bool]:
    done: list[bool] = []

    def spoil(handler: Any, status: int, body: bytes) -> bool:
        if done:
            return False
        done.append(True)
        act(handler)
        return True

    return spoil


def test_a_lost_answer_is_asked_for_again_as_the_same_capture(
    through: Client, proxy: Proxy, invoice: ID, ivan: Owner
) -> None:
    proxy.spoil = once(lambda handler: handler.cut())
    # If-free would be refused by the first try's success, were it another capture.
    mutex = through.capture(invoice, owner=ivan, if_free=True)
    assert mutex.owner == ivan
    paths, keys, _ = zip(*proxy.seen)
    assert paths == ("/v1/capture", "/v1/capture")
    assert keys[0] == keys[1] != ""


def test_each_capture_has_a_key_of_its_own(through: Client, proxy: Proxy, invoice: ID, ivan: Owner) -> None:
    through.capture(invoice, owner=ivan)
    through.capture(invoice, owner=ivan)
    assert proxy.seen[0][1] != proxy.seen[1][1]


def test_a_release_by_force_that_lost_its_answer_has_succeeded(
    through: Client, proxy: Proxy, invoice: ID, ivan: Owner, olga: Owner
) -> None:
    mutex = through.capture(invoice, owner=ivan)
    proxy.spoil = once(lambda handler: handler.cut())
    through.force_release(invoice, mutex.token, "test", owner=olga)
    assert through.request(invoice)[0] is State.FREE


def test_a_release_that_lost_its_answer_ends_no_later_hold(
    through: Client, proxy: Proxy, server: Server, invoice: ID, ivan: Owner
) -> None:
    """A second job of the same owner captures before the retry, which says that it is one."""
    through.capture(invoice, owner=ivan)
    later: list[Mutex] = []

    def cut(handler: Any) -> None:
        with Client(server.url) as second:
            later.append(second.capture(invoice, owner=ivan))
        time.sleep(0.1)
        handler.cut()

    proxy.spoil = once(cut)
    assert through.release(invoice, owner=ivan)
    now = through.request(invoice)[1]
    assert now is not None
    assert now.token == later[0].token
    (_, first, young), (_, again, old) = proxy.seen[1:3]
    assert first == again != ""
    assert young == ""
    assert float(old.rstrip("s")) >= 0.1


def test_busy_servers_are_asked_again(through: Client, proxy: Proxy, invoice: ID) -> None:
    proxy.spoil = once(lambda handler: handler.answer(503, "text/plain", b"later", Retry_After="0"))
    assert through.request(invoice) == (State.FREE, None)
    assert len(proxy.seen) == 2


def test_refusals_are_not_repeated(through: Client, proxy: Proxy, ivan: Owner) -> None:
    with pytest.raises(Invalid, match=r"mutex\.id") as refused:
        through.capture(ID(""), owner=ivan)
    assert refused.value.field == "mutex.id"
    assert len(proxy.seen) == 1


def test_connections_are_used_again(through: Client, proxy: Proxy, invoice: ID) -> None:
    for _ in range(5):
        through.request(invoice)
    assert len(proxy.connections) == 1


def test_a_connection_closed_while_unused_is_replaced(through: Client, proxy: Proxy, invoice: ID) -> None:
    def answer_and_hang_up(handler: Any, status: int, body: bytes) -> bool:
        handler.answer(status, "application/json", body)
        handler.cut()
        return True

    proxy.spoil = answer_and_hang_up
    for _ in range(3):
        assert through.request(invoice) == (State.FREE, None)
    assert len(proxy.connections) == 3


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"<p>hello"),
        (200, "application/json", b"{"),
        (200, "application/json", b"{}"),
        (200, "application/json", b'{"state":"LIMBO"}'),
        (404, "text/html", b"<p>not here"),
        (409, "application/problem+json", b'{"code":"busy","holder":{}}'),
        (301, "text/plain", b""),
    ],
)
def test_answers_of_other_servers_are_told_as_such(
    through: Client, proxy: Proxy, invoice: ID, status: int, kind: str, body: bytes
) -> None:
    def spoil(handler: Any, *_: Any) -> bool:
        handler.answer(status, kind, body)
        return True

    proxy.spoil = spoil
    with pytest.raises(Unavailable, match="is it an editlock server"):
        through.request(invoice)


@pytest.mark.parametrize("kind", KINDS)
def test_no_server_is_unavailable_within_the_time_given(kind: Callable[..., Client]) -> None:
    client = kind(f"http://127.0.0.1:{free_port()}", timeout=0.3)
    with pytest.raises(Unavailable, match="no answer from"):
        client.request(ID("1"))
    client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_hangs_is_unavailable_within_the_time_given(
    kind: Callable[..., Client], own_server: Server
) -> None:
    client = kind(own_server.url, timeout=1.0)
    client.request(ID("1"))
    own_server.pause()
    with pytest.raises(Unavailable, match="the time is up"):
        client.request(ID("1"))
    own_server.go_on()
    assert client.request(ID("1"))[0] is State.FREE
    client.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_restarts_is_waited_for(kind: Callable[..., Client], own_server: Server, ivan: Owner) -> None:
    client = kind(own_server.url)
    token = client.capture(ID("1"), owner=ivan).token
    own_server.kill()
    starter = threading.Timer(0.3, own_server.start)
    starter.start()
    assert client.capture(ID("1"), owner=ivan).token == token
    starter.join()
    client.close()


def test_a_closed_client_says_so(client: Client, server: Server) -> None:
    other = type(client)(server.url)
    other.close()
    if not isinstance(other, Blocking):
        with pytest.raises(Unavailable, match="closed"):
            other.request(ID("1"))


def test_events_are_watched_and_resumed(client: Client, invoice: ID, ivan: Owner) -> None:
    client.capture(invoice, owner=ivan)
    start = client.history(invoice).entries[0].seq
    client.release(invoice, owner=ivan)
    client.capture(invoice, owner=ivan)
    got = events(client, 2, id=invoice, after=start)
    assert [event.kind for event in got] == ["released", "captured"]
    assert [event.id for event in got] == [invoice, invoice]
    assert got[0].owner == ivan
    assert start < got[0].seq < got[1].seq
    assert events(client, 1, group=invoice.group, after=got[0].seq) == got[1:]


def test_a_watch_goes_on_when_the_server_restarts(own_server: Server, ivan: Owner) -> None:
    with Client(own_server.url) as client, client.watch(ID("1")) as watch:
        client.capture(ID("1"), owner=ivan)
        start = client.history(ID("1")).entries[0].seq
    with Client(own_server.url) as client, client.watch(ID("1"), after=start) as watch:
        client.release(ID("1"), owner=ivan)
        assert next(watch).kind == "released"
        own_server.kill()
        own_server.start()
        client.capture(ID("1"), owner=ivan)
        assert next(watch).kind == "captured"


def test_a_watch_of_the_future_is_refused(client: Client, invoice: ID, ivan: Owner) -> None:
    client.capture(invoice, owner=ivan)
    with pytest.raises(Invalid, match="after"):
        events(client, 1, id=invoice, after=2**50)


def test_a_watch_is_closed_by_another_thread(server: Server, invoice: ID) -> None:
    with Client(server.url) as client:
        watch = client.watch(invoice)
        threading.Timer(0.2, watch.close).start()
        assert list(watch) == []


def test_pages_follow_each_other(client: Client, name: str, ivan: Owner) -> None:
    ids = [ID(id=str(n), group=name) for n in range(5)]
    client.capture_all(ids, owner=ivan)
    seen, cursor = [], None
    while True:
        page = client.list(group=name, limit=2, cursor=cursor)
        seen += [mutex.id for mutex in page.mutexes]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ids
    assert len(client.history(group=name, kinds=["captured"], limit=3).entries) == 3
    hour = timedelta(hours=1)
    now = datetime.now(timezone.utc)
    assert client.history(group=name, start=now - hour, end=now + hour).entries
    assert client.history(group=name, text=f"{name}/").entries
    assert not client.history(group=name, text="nothing like it").entries
    assert not client.history(group=name, start=now + hour).entries
    with pytest.raises(Invalid, match="time zone"):
        client.history(start=datetime.now())


def test_threads_share_a_client(server: Server, name: str) -> None:
    with Client(server.url) as client:
        failures: list[BaseException] = []

        def work(n: int) -> None:
            try:
                me = Owner(session=f"{name} {n}")
                for i in range(20):
                    mutex = client.capture(ID(id=f"{n}", group=name), owner=me, status_data=str(i))
                    assert (mutex.owner.session, mutex.status_data) == (me.session, str(i))
            except BaseException as err:
                failures.append(err)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures


def _in_child(client: Client, id: ID, results: Any) -> None:
    results.put((current_owner().session, client.request(id)[0].name))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_uses_connections_of_its_own(server: Server, invoice: ID, ivan: Owner) -> None:
    with Client(server.url) as client:
        client.capture(invoice, owner=ivan)
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        child = context.Process(target=_in_child, args=(client, invoice, results))
        child.start()
        session, state = results.get(timeout=30)
        child.join()
        assert state == "CAPTURED_BY_OTHER"
        assert session != console_owner().session, "two processes are two owners"
        assert client.request(invoice, owner=ivan)[0] is State.CAPTURED_BY_ME


def test_one_client_serves_one_loop_after_another(server: Server, invoice: ID) -> None:
    client = AsyncClient(server.url)

    async def ask() -> State:
        return (await client.request(invoice))[0]

    assert asyncio.run(ask()) is State.FREE
    assert asyncio.run(ask()) is State.FREE


def test_owners_are_of_the_innermost_block(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    with acting_as(ivan):
        client.capture(invoice)
        assert client.request(invoice)[0] is State.CAPTURED_BY_ME
        with acting_as(lambda: olga):
            assert client.request(invoice)[0] is State.CAPTURED_BY_OTHER
            assert client.request(invoice, owner=ivan)[0] is State.CAPTURED_BY_ME
        assert client.request(invoice, owner=STRANGER)[0] is State.CAPTURED_BY_OTHER
    assert current_owner() == console_owner()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("127.0.0.1:7117", "must begin with http"),
        ("ftp://host", "must begin with http"),
        ("http://", "names no host"),
        ("http://user:password@host", "must not hold a user"),
        ("http://host/?x=1", "must end after the path"),
        ("http://host:port", "is not a URL"),
        ("http://host/a b", "percent-encoded"),
    ],
)
def test_wrong_addresses_are_told(url: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        Client(url)


def test_wrong_arguments_are_told_before_anything_is_sent(client: Client, ivan: Owner) -> None:
    with pytest.raises(Invalid, match="more than one"):
        client.capture(ID("1"), owner=ivan, if_free=True, if_token=1)
    with pytest.raises(Invalid, match="seconds"):
        client.capture(ID("1"), owner=ivan, auto_release=AutoRelease(idle=float("nan")))
    with pytest.raises(Invalid, match="Unicode"):
        client.capture(ID("\ud800"), owner=ivan)
    with pytest.raises(Invalid, match="printable"):
        client.capture(ID("1"), owner=ivan, request_id="a\r\nb")


def test_looking_is_told_to_others_and_takes_nothing(client: Client, invoice: ID, ivan: Owner, olga: Owner) -> None:
    other = replace(invoice, id="18")
    assert client.look("p", [Look(invoice, "unsaved", hidden=True), Look(other)], owner=ivan) == (
        Company(invoice),
        Company(other),
    )
    (told,) = client.look("p", [Look(invoice)], owner=olga)
    assert [(p.owner, p.state, told.count) for p in told.people] == [(ivan, "unsaved", 1)]
    client.capture(other, owner=olga)
    read = replace(invoice, id="20")
    for owner in (ivan, olga):
        client.capture(read, owner=owner, sharing="shared")
    shared = client.looking([read], owner=olga)[0]
    assert (shared.holder, shared.captured_at, shared.mine) == (None, None, False), "readers do not edit"
    assert [(reader.owner, reader.mine) for reader in shared.readers] == [(olga, True), (ivan, False)]

    first, second, third = client.looking([invoice, other, replace(invoice, id="19")], owner=ivan)
    assert (first.holder, [p.owner for p in first.people], first.count) == (None, [olga], 1)
    assert (second.holder, second.mine, second.people, second.count) == (olga, False, (), 0)
    assert second.captured_at is not None
    assert third == Looking(third.id)
    assert client.looking([other], owner=olga)[0].mine
    assert client.looking([], owner=olga) == ()
    assert len(client.looking([replace(invoice, id=str(n)) for n in range(150)], owner=STRANGER)) == 150

    assert client.look("p", [], owner=ivan) == ()
    assert client.looking([invoice], owner=olga)[0].count == 0
    with pytest.raises(Invalid, match="state"):
        client.look("p", [Look(invoice, "bored")], owner=ivan)


def test_the_whole_http_surface_has_a_method(server: Server) -> None:
    from urllib.request import urlopen

    with urlopen(server.url + "/openapi.json") as res:
        paths = set(json.load(res)["paths"])
    methods = {
        "/v1/capture": "capture",
        "/v1/refresh": "refresh",
        "/v1/request": "request",
        "/v1/release": "release",
        "/v1/takeover": "takeover",
        "/v1/force-release": "force_release",
        "/v1/release-session": "release_session",
        "/v1/hand-over": "hand_over",
        "/v1/decline": "decline",
        "/v1/presence": "look",
        "/v1/presence-query": "looking",
        "/v1/mutexes": "list",
        "/v1/history": "history",
        "/v1/events": "watch",
    }
    assert {path for path in paths if path.startswith("/v1/")} == set(methods)
    for kind in (Client, AsyncClient):
        assert all(callable(getattr(kind, method)) for method in methods.values())


def test_both_clients_take_the_same_arguments() -> None:
    import inspect

    for name, method in vars(Client).items():
        if name.startswith("_") or name in ("close", "hold", "watch"):
            continue
        ours, theirs = inspect.signature(method), inspect.signature(getattr(AsyncClient, name))
        assert list(ours.parameters.values()) == list(theirs.parameters.values()), name
    hold, other = inspect.signature(Client.hold), inspect.signature(AsyncClient.hold)
    assert set(hold.parameters) - set(other.parameters) == {"on_loss"}
    assert inspect.signature(Client.watch).parameters == inspect.signature(AsyncClient.watch).parameters
