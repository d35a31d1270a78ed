"""Hiding never deletes: what an answer hides is kept, is said to be kept, is not signed, and returns."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.attestations import service as attestations
from portal.questionnaires.rules import QuestionState, to_json
from portal.wiring import House
from tests.factories.attestations import LAB, Desk, desk
from tests.sites.conftest import Client

OPENS, FOLLOWS = "gov.assurance.level", "gov.assurance.scope"
KEPT = "1 answer is kept but not asked now"
WORDS = {"choice": "yes", "comment": "Every site is in the report."}


@pytest.fixture
def made(house: House) -> Desk:
    """A vendor that has answered a question and its follow-up."""
    ready = desk(house, slug="ai-contractor")
    ready.settle_scoping()
    ready.save(OPENS, {"choice": "soc2_2", "comment": "By Ledger and Reed."})
    ready.save(FOLLOWS, WORDS)
    return ready


@pytest.fixture
def priya(made: Desk, signed_in: Callable[..., Client]) -> Client:
    return signed_in(made.respondent)


def hide(made: Desk) -> None:
    made.save(OPENS, {"choice": "none", "comment": "It ended."})


def read(client: Client, made: Desk, where: str) -> str:
    text: str = client.get(f"/assessments/{made.assessment_id}/{where}").get_data(as_text=True)
    return text


def content(made: Desk) -> object:
    with made.at(made.respondent.actor) as (tx, row):
        return to_json(attestations.answers_of(tx, row)[FOLLOWS].answer)


@pytest.mark.parametrize("where", ["s/gov", "check"])
def test_the_page_says_which_answers_are_kept_but_not_asked(made: Desk, priya: Client, where: str) -> None:
    assert "kept but not asked" not in read(priya, made, where)

    hide(made)

    text = read(priya, made, where)
    assert KEPT in text
    label = made.questionnaire.question(FOLLOWS).label
    assert f"{made.questionnaire.number_of(FOLLOWS)}</span> <span>{label}</span>" in text
    assert "it is not part of what is signed" in text


def test_another_section_says_nothing_of_it(made: Desk, priya: Client) -> None:
    hide(made)

    assert "kept but not asked" not in read(priya, made, "s/dat")


def test_with_script_the_page_says_so_at_once(made: Desk, priya: Client) -> None:
    answer = priya.post(
        f"/assessments/{made.assessment_id}/s/gov/{OPENS}",
        data={"choice": "none", "comment": "It ended.", "version": "1"},
        headers={"HX-Request": "true"},
    ).get_data(as_text=True)

    assert '<div id="kept">' in answer
    assert KEPT in answer


def test_a_hidden_answer_is_kept_word_for_word_and_returns(made: Desk, priya: Client) -> None:
    hide(made)
    assert content(made) == WORDS

    made.save(OPENS, {"choice": "soc2_2", "comment": "By Ledger and Reed."})

    assert content(made) == WORDS
    text = read(priya, made, "s/gov")
    assert "Every site is in the report." in text
    assert "kept but not asked" not in text


def test_a_hidden_answer_is_not_part_of_what_is_signed(made: Desk) -> None:
    hide(made)

    with made.at(made.signatory.fresh) as (tx, row):
        frozen = attestations.preview(tx, row, lab_name=LAB).answers[FOLLOWS]

    assert frozen.state is QuestionState.ZERO
    assert dict(frozen.content) == {}
