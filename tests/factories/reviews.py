"""Reviewers and leads at work: a signed revision claimed, judged, recommended and decided through the service."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from portal.attestations import service as attestations
from portal.evidence.models import Evidence
from portal.kernel import signing
from portal.kernel.actor import Actor, system
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Decision, Review
from portal.reviews.service import Wrong
from portal.terms import EvidenceState, Outcome, Role, Severity, Verdict
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import Desk, desk, make_file
from tests.factories.identity import Person, person

TIERS: Mapping[int, dict[str, Any]] = {
    1: {"data_classes": [4], "access_modes": ["A3"], "project": "Heron evaluation"},
    2: {"data_classes": [3], "access_modes": ["A2"], "project": "Lark preferences"},
    3: {"data_classes": [1], "access_modes": ["A1"], "project": "Wren collection"},
}
"""What a vendor is engaged for, so that it falls into a tier."""

UNTIL = date(2027, 11, 23)


@dataclass
class Bench:
    """The lab's side of one assessment: two reviewers, three leads, an admin, and the vendor's desk."""

    house: House
    desk: Desk

    @cached_property
    def reviewer(self) -> Person:
        return person(self.house, roles=[Role.REVIEWER], name="Ines Valdarno")

    @cached_property
    def other(self) -> Person:
        return person(self.house, roles=[Role.REVIEWER], name="Tomasz Okoro")

    @cached_property
    def lead(self) -> Person:
        return person(self.house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")

    @cached_property
    def second(self) -> Person:
        return person(self.house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")

    @cached_property
    def third(self) -> Person:
        return person(self.house, roles=[Role.LEAD_APPROVER, Role.REVIEWER], name="Ada Lindqvist")

    @cached_property
    def admin(self) -> Person:
        return person(self.house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")

    @property
    def sealer(self) -> signing.Signer:
        """What signs records, with a key of this house."""
        signing.make_file(self.house.signing_keys, now=self.house.instant())
        return signing.load(self.house.signing_keys)

    @contextmanager
    def at(self, actor: Actor, action: Action = Action.REVIEW_READ) -> Iterator[tuple[Tx, Review]]:
        """Yield a transaction of somebody of the lab, with the review of the newest revision."""
        with self.house.ledger.begin(actor) as tx:
            found = reviews.latest(tx, self.desk.assessment_id)
            assert found is not None
            yield tx, reviews.get(tx, found.id, action)

    def claim(self, who: Person | None = None) -> None:
        """Take the review."""
        with self.at((who or self.reviewer).actor) as (tx, review):
            reviews.claim(tx, review=review)

    def judge(self, key: str, verdict: Verdict, *, who: Person | None = None, **given: Any) -> None:
        """Say something of one answer, over whatever was said."""
        with self.at((who or self.reviewer).actor) as (tx, review):
            said = reviews.verdict_lines(tx, review).get(key)
            given.setdefault("version", said.version if said else 0)
            reviews.judge(tx, review=review, question_key=key, verdict=verdict, **given)

    def flag(self, key: str, *, who: Person | None = None, **given: Any) -> None:
        """Write a finding about an answer."""
        self.judge(key, Verdict.FLAG, who=who, wrong=wrong(**given))

    def open_keys(self) -> list[str]:
        """Return the answers that nobody judged yet."""
        with self.at(self.reviewer.actor) as (tx, review):
            said = {key for key, line in reviews.verdict_lines(tx, review).items() if line.verdict is not None}
            answers = reviews.attested_of(tx, review).snapshot.answers
            return [key for key, each in answers.items() if each.is_asked and key not in said]

    def accept_rest(self, *, who: Person | None = None, leave: Collection[str] = ()) -> None:
        """Accept every answer that nobody judged yet."""
        with self.at((who or self.reviewer).actor) as (tx, review):
            said = reviews.verdict_lines(tx, review)
            for key, each in reviews.attested_of(tx, review).snapshot.answers.items():
                line = said.get(key)
                if each.is_asked and key not in leave and (line is None or line.verdict is None):
                    version = line.version if line else 0
                    reviews.judge(tx, review=review, question_key=key, verdict=Verdict.ACCEPT, version=version)

    def recommend(self, who: Person | None = None) -> None:
        """Finish the review."""
        with self.at((who or self.reviewer).actor) as (tx, review):
            reviews.recommend(tx, review=review, note="Solid.", row_version=review.row_version)

    def review(self, who: Person | None = None) -> None:
        """Claim, accept everything, recommend."""
        self.claim(who)
        self.accept_rest(who=who)
        self.recommend(who)

    def propose(self, who: Person, **given: Any) -> UUID:
        """Propose a decision; return its id."""
        with self.at(who.fresh) as (tx, review):
            form = {**proposal(), "row_version": review.row_version, "sealer": self.sealer, **given}
            return reviews.propose_decision(tx, review=review, **form).id

    def sign(self, who: Person, decision_id: UUID, **given: Any) -> None:
        """Sign a proposed decision as somebody else."""
        with self.house.ledger.begin(who.fresh) as tx:
            decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
            reviews.sign_decision(
                tx, decision=decision, **{"digest_seen": decision.digest, "sealer": self.sealer, **given}
            )

    def decision(self, decision_id: UUID) -> Decision:
        """Return a decision as stored."""
        with self.house.ledger.begin(system("test")) as tx:
            return reviews.get_decision(tx, decision_id, Action.REVIEW_READ)


def bench(
    house: House, *, tier: int = 2, slug: str = "ai-contractor-minimal", proven: bool = True, **given: Any
) -> Bench:
    """Return a bench whose vendor has signed its first revision: every answer at its best.

    :param proven: with verified files behind every answer, so that the policy approves; else with none, so that it
        holds.
    """
    asked = {"slug": slug, **TIERS[tier], **given}
    made = moulds.cast(house, "bench", lambda new: _signed(new, proven=proven, **asked), given=(proven, asked))
    # After the mould: a house with files of its own is not copied.
    signing.make_file(house.signing_keys, now=house.instant())
    return Bench(house, replace(made, house=house))


def _signed(house: House, *, proven: bool, **asked: Any) -> Desk:
    made = desk(house, **asked)
    made.complete()
    if proven:
        prove(made)
    made.sign()
    return made


def prove(made: Desk) -> None:
    """Put a verified file of every required kind behind every answer."""
    for kind in ("SOC2", "SPL", "PT", "INS", "DPA"):
        with made.house.ledger.begin(system("test")) as tx:
            file = make_file(
                tx,
                vendor_id=made.vendor_id,
                uploaded_by=made.respondent.id,
                kind=kind,
                state=EvidenceState.VERIFIED,
                judged_by=made.respondent.id,
                judged_at=tx.now,
            ).id
        keys = [each.key for each in made.visible() if each.is_scored] if kind == "SOC2" else [made.visible()[0].key]
        with made.at(made.respondent.actor) as (tx, row):
            evidence = tx.session.get_one(Evidence, file)
            for key in keys:
                attestations.cite(tx, assessment=row, question_key=key, evidence=evidence, pages="3")


def wrong(**given: Any) -> Wrong:
    """Return what is wrong with an answer, for the vendor to read."""
    fields: dict[str, Any] = {
        "severity": Severity.HIGH,
        "what": "65 laptops at one site have no disk encryption.",
        "closes_when": "An export shows every laptop encrypted.",
        "due_on": date(2027, 1, 15),
        "credit": 0,
    }
    return Wrong(**{**fields, **given})


def proposal(**given: Any) -> dict[str, Any]:
    """Return the form of an approval without conditions."""
    fields: dict[str, Any] = {
        "outcome": Outcome.APPROVE,
        "conditions": (),
        "valid_until": date(2027, 1, 31),
        "reason": "",
        "letter": "Strong work.",
    }
    return {**fields, **given}
