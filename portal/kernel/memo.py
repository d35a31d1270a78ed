"""The last few results of a pure function, by a name of all that they depend on; safe among threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Keeps what was computed last. Two who ask at once may both compute it; both get the same."""

    def __init__(self, most: int) -> None:
        """Keep so many results."""
        self._most = most
        self._known: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, name: Hashable, compute: Callable[[], T]) -> T:
        """Return what is known under the name, or compute it now."""
        with self._lock:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        made = compute()
        with self._lock:
            self._known[name] = made
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return made
