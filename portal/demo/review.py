"""The lab's side of the demo: a review claimed, answers judged, decisions signed, a pause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations.models import AttestedCitation, Citation
from portal.demo.answers import dice
from portal.demo.cast import Company, Stage
from portal.evidence import service as evidence
from portal.findings import planning, remedies, second_look
from portal.findings import service as findings
from portal.gate import service as gate
from portal.kernel.actor import Actor
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer
from portal.policy import Action
from portal.reviews import acceptances, following
from portal.reviews import remedies as judging
from portal.reviews import service as reviews
from portal.reviews.models import Review
from portal.reviews.rules import deviates
from portal.terms import Acceptance, EvidenceState, Outcome, Recommendation, Severity, Verdict
from portal.vendors import service as vendors

if TYPE_CHECKING:
    from portal.demo.story import Story

T = TypeVar("T")


class LabSide:
    """The lab's part in one vendor's way: a review, and what is decided on it."""

    def __init__(
        self, story: Story, company: Company, *, assessment_id: UUID, vendor_id: UUID, papers: Sequence[UUID]
    ) -> None:
        self._story = story
        self._company = company
        self._ledger = story.then.ledger
        self._assessment_id = assessment_id
        self._vendor_id = vendor_id
        self._papers = papers

    def live(self) -> None:
        """Claim, read, and go as far as the company goes."""
        company, story = self._company, self._story
        reviewer = story.lab("Jonas Weil" if dice(company.name, "reviewer", sides=2) else "Ines Valdarno")
        with self._ledger.begin(reviewer) as tx:
            review = some(reviews.latest(tx, self._assessment_id))
            reviews.claim(tx, review=review, row_version=review.row_version)
            review_id = review.id
        self._verify_papers(reviewer)
        partly = company.stage is Stage.IN_REVIEW
        self._judge(reviewer, review_id, partly=partly)
        if partly:
            return
        if company.stage is Stage.WITH_VENDOR:
            self._send_back(reviewer, review_id)
            return
        story.at(days_ago=company.days_ago - 9)
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.RECOMMEND)
            reviews.recommend(tx, review=review, note="Read in full; the proofs hold.", row_version=review.row_version)
        story.at(days_ago=company.days_ago - 10)
        if company.stage is Stage.TO_DECIDE:
            return
        if company.stage is Stage.ESCALATED:
            self._escalate(reviewer, review_id)
            return
        self._decide(review_id)
        if company.paused:
            self._pause()

    def _verify_papers(self, reviewer: Actor) -> None:
        for paper_id in self._papers:
            with self._ledger.begin(reviewer) as tx:
                row = evidence.get(tx, paper_id, Action.EVIDENCE_JUDGE)
                evidence.open_file(tx, evidence=row)
                if row.state is EvidenceState.ATTACHED:
                    evidence.verify(tx, evidence=row, note="Scope and dates checked.", row_version=row.row_version)

    def _judge(self, reviewer: Actor, review_id: UUID, *, partly: bool) -> None:
        company = self._company
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            asked = _asked(tx, review)
            for key in asked:
                if partly and dice(company.name, key, "judged", sides=3):
                    continue
                if key in company.weak:
                    wrong = reviews.Wrong(
                        severity=Severity.HIGH,
                        what="The answer shows a gap that reaches our data, and the evidence says the same.",
                        closes_when="An export shows that it holds for everybody who reaches our data.",
                        due_on=self._story.today() + timedelta(days=60),
                    )
                    reviews.judge(tx, review=review, question_key=key, verdict=Verdict.FLAG, wrong=wrong)
                else:
                    reviews.judge(tx, review=review, question_key=key, verdict=Verdict.ACCEPT)
                    for citation_id in _proofs(tx, review, key):
                        reviews.judge_citation(
                            tx, review=review, citation_id=citation_id, acceptance=Acceptance.ACCEPTED
                        )
            if partly and asked:
                reviews.note_internal(
                    tx, review=review, question_key=asked[0], body="Compare with the device list before you accept."
                )

    def _send_back(self, reviewer: Actor, review_id: UUID) -> None:
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            lines = reviews.verdict_lines(tx, review)
            for key in _asked(tx, review)[3:5]:
                reviews.judge(
                    tx,
                    review=review,
                    question_key=key,
                    verdict=Verdict.ASK,
                    note="Which teams does this cover, and since when? One sentence and a date will do.",
                    version=lines[key].version,
                )
            review = reviews.get(tx, review_id, Action.QUESTIONS_RETURN)
            reviews.return_questions(tx, review=review, row_version=review.row_version)

    def _decide(self, review_id: UUID) -> None:
        company, story = self._company, self._story
        first, second = story.lab("Hana Kobayashi"), story.lab("Theo Brandvold")
        with self._ledger.begin(first) as tx:
            review = reviews.get(tx, review_id, Action.DECISION_PROPOSE)
            suggested = reviews.score_now(tx, review).recommendation
            outcome = {
                Stage.CONDITIONAL: Outcome.APPROVE_WITH_CONDITIONS,
                Stage.REJECTED: Outcome.REJECT,
            }.get(company.stage, Outcome.APPROVE)
            easy = suggested in {Recommendation.APPROVE, Recommendation.CONDITIONAL}
            life = 300 if easy else 85
            numbers = {each.question_key: each.number for each in findings.of_assessment(tx, self._assessment_id)}
            conditions = [
                reviews.Condition(
                    text=text,
                    due_on=story.today() + timedelta(days=days),
                    closes_at=max(company.data_classes),
                    finding=numbers.get(key),
                )
                for key, text, days in company.conditions
            ]
            decision = reviews.propose_decision(
                tx,
                review=review,
                outcome=outcome,
                conditions=conditions,
                valid_until=None if outcome is Outcome.REJECT else story.today() + timedelta(days=life),
                reason="Agreed with the owner of the work, who accepts what is still open."
                if deviates(outcome, suggested)
                else "",
                letter="Thank you for clear answers and documents that say what they prove."
                if outcome is not Outcome.REJECT
                else "The two knock-outs below stand between you and an approval. Both can be closed by proof.",
                row_version=review.row_version,
                sealer=self._sealer(),
            )
            decision_id, digest, waiting = decision.id, decision.digest, decision.decided_at is None
        if waiting and company.stage is not Stage.TO_COSIGN:
            with self._ledger.begin(second) as tx:
                decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
                reviews.sign_decision(tx, decision=decision, digest_seen=digest, sealer=self._sealer())

    def _sealer(self) -> Signer:
        """Return what signs records, also those of days before the house had its key."""
        early = self._story.today() - timedelta(days=2 * 365)
        begun = datetime(early.year, early.month, early.day, tzinfo=UTC)
        return Signer([replace(key, not_before=min(key.not_before, begun)) for key in self._story.then.signer.keys])

    def follow_up(self, sender: Actor, signatory: Actor) -> None:
        """Send proof for findings as far as the company goes, close what it calls closed, ask for a second look."""
        self._send_plans(sender)
        self._accept_risk()
        self._send_proofs(sender)
        if self._company.appeal:
            self._story.at(days_ago=1)
            with self._ledger.begin(signatory) as tx:
                outcome = assessments.outcomes_of(tx, self._vendor_id)[0]
                second_look.ask(tx, outcome=outcome, reason=self._company.appeal)

    def _escalate(self, reviewer: Actor, review_id: UUID) -> None:
        story = self._story
        with self._ledger.begin(reviewer) as tx:
            reviews.escalate(
                tx,
                review=reviews.get(tx, review_id, Action.DECISION_PREPARE),
                to=[some(story.lab("Hana Kobayashi").id)],
                reason="The logs end after six months, and the project wants to begin next week. Do we bear that?",
                due_on=story.today() + timedelta(days=8),
            )

    def _send_plans(self, vendor: Actor) -> None:
        """Say what is done about findings and by when; the lab agrees, and an owner is named."""
        for key in self._company.plans:
            self._story.at(days_ago=9)
            with self._ledger.begin(vendor) as tx:
                line = next(each for each in findings.shared_with(tx, self._vendor_id) if each.question_key == key)
                finding = remedies.of_vendor(tx, line.id, Action.FINDING_ANSWER)
                planning.name_owner(tx, finding=finding, person_id=vendor.id, row_version=finding.row_version)
                tx.session.refresh(finding)
                step = planning.send_plan(
                    tx,
                    finding=finding,
                    words="The rule goes out to the first site on Monday and to the others two weeks later. We send "
                    "its export and the list of sites.",
                    by_day=self._story.today() + timedelta(days=40),
                    row_version=finding.row_version,
                )
                step_id = step.id
            self._story.at(days_ago=8)
            with self._ledger.begin(self._story.lab("Ines Valdarno")) as tx:
                finding = judging.get(tx, line.id, Action.FINDING_FOLLOW)
                following.agree_plan(
                    tx,
                    finding=finding,
                    step_id=step_id,
                    note="Good. The export of every site closes it.",
                    row_version=finding.row_version,
                )

    def _accept_risk(self) -> None:
        """Live with a finding for two months: a reviewer proposes it, a lead approver confirms the same text."""
        if not self._company.lives_with:
            return
        story = self._story
        story.at(days_ago=6)
        with self._ledger.begin(story.lab("Ines Valdarno")) as tx:
            line = next(
                each
                for each in findings.of_assessment(tx, self._assessment_id)
                if each.question_key == self._company.lives_with
            )
            finding = judging.get(tx, line.id, Action.RISK_PROPOSE)
            proposed = acceptances.propose(
                tx,
                finding=finding,
                reason="Six people are left to train, and none of them sees our data before. The list comes weekly.",
                owner_id=story.lab("Hana Kobayashi").id,
                until=story.today() + timedelta(days=60),
                row_version=finding.row_version,
            )
            acceptance_id, digest = proposed.id, proposed.digest
        story.at(days_ago=5)
        with self._ledger.begin(story.lab("Hana Kobayashi")) as tx:
            finding = judging.get(tx, line.id, Action.RISK_CONFIRM)
            row = acceptances.get(tx, finding, acceptance_id, Action.RISK_CONFIRM)
            acceptances.confirm(tx, acceptance=row, digest_seen=digest)

    def _send_proofs(self, vendor: Actor) -> None:
        if not self._company.proofs:
            return
        key, becomes = self._company.proofs
        self._story.at(days_ago=3)
        with self._ledger.begin(vendor) as tx:
            line = next(each for each in findings.shared_with(tx, self._vendor_id) if each.question_key == key)
            ready = [each for each in evidence.library(tx) if each.can_open and each.replaced_by is None]
            proof = min(ready, key=lambda each: (each.kind != "SCR", each.kind != "POL"))
            step = remedies.send_proof(
                tx,
                finding=remedies.of_vendor(tx, line.id),
                evidence=evidence.get(tx, proof.id, Action.EVIDENCE_READ),
                pages="1",
                note="It holds for everybody since the first of the month. The first page shows it.",
                row_version=line.row_version,
            )
        if becomes != "closed":
            return
        self._story.at(days_ago=2)
        with self._ledger.begin(self._story.lab("Ines Valdarno")) as tx:
            finding = judging.get(tx, line.id, Action.REMEDY_VERIFY)
            judging.verify(
                tx,
                finding=finding,
                remedy_id=step.id,
                note="Read in full. Thank you.",
                row_version=finding.row_version,
            )

    def _pause(self) -> None:
        self._story.at(days_ago=2)
        with self._ledger.begin(self._story.lab("Ines Valdarno")) as tx:
            vendor = vendors.get(tx, self._vendor_id, Action.PAUSE)
            row = gate.pause(tx, vendor=vendor, reason="The vendor reported stolen laptops at 07:50; scope unknown.")
            pause_id = row.id
        self._story.at(days_ago=0.5)
        with self._ledger.begin(self._story.lab("Hana Kobayashi")) as tx:
            row = gate.get_pause(tx, pause_id, Action.RESUME)
            gate.ask_resume(
                tx,
                pause=row,
                plan="Laptops were encrypted and wiped; sessions ended; access log of the window read and clean.",
                row_version=row.row_version,
            )


def _proofs(tx: Tx, review: Review, key: str) -> Sequence[UUID]:
    statement = sa.select(AttestedCitation.citation_id).where(
        AttestedCitation.attestation_id == review.attestation_id, AttestedCitation.question_key == key
    )
    return tx.session.execute(statement.order_by(AttestedCitation.citation_id)).scalars().all()


def snooze(story: Story, assessment_id: UUID) -> None:
    """A reviewer sets a review aside that nobody took yet."""
    story.at(days_ago=1)
    with story.then.ledger.begin(story.lab("Ines Valdarno")) as tx:
        review = some(reviews.latest(tx, assessment_id))
        reviews.snooze(
            tx,
            review=review,
            until=story.today() + timedelta(days=7),
            reason="The project begins in January; its owner asks for the others first.",
            row_version=review.row_version,
        )


def check_newer(story: Story, *, cited: UUID, newer: UUID) -> None:
    """A reviewer verifies a newer revision and says that it proves what the cited one did."""
    reviewer = story.lab("Ines Valdarno")
    with story.then.ledger.begin(reviewer) as tx:
        row = evidence.get(tx, newer, Action.EVIDENCE_JUDGE)
        evidence.open_file(tx, evidence=row)
        evidence.verify(tx, evidence=row, note="Newer list, same companies.", row_version=row.row_version)
    with story.then.ledger.begin(reviewer) as tx:
        row = evidence.get(tx, newer, Action.EVIDENCE_JUDGE)
        uses = sa.select(Citation.id).where(Citation.evidence_id == cited, Citation.removed_at.is_(None))
        for citation_id in tx.session.execute(uses.order_by(Citation.id)).scalars().all():
            reviews.recheck(tx, citation_id=citation_id, evidence=row)


def _asked(tx: Tx, review: Review) -> list[str]:
    return [key for key, signed in reviews.attested_of(tx, review).snapshot.answers.items() if signed.is_asked]


def some(value: T | None) -> T:
    """Return what must be there.

    :raises LookupError: if it is not.
    """
    if value is None:
        raise LookupError("the demo's story lost its thread")
    return value
