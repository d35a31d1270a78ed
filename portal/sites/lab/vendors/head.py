"""What stands on every page of a vendor: who it is, how it stands, who owns it here, and its pages with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for

from portal.assessments import service as assessments
from portal.assessments.queries import AssessmentLine
from portal.assessments.scoping import scoping_of
from portal.evidence import queries as evidence
from portal.evidence.queries import LibraryLine
from portal.findings import service as findings
from portal.gate import queries as gate_queries
from portal.gate import revoking
from portal.gate import service as gate
from portal.gate.revoking import Waiting
from portal.gate.rules import Answer, World
from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.policy import Action, may
from portal.reviews import fourth_parties
from portal.reviews.fourth_parties import FourthParty
from portal.sites.lab.pause.panel import PauseShown, pauses_of
from portal.sites.lab.vendors import lines
from portal.terms import SERVICE_WORDS, FindingState, Service
from portal.vendors import queries
from portal.vendors import service as vendors
from portal.vendors.service import Engagement, Vendor

PLACES = "scp.places"
"""The scoping fact in which the vendor says where the work is done."""

OFFERED = (
    Action.ENGAGEMENT_WRITE,
    Action.TIER_RAISE,
    Action.ASSESSMENT_CREATE,
    Action.ASSESSMENT_CANCEL,
    Action.ASSESSMENT_MIGRATE,
    Action.MORE_TIME_ANSWER,
    Action.VENDOR_INVITE,
    Action.SCORE_READ,
    Action.REVIEW_READ,
    Action.EVIDENCE_READ,
    Action.PAUSE,
    Action.RESUME,
    Action.REVOKE,
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One page of a vendor. ``anchor`` is where earlier links to a part of the one long page lead."""

    key: str
    title: str
    href: str
    count: int | None
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What the pages of one vendor share. None stands for what the reader's roles do not read."""

    vendor: Vendor
    world: World | None
    answers: Sequence[tuple[str, str, Answer]]
    state: lines.GateState
    engagements: Sequence[Engagement]
    live: Sequence[Engagement]
    asked: Sequence[AssessmentLine]
    projects: Mapping[Any, str]
    tier: int | None
    does: str
    where: str
    owner: str
    team: Sequence[people.Person]
    library: Sequence[LibraryLine] | None
    told: Sequence[findings.FindingLine] | None
    parties: Sequence[FourthParty] | None
    pauses: Sequence[PauseShown]
    revocations: Sequence[Waiting]
    tabs: Sequence[Tab]
    may: Mapping[str, bool]

    @property
    def raise_href(self) -> str:
        """Where a stricter tier is given: the one engagement that can be raised, else the list of them."""
        open_ones = [each for each in self.live if each.tier > 1]
        if len(open_ones) == 1:
            return url_for("lab_vendors.raise_tier", slug=self.vendor.slug, engagement=open_ones[0].slug)
        return url_for("lab_vendor.access", slug=self.vendor.slug) + "#engagements" if open_ones else ""


def head_of(tx: Tx, slug: str) -> Head:
    """Return what the pages of a vendor share.

    :raises NotFound: if there is no such vendor.
    """
    vendor = vendors.by_slug(tx, slug, Action.VENDOR_READ)
    allowed = {action.name: may(tx.actor, action, vendor) for action in OFFERED}
    world = gate_queries.worlds(tx, [vendor.id]).get(vendor.id)
    answers = gate.table(world, tx) if world is not None else []
    engagements = queries.engagements_of(tx, vendor.id)
    today = tx.now.date()
    live = [each for each in engagements if each.ends_on is None or each.ends_on >= today]
    asked = assessments.of_vendor(tx, vendor.id)
    team = people.people_of_vendor(tx, vendor.id)
    reads_both = allowed["REVIEW_READ"] and allowed["EVIDENCE_READ"]
    parties = fourth_parties.of_vendor(tx, vendor) if reads_both else None
    library = evidence.library(tx, vendor_id=vendor.id) if allowed["EVIDENCE_READ"] else None
    told = findings.shared_with(tx, vendor.id) if allowed["REVIEW_READ"] else None
    counts = {
        "assessments": len(asked),
        "findings": None if told is None else sum(each.state is FindingState.OPEN for each in told),
        "access": len(answers),
        "evidence": None if library is None else len(library),
        "fourth-parties": None if parties is None else len(parties),
        "people": len(team),
    }
    return Head(
        vendor=vendor,
        world=world,
        answers=answers,
        state=lines.gate_state(world, answers),
        engagements=engagements,
        live=live,
        asked=asked,
        projects={each.id: each.project for each in engagements},
        tier=min((each.tier for each in engagements), default=None),
        does=_does(live),
        where=_where(tx, asked) if allowed["REVIEW_READ"] else "",
        owner=_owner(tx, vendor, asked),
        team=team,
        library=library,
        told=told,
        parties=parties,
        pauses=pauses_of(tx, vendor.id),
        revocations=revoking.waiting(tx, vendor.id),
        tabs=_tabs(vendor.slug, counts),
        may=allowed,
    )


_PAGES = (
    ("assessments", "Assessments", "assessments_page", "assessments"),
    ("findings", "Findings", "findings_page", ""),
    ("access", "Data access", "access", ""),
    ("evidence", "Evidence", "evidence_page", ""),
    ("fourth-parties", "Fourth parties", "fourth_parties_page", "behind"),
    ("people", "People", "people_page", "people"),
)


def _tabs(slug: str, counts: Mapping[str, int | None]) -> Sequence[Tab]:
    """Return the pages of a vendor; one whose count the reader may not know is not there for them."""
    return (
        Tab("overview", "Overview", url_for("lab_vendors.show", slug=slug), None),
        *(
            Tab(key, title, url_for(f"lab_vendor.{endpoint}", slug=slug), counts[key], anchor)
            for key, title, endpoint, anchor in _PAGES
            if counts[key] is not None
        ),
        Tab("history", "History", url_for("lab_vendor.history", slug=slug), None),
    )


def _does(live: Sequence[Engagement]) -> str:
    named = dict.fromkeys(SERVICE_WORDS[Service(key)] for each in live for key in each.services)
    words = ", ".join(named)
    return words[:1].upper() + words[1:].lower() if words else ""


def _where(tx: Tx, asked: Sequence[AssessmentLine]) -> str:
    """Return where the work is done, as the vendor said last: sites, else countries, at most three."""
    for each in asked[:3]:
        assessment = assessments.get(tx, each.id, Action.REVIEW_READ)
        fact = next((line for line in scoping_of(tx, assessment) if line.key == PLACES), None)
        rows = fact.value if fact is not None and isinstance(fact.value, list) else []
        named = dict.fromkeys(
            str(row.get("site") or row.get("country") or "").strip() for row in rows if isinstance(row, Mapping)
        )
        found = [place for place in named if place]
        if found:
            more = len(found) - 3
            return ", ".join(found[:3]) + (f" and {more} more" if more > 0 else "")
    return ""


def _owner(tx: Tx, vendor: Vendor, asked: Sequence[AssessmentLine]) -> str:
    """Return who answers for the vendor here: who asked it last, else who took it onto the list."""
    newest = max(asked, key=lambda each: (each.requested_at, each.id), default=None)
    asked_by = assessments.get(tx, newest.id, Action.VENDOR_READ).requested_by if newest is not None else None
    wanted = [each for each in (asked_by, vendor.created_by) if each is not None]
    known = people.people(tx, wanted)
    return next((known[each].full_name for each in wanted if each in known), "")
