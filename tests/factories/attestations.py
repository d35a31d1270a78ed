"""A vendor at its desk: people, an assessment, and answers given through the service until it is signed."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.evidence.models import Evidence
from portal.kernel.actor import Actor, system
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import FactKind, Kind, Owner, Question, Questionnaire, ScopingFact
from portal.terms import EvidenceState, Role, ScanState
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories import moulds
from tests.factories.assessments import make_assessment
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement, make_vendor

LAB = "Orrery"
ALL = ("authority", "truth", "changes")
_files = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """An assessment of a vendor with the three people who bring it home."""

    house: House
    vendor_id: UUID
    engagement_id: UUID
    assessment_id: UUID
    questionnaire: Questionnaire
    respondent: Person
    admin: Person
    signatory: Person

    @contextmanager
    def at(self, actor: Actor) -> Iterator[tuple[Tx, Assessment]]:
        """Yield a transaction of somebody, with the assessment."""
        with self.house.ledger.begin(actor) as tx:
            yield tx, assessments.get(tx, self.assessment_id, Action.ASSESSMENT_READ)

    def save(self, key: str, raw: dict[str, Any], *, version: int | None = None, actor: Actor | None = None) -> Any:
        """Save an answer as the respondent; over whatever is there unless a version is given."""
        with self.at(actor or self.respondent.actor) as (tx, row):
            line = attestations.answers_of(tx, row).get(key)
            seen = (line.version if line else 0) if version is None else version
            return attestations.save_answer(tx, assessment=row, question_key=key, raw=raw, version=seen)

    def visible(self) -> tuple[Question, ...]:
        """Return the questions asked now."""
        with self.at(self.admin.actor) as (tx, row):
            return attestations.standing(tx, row).visible()

    def settle_scoping(self, *, yes: Collection[str] = ()) -> None:
        """Confirm what the lab stated, and state the rest as little as possible.

        :param yes: the facts that are so all the same.
        """
        with self.at(self.admin.actor) as (tx, row):
            for line in assessments.scoping_of(tx, row):
                if line.definition.owner is Owner.VENDOR:
                    raw = {"choice": "yes"} if line.key in yes else least(line.definition)
                    assessments.state_fact(tx, assessment=row, key=line.key, value=raw, version=line.version)
                elif line.needs_confirmation:
                    assessments.confirm_fact(tx, assessment=row, key=line.key, version=line.version)

    def answer(self, *, leave: Collection[str] = ()) -> None:
        """Answer everything that is asked, with a comment in place of every file."""
        while todo := [each for each in self._unanswered() if each.key not in leave]:
            with self.at(self.admin.actor) as (tx, row):
                for question in todo:
                    raw = good_answer(question)
                    attestations.save_answer(tx, assessment=row, question_key=question.key, raw=raw, version=0)

    def _unanswered(self) -> list[Question]:
        with self.at(self.admin.actor) as (tx, row):
            there = attestations.answers_of(tx, row)
            return [each for each in attestations.standing(tx, row).visible() if each.key not in there]

    def complete(self, *, yes: Collection[str] = ()) -> None:
        """Bring it to where it can be signed."""
        self.settle_scoping(yes=yes)
        self.answer()

    def form(self) -> dict[str, Any]:
        """Return what the page of the signature holds now."""
        with self.at(self.signatory.fresh) as (tx, row):
            return {
                "row_version": row.row_version,
                "digest_seen": attestations.preview_digest(tx, row, lab_name=LAB),
                "full_name": self.signatory.full_name,
                "statements": ALL,
                "lab_name": LAB,
                "address": "192.0.2.7",
                "factor": "totp",
            }

    def sign(self, **given: Any) -> UUID:
        """Sign what is there; return the id of the attestation."""
        form = {**self.form(), **given}
        with self.at(self.signatory.fresh) as (tx, row):
            return attestations.sign(tx, assessment=row, **form).id

    def send_back(self, *keys: str) -> None:
        """Take the signed revision into review and send questions back with a message on each."""
        with self.at(system("test")) as (tx, row):
            assessments.take_into_review(tx, assessment=row)
            for key in keys:
                attestations.post_message(tx, assessment=row, question_key=key, body="Who can open the seal?")
            assessments.request_changes(tx, assessment=row, keys=keys)

    def reply(self, key: str) -> None:
        """Answer the lab's question in the conversation."""
        with self.at(self.respondent.actor) as (tx, row):
            attestations.post_message(tx, assessment=row, question_key=key, body="Two people, and it alerts us.")

    def file(self, **fields: Any) -> UUID:
        """Put a file into the library; return its id."""
        with self.house.ledger.begin(system("test")) as tx:
            return make_file(tx, vendor_id=self.vendor_id, uploaded_by=self.respondent.id, **fields).id

    def cite(self, key: str, evidence_id: UUID, pages: str = "", quote: str = "") -> UUID:
        """Attach a file to an answer; return the citation's id."""
        with self.at(self.respondent.actor) as (tx, row):
            evidence = tx.session.get_one(Evidence, evidence_id)
            cited = attestations.cite(tx, assessment=row, question_key=key, evidence=evidence, pages=pages, quote=quote)
            return cited.id


