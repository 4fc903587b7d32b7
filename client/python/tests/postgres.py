"""A PostgreSQL of one's own, on a free port and in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import free_port


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: int(p.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    assert path, f"PostgreSQL's {name} is not there; on Debian: apt-get install postgresql"
    return path


@contextmanager
def postgres() -> Iterator[str]:
    """Runs a server; its name as caller.py wants it: postgres:HOST,PORT,DATABASE,USER."""
    folder = tempfile.mkdtemp(prefix="editlock-postgres-")
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # which PostgreSQL refuses
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    port = free_port()
    data = f"{folder}/data"
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder, **as_user}
    try:
        subprocess.run([_program("initdb"), "-A", "trust", "-U", "postgres", "-D", data], check=True, **quiet)
        server = subprocess.Popen(
            [_program("postgres"), "-D", data, "-k", folder, "-h", "127.0.0.1", "-p", str(port)],
            stderr=subprocess.DEVNULL,
            **quiet,
        )
        try:
            ready = [_program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
            deadline = time.monotonic() + 30
            while subprocess.run(ready).returncode:
                assert server.poll() is None, "PostgreSQL does not start"
                assert time.monotonic() < deadline, "PostgreSQL is not ready within 30 seconds"
                time.sleep(0.05)
            yield f"postgres:127.0.0.1,{port},postgres,postgres"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
    finally:
        shutil.rmtree(folder)
