"""The examples of the README run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from servers import Server

ROOT = Path(__file__).parents[1]


def examples() -> list[str]:
    text = (ROOT / "editlock" / "README.md").read_text()
    return re.findall(r"^```python\n(.*?)^```$", text.partition("## Django")[0], re.DOTALL | re.MULTILINE)


def run(code: str, url: str) -> list[str]:
    assert "http://127.0.0.1:7117" in code
    said = subprocess.run(
        [sys.executable, "-c", code.replace("http://127.0.0.1:7117", url)],
        env={"PYTHONPATH": str(ROOT / "editlock" / "src"), "PYTHONUTF8": "1"},
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return said.stdout.splitlines()


def test_the_first_example_runs(own_server: Server) -> None:
    blocking, *_ = examples()
    said = run(blocking, own_server.url)
    assert said[0] == "refused: it is held by Ivan Ivanov"
    assert said[1].startswith("Уже редактирует Ivan Ivanov, с ")
    assert said[2:] == ["saving with token True", "in another window: True"]


def test_the_asyncio_example_runs(own_server: Server) -> None:
    _, asynchronous, *_ = examples()
    assert run(asynchronous, own_server.url) == ["done"]


def test_the_example_of_a_driver_runs(own_server: Server) -> None:
    assert run(examples()[2], own_server.url) == ["good for 60 seconds", "released: 2"]


def test_the_example_of_several_holders_runs(own_server: Server) -> None:
    assert run(examples()[3], own_server.url) == ["read by 2 now: ['desk-1', 'desk-2']", "the limit is 3"]


def test_the_example_of_parts_and_of_all_runs(own_server: Server) -> None:
    said = run(examples()[4], own_server.url)
    assert said[0] == "in the way: crm/contract/7#address"
    assert re.fullmatch(r"Ivan Ivanov has kept all of crm/contract closed since \d\d:\d\d\.", said[1])
