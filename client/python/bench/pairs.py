"""Pairs of capture and release per second: the drop-in on an editlock server
beside m3-mutex on SQLite and PostgreSQL, with 1 and 8 threads, and how many
believe to have won a race of 8.

    scripts/python.sh bench [--url http://HOST:PORT] [--seconds 5]

Without --url it starts a server of its own, on SQLite. The runs take turns,
three of each, and the median counts. Each thread has a mutex of its own.
At the end, what tests/bridging.py finds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("tests", "editlock/src")]

from original import Caller  # noqa: E402
from postgres import postgres  # noqa: E402
from servers import Server  # noqa: E402

RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="Pairs of capture and release per second.")
    parser.add_argument("--url", help="a running editlock server")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each of the runs")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = args.url
        if url is None:
            server = Server(folder)
            stack.callback(server.stop)
            url = server.url
        database = stack.enter_context(postgres())
        callers = {
            "m3-mutex, SQLite": stack.enter_context(Caller.of_original(f"sqlite:{folder / 'original.db'}")),
            "m3-mutex, PostgreSQL": stack.enter_context(Caller.of_original(database)),
            "drop-in, editlock": stack.enter_context(Caller.of_drop_in(f"sqlite:{folder / 'drop-in.db'}", url)),
        }
        report(callers, args.seconds)
        print("rounds of 100 in which m3-mutex and a bridge to its table both held one mutex:", flush=True)
        bridging = Path(__file__).parents[1] / "tests" / "bridging.py"
        subprocess.run([os.environ["EDITLOCK_TEST_ORIGINAL"], "-W", "ignore", bridging, database, "100"], check=True)


def report(callers: dict[str, Caller], seconds: float) -> None:
    figures: dict[tuple[str, int], list[float]] = {}
    for run in range(RUNS):
        for threads in (1, 8):
            for name, caller in callers.items():
                given = {"threads": threads, "seconds": seconds, "name": f"run {run}"}
                answer = caller.call("pairs", **{"with": given})
                if "error" in answer:
                    raise SystemExit(f"{name}: {answer['text']}")
                figures.setdefault((name, threads), []).append(answer["ok"])
    median = {key: statistics.median(values) for key, values in figures.items()}
    print(f"{'pairs per second':22} {'1 thread':>10} {'8 threads':>10}")
    for name in callers:
        print(f"{name:22} {median[name, 1]:10.0f} {median[name, 8]:10.0f}")
    ours = list(callers)[-1]
    for name in list(callers)[:-1]:
        ratios = [median[ours, threads] / median[name, threads] for threads in (1, 8)]
        print(f"{'drop-in to ' + name:32} {ratios[0]:.1f} times {ratios[1]:.1f} times")
    for name, caller in callers.items():
        counts = caller.call("race", **{"with": {"callers": 8, "rounds": 50, "name": "bench"}})["ok"]
        print(f"{name}: {counts['won']} winners of 50 races of 8, {counts['failed']} calls failed")


if __name__ == "__main__":
    main()
