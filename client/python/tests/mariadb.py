"""A MariaDB of one's own, on a free port and in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import free_port


def _program(name: str) -> str:
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert path, f"MariaDB's {name} is not there; on Debian: apt-get install mariadb-server"
    return path


@contextmanager
def mariadb() -> Iterator[int]:
    """Runs a server, whose user root has no password; its port."""
    folder = tempfile.mkdtemp(prefix="editlock-mariadb-")
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:  # which MariaDB refuses
        user = pwd.getpwnam("mysql")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **as_user}
    port, data = free_port(), f"--datadir={folder}/data"
    normal = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    try:
        subprocess.run([_program("mariadb-install-db"), "--no-defaults", data, *normal], check=True, **quiet)
        server = subprocess.Popen(
            [
                *(_program("mariadbd"), "--no-defaults", data, "--bind-address=127.0.0.1", f"--port={port}"),
                *(f"--socket={folder}/socket", f"--pid-file={folder}/pid", f"--tmpdir={folder}", "--skip-name-resolve"),
            ],
            **quiet,
        )
        try:
            deadline = time.monotonic() + 60
            while not Path(f"{folder}/pid").exists():
                assert server.poll() is None, "MariaDB does not start"
                assert time.monotonic() < deadline, "MariaDB is not ready within 60 seconds"
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()
            server.wait(30)
    finally:
        shutil.rmtree(folder)
