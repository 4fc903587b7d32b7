"""Replays the scenarios that clients in every language share."""

from __future__ import annotations

import json
import re
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Optional

import pytest

from both import Abandonable, abandonable
from editlock import (
    ID,
    AutoRelease,
    Busy,
    Client,
    EditLock,
    EditlockError,
    Entry,
    HeldByPerson,
    HistoryPage,
    Invalid,
    Lost,
    Mutex,
    NotHeld,
    Owner,
    Page,
    RefreshItem,
    Waiter,
)
from editlock._forms import parse_duration, parse_time

FOLDER = Path(__file__).parents[3] / "testdata" / "scenarios"


#: Stands for what the functions of this client have no argument for.
UNSAYABLE = object()


def cases() -> list[Any]:
    found = []
    for file in sorted(FOLDER.glob("*.json")):
        scenario = json.loads(file.read_text())
        for case in scenario["cases"]:
            if not case.get("raw"):
                found.append(pytest.param(scenario.get("let", {}), case["steps"], id=f"{file.stem}: {case['name']}"))
    assert found, f"no scenarios in {FOLDER}"
    return found


@pytest.mark.parametrize(("let", "steps"), cases())
def test_scenario(let: Any, steps: Any, client: Client, name: str) -> None:
    replay = Replay(client, name)
    for key, value in let.items():
        replay.vars[key] = replay.fill(value)
    try:
        for step in steps:
            replay.step(step)
    finally:
        replay.end()


@dataclass
class Running:
    """A call in the background, by a client of its own."""

    client: Abandonable
    thread: threading.Thread
    got: list[Any]


