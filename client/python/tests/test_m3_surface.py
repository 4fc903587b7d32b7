"""The public names and signatures of the drop-in are those of m3-mutex."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from original import Caller
from servers import Server


@pytest.fixture(scope="module")
def surfaces(server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("surface")
    with Caller.of_original(f"sqlite:{folder / 'original.db'}") as original:
        old = original.call("surface")["ok"]
    with Caller.of_drop_in(f"sqlite:{folder / 'drop-in.db'}", server.url) as drop_in:
        new = drop_in.call("surface")["ok"]
    return old, new


def test_all_modules_are_there(surfaces: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = surfaces
    assert set(new) - set(old) == {"m3_mutex.guard"}, "what m3-mutex has not"
    assert set(old) <= set(new)
    assert "m3_mutex.api" in old


def test_all_names_are_there_with_their_signatures(surfaces: tuple[dict[str, Any], dict[str, Any]]) -> None:
    old, new = surfaces
    differences = []
    compared = 0
    for module, names in old.items():
        for name, what in names.items():
            if module != "m3_mutex.api" and what["home"] != module:
                continue  # it only uses the name; api passes names on by intent
            got = new[module].get(name)
            if what.get("members") is not None and got is not None:
                # More members are allowed; those of m3-mutex must be there.
                got = {**got, "members": {key: got["members"].get(key) for key in what["members"]}}
            compared += 1
            if got != what:
                differences.append(f"{module}.{name} is {got}, in m3-mutex {what}")
    assert not differences, "\n".join(differences)
    assert compared > 20


def test_the_page_finds_its_names_at_the_top() -> None:
    import m3_mutex

    page = ["MutexID", "MutexState", "MutexBusy", "request_mutex", "capture_mutex", "release_mutex"]
    more = [
        "get_mutex_list",
        "MutexOwner",
        "SystemOwner",
        "Mutex",
        "TimeoutAutoRelease",
        "MutexAutoReleaseRule",
        "MutexQuery",
    ]
    assert [name for name in page + more if not hasattr(m3_mutex, name)] == []
