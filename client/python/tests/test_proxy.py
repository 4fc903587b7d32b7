"""Waits behind nginx as Debian installs it, which cuts requests off: here after a second, not after 60."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from both import Blocking
from editlock import ID, AutoRelease, Client, Mutex, Owner
from servers import Server, free_port

NGINX = """daemon off;
master_process off;
pid {dir}/pid;
error_log {dir}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
            proxy_read_timeout 1s;
        }}
    }}
}}
"""


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[str]:
    port = free_port()
    conf = tmp_path / "nginx.conf"
    conf.write_text(NGINX.format(dir=tmp_path, port=port, upstream=server.url))
    nginx = subprocess.Popen(["/usr/sbin/nginx", "-e", f"{tmp_path}/error.log", "-p", str(tmp_path), "-c", str(conf)])
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 30
    while True:
        try:
            urlopen(url + "/healthz", timeout=5).close()
            break
        except HTTPError:
            break
        except OSError:
            if nginx.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    yield url
    nginx.kill()
    nginx.wait()


@pytest.mark.parametrize("kind", [Client, Blocking])
def test_waits_that_a_proxy_cuts_off_keep_their_places(
    kind: type[Client], proxy: str, client: Client, invoice: ID, name: str, ivan: Owner
) -> None:
    def queue() -> list[str]:
        _, held = client.request(invoice, owner=ivan)
        return [waiter.owner.name for waiter in held.waiters] if held else []

    client.capture(invoice, owner=ivan)
    clients, got, threads = [], {}, []
    names = ["first", "second", "third"]

    def wait(behind: Client, owner: Owner) -> None:
        mutex: Mutex = behind.capture(invoice, owner=owner, wait=60, auto_release=AutoRelease(idle=60))
        got[owner.name] = mutex

    for number, who in enumerate(names):
        behind = kind(proxy)
        clients.append(behind)
        thread = threading.Thread(target=wait, args=(behind, Owner(session=f"{who} {name}", name=who)))
        thread.start()
        threads.append(thread)
        deadline = time.monotonic() + 10
        while len(queue()) <= number and time.monotonic() < deadline:
            time.sleep(0.01)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert queue() == names
        time.sleep(0.01)
    client.release(invoice, owner=ivan)
    for who, thread in zip(names, threads):
        thread.join(30)
        mutex = got[who]
        assert (mutex.expires_in or 0) > 30, "confirmed before it is returned"
        client.release(invoice, owner=Owner(session=f"{who} {name}", name=who))
    for each in clients:
        each.close()
