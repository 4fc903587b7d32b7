"""The lock tests of tooz, unchanged from its wheel, on the driver in editlock.tooz."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tooz
from test_readme import examples
from tooz import coordination

from editlock import ID, Client, Owner
from servers import Server

PYPROJECT = Path(__file__).parents[1] / "editlock" / "pyproject.toml"

#: All that the wheel of tooz 9.1.0 has for locks. A test that it skips fails here.
LOCKS = [
    "test_acquire_twice_no_deadlock_releasing",
    "test_ensure_acquire_release_return",
    "test_get_lock",
    "test_get_lock_concurrency_locking2",
    "test_get_lock_concurrency_locking_same_lock",
    "test_get_lock_concurrency_locking_two_lock_process",
    "test_get_lock_concurrency_locking_two_lock_thread1",
    "test_get_lock_concurrency_locking_two_lock_thread2",
    "test_get_lock_context_check_value",
    "test_get_lock_context_fails",
    "test_get_lock_locked_twice",
    "test_get_lock_locking_exclusive_and_shared",
    "test_get_lock_locking_shared_and_exclusive",
    "test_get_lock_multiple_coords",
    "test_get_lock_release_broken",
    "test_get_lock_serial_locking_two_lock_process",
    "test_get_lock_twice_locked_one_released_two",
    "test_get_lock_twice_locked_twice",
    "test_get_multiple_locks_with_same_coord",
    "test_get_shared_lock",
    "test_get_shared_lock_locking_same_lock_twice",
    "test_get_shared_lock_locking_two_lock",
    "test_heartbeat_lock_not_acquired",
    "test_lock_context_manager_acquire_argument",
    "test_lock_context_manager_acquire_argument_release_within",
    "test_lock_context_manager_acquire_argument_return_value",
    "test_lock_context_manager_acquire_argument_timeout",
    "test_lock_context_manager_acquire_no_argument",
]
#: What else a driver without groups and leaders has to pass.
STARTS = ["test_connection_error_bad_host", "test_get_started_status", "test_stop_first"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder that names the driver to tooz, as the installed package does; the processes that tests start have it."""
    folder = tmp_path_factory.mktemp("installed")
    made = folder / "editlock-0.dist-info"
    made.mkdir()
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: editlock\nVersion: 0\n")
    project = importlib.import_module("tomllib").loads(PYPROJECT.read_text())["project"]
    with (made / "entry_points.txt").open("w") as file:
        for group, points in project["entry-points"].items():
            print(f"[{group}]", *(f"{name} = {value}" for name, value in points.items()), sep="\n", file=file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))  # where tooz remembers its drivers
        patch.syspath_prepend(str(folder))
        yield str(folder)


@pytest.fixture
def url(installed: str, server: Server) -> str:
    return f"editlock+{server.url}"


def its_tests() -> Any:
    return importlib.import_module("tooz.tests.test_coordination").TestAPI


def test_these_are_all_its_lock_tests() -> None:
    names = unittest.defaultTestLoader.getTestCaseNames(its_tests())
    assert [name for name in names if "lock" in name or "acquire" in name] == LOCKS
    assert len(LOCKS) == 28
    assert len([name for name in LOCKS if "shared" in name]) == 5


@pytest.mark.parametrize("name", [*LOCKS, *STARTS])
def test_of_tooz(name: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOZ_TEST_URL", url)
    result = unittest.TestResult()
    its_tests()(name).run(result)
    assert (result.testsRun, result.skipped, result.errors, result.failures) == (1, [], [], [])


def coordinator(url: str, member: bytes = b"host-1") -> coordination.CoordinationDriver:
    made = coordination.get_coordinator(url, member)
    made.start()
    return made


def test_the_lock_manager_shows_the_member(url: str, server: Server, name: str) -> None:
    started = coordinator(f"{url}?group={name}&mode=volume&timeout=60")
    lock = started.get_lock(b"7")
    assert lock.acquire(shared=True)
    assert lock.acquire(shared=True)
    with Client(server.url) as client:
        first, second = client.list(group=name).mutexes
        assert (first.id.mode, first.id.id, first.owner.name, first.sharing) == ("volume", "7", "host-1", "shared")
        assert (first.auto_release.idle, first.owner.session != second.owner.session) == (60, True)
        started.stop()
        assert not client.list(group=name).mutexes


def test_one_who_waits_gets_it_and_one_who_waited_long_enough_does_not(url: str, name: str) -> None:
    started = coordinator(url)
    mine, other = started.get_lock(name.encode()), started.get_lock(name.encode())
    with mine:
        assert mine.is_still_owner()
        assert not other.is_still_owner()
        assert not other.acquire(timeout=1)
        assert not other.acquire(0.1, shared=True)  # type: ignore[arg-type]
    assert other.acquire(timeout=1)
    started.stop()


def test_what_was_broken_is_not_held(url: str, server: Server, name: str) -> None:
    started = coordinator(f"{url}?group={name}")
    locks = [started.get_lock(b"7") for _ in range(25)]
    assert all(lock.acquire(shared=True) for lock in locks)
    assert locks[0].break_()
    assert not locks[0].break_()
    assert not any(lock.release() for lock in locks)
    with Client(server.url) as client:
        assert client.history(group=name).entries[0].kind == "force_released"
    started.stop()


def test_a_limit_of_others_is_an_error(url: str, server: Server, name: str) -> None:
    started = coordinator(f"{url}?group={name}")
    lock = started.get_lock(b"7")
    with Client(server.url) as client:
        client.capture(ID("7", mode="tooz", group=name), owner=Owner(session=name), limit=3)
        with pytest.raises(tooz.ToozError, match="limit"):
            lock.acquire()
    started.stop()


@pytest.mark.parametrize(
    ("query", "told"), [("timeout=soon", "timeout: 'soon'"), ("lease=3", "lease: unknown; group, mode, timeout")]
)
def test_options_that_make_no_sense_are_named(url: str, query: str, told: str) -> None:
    with pytest.raises(tooz.ToozError, match=told):
        coordination.get_coordinator(f"{url}?{query}", b"host-1")


def test_a_lock_of_a_coordinator_that_stopped_says_so(url: str, name: str) -> None:
    started = coordinator(url)
    lock = started.get_lock(name.encode())
    started.stop()
    with pytest.raises(tooz.ToozError, match="not started"):
        lock.acquire()


def test_there_are_no_groups(url: str) -> None:
    started = coordinator(url)
    for call in (started.create_group, started.get_leader):
        with pytest.raises(tooz.NotImplemented):
            call(b"group")
    with pytest.raises(tooz.NotImplemented):
        started.watch_join_group(b"group", lambda event: None)
    started.stop()


def test_the_example_of_the_readme_runs(installed: str, own_server: Server) -> None:
    code = examples()[5]
    assert "editlock+http://127.0.0.1:7117" in code
    said = subprocess.run(
        [sys.executable, "-c", code.replace("http://127.0.0.1:7117", own_server.url)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([installed, str(PYPROJECT.parent / "src")])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == "nobody else: True\n"
