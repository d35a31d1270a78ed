"""What moved between two orders of the same keys, and how to put things in their new places."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence


def moved_in(old: Sequence[str], new: Sequence[str]) -> frozenset[str]:
    """Return the fewest keys, among those in both, whose moving explains the new order."""
    where = {key: index for index, key in enumerate(old)}
    common = [key for key in new if key in where]
    return frozenset(common) - frozenset(_longest_rising([(where[key], key) for key in common]))


def arranged(stayed: Sequence[str], placed: Mapping[str, str | None]) -> list[str]:
    """Return the keys, with the placed ones put after the key they name (at the head, if it is nothing).

    The placed ones come in their new order, so that each finds the one before it already in place.
    """
    order = [key for key in stayed if key not in placed]
    for key, after in placed.items():
        order.insert(0 if after is None else order.index(after) + 1, key)
    return order


def _longest_rising(items: Sequence[tuple[int, str]]) -> list[str]:
    """Return the keys of a longest run, gaps allowed, whose numbers rise."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for index, (number, _) in enumerate(items):
        place = bisect_left(tails, number)
        before.append(last[place - 1] if place else -1)
        if place == len(tails):
            tails.append(number)
            last.append(index)
        else:
            tails[place], last[place] = number, index
    run: list[str] = []
    index = last[-1] if last else -1
    while index >= 0:
        run.append(items[index][1])
        index = before[index]
    return run[::-1]
