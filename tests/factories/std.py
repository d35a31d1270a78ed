"""The standard fixture of the acceptance cases: three vendors, the lab's people, two machines, and canaries everywhere.

A (tier 1) has its answers complete and unsigned. B (tier 2) was reviewed, decided and published once, and is asked
again for a second engagement. C (tier 3) is under review, with drafts, and paused. Every text of a vendor holds its
canary; every text that only the lab may read holds ``INTERNAL``; what is a draft until it is published, ``DRAFT``.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import service as evidence
from portal.evidence.models import Evidence
from portal.findings import remedies
from portal.findings import service as findings
from portal.gate import revoking
from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel import signing
from portal.kernel.actor import system
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import DetailField, FieldKind, Kind, Question
from portal.reviews import acceptances
from portal.reviews import remedies as judging
from portal.reviews import service as reviews
from portal.reviews.service import Condition
from portal.rulebook import service as rulebook
from portal.scoring.policies import SCORING
from portal.terms import DecisionState, EvidenceState, Outcome, Role, Scope, Side, Verdict
from portal.vendors import service as vendors
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.attestations import Desk, good_answer, make_file
from tests.factories.entered import make_report, rows_of
from tests.factories.evidence import make_evidence
from tests.factories.exchange import make_brought
from tests.factories.identity import Person, person
from tests.factories.passkeys import passkey_of
from tests.factories.questionnaires import SMALL
from tests.factories.reviews import Bench, proposal, wrong
from tests.factories.vendors import make_engagement, make_vendor
from tests.rules import files

FACTORY = system("test")
A, B, C = "CANA-4f19", "CANB-8e27", "CANC-2b63"
INTERNAL = "CANI-9d51"
DRAFT = "CAND-6a38"
TIERS: Mapping[int, Mapping[str, Any]] = {
    2: {"data_classes": [3], "access_modes": ["A2"]},
    3: {"data_classes": [1], "access_modes": ["A1"]},
}


@dataclass(frozen=True, slots=True)
class Party:
    """One vendor: its desk (respondent, admin, signatory), a second respondent, and the ids of what it owns."""

    canary: str
    slug: str
    desk: Desk
    second: Person
    own: Mapping[str, UUID]
    """By the name of the route's variable: assessment_id, citation_id, evidence_id, outcome_id, user_id …"""

    @property
    def people(self) -> tuple[Person, ...]:
        """The vendor's people by their roles: respondent, admin, signatory."""
        return self.desk.respondent, self.desk.admin, self.desk.signatory


@dataclass(frozen=True, slots=True)
class Std:
    """Everybody and everything."""

    house: House
    a: Party
    b: Party
    c: Party
    lab: Mapping[str, Person]
    """r1 and r2 review, l1, l2 and l3 decide, pa and pb administer, au reads."""
    tokens: Mapping[str, str]
    """gAll may ask about every vendor, gA about A alone."""

    def on(self, house: House) -> Std:
        """Return the same on another house, whose database and store are copies."""

        def moved(party: Party) -> Party:
            return dataclasses.replace(party, desk=dataclasses.replace(party.desk, house=house))

        return dataclasses.replace(self, house=house, a=moved(self.a), b=moved(self.b), c=moved(self.c))

    def bench(self, party: Party) -> Bench:
        """Return the lab's side of a vendor's assessment, with the fixture's own people at it."""
        made = Bench(self.house, party.desk)
        roles = {"reviewer": "r1", "other": "r2", "lead": "l1", "second": "l2", "third": "l3", "admin": "pa"}
        vars(made).update({name: self.lab[key] for name, key in roles.items()})
        return made


