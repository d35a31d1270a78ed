"""What the lab asks of a vendor's library: files it sent back, proof that answers lack, what an ageing report needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for

from portal.assessments import queries as assessment_queries
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.rules import BlockerKind
from portal.evidence.queries import LibraryLine
from portal.evidence.rules import BRIDGE_MONTHS, Record, add_months, period_end, reach
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.sites.shared import timed
from portal.sites.shared.language import _
from portal.sites.vendor.work import slug
from portal.terms import ANSWERABLE_STATES, EvidenceState

MOST = 30
LETTER_FROM, REMIND_FROM = 3, 9
"""Months after the end of a report's period: ask for a bridge letter (tier 1), remind of the next report."""

_LACKING = (BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED)


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to do: what, why, where, and until when."""

    title: str
    why: str
    verb: str
    href: str
    due: date | None = None


def asks_of(tx: Tx, lines: Sequence[LibraryLine], records: Mapping[UUID, Record], today: date) -> list[Ask]:
    """Return what is asked of the actor's vendor, files that were sent back first, then what is due soonest."""
    vendor_id = tx.actor.vendor_id
    if vendor_id is None:
        return []
    running = [each for each in assessment_queries.of_vendor(tx, vendor_id) if each.state in ANSWERABLE_STATES]
    strictest = min((each.tier for each in running), default=3)
    found = [*_sent_back(lines), *_reports(lines, records, today, tier=strictest)]
    lacking: list[Ask] = []
    for each in running:
        lacking += _unproven(tx, each.id, each.due_on)
    lacking.sort(key=lambda ask: ask.due or date.max)
    return [*found, *lacking][:MOST]


def _sent_back(lines: Iterable[LibraryLine]) -> Iterator[Ask]:
    for line in lines:
        if line.state is EvidenceState.REJECTED and line.replaced_by is None:
            yield Ask(
                title=_("%(file)s was sent back", file=line.file_name),
                why=line.judgement,
                verb=_("Replace"),
                href=url_for("vendor_evidence.library", replace=line.id),
            )


def _reports(lines: Iterable[LibraryLine], records: Mapping[UUID, Record], today: date, *, tier: int) -> Iterator[Ask]:
    """Ask for what a report that ages needs; only of the newest one, whose letters are the ones that count."""
    aging = [
        (ended, line, records[line.id])
        for line in lines
        if line.id in records and line.can_open and (ended := period_end(records[line.id])) is not None
    ]
    if not aging:
        return
    ended, line, record = max(aging, key=lambda each: (each[0], str(each[1].id)))
    if record.superseded:
        return
    counts_until = reach(record).verified_until
    over = timed.sentence(_("Its period ended on %(day)s"), day=timed.on(ended))
    if today > add_months(ended, REMIND_FROM):
        until = over
        if counts_until is not None and counts_until >= today:
            words = _("%(ended)s, and it counts until %(day)s")
            until = timed.sentence(words, ended=over, day=timed.on(counts_until))
        yield Ask(
            title=_("The report after %(file)s", file=line.file_name),
            why=timed.sentence(_("%(ended)s. Upload the next report when you have it"), ended=until),
            verb=_("Upload the next report"),
            href=url_for("vendor_evidence.library", replace=line.id),
            due=counts_until if counts_until and counts_until >= today else None,
        )
    asked_for = tier == 1 and today > add_months(ended, LETTER_FROM) and not record.letters
    lapsed = counts_until is not None and today > counts_until and not reach(record).is_bridged(today)
    if (asked_for or lapsed) and today <= add_months(ended, record.periods.SOC2 + BRIDGE_MONTHS):
        yield Ask(
            title=_("A bridge letter for %(file)s", file=line.file_name),
            why=timed.sentence(
                _(
                    "%(ended)s. A letter from an officer says what changed since, and names the start and the auditor "
                    "of the next period"
                ),
                ended=over,
            ),
            verb=_("Upload a bridge letter"),
            href=url_for("vendor_evidence.library", type="BL"),
        )


def _unproven(tx: Tx, assessment_id: UUID, due: date | None) -> Iterator[Ask]:
    try:
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    except (Forbidden, NotFound):
        return
    asked = questionnaires.compiled(tx, row.questionnaire_id)
    keys = [each.question_key for each in attestations.blockers(tx, row, asked) if each.kind in _LACKING]
    for key in dict.fromkeys(keys):
        question = asked.question(key)
        where = url_for("vendor_section.show", assessment_id=row.id, section=question.section)
        yield Ask(
            title=_("Proof for %(question)s", question=f"{question.number} {question.label}"),
            why=question.good_evidence or _("Attach a file, or say in the answer why you cannot"),
            verb=_("Attach evidence"),
            href=f"{where}#ev-{slug(key)}",
            due=due,
        )
