"""What a reviewer should look at twice in a file, computed when it is asked for, and the passages two reports share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.evidence import firms, likeness, reading, service
from portal.evidence.models import (
    Evidence,
    EvidenceLikeness,
    EvidenceSketch,
    EvidenceTraits,
    ReportCarveOut,
)
from portal.evidence.rules import KEPT, as_day
from portal.evidence.rules.flags import Flag, ReportFacts, Resemblance, Seen, flags
from portal.evidence.rules.likeness import LIKE_PER_MILLE, Piece, matched
from portal.evidence.rules.traits import Traits, traits_of
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.terms import CarveMethod, ReadingState, Service
from portal.vendors import queries as vendor_queries
from portal.vendors import service as vendors

FLAGGED = frozenset({"SOC2", "BL"})
"""The kinds whose words are looked at; any PDF is looked at for traces of editing."""

MOST_REPORTS = 50


@dataclass(frozen=True, slots=True)
class Alike:
    """Another vendor's report that shares much with this one."""

    evidence_id: UUID
    vendor_name: str
    file_name: str
    per_mille: int


@dataclass(frozen=True, slots=True)
class Found:
    """The flags of a file. ``left_out`` says in sentences what could not be looked at, so that silence is no praise."""

    flags: tuple[Flag, ...]
    alike: tuple[Alike, ...]
    left_out: tuple[str, ...]
    traits: Traits | None