def std(house: House) -> Std:
    """Make everything, through the services."""
    signing.make_file(house.signing_keys, now=house.instant())
    lab = {
        "r1": person(house, roles=[Role.REVIEWER], name="Ines Valdarno"),
        "r2": person(house, roles=[Role.REVIEWER], name="Tomasz Okoro"),
        "l1": person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi"),
        "l2": person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold"),
        "l3": person(house, roles=[Role.LEAD_APPROVER, Role.REVIEWER], name="Ada Lindqvist"),
        "pa": person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves"),
        "pb": person(house, roles=[Role.PROGRAM_ADMIN], name="Olu Bankole", email="olu@orrery.example"),
        "au": person(house, roles=[Role.AUDITOR], name="Greta Holm"),
    }
    a = _party(house, "Quillmark", A, tier=1)
    b = _party(house, "Tessellate", B, tier=2)
    c = _party(house, "Meridian", C, tier=3)
    made = Std(house, a, b, c, lab, _tokens(house, lab["pa"], a))
    _speak_internally(made)
    _judge(made, b)
    outcome_id = _decide(made, b)
    again = _ask_again(house, b)
    b = dataclasses.replace(b, own={**b.own, "outcome_id": outcome_id, **again, "finding_id": _send_proof(house, b)})
    _judge(made, c)
    with house.ledger.begin(lab["l2"].fresh) as tx:
        meridian = tx.session.get_one(Vendor, c.desk.vendor_id)
        gate.pause(tx, vendor=meridian, reason=f"Odd sign-ins {INTERNAL}", sealer=house.signer)
    with house.ledger.begin(lab["l2"].fresh) as tx:
        (approval,) = revoking.revocable(tx, b.desk.vendor_id)
        tessellate = tx.session.get_one(Vendor, b.desk.vendor_id)
        revoking.ask(tx, vendor=tessellate, clearance_id=approval.clearance_id, reason=f"Report fell {INTERNAL}")
    _draft(house, lab["r1"], a)
    _policy_draft(house, lab["l1"])
    return dataclasses.replace(made, b=b)


def _draft(house: House, author: Person, party: Party) -> None:
    """Leave two drafts of questionnaires open: one with a change that nobody decided, one ready to be signed."""
    question = party.desk.questionnaire.questions[0]
    with house.ledger.begin(author.actor) as tx:
        asked = questionnaires.latest(tx, party.desk.questionnaire.slug)
        undecided = questionnaires.draft_from(tx, questionnaire_id=asked.id)
        text = bytes(undecided.source).decode().replace(f'"{question.label}"', f'"{question.label}."', 1)
        questionnaires.edit_draft(tx, draft=undecided, source=text.encode(), row_version=undecided.row_version)
        ready = SMALL.replace("Small questionnaire", f"Small questionnaire {INTERNAL}")
        questionnaires.create_draft(tx, source=ready.encode(), origin="import:vsaq", name="small.yaml", notes=[DRAFT])


def _policy_draft(house: House, author: Person) -> None:
    """Leave a sound draft of the scoring policy open, with a comment that only the lab may read."""
    with house.ledger.begin(author.actor) as tx:
        text = SCORING.first.replace("approve: 80", f"approve: 82  # {INTERNAL}", 1)
        rulebook.create_draft(tx, kind=SCORING, text=text)


def in_section(canary: str, section: str) -> str:
    """Return the word that stands in every answer and thread of a vendor's section, and nowhere else."""
    return f"{canary}-in-{section}."


def filled(question: Question, canary: str) -> dict[str, Any]:
    """Return the form of an answer with full credit, with the section's word in everything that can be typed."""
    word = in_section(canary, question.section)
    raw: dict[str, Any] = {**good_answer(question), "comment": f"Shown to you on a call {word}"}
    if question.kind is Kind.TEXT:
        raw["text"] = f"As agreed {word}"
    if question.kind is Kind.TABLE:
        raw |= {f"rows.0.{each.key}": f"Cell {word}" for each in question.columns if each.kind is FieldKind.TEXT}
    for field in question.details:
        raw |= _detail(field, word)
    return raw


def _detail(field: DetailField, word: str) -> dict[str, str]:
    if field.kind is FieldKind.TEXT:
        return {f"details.{field.key}": f"Detail {word}"}
    if field.kind is FieldKind.TABLE:
        texts = [each for each in field.columns if each.kind is FieldKind.TEXT]
        return {f"details.{field.key}.0.{each.key}": f"Cell {word}" for each in texts}
    return {}


