"""A world small enough to be made fifty times a second or so: three questions, vendors without ceremony, cases at any
stage of their way. For races and for machines that walk through states."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence.models import Evidence
from portal.identity.models import RoleGrant, UserAccount
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer, SigningKey
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import service as reviews
from portal.reviews.models import Decision
from portal.terms import DecisionState, EvidenceState, Outcome, Role, Side, Verdict
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import ALL, LAB, make_file
from tests.factories.identity import FACTORY
from tests.factories.reviews import TIERS
from tests.factories.vendors import make_engagement, make_vendor

SOURCE = """\
slug: three
version: 1
title: "Three questions"
language: en
frameworks:
  csf: {name: "NIST CSF", version: "2.0"}
expects: {sections: 1, questions: 3, scoping: 0, domain_weight: 5, question_weight: 8}
scoping: []
sections:
  - key: access
    title: "Access"
    group: "Technical controls"
    summary: "Accounts and leavers"
    intro: "Who can reach our data, and how soon that ends."
    weight: 5
    questions:
      - {key: acc.mfa, revision: 1, label: "Second factor", text: "Every account needs a second factor.", kind: ynp,
         weight: 4, tiers: [1, 2, 3],
         evidence: {level: 2, kinds: [POL]}, guidance: "Count every account.", why: "Passwords are stolen.",
         strong: "All of them, enforced.", good_evidence: "The policy."}
      - {key: acc.keys, revision: 1, label: "Hardware keys", text: "The factor is a hardware key.", kind: ynp,
         weight: 2, tiers: [1, 2, 3], requires: "ans(acc.mfa)=yes",
         evidence: {level: 2, kinds: [POL]}, guidance: "All of them.", why: "Codes are phished.",
         strong: "All of them.", good_evidence: "The policy."}
      - {key: acc.logs, revision: 1, label: "Sign-in logs", text: "Sign-ins are logged and read.", kind: ynp,
         weight: 2, tiers: [1],
         evidence: {level: 2, kinds: [POL]}, guidance: "Of the last year.", why: "Odd ones show first.",
         strong: "Read daily.", good_evidence: "A page of the log."}
"""
MFA, KEYS, LOGS = "acc.mfa", "acc.keys", "acc.logs"
VENDOR_SIDE = frozenset({Role.RESPONDENT, Role.VENDOR_ADMIN, Role.SIGNATORY})
REQUIRED = {1: ("SOC2", "SPL", "PT", "INS"), 2: ("SOC2", "SPL"), 3: ("POL",)}
"""What the policy wants to see in each tier before it approves."""
UNTIL = timedelta(days=68)


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person who acts, without a password or an authenticator: only who they are, and what they may."""

    id: UUID
    name: str
    roles: frozenset[Role]
    vendor_id: UUID | None = None
    email: str = ""

    def acting(self, *, fresh: bool = True) -> Actor:
        """Return the person acting, with a factor shown moments ago unless said otherwise."""
        return Actor(
            kind=ActorKind.PERSON,
            id=self.id,
            name=self.name,
            vendor_id=self.vendor_id,
            roles=frozenset(self.roles),
            email=self.email,
            fresh=fresh,
        )


@dataclass(frozen=True, slots=True)
class Case:
    """One assessment of one vendor, by its ids."""

    vendor_id: UUID
    slug: str
    engagement_id: UUID
    assessment_id: UUID
    signatory: Somebody
    files: tuple[UUID, ...]


