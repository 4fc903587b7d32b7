"""Could a bridge share m3-mutex's table with services that still use m3-mutex?

A program for m3-mutex's own environment: the real package on PostgreSQL
against the best bridge there could be, one that takes a row under a lock of
its own, in one transaction, by the database's clock. It prints, for a table as
it is, with a unique index, and with triggers that guard the bridge's rows, who
believed to hold one mutex in some schedules of two, and in races of eight.
Arguments: the database, and how many races.
"""

from __future__ import annotations

import datetime
import json
import sys
import threading
from typing import Any, Callable, Optional

from caller import set_up

UNIQUE = "CREATE UNIQUE INDEX one_row ON m3_mutex (mutex_group, mutex_mode, mutex_id)"
GUARD = """
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF OLD.auto_release_rule = 'bridge' AND current_setting('bridge.me', true) IS DISTINCT FROM 'yes' THEN
    RAISE EXCEPTION 'held by the bridge';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON m3_mutex FOR EACH ROW EXECUTE FUNCTION guard()
"""
TABLES = {"as it is": [], "unique index": [UNIQUE], "unique index and triggers": [UNIQUE, GUARD]}


def bridge(id: str, session: str, keep: bool = True) -> bool:
    """Captures a mutex, or with keep=False captures and releases it; False if it is held."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL bridge.me = 'yes'")
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [id])
        cursor.execute(
            "DELETE FROM m3_mutex WHERE mutex_id = %s AND auto_release_rule = 'timeout' AND "
            "captured_since + make_interval(secs => auto_release_config::int) < clock_timestamp()",
            [id],
        )
        cursor.execute("SELECT 1 FROM m3_mutex WHERE mutex_id = %s FOR UPDATE", [id])
        if cursor.fetchone():
            return False
        if keep:
            cursor.execute(
                "INSERT INTO m3_mutex (mutex_group, mutex_mode, mutex_id, owner_session, owner_host, owner_id, "
                "owner_login, owner_name, auto_release_rule, auto_release_config, captured_since) "
                "VALUES ('', '', %s, %s, '', '', '', '', 'bridge', '', clock_timestamp()) ON CONFLICT DO NOTHING",
                [id, session],
            )
            return bool(cursor.rowcount)
        return True


def old(id: str, session: str, between: Optional[Callable[[], None]] = None) -> str:
    """Captures a mutex by m3-mutex; ``between`` happens when it has read the row and not acted yet."""
    from m3_mutex.backends import ModelMutexBackend
    from m3_mutex.domain import MutexID, MutexOwner
    from m3_mutex.exceptions import MutexBusy

    class Paused(ModelMutexBackend):
        def _read_mutex(self, mutex_id: Any) -> Any:
            found = super()._read_mutex(mutex_id)
            if between is not None:
                between()
            return found

    try:
        Paused().capture_mutex(MutexID(id=id), MutexOwner(session))
        return "held"
    except MutexBusy:
        return "busy"
    except Exception as err:
        return f"failed: {type(err).__name__}"


def leave_expired(id: str, session: str) -> None:
    """A row whose owner is gone, ten minutes old."""
    from m3_mutex.models import MutexModel

    long_ago = datetime.datetime.now() - datetime.timedelta(minutes=10)
    MutexModel.objects.create(
        mutex_id=id,
        owner_session=session,
        auto_release_rule="timeout",
        auto_release_config="300",
        captured_since=long_ago,
    )


def schedule(steps: str) -> dict[str, Any]:
    """One schedule of an old service and the bridge; both holding is a double hold."""
    taken: list[bool] = []
    if steps == "free":  # the bridge captures what the old service has found free
        said = old(steps, "old", lambda: taken.append(bridge(steps, "new")))
    elif steps == "expired":  # … and what it has found expired
        leave_expired(steps, "gone")
        said = old(steps, "old", lambda: taken.append(bridge(steps, "new")))
    else:  # the old service refreshes its own, late; in between it expires, and is captured and released

        def late() -> None:
            from m3_mutex.models import MutexModel

            row = MutexModel.objects.filter(mutex_id=steps)
            row.update(captured_since=datetime.datetime.now() - datetime.timedelta(minutes=10))
            bridge(steps, "new", keep=False)

        old(steps, "old")
        said = old(steps, "old", late)
        taken.append(bridge(steps, "newer"))
    return {"old": said, "bridge": "held" if taken[0] else "busy", "double": said == "held" and taken[0]}


def race(rounds: int, expired: bool) -> int:
    """Of so many rounds, those in which an old service and the bridge both believed to hold."""
    callers = 4
    start = threading.Barrier(2 * callers)
    held: list[set[str]] = [set() for _ in range(rounds)]

    def compete(n: int) -> None:
        from django.db import connections

        for round in range(rounds):
            id = f"race {expired} {round}"
            if n == 0 and expired:
                leave_expired(id, "gone")
            start.wait()
            if n % 2:
                if bridge(id, f"new {n}"):
                    held[round].add("new")
            elif old(id, f"old {n}") == "held":
                held[round].add("old")
        connections.close_all()

    threads = [threading.Thread(target=compete, args=(n,)) for n in range(2 * callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(len(kinds) == 2 for kinds in held)


def main() -> None:
    set_up(sys.argv[1])
    rounds = int(sys.argv[2])
    from django.db import connection

    found = {}
    for table, changes in TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE m3_mutex")
            for change in changes[-1:]:
                cursor.execute(change)
        found[table] = {
            **{name: schedule(name) for name in ("free", "expired", "late refresh")},
            "double in races for a free mutex": race(rounds, False),
            "double in races for an expired one": race(rounds, True),
        }
        connection.cursor().execute("DROP TRIGGER IF EXISTS guard ON m3_mutex")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