@dataclass(frozen=True, slots=True)
class PairedPassage:
    """A passage that stands in two reports, as each of them has it."""

    page: int
    pieces: tuple[Piece, ...]
    other_page: int
    other_pieces: tuple[Piece, ...]
    words: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two reports side by side."""

    file_name: str
    vendor_name: str
    other_id: UUID
    other_file_name: str
    other_vendor_name: str
    per_mille: int
    passages: tuple[PairedPassage, ...]


def flags_of(tx: Tx, evidence_id: UUID) -> Found:
    """Return what a reviewer should look at twice in a file. Nothing is decided by it.

    :raises NotFound: as ``service.get``.
    :raises Forbidden: if the actor may not see what the lab thinks of reports.
    """
    evidence = service.get(tx, evidence_id, Action.FLAGS_READ)
    seen = reading.reading_of(tx, evidence_id)
    traits = tx.session.get(EvidenceTraits, evidence_id)
    sketch = tx.session.get(EvidenceSketch, evidence_id)
    alike = _alike(tx, evidence)
    looked = traits_of(traits.traits) if traits is not None else None
    facts = _facts(tx, evidence, seen, looked, alike)
    return Found(flags(facts), alike, _left_out(evidence, seen, looked, sketch), looked)


def pair(tx: Tx, evidence_id: UUID, other_id: UUID) -> Pair:
    """Return two reports that are alike, side by side.

    :raises NotFound: if there is no such pair, or one of them is not there any more.
    :raises Forbidden: as ``flags_of``.
    """
    one = service.get(tx, evidence_id, Action.FLAGS_READ)
    other = service.get(tx, other_id, Action.FLAGS_READ)
    first, second = sorted((evidence_id, other_id))
    row = tx.session.get(EvidenceLikeness, (first, second))
    if row is None or row.share < LIKE_PER_MILLE:
        raise NotFound
    here, there = ("a", "b") if evidence_id == first else ("b", "a")
    names = vendor_queries.names_of(tx, [one.vendor_id, other.vendor_id])
    return Pair(
        one.file_name,
        names.get(one.vendor_id, ""),
        other.id,
        other.file_name,
        names.get(other.vendor_id, ""),
        row.share,
        tuple(_paired(each, here, there) for each in row.passages),
    )


def _paired(stored: Mapping[str, Any], here: str, there: str) -> PairedPassage:
    pieces, others = matched(str(stored[here]), str(stored[there]))
    return PairedPassage(
        int(stored[f"{here}_page"]), pieces, int(stored[f"{there}_page"]), others, int(stored["words"])
    )


def _alike(tx: Tx, evidence: Evidence) -> tuple[Alike, ...]:
    other = sa.case(
        (EvidenceLikeness.evidence_id == evidence.id, EvidenceLikeness.other_id), else_=EvidenceLikeness.evidence_id
    )
    statement = (
        sa.select(Evidence.id, Evidence.vendor_id, Evidence.file_name, EvidenceLikeness.share)
        .join(EvidenceLikeness, other == Evidence.id)
        .where(
            sa.or_(EvidenceLikeness.evidence_id == evidence.id, EvidenceLikeness.other_id == evidence.id),
            EvidenceLikeness.share >= LIKE_PER_MILLE,
            Evidence.removed_at.is_(None),
        )
        .order_by(EvidenceLikeness.share.desc(), Evidence.id)
        .limit(MOST_REPORTS)
    )
    rows = tx.session.execute(statement).all()
    names = vendor_queries.names_of(tx, [row.vendor_id for row in rows])
    return tuple(Alike(row.id, names.get(row.vendor_id, ""), row.file_name, row.share) for row in rows)


def _facts(
    tx: Tx, evidence: Evidence, seen: reading.Reading | None, traits: Traits | None, alike: Sequence[Alike]
) -> ReportFacts:
    vendor = vendors.get(tx, evidence.vendor_id, Action.FLAGS_READ)
    today = tx.now.date()
    running = [
        each
        for each in vendor_queries.engagements_of(tx, evidence.vendor_id)
        if each.ends_on is None or each.ends_on >= today
    ]
    wanted = evidence.kind in FLAGGED
    ends, earlier = _other_reports(tx, evidence) if wanted else ((), None)
    return ReportFacts(
        kind=evidence.kind,
        today=today,
        fields=_fields(evidence, seen),
        legal_name=vendor.legal_name,
        vendor_name=vendor.name,
        pages=likeness.limited(reading.page_texts(tx, evidence.id)) if wanted else (),
        services=tuple(each for each in Service if any(each.value in one.services for one in running)),
        carved_out=_carved_out(tx, evidence),
        firms=firms.as_rules_know_them(firms.firms(tx)) if evidence.kind == "SOC2" else (),
        earlier=earlier,
        report_ends=ends,
        traits=traits,
        resembles=tuple(Resemblance(each.vendor_name, each.per_mille) for each in alike),
    )


def _fields(evidence: Evidence, seen: reading.Reading | None) -> Mapping[str, Seen]:
    """Return what is known of a file: what a person said counts, else what was read in it, and is said to be so."""
    fields: dict[str, Seen] = {}
    for each in seen.proposals if seen is not None else ():
        fields.setdefault(each.field, Seen(each.value, each.page, each.quote, proposed=True))
    for name, value in evidence.details.items():
        source: Mapping[str, Any] = evidence.sources.get(name) or {}
        page = source.get("page")
        fields[name] = Seen(value, page if isinstance(page, int) else None, str(source.get("quote", "")))
    return fields


def _carved_out(tx: Tx, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    statement = (
        sa.select(ReportCarveOut.organisation, ReportCarveOut.purpose)
        .where(
            ReportCarveOut.evidence_id == evidence.id,
            ReportCarveOut.removed_at.is_(None),
            ReportCarveOut.method == CarveMethod.CARVE_OUT,
        )
        .order_by(ReportCarveOut.position, ReportCarveOut.id)
    )
    return tuple((row.organisation, row.purpose) for row in tx.session.execute(statement))


def _other_reports(tx: Tx, evidence: Evidence) -> tuple[tuple[Any, ...], Mapping[str, Any] | None]:
    """Return the ends of the periods of the vendor's reports, and the details of the one before this."""
    statement = (
        sa.select(Evidence.details)
        .where(
            Evidence.vendor_id == evidence.vendor_id,
            Evidence.kind == "SOC2",
            Evidence.id != evidence.id,
            Evidence.removed_at.is_(None),
            Evidence.state.in_(KEPT),
        )
        .order_by(Evidence.created_at.desc(), Evidence.id.desc())
        .limit(MOST_REPORTS)
    )
    others = tx.session.execute(statement).scalars()
    reports = {end: details for details in others if (end := as_day(details.get("period_end")))}
    own = as_day(evidence.details.get("period_end"))
    before = [end for end in reports if own is not None and end < own]
    return tuple(sorted(reports)), reports[max(before)] if before else None


def _left_out(
    evidence: Evidence, seen: reading.Reading | None, traits: Traits | None, sketch: EvidenceSketch | None
) -> tuple[str, ...]:
    said = []
    if seen is None:
        said.append("Only the text of a PDF is looked at.")
    elif seen.state is ReadingState.WAITING:
        said.append("Its text has not been read yet. Look again in a minute.")
    elif seen.state is not ReadingState.READ:
        said.append("No text could be read in it, so only its dates and its history were looked at.")
    elif traits is None:
        said.append("It has not been compared with other reports yet. Look again in a minute.")
    elif evidence.kind == "SOC2" and (sketch is None or not sketch.signature):
        said.append("No system description of enough length was found, so it was not compared with other reports.")
    if traits is not None and traits.problem:
        said.append("The PDF could not be looked at for traces of editing.")
    return tuple(said)
