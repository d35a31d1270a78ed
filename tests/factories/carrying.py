"""A vendor that signed once and is asked again: a small questionnaire in two versions, and the way between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.kernel.actor import Actor, system
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Owner, compile_yaml
from portal.terms import Role
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories import moulds
from tests.factories.assessments import make_questionnaire
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.factories.vendors import make_engagement, make_vendor

FACTORY = system("test")
Raw = Mapping[str, str | Sequence[str]]

HEAD = """\
slug: renewal
version: 1
title: "Renewal"
language: en
frameworks:
  csf: {name: "NIST CSF", version: "2.0"}
evidence_offset: 0
expects: {sections: 2, questions: 9, scoping: 3, domain_weight: 5, question_weight: 18}
scoping:
  - key: scp.access
    label: "Access modes"
    text: "How do your people reach our data?"
    owner: lab
    vendor_confirms: true
    kind: choices
    options:
      - {key: A1, label: "In our tool", sets: [A1]}
      - {key: A2, label: "In your tool", sets: [A2]}
      - {key: A3, label: "By download", sets: [A3]}
  - key: scp.workforce
    label: "Workforce"
    text: "Who does the work?"
    owner: vendor
    kind: choices
    options:
      - {key: employees, label: "Employees"}
      - {key: crowd, label: "Open crowd", sets: [crowd]}
  - key: scp.office
    label: "Offices"
    text: "Do people work at a site of yours?"
    owner: vendor
    kind: yesno
    options:
      - {key: "yes", label: "Yes", sets: [office]}
      - {key: "no", label: "No"}
sections:
"""

ACCESS = """\
  - key: acc
    title: "Access"
    group: "Technical controls"
    summary: "Accounts and leavers"
    intro: "Who can reach our data, and how soon that ends."
    weight: 3
    questions:
"""

PEOPLE = """\
  - key: ppl
    title: "People"
    group: "Assurance"
    summary: "Checks and training"
    intro: "Who works for you, and what they know."
    weight: 2
    questions:
"""


def question(key: str, label: str, text: str, kind: str, *lines: str, revision: int = 1, level: int = 2) -> str:
    """Return one question as the file says it."""
    shown = "".join(f"        {line}\n" for line in lines)
    return f"""\
      - key: {key}
        revision: {revision}
        label: "{label}"
        text: "{text}"
        kind: {kind}
        weight: 2
        tiers: [1, 2, 3]
        evidence: {{level: {level}, kinds: [POL]}}
{shown}        guidance: "Think of the last year."
        why: "It has gone wrong before."
        strong: "All of it, with a record."
        good_evidence: "The last record."
