"""Messages and the choice of mail in a real browser: what is written is not lost, both fit every screen."""

from __future__ import annotations

import pytest

from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.terms import Role
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person
from tests.rooms.jobs.test_ends import finding

pytestmark = pytest.mark.browser


def test_what_waits_is_answered_in_place_and_a_message_not_sent_yet_survives_a_reload(
    house, clock, visit, axe, shot, no_sideways
) -> None:
    desk = make_desk(house)
    finding(house, desk, clock)
    first, second = desk.visible()[:2]
    with desk.at(system("test")) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=first.key, body="Who can open the seal?")
    with desk.at(desk.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=second.key, body="Does this include contractors?")

    page = visit(desk.respondent, "/messages")
    axe(page)
    shot(page, "messages")
    reply = page.get_by_label("Your reply").first
    reply.fill("Two people, and it alerts us.")
    page.reload()
    assert reply.input_value() == "Two people, and it alerts us."
    page.get_by_role("button", name="Send reply").first.click()
    assert page.get_by_text("Sent. Orrery reads it").is_visible()
    page.reload()
    assert {field.input_value() for field in page.get_by_label("Add to it").all()} == {""}
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 800})
    axe(page)
    no_sideways(page)
    shot(page, "messages-narrow-dark")


def test_mail_is_chosen_and_a_wrong_choice_is_told(house, visit, axe, shot, no_sideways) -> None:
    desk = make_desk(house)
    page = visit(desk.admin, "/account/mail")
    axe(page)
    shot(page, "mail-preferences")
    group = page.get_by_role("group", name="Messages in a conversation")
    group.get_by_label("In a weekly digest").check()
    page.get_by_label("Hour of the digests").select_option("7")
    page.get_by_role("button", name="Keep my choice").click()
    assert page.get_by_text("Your choice is kept.").is_visible()
    assert group.get_by_label("In a weekly digest").is_checked()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 800})
    axe(page)
    no_sideways(page)
    shot(page, "mail-preferences-narrow-dark")


def test_a_reviewer_answers_before_there_is_a_review(house, visit, axe, shot, no_sideways) -> None:
    desk = make_desk(house)
    with desk.at(desk.respondent.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=desk.visible()[0].key, body="What counts?")
    page = visit(person(house, roles=[Role.REVIEWER], name="Hana Sato"), "/lab/messages")
    axe(page)
    shot(page, "lab-messages")
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_label("Write to").fill("Every way in.")
    axe(page)
    shot(page, "lab-message")
    page.get_by_role("button", name="Send message").click()
    assert page.get_by_text("Every message is answered").is_visible()
    no_sideways(page)
