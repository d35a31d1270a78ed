"""What happened with a vendor, in sentences: the trail of events, as far as the reader's roles go."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from flask import url_for

from portal.audit import queries as trail
from portal.audit.queries import EventLine, Wanted
from portal.identity import queries as people
from portal.kernel.actor import Actor
from portal.kernel.ledger import Ledger, Tx
from portal.policy import Action, may
from portal.sites.lab.audit.sentences import PHRASES, people_in, sentence_of
from portal.sites.shared.ui import day
from portal.vendors.service import Vendor

BATCH = 1_000


class Strand(StrEnum):
    """What a reader may look at alone."""

    ASKED = "asked"
    EVIDENCE = "evidence"
    REVIEW = "review"
    DECISION = "decision"
    GATE = "gate"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class About:
    """A strand: its name, who reads it, and the facts in it."""

    title: str
    action: Action
    facts: tuple[str, ...]


STRANDS: Mapping[Strand, About] = {
    Strand.ASKED: About(
        "Asked and signed",
        Action.VENDOR_READ,
        (
            "vendor_added",
            "vendor_engaged",
            "engagement_changed",
            "engagement_widened",
            "tier_raised",
            "assessment_requested",
            "assessment_cancelled",
            "assessment_migrated",
            "more_time_asked",
            "more_time_agreed",
            "more_time_declined",
            "assessment_begun",
            "attestation_signed",
            "assessment_withdrawn",
        ),
    ),
    Strand.EVIDENCE: About(
        "Evidence",
        Action.EVIDENCE_READ,
        (
            "evidence_attached",
            "evidence_refused",
            "evidence_infected",
            "evidence_verified",
            "evidence_rejected",
            "evidence_removed",
            "evidence_integrity_failed",
            "report_entered",
            "report_corrected",
            "exception_assessed",
        ),
    ),
    Strand.REVIEW: About(
        "Review and findings",
        Action.REVIEW_READ,
        (
            "review_opened",
            "review_claimed",
            "review_assigned",
            "review_released",
            "review_returned",
            "review_recommended",
            "recommendation_returned",
            "changes_requested",
            "findings_shared",
            "remedy_sent",
            "remedy_returned",
            "remedy_verified",
            "remedy_undone",
            "review_escalated",
            "escalation_ended",
            "risk_proposed",
            "risk_accepted",
            "risk_proposal_fell",
            "risk_revoked",
            "service_level_near",
            "service_level_passed",
        ),
    ),
    Strand.DECISION: About(
        "Decisions",
        Action.REVIEW_READ,
        (
            "decision_proposed",
            "decision_confirmed",
            "decision_withdrawn",
            "decision_declined",
            "decision_voided",
            "outcome_published",
            "second_look_asked",
            "second_look_decided",
        ),
    ),
    Strand.GATE: About(
        "Gate",
        Action.VENDOR_READ,
        (
            "clearance_recorded",
            "evidence_reach_changed",
            "vendor_paused",
            "resume_asked",
            "resume_fell",
            "vendor_resumed",
            "revoke_asked",
            "revoke_taken_back",
            "revoke_fell",
            "approval_revoked",
        ),
    ),
    Strand.PEOPLE: About(
        "People",
        Action.VENDOR_READ,
        (
            "person_invited",
            "invitation_withdrawn",
            "person_enrolled",
            "person_handed_over",
            "person_deactivated",
            "role_granted",
            "role_revoked",
        ),
    ),
}
"""What is told of a vendor. Single answers, openings and drafts are in the audit log, for those who read it."""

_TONES = {
    "decision_confirmed": "c-acc",
    "remedy_verified": "c-ok",
    "evidence_verified": "c-ok",
    "evidence_rejected": "c-bad",
    "evidence_infected": "c-bad",
    "evidence_integrity_failed": "c-bad",
    "vendor_paused": "c-bad",
    "service_level_near": "c-warn",
    "service_level_passed": "c-bad",
    "attestation_signed": "c-acc",
    "vendor_resumed": "c-ok",
    "approval_revoked": "c-bad",
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline. ``strand`` is its name in words."""

    seq: int
    at: datetime
    icon: str
    tone: str
    who: str
    did: str
    href: str
    strand: str

    @property
    def words(self) -> str:
        """The whole sentence, without a full stop."""
        return f"{self.who} {self.did}"