def _party(house: House, word: str, canary: str, *, tier: int) -> Party:
    with house.ledger.begin(FACTORY) as tx:
        vendor = make_vendor(tx, f"{word} {canary}", legal_name=f"{word} {canary} Ltd")
        engagement = make_engagement(
            tx, vendor, project=f"Heron {canary}", purpose=f"Evaluation {canary}", **TIERS[max(tier, 2)]
        )
        if engagement.tier != tier:
            vendors.raise_tier(tx, engagement=engagement, tier=tier, reason=f"Sensitive project {INTERNAL}")
        row = make_assessment(tx, vendor=vendor, engagement=engagement, title=f"Baseline {canary}")
        questionnaire = questionnaires.compiled(tx, row.questionnaire_id)
        ids, slug = (vendor.id, engagement.id, row.id), vendor.slug
    key = word[0].lower()

    def somebody(role: Role, name: str) -> Person:
        email = f"{name.lower()}.{canary.lower()}@{word.lower()}.example"
        return person(house, roles=[role], vendor=ids[0], name=f"{name} {canary}", email=email)

    desk = Desk(
        house=house,
        vendor_id=ids[0],
        engagement_id=ids[1],
        assessment_id=ids[2],
        questionnaire=questionnaire,
        respondent=somebody(Role.RESPONDENT, "Priya"),
        admin=somebody(Role.VENDOR_ADMIN, "Marisol"),
        signatory=somebody(Role.SIGNATORY, "Daniel"),
    )
    second = somebody(Role.RESPONDENT, f"Second{key}")
    desk.settle_scoping()
    _answer(desk, canary)
    file = make_evidence(
        house,
        desk.respondent,
        files.pdf(pages=2, extra={100: b"(" + canary.encode() + b")"}),
        name=f"policy-{canary}.pdf",
        title=f"Policy {canary}",
    )
    report_id = make_report(
        house,
        desk.respondent,
        **{"exception_rows-0-text": f"Two kept access {canary}", "user_control_rows-0-text": f"Review yours {canary}"},
    )
    inside = rows_of(house, desk.respondent, report_id)
    first = desk.visible()[0]
    citation = desk.cite(first.key, file.id, "1")
    with desk.at(desk.respondent.actor) as (tx, row):
        body = f"Do you need it in full? {in_section(canary, first.section)}"
        attestations.post_message(tx, assessment=row, question_key=first.key, body=body)
    with desk.at(desk.signatory.actor) as (tx, row):
        attestations.send_back(
            tx,
            assessment=row,
            act_id=tx.new_id(),
            note=f"Read it again {canary}",
            people=[second.id],
            sections=[],
            notes={},
        )
        note_id = attestations.notes_of(tx, row)[0].id
    with house.ledger.begin(desk.admin.actor) as tx:
        invited = identity.invite(
            tx,
            email=f"guest.{canary.lower()}@{word.lower()}.example",
            full_name=f"Guest {canary}",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=desk.vendor_id,
            keyring=house.keyring,
        )
        session = identity.begin_session(
            tx, user=identity.get_person(tx, desk.admin.id), address="192.0.2.9", user_agent=canary, factor="totp"
        )
        own = {"invitation_id": invited.id, "session_id": session.session_id, "passkey_id": tx.new_id()}
        tx.session.add(passkey_of(second.id, own["passkey_id"], at=tx.now))
    own |= {
        "assessment_id": desk.assessment_id,
        "citation_id": citation,
        "note_id": note_id,
        "evidence_id": file.id,
        "report_id": report_id,
        "exception_id": inside.exceptions[0].id,
        "control_id": inside.controls[0].id,
        "user_id": second.id,
        **make_brought(desk, canary),
    }
    return Party(canary=canary, slug=slug, desk=desk, second=second, own=own)


def _answer(desk: Desk, canary: str) -> None:
    while todo := desk._unanswered():
        with desk.at(desk.respondent.actor) as (tx, row):
            for question in todo:
                attestations.save_answer(
                    tx, assessment=row, question_key=question.key, raw=filled(question, canary), version=0
                )