"""


MFA = question("acc.mfa", "Second factor", "Every account needs a second factor.", "yn")
SSO = question(
    "acc.sso", "Central sign-in", "Sign-in is central.", "yn", 'when: "A1 or A2 or A3"', 'requires: "ans(acc.mfa)=yes"'
)
LEAVERS = question(
    "acc.leavers",
    "Leavers",
    "Hours until accounts of leavers are disabled.",
    "num",
    "unit: hours",
    "steps:",
    '  - {when: "<=24", credit: 100}',
    '  - {when: "<=72", credit: 50}',
    "  - {when: else, credit: 0, label: more}",
)
REVIEWS = question(
    "acc.reviews",
    "Access reviews",
    "How often do you review who has access?",
    "c1",
    "options:",
    '  - {key: quarterly, label: "Every quarter", credit: 100}',
    '  - {key: yearly, label: "Every year", credit: 50}',
    '  - {key: never, label: "Less often", credit: 0}',
)
VETTING = question("ppl.vetting", "Vetting", "People are vetted before they start.", "ynp")
TRAINING = question(
    "ppl.training",
    "Training",
    "How often are people trained?",
    "c1",
    "options:",
    '  - {key: monthly, label: "Every month", credit: 100}',
    '  - {key: yearly, label: "Every year", credit: 50}',
    '  - {key: never, label: "Never", credit: 0}',
)
BADGES = question("ppl.badges", "Badges", "People wear badges.", "yn")
CROWD = question("ppl.crowd", "Crowd checks", "You check who is in the crowd.", "yn", 'when: "crowd"')
DESKS = question("ppl.desks", "Clear desks", "Desks are cleared at night.", "yn")

V1 = HEAD + ACCESS + MFA + SSO + LEAVERS + REVIEWS + PEOPLE + VETTING + TRAINING + BADGES + CROWD + DESKS

V2 = (
    HEAD.replace("version: 1\ntitle", "version: 2\ntitle").replace(
        "Do people work at a site of yours?", "Do people who see our data work at a site of yours?"
    )
    + ACCESS
    + MFA
    + SSO
    + LEAVERS
    + REVIEWS
    + PEOPLE
    + VETTING.replace("revision: 1", "revision: 2").replace("before they start", "before they start, each year again")
    + TRAINING.replace("key: monthly", "key: weekly").replace("Every month", "Every week")
    + CROWD
    + DESKS
    + question("ppl.phones", "Phones", "Phones stay outside.", "yn")
)
"""Vetting claims more, training has another best option, badges are gone, phones are new; offices are asked anew."""

SHOWN = "Shown on a call."
"""A comment in place of a file."""

ANSWERS: Mapping[str, Raw] = {
    "acc.mfa": {"choice": "yes"},
    "acc.sso": {"choice": "yes", "comment": "One directory."},
    "acc.leavers": {"number": "24", "comment": SHOWN},
    "acc.reviews": {"choice": "yearly", "comment": SHOWN},
    "ppl.vetting": {"choice": "partial", "comment": "Staff only.", "planned_on": "2027-03-01"},
    "ppl.training": {"choice": "monthly", "comment": SHOWN},
    "ppl.badges": {"choice": "no"},
    "ppl.desks": {"na": "1", "na_reason": "We have no desks."},
}
"""What the vendor says to version 1. The open crowd is not its workforce."""


REST: Mapping[str, Raw] = {
    "ppl.vetting": {"choice": "yes", "comment": SHOWN},
    "ppl.training": {"choice": "weekly", "comment": SHOWN},
    "ppl.phones": {"choice": "yes", "comment": SHOWN},
}
"""What version 2 asks beyond what came over."""


def publish(house: House, text: str) -> UUID:
    """Publish a version; return its id."""
    with house.ledger.begin(FACTORY) as tx:
        return questionnaires.publish(tx, source=text.encode(), name="renewal").id


def first_desk(house: House, text: str = V1, *, name: str = "Quillmark Annotation", **engaged: Any) -> Desk:
    """Ask a vendor for the first time."""
    version_id = publish(house, text)
    with house.ledger.begin(FACTORY) as tx:
        vendor = make_vendor(tx, name)
        engagement = make_engagement(tx, vendor, **engaged)
        own = (vendor.id, engagement.id)
    respondent, admin, signatory = (
        person(house, roles=[role], vendor=own[0], name=who)
        for role, who in (
            (Role.RESPONDENT, "Priya Raghunath"),
            (Role.VENDOR_ADMIN, "Marisol Dufour"),
            (Role.SIGNATORY, "Daniel Osei"),
        )
    )
    asked = ask(house, own[0], own[1], version_id)
    with house.ledger.begin(FACTORY) as tx:
        questionnaire = questionnaires.compiled(tx, version_id)
    return Desk(house, own[0], own[1], asked, questionnaire, respondent, admin, signatory)


def ask(house: House, vendor_id: UUID, engagement_id: UUID, version_id: UUID) -> UUID:
    """Ask a vendor on a published version; return the assessment's id."""
    with house.ledger.begin(FACTORY) as tx:
        return assessments.request(
            tx,
            vendor=tx.session.get_one(Vendor, vendor_id),
            engagement=tx.session.get_one(Engagement, engagement_id),
            questionnaire_version=tx.session.get_one(QuestionnaireVersion, version_id),
            due_on=tx.now.date(),
        ).id


def state(desk: Desk, **raw: Raw) -> None:
    """State or confirm the scoping; by name without its prefix, what is not given is as little as possible."""
    least: Mapping[str, Raw] = {"workforce": {"choices": ["employees"]}, "office": {"choice": "no"}}
    given = {**least, **raw}
    with desk.at(desk.admin.actor) as (tx, row):
        for line in assessments.scoping_of(tx, row):
            if line.owner is Owner.VENDOR:
                told = given[line.key.removeprefix("scp.")]
                assessments.state_fact(tx, assessment=row, key=line.key, value=told, version=line.version)
            else:
                assessments.confirm_fact(tx, assessment=row, key=line.key, version=line.version)