def strands_for(actor: Actor, vendor: Vendor) -> tuple[Strand, ...]:
    """Return what the reader may look at."""
    return tuple(strand for strand, about in STRANDS.items() if may(actor, about.action, vendor))


def facts_of(strands: Iterable[Strand]) -> tuple[str, ...]:
    """Return the facts in these strands."""
    return tuple(fact for each in strands for fact in STRANDS[each].facts)


def timeline(
    tx: Tx,
    vendor: Vendor,
    strands: Sequence[Strand],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = trail.PAGE,
) -> list[Happening]:
    """Return what happened with a vendor in these strands, newest first; oldest first ``after`` a number.

    Nothing that the reader may not read is in it, whatever strands are named.
    """
    wanted = [each for each in strands if may(tx.actor, STRANDS[each].action, vendor)]
    if not wanted:
        return []
    asked = Wanted(vendor_id=vendor.id, facts=facts_of(wanted), since=since, until=until)
    lines = trail.events(tx, asked, before=before, after=after, limit=limit)
    named = people.people(tx, {each for line in lines for each in people_in(line)})
    names = {each.id: each.full_name for each in named.values()}
    return [_happening(line, names, vendor, tx.actor) for line in lines]


def _happening(line: EventLine, names: Mapping[UUID, str], vendor: Vendor, actor: Actor) -> Happening:
    said = sentence_of(line, names, {vendor.id: vendor.name})
    strand = next(about.title for about in STRANDS.values() if line.fact in about.facts)
    icon, _phrase = PHRASES.get(line.fact, ("info", ""))
    return Happening(
        line.seq,
        line.at,
        icon,
        _TONES.get(line.fact, "c-mute"),
        said.who,
        _DAY.sub(_day_said, said.did),
        _href(line.payload, vendor, actor),
        strand,
    )


_DAY = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?:T[\d:.]+(?:[+-]\d{2}:\d{2}|Z)?)?")


def _day_said(found: re.Match[str]) -> str:
    """Return a day of the trail as people say it; what only looks like one stays as it is."""
    try:
        return day(date.fromisoformat(found[1]))
    except ValueError:
        return found[0]


_LEADS: Sequence[tuple[str, str, Action]] = (
    ("decision_id", "lab_decision.show", Action.REVIEW_READ),
    ("second_look_id", "lab_appeals.show", Action.REVIEW_READ),
    ("finding_id", "lab_findings.show", Action.REVIEW_READ),
    ("review_id", "lab_workspace.show", Action.REVIEW_READ),
    ("evidence_id", "lab_evidence.show", Action.EVIDENCE_READ),
)
"""Where an event leads: the first id that it names and that the reader may open."""


def _href(payload: Mapping[str, Any], vendor: Vendor, actor: Actor) -> str:
    for name, endpoint, action in _LEADS:
        if payload.get(name) and may(actor, action, vendor):
            return url_for(endpoint, **{name: payload[name]})
    return ""


def exported(
    book: Ledger, actor: Actor, vendor: Vendor, read: Callable[[Tx, int], list[Happening]], kind: str
) -> Iterator[str]:
    """Yield the timeline, oldest first, as CSV or as JSON lines. Each batch is a transaction of its own."""
    after = 0
    if kind == "csv":
        yield _csv(("number", "at", "about", "who", "what", "vendor"))
    while True:
        with book.begin(actor) as tx:
            batch = read(tx, after)
        for each in batch:
            at = each.at.astimezone(UTC).isoformat(timespec="seconds")
            if kind == "csv":
                yield _csv((str(each.seq), at, each.strand, each.who, each.did, vendor.slug))
            else:
                row = {
                    "number": each.seq,
                    "at": at,
                    "about": each.strand,
                    "who": each.who,
                    "what": each.did,
                    "vendor": vendor.slug,
                }
                yield json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"
        if len(batch) < BATCH:
            return
        after = batch[-1].seq


def _csv(cells: Sequence[str]) -> str:
    """Return one line. No cell begins like a formula of a spreadsheet program."""
    text = io.StringIO()
    csv.writer(text).writerow([f"'{each}" if each[:1] in {"=", "+", "-", "@", "\t", "\r"} else each for each in cells])
    return text.getvalue()