def _tokens(house: House, admin: Person, a: Party) -> dict[str, str]:
    made = {}
    for name, vendor_ids in (("gAll", None), ("gA", [a.desk.vendor_id])):
        with house.ledger.begin(admin.fresh) as tx:
            until = tx.now.replace(year=tx.now.year + 1)
            _, made[name] = identity.create_client(
                tx, name=f"{name} {INTERNAL}", scopes=[Scope.GATE_READ], vendor_ids=vendor_ids, expires_at=until
            )
    return made


def _speak_internally(made: Std) -> None:
    """Say of every vendor what no vendor may read."""
    for party in (made.a, made.b, made.c):
        with made.house.ledger.begin(made.lab["r2"].actor) as tx:
            vendor = tx.session.get_one(Vendor, party.desk.vendor_id)
            reviews.declare_conflict(tx, vendor=vendor, reason=f"Worked there {INTERNAL}")


def judged(made: Std, party: Party) -> None:
    """Sign and take into review; flag one answer, ask about none, note on both, leave one without a verdict."""
    _judge(made, party)


def _judge(made: Std, party: Party) -> None:
    bench = made.bench(party)
    _prove(party)
    party.desk.sign()
    bench.claim()
    first, second, *_ = bench.open_keys()
    with bench.at(bench.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key=first, body=f"They sound unsure {INTERNAL}")
        reviews.note_internal(tx, review=review, body=f"Ask legal {INTERNAL}")
    with made.house.ledger.begin(bench.reviewer.actor) as tx:
        row = tx.session.get_one(Evidence, party.own["evidence_id"])
        evidence.verify(tx, evidence=row, note="Thank you.", row_version=row.row_version)
    what = {"what": f"No disk encryption {DRAFT}.", "closes_when": f"An export shows it {DRAFT}."}
    bench.judge(first, Verdict.FLAG, wrong=wrong(credit=None, **what), note=f"I doubt it {INTERNAL}")
    bench.judge(second, Verdict.ACCEPT, note=f"Fine by me {INTERNAL}")


def _prove(party: Party) -> None:
    """Put a verified file of every required kind behind the answers, with bytes that are there."""
    desk, store = party.desk, party.desk.house.store
    for kind in ("SOC2", "SPL", "PT", "INS", "DPA"):
        body = files.pdf(extra={100: f"({kind} {party.canary})".encode()})
        key = f"incoming/vendor/{desk.vendor_id}/proof{kind.lower()}"
        stored = store.receive(key, io.BytesIO(body), content_type="application/pdf", max_bytes=len(body))
        fields: dict[str, Any] = {
            "bucket": stored.bucket,
            "object_key": stored.key,
            "version_id": stored.version_id,
            "sha256": stored.sha256,
            "size": stored.size,
            "page_count": 1,
            "title": f"{kind} {party.canary}",
            "file_name": f"{kind}-{party.canary}.pdf",
        }
        with desk.house.ledger.begin(FACTORY) as tx:
            file = make_file(
                tx,
                vendor_id=desk.vendor_id,
                uploaded_by=desk.respondent.id,
                kind=kind,
                state=EvidenceState.VERIFIED,
                judged_by=desk.respondent.id,
                judged_at=tx.now,
                **fields,
            ).id
        scored = [each.key for each in desk.visible() if each.is_scored]
        for question in scored if kind == "SOC2" else [desk.visible()[0].key]:
            desk.cite(question, file, "1")


def prepared(made: Std, party: Party) -> None:
    """Say what the lab says before it decides: a view, a review set aside, answers at once, a draft, an escalation."""
    bench, lead = made.bench(party), made.lab["l1"]
    with bench.at(bench.reviewer.actor) as (tx, review):
        reviews.save_view(tx, name=f"Doubtful {INTERNAL}", wanted=reviews.Wanted(tier=1))
        reviews.snooze(tx, review=review, until=tx.now.date() + timedelta(days=3), reason=f"Ask legal {INTERNAL}")
    with bench.at(bench.reviewer.actor) as (tx, review):
        reviews.wake(tx, review=review)
    finished(made, party)
    with bench.at(lead.actor) as (tx, review):
        body = {"outcome": "reject", "reason": f"Too thin {INTERNAL}", "letter": f"We pass {DRAFT}"}
        reviews.save_draft(tx, review=review, body=body, basis={}, row_version=0)
    with bench.at(lead.actor) as (tx, review):
        due = tx.now.date() + timedelta(days=3)
        reason = f"Two reports disagree {INTERNAL}"
        reviews.escalate(tx, review=review, to=[made.lab["l2"].id], reason=reason, due_on=due)


