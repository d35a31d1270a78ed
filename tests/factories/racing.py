"""Two at once: acts that are released by one barrier, each in a thread and a transaction of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from portal.kernel.errors import Conflict, GatehouseError

_pool = ThreadPoolExecutor(4, thread_name_prefix="racer")


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do all at the same moment; return what each gave, a refusal as itself, in their order."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return act()
        except GatehouseError as refusal:
            return refusal

    return list(_pool.map(run, acts))


def loser(results: list[Any]) -> Conflict:
    """Return the one refusal; everybody else won, and it was a conflict."""
    (refusal,) = (each for each in results if isinstance(each, GatehouseError))
    assert isinstance(refusal, Conflict), refusal
    return refusal
