"""Why there is no bridge to m3-mutex's table: docs/m3-mutex.md argues with this."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from postgres import postgres


@pytest.fixture(scope="module")
def tables() -> Any:
    with postgres() as database:
        said = subprocess.run(
            [
                os.environ["EDITLOCK_TEST_ORIGINAL"],
                "-W",
                "ignore",
                str(Path(__file__).parent / "bridging.py"),
                database,
                "1",
            ],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return json.loads(said.stdout)


@pytest.mark.parametrize(
    ("table", "schedules"),
    [
        ("as it is", {"free": True, "expired": True, "late refresh": True}),
        ("unique index", {"free": False, "expired": True, "late refresh": True}),
        ("unique index and triggers", {"free": False, "expired": False, "late refresh": True}),
    ],
)
def test_no_table_keeps_m3_mutex_from_holding_twice(tables: Any, table: str, schedules: dict[str, bool]) -> None:
    assert {name: tables[table][name]["double"] for name in schedules} == schedules


def test_what_guards_the_table_makes_m3_mutex_fail_instead_of_refuse(tables: Any) -> None:
    assert tables["unique index"]["free"]["old"] == "failed: IntegrityError"
    assert tables["unique index and triggers"]["expired"]["old"].startswith("failed: ")
