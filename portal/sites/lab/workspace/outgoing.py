"""What the vendor gets of a review, before anything leaves: findings as its tasks, and the letter as it would stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from portal.assessments.queries import OutcomeLine
from portal.findings.service import FindingLine
from portal.identity import queries as people
from portal.kernel.ledger import Tx
from portal.reviews import service as reviews
from portal.reviews.rules import options
from portal.reviews.service import Condition, Terms, Workspace
from portal.sites.lab.workspace.blocking import block_words
from portal.sites.lab.workspace.reading import findings_of
from portal.sites.shared.letter import letter_data
from portal.terms import FindingState, Outcome

SHARED_OR_DRAFT = frozenset({FindingState.DRAFT, FindingState.OPEN})


@dataclass(frozen=True, slots=True)
class Task:
    """One finding as the vendor will read it. ``is_new``: it has not seen it yet."""

    number: str
    label: str
    finding: FindingLine
    blocks: tuple[str, ...]
    owner: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What leaves with a decision. ``letter`` is nothing where the policy suggests no outcome to write of."""

    tasks: tuple[Task, ...]
    outcome: Outcome | None
    letter: Mapping[str, Any]


def outgoing(tx: Tx, space: Workspace, *, lab_name: str) -> Outgoing:
    """Return what the vendor would get if this were decided now as the policy suggests."""
    lines = [each for each in findings_of(space) if each[2].state in SHARED_OR_DRAFT]
    names = people.people(tx, [each.owner_id for _, _, each in lines])
    tasks = tuple(
        Task(
            number,
            label,
            each,
            blocks=tuple(block_words(data, mode) for data, mode in each.blocks),
            owner=names[each.owner_id].full_name if each.owner_id is not None and each.owner_id in names else "",
            is_new=each.state is FindingState.DRAFT,
        )
        for number, label, each in lines
    )
    choices = options(space.live.recommendation, tier=space.assessment.tier, today=tx.now.date())
    outcome = next((each.outcome for each in choices if each.suggested), None)
    letter = _letter(tx, space, outcome, [each for _, _, each in lines], lab_name) if outcome is not None else {}
    return Outgoing(tasks, outcome, letter)


def _letter(tx: Tx, space: Workspace, outcome: Outcome, lines: list[FindingLine], lab_name: str) -> Mapping[str, Any]:
    review = space.review
    hangs_on = lines if outcome is Outcome.APPROVE_WITH_CONDITIONS else []
    terms = Terms(
        outcome=outcome,
        number=0,
        decided_on=tx.now.date(),
        valid_until=None,
        conditions=tuple(
            Condition(each.closes_when, each.due_on, data, mode, each.number)
            for each in hangs_on
            for data, mode in each.blocks
        ),
        letter="",
        signed_by=(),
    )
    body = reviews.preview_body(tx, review=review, terms=terms, live=space.live)
    line = OutcomeLine(
        id=UUID(int=0),
        vendor_id=review.vendor_id,
        assessment_id=review.assessment_id,
        revision=review.revision,
        number=0,
        body=body,
        published_at=tx.now,
        title=space.assessment.title,
    )
    return letter_data(line, lab_name=lab_name, vendor_name=space.vendor.name)
