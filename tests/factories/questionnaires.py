"""Questionnaire texts for tests: a small first version, a second one, and drafts of them."""

from __future__ import annotations

from uuid import UUID

from portal.kernel.actor import system
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireDraft, QuestionnaireVersion
from portal.questionnaires.rules import Claim
from portal.wiring import House
from tests.factories.identity import Person

FACTORY = system("test")
SLUG = "small"

SMALL = """\
slug: small
version: 1
title: "Small questionnaire"
language: en
frameworks:
  csf: {name: "NIST CSF", version: "2.0"}
evidence_offset: 0
expects: {sections: 1, questions: 4, scoping: 1, domain_weight: 5, question_weight: 12}
scoping:
  - key: scp.data
    label: "Highest class"
    text: "Which is the highest class of our data that you see?"
    owner: lab
    kind: choices
    drives: dmax
    options:
      - {key: D1, label: "D1 Public"}
      - {key: D3, label: "D3 Confidential"}
sections:
  - key: access
    title: "Access"
    group: "Technical controls"
    summary: "Accounts and leavers"
    intro: "Who can reach our data, and how soon that ends."
    weight: 5
    questions:
      - key: acc.mfa
        revision: 1
        label: "Second factor"
        text: "Every account that reaches our data needs a second factor."
        kind: yn
        weight: 4
        tiers: [1, 2, 3]
        knock_out: {tiers: [1], fails: below_full}
        evidence: {level: 2, kinds: [CFG]}
        maps: {csf: PR.AA-03}
        guidance: "Count every account."
        why: "Passwords alone are stolen."
        strong: "All of them, enforced."
        good_evidence: "A screenshot of the policy."
      - key: acc.leavers
        revision: 1
        label: "Leavers"
        text: "Hours until the accounts of somebody who leaves are disabled."
        kind: num
        unit: hours
        weight: 4
        tiers: [1, 2, 3]
        evidence: {level: 2, kinds: [POL]}
        steps:
          - {when: "<=24", credit: 100}
          - {when: "<=72", credit: 50}
          - {when: else, credit: 0, label: more}
        guidance: "Name the slowest case."
        why: "Forgotten accounts are used."
        strong: "Within a day, measured."
        good_evidence: "A report of the last ten."
      - key: acc.reviews
        revision: 1
        label: "Access reviews"
        text: "How often do you review who has access?"
        kind: c1
        weight: 2
        tiers: [1, 2, 3]
        evidence: {level: 1, kinds: [POL]}
        options:
          - {key: quarterly, label: "Every quarter", credit: 100}
          - {key: yearly, label: "Every year", credit: 50}
          - {key: never, label: "Less often", credit: 0}
        guidance: "Think of the last review."
        why: "Access grows by itself."
        strong: "Every quarter, with a record."
        good_evidence: "The last record."
      - key: acc.logs
        revision: 1
        label: "Sign-in logs"
        text: "Sign-ins are logged and somebody reads them."
        kind: ynp
        weight: 2
        tiers: [1, 2, 3]
        evidence: {level: 1, kinds: [POL]}
        guidance: "Logs of the last year."
        why: "Odd sign-ins show first."
        strong: "All of them, read daily."
        good_evidence: "A page of the log."
"""


def second(*, reworded: bool = True, steps: bool = True, weight: int = 2, extra: str = "") -> str:
    """Return the text of version 2: a comma reworded, other steps, a weight, and what is given beside."""
    text = SMALL.replace("version: 1\ntitle", "version: 2\ntitle", 1)
    if reworded:
        text = text.replace("How often do you review who has access?", "How often do you review, who has access?")
    if steps:
        text = text.replace('"<=24"', '"<=12"')
    if weight != 2:
        head, tail = text.split("- key: acc.logs")
        text = f"{head}- key: acc.logs{tail.replace('weight: 2', f'weight: {weight}', 1)}"
        text = text.replace("question_weight: 12", f"question_weight: {10 + weight}")
    return text + extra


def published(house: House, text: str = SMALL) -> UUID:
    """Publish a text as the installation does; return the version's id."""
    with house.ledger.begin(FACTORY) as tx:
        return questionnaires.publish(tx, source=text.encode(), name=SLUG).id


def drafted(house: House, author: Person, text: str) -> UUID:
    """Begin a draft as a person; return its id."""
    with house.ledger.begin(author.actor) as tx:
        return questionnaires.create_draft(tx, source=text.encode(), origin="file", name="v2.yaml").id


def draft_now(house: House, draft_id: UUID) -> QuestionnaireDraft:
    """Return a draft as it stands."""
    with house.ledger.begin(FACTORY) as tx:
        return questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)


def decide(house: House, author: Person, draft_id: UUID, key: str, part: str, claim: Claim, note: str = "") -> None:
    """Decide one change of a draft as it stands."""
    with house.ledger.begin(author.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        change = next(
            each for each in questionnaires.readiness(tx, draft).changes if (each.key, each.part) == (key, part)
        )
        questionnaires.decide_change(
            tx, draft=draft, key=key, part=part, of=change.of, claim=claim, note=note, row_version=draft.row_version
        )


def decide_all(house: House, author: Person, draft_id: UUID) -> None:
    """Decide every change as proposed; a removal with a note."""
    with house.ledger.begin(FACTORY) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
        left = [each.change for each in questionnaires.readiness(tx, draft).undecided if each.change.proposal]
    for change in left:
        assert change.proposal
        note = "Nobody answers it well any more" if change.proposal is Claim.REMOVED else ""
        decide(house, author, draft_id, change.key, change.part, change.proposal, note)


def sign(house: House, signer: Person, draft_id: UUID, *, digest: str = "") -> QuestionnaireVersion | None:
    """Sign a draft as it stands, or the text of a digest."""
    with house.ledger.begin(signer.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_PUBLISH)
        return questionnaires.sign_draft(
            tx, draft=draft, digest_seen=digest or draft.digest, row_version=draft.row_version
        )