def risk_accepted(made: Std, party: Party) -> None:
    """Return its proof, and let two people of the lab live with what was found."""
    bench = made.bench(party)
    with made.house.ledger.begin(bench.reviewer.actor) as tx:
        row = judging.get(tx, party.own["finding_id"], Action.REMEDY_RETURN)
        step = judging.steps_of(tx, row)[-1].id
        judging.give_back(tx, finding=row, remedy_id=step, note="Which site?", row_version=row.row_version)
    with made.house.ledger.begin(bench.third.fresh) as tx:
        row = judging.get(tx, party.own["finding_id"], Action.RISK_PROPOSE)
        until = tx.now.date() + timedelta(days=60)
        reason, owner = f"Watched weekly {INTERNAL}", bench.second.id
        risk_id = acceptances.propose(
            tx, finding=row, reason=reason, owner_id=owner, until=until, row_version=row.row_version
        ).id
    with made.house.ledger.begin(bench.second.fresh) as tx:
        row = judging.get(tx, party.own["finding_id"])
        risk = acceptances.get(tx, row, risk_id, Action.RISK_CONFIRM)
        acceptances.confirm(tx, acceptance=risk, digest_seen=risk.digest)


def finished(made: Std, party: Party) -> None:
    """Judge the rest and recommend."""
    bench = made.bench(party)
    bench.accept_rest()
    with bench.at(bench.reviewer.actor) as (tx, review):
        reviews.recommend(tx, review=review, note=f"Take them {INTERNAL}", row_version=review.row_version)


def terms(**given: Any) -> dict[str, Any]:
    """Return the form of an approval with a condition, its letter a draft until it is published."""
    fields: dict[str, Any] = {
        "outcome": Outcome.APPROVE_WITH_CONDITIONS,
        "conditions": (Condition(f"Encrypt every laptop {DRAFT}", date(2027, 1, 15)),),
        "reason": f"The board wants them {INTERNAL}",
        "letter": f"Good work {DRAFT}.",
    }
    return proposal(**{**fields, **given})


def _decide(made: Std, party: Party) -> UUID:
    bench = made.bench(party)
    finished(made, party)
    decision_id = bench.propose(bench.lead, **terms())
    decided = bench.decision(decision_id)
    if decided.state is DecisionState.PROPOSED:
        bench.sign(bench.second, decision_id)
    with made.house.ledger.begin(FACTORY) as tx:
        (outcome,) = assessments.outcomes_of(tx, party.desk.vendor_id)
        return outcome.id


def _send_proof(house: House, party: Party) -> UUID:
    """Send proof for what was found; the lab has not looked at it."""
    with house.ledger.begin(party.desk.respondent.actor) as tx:
        (told,) = findings.shared_with(tx, party.desk.vendor_id)
        remedies.send_proof(
            tx,
            finding=remedies.of_vendor(tx, told.id),
            evidence=evidence.get(tx, party.own["evidence_id"], Action.EVIDENCE_READ),
            pages="1",
            note=f"It is encrypted now {party.canary}",
            row_version=told.row_version,
        )
        return told.id


def _ask_again(house: House, party: Party) -> dict[str, UUID]:
    """Ask the vendor for a second engagement; it signs at once, and nobody has claimed it."""
    with house.ledger.begin(FACTORY) as tx:
        vendor = tx.session.get_one(Vendor, party.desk.vendor_id)
        engagement = make_engagement(tx, vendor, project=f"Lark {party.canary}", **TIERS[2])
        row = make_assessment(tx, vendor=vendor, engagement=engagement, title=f"Second {party.canary}")
        new_id = row.id
    again = dataclasses.replace(party.desk, assessment_id=new_id)
    again.settle_scoping()
    _answer(again, party.canary)
    again.sign()
    return {"open_assessment_id": new_id}
