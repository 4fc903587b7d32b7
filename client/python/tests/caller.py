"""Calls whichever m3_mutex is installed: m3-mutex itself or the drop-in.

A process of its own, since both have the same name. It reads one JSON call
per line and answers each with a line. Arguments: the database (sqlite:PATH or
postgres:DSN of psycopg2) and nothing else; EDITLOCK_URL names the server.
"""

from __future__ import annotations

import datetime
import inspect
import json
import os
import pkgutil
import sys
import threading
import time
from typing import Any


def set_up(database: str) -> None:
    import django
    from django.conf import settings

    kind, _, where = database.partition(":")
    if kind == "sqlite":
        db = {"ENGINE": "django.db.backends.sqlite3", "NAME": where, "OPTIONS": {"timeout": 60}}
    else:
        host, port, name, user = where.split(",")
        db = {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": user, "HOST": host, "PORT": port}
    settings.configure(
        DATABASES={"default": {**db, "CONN_MAX_AGE": None}},
        INSTALLED_APPS=["m3_mutex"],
        TIME_ZONE="UTC",
        USE_TZ=False,  # with time zones m3-mutex fails at every second call
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="for tests",
        EDITLOCK_URL=os.environ.get("EDITLOCK_URL", ""),
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    if kind == "sqlite":
        from django.db import connection

        connection.cursor().execute("PRAGMA journal_mode=WAL")


def owner(given: Any) -> Any:
    from m3_mutex.domain import MutexOwner, SystemOwner

    return None if given is None else SystemOwner() if given == "system" else MutexOwner(**given)


class Dumping:
    """Status data that says itself how it is stored."""

    def __init__(self, text: str) -> None:
        self.text = text

    def dump(self) -> str:
        return f"dumped {self.text}"


def rule(given: Any) -> Any:
    from m3_mutex.domain import MutexAutoReleaseRule, TimeoutAutoRelease

    class Other(MutexAutoReleaseRule):
        def dump(self) -> tuple[str, str]:
            return "other", "x"

    return None if given is None else Other() if given == "other" else TimeoutAutoRelease(given)


def shown(mutex: Any) -> Any:
    if mutex is None:
        return None
    age = (datetime.datetime.now() - mutex.captured_since).total_seconds()
    kind = type(mutex.auto_release).__name__ if mutex.auto_release else None
    return {
        "id": vars(mutex.id),
        "owner": vars(mutex.owner),
        "status_data": mutex.status_data,
        "auto_release": [kind, getattr(mutex.auto_release, "timeout", None)],
        "age": age,
    }


def call(given: dict[str, Any]) -> Any:
    from m3_mutex import api
    from m3_mutex.domain import MutexID, MutexQuery

    do = given["do"]
    kwargs: dict[str, Any] = {}
    if "owner" in given:
        kwargs["owner"] = owner(given["owner"])
    if do == "capture":
        if "rule" in given:
            kwargs["auto_release"] = rule(given["rule"])
        if "status" in given:
            status = given["status"]
            kwargs["status_data"] = Dumping(status["dump"]) if isinstance(status, dict) else status
        return shown(api.capture_mutex(MutexID(**given["id"]), **kwargs))
    if do == "request":
        state, mutex = api.request_mutex(MutexID(**given["id"]), **kwargs)
        return {"state": state, "mutex": shown(mutex)}
    if do == "release":
        return api.release_mutex(MutexID(**given["id"]), **kwargs)
    if do == "list":
        return [shown(mutex) for mutex in api.get_mutex_list(MutexQuery(**given["query"]))]
    if do == "surface":
        return surface()
    if do == "race":
        return race(**given["with"])
    return pairs(**given["with"])


def race(callers: int, rounds: int, name: str) -> dict[str, int]:
    """Lets so many owners capture one free mutex at once, again and again."""
    from m3_mutex import api
    from m3_mutex.domain import MutexID, MutexOwner
    from m3_mutex.exceptions import MutexBusy

    counts = {"won": 0, "busy": 0, "failed": 0, "double": 0}
    lock, start, done = threading.Lock(), threading.Barrier(callers), threading.Barrier(callers)
    winners = [0] * rounds

    def compete(me: MutexOwner) -> None:
        for n in range(rounds):
            start.wait()
            try:
                api.capture_mutex(MutexID("race", name, str(n)), me)
                result = "won"
            except MutexBusy:
                result = "busy"
            except Exception:
                result = "failed"
            with lock:
                counts[result] += 1
                winners[n] += result == "won"
            done.wait()
        close()

    threads = [threading.Thread(target=compete, args=(MutexOwner(f"racer {i}"),)) for i in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts["double"] = sum(won > 1 for won in winners)
    return counts


def pairs(threads: int, seconds: float, name: str) -> float:
    """Pairs of capture and release per second, each thread on a mutex of its own."""
    from m3_mutex import api
    from m3_mutex.domain import MutexID, MutexOwner

    counts = [0] * threads
    start = threading.Barrier(threads)
    ends = [0.0] * threads

    def work(n: int) -> None:
        mutex, me = MutexID("speed", name, str(n)), MutexOwner(f"worker {n}")
        api.capture_mutex(mutex, me)
        api.release_mutex(mutex, me)
        start.wait()
        begin = time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            api.capture_mutex(mutex, me)
            api.release_mutex(mutex, me)
            counts[n] += 1
        ends[n] = now - begin
        close()

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(count / end for count, end in zip(counts, ends))


def close() -> None:
    from django.db import connections

    connections.close_all()


def surface() -> dict[str, Any]:
    """Public names and signatures, by module. What is another package's is left out."""
    import importlib

    import m3_mutex

    found: dict[str, Any] = {}
    skipped = ("south_migrations", "migrations", "management", "doc")
    for module in pkgutil.walk_packages(m3_mutex.__path__, "m3_mutex."):
        if module.name == "m3_mutex.version" or any(
            part in skipped or part.startswith("_") for part in module.name.split(".")
        ):
            continue
        names = {}
        for name, value in vars(importlib.import_module(module.name)).items():
            home = getattr(value, "__module__", "m3_mutex")
            if not name.startswith("_") and not inspect.ismodule(value) and str(home).startswith("m3_mutex"):
                own = home if inspect.isclass(value) or inspect.isfunction(value) else module.name
                names[name] = {"home": own, **described(value)}
        found[module.name] = names
    return found


def described(value: Any) -> dict[str, Any]:
    if inspect.isclass(value):
        members = {}
        for cls in reversed(value.__mro__):
            if not cls.__module__.startswith("m3_mutex"):
                continue
            for name in vars(cls):
                if name == "__init__" or not name.startswith("_"):
                    members[name] = described(inspect.getattr_static(value, name))
        if "Model" in [base.__name__ for base in value.__mro__]:
            meta: Any = getattr(value, "_meta")  # noqa: B009 - Django's name for it
            return {
                "table": meta.db_table,
                "fields": sorted(f"{f.name} {f.deconstruct()[1:]}" for f in meta.get_fields()),
            }
        bases = [base.__name__ for base in value.__mro__ if base.__module__.startswith("m3_mutex")]
        return {"bases": bases, "members": members, "error": issubclass(value, Exception)}
    if isinstance(value, staticmethod):
        return {"static": described(value.__func__)}
    if callable(value):
        parameters = inspect.signature(value).parameters.values()
        return {"signature": [[p.name, str(p.kind), default(p.default)] for p in parameters]}
    return {"value": repr(value)}


def default(value: Any) -> Any:
    if value is inspect.Parameter.empty:
        return "required"
    fields = getattr(value, "__dict__", None)
    return [type(value).__name__, repr(value) if fields is None else sorted(map(repr, fields.items()))]


def main() -> None:
    set_up(sys.argv[1])
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            answer = {"ok": call(json.loads(line))}
        except Exception as err:
            answer = {"error": type(err).__name__, "text": str(err)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
