"""python -m bench: the product and its references side by side. Ratios to F, a bare Flask route, are what to trust."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import queue
from bench.product import Product, prepare
from bench.servers import Reading, Request, Server, drive, serving

GOALS = {"gate": ("B1", 2.5), "section": ("B5", 7.0), "autosave": ("B5", 9.0)}


def main() -> int:
    """Measure and print; the exit code says only whether everything could be measured."""
    asked = argparse.ArgumentParser(prog="python -m bench")
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--requests", type=int, default=400, help="a round, of the cheap ones; a quarter of the others")
    asked.add_argument("--queue", type=int, default=0, metavar="ROWS", help="only B7, the queue at so many assessments")
    given = asked.parse_args()
    if given.queue:
        with tempfile.TemporaryDirectory(prefix="gh-bench-") as folder, prepare(Path(folder)) as product:
            queue.measure(product, given.queue, rounds=given.rounds)
        return 0
    with tempfile.TemporaryDirectory(prefix="gh-bench-") as folder, ExitStack() as stack:
        product = stack.enter_context(prepare(Path(folder)))
        bare = stack.enter_context(serving("bench.references:bare", {}))
        flask = stack.enter_context(serving("bench.references:flask_json", {}))
        ours = stack.enter_context(serving("app:app", product.environment, also=(product.database_pid,)))
        readings = _rounds(given.rounds, given.requests, bare, flask, ours, product)
        inside = list(product.in_process())
    unit = statistics.median(each.cpu for each in readings["flask"])
    _say(f"{'what':34}{'CPU ms':>9}{'x F':>8}{'goal':>9}{'req/s':>9}{'p99 ms':>9}")
    for name, rows in readings.items():
        cpu = statistics.median(each.cpu for each in rows)
        goal = f"{GOALS[name][0]} {GOALS[name][1]:g} F" if name in GOALS else ""
        rate = statistics.median(each.rate for each in rows)
        p99 = statistics.median(each.p99 for each in rows)
        _say(f"{product.words.get(name, name):34}{cpu:>9.2f}{cpu / unit:>8.1f}{goal:>9}{rate:>9.0f}{p99:>9.1f}")
    _say("")
    for words, goal, seconds in inside:
        _say(f"{words:52}{seconds * 1000:>9.2f} ms   {goal}")
    return 0


def _rounds(
    rounds: int, count: int, bare: Server, flask: Server, ours: Server, product: Product
) -> dict[str, list[Reading]]:
    jobs: dict[str, Callable[[], Reading]] = {
        "bare": lambda: drive(bare, Request("GET", "/"), count=count),
        "flask": lambda: drive(flask, Request("GET", "/"), count=count),
        "gate": lambda: drive(ours, product.gate, count=count),
        "section": lambda: drive(ours, product.section, count=count // 4),
        "autosave": lambda: drive(ours, product.autosave(), count=count // 4, connections=1),
    }
    for name in ("bare", "flask", "gate", "section"):
        jobs[name]()
    readings: dict[str, list[Reading]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            readings[name].append(job())
            time.sleep(0.2)
    return readings


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
