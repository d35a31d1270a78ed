"""What is held against a signed revision: gathered in a few statements, looked at by the rules, counted for the queue.

What is found is worked out whenever a page asks and is kept nowhere: the engagement, the reports and what is read in a
file may have changed since. Only how many there are is stored with the review. No fact is recorded, for a vendor's own
trail must not tell what the lab looks twice at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.facts import AttestationSigned
from portal.attestations.models import Attestation
from portal.attestations.rules import Snapshot
from portal.attestations.service import Attested
from portal.evidence.models import Evidence, EvidencePageText, ReportCarveOut, ReportControl, ReportException
from portal.evidence.rules import KEPT, add_months, as_day
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Answer, Questionnaire, credit, facts_from
from portal.questionnaires.rules.text import day_words
from portal.reviews import placing, policies, reviewing
from portal.reviews.models import Review
from portal.reviews.rules import checks
from portal.reviews.rules.checks import Case, Check, CheckKind, Engaged, Exception_, File, Report, Spoken
from portal.reviews.unchanged import unchanged
from portal.reviews.workspace import Workspace
from portal.terms import CarveMethod
from portal.vendors.models import Engagement, Vendor

__all__ = ["Before", "Both", "Check", "both_of", "count_signed", "follow", "of_review", "refresh"]

MOST_REPORTS: Final = 20
MOST_REVIEWS: Final = 20
MOST_PAGES: Final = 400
MOST_LETTERS: Final = 20_000
BRIDGED: Final = 15
"""Months after the end of its period in which a report still says something about an answer."""

_PAGES: Final = re.compile(r"(\d{1,5})(?:\s*[-\N{EN DASH}]\s*(\d{1,5}))?")


@dataclass(frozen=True, slots=True)
class Before:
    """What was signed before, the version that it answered, and the review of it if there was one."""

    signed: Attested
    questionnaire: Questionnaire
    review_id: UUID | None


@dataclass(frozen=True, slots=True)
class Both:
    """A signed revision and the one before."""

    assessment: Assessment
    questionnaire: Questionnaire
    signed: Attested
    before: Before | None


def both_of(tx: Tx, review: Review, space: Workspace | None = None) -> Both:
    """Return what a review is about and what was signed before it, whatever a person compares with on the page.

    :param space: the review as it was read already, to read it no second time.
    """
    assessment = tx.session.get_one(Assessment, review.assessment_id)
    if space is not None:
        questionnaire, signed = space.questionnaire, space.attested
    else:
        questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
        signed = attestations.attested(tx, review.attestation_id)
    return Both(assessment, questionnaire, signed, _before(tx, review, questionnaire, space))


def of_review(
    tx: Tx,
    review: Review,
    space: Workspace | None = None,
    *,
    both: Both | None = None,
    on: Collection[CheckKind] | None = None,
) -> Mapping[str, tuple[Check, ...]]:
    """Return the contradictions that a machine points at in a review, by question key; "" for the whole revision.

    :param space: the review as it was read already, to read it no second time.
    :param on: what is looked for; without it what the policy in force says.
    """
    looked_for = policies.acceptance(tx).rules.checks if on is None else on
    return unchanged(tx, review.vendor_id).of(
        ("checks", review.id, frozenset(looked_for)),
        lambda: checks.check(_case(tx, review, both or both_of(tx, review, space)), looked_for),
    )


def refresh(tx: Tx, review: Review) -> int:
    """Count anew what stands out in a review, and show it in the queue; return how much it is."""
    count = sum(map(len, of_review(tx, review).values()))
    if review.checks_found != count:
        review.checks_found = count
        tx.session.flush()
        placing.refresh(tx, review.assessment_id)
    return count


def count_signed(tx: Tx, fact: AttestationSigned) -> None:
    """AttestationSigned: what stands out is counted as soon as the review waits."""
    review = reviewing.latest(tx, fact.assessment_id)
    if review is not None and review.attestation_id == fact.attestation_id:
        refresh(tx, review)


def follow(tx: Tx, fact: Any) -> None:
    """Any fact about a vendor's files, reports or engagements: its open reviews are counted anew.

    A review that somebody is changing in this moment keeps its number until the next look: whoever holds it may be
    waiting for the very file that this transaction holds.
    """
    statement = (
        sa.select(Review)
        .where(Review.vendor_id == fact.vendor_id, Review.closed_at.is_(None))
        .order_by(Review.assessment_id, Review.revision)
        .limit(MOST_REVIEWS)
        .with_for_update(skip_locked=True)
    )
    for review in tx.session.execute(statement).scalars():
        refresh(tx, review)


def _case(tx: Tx, review: Review, both: Both) -> Case:
    """Return everything that the answers of a review are held against."""
    snapshot, before = both.signed.snapshot, both.before
    engagement = tx.session.get_one(Engagement, both.assessment.engagement_id)
    slug = tx.session.execute(sa.select(Vendor.slug).where(Vendor.id == review.vendor_id)).scalar_one()
    today = review.opened_at.date()
    return Case(
        here=f"/lab/reviews/{review.id}",
        questionnaire=both.questionnaire,
        facts=facts_from(snapshot.scoping, both.questionnaire),
        scoping=snapshot.scoping,
        spoken=_spoken(tx, both.questionnaire, snapshot, before),
        reports=_reports(tx, review, today),
        engaged=Engaged(
            project=engagement.project,
            href=f"/lab/vendors/{slug}/engagements/{engagement.slug}",
            data_classes=tuple(engagement.data_classes),
            access_modes=tuple(engagement.access_modes),
            people=engagement.people,
            services=tuple(engagement.services),
            starts_on=engagement.starts_on,
            ends_on=engagement.ends_on,
        ),
        today=today,
        before=f"Signed {day_words(before.signed.signed_at.date())}" if before is not None else "",
        earlier=f"/lab/reviews/{before.review_id}" if before is not None and before.review_id is not None else "",
    )


def _before(tx: Tx, review: Review, questionnaire: Questionnaire, space: Workspace | None) -> Before | None:
    row = attestations.previous(tx, tx.session.get_one(Attestation, review.attestation_id))
    if row is None:
        return None
    known = space.compared_with if space is not None else None
    signed = known if known is not None and known.id == row.id else attestations.attested(tx, row.id)
    asked = questionnaire
    if signed.snapshot.questionnaire_digest != questionnaire.digest:
        older = tx.session.get_one(Assessment, signed.snapshot.assessment_id)
        asked = questionnaires.compiled(tx, older.questionnaire_id)
    review_id = tx.session.execute(sa.select(Review.id).where(Review.attestation_id == row.id)).scalar_one_or_none()
    return Before(signed, asked, review_id)


def _spoken(tx: Tx, questionnaire: Questionnaire, snapshot: Snapshot, before: Before | None) -> Mapping[str, Spoken]:
    files = _files(tx, snapshot)
    found: dict[str, Spoken] = {}
    for question in questionnaire.questions:
        signed = snapshot.answers.get(question.key)
        if signed is None or not signed.is_asked:
            continue
        answer = signed.answer
        earlier, points = _earlier(before, question.key)
        found[question.key] = Spoken(
            question=question,
            answer=answer,
            state=signed.state,
            credit=credit(question, answer),
            level=questionnaire.evidence_level(question.key, snapshot.tier),
            files=files.get(question.key, ()),
            before=earlier,
            credit_before=points,
            files_before=frozenset(each.sha256 for each in before.signed.snapshot.citations_of(question.key))
            if before is not None
            else frozenset(),
        )
    return found


def _earlier(before: Before | None, key: str) -> tuple[Answer | None, int | None]:
    signed = before.signed.snapshot.answers.get(key) if before is not None else None
    if before is None or signed is None or not signed.is_asked or key not in before.questionnaire:
        return None, None
    return signed.answer, credit(before.questionnaire.question(key), signed.answer)


def _files(tx: Tx, snapshot: Snapshot) -> Mapping[str, tuple[File, ...]]:
    ids = {each.evidence_id for each in snapshot.citations}
    if not ids:
        return {}
    known = {
        row.id: row
        for row in tx.session.execute(
            sa.select(Evidence.id, Evidence.file_name, Evidence.kind, Evidence.details, Evidence.state).where(
                Evidence.id.in_(ids), Evidence.removed_at.is_(None), Evidence.state.in_(KEPT)
            )
        )
    }
    pointed = {each.citation_id: pages_in(each.pages) for each in snapshot.citations if each.evidence_id in known}
    wanted = {(each.evidence_id, page) for each in snapshot.citations for page in pointed.get(each.citation_id, ())}
    texts = _texts(tx, wanted)
    found: dict[str, tuple[File, ...]] = {}
    for each in snapshot.citations:
        row = known.get(each.evidence_id)
        if row is None:
            continue
        pages = tuple(
            (page, texts[each.evidence_id, page])
            for page in pointed[each.citation_id]
            if (each.evidence_id, page) in texts
        )
        file = File(str(each.citation_id), str(row.id), each.sha256, row.file_name, row.kind, row.details, pages)
        found[each.question_key] = (*found.get(each.question_key, ()), file)
    return found


def pages_in(pointed: str) -> tuple[int, ...]:
    """Return the pages that a citation points at, from "4" and "4, 7-9"; no more than a reader looks at."""
    found: dict[int, None] = {}
    for first, last in _PAGES.findall(pointed):
        end = int(last) if last else int(first)
        found.update(dict.fromkeys(range(int(first), min(end, int(first) + 20) + 1)))
    return tuple(found)[:40]


def _texts(tx: Tx, wanted: Collection[tuple[UUID, int]]) -> Mapping[tuple[UUID, int], str]:
    if not wanted:
        return {}
    statement = (
        sa.select(
            EvidencePageText.evidence_id, EvidencePageText.page, sa.func.left(EvidencePageText.text, MOST_LETTERS)
        )
        .where(sa.tuple_(EvidencePageText.evidence_id, EvidencePageText.page).in_(sorted(wanted, key=str)[:MOST_PAGES]))
        .order_by(EvidencePageText.evidence_id, EvidencePageText.page)
    )
    return {(row[0], row[1]): row[2] for row in tx.session.execute(statement)}


# --- the reports in force


def _reports(tx: Tx, review: Review, today: date) -> tuple[Report, ...]:
    newer = aliased(Evidence)
    replaced = sa.exists().where(
        newer.supersedes_id == Evidence.id,
        newer.vendor_id == Evidence.vendor_id,
        newer.removed_at.is_(None),
        newer.state.in_(KEPT),
    )
    statement = (
        sa.select(Evidence.id, Evidence.file_name, Evidence.details, Evidence.criteria_hit)
        .where(
            Evidence.vendor_id == review.vendor_id,
            Evidence.kind == "SOC2",
            Evidence.removed_at.is_(None),
            Evidence.state.in_(KEPT),
            ~replaced,
        )
        .order_by(Evidence.created_at.desc(), Evidence.id)
        .limit(MOST_REPORTS)
    )
    rows = [row for row in tx.session.execute(statement) if not _is_past(row.details, today)]
    ids = [row.id for row in rows]
    exceptions = _by_file(tx, ReportException, ids)
    behind = _by_file(tx, ReportCarveOut, ids)
    controls = _by_file(tx, ReportControl, ids)
    return tuple(
        Report(
            evidence_id=str(row.id),
            name=row.file_name,
            opinion=str(row.details.get("opinion", "")),
            criteria_hit=row.criteria_hit,
            exceptions=tuple(
                Exception_(
                    str(each.id),
                    each.control,
                    each.criterion,
                    each.text,
                    tuple(each.questions),
                    acceptable=bool(each.acceptable),
                )
                for each in exceptions.get(row.id, ())
            ),
            carved_out=tuple(
                each.organisation for each in behind.get(row.id, ()) if each.method is CarveMethod.CARVE_OUT
            ),
            organisations=tuple(each.organisation for each in behind.get(row.id, ())),
            left_to_users=tuple((each.text, each.criterion) for each in controls.get(row.id, ())),
        )
        for row in rows
    )


def _is_past(details: Mapping[str, Any], today: date) -> bool:
    ended = as_day(details.get("period_end")) or as_day(details.get("as_of"))
    return ended is not None and add_months(ended, BRIDGED) < today


def _by_file(tx: Tx, model: Any, ids: Sequence[UUID]) -> Mapping[UUID, list[Any]]:
    if not ids:
        return {}
    statement = (
        sa.select(model)
        .where(model.evidence_id.in_(ids), model.removed_at.is_(None))
        .order_by(model.evidence_id, model.position, model.id)
    )
    found: dict[UUID, list[Any]] = {}
    for row in tx.session.execute(statement).scalars():
        found.setdefault(row.evidence_id, []).append(row)
    return found
