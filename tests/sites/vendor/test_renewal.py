"""The renewal: what was signed last year is confirmed as one list, answered again, or kept for reading."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from werkzeug.test import TestResponse

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.kernel.actor import system
from portal.questionnaires.rules import compile_yaml
from portal.terms import Settled
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.renewing import (
    ARCHIVED,
    NEW,
    RE_ATTEST,
    TO_CONFIRM,
    Renewal,
    ask_again,
    renewal,
    signed_first,
    text,
)
from tests.sites.conftest import Client

HX = {"HX-Request": "true"}


@pytest.fixture
def asked(house: House) -> Renewal:
    """Quillmark at its renewal: four answers to confirm, two to give again, two new, one not asked any more."""
    return renewal(house)


@pytest.fixture
def priya(asked: Renewal, signed_in: Callable[..., Client]) -> Client:
    """The browser of the respondent."""
    return signed_in(asked.desk.respondent)


@pytest.fixture
def marisol(asked: Renewal, signed_in: Callable[..., Client]) -> Client:
    """The browser of the vendor's admin."""
    return signed_in(asked.desk.admin)


def read(client: Client, path: str) -> str:
    """The words of a page, without markup."""
    return words(client.get(path).get_data(as_text=True))


def words(page: str) -> str:
    main = page.split('<main id="main"')[-1]
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())
    return re.sub(r" ([.,])", r"\1", told)


def card(page: str, key: str) -> str:
    """The markup of one question's card."""
    start = page.index(f'id="q-{key.replace(".", "-")}"')
    return page[start : page.index("</article>", start)]


def confirm(client: Client, asked: Renewal, *keys: str, **changed: str) -> TestResponse:
    """Post the list with these boxes ticked, with what the page showed."""
    seen = {f"seen.{key}": asked.lines()[key].digest for key in TO_CONFIRM}
    return client.post(f"{asked.home}/renewal", data={"keys": list(keys), **seen, **changed})


def give(asked: Renewal, section: str) -> None:
    """Give a section to the admin alone."""
    with asked.desk.at(system("test")) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=section, user_id=asked.desk.admin.id)


def test_the_home_says_what_can_be_confirmed_what_changed_and_what_is_new(asked: Renewal, priya: Client) -> None:
    told = read(priya, asked.home)

    assert "4 of last year’s answers can be confirmed in one go." in told
    assert "The evidence of 1 of them has ended; that is listed apart." in told
    assert "Check the 4 answers side by side, about 1 minute." in told
    assert "Confirm 4 answers From what you signed before, about 1 minute Check them" in told
    assert "Answer 4 questions 2 questions changed, 2 are new." in told
    assert "1 earlier answer is not asked any more" in told


def test_a_section_where_answers_wait_says_so(asked: Renewal, priya: Client) -> None:
    assert "1. Access Access of all accounts 0 of 5 To confirm" in read(priya, asked.home)

    confirm(priya, asked, *TO_CONFIRM)

    assert "1. Access Access of all accounts 3 of 5 In progress" in read(priya, asked.home)


def test_what_is_carried_counts_as_nothing_before_it_is_confirmed(asked: Renewal, priya: Client) -> None:
    assert "0 of 8 questions answered" in read(priya, asked.home)

    confirm(priya, asked, *TO_CONFIRM)

    assert "4 of 8 questions answered" in read(priya, asked.home)
    assert "can be confirmed in one go" not in read(priya, asked.home)


def test_a_vendor_without_earlier_answers_hears_nothing_of_a_renewal(
    quillmark: Desk, signed_in: Callable[..., Client]
) -> None:
    told = signed_in(quillmark.respondent).get("/").get_data(as_text=True)

    assert "can be confirmed" not in told
    assert "not asked any more" not in told
    page = signed_in(quillmark.respondent).get(f"/assessments/{quillmark.assessment_id}/renewal")
    assert "Nothing of your earlier attestation waits for you." in words(page.get_data(as_text=True))


