"""A vendor that signed a small questionnaire last year and is asked its second version now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.terms import Role
from portal.vendors import service as vendors
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.factories.vendors import make_engagement, make_vendor

LAST_YEAR = datetime(2025, 12, 4, 10, 0, tzinfo=UTC)
TO_CONFIRM = ("acc.mfa", "acc.reviews", "acc.guests", "dat.region")
RE_ATTEST = ("acc.leavers", "dat.copies")
NEW = ("acc.keys", "dat.backups")
ARCHIVED = ("dat.tapes",)

HEAD = """\
slug: small-renewal
version: {version}
title: "Small contractor baseline"
language: en
frameworks:
  csf: {{name: "NIST CSF", version: "2.0"}}
evidence_offset: 0
expects: {{sections: 2, questions: {questions}, scoping: 2, domain_weight: 8, question_weight: {weight}}}
scoping:
  - key: scp.services
    label: "Services"
    text: "Which services do you perform for us?"
    owner: lab
    kind: choices
    drives: svc
    options:
      - {{key: labelling, label: "Labelling"}}
      - {{key: preference, label: "Preference data"}}
  - key: scp.people
    label: "People with access"
    text: "How many people have access to our data at the busiest time?"
    owner: vendor
    kind: number
    drives: people
    unit: people
sections:
"""
SECTION = """\
  - key: {key}
    title: "{title}"
    group: "Technical controls"
    summary: "{title} of all accounts"
    intro: "Answer for every system through which our data passes."
    weight: 4
    questions:
"""


def _question(key: str, label: str, text: str, answers: str, *, revision: int = 1) -> str:
    return f"""\
      - key: {key}
        revision: {revision}
        label: "{label}"
        text: "{text}"
        weight: 2
        tiers: [1, 2, 3]
        evidence: {{level: 2, kinds: [POL]}}
        maps: {{csf: PR.AA-03}}
        guidance: "Count every account."
        why: "Accounts are how they come in."
        strong: "All of them, measured."
        good_evidence: "A report of the last quarter."
{answers}"""


YES_NO = "        kind: yn\n"
PARTLY = "        kind: ynp\n"
IF_MFA = '        requires: "ans(acc.mfa)=yes"\n'
REVIEWS = """\
        kind: c1
        options:
          - {key: quarterly, label: "Every quarter", credit: 100}
          - {key: yearly, label: "Every year", credit: 50}
          - {key: never, label: "Less often", credit: 0}
"""


def _hours(best: int) -> str:
    return f"""\
        kind: num
        unit: hours
        steps:
          - {{when: "<={best}", credit: 100}}
          - {{when: "<=72", credit: 50}}
          - {{when: else, credit: 0, label: more}}
"""


def _access(version: int) -> str:
    found = SECTION.format(key="acc", title="Access")
    found += _question("acc.mfa", "Second factor", "Does every account need a second factor?", YES_NO)
    found += _question(
        "acc.leavers",
        "Leavers",
        "How soon after a person leaves are their accounts disabled?",
        _hours(24 if version == 1 else 4),
        revision=version,
    )
    found += _question("acc.reviews", "Access reviews", "How often do you review who has access?", REVIEWS)
    found += _question("acc.guests", "Guest accounts", "Do guest accounts end by themselves?", PARTLY + IF_MFA)
    if version == 2:
        found += _question("acc.keys", "Service keys", "Are service keys replaced every 90 days?", YES_NO)
    return found


def _data(version: int) -> str:
    found = SECTION.format(key="dat", title="Data")
    copies = "Are local copies of our data encrypted?" if version == 1 else "Are local copies of our data forbidden?"
    found += _question("dat.copies", "Local copies", copies, PARTLY, revision=version)
    found += _question("dat.region", "Region", "Does our data stay in the agreed region?", YES_NO)
    if version == 1:
        found += _question("dat.tapes", "Tapes", "Are magnetic tapes locked away?", YES_NO)
    else:
        found += _question("dat.backups", "Backups", "Are backups tried every quarter?", YES_NO)
    return found


def text(version: int) -> bytes:
    """Return the questionnaire's first or second version."""
    questions = 7 if version == 1 else 8
    head = HEAD.format(version=version, questions=questions, weight=2 * questions)
    return (head + _access(version) + _data(version)).encode()


