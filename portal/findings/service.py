"""Writing down what is wrong, sharing it with the vendor, closing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

import sqlalchemy as sa

from portal.findings.facts import FindingChanged, FindingDrafted, FindingDropped, FindingsShared
from portal.findings.models import Finding
from portal.findings.people import followers, is_follower, is_owner, owners
from portal.findings.queries import (
    FindingLine,
    Replaced,
    credits_of,
    last_number,
    number_waiting,
    of_assessment,
    proofs_of,
    shared_with,
    word_of,
)
from portal.findings.rules import Block, problem_of_blocks, stored_blocks
from portal.kernel.errors import Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.terms import FindingState, Severity
from portal.vendors.models import Vendor

__all__ = [
    "Block",
    "FindingLine",
    "Replaced",
    "Wrong",
    "credits_of",
    "draft",
    "drop",
    "followers",
    "get",
    "number_waiting",
    "of_assessment",
    "owners",
    "proofs_of",
    "share_all",
    "shared_with",
    "word_of",
]

TEXT_LIMIT = 4_000


@dataclass(frozen=True, slots=True)
class Wrong:
    """What a reviewer says is wrong, for the vendor to read. ``credit`` 0..100 replaces the answer's; None keeps it.

    :param credit_reason: why the answer is worth these points and not its own. None says that what is wrong is why;
        a form gives what was typed, and a blank one is refused.
    :param blocks: the access that stays closed until it is put right: the lowest data class, in one mode or in all.
    :param owner_id: the vendor's person who sees to it.
    :param follower_id: the lab's person who follows it; None for the one who writes it.
    """

    severity: Severity
    what: str
    closes_when: str
    due_on: date | None
    credit: int | None = None
    credit_reason: str | None = None
    blocks: tuple[Block, ...] = ()
    owner_id: UUID | None = None
    follower_id: UUID | None = None


def get(tx: Tx, finding_id: UUID) -> Finding:
    """Return a finding.

    :raises NotFound: if there is none.
    """
    row = tx.session.get(Finding, finding_id)
    if row is None:
        raise NotFound
    return row


def draft(tx: Tx, *, vendor_id: UUID, assessment_id: UUID, revision: int, question_key: str, wrong: Wrong) -> Finding:
    """Write a finding about an answer, or write the draft about it anew. The caller checked who may.

    :raises Refused: with the problems of what, closes_when, due_on and credit.
    """
    wrong = _checked(tx, wrong, vendor_id)
    existing = tx.session.execute(
        sa.select(Finding).where(
            Finding.assessment_id == assessment_id,
            Finding.question_key == question_key,
            Finding.state == FindingState.DRAFT,
        )
    ).scalar_one_or_none()
    if existing is not None:
        existing.severity, existing.what, existing.closes_when = wrong.severity, wrong.what, wrong.closes_when
        existing.due_on, existing.credit, existing.revision = wrong.due_on, wrong.credit, revision
        existing.credit_reason, existing.blocks = wrong.credit_reason or "", stored_blocks(wrong.blocks)
        existing.owner_id, existing.follower_id = wrong.owner_id, wrong.follower_id
        existing.row_version += 1
        tx.session.flush()
        tx.record(FindingChanged(existing.id, vendor_id, wrong.severity.value, wrong.credit))
        return existing
    # The vendor's row is locked so that two reviewers at once never give one number twice.
    tx.session.execute(sa.select(Vendor.id).where(Vendor.id == vendor_id).with_for_update())
    row = Finding(
        id=tx.new_id(),
        vendor_id=vendor_id,
        number=last_number(tx, vendor_id) + 1,
        assessment_id=assessment_id,
        revision=revision,
        question_key=question_key,
        severity=wrong.severity,
        what=wrong.what,
        closes_when=wrong.closes_when,
        due_on=wrong.due_on,
        credit=wrong.credit,
        opened_by=_person(tx),
        opened_at=tx.now,
        credit_reason=wrong.credit_reason or "",
        blocks=stored_blocks(wrong.blocks),
        owner_id=wrong.owner_id,
        follower_id=wrong.follower_id,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        FindingDrafted(row.id, vendor_id, assessment_id, question_key, row.number, wrong.severity.value, wrong.credit)
    )
    return row


def drop(tx: Tx, *, assessment_id: UUID, question_key: str) -> None:
    """Give up the draft about an answer, if there is one."""
    row = tx.session.execute(
        sa.select(Finding).where(
            Finding.assessment_id == assessment_id,
            Finding.question_key == question_key,
            Finding.state == FindingState.DRAFT,
        )
    ).scalar_one_or_none()
    if row is None:
        return
    row.state = FindingState.WITHDRAWN
    row.row_version += 1
    tx.session.flush()
    tx.record(FindingDropped(row.id, row.vendor_id))


def share_all(tx: Tx, *, vendor_id: UUID, assessment_id: UUID, revision: int) -> None:
    """Make the drafts of an assessment the vendor's tasks; part of publishing a decision."""
    drafts = (
        tx.session.execute(
            sa.select(Finding)
            .where(Finding.assessment_id == assessment_id, Finding.state == FindingState.DRAFT)
            .order_by(Finding.number)
            .with_for_update()
        )
        .scalars()
        .all()
    )
    for row in drafts:
        row.state, row.shared_at = FindingState.OPEN, tx.now
        row.row_version += 1
    tx.session.flush()
    if drafts:
        tx.record(FindingsShared(assessment_id, vendor_id, revision, tuple(row.number for row in drafts)))


def _checked(tx: Tx, wrong: Wrong, vendor_id: UUID) -> Wrong:
    what, closes_when = wrong.what.strip(), wrong.closes_when.strip()
    why = (what if wrong.credit_reason is None else wrong.credit_reason.strip()) if wrong.credit is not None else ""
    problems: dict[str, list[str]] = {}
    if not what:
        problems["what"] = ["Enter what is wrong, for the vendor to read"]
    if not closes_when:
        problems["closes_when"] = ["Enter what must be shown to close it"]
    if wrong.credit is not None and not why and what:
        problems["credit_reason"] = ["Say why the answer is worth these points, for the vendor to read"]
    for field, text in (("what", what), ("closes_when", closes_when), ("credit_reason", why)):
        if len(text) > TEXT_LIMIT:
            problems[field] = [f"Keep it under {TEXT_LIMIT:,} characters; this is {len(text):,}"]
    if wrong.due_on is not None and wrong.due_on < tx.now.date():
        problems["due_on"] = ["The due date must be today or later"]
    if wrong.credit is not None and not 0 <= wrong.credit <= 100:
        problems["credit"] = ["Enter the points from 0 to 100"]
    if found := problem_of_blocks(wrong.blocks):
        problems["blocks"] = [found]
    if not is_owner(tx, wrong.owner_id, vendor_id):
        problems["owner_id"] = ["Choose somebody who works at the vendor now"]
    if not is_follower(tx, wrong.follower_id):
        problems["follower_id"] = ["Choose a reviewer or a lead approver"]
    if problems:
        raise Refused(problems=problems)
    return replace(
        wrong,
        what=what,
        closes_when=closes_when,
        credit_reason=why,
        blocks=tuple(dict.fromkeys(wrong.blocks)),
        follower_id=wrong.follower_id or tx.actor.id,
    )


def _person(tx: Tx) -> UUID:
    if tx.actor.id is None:
        raise Forbidden("A person must do this.")
    return tx.actor.id