@dataclass
class World:
    """A house with a lab of seven and a questionnaire of three; cases are made when they are needed."""

    house: House
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    stock: dict[tuple[str, int], list[Any]] = field(default_factory=dict)

    @cached_property
    def lab(self) -> dict[str, Somebody]:
        """The people of the lab: r1, r2 review; l1, l2, l3 decide; lr does both; pa administers, au reads."""
        held = {
            "r1": [Role.REVIEWER],
            "r2": [Role.REVIEWER],
            "l1": [Role.LEAD_APPROVER],
            "l2": [Role.LEAD_APPROVER],
            "l3": [Role.LEAD_APPROVER],
            "lr": [Role.LEAD_APPROVER, Role.REVIEWER],
            "pa": [Role.PROGRAM_ADMIN],
            "pb": [Role.PROGRAM_ADMIN],
            "au": [Role.AUDITOR],
        }
        with self.house.ledger.begin(FACTORY) as tx:
            return {name: somebody(tx, name, roles) for name, roles in held.items()}

    @cached_property
    def sealer(self) -> Signer:
        """What signs the record of a decision; its key is in no file, so that the house can be copied."""
        private, now = bytes(range(32)), self.house.instant()
        life = timedelta(days=3_650)
        return Signer([SigningKey("swift", private, now - life, now + life)])

    def sealing(self) -> dict[str, Any]:
        """Return what a command needs that may make a decision count."""
        return {"sealer": self.sealer}

    def version(self, tx: Tx) -> QuestionnaireVersion:
        """Return the questionnaire, published if it is not yet."""
        return questionnaires.publish(tx, source=SOURCE.encode(), name="three")

    def take(self, stage: str, tier: int) -> Any:
        """Return a case at a stage of its way: one that was laid in, else a new one."""
        laid = self.stock.get((stage, tier))
        return laid.pop() if laid else getattr(self, stage)(tier=tier)

    def asked(self, *, tier: int = 2) -> Case:
        """Ask a new vendor to attest, in a tier."""
        number = next(self.numbers)
        with self.house.ledger.begin(FACTORY) as tx:
            vendor, (engagement,) = engaged(tx, number, tiers=[tier])
            row = asked(tx, vendor, engagement, self.version(tx))
            who = somebody(tx, f"v{number}", VENDOR_SIDE, vendor=vendor)
            return Case(vendor.id, vendor.slug, engagement.id, row.id, who, proof(tx, vendor, who, tier))

    def answered(self, *, tier: int = 2) -> Case:
        """Ask a new vendor, and answer everything."""
        made = self.asked(tier=tier)
        with self.house.ledger.begin(made.signatory.acting()) as tx:
            answer(tx, made.assessment_id, made.files)
        return made

    def signed(self, *, tier: int = 2) -> Case:
        """Ask a new vendor; it answers and signs at once."""
        made = self.asked(tier=tier)
        with self.house.ledger.begin(made.signatory.acting()) as tx:
            answer(tx, made.assessment_id, made.files)
            sign(tx, made.assessment_id, made.signatory)
        return made

    def judged(self, *, tier: int = 2) -> Case:
        """Go on until every answer is accepted, by r1."""
        made = self.signed(tier=tier)
        with self.house.ledger.begin(self.lab["r1"].acting()) as tx:
            review = reviews.latest(tx, made.assessment_id)
            assert review is not None
            reviews.claim(tx, review=review)
            accept(tx, review)
        return made

    def recommended(self, *, tier: int = 2) -> Case:
        """Go on until it waits for a decision; r1 reviewed it."""
        made = self.signed(tier=tier)
        with self.house.ledger.begin(self.lab["r1"].acting()) as tx:
            review = reviews.latest(tx, made.assessment_id)
            assert review is not None
            reviews.claim(tx, review=review)
            accept(tx, review)
            reviews.recommend(tx, review=review, note="Solid.", row_version=review.row_version)
        return made

    def proposed(self, *, tier: int = 1, by: str = "l1") -> tuple[Case, UUID]:
        """Go on until one lead proposed an approval that another has to sign."""
        made = self.recommended(tier=tier)
        return made, self.propose(made, by)

    def propose(self, case: Case, by: str, **given: Any) -> UUID:
        """Propose a decision as a lead; return its id."""
        with self.house.ledger.begin(self.lab[by].acting()) as tx:
            review = reviews.latest(tx, case.assessment_id)
            assert review is not None
            form = {"row_version": review.row_version, **self.sealing(), **approval(tx.now.date()), **given}
            return reviews.propose_decision(tx, review=review, **form).id

    def sign_decision(self, decision_id: UUID, by: str) -> DecisionState:
        """Sign what was proposed as another lead; return how far it came."""
        with self.house.ledger.begin(self.lab[by].acting()) as tx:
            decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
            seen = decision.digest
            return reviews.sign_decision(tx, decision=decision, digest_seen=seen, **self.sealing()).state

    def decision(self, decision_id: UUID) -> Decision:
        """Return a decision as stored."""
        with self.house.ledger.begin(FACTORY) as tx:
            return tx.session.get_one(Decision, decision_id)


def stocked(house: House, **wanted: Mapping[int, int]) -> World:
    """Return a world with so many cases of each stage and tier laid in, from a copy where another test had the same."""

    def made(new: House) -> World:
        world = World(new)
        world.lab  # noqa: B018 - made with the rest
        for stage, counts in wanted.items():
            for tier, count in counts.items():
                world.stock[stage, tier] = [getattr(world, stage)(tier=tier) for _ in range(count)]
        return world

    kept = moulds.cast(house, "swift", made, given=wanted)
    world = World(house, itertools.count(1_000), {key: list(cases) for key, cases in kept.stock.items()})
    world.lab = dict(kept.lab)
    return world