class Replay:
    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.vars: dict[str, Any] = {}
        self.running: dict[str, Running] = {}

    def fill(self, value: Any) -> Any:
        if isinstance(value, str):
            if value.startswith("$") and not value.startswith("${"):
                return self.vars[value[1:]]
            return value.replace("${case}", self.name)
        if isinstance(value, dict):
            return {key: self.fill(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.fill(part) for part in value]
        return value

    def step(self, step: dict[str, Any]) -> None:
        if "pass" in step:
            time.sleep(parse_duration(step["pass"]))
        elif "cancel" in step:
            running = self.running[step["cancel"]]
            running.client.give_up()
            running.thread.join(30)
            assert not running.thread.is_alive(), f"{step['cancel']} goes on"
        elif "end" in step:
            running = self.running[step["end"]]
            running.thread.join(30)
            assert not running.thread.is_alive(), f"{step['end']} goes on"
            self.compare(step, running.got[0])
        elif "start" in step:
            client = abandonable(self.client)
            got: list[Any] = []
            thread = threading.Thread(target=lambda: got.append(self.call(step, client)))
            thread.start()
            self.running[step["start"]] = Running(client, thread, got)
        elif "until" in step:
            deadline = time.monotonic() + 20
            while True:
                try:
                    match(self.fill(step["until"]), self.call(step)[1])
                    return
                except AssertionError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
        else:
            self.compare(step, self.call(step))

    def end(self) -> None:
        for running in self.running.values():
            running.client.give_up()
            running.thread.join(30)
            running.client.close()

    def compare(self, step: dict[str, Any], got: tuple[bool, Any]) -> None:
        ok, answer = got
        refused = "error" in step
        if answer is UNSAYABLE:
            assert step["error"]["code"] == "invalid", f"{step} can't be said in Python"
            return
        assert ok != refused, answer
        match(self.fill(step["error"] if refused else step["want"]), answer)
        for key, path in step.get("save", {}).items():
            value = answer
            for part in path.split("."):
                value = value[int(part)] if isinstance(value, list) else value[part]
            self.vars[key] = value

    def call(self, step: dict[str, Any], client: Optional[Client] = None) -> tuple[bool, Any]:
        given = self.fill(step.get("with", {}))
        says = self.fill(step["as"]) if "as" in step else given.pop("owner", None)
        owner = None if says is None else to_owner(says)
        try:
            return True, form(CALLS[step["call"]](client or self.client, given, owner, step.get("key", "")))
        except TypeError as err:
            if "unexpected keyword argument" not in str(err):
                raise
            return False, UNSAYABLE
        except CancelledError:
            return False, None  # given up
        except EditlockError as err:
            return False, error_form(err)


def to_owner(given: dict[str, Any]) -> Owner:
    return Owner(**given)


def to_id(given: dict[str, Any]) -> ID:
    return ID(**given)


def rule(given: Optional[dict[str, Any]]) -> Optional[AutoRelease]:
    if given is None:
        return None
    seconds = {key: parse_duration(given[key]) for key in ("idle", "max_hold") if key in given}
    return AutoRelease(never=given.get("never", False), **seconds)


def options(given: dict[str, Any], *more: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key in ("status_data", "message", *more):
        if key in given:
            out[key] = given[key]
    if "auto_release" in given:
        out["auto_release"] = rule(given["auto_release"])
    for key in ("wait", "grant_after", "grace"):
        if key in given:
            out[key] = parse_duration(given[key])
    for key, value in given.get("if", {}).items():
        out[f"if_{key}"] = value
    return out


def capture(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    if "mutexes" in given:
        ids = [to_id(id) for id in given["mutexes"]]
        found = client.capture_all(ids, owner=owner, request_id=key, **options(given))
        return {"mutexes": found}
    mutex = client.capture(to_id(given["mutex"]), owner=owner, request_id=key, **options(given))
    return {"state": "CAPTURED_BY_ME", "mutex": mutex}


def refresh(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    items = [
        RefreshItem(to_id(i["mutex"]), i["token"], i.get("status_data", ""), rule(i.get("auto_release")))
        for i in given["items"]
    ]
    results = client.refresh(items, owner=owner, by_token=owner is None)
    return {"results": [mutex if err is None else error_form(err) for mutex, err in results]}


def request(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    state, mutex = client.request(to_id(given["mutex"]), owner=owner or Owner(session=""))
    return {"state": state.name, "mutex": mutex}


def release(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    if "mutexes" in given:
        ids = client.release_all([to_id(id) for id in given["mutexes"]], owner=owner)
        return {"released": bool(ids), "mutexes": ids}
    return {"released": client.release(to_id(given["mutex"]), owner=owner, **options(given))}


def release_session(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    ids = client.release_session(given["session"], owner=owner)
    return {"released": bool(ids), "mutexes": ids}


def takeover(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    mutex = client.takeover(
        to_id(given["mutex"]), given["seen_token"], given["reason"], owner=owner, request_id=key, **options(given)
    )
    return {"state": "CAPTURED_BY_ME", "mutex": mutex}


def force_release(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    client.force_release(to_id(given["mutex"]), given["seen_token"], given["reason"], owner=owner)
    return {"released": True}


def hand_over(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    return {"handed_over": client.hand_over(to_id(given["mutex"]), owner=owner)}


def decline(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    return {"declined": client.decline(to_id(given["mutex"]), given["waiter"], given.get("message", ""), owner=owner)}


def mutexes(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    return client.list(**given)


def history(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
    given = dict(given)
    query: dict[str, Any] = {}
    if "id" in given or "below" in given:
        named = {key: given.pop(key) for key in ("id", "mode", "group", "part") if key in given}
        query["id"] = ID(**named, below=given.pop("below", "") == "true")
    if "kind" in given:
        query["kinds"] = given.pop("kind").split(",")
    for theirs, ours in (("from", "start"), ("to", "end")):
        if theirs in given:
            query[ours] = parse_time(given.pop(theirs))
    return client.history(**query, **given)


def edit(verb: str) -> Callable[[Client, dict[str, Any], Optional[Owner], str], Any]:
    def do(client: Client, given: dict[str, Any], owner: Optional[Owner], key: str) -> Any:
        lock = EditLock(client, group=given.get("group", ""), owner=owner)
        done = getattr(lock, verb)(given["object"], given["mode"], given["request"])
        return {"free": done} if verb == "check" else {}

    return do


CALLS: dict[str, Callable[[Client, dict[str, Any], Optional[Owner], str], Any]] = {
    "capture": capture,
    "refresh": refresh,
    "request": request,
    "release": release,
    "release-session": release_session,
    "takeover": takeover,
    "force-release": force_release,
    "hand-over": hand_over,
    "decline": decline,
    "mutexes": mutexes,
    "history": history,
    **{f"edit/{verb}": edit(verb) for verb in ("check", "block", "refresh", "release")},
}


def form(value: Any) -> Any:
    """The JSON form of what a client returned."""
    if isinstance(value, dict):
        return {key: form(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [form(part) for part in value]
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, ID):
        return {key: part for key, part in vars(value).items() if part or key in ("group", "mode")}
    if isinstance(value, Owner):
        unsaid = {"kind": "person", "on_behalf_of": ""}
        return {key: part for key, part in vars(value).items() if part != unsaid.get(key)}
    if isinstance(value, AutoRelease):
        out: dict[str, Any] = {"never": True} if value.never else {}
        for key in ("idle", "max_hold"):
            if getattr(value, key) is not None:
                out[key] = f"{getattr(value, key)}s"
        return out
    if isinstance(value, (Mutex, Entry)):
        parts = {key: form(part) for key, part in vars(value).items()}
        parts["mutex"] = parts.pop("id")
        if isinstance(value, Mutex):
            parts["expires_in_s"] = parts.pop("expires_in")
            parts["grant_after"] = None if value.grant_after is None else f"{value.grant_after}s"
        return parts
    if isinstance(value, Waiter):
        return {key: form(part) for key, part in vars(value).items()}
    if isinstance(value, Page):
        return {"mutexes": form(value.mutexes), "next_cursor": value.next}
    if isinstance(value, HistoryPage):
        return {"entries": form(value.entries), "next_cursor": value.next}
    return value


def error_form(err: EditlockError) -> dict[str, Any]:
    out: dict[str, Any] = {"code": err.code}
    if isinstance(err, Busy):
        out.update(holder=form(err.holder), holders=form(err.holders), self=err.self_held or None)
        if err.draining is not None:
            drain = vars(err.draining)
            out["draining"] = {
                key: form(drain["id" if key == "mutex" else key]) for key in ("mutex", "by", "since", "message")
            }
        if err.declined is not None:
            out["declined"] = {"by": form(err.declined.by), "message": err.declined.message}
    if isinstance(err, HeldByPerson):
        out["holder"] = form(err.holder)
    if isinstance(err, Lost):
        out.update(holder=form(err.holder), mutex=form(err.id), how=err.how or None, by=form(err.by))
        out.update(at=form(err.at), reason=err.reason or None)
    if isinstance(err, NotHeld):
        out["mutex"] = form(err.id)
    if isinstance(err, Invalid):
        out["field"] = err.field
    return out


def match(want: Any, got: Any, path: str = "the answer") -> None:
    if isinstance(want, dict):
        rules = [key for key in want if key.startswith("?")]
        if rules:
            match_rule(rules[0], want[rules[0]], got, path)
            return
        assert isinstance(got, dict), f"{path} is {got!r}, want {want!r}"
        for key, part in want.items():
            match(part, got.get(key), f"{path}.{key}")
    elif isinstance(want, list):
        assert isinstance(got, list), f"{path} is {got!r}, want {want!r}"
        assert len(want) == len(got), f"{path} is {got!r}, want {want!r}"
        for i, part in enumerate(want):
            match(part, got[i], f"{path}[{i}]")
    else:
        assert got == want, f"{path} is {got!r}, want {want!r}"


def match_rule(rule: str, arg: Any, got: Any, path: str) -> None:
    if rule == "?any":
        assert got is not None, f"{path} is missing"
    elif rule == "?above":
        assert got is not None, f"{path} is missing"
        assert got > arg, f"{path} is {got!r}, want more than {arg!r}"
    elif rule == "?between":
        assert got is not None, f"{path} is missing"
        assert arg[0] <= got <= arg[1], f"{path} is {got!r}, want {arg!r}"
    elif rule == "?seconds":
        assert isinstance(got, str), f"{path} is {got!r}"
        assert re.fullmatch(r"[\d.]+s", got), f"{path} is {got!r}"
        assert parse_duration(got) == arg, f"{path} is {got!r}, want {arg!r} seconds"
    else:
        raise AssertionError(f"an unknown rule, {rule}")
