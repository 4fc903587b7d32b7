"""m3-mutex and the drop-in, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Optional

HERE = Path(__file__).parent


class Caller:
    """A process that calls m3_mutex (see caller.py)."""

    def __init__(self, python: str, database: str, paths: tuple[Path, ...], url: str) -> None:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "EDITLOCK_URL": url}
        self._process = subprocess.Popen(
            [python, "-W", "ignore", str(HERE / "caller.py"), database],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            text=True,
        )
        assert self._answer() == {"ready": True}

    @classmethod
    def of_original(cls, database: str) -> Caller:
        """m3-mutex as published, in the environment that EDITLOCK_TEST_ORIGINAL names."""
        return cls(os.environ["EDITLOCK_TEST_ORIGINAL"], database, (), "")

    @classmethod
    def of_drop_in(cls, database: str, url: str) -> Caller:
        root = HERE.parent
        return cls(sys.executable, database, (root / "editlock" / "src", root / "m3_mutex" / "src"), url)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the caller ended; its errors are above"
        return json.loads(line)

    def send(self, do: str, **given: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self._process.stdin.flush()

    def receive(self) -> Any:
        return self._answer()

    def call(self, do: str, **given: Any) -> Any:
        """The answer to a call, as {"ok": …} or {"error": type, "text": …}."""
        self.send(do, **given)
        return self.receive()

    def __enter__(self) -> Caller:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], err: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
