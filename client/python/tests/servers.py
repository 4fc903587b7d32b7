"""Real servers for tests: the binary in EDITLOCK_BIN, each on a port of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Optional
from urllib.error import URLError
from urllib.request import urlopen

# Systems give ports from 32768 on (Linux) to outgoing connections, and so might take one
# that a server is about to listen on. Go's tests reserve theirs alike.
FIRST_PORT, END_PORT = 10_000, 32_000

_reserved: list[socket.socket] = []


def free_port() -> int:
    """A loopback port that no server listens on, and that no other test is given while this process runs."""
    for _ in range(100):
        port = FIRST_PORT + 2 * random.randrange((END_PORT - FIRST_PORT) // 2)
        mark, probe = socket.socket(), socket.socket()
        try:
            mark.bind(("127.0.0.1", port + 1))  # the next one is nobody's
            mark.listen()
            probe.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        finally:
            probe.close()
        _reserved.append(mark)
        return port
    raise RuntimeError(f"no free port from {FIRST_PORT} to {END_PORT}")


class Server:
    """An editlock server as a process, on a database in a folder. ``tls`` trusts the certificate in its flags."""

    def __init__(self, folder: Path, *flags: str, tls: Optional[ssl.SSLContext] = None, store: str = "") -> None:
        self._flags = flags
        self._tls = tls
        self.port = free_port()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._store = store or f"sqlite:{folder / 'locks.db'}"
        self._log = folder / "server.log"
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(os.environ["EDITLOCK_BIN"], "serve", "--listen", f"127.0.0.1:{self.port}"),
                    *("--store", self._store, *self._flags),
                ],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                with urlopen(self.url + "/readyz", timeout=5, context=self._tls):
                    return
            except (URLError, OSError):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server does not start: {self._log.read_text()}") from None
                time.sleep(0.05)

    def pause(self) -> None:
        """Makes it hang: it accepts connections and says nothing."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)  # a busy machine is late

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self.go_on()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