def test_the_list_shows_each_answer_beside_the_question_of_today(asked: Renewal, priya: Client) -> None:
    told = read(priya, f"{asked.home}/renewal")

    assert "Confirm 4 answers" in told
    assert "1.1 Does every account need a second factor?" in told
    assert "Yes Passkeys for everybody. sign-in-policy.pdf, page 3, valid until 30 September 2027" in told
    assert "Answered by Priya Raghunath. small-renewal v1, signed 4 December 2025." in told
    assert told.index("1. Access") < told.index("2. Data") < told.index("The evidence has ended")
    assert "guest-rules.pdf. This file ended on 30 September 2026" in told.split("The evidence has ended")[1]


def test_a_plan_whose_day_has_passed_is_pointed_out(asked: Renewal, priya: Client) -> None:
    told = read(priya, f"{asked.home}/renewal")

    assert "The rest is planned by 1 March 2026. That day has passed." in told
    assert told.count("That day has passed.") == 1


def test_every_box_is_ticked_and_goes_with_what_the_page_showed(asked: Renewal, priya: Client) -> None:
    page = priya.get(f"{asked.home}/renewal").get_data(as_text=True)

    assert re.findall(r'name="keys" value="([^"]+)" checked', page) == [
        "acc.mfa",
        "acc.reviews",
        "dat.region",
        "acc.guests",
    ]
    shown = dict(re.findall(r'name="(seen\.[^"]+)" value="([^"]+)"', page))
    assert shown == {name: digest for name, digest in asked.seen().items() if name[5:] in TO_CONFIRM}


def test_one_button_confirms_the_list(asked: Renewal, priya: Client) -> None:
    answer = confirm(priya, asked, *TO_CONFIRM)

    assert answer.status_code == 303
    told = read(priya, f"{asked.home}/renewal")
    assert "4 answers are confirmed." in told
    assert "Nothing is left to confirm" in told
    assert "2 questions changed and 2 are new. They are answered in their sections." in told
    assert asked.plan().to_confirm == ()
    assert {key: asked.answers()[key].comment for key in TO_CONFIRM}["acc.mfa"] == "Passkeys for everybody."


def test_a_file_that_ended_does_not_come_along(asked: Renewal, priya: Client) -> None:
    confirm(priya, asked, *TO_CONFIRM)

    with asked.desk.at(asked.desk.respondent.actor) as (tx, row):
        cited = attestations.citations_of(tx, row)
    assert [each.file_name for each in cited["acc.mfa"]] == ["sign-in-policy.pdf"]
    assert "acc.guests" not in cited


def test_what_is_not_ticked_waits(asked: Renewal, priya: Client) -> None:
    confirm(priya, asked, "acc.mfa", "dat.region")

    told = read(priya, f"{asked.home}/renewal")
    assert "2 answers are confirmed. 2 not ticked wait below." in told
    assert asked.plan().to_confirm == ("acc.reviews", "acc.guests")


def test_nothing_ticked_is_said_in_words(asked: Renewal, priya: Client) -> None:
    answer = confirm(priya, asked)

    assert answer.status_code == 422
    assert "Tick the answers that are still correct, then confirm them" in answer.get_data(as_text=True)


def test_what_a_colleague_answered_meanwhile_is_left_and_the_rest_is_confirmed(
    asked: Renewal, priya: Client, marisol: Client
) -> None:
    seen = asked.seen()
    asked.desk.save("acc.reviews", {"choice": "yearly"}, actor=asked.desk.admin.actor)

    answer = priya.post(f"{asked.home}/renewal", data={"keys": list(TO_CONFIRM), **seen})
    told = words(answer.get_data(as_text=True))

    assert answer.status_code == 200
    assert "3 answers are confirmed. 1 answer was left as it was; the reason stands at each." in told
    assert "Somebody answered it meanwhile. Their answer stands" in told
    assert asked.answers()["acc.reviews"].answer.choice == "yearly"


def test_what_is_not_what_the_page_showed_is_left_with_its_reason(asked: Renewal, priya: Client) -> None:
    answer = confirm(priya, asked, "acc.mfa", "dat.region", **{"seen.acc.mfa": "0" * 64})
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert "It changed since you opened this page. Look at it again, then confirm it" in words(page)
    assert asked.plan().to_confirm == ("acc.mfa", "acc.reviews", "acc.guests")
    assert "acc.mfa" not in asked.answers()