def somebody(tx: Tx, name: str, roles: Any, *, vendor: Vendor | None = None) -> Somebody:
    """Store a person with these roles, who never signs in."""
    side = Side.LAB if vendor is None else Side.VENDOR
    email = f"{name}@{'orrery' if vendor is None else vendor.slug}.example"
    row = UserAccount(
        id=tx.new_id(),
        email=email,
        full_name=f"Person {name}",
        side=side,
        vendor_id=vendor.id if vendor else None,
        password_hash="never used",
        created_at=tx.now,
        enrolled_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    long_ago = tx.now - timedelta(days=30)
    for role in sorted(roles):
        grant = RoleGrant(id=tx.new_id(), user_id=row.id, side=side, role=role, granted_by=None, granted_at=long_ago)
        tx.session.add(grant)
    tx.session.flush()
    return Somebody(row.id, row.full_name, frozenset(roles), row.vendor_id, email)


def engaged(tx: Tx, number: int, *, tiers: Any) -> tuple[Vendor, list[Engagement]]:
    """Take a vendor onto the list, engaged once in each of these tiers."""
    vendor = make_vendor(tx, f"Vendor{number} Labs", mail_domains=[f"vendor{number}.example"])
    made = [make_engagement(tx, vendor, **TIERS[tier]) for tier in tiers]
    assert [each.tier for each in made] == list(tiers)
    return vendor, made


def asked(tx: Tx, vendor: Vendor, engagement: Engagement, version: QuestionnaireVersion) -> assessments.Assessment:
    """Ask a vendor to attest on the three questions."""
    due = tx.now.date() + timedelta(days=28)
    return assessments.request(
        tx, vendor=vendor, engagement=engagement, questionnaire_version=version, due_on=due, title="Three"
    )


def proof(tx: Tx, vendor: Vendor, who: Somebody, tier: int) -> tuple[UUID, ...]:
    """Put the verified files that a tier requires into the vendor's library."""
    judged = {"state": EvidenceState.VERIFIED, "judged_by": who.id, "judged_at": tx.now}
    given = {"vendor_id": vendor.id, "uploaded_by": who.id, **judged}
    return tuple(make_file(tx, kind=kind, **given).id for kind in REQUIRED[tier])


def keys_in(tier: int) -> tuple[str, ...]:
    """Return the questions that a tier asks when all is answered with yes."""
    return (MFA, KEYS, LOGS) if tier == 1 else (MFA, KEYS)


def answer(tx: Tx, assessment_id: UUID, files: Sequence[UUID] = ()) -> None:
    """Answer everything that is asked with yes, as the actor; the first file proves all of it."""
    row = assessments.get(tx, assessment_id, Action.ASSESSMENT_READ)
    for key in keys_in(row.tier):
        attestations.save_answer(tx, assessment=row, question_key=key, raw={"choice": "yes"}, version=0)
        for file in files if key == MFA else files[:1]:
            evidence = tx.session.get_one(Evidence, file)
            attestations.cite(tx, assessment=row, question_key=key, evidence=evidence, pages="3")


def sign(tx: Tx, assessment_id: UUID, who: Somebody, **given: Any) -> UUID:
    """Sign what is there, as the actor."""
    row = assessments.get(tx, assessment_id, Action.ATTESTATION_SIGN)
    form = {**signature(tx, row, who), **given}
    return attestations.sign(tx, assessment=row, **form).id


def signature(tx: Tx, row: assessments.Assessment, who: Somebody) -> dict[str, Any]:
    """Return what the page of the signature holds now."""
    return {
        "row_version": row.row_version,
        "digest_seen": attestations.preview_digest(tx, row, lab_name=LAB),
        "full_name": who.name,
        "statements": ALL,
        "lab_name": LAB,
        "address": "192.0.2.7",
        "factor": "totp",
    }


def accept(tx: Tx, review: reviews.Review) -> None:
    """Accept every answer that has no verdict, as the actor."""
    said = reviews.verdict_lines(tx, review)
    for key, each in reviews.attested_of(tx, review).snapshot.answers.items():
        line = said.get(key)
        if each.is_asked and (line is None or line.verdict is None):
            version = line.version if line else 0
            reviews.judge(tx, review=review, question_key=key, verdict=Verdict.ACCEPT, version=version)


def approval(today: date, **given: Any) -> dict[str, Any]:
    """Return the form of an approval without conditions, with a reason in case the policy suggests otherwise."""
    fields: dict[str, Any] = {
        "outcome": Outcome.APPROVE,
        "conditions": (),
        "valid_until": today + UNTIL,
        "reason": "We know them well.",
        "letter": "Strong work.",
    }
    return {**fields, **given}