def say(desk: Desk, answers: Mapping[str, Raw] = ANSWERS) -> None:
    """Give these answers."""
    for key, raw in answers.items():
        desk.save(key, dict(raw))


def signed_desk(house: House) -> tuple[Desk, UUID]:
    """Return a vendor that signed version 1 with a file behind its second factor, decided; and the attestation."""
    made, signed = moulds.cast(house, "signed renewal", _signed_desk)
    return replace(made, house=house), signed


def _signed_desk(house: House) -> tuple[Desk, UUID]:
    desk = first_desk(house)
    state(desk)
    say(desk)
    desk.cite("acc.mfa", desk.file(), "3", "Every account needs a second factor.")
    signed = desk.sign()
    close(desk)
    return desk, signed


def close(desk: Desk) -> None:
    """Bring a signed assessment to its end, so that the same can be asked again."""
    with desk.at(FACTORY) as (tx, row):
        assessments.take_into_review(tx, assessment=row)
        assessments.recommend(tx, assessment=row)
        assessments.decide(tx, assessment=row)


def again(desk: Desk, text: str = V2, *, engagement_id: UUID | None = None) -> Desk:
    """Ask the same vendor again on another text."""
    version_id = publish(desk.house, text)
    asked = ask(desk.house, desk.vendor_id, engagement_id or desk.engagement_id, version_id)
    with desk.house.ledger.begin(FACTORY) as tx:
        questionnaire = questionnaires.compiled(tx, version_id)
    return replace(desk, assessment_id=asked, questionnaire=questionnaire)


def other_engagement(desk: Desk, project: str = "Lark") -> UUID:
    """Engage the vendor for another project; return the engagement's id."""
    with desk.house.ledger.begin(FACTORY) as tx:
        return make_engagement(
            tx, tx.session.get_one(Vendor, desk.vendor_id), project=project, workforce=["dedicated"]
        ).id


def elsewhere(desk: Desk, text: str = V2, *, project: str = "Lark") -> Desk:
    """Ask the same vendor for another engagement."""
    return again(replace(desk, engagement_id=other_engagement(desk, project)), text)


def plan_of(desk: Desk) -> attestations.Plan:
    """Return what is left to do with earlier answers."""
    with desk.at(desk.admin.actor) as (tx, row):
        return attestations.plan_of(tx, row)


def carried_of(desk: Desk, actor: Actor | None = None) -> dict[str, attestations.CarriedLine]:
    """Return what came over."""
    with desk.at(actor or desk.admin.actor) as (tx, row):
        return attestations.carried_of(tx, row)


def confirm(desk: Desk, *keys: str, actor: Actor | None = None, **seen: str) -> attestations.Confirmed:
    """Confirm earlier answers as they are shown; all that wait, if none is named."""
    with desk.at(actor or desk.admin.actor) as (tx, row):
        lines = attestations.carried_of(tx, row)
        chosen = keys or attestations.plan_of(tx, row).to_confirm
        shown = {key: line.digest for key, line in lines.items()} | seen
        return attestations.confirm(tx, assessment=row, keys=chosen, seen=shown)


def plan_for(desk: Desk, attestation_id: UUID, text: str = V2) -> attestations.Plan:
    """Return what a renewal on a text that nobody published would carry."""
    with desk.house.ledger.begin(FACTORY) as tx:
        row = tx.session.get_one(Attestation, attestation_id)
        return attestations.plan_for(tx, attestation=row, questionnaire=compile_yaml(text.encode(), "draft.yaml"))


def blockers(desk: Desk) -> list[str]:
    """Return what stands before the signature, in words."""
    with desk.at(desk.admin.actor) as (tx, row):
        return [each.sentence for each in attestations.blockers(tx, row)]


def full(house: House) -> UUID:
    """Publish the long questionnaire that ships; return its id."""
    with house.ledger.begin(FACTORY) as tx:
        return make_questionnaire(tx, "ai-contractor").id