def test_confirming_twice_is_confirming_once(asked: Renewal, priya: Client) -> None:
    for _ in range(2):
        assert confirm(priya, asked, *TO_CONFIRM).status_code == 303

    assert {asked.answers()[key].version for key in TO_CONFIRM} == {1}


@pytest.mark.parametrize("key", [*RE_ATTEST, NEW[0], *ARCHIVED, "nobody.knows", "ä'; --"])
def test_only_what_waits_can_be_confirmed(asked: Renewal, priya: Client, key: str) -> None:
    answer = confirm(priya, asked, key)

    assert answer.status_code == 409
    assert asked.answers() == {}


def test_a_section_of_somebody_else_is_shown_without_boxes_and_says_whose_it_is(asked: Renewal, priya: Client) -> None:
    give(asked, "acc")

    page = priya.get(f"{asked.home}/renewal").get_data(as_text=True)
    assert re.findall(r'name="keys" value="([^"]+)"', page) == ["dat.region"]
    assert "This section belongs to Marisol Dufour. You can read it" in words(page)
    assert "1 of them is yours to confirm." in words(page)
    assert "Confirm 1 answer" in words(page)

    answer = confirm(priya, asked, "acc.mfa")
    assert answer.status_code == 409
    assert "“Access” was given to somebody else. You can read it" in words(answer.get_data(as_text=True))
    assert asked.answers() == {}


def test_a_signatory_reads_the_list_and_confirms_nothing(asked: Renewal, signed_in: Callable[..., Client]) -> None:
    daniel = signed_in(asked.desk.signatory)

    page = daniel.get(f"{asked.home}/renewal").get_data(as_text=True)
    assert 'name="keys"' not in page
    assert "A respondent or a vendor admin of your team confirms them." in words(page)
    assert confirm(daniel, asked, "acc.mfa").status_code == 403


def test_what_is_not_asked_any_more_can_be_read_with_its_source(asked: Renewal, priya: Client) -> None:
    told = read(priya, f"{asked.home}/renewal").split("1 earlier answer is not asked any more")[1]

    assert "Are magnetic tapes locked away? Yes In a safe. Answered by Priya Raghunath. small-renewal v1" in told


def test_what_another_answer_rules_out_is_kept_and_comes_back(asked: Renewal, priya: Client) -> None:
    asked.desk.save("acc.mfa", {"choice": "no", "comment": "Not any more."})

    told = read(priya, f"{asked.home}/renewal").split("1 earlier answer waits for its question")[1]
    assert "Do guest accounts end by themselves? Partly Most of them." in told
    left = confirm(priya, asked, "acc.guests")
    assert left.status_code == 409
    assert "It is not asked now, because another answer rules it out. It is kept" in words(left.get_data(as_text=True))

    asked.desk.save("acc.mfa", {"choice": "yes", "comment": "It is back."})
    assert asked.plan().to_confirm == ("acc.reviews", "acc.guests", "dat.region")
    assert "waits for its question" not in read(priya, f"{asked.home}/renewal")


def test_once_it_is_signed_nothing_can_be_confirmed(asked: Renewal, priya: Client) -> None:
    asked.desk.settle_scoping()
    confirm(priya, asked, *TO_CONFIRM)
    asked.desk.answer()
    asked.desk.sign()

    told = read(priya, f"{asked.home}/renewal")
    assert "This assessment cannot be answered now." in told
    answer = confirm(priya, asked, "acc.mfa")
    assert answer.status_code == 409


def test_a_card_shows_the_earlier_answer_instead_of_a_form(asked: Renewal, priya: Client) -> None:
    page = priya.get(asked.section("acc")).get_data(as_text=True)
    shown = card(page, "acc.mfa")

    assert "1.1 Second factor From 2025, not confirmed yet Question unchanged" in words(shown)
    assert "Yes Passkeys for everybody. sign-in-policy.pdf, page 3" in words(shown)
    assert "Still correct" in shown
    assert "Change answer" in shown
    assert "<textarea" not in shown.split("talk-acc-mfa")[0]


