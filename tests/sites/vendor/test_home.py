"""The home in each of its states: what is left, what blocks, what happens next, and what is missing to go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from markupsafe import escape

from portal.assessments import more_time, waits
from portal.assessments import service as assessments
from portal.kernel.actor import system
from portal.policy import Action
from portal.terms import Role
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.attestations import Desk, desk, good_answer
from tests.factories.identity import Person, person
from tests.factories.vendors import make_engagement
from tests.sites.conftest import Client

SYSTEM = system("test")


def words(client: Client, path: str = "/", status: int = 200) -> str:
    """The words of a page's main part, without markup."""
    answer = client.get(path)
    assert answer.status_code == status, answer.status_code
    main = answer.get_data(as_text=True).split('<main id="main"')[-1]
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())
    return re.sub(r" ([.,])", r"\1", told)


def buttons(client: Client, path: str = "/") -> list[str]:
    """The main buttons of a page."""
    found = re.findall(r'<a class="btn btn-1"[^>]*>(.*?)</a>', client.get(path).get_data(as_text=True))
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", each)).split()) for each in found]


def card_says(made: Desk, **body: Any) -> None:
    with made.house.ledger.begin(SYSTEM) as tx:
        assessments.publish_card(tx, vendor_id=made.vendor_id, engagement_id=made.engagement_id, body=body)


def test_the_first_visit_offers_to_read_ahead_before_anything_else(quillmark: Desk, marisol: Client) -> None:
    page = words(marisol)

    assert "New here? Read ahead first." in page
    assert page.index("Read ahead first") < page.index("questions answered")
    assert buttons(marisol) == ["Settle the facts first"]

    quillmark.settle_scoping()
    first = quillmark.visible()[0]
    assert buttons(marisol) == [f"Start: {first.number} {first.label}"]
    quillmark.save(first.key, good_answer(first))
    assert "New here?" not in words(marisol)


def test_the_one_button_has_the_focus_and_leads_to_the_first_question_that_is_left(
    quillmark: Desk, priya: Client
) -> None:
    quillmark.settle_scoping()
    first, second, *_ = quillmark.visible()
    quillmark.save(first.key, good_answer(first))

    page = priya.get("/").get_data(as_text=True)
    assert buttons(priya) == [f"Continue: {second.number} {second.label}"]
    slug = second.key.replace(".", "-")
    link = f'href="/assessments/{quillmark.assessment_id}/s/{second.section}#q-{slug}" autofocus'
    assert link in page
    section = priya.get(f"/assessments/{quillmark.assessment_id}/s/{second.section}").get_data(as_text=True)
    assert re.search(rf'<[a-z]+[^>]* id="q-{slug}"', section), "the question is there to be led to"


def test_every_blocker_has_its_own_way(quillmark: Desk, priya: Client) -> None:
    quillmark.settle_scoping()
    quillmark.answer(leave=[each.key for each in quillmark.visible()[:2]])
    first, second, *_ = quillmark.visible()

    page = priya.get("/").get_data(as_text=True)
    blockers = page.split('<ul class="blockers">')[1].split("</ul>")[0]
    for each in (first, second):
        assert f'/s/{each.section}#q-{each.key.replace(".", "-")}">{each.number} {escape(each.label)}</a>' in blockers
    assert "Answer 2 questions" in blockers