@dataclass(frozen=True, slots=True)
class Renewal:
    """A desk at the renewal, and what was signed before."""

    desk: Desk
    signed: UUID
    v2: UUID

    @property
    def home(self) -> str:
        """The address of the renewal's home."""
        return f"/assessments/{self.desk.assessment_id}"

    def section(self, key: str) -> str:
        """Return the address of a section."""
        return f"{self.home}/s/{key}"

    def plan(self) -> attestations.Plan:
        """Return what is left of the earlier answers."""
        with self.desk.at(self.desk.respondent.actor) as (tx, row):
            return attestations.plan_of(tx, row)

    def lines(self) -> dict[str, attestations.CarriedLine]:
        """Return the earlier answers."""
        with self.desk.at(self.desk.respondent.actor) as (tx, row):
            return attestations.carried_of(tx, row)

    def answers(self) -> dict[str, attestations.AnswerLine]:
        """Return what is answered."""
        with self.desk.at(self.desk.respondent.actor) as (tx, row):
            return attestations.answers_of(tx, row)

    def seen(self) -> dict[str, str]:
        """Return the fingerprints that the list shows, as its form posts them."""
        return {f"seen.{key}": each.digest for key, each in self.lines().items()}


def small_desk(house: House, *, version: int = 1) -> Desk:
    """Ask a vendor a version of the small questionnaire."""
    actor = system("test")
    with house.ledger.begin(actor) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor)
        made = questionnaires.publish(tx, source=text(version), name="small")
        row = assessments.request(
            tx,
            vendor=vendor,
            engagement=engagement,
            questionnaire_version=made,
            due_on=(tx.now + timedelta(days=28)).date(),
        )
        asked: Questionnaire = questionnaires.compiled(tx, made.id)
        vendor_id, engagement_id, assessment_id = vendor.id, engagement.id, row.id
    return Desk(
        house=house,
        vendor_id=vendor_id,
        engagement_id=engagement_id,
        assessment_id=assessment_id,
        questionnaire=asked,
        respondent=person(house, roles=[Role.RESPONDENT], vendor=vendor_id, name="Priya Raghunath"),
        admin=person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor_id, name="Marisol Dufour"),
        signatory=person(house, roles=[Role.SIGNATORY], vendor=vendor_id, name="Daniel Osei"),
    )


def answer_first(made: Desk) -> None:
    """Answer version 1, two answers with a file each, of which one has ended by the time of the renewal."""
    made.save("acc.mfa", {"choice": "yes", "comment": "Passkeys for everybody."})
    made.cite("acc.mfa", made.file(title="Sign-in policy", file_name="sign-in-policy.pdf"), "3")
    made.save("acc.leavers", {"number": "20", "comment": "The HR record is the trigger."})
    made.save("acc.reviews", {"choice": "quarterly", "comment": "The team leads, in a ticket."})
    made.save("acc.guests", {"choice": "partial", "comment": "Most of them.", "planned_on": "2026-03-01"})
    ended = made.file(title="Guest rules", file_name="guest-rules.pdf", valid_until=date(2026, 9, 30))
    made.cite("acc.guests", ended)
    made.save("dat.copies", {"choice": "yes", "comment": "Disk encryption on every laptop."})
    made.save("dat.region", {"choice": "yes", "comment": "Frankfurt only."})
    made.save("dat.tapes", {"choice": "yes", "comment": "In a safe."})


def renewal(house: House) -> Renewal:
    """Return a vendor that signed version 1 last December, was decided on, and is asked version 2 today."""
    made = moulds.cast(house, "renewal", _renewal)
    return replace(made, desk=replace(made.desk, house=house))


def signed_first(house: House) -> tuple[Desk, UUID]:
    """Return a desk whose version 1 was signed last December and decided on, and the attestation."""
    with _last_year(house):
        made = small_desk(house)
        made.settle_scoping()
        answer_first(made)
        signed = made.sign()
        with made.at(system("test")) as (tx, row):
            assessments.take_into_review(tx, assessment=row)
            assessments.recommend(tx, assessment=row)
            assessments.decide(tx, assessment=row)
    return made, signed


def _renewal(house: House) -> Renewal:
    made, signed = signed_first(house)
    return ask_again(made, signed)


def ask_again(made: Desk, signed: UUID) -> Renewal:
    """Publish version 2 and ask it."""
    with made.house.ledger.begin(system("test")) as tx:
        version = questionnaires.publish(tx, source=text(2), name="small")
        vendor = vendors.get(tx, made.vendor_id, Action.VENDOR_READ)
        engagement = vendors.engagement(tx, made.engagement_id, Action.VENDOR_READ)
        row: Assessment = assessments.request(
            tx,
            vendor=vendor,
            engagement=engagement,
            questionnaire_version=version,
            due_on=(tx.now + timedelta(days=28)).date(),
        )
        asked = questionnaires.compiled(tx, version.id)
        assessment_id, version_id = row.id, version.id
    return Renewal(replace(made, assessment_id=assessment_id, questionnaire=asked), signed, version_id)


@contextmanager
def _last_year(house: House) -> Iterator[None]:
    clock = house.clock
    assert isinstance(clock, FixedClock)
    now, clock.instant = clock.instant, LAST_YEAR
    try:
        yield
    finally:
        clock.instant = now
