"""How alike two system descriptions are when their names are masked: shingles, sketches, common passages. Pure.

A sketch is a MinHash signature: the share of equal places of two signatures estimates the share of common shingles
(Broder 1997). Signatures are cut into bands; two texts that agree in one whole band are candidates, and only of these
the exact share is counted. Sharing much is a question to put to the vendors, never an answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from rensa import RMinHash

from portal.evidence.rules.masking import Word

SHINGLE: Final = 5
PLACES: Final = 128
ROWS: Final = 3
BANDS: Final = PLACES // ROWS
SEED: Final = 20_261_124
METHOD: Final = f"minhash-{RMinHash.ALGORITHM_VERSION}-{PLACES}x{ROWS}-words{SHINGLE}-mask1"
"""Sketches of different methods are never compared; a change of the masking must change the last word."""

MIN_SHINGLES: Final = 80
"""Shorter descriptions say too little to be told apart."""

LIKE_PER_MILLE: Final = 600
"""From which share of common shingles on two descriptions are called alike.

Measured on 300 generated reports: of all 44,850 pairs none shares more than 40 %, of copies with other names each
shares at least 98 %.
"""

CANDIDATE_PER_MILLE: Final = 250
"""The estimate from which on the exact share is worth counting; below the line by three deviations of the sketch."""

SEED_WORDS: Final = 8
LEAST_WORDS: Final = 12
MOST_PASSAGES: Final = 40
MOST_WORDS: Final = 120


@dataclass(frozen=True, slots=True)
class Sketch:
    """A text in 128 numbers. ``shingles`` counts what they stand for."""

    shingles: int
    signature: tuple[int, ...]

    @property
    def bands(self) -> tuple[int, ...]:
        """The bands as signed 64-bit numbers, each of which says which band it is."""
        return tuple(
            _band(number, self.signature[at : at + ROWS]) for number, at in enumerate(range(0, BANDS * ROWS, ROWS))
        )


@dataclass(frozen=True, slots=True)
class Common:
    """A passage that two texts have in common, as places of their words: ``a`` to ``a + words``."""

    a: int
    b: int
    words: int


def shingles(words: Sequence[Word]) -> frozenset[str]:
    """Return the set of every five words in a row."""
    said = [word.masked for word in words]
    return frozenset(" ".join(said[at : at + SHINGLE]) for at in range(len(said) - SHINGLE + 1))


def sketch(pieces: frozenset[str]) -> Sketch | None:
    """Return the sketch of a set of shingles; None if there are too few."""
    if len(pieces) < MIN_SHINGLES:
        return None
    minhash = RMinHash(num_perm=PLACES, seed=SEED)
    minhash.update(sorted(pieces))
    return Sketch(len(pieces), tuple(minhash.digest()))


def estimate(one: Sequence[int], other: Sequence[int]) -> int:
    """Return the estimated share of common shingles in all, per mille."""
    return sum(a == b for a, b in zip(one, other, strict=True)) * 1000 // len(one)


def share(one: frozenset[str], other: frozenset[str]) -> int:
    """Return how much of the shorter text stands in the other, per mille: padding a copy does not hide it."""
    least = min(len(one), len(other))
    return len(one & other) * 1000 // least if least else 0


def is_like(per_mille: int) -> bool:
    """Return whether this share is worth a reviewer's look."""
    return per_mille >= LIKE_PER_MILLE


def common(one: Sequence[Word], other: Sequence[Word]) -> tuple[Common, ...]:
    """Return the longest passages that two texts have in common, without overlap, in the order of the first."""
    a, b = [word.masked for word in one], [word.masked for word in other]
    places: dict[tuple[str, ...], list[int]] = {}
    for at in range(len(a) - SEED_WORDS + 1):
        places.setdefault(tuple(a[at : at + SEED_WORDS]), []).append(at)
    found: list[Common] = []
    at = 0
    while at <= len(b) - SEED_WORDS:
        best = Common(0, at, 0)
        for start in places.get(tuple(b[at : at + SEED_WORDS]), ())[:20]:
            length = SEED_WORDS
            while start + length < len(a) and at + length < len(b) and a[start + length] == b[at + length]:
                length += 1
            if length > best.words:
                best = Common(start, at, length)
        if best.words >= LEAST_WORDS:
            found.append(best)
        at += max(1, best.words)
    taken: list[Common] = []
    for each in sorted(found, key=lambda c: (-c.words, c.a, c.b)):
        if all(each.a + each.words <= other_.a or other_.a + other_.words <= each.a for other_ in taken):
            taken.append(each)
        if len(taken) == MOST_PASSAGES:
            break
    return tuple(sorted(taken, key=lambda c: c.a))


def in_pieces(found: Common, most: int = MOST_WORDS) -> tuple[Common, ...]:
    """Return a long passage as several that can be read side by side."""
    return tuple(Common(found.a + at, found.b + at, min(most, found.words - at)) for at in range(0, found.words, most))


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a passage, and whether the other has them in the same place."""

    text: str
    common: bool


def matched(one: str, other: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return two passages in pieces: what both have, and what tells them apart (names, places, numbers)."""
    a, b = one.split(), other.split()
    blocks = SequenceMatcher(None, [w.casefold() for w in a], [w.casefold() for w in b], autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, a0, a1, b0, b1 in blocks.get_opcodes():
        for pieces, words in ((left, a[a0:a1]), (right, b[b0:b1])):
            if words:
                pieces.append(Piece(" ".join(words), kind == "equal"))
    return tuple(left), tuple(right)


def _band(number: int, values: Sequence[int]) -> int:
    said = b"".join(value.to_bytes(8, "big") for value in (number, *values))
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big", signed=True)
