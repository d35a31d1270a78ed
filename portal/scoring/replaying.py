"""Stored scores computed again from their stored inputs: equal to the byte, or where not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from portal.kernel.actor import Actor
from portal.kernel.ledger import Ledger
from portal.scoring import queries, rules
from portal.scoring.models import ScoreSnapshot

BATCH: Final = 100
"""How many scores one transaction reads: their inputs are the largest texts that are stored."""
MOST_PLACES: Final = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Where two results differ: a path such as ``measures.score``, and what stands there in each."""

    path: str
    stored: str
    anew: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of computing a stored score again. Without a place it is the same, byte for byte."""

    snapshot_id: UUID
    vendor_id: UUID
    size: int
    digest: str
    places: tuple[Place, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the stored inputs give the stored result, and the columns say what it says."""
        return not self.places


def replay(row: ScoreSnapshot) -> Replayed:
    """Return what comes of computing a stored score again, with every place where it differs."""
    stored = row.result.encode()
    places: list[Place] = []
    digest = rules.digest(stored)
    try:
        given = rules.read_inputs(row.inputs.encode())
    except rules.Unreadable as reason:
        return Replayed(row.id, row.vendor_id, len(stored), digest, (Place("inputs", "", str(reason)),))
    result = rules.score(given)
    anew = rules.canonical(result)
    if anew != stored:
        places += _differing(stored, anew)
    score = result.measures.score
    beside = (
        ("inputs_digest", row.inputs_digest, rules.digest(row.inputs.encode())),
        ("result_digest", row.result_digest, rules.digest(anew)),
        ("policy_digest", row.policy_digest, rules.digest(given.policy)),
        ("score_floor", str(row.score_floor), str(score.numerator // score.denominator)),
        ("recommendation", row.recommendation.value, result.recommendation.value),
    )
    places += [Place(name, kept, made) for name, kept, made in beside if kept != made]
    return Replayed(row.id, row.vendor_id, len(stored), digest, tuple(places))


def replay_all(
    ledger: Ledger, actor: Actor, *, assessment_id: UUID | None = None, batch: int = BATCH
) -> Iterator[Replayed]:
    """Replay every stored score, or those of one assessment, by id; a batch is in memory at once."""
    after: UUID | None = None
    while True:
        with ledger.begin(actor) as tx:
            rows = queries.every(tx, after=after, assessment_id=assessment_id, limit=batch)
            found = [replay(row) for row in rows]
            tx.session.expunge_all()
        yield from found
        if len(rows) < batch:
            return
        after = found[-1].snapshot_id


def _differing(stored: bytes, anew: bytes) -> list[Place]:
    try:
        plain = json.loads(stored)
    except ValueError:
        return [Place("result", "not JSON", "JSON")]
    found = list(_walk("", plain, json.loads(anew)))
    return found[:MOST_PLACES] or [Place("result", "written in another form", "canonical JSON")]


def _walk(path: str, stored: Any, anew: Any) -> Iterator[Place]:
    if isinstance(stored, dict) and isinstance(anew, dict):
        for key in sorted(stored.keys() | anew.keys()):
            yield from _walk(f"{path}.{key}" if path else key, stored.get(key), anew.get(key))
    elif isinstance(stored, list) and isinstance(anew, list) and len(stored) == len(anew):
        for number, (one, other) in enumerate(zip(stored, anew, strict=True)):
            yield from _walk(f"{path}[{number}]", one, other)
    elif stored != anew or type(stored) is not type(anew):
        yield Place(path or "result", _short(stored), _short(anew))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:117]}…"