def desk(
    house: House,
    *,
    slug: str = "ai-contractor-minimal",
    name: str = "Quillmark Annotation",
    source: bytes | None = None,
    **engaged: Any,
) -> Desk:
    """Ask a vendor to attest, with a respondent, a vendor admin and a signatory on its side.

    :param source: the questionnaire, if it is the test's own.
    """
    made = moulds.cast(
        house,
        "desk",
        lambda new: _desk(new, slug=slug, name=name, source=source, **engaged),
        given=(slug, name, source, engaged),
    )
    return replace(made, house=house)


def _desk(house: House, *, slug: str, name: str, source: bytes | None = None, **engaged: Any) -> Desk:
    with house.ledger.begin(system("test")) as tx:
        vendor: Vendor = make_vendor(tx, name)
        engagement: Engagement = make_engagement(tx, vendor, **engaged)
        row = make_assessment(tx, vendor=vendor, engagement=engagement, slug=slug, source=source)
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
        vendor_id, engagement_id, assessment_id = vendor.id, engagement.id, row.id
    return Desk(
        house=house,
        vendor_id=vendor_id,
        engagement_id=engagement_id,
        assessment_id=assessment_id,
        questionnaire=questionnaire,
        respondent=person(house, roles=[Role.RESPONDENT], vendor=vendor_id, name="Priya Raghunath"),
        admin=person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor_id, name="Marisol Dufour"),
        signatory=person(house, roles=[Role.SIGNATORY], vendor=vendor_id, name="Daniel Osei"),
    )


def make_attestation(house: House, **given: Any) -> tuple[Desk, UUID]:
    """Return a desk whose answers are complete and signed, and the attestation's id."""
    made, signed = moulds.cast(house, "attestation", lambda new: _attestation(new, **given), given=given)
    return replace(made, house=house), signed


def _attestation(house: House, **given: Any) -> tuple[Desk, UUID]:
    made = desk(house, **given)
    made.complete()
    return made, made.sign()


def make_file(tx: Tx, *, vendor_id: UUID, uploaded_by: UUID, **fields: Any) -> Evidence:
    """Put a scanned PDF of twelve pages into a vendor's library."""
    number = next(_files)
    given: dict[str, Any] = {
        "kind": "POL",
        "title": f"Access policy {number}",
        "file_name": f"access-policy-{number}.pdf",
        "bucket": "evidence",
        "object_key": f"{vendor_id}/{number}",
        "version_id": f"v{number}",
        "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        "size": 1_000,
        "mime": "application/pdf",
        "page_count": 12,
        "state": EvidenceState.ATTACHED,
        "scan": ScanState.CLEAN,
        "created_at": tx.now,
        "received_at": tx.now,
        "expires_at": tx.now + timedelta(hours=1),
        "valid_until": date(2027, 9, 30),
    }
    row = Evidence(id=tx.new_id(), vendor_id=vendor_id, uploaded_by=uploaded_by, **{**given, **fields})
    tx.session.add(row)
    tx.session.flush()
    return row


def good_answer(question: Question) -> dict[str, Any]:
    """Return the form of a complete answer with full credit, and a comment in place of a file."""
    raw: dict[str, Any] = {"comment": "Shown to you on a call; the file may not leave us."}
    if question.kind is Kind.NUMBER:
        return {**raw, "number": "1"}
    if question.kind is Kind.MANY_CHOICES:
        return {**raw, "choices": [question.options[0].key] if question.options else []}
    if question.kind is Kind.DATE:
        return {**raw, "day": "2026-11-01"}
    if question.kind is Kind.TEXT:
        return {**raw, "text": "As agreed."}
    if question.kind is Kind.RANGE:
        return {**raw, "from": "2025-10-01", "to": "2026-09-30"}
    if question.kind is Kind.URL:
        return {**raw, "url": "https://trust.example/security"}
    if question.kind in (Kind.TABLE, Kind.FILE):
        return raw
    best = max(question.choices, key=lambda option: option.credit or 0)
    return {**raw, "choice": best.key}


def least(fact: ScopingFact) -> dict[str, Any]:
    """Return the form of a scoping fact that states as little as it can."""
    if fact.kind is FactKind.NUMBER:
        return {"number": "40"}
    if fact.kind is FactKind.YES_NO:
        return {"choice": "no"}
    return {"choices": []} if fact.kind is FactKind.CHOICES else {}
