"""The history of an answer on its page, restoring a version, and the notices of an open page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.identity import person
from tests.sites.conftest import Client

KEY = "gov.owner"


def here(made: Desk, key: str = KEY) -> str:
    return f"/assessments/{made.assessment_id}/s/{made.questionnaire.question(key).section}/{key}"


def history(client: Client, made: Desk) -> str:
    answer = client.get(f"{here(made)}/history")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def restore(client: Client, made: Desk, to: int, version: int) -> Any:
    return client.post(f"{here(made)}/history", data={"restore": str(to), "version": str(version)})


def stored(made: Desk) -> attestations.AnswerLine:
    with made.at(made.admin.actor) as (tx, row):
        return attestations.answers_of(tx, row)[KEY]


def test_the_history_says_who_changed_what_word_by_word(quillmark: Desk, priya: Client) -> None:
    quillmark.save(KEY, {"choice": "yes", "comment": "Our CTO reports every quarter."})
    quillmark.save(KEY, {"choice": "partial", "comment": "Our CTO reports every month."}, actor=quillmark.admin.actor)

    page = history(priya, quillmark)

    assert "Marisol Dufour" in page
    assert "Priya Raghunath" in page
    assert "<del>quarter</del><ins>month</ins>" in page
    assert "<del>Yes</del> <ins>Partly</ins>" in page
    assert f'href="{here(quillmark)}/history"' in priya.get(here(quillmark).rsplit("/", 1)[0]).get_data(as_text=True)


def test_what_one_person_types_in_one_sitting_is_one_step_with_its_saves(quillmark: Desk, priya: Client) -> None:
    for text in ("Our", "Our CTO", "Our CTO reports."):
        quillmark.save(KEY, {"choice": "yes", "comment": text})

    page = history(priya, quillmark)

    assert page.count('<li class="card"') == 1
    assert "2 saves on the way" in page


def test_a_version_is_restored_as_a_new_one_and_nothing_is_taken_away(quillmark: Desk, priya: Client) -> None:
    quillmark.save(KEY, {"choice": "yes", "comment": "Before."})
    quillmark.save(KEY, {"choice": "no", "comment": "After."}, actor=quillmark.admin.actor)

    assert restore(priya, quillmark, to=1, version=2).status_code == 303

    line = stored(quillmark)
    assert (line.version, line.answer.choice, line.comment, line.by) == (3, "yes", "Before.", "Priya Raghunath")
    page = history(priya, quillmark)
    assert "Restored from version 1" in page
    assert "After." in page


def test_restoring_over_a_colleague_shows_their_words_and_changes_nothing(quillmark: Desk, priya: Client) -> None:
    quillmark.save(KEY, {"choice": "yes", "comment": "Before."})
    quillmark.save(KEY, {"choice": "no", "comment": "Newer."}, actor=quillmark.admin.actor)

    late = restore(priya, quillmark, to=1, version=1)
    page = late.get_data(as_text=True)

    assert late.status_code == 409
    assert "Marisol Dufour changed this answer a moment ago." in page
    assert "Newer." in page
    assert 'name="version" value="2"' in page
    assert stored(quillmark).comment == "Newer."


def test_an_answer_that_nobody_wrote_has_an_empty_history(quillmark: Desk, priya: Client) -> None:
    page = history(priya, quillmark)
    assert "Nothing was written here yet." in page


@pytest.mark.parametrize("to", ["", "0", "7", "x", "-1", "99999999999999999999"])
def test_a_version_that_is_not_there_is_not_found(quillmark: Desk, priya: Client, to: str) -> None:
    quillmark.save(KEY, {"choice": "yes"})
    answer = priya.post(f"{here(quillmark)}/history", data={"restore": to, "version": "1"})
    assert answer.status_code == 404


def test_who_may_only_read_the_section_reads_the_history_and_restores_nothing(
    quillmark: Desk, signed_in: Callable[..., Client]
) -> None:
    quillmark.save(KEY, {"choice": "yes", "comment": "Before."})
    quillmark.save(KEY, {"choice": "no", "comment": "After."})
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=quillmark.admin.id)
    signatory = signed_in(quillmark.signatory)

    page = history(signatory, quillmark)

    assert "Before." in page
    assert "Restore" not in page
    assert restore(signatory, quillmark, to=1, version=2).status_code == 403


def test_another_vendor_finds_no_history(house: House, quillmark: Desk, signed_in: Callable[..., Client]) -> None:
    quillmark.save(KEY, {"choice": "yes"})
    other = desk(house, name="Brightfen Data")
    stranger = signed_in(other.admin)

    assert stranger.get(f"{here(quillmark)}/history").status_code == 404
    assert restore(stranger, quillmark, to=1, version=1).status_code == 404
    assert stranger.get(f"/news/{quillmark.assessment_id}/gov").status_code == 404


def test_a_signed_answer_is_not_restored(quillmark: Desk, priya: Client) -> None:
    quillmark.complete()
    quillmark.save(KEY, {"choice": "yes", "comment": "Changed before signing."})
    quillmark.sign()

    assert "Restore" not in history(priya, quillmark)
    late = restore(priya, quillmark, to=1, version=2)
    assert late.status_code == 409
    assert "Nothing was restored." in late.get_data(as_text=True)


def test_an_open_page_hears_what_colleagues_changed_and_not_what_it_changed_itself(
    quillmark: Desk, priya: Client, marisol: Client
) -> None:
    news = f"/news/{quillmark.assessment_id}/gov"
    quiet = priya.get(news)
    assert (quiet.status_code, quiet.get_data()) == (204, b"")

    quillmark.save(KEY, {"choice": "yes", "comment": "Our CTO."}, actor=quillmark.admin.actor)

    heard = priya.get(news, query_string={"since": quiet.headers["X-Since"]})
    page = heard.get_data(as_text=True)
    assert heard.status_code == 200
    assert 'id="told-gov-owner"' in page
    assert "Marisol Dufour changed this answer a moment ago." in page
    assert 'data-version="1"' in page
    assert "Our CTO." not in page
    assert marisol.get(news).status_code == 204


@pytest.mark.parametrize("since", ["", "x", "2026-11-24", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+00:00"])
def test_a_moment_that_we_did_not_say_is_no_fault(quillmark: Desk, priya: Client, since: str) -> None:
    assert priya.get(f"/news/{quillmark.assessment_id}/gov", query_string={"since": since}).status_code == 204


def test_the_page_of_one_person_never_writes_under_the_name_of_another(
    house: House, quillmark: Desk, priya: Client, marisol: Client
) -> None:
    drawn_for_priya = priya.get(here(quillmark).rsplit("/", 1)[0]).get_data(as_text=True)
    mark = drawn_for_priya.split('data-holder="')[1].split('"')[0]
    typed = {"choice": "yes", "comment": "Priya’s words.", "version": "0"}
    headers = {"HX-Request": "true", "X-Holder": mark}

    assert marisol.post(here(quillmark), data=typed, headers=headers).status_code == 401
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert attestations.answers_of(tx, row) == {}
    assert priya.post(here(quillmark), data=typed, headers=headers).status_code == 200


def test_a_person_of_the_vendor_that_has_left_is_still_named(house: House, quillmark: Desk, priya: Client) -> None:
    tomasz = person(house, roles=["respondent"], vendor=quillmark.vendor_id, name="Tomasz Okoro")
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="gov", user_id=tomasz.id)
    quillmark.save(KEY, {"choice": "yes"}, actor=tomasz.actor)

    assert "Tomasz Okoro" in history(priya, quillmark)