def test_a_card_of_a_changed_question_shows_what_changed_and_the_earlier_answer(asked: Renewal, priya: Client) -> None:
    shown = card(priya.get(asked.section("acc")).get_data(as_text=True), "acc.leavers")

    assert "Question changed in v2" in words(shown)
    assert "<del>at most 24 hours</del> and is now <ins>at most 4 hours</ins>" in shown
    assert "Last time you said “20 hours”, so answer again." in words(shown)
    assert "The HR record is the trigger." in words(shown)
    assert 'value="20"' not in shown


def test_a_new_question_is_called_new(asked: Renewal, priya: Client) -> None:
    page = priya.get(asked.section("acc")).get_data(as_text=True)

    assert "New question" in card(page, "acc.keys")
    index = words(page.split('id="qidx"')[1].split("</nav>")[0])
    assert "1.1 Second factor, To confirm 1.2 Leavers, Changed 1.3" in index
    assert "1.5 Service keys, New question" in index


def test_one_card_is_confirmed_by_its_own_button(asked: Renewal, priya: Client) -> None:
    seen = asked.lines()["acc.mfa"].digest

    answer = priya.post(f"{asked.section('acc')}/acc.mfa/confirm", data={"seen": seen})

    assert answer.status_code == 303
    assert answer.location.endswith("/s/acc#q-acc-mfa")
    page = priya.get(asked.section("acc")).get_data(as_text=True)
    assert "Answered by you" in card(page, "acc.mfa")
    assert "sign-in-policy.pdf" in card(page, "acc.mfa")
    assert "1 of 5 answered" in words(page)


def test_a_card_that_is_not_what_was_shown_is_left_with_the_reason(asked: Renewal, priya: Client) -> None:
    answer = priya.post(f"{asked.section('acc')}/acc.mfa/confirm", data={"seen": "other"})

    assert answer.status_code == 409
    assert "It changed since you opened this page" in card(answer.get_data(as_text=True), "acc.mfa")
    assert asked.answers() == {}


def test_to_change_it_the_form_is_filled_with_the_earlier_answer(asked: Renewal, priya: Client) -> None:
    shown = card(priya.get(f"{asked.section('acc')}?change=acc.mfa").get_data(as_text=True), "acc.mfa")

    assert "This is your answer of 2025." in shown
    assert 'value="yes" checked' in shown
    assert "Passkeys for everybody.</textarea>" in shown
    assert 'name="version" value="0"' in shown


@pytest.mark.parametrize("key", ["acc.leavers", "acc.keys", "dat.region", "nobody.knows", "<b>"])
def test_what_does_not_wait_is_not_changed_by_asking(asked: Renewal, priya: Client, key: str) -> None:
    page = priya.get(asked.section("acc"), query_string={"change": key})

    assert page.status_code == 200
    assert "This is your answer of" not in page.get_data(as_text=True)


def test_a_file_of_the_earlier_answer_is_one_press_away(asked: Renewal, priya: Client) -> None:
    shown = card(priya.get(f"{asked.section('acc')}?change=acc.mfa").get_data(as_text=True), "acc.mfa")
    evidence = re.findall(r'name="evidence" value="([^"]+)"', shown)
    assert "Attach sign-in-policy.pdf again" in words(shown)
    assert "guest-rules.pdf again" not in priya.get(f"{asked.section('acc')}?change=acc.guests").get_data(as_text=True)

    priya.post(f"{asked.section('acc')}/acc.mfa", data={"choice": "no", "comment": "Not any more.", "version": "0"})
    priya.post(f"{asked.section('acc')}/acc.mfa/evidence", data={"evidence": evidence, "pages": "3"})

    shown = card(priya.get(asked.section("acc")).get_data(as_text=True), "acc.mfa")
    assert "page 3" in words(shown)
    assert "Attach sign-in-policy.pdf again" not in words(shown)


