"""Comparing a report with every other in the store, and looking for traces of editing. Between transactions.

What comes of it is the lab's alone: other vendors' words are in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.delivery.queue import enqueue
from portal.evidence import reading, service
from portal.evidence.facts import EvidenceRead, LikenessFound
from portal.evidence.files import OPENABLE
from portal.evidence.models import (
    Evidence,
    EvidenceBand,
    EvidenceLikeness,
    EvidenceReading,
    EvidenceSketch,
    EvidenceTraits,
)
from portal.evidence.rules import likeness as rules
from portal.evidence.rules.anatomy import Part, Passage, parts
from portal.evidence.rules.masking import Word, mask
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.logging import logger
from portal.kernel.objects import IntegrityFailure, ObjectMissing, ObjectStore, StoredObject, verified_file
from portal.kernel.sandbox import SandboxFailure, run_limited
from portal.policy import Action
from portal.terms import ReadingState
from portal.vendors import service as vendors

log = logger(__name__)

JOB: Final = "compare_file"
MOST_CANDIDATES: Final = 40
MOST_CHARACTERS: Final = 1_000_000
MOST_PIECES: Final = 150
MOST_PASSAGE: Final = 3_000
FORGOTTEN: Final = timedelta(minutes=15)
_TOLD: Final = (ReadingState.READ, ReadingState.NO_TEXT)
LOOK: Final = "portal.evidence.tracing:look"
LOOK_SECONDS: Final = 60
NOT_LOOKED: Final = "It could not be looked at"
_NAMED_IN: Final = ("entity", "assertion_entity", "system", "auditor", "assertion_signer", "carved_out", "subservice")


@dataclass(frozen=True, slots=True)
class _Described:
    """The description of one report, ready to be compared."""

    evidence_id: UUID
    vendor_id: UUID
    passage: Passage
    words: tuple[Word, ...]
    shingles: frozenset[str]


def ask(tx: Tx, fact: EvidenceRead) -> None:
    """Have a file that was read compared and looked at soon. A reaction: the job exists if the text does."""
    if fact.state in _TOLD:
        enqueue(tx, JOB, evidence_id=fact.evidence_id)


def ask_again(tx: Tx, *, limit: int = 20) -> int:
    """Queue files that were read and never compared in today's way: from before there was one, or whose job was lost.

    Return how many were queued.
    """
    statement = (
        sa.select(EvidenceReading.evidence_id)
        .join(Evidence, Evidence.id == EvidenceReading.evidence_id)
        .outerjoin(EvidenceSketch, EvidenceSketch.evidence_id == EvidenceReading.evidence_id)
        .where(
            EvidenceReading.state.in_(_TOLD),
            EvidenceReading.read_at < tx.now - FORGOTTEN,
            Evidence.removed_at.is_(None),
            Evidence.state.in_(OPENABLE),
            sa.or_(EvidenceSketch.method.is_(None), EvidenceSketch.method != rules.METHOD),
        )
        .order_by(EvidenceReading.read_at, EvidenceReading.evidence_id)
        .limit(limit)
    )
    forgotten = tx.session.execute(statement).scalars().all()
    return sum(enqueue(tx, JOB, once=f"{JOB}:{each}", evidence_id=each) for each in forgotten)


def compare(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID) -> int:
    """Look at a file and compare it with every other vendor's reports; return how many are like it.

    Repeating it replaces what was found before. The sketch is committed before the others are asked for theirs, so of
    two reports that come at once at least one finds the other.

    :raises Unavailable: if the store or the database is away; the job is tried again.
    """
    with ledger.begin(actor) as tx:
        try:
            evidence = service.get(tx, evidence_id, Action.FLAGS_READ)
            stored = service.pinned(evidence)
        except (NotFound, Conflict):
            return 0
        described = _describe(tx, [evidence_id]).get(evidence_id)
        opinion = parts(limited(reading.page_texts(tx, evidence_id))).get(Part.OPINION)
    traits = _look(store, stored, evidence_id, opinion.starts[0][1] if opinion and opinion.starts else 0)
    with ledger.begin(actor) as tx:
        row = {"evidence_id": evidence_id, "vendor_id": evidence.vendor_id, "traits": traits, "looked_at": tx.now}
        _upsert(tx, EvidenceTraits, ["evidence_id"], [row])
        _put(tx, [evidence_id], {} if described is None else {evidence_id: described})
    if described is None:
        return 0
    with ledger.begin(actor) as tx:
        others = _describe(tx, _candidates(tx, described))
    found = {other.evidence_id: _compared(described, other) for other in others.values()}
    with ledger.begin(actor) as tx:
        return _write(tx, described, others, found)


def limited(pages: Sequence[str]) -> Sequence[str]:
    """Return as many pages as we look through; a report has far fewer."""
    kept, length = [], 0
    for page in pages:
        length += len(page)
        if length > MOST_CHARACTERS:
            break
        kept.append(page)
    return kept


def _describe(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, _Described]:
    texts = reading.text_of(tx, ids)
    found = {}
    for evidence_id in ids:
        passage = parts(limited(texts.get(evidence_id, ()))).get(Part.DESCRIPTION)
        if passage is None:
            continue
        evidence = tx.session.get_one(Evidence, evidence_id)
        words = mask(passage.text, _names(tx, evidence))
        found[evidence_id] = _Described(evidence_id, evidence.vendor_id, passage, words, rules.shingles(words))
    return found


def _names(tx: Tx, evidence: Evidence) -> Sequence[str]:
    """Return what is known by name: the vendor, and what was read or said of companies, systems and people."""
    vendor = vendors.get(tx, evidence.vendor_id, Action.FLAGS_READ)
    said = [str(evidence.details[name]) for name in _NAMED_IN if evidence.details.get(name)]
    seen = reading.reading_of(tx, evidence.id)
    read = [str(each.value) for each in seen.proposals if each.field in _NAMED_IN] if seen else []
    return list(dict.fromkeys((vendor.legal_name, vendor.name, *said, *read)))


def _look(store: ObjectStore, stored: StoredObject, evidence_id: UUID, opinion: int) -> dict[str, Any]:
    try:
        with verified_file(store, stored) as path:
            seen = run_limited(LOOK, path, timeout=LOOK_SECONDS, arguments={"opinion": opinion})
    except (SandboxFailure, IntegrityFailure, ObjectMissing) as failure:
        # A lint is not worth a second try; what it means is said beside the flags.
        log.warning("a file could not be looked at", evidence_id=str(evidence_id), reason=str(failure))
        return {"problem": NOT_LOOKED}
    return seen if isinstance(seen, dict) else {"problem": NOT_LOOKED}


def sketch(tx: Tx, ids: Sequence[UUID]) -> None:
    """Put new sketches of reports that were read in the place of those before; empty for one without a description."""
    _put(tx, ids, _describe(tx, ids))


def _put(tx: Tx, ids: Sequence[UUID], described: Mapping[UUID, _Described]) -> None:
    sketches, bands = [], []
    for evidence_id in ids:
        evidence = tx.session.get_one(Evidence, evidence_id)
        found = described.get(evidence_id)
        made = rules.sketch(found.shingles) if found else None
        whose = {"evidence_id": evidence_id, "vendor_id": evidence.vendor_id}
        sketches.append(
            {
                **whose,
                "method": rules.METHOD,
                "words": len(found.words) if found else 0,
                "shingles": len(found.shingles) if found else 0,
                "signature": list(made.signature) if made else [],
                "sketched_at": tx.now,
            }
        )
        cut: Sequence[int | None] = made.bands if made else (None,) * rules.BANDS
        bands += [{**whose, "place": place, "band": band} for place, band in enumerate(cut)]
    _upsert(tx, EvidenceSketch, ["evidence_id"], sketches)
    _upsert(tx, EvidenceBand, ["evidence_id", "place"], bands)


def _upsert(tx: Tx, model: type[Any], key: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    statement = postgresql.insert(model)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in (*key, "vendor_id")}
    tx.session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed), list(rows))


def _candidates(tx: Tx, described: _Described) -> Sequence[UUID]:
    """Return the reports of other vendors worth an exact count, the likeliest first, found by the index of bands.

    A vendor's own reports follow one another and are meant to be alike.
    """
    own = rules.sketch(described.shingles)
    if own is None:
        return []
    together = (
        sa.select(EvidenceBand.evidence_id, sa.func.count().label("bands"))
        .where(EvidenceBand.band.in_(own.bands), EvidenceBand.vendor_id != described.vendor_id)
        .group_by(EvidenceBand.evidence_id)
        .order_by(sa.desc("bands"), EvidenceBand.evidence_id)
        .limit(10 * MOST_CANDIDATES)
        .subquery()
    )
    statement = (
        sa.select(EvidenceSketch.evidence_id, EvidenceSketch.signature)
        .join(together, together.c.evidence_id == EvidenceSketch.evidence_id)
        .join(Evidence, Evidence.id == EvidenceSketch.evidence_id)
        .where(
            EvidenceSketch.method == rules.METHOD,
            sa.func.cardinality(EvidenceSketch.signature) > 0,
            Evidence.removed_at.is_(None),
            Evidence.state.in_(OPENABLE),
        )
    )
    likely = [
        (rules.estimate(own.signature, signature), evidence_id)
        for evidence_id, signature in tx.session.execute(statement)
    ]
    likely.sort(key=lambda each: (-each[0], each[1]))
    worth = (evidence_id for estimated, evidence_id in likely if estimated >= rules.CANDIDATE_PER_MILLE)
    known = tx.session.execute(
        sa.select(EvidenceLikeness.evidence_id, EvidenceLikeness.other_id).where(_of(described.evidence_id))
    )
    before = {each for pair in known for each in pair if each != described.evidence_id}
    return list(dict.fromkeys((*islice(worth, MOST_CANDIDATES), *sorted(before))))


def _of(evidence_id: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(EvidenceLikeness.evidence_id == evidence_id, EvidenceLikeness.other_id == evidence_id)


def _compared(one: _Described, other: _Described) -> tuple[int, list[dict[str, Any]]]:
    """Return the exact share and, if it is high, the passages with the words as they stand; of the lower id first."""
    share = rules.share(one.shingles, other.shingles)
    if not rules.is_like(share):
        return share, []
    first, second = sorted((one, other), key=lambda each: each.evidence_id)
    return share, [
        {**_place("a", first, each.a, each.words), **_place("b", second, each.b, each.words), "words": each.words}
        for whole in rules.common(first.words, second.words)
        for each in rules.in_pieces(whole)
    ][:MOST_PIECES]


def _place(side: str, described: _Described, at: int, words: int) -> dict[str, Any]:
    start, end = described.words[at].start, described.words[at + words - 1].end
    text = " ".join(described.passage.text[start:end].split())
    return {f"{side}_page": described.passage.page_at(start), side: text[:MOST_PASSAGE]}


def _write(
    tx: Tx,
    described: _Described,
    others: Mapping[UUID, _Described],
    found: Mapping[UUID, tuple[int, list[dict[str, Any]]]],
) -> int:
    """Write the pairs that are alike, and those that were and are not any more; return how many are."""
    known = {
        row.other_id if row.evidence_id == described.evidence_id else row.evidence_id: row
        for row in tx.session.execute(sa.select(EvidenceLikeness).where(_of(described.evidence_id))).scalars()
    }
    alike = 0
    for other_id, (share, passages) in found.items():
        alike += rules.is_like(share)
        if not rules.is_like(share) and other_id not in known:
            continue
        first, second = sorted((described, others[other_id]), key=lambda each: each.evidence_id)
        row = {
            "evidence_id": first.evidence_id,
            "vendor_id": first.vendor_id,
            "other_id": second.evidence_id,
            "other_vendor_id": second.vendor_id,
            "share": share,
            "passages": passages,
            "found_at": tx.now,
        }
        _upsert(tx, EvidenceLikeness, ["evidence_id", "other_id"], [row])
        if rules.is_like(share) and other_id not in known:
            tx.record(LikenessFound(evidence_id=first.evidence_id, other_id=second.evidence_id, share=share))
    return alike