def test_time_left_is_assumed_until_the_team_has_a_pace_of_its_own(quillmark: Desk, priya: Client, clock: Any) -> None:
    quillmark.settle_scoping()
    asked = quillmark.visible()
    assert f"{len(asked)} left, about" in words(priya)
    assert "team’s pace" not in words(priya)

    for each in asked[:9]:
        quillmark.save(each.key, good_answer(each))
        clock.advance(seconds=60)

    left = len(quillmark.visible()) - 9
    minutes = -(-left * 60 // 300) * 5
    assert f"{left} left, about {minutes} minutes at your team’s pace." in words(priya)


def test_what_happens_next_names_the_usual_wait_only_once_it_is_known(
    house: House, quillmark: Desk, priya: Client
) -> None:
    assert "Too little was decided here so far to say how long it takes." in words(priya)

    with house.ledger.begin(SYSTEM) as tx:
        waits.publish(tx, cases=23, begun=2, decided=6, most=10)

    page = words(priya)
    assert "A reviewer usually begins within 2 working days." in page
    assert "Usually 6 working days after signing; 9 in 10 within 10." in page
    assert "From the last 23 decisions here." in page


def test_an_access_that_ends_says_by_when_to_sign(house: House, quillmark: Desk, priya: Client) -> None:
    card_says(quillmark, act="approve", valid_until="2027-01-31")
    assert "a decision usually comes before it ends" not in words(priya)

    with house.ledger.begin(SYSTEM) as tx:
        waits.publish(tx, cases=23, begun=2, decided=6, most=10)

    assert "Signed by 17 January 2027, a decision usually comes before it ends." in words(priya)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"act": "approve", "valid_until": "2027-01-31"}, "Your approval for Heron evaluation lasts until 31 January"),
        ({"act": "approve", "valid_until": "2026-11-30"}, "Your access for Heron evaluation has ended."),
        ({"act": "approve", "valid_until": None}, "What is approved today stays as it is."),
        ({"act": None}, "Nothing is approved for this work today, so nothing lapses."),
    ],
)
def test_overdue_says_what_lapses_and_when(
    quillmark: Desk, signed_in: Callable[..., Client], clock: Any, body: dict[str, Any], says: str
) -> None:
    with quillmark.at(SYSTEM) as (tx, row):
        tx.session.get_one(Engagement, row.engagement_id).project = "Heron evaluation"
    card_says(quillmark, **body)
    clock.advance(days=40)

    page = words(signed_in(quillmark.respondent))
    assert "This was due on 22 December 2026, 12 days ago. You can still answer and sign." in page
    assert says in page
    assert "Ask for more time" in page


def test_more_time_is_asked_for_and_the_home_says_what_became_of_it(
    house: House, quillmark: Desk, priya: Client, signed_in: Callable[..., Client], clock: Any
) -> None:
    path = f"/assessments/{quillmark.assessment_id}/more-time"
    assert "is due on 22 December 2026, in 28 days." in words(priya, path)

    answer = priya.post(path, data={"wished_on": "2027-01-15", "reason": "Two of us are ill."})
    assert answer.status_code == 303
    page = words(priya)
    assert "Orrery is asked for more time. The day stays as it is until they answer." in page
    assert "Priya Raghunath asked for time until 15 January 2027. Orrery has not answered yet." in page
    assert "Ask for more time" not in page
    assert "Two of us are ill." in words(priya, path)
    again = priya.post(path, data={"wished_on": "2027-01-20", "reason": "Again."})
    assert again.status_code == 409
    assert "waits for an answer" in again.get_data(as_text=True)

    ines = person(house, roles=[Role.REVIEWER], name="Ines Valdarno")
    with house.ledger.begin(ines.actor) as tx:
        row = assessments.get(tx, quillmark.assessment_id, Action.MORE_TIME_ANSWER)
        asked = more_time.more_time_of(tx, row)
        assert asked is not None
        more_time.agree_more_time(tx, assessment=row, request_id=asked.id, until=date(2027, 1, 8), words="The 8th.")
    page = words(priya)
    assert "Orrery agreed: it is due on 8 January 2027 now. The 8th." in page
    assert "Due 8 January 2027" in page
    clock.advance(days=15)
    assert "Orrery agreed" not in words(signed_in(quillmark.respondent)), "after two weeks it is news no more"


