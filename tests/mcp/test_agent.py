"""An agent, by the protocol's own client, at "editlock mcp": over stdio and over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

EDITLOCK = os.environ["EDITLOCK_BIN"]
TOOLS = {"who_holds", "list", "capture", "refresh", "release", "ask_holder", "history"}
ENV = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LANG": "C"}

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


#: How versions are agreed on: by the handshake of before 2026, and as since then.
modes = pytest.mark.parametrize("mode", ["legacy", "auto"])


def run(*args: str, **env: str) -> str:
    """Runs a command of editlock."""
    done = subprocess.run([EDITLOCK, *args], env={**ENV, **env}, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.fixture
def started() -> Iterator[Any]:
    """Starts a command of editlock that serves, and returns its address."""
    running: list[subprocess.Popen[str]] = []

    def start(*args: str) -> str:
        server = subprocess.Popen(
            [EDITLOCK, *args], env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(server)
        assert server.stdout is not None
        for line in server.stdout:
            at = re.search(r"http://[^\s\"]+", line)
            if at:
                return at.group()
        raise AssertionError(f"{args} did not start")

    yield start
    for server in running:
        server.kill()
        server.wait()


def stdio(store: str, *args: str) -> StdioServerParameters:
    return StdioServerParameters(command=EDITLOCK, args=["mcp", "--store", store, *args], env=ENV)


def program(server: Any, mode: str) -> Client:
    return Client(server, mode=mode, client_info=Implementation(name="pytest-agent", title="Agent of the test", version="1"))


async def call(client: Client, tool: str, /, **args: Any) -> dict[str, Any]:
    """Calls a tool. The client holds the answer to the schema of the tool."""
    answer = await client.call_tool(tool, args)
    form = answer.structured_content
    assert isinstance(form, dict)
    assert answer.is_error == ("problem" in form and tool != "release")
    said = "".join(part.text for part in answer.content if part.type == "text")
    assert said.endswith((".", form.get("hold", ".")))
    return form


@modes
async def test_over_stdio(tmp_path: Path, mode: str) -> None:
    store = f"sqlite:{tmp_path / 'locks.db'}"
    async with program(stdio(store, "--on-behalf-of", "Anna"), mode) as agent:
        listed = await agent.list_tools()
        assert {tool.name for tool in listed.tools} == TOOLS
        assert "never take a lock from a person" in (agent.instructions or "")

        held = await call(agent, "capture", mode="page", id="7", status_data="rewriting")
        assert held["state"] == "captured"
        assert held["lock"]["holder"]["name"] == "Agent of the test"
        assert (await call(agent, "who_holds", mode="page", id="7"))["state"] == "yours"
        assert "Agent of the test (agent for Anna)" in run("list", "--store", store)
        assert (await call(agent, "refresh", hold=held["hold"]))["state"] == "captured"
        assert (await call(agent, "release", hold=held["hold"])) == {"released": True}
        assert (await call(agent, "release", hold=held["hold"]))["problem"]["code"] == "lost"

        run("capture", "page/7", "--session", "s1", "--name", "Boris", "--store", store)
        refused = await call(agent, "capture", mode="page", id="7")
        assert refused["problem"]["code"] == "busy"
        assert refused["problem"]["holder"]["holder"] == {"name": "Boris", "kind": "person", "host": os.uname().nodename}
        assert (await call(agent, "ask_holder", mode="page", id="7", message="may I?", wait_s=1))["state"] == "no_answer"
        assert [lock["id"] for lock in (await call(agent, "list"))["locks"]] == ["7"]
        kinds = [entry["kind"] for entry in (await call(agent, "history", mode="page", id="7"))["entries"]]
        assert kinds == ["waiting", "captured", "released", "captured"]
        assert (await call(agent, "capture", mode="page", id="8"))["state"] == "captured"
    with anyio.fail_after(20):  # what it held is free once it has gone
        while json.loads(run("list", "--json", "--store", store))["mutexes"][-1]["mutex"]["id"] == "8":
            await anyio.sleep(0.05)


@pytest.fixture
def office(tmp_path: Path, started: Any) -> Any:
    """A server that asks for keys, the tools before it, and a key of the kind asked for."""
    keys = str(tmp_path / "keys.json")

    def key(name: str, *args: str) -> str:
        everybody = ("--as-session", "*", "--as-user", "*")
        return run("keys", "create", name, "--keys", keys, "--right", "read,use,history,takeover", *everybody, *args)

    key("first")
    store = f"sqlite:{tmp_path / 'locks.db'}"
    server = started("serve", "--store", store, "--listen", "127.0.0.1:0", "--keys", keys)
    return key, server, started("mcp", "--store", server, "--listen", "127.0.0.1:0")


@asynccontextmanager
async def over_http(url: str, key: str, mode: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=60) as http,
        program(streamable_http_client(url, http_client=http), mode) as agent,
    ):
        yield agent


@modes
async def test_over_http(office: Any, mode: str) -> None:
    key, server, url = office
    agents, people, others = key("agents", "--as-kind", "agent"), key("people"), key("others", "--as-kind", "agent")

    def person(*args: str) -> str:
        return run(*args, "--store", server, "--session", "s1", "--name", "Boris", EDITLOCK_CREDENTIAL=people)

    async with over_http(url, agents, mode) as agent, over_http(url, others, mode) as other:
        held = await call(agent, "capture", group="docs", id="a", agent="Fixer", on_behalf_of="Anna")
        assert held["lock"]["holder"]["name"] == "Fixer"
        assert (await call(other, "refresh", hold=held["hold"]))["problem"]["code"] == "lost"
        assert (await call(other, "release", hold=held["hold"]))["released"] is False
        assert (await call(agent, "refresh", hold=held["hold"]))["state"] == "captured"

        person("takeover", "docs//a", "--reason", "I edit this")
        lost = (await call(agent, "refresh", hold=held["hold"]))["problem"]
        assert (lost["how"], lost["by"]["name"], lost["reason"]) == ("taken_over", "Boris", "I edit this")

        answers: list[dict[str, Any]] = []
        told: list[float] = []

        async def tell(progress: float, _total: float | None, _message: str | None) -> None:
            told.append(progress)

        async def ask() -> None:
            args = {"group": "docs", "id": "a", "message": "may I?", "wait_s": 30}
            answer = await agent.call_tool("ask_holder", args, progress_callback=tell)
            answers.append(answer.structured_content or {})

        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask)
                while (await call(other, "who_holds", group="docs", id="a"))["lock"].get("waiting") != 1:
                    await anyio.sleep(0.05)
                await anyio.to_thread.run_sync(lambda: person("hand-over", "docs//a"))
        assert answers[0]["state"] == "captured"
        assert told


async def test_over_http_without_a_key(office: Any) -> None:
    async with httpx2.AsyncClient() as http:
        answer = await http.post(office[2], json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
