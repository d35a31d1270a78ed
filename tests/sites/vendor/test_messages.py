"""One list of everything that waits for the reader, and conversations to go on with, on either side."""

from __future__ import annotations

import pytest

from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.policy import Action
from portal.reviews import service as reviews
from portal.terms import Role
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person
from tests.rooms.jobs.test_ends import finding

SYSTEM = system("test")


def text(response) -> str:
    return response.get_data(as_text=True)


def lab_says(desk, body: str, *, key: str = "", asks: bool = True) -> str:
    key = key or desk.visible()[0].key
    with desk.at(SYSTEM) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=key, body=body, asks=asks)
    return key


def test_nothing_waits_is_said_in_words(quillmark, priya) -> None:
    page = text(priya.get("/messages"))
    assert "Nothing waits for you" in page


def test_a_question_waits_until_it_is_answered_here(quillmark, priya) -> None:
    key = lab_says(quillmark, "Who can open the seal?")
    assert "1 thing waits for you" in text(priya.get("/"))
    page = text(priya.get("/messages"))
    assert "1 question from Orrery" in page
    assert "Who can open the seal?" in page
    assert "Nothing can be signed before it is there" in page

    sent = priya.post(f"/messages/{quillmark.assessment_id}/{key}", data={"body": "Two people."}, follow_redirects=True)

    assert "Sent. Orrery reads it" in text(sent)
    assert "You asked Orrery" in text(sent)
    assert "1 thing waits" not in text(priya.get("/messages"))


def test_what_cannot_be_sent_is_said_at_the_field_and_stays(quillmark, priya) -> None:
    key = lab_says(quillmark, "Who can open the seal?")
    refused = priya.post(f"/messages/{quillmark.assessment_id}/{key}", data={"body": "x" * 4_001})
    assert refused.status_code == 422
    assert "x" * 4_001 in text(refused)
    assert 'aria-invalid="true"' in text(refused)


def test_an_answer_of_the_lab_asks_for_nothing_and_holds_nothing_up(quillmark, priya) -> None:
    """An unanswered question of the lab blocks signing; the vendor's own question and its answer do not."""
    quillmark.complete()
    key = quillmark.visible()[0].key
    with quillmark.at(quillmark.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=key, body="What counts?")
        assert attestations.blockers(tx, row) == ()
    lab_says(quillmark, "Every way in.", key=key, asks=False)
    with quillmark.at(SYSTEM) as (tx, row):
        assert attestations.blockers(tx, row) == ()
    page = text(priya.get("/messages"))
    assert "Nothing waits for you" in page
    assert "Orrery wrote to you" in page

    lab_says(quillmark, "And who has the key?", key=key)
    with quillmark.at(SYSTEM) as (tx, row):
        (blocker,) = attestations.blockers(tx, row)
    assert "Reply to our question about" in blocker.sentence
    assert "1 question from Orrery" in text(priya.get("/messages"))


def test_findings_that_are_open_wait_and_those_of_others_are_not_there(house, quillmark, priya, clock) -> None:
    finding(house, quillmark, clock)
    other = make_desk(house, name="Tern Data Works")
    lab_says(other, "CANB-question")
    page = text(priya.get("/messages"))
    assert "1 finding to close" in page
    assert "F-3" in page
    assert "CANB" not in page
    assert (
        priya.post(f"/messages/{other.assessment_id}/{other.visible()[0].key}", data={"body": "Hello"}).status_code
        == 404
    )


@pytest.fixture
def reviewer(house, signed_in):
    return signed_in(person(house, roles=[Role.REVIEWER], name="Hana Sato"))


def test_before_a_review_a_reviewer_finds_the_question_and_answers_it(quillmark, priya, reviewer) -> None:
    key = quillmark.visible()[0].key
    with quillmark.at(quillmark.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=key, body="What counts as access?")
    listed = text(reviewer.get("/lab/messages"))
    assert f"/lab/messages/{quillmark.assessment_id}/{key}" in listed
    assert "No review yet" in listed
    shown = text(reviewer.get(f"/lab/messages/{quillmark.assessment_id}/{key}"))
    assert "What counts as access?" in shown

    empty = reviewer.post(f"/lab/messages/{quillmark.assessment_id}/{key}", data={"body": " ", "asks": "y"})
    sent = reviewer.post(
        f"/lab/messages/{quillmark.assessment_id}/{key}", data={"body": "Every way in."}, follow_redirects=True
    )

    assert empty.status_code == 422
    assert "Every message is answered" in text(sent)
    page = text(priya.get("/messages"))
    assert "Hana Sato" in page
    assert "Every way in." in page
    assert "Nothing waits for you" in page


def test_once_somebody_has_the_review_only_they_and_lead_approvers_answer(house, quillmark, signed_in) -> None:
    mine = person(house, roles=[Role.REVIEWER], name="Hana Sato")
    other = signed_in(person(house, roles=[Role.REVIEWER], name="Ivo Brandt"))
    quillmark.complete()
    quillmark.sign()
    with house.ledger.begin(mine.actor) as tx:
        line = next(iter(reviews.queue(tx)))
        review = reviews.get(tx, line.id, Action.REVIEW_CLAIM)
        reviews.claim(tx, review=review, row_version=review.row_version)
    key = quillmark.visible()[0].key
    with quillmark.at(quillmark.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=key, body="Did you see our note?")
    address = f"/lab/messages/{quillmark.assessment_id}/{key}"

    assert "Hana Sato answers this vendor" in text(other.get(address))
    assert other.post(address, data={"body": "Yes"}).status_code == 403
    assert signed_in(mine).post(address, data={"body": "Yes"}).status_code == 303