@pytest.mark.parametrize("wished_on", ["", "soon", "2026-12-22", "2026-11-01", "2029-01-01", "0000-00-00"])
def test_a_day_that_cannot_be_is_refused_at_its_field_and_nothing_typed_is_lost(
    quillmark: Desk, priya: Client, wished_on: str
) -> None:
    answer = priya.post(
        f"/assessments/{quillmark.assessment_id}/more-time", data={"wished_on": wished_on, "reason": "Two are ill."}
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Error: Ask for more time" in page
    assert 'href="#wished_on"' in page
    assert "Two are ill.</textarea>" in page


def test_a_signed_assessment_tracks_every_question(quillmark: Desk, priya: Client) -> None:
    quillmark.complete()
    quillmark.sign()
    asked = quillmark.visible()
    first = asked[0]

    page = words(priya)
    assert "Signed and sent to Orrery" in page
    assert "State of each question" in page
    assert all(f"{each.number} {each.label} Submitted" in page for each in asked)

    quillmark_takes(quillmark)
    with quillmark.at(SYSTEM) as (tx, row):
        from portal.attestations import service as attestations

        attestations.post_message(tx, assessment=row, question_key=first.key, body="Who holds the keys?")
    page = words(priya)
    assert f"{first.number} {first.label} Orrery asked" in page
    assert "1 asked back" in page
    assert f"{asked[1].number} {asked[1].label} In review" in page
    quillmark.reply(first.key)
    assert f"{first.number} {first.label} You replied" in words(priya)


def quillmark_takes(made: Desk) -> None:
    with made.at(SYSTEM) as (tx, row):
        assessments.take_into_review(tx, assessment=row)


def test_what_came_back_stands_first_with_its_ways(quillmark: Desk, priya: Client) -> None:
    quillmark.complete()
    quillmark.sign()
    first = quillmark.visible()[0]
    quillmark.send_back(first.key)

    page = words(priya)
    assert "1 question came back to you" in page
    assert f"{first.number} {first.label} Who can open the seal? Reply in its conversation" in page
    assert "a signatory signs again" in page


def test_several_open_assessments_are_a_choice_with_their_days(
    house: House, quillmark: Desk, priya: Client, signed_in: Callable[..., Client], clock: Any
) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = tx.session.get_one(Vendor, quillmark.vendor_id)
        other = make_engagement(tx, vendor, project="Lark preferences")
        make_assessment(tx, vendor=vendor, engagement=other, title="Second assessment")

    page = words(priya)
    assert "Orrery asks you 2 things. Choose where to go on." in page
    assert "Second assessment Due 22 December 2026, in 28 days" in page
    clock.advance(days=30)
    assert page.count("Overdue") == 0
    assert words(signed_in(quillmark.respondent)).count("Overdue") == 2


def test_a_vendor_that_is_asked_nothing_is_told_so(house: House, signed_in: Callable[..., Client]) -> None:
    made = desk(house)
    with made.at(SYSTEM) as (tx, row):
        assessments.cancel(tx, assessment=row, reason="Asked by mistake")

    page = words(signed_in(made.respondent))
    assert "Orrery cancelled this assessment. Asked by mistake Nothing more is asked here." in page


# What is missing, and who mends it.


def alone(house: House, made: Desk, *roles: Role) -> Person:
    """The only active person of a new vendor's team, with these roles."""
    for each in (made.respondent, made.admin, made.signatory):
        switch_off(house, each.id)
    return person(house, roles=list(roles), vendor=made.vendor_id, name="Only One")


def switch_off(house: House, user_id: UUID) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.execute(sa.text("UPDATE user_account SET deactivated_at = now() WHERE id = :id"), {"id": user_id})


def test_without_a_vendor_admin_the_page_says_who_can_invite_one(
    house: House, quillmark: Desk, signed_in: Callable[..., Client]
) -> None:
    only = signed_in(alone(house, quillmark, Role.RESPONDENT))

    page = words(only)
    assert "Nobody of your team can settle the facts about the work: it has no vendor admin. Orrery can invite" in page
    assert "Nobody of your team can sign yet: it has no signatory. Orrery can invite somebody" in page
    assert "Orrery can invite one" in words(only, f"/assessments/{quillmark.assessment_id}/scoping")


def test_without_a_signatory_the_admin_is_led_to_the_team(
    house: House, quillmark: Desk, marisol: Client, priya: Client
) -> None:
    switch_off(house, quillmark.signatory.id)

    assert "it has no signatory. Give somebody the role of signatory, or invite one. Open the team" in words(marisol)
    assert "it has no signatory. Marisol Dufour can make somebody signatory." in words(priya)


def test_a_signatory_is_told_who_answers_until_there_is_something_to_sign(quillmark: Desk, daniel: Client) -> None:
    quillmark.settle_scoping()
    page = words(daniel)
    assert "You sign when everything is answered. You can read it until then." in page
    assert "Priya Raghunath or Marisol Dufour can answer." in page
    assert buttons(daniel) == []

    quillmark.answer()
    assert buttons(daniel) == ["Check and sign"]


def test_a_respondent_without_a_section_is_told_who_has_what_is_left(quillmark: Desk, priya: Client) -> None:
    quillmark.settle_scoping()
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        for section in quillmark.questionnaire.sections:
            assessments.assign_section(tx, assessment=row, section=section.key, user_id=quillmark.admin.id)

    page = words(priya)
    assert "What is left belongs to Marisol Dufour. You can read it. Marisol Dufour can give you a section." in page
    assert buttons(priya) == []


def test_the_statements_do_not_grow_with_the_questions(
    house: House, quillmark: Desk, priya: Client, signed_in: Callable[..., Client]
) -> None:
    large = desk(house, slug="ai-contractor", name="Northpier Labelling")
    other = signed_in(large.respondent)
    for made, client in ((quillmark, priya), (large, other)):
        made.complete()
        client.get("/")
    with counted(house) as few:
        priya.get("/")
    with counted(house) as many:
        other.get("/")

    assert len(large.visible()) > 3 * len(quillmark.visible())
    assert len(many) == len(few)
    assert len(few) <= 40


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """Collect the statements sent to the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(house.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(house.engine, "before_cursor_execute", note)


# Reading ahead.


def test_all_questions_can_be_read_ahead_as_a_document(quillmark: Desk, priya: Client) -> None:
    path = f"/assessments/{quillmark.assessment_id}/read.pdf"
    one, two = priya.get(path), priya.get(path)

    assert one.mimetype == "application/pdf"
    assert one.get_data() == two.get_data(), "the same questions give the same bytes"
    assert "attachment" in one.headers["Content-Disposition"]
    text = pdf_text(one.get_data())
    for each in quillmark.visible():
        assert f"{each.number} {each.label}" in text
    sample = next(each for each in quillmark.visible() if each.why)
    assert " ".join(sample.why.split())[:40] in text
    assert "Why we ask" in text
    assert "Good evidence" in text
    aside = {each.label for each in quillmark.questionnaire.questions} - {each.label for each in quillmark.visible()}
    assert not aside or "Not asked now" in text


def pdf_text(data: bytes) -> str:
    import io

    import pypdfium2

    found = pypdfium2.PdfDocument(io.BytesIO(data))
    return " ".join(" ".join(page.get_textpage().get_text_range().split()) for page in found)


def test_the_page_to_print_says_how_each_is_answered(quillmark: Desk, priya: Client) -> None:
    page = words(priya, f"/assessments/{quillmark.assessment_id}/read")

    asked = quillmark.visible()
    assert f"All {len(asked)} questions" in page
    chosen = next(each for each in asked if each.choices)
    assert " · ".join(each.label for each in chosen.choices) in page


def test_a_due_date_is_not_moved_by_reading(quillmark: Desk, priya: Client) -> None:
    with quillmark.at(SYSTEM) as (_, row):
        before = (row.due_on, row.row_version)
    priya.get(f"/assessments/{quillmark.assessment_id}/more-time")
    with quillmark.at(SYSTEM) as (tx, row):
        assert (row.due_on, row.row_version) == before
        assert row.due_on - tx.now.date() == timedelta(days=28)