def test_saving_it_by_hand_settles_it(asked: Renewal, priya: Client) -> None:
    typed = {"choice": "no", "comment": "Not any more.", "version": "0"}

    answer = priya.post(f"{asked.section('acc')}/acc.mfa", data=typed, headers=HX)
    page = answer.get_data(as_text=True)

    assert answer.status_code == 200
    assert '<div id="again-acc-mfa" hidden></div>' in page
    assert asked.lines()["acc.mfa"].settled is Settled.ANSWERED
    assert asked.answers()["acc.mfa"].answer.choice == "no"


def test_what_cannot_be_taken_keeps_the_form_and_the_note(asked: Renewal, priya: Client) -> None:
    typed = {"choice": "perhaps", "comment": "We think.", "version": "0"}
    for headers in ({}, HX):
        answer = priya.post(f"{asked.section('acc')}/acc.mfa", data=typed, headers=headers)
        page = answer.get_data(as_text=True)

        assert answer.status_code == 422
        assert "We think.</textarea>" in page
        assert '<div id="again-acc-mfa" hidden></div>' not in page


def test_a_changed_question_answered_again_keeps_what_changed_in_sight(asked: Renewal, priya: Client) -> None:
    priya.post(f"{asked.section('acc')}/acc.leavers", data={"number": "3", "comment": "SCIM.", "version": "0"})

    shown = words(card(priya.get(asked.section("acc")).get_data(as_text=True), "acc.leavers"))
    assert "Question changed in v2" in shown
    assert "Last time you said “20 hours”." in shown
    assert "so answer again" not in shown


def test_a_section_is_not_complete_while_an_answer_waits(asked: Renewal, priya: Client) -> None:
    asked.desk.answer(leave=[*TO_CONFIRM])

    answer = priya.post(asked.section("acc"), data={"done": "yes", "then": "home"})
    told = words(answer.get_data(as_text=True))

    assert answer.status_code == 422
    assert "Say whether 1.1 Second factor is still correct, or change it" in told


def test_the_check_page_leads_to_the_list_before_it_can_be_signed(asked: Renewal, marisol: Client) -> None:
    page = marisol.get(f"{asked.home}/check").get_data(as_text=True)

    assert f'<a href="{asked.home}/renewal">Confirm 4 answers from your earlier attestation</a>' in page
    assert "Earlier answers to confirm: 4" in words(page)


def test_the_check_page_names_only_what_differs(asked: Renewal, priya: Client, marisol: Client) -> None:
    confirm(priya, asked, *TO_CONFIRM)
    asked.desk.save("acc.leavers", {"number": "3", "comment": "SCIM."})

    told = read(marisol, f"{asked.home}/check")

    assert "3 things differ from what was signed on 4 December 2025." in told
    assert "1.2 Leavers 20 hours 3 hours" in told
    assert "1.4 Guest accounts Partly The evidence changed" in told
    assert "Tapes Yes Not asked any more" in told


def test_a_fact_that_was_signed_last_year_is_confirmed_where_it_stands(asked: Renewal, marisol: Client) -> None:
    page = marisol.get(f"{asked.home}/scoping").get_data(as_text=True)
    assert "As you signed it last, not confirmed yet" in page
    assert 'value="40"' in page

    line = asked.desk
    with line.at(line.admin.actor) as (tx, row):
        fact = next(each for each in assessments.scoping_of(tx, row) if each.key == "scp.people")
    answer = marisol.post(
        f"{asked.home}/scoping/scp.people", data={"act": "state", "number": "40", "version": str(fact.version)}
    )
    assert answer.status_code == 303
    assert "not confirmed yet" not in marisol.get(f"{asked.home}/scoping").get_data(as_text=True)


def test_the_numbers_of_the_page_are_those_foreseen_before_publishing(house: House) -> None:
    made, signed = signed_first(house)
    with house.ledger.begin(system("test")) as tx:
        attestation = tx.session.get_one(Attestation, signed)
        foreseen = attestations.plan_for(tx, attestation=attestation, questionnaire=compile_yaml(text(2), "v2.yaml"))

    assert ask_again(made, signed).plan() == foreseen
