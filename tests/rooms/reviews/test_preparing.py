"""Before and around a decision: drafts, escalations, who is asked, proposals that end, and the sealed record."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from portal.jobs.proposals import tell_proposals
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, Refused, Unavailable
from portal.kernel.signing import Signer
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.rules import PROPOSAL_HOLDS, Wanted
from portal.terms import DecisionState, EscalationEnd, Outcome
from portal.vendors.models import Engagement
from portal.wiring import House
from tests.factories.identity import Person
from tests.factories.reviews import Bench, bench

WHY = "The reports say different things. Which one counts?"
SOON = date(2026, 11, 30)


def reviewed(house: House, **given: Any) -> Bench:
    made = bench(house, **given)
    made.review()
    return made


def escalate(b: Bench, who: Person, *to: Person, **given: Any) -> UUID:
    with b.at(who.actor) as (tx, review):
        form = {"to": [each.id for each in to], "reason": WHY, "due_on": SOON, **given}
        return reviews.escalate(tx, review=review, **form).id


def line(b: Bench) -> reviews.EscalationLine:
    with b.at(b.lead.actor) as (tx, review):
        found = reviews.last_escalation(tx, review.id)
        assert found is not None
        return found


def hand_back(b: Bench, who: Person, escalation_id: UUID, answer: str = "The newer one.") -> None:
    with b.house.ledger.begin(who.actor) as tx:
        row = reviews.get_escalation(tx, escalation_id, Action.REVIEW_READ)
        reviews.hand_back(tx, escalation=row, answer=answer)


def mails(house: House, kind: str) -> list[str]:
    with house.ledger.begin(system("test")) as tx:
        return list(
            tx.session.execute(
                sa.text("SELECT to_name FROM mail WHERE kind = :k ORDER BY to_name"), {"k": kind}
            ).scalars()
        )


# Escalations.


def test_an_escalated_review_waits_for_named_people_and_stays_undecided(house: House) -> None:
    b = reviewed(house, tier=1)

    escalate(b, b.reviewer, b.lead, b.second)

    found = line(b)
    assert (found.is_open, found.reason, found.due_on, found.to_names) == (
        True,
        WHY,
        SOON,
        ("Hana Kobayashi", "Theo Brandvold"),
    )
    with b.at(b.lead.actor) as (tx, review):
        assert review.closed_at is None
        assert [each.id for each in reviews.escalated_to(tx, b.lead.id)] == [found.id]
        assert reviews.escalated_to(tx, b.third.id) == []


def signals(house: House) -> list[str]:
    with house.ledger.begin(system("test")) as tx:
        (found,) = tx.session.execute(sa.text("SELECT signals FROM queue_card")).scalars()
        return [kind for kind, _, _ in found]


def test_the_queue_shows_it_while_it_waits(house: House) -> None:
    b = reviewed(house, tier=1)
    raised = escalate(b, b.reviewer, b.lead)
    assert "escalated" in signals(house)

    hand_back(b, b.lead, raised)

    assert "escalated" not in signals(house)


def test_it_ends_with_the_decision(house: House) -> None:
    b = reviewed(house, tier=2)
    escalate(b, b.reviewer, b.lead)

    b.propose(b.second)

    assert line(b).ended_how is EscalationEnd.DECIDED


def test_it_is_handed_back_with_words_by_who_was_asked_alone(house: House) -> None:
    b = reviewed(house, tier=1)
    raised = escalate(b, b.reviewer, b.lead)
    for other in (b.second, b.reviewer, b.admin):
        with pytest.raises(Forbidden):
            hand_back(b, other, raised)
    with pytest.raises(Refused):
        hand_back(b, b.lead, raised, "  ")

    hand_back(b, b.lead, raised)

    assert (line(b).ended_how, line(b).answer, line(b).ended_by_name) == (
        EscalationEnd.HANDED_BACK,
        "The newer one.",
        "Hana Kobayashi",
    )
    with pytest.raises(Conflict, match="ended already"):
        hand_back(b, b.lead, raised)
    escalate(b, b.reviewer, b.second)


def test_who_raised_it_takes_it_back_and_nobody_else(house: House) -> None:
    b = reviewed(house, tier=1)
    raised = escalate(b, b.reviewer, b.lead)
    with pytest.raises(Forbidden), house.ledger.begin(b.lead.actor) as tx:
        reviews.take_back(tx, escalation=reviews.get_escalation(tx, raised, Action.REVIEW_READ))
    with house.ledger.begin(b.reviewer.actor) as tx:
        reviews.take_back(tx, escalation=reviews.get_escalation(tx, raised, Action.REVIEW_READ))

    assert line(b).ended_how is EscalationEnd.TAKEN_BACK


def test_a_returned_review_is_escalated_no_more(house: House) -> None:
    b = reviewed(house, tier=1)
    escalate(b, b.reviewer, b.lead)
    with b.at(b.lead.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Look again", row_version=review.row_version)

    assert line(b).ended_how is EscalationEnd.OVER


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"to": []}, "to"),
        ({"to": [UUID(int=1)]}, "to"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 4_001}, "reason"),
        ({"due_on": None}, "due_on"),
        ({"due_on": date(2026, 1, 1)}, "due_on"),
        ({"due_on": date(2027, 11, 1)}, "due_on"),
    ],
)
def test_what_an_escalation_needs(house: House, given: dict[str, Any], field: str) -> None:
    b = reviewed(house, tier=1)
    with pytest.raises(Refused) as refusal:
        escalate(b, b.reviewer, b.lead, **given)
    assert set(refusal.value.problems) == {field}


def test_one_at_a_time_and_by_who_decides_alone(house: House) -> None:
    b = reviewed(house, tier=1)
    escalate(b, b.reviewer, b.lead)
    with pytest.raises(Conflict, match="escalated already"):
        escalate(b, b.second, b.lead)
    for who in (b.other, b.admin):
        with pytest.raises(Forbidden):
            escalate(b, who, b.lead)
    with pytest.raises(Refused):
        escalate(b, b.lead, b.lead)


def test_before_it_is_finished_a_review_is_not_escalated(house: House) -> None:
    b = bench(house)
    b.claim()
    with pytest.raises(Conflict, match="does not wait"):
        escalate(b, b.reviewer, b.lead)


# Drafts.


def draft(b: Bench, who: Person, version: int, **body: str) -> int:
    with b.at(who.actor) as (tx, review):
        basis = reviews.outlook(tx, review=review).basis
        return reviews.save_draft(tx, review=review, body=body, basis=basis, row_version=version).row_version


def own(b: Bench, who: Person) -> reviews.DraftLine | None:
    with b.at(who.actor) as (tx, review):
        return reviews.draft_of(tx, review)


def test_a_draft_is_ones_own_and_survives(house: House) -> None:
    b = reviewed(house, tier=1)
    first = draft(b, b.lead, 0, letter="Good work")
    second = draft(b, b.lead, first, letter="Very good work")
    with pytest.raises(Conflict, match="another window"):
        draft(b, b.lead, first, letter="Lost?")

    kept = own(b, b.lead)
    assert kept is not None
    assert (kept.body, kept.row_version) == ({"letter": "Very good work"}, second)
    assert own(b, b.second) is None
    with pytest.raises(Forbidden):
        draft(b, b.other, 0, letter="Not mine to decide")


def test_a_draft_that_is_proposed_is_gone_and_can_be_begun_again(house: House) -> None:
    b = reviewed(house, tier=1)
    draft(b, b.lead, 0, letter="Good work")

    b.propose(b.lead)

    assert own(b, b.lead) is None
    with b.at(b.lead.actor) as (tx, review):
        version = reviews.draft_version(tx, review)
    draft(b, b.lead, version, letter="Again")
    assert own(b, b.lead) is not None


def test_what_changed_since_the_draft_is_said_in_words(house: House) -> None:
    b = reviewed(house, tier=1)
    draft(b, b.lead, 0, letter="Good work")
    with house.ledger.begin(system("test")) as tx:
        tx.session.get_one(Engagement, b.desk.engagement_id).data_classes = [4, 5]

    with b.at(b.lead.actor) as (tx, review):
        told = [str(each) for each in reviews.outlook(tx, review=review).since_draft]
    assert told == ["Data classes of the engagement: D4 → D4, D5"]


def test_what_the_page_showed_is_what_is_signed(house: House) -> None:
    b = reviewed(house, tier=3)
    with b.at(b.reviewer.actor) as (tx, review):
        seen = reviews.outlook(tx, review=review).basis
    with house.ledger.begin(system("test")) as tx:
        tx.session.get_one(Engagement, b.desk.engagement_id).access_modes = ["A1", "A2"]

    with pytest.raises(Conflict) as refusal:
        b.propose(b.reviewer, basis_seen=seen)

    differences = refusal.value.current["differences"]
    assert isinstance(differences, list)
    assert [str(each) for each in differences] == ["Access of the engagement: A1 → A1, A2"]


# Who is asked, and proposals that end.


def test_who_is_asked_must_be_able_to_sign(house: House) -> None:
    b = reviewed(house, tier=1)
    with pytest.raises(Refused, match="reviewed this revision"):
        b.propose(b.lead, asked_id=b.reviewer.id)
    with pytest.raises(Refused, match="who is to sign"):
        b.propose(b.lead, asked_id=b.lead.id)

    proposed = b.propose(b.lead, asked_id=b.second.id)

    assert b.decision(proposed).asked_id == b.second.id
    b.sign(b.third, proposed)  # whoever else may sign can, too
    assert b.decision(proposed).state is DecisionState.CONFIRMED


def test_a_proposal_ends_by_the_clock_and_makes_way(house: House, clock: Any) -> None:
    b = reviewed(house, tier=1)
    proposed = b.propose(b.lead)
    clock.instant += PROPOSAL_HOLDS

    with pytest.raises(Conflict, match="ended"):
        b.sign(b.second, proposed)
    with b.at(b.second.actor) as (tx, review):
        assert reviews.to_cosign(tx) == []
        assert reviews.outlook(tx, review=review).proposed is None

    again = b.propose(b.second)

    assert b.decision(proposed).state is DecisionState.VOIDED
    b.sign(b.lead, again)


def test_it_is_said_once_that_a_proposal_ends_soon_and_once_that_it_ended(house: House, clock: Any) -> None:
    b = reviewed(house, tier=1)
    b.propose(b.lead, asked_id=b.second.id)
    tell_proposals(house)
    assert mails(house, "proposal_ending") == []

    clock.instant += PROPOSAL_HOLDS - timedelta(days=2)
    tell_proposals(house)
    tell_proposals(house)
    assert mails(house, "proposal_ending") == ["Theo Brandvold"]

    clock.instant += timedelta(days=2)
    tell_proposals(house)
    assert mails(house, "proposal_ending") == ["Hana Kobayashi", "Theo Brandvold"]
    with house.ledger.begin(b.lead.actor) as tx:
        assert [line.stage_word for line in reviews.page(tx, Wanted()).lines] == ["To decide"]


# The record.


def record(b: Bench, decision_id: UUID) -> reviews.Record:
    with b.house.ledger.begin(b.lead.actor) as tx:
        found = reviews.record_of(tx, reviews.get_decision(tx, decision_id, Action.REVIEW_READ))
        assert found is not None
        return found


def opened(text: str, keys: list[dict[str, str]]) -> dict[str, Any]:
    """Check a record as a stranger would: with the published keys and nothing of ours."""
    envelope = json.loads(text)
    body = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(body), body)
    signature = envelope["signatures"][0]
    key = next(each for each in keys if each["kid"] == signature["keyid"])
    public = base64.urlsafe_b64decode(key["x"] + "=")
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature["sig"]), signed)
    statement: dict[str, Any] = json.loads(body)
    assert hashlib.sha256(statement["document"].encode()).hexdigest() == statement["document_sha256"]
    assert {each["document_sha256"] for each in statement["signatures"]} == {statement["document_sha256"]}
    return statement


def test_the_record_tells_who_decided_what_on_what_and_opens_without_us(house: House) -> None:
    b = reviewed(house, tier=1)
    proposed = b.propose(b.lead, outcome=Outcome.REJECT, reason="Not now.", valid_until=None)
    first = opened(record(b, proposed).text, house.signer.published())
    assert (first["outcome"], first["reason"], first["otherwise"]) == ("reject", "Not now.", True)
    assert [(each["name"], each["factor"]) for each in first["signatures"]] == [("Hana Kobayashi", "totp")]
    assert first["before"] is None

    with house.ledger.begin(system("test")) as tx:
        document = reviews.document_of(reviews.get_decision(tx, proposed, Action.REVIEW_READ))
    assert json.loads(first["document"]) == document
    assert first["subject"]["score_result_sha256"] == document["judged"]["result_digest"]
    assert first["policy"]["version"] >= 1


def test_a_changed_record_opens_for_nobody(house: House) -> None:
    b = reviewed(house, tier=3)
    text = record(b, b.propose(b.reviewer)).text
    envelope = json.loads(text)
    body = base64.b64decode(envelope["payload"]).replace(b"Ines Valdarno", b"Mara Valdarno")
    envelope["payload"] = base64.b64encode(body).decode()

    opened(text, house.signer.published())
    with pytest.raises(Exception, match=r"^$"):
        opened(json.dumps(envelope), house.signer.published())


@pytest.mark.parametrize("statement", ["UPDATE decision_record SET envelope = 'x'", "DELETE FROM decision_record"])
def test_a_record_is_never_changed(house: House, statement: str) -> None:
    b = reviewed(house, tier=3)
    b.propose(b.reviewer)
    with pytest.raises(Exception, match="permission denied"), house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.text(statement))


def test_without_a_key_in_force_nothing_is_decided(house: House) -> None:
    b = reviewed(house, tier=1)
    proposed = b.propose(b.lead)
    with pytest.raises(Unavailable):
        b.sign(b.second, proposed, sealer=Signer(()))

    assert b.decision(proposed).state is DecisionState.PROPOSED
    with house.ledger.begin(b.lead.actor) as tx:
        assert reviews.record_of(tx, reviews.get_decision(tx, proposed, Action.REVIEW_READ)) is None
