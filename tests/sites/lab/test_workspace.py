"""Judging one answer with its proof: the verdict, the finding, what only the lab sees, and what leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.findings import service as findings
from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import AssessmentState, Role, Verdict
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.rereading import TO_READ, reread
from tests.factories.reviews import Bench, bench


@pytest.fixture
def made(house: House) -> Bench:
    return bench(house)


def path_of(made: Bench) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}"


def verdicts(made: Bench) -> dict[str, Verdict | None]:
    with made.at(system("test")) as (tx, review):
        return {key: line.verdict for key, line in reviews.verdict_lines(tx, review).items()}


def test_the_page_shows_answer_points_proof_and_what_to_check(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key = next(
        each.key
        for each in made.desk.visible()
        if each.is_scored and made.desk.questionnaire.evidence_level(each.key, 2) > 0
    )

    text = signed_in(made.reviewer).get(f"{path_of(made)}?q={key}").get_data(as_text=True)

    assert made.desk.questionnaire.question(key).text[:40] in text.replace("&#39;", "'")
    assert "of 100 for the answer" in text
    assert "verified evidence" in text
    assert "SHA-256" in text
    assert "Vendor points at" in text
    assert "Check that" in text
    assert "Only Orrery sees this" in text


def test_a_first_review_lists_answers_by_section(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    text = signed_in(made.reviewer).get(path_of(made)).get_data(as_text=True)
    section = made.desk.questionnaire.sections[0]

    assert f"{section.number} {section.title}" in text.replace("&amp;", "&")


def test_accepting_goes_on_to_the_next_answer_without_a_verdict(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    client, path = signed_in(made.reviewer), path_of(made)
    keys = made.open_keys()
    first = (
        client.get(path)
        .get_data(as_text=True)
        .partition('aria-current="true"')[0]
        .rpartition("?q=")[2]
        .partition('"')[0]
    )

    answer = client.post(f"{path}/answers/{first}/verdict", data={"quick": "accept", "version": "0"})

    assert answer.status_code == 303
    assert verdicts(made) == {first: Verdict.ACCEPT}
    onward = answer.location.partition("?q=")[2].partition("&")[0]
    assert onward in keys
    assert onward != first


def test_a_flag_writes_a_finding_and_says_what_is_missing_at_its_field(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    made.claim()
    client, path, key = signed_in(made.reviewer), path_of(made), made.open_keys()[0]
    form = {"verdict": "flag", "severity": "high", "due_on": "2027-01-15", "version": "0"}

    refused = client.post(f"{path}/answers/{key}/verdict", data={**form, "closes_when": "An export shows it"})
    text = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert text.count("Enter what is wrong, for the vendor to read") == 2
    assert "An export shows it" in text
    assert "<title>Error: " in text

    done = client.post(
        f"{path}/answers/{key}/verdict",
        data={**form, "closes_when": "An export shows it", "what": "61 laptops are not encrypted", "credit": "20"},
    )
    assert done.status_code == 303
    with made.at(system("test")) as (tx, review):
        found = findings.of_assessment(tx, review.assessment_id)
    assert [(each.what, each.credit) for each in found] == [("61 laptops are not encrypted", 20)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"verdict": ""}, "Choose whether you accept, flag or ask"),
        ({"verdict": "ask", "note": " "}, "Write your question to the vendor"),
        ({"verdict": "flag", "what": "x", "closes_when": "y", "due_on": "soon"}, "Enter a date, for example"),
        ({"verdict": "flag", "what": "x", "closes_when": "y", "credit": "many"}, "Enter a whole number"),
        ({"verdict": "flag", "what": "x", "closes_when": "y", "credit": "101"}, "Enter the points from 0 to 100"),
        ({"verdict": "flag", "what": "x", "closes_when": "y", "due_on": "2026-01-01"}, "must be today or later"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    made: Bench, signed_in: Callable[..., Any], changes: dict[str, str], words: str
) -> None:
    made.claim()
    key = made.open_keys()[0]

    answer = signed_in(made.reviewer).post(f"{path_of(made)}/answers/{key}/verdict", data={"version": "0", **changes})

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert verdicts(made) == {}


def test_a_late_verdict_keeps_what_was_typed(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key = made.open_keys()[0]
    made.judge(key, Verdict.ACCEPT)

    late = signed_in(made.reviewer).post(
        f"{path_of(made)}/answers/{key}/verdict", data={"verdict": "ask", "note": "Which sites?", "version": "0"}
    )

    assert late.status_code == 409
    assert "This verdict changed since you opened the page" in late.get_data(as_text=True)
    assert "Which sites?" in late.get_data(as_text=True)
    assert verdicts(made) == {key: Verdict.ACCEPT}


def test_a_verdict_is_taken_back(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key = made.open_keys()[0]
    made.flag(key)

    answer = signed_in(made.reviewer).post(f"{path_of(made)}/answers/{key}/clear", data={"version": "1"})

    assert answer.status_code == 303
    assert verdicts(made) == {key: None}


def test_only_the_reviewer_judges_and_the_page_says_whose_it_is(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key, path = made.open_keys()[0], path_of(made)
    other = signed_in(made.other)

    text = other.get(path).get_data(as_text=True)
    assert "Ines Valdarno has this review. You can read it." in text
    assert "Save and go on" not in text
    assert other.post(f"{path}/answers/{key}/verdict", data={"quick": "accept", "version": "0"}).status_code == 403


def test_an_unclaimed_review_can_be_read_and_claimed(made: Bench, signed_in: Callable[..., Any]) -> None:
    text = signed_in(made.reviewer).get(path_of(made)).get_data(as_text=True)

    assert "Claim this review" in text
    assert "Save and go on" not in text


def test_notes_stay_inside_and_messages_go_out(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key, path, client = made.open_keys()[0], path_of(made), signed_in(made.reviewer)

    client.post(f"{path}/answers/{key}/note", data={"note-body": "CANI smells of a template"})
    client.post(f"{path}/answers/{key}/message", data={"message-body": "Thank you for the detail"})
    empty = client.post(f"{path}/answers/{key}/note", data={"note-body": " "})

    text = client.get(f"{path}?q={key}").get_data(as_text=True)
    assert "CANI smells of a template" in text
    assert "Thank you for the detail" in text
    assert empty.status_code == 422
    assert "Write your message" in empty.get_data(as_text=True)


def test_a_file_is_let_in_or_not_and_verified_or_rejected(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key = next(each.key for each in made.desk.visible() if each.is_scored)
    path, client = path_of(made), signed_in(made.reviewer)
    with made.at(system("test")) as (tx, review):
        cited = reviews.attested_of(tx, review).snapshot.citations_of(key)[0]

    refused = client.post(f"{path}/citations/{cited.citation_id}?q={key}", data={"acceptance": "rejected"})
    assert refused.status_code == 303
    assert "Does not prove this answer" in client.get(f"{path}?q={key}").get_data(as_text=True)
    assert client.post(f"{path}/citations/{cited.citation_id}?q={key}", data={"acceptance": "x"}).status_code == 422

    bare = client.post(
        f"{path}/files/{cited.evidence_id}?q={key}", data={"judgement": "reject", "file-row_version": "1"}
    )
    assert bare.status_code == 422
    assert "Say what is wrong with the file" in bare.get_data(as_text=True)
    done = client.post(
        f"{path}/files/{cited.evidence_id}?q={key}",
        data={"judgement": "reject", "file-row_version": "1", "file-note": "It covers another product"},
    )
    assert done.status_code == 303
    assert "It covers another product" in client.get(f"{path}?q={key}").get_data(as_text=True)


def test_in_the_next_revision_the_list_is_by_kind_of_change(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    keys = [each.key for each in made.desk.visible() if each.is_scored and len(each.choices) > 1]
    asked = keys[0]
    made.judge(asked, Verdict.ASK, note="Is it still so at the new site?")
    made.accept_rest()
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)
    question = made.desk.questionnaire.question(asked)
    worst = min(question.choices, key=lambda option: option.credit or 0)
    raw = {"choice": worst.key, "comment": "Not at the new site.", "planned_on": "2027-03-01"}
    made.desk.save(asked, raw)
    made.desk.reply(asked)
    made.desk.sign()
    made.claim()
    client, path = signed_in(made.reviewer), path_of(made)

    text = client.get(f"{path}?q={asked}").get_data(as_text=True)
    settled = client.get(f"{path}?q={keys[1]}").get_data(as_text=True)

    assert "Went down" in text
    assert '<del class="d">' in text
    assert "<ins>" in text
    assert "Unchanged" in text
    assert "Accepted in the revision before" in settled
    assert "1 left" in text
    again = client.post(f"{path}/answers/{keys[1]}/reopen", data={"reopen-body": ""})
    assert again.status_code == 422
    assert client.post(f"{path}/answers/{keys[1]}/reopen", data={"reopen-body": "New leak"}).status_code == 303


def test_finishing_names_what_is_left_then_recommends(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    client, path = signed_in(made.reviewer), path_of(made)
    text = client.get(f"{path}/finish").get_data(as_text=True)
    version = text.partition('name="row_version" value="')[2].partition('"')[0]

    early = client.post(f"{path}/finish", data={"note": "Solid work", "row_version": version})
    assert early.status_code == 422
    assert "no verdict yet. Accept, flag or ask about each" in early.get_data(as_text=True)
    assert "Solid work" in early.get_data(as_text=True)

    made.accept_rest()
    done = client.post(f"{path}/finish", data={"note": "Solid work", "row_version": version})
    assert (done.status_code, done.location) == (303, f"{path}/decide")
    with made.desk.at(system("test")) as (_, assessment):
        assert assessment.state is AssessmentState.RECOMMENDED


def test_every_point_is_shown_and_the_stored_score_replays(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()

    text = signed_in(made.reviewer).get(f"{path_of(made)}/score").get_data(as_text=True)

    assert "What is shown equals what is stored." in text
    for question in made.desk.questionnaire.questions:
        if question.is_scored and question in made.desk.visible():
            assert f"{question.number} " in text


@pytest.mark.parametrize("page", ["", "/return", "/finish", "/score", "/assign", "/back", "/decide"])
def test_of_an_unknown_review_nothing_is_known(made: Bench, signed_in: Callable[..., Any], page: str) -> None:
    path = "/lab/reviews/00000000-0000-7000-8000-00000000ffff"
    assert signed_in(person(made.house, roles=[Role.REVIEWER, Role.LEAD_APPROVER])).get(path + page).status_code == 404
    assert signed_in(made.desk.respondent).get(path_of(made) + page).status_code == 404


def test_an_unknown_question_is_not_found(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    client, path = signed_in(made.reviewer), path_of(made)

    assert client.get(f"{path}?q=no.such").status_code == 404
    assert client.post(f"{path}/answers/no.such/verdict", data={"quick": "accept", "version": "0"}).status_code == 404


SCRIPT = {"HX-Request": "true"}


def test_with_script_a_verdict_brings_the_next_answer_and_the_way_back(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    made.claim()
    client, path = signed_in(made.reviewer), path_of(made)
    first = made.open_keys()[0]

    answer = client.post(f"{path}/answers/{first}/verdict", data={"quick": "accept", "version": "0"}, headers=SCRIPT)

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert text.lstrip().startswith('<div id="desk"')
    assert "is accepted." in text
    assert f"/answers/{first}/clear" in text
    assert f'data-answer="{first}"' not in text


def test_undoing_says_again_what_was_said_before(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    client, path, key = signed_in(made.reviewer), path_of(made), made.open_keys()[0]
    made.flag(key, what="61 laptops are not encrypted", credit=20, blocks=((3, None),))

    text = client.post(
        f"{path}/answers/{key}/verdict", data={"quick": "accept", "version": "1"}, headers=SCRIPT
    ).get_data(as_text=True)
    assert verdicts(made)[key] is Verdict.ACCEPT
    undo = text.partition('id="dock"')[2].partition("</form>")[0]
    given = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', undo))
    assert (given["verdict"], given["stay"], given["blocks"]) == ("flag", "1", "3:")

    again = client.post(f"{path}/answers/{key}/verdict", data=given, headers=SCRIPT)

    assert again.status_code == 200
    assert f'data-answer="{key}"' in again.get_data(as_text=True)
    with made.at(system("test")) as (tx, review):
        found = [each for each in findings.of_assessment(tx, review.assessment_id) if each.state == "draft"]
    assert [(each.what, each.credit, each.blocks) for each in found] == [
        ("61 laptops are not encrypted", 20, ((3, None),))
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"blocks": "9:"}, "Choose the data class and the way of access that it blocks"),
        ({"blocks": "nonsense"}, "Choose the data class and the way of access that it blocks"),
        ({"owner": "nobody"}, "Choose somebody who works at the vendor now"),
    ],
)
def test_what_a_finding_cannot_block_and_who_cannot_own_it_is_said(
    made: Bench, signed_in: Callable[..., Any], changes: dict[str, str], words: str
) -> None:
    made.claim()
    form = {"verdict": "flag", "what": "x", "closes_when": "y", "version": "0", **changes}

    answer = signed_in(made.reviewer).post(f"{path_of(made)}/answers/{made.open_keys()[0]}/verdict", data=form)

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_it_is_compared_with_any_earlier_revision_and_with_no_other(
    house: House, signed_in: Callable[..., Any]
) -> None:
    made = reread(house, slug="ai-contractor-minimal")
    client, path = signed_in(made.reviewer), path_of(made)
    down = next(iter(made.changed))
    text = client.get(f"{path}?q={down}").get_data(as_text=True)
    assert f"{TO_READ} to read" in text
    assert "Compare with: <b>2025</b>" in text
    chosen = re.search(r"with=([0-9a-f-]{36})", text)
    assert chosen is not None

    assert '<del class="d">' in client.get(f"{path}?q={down}&with={chosen[1]}").get_data(as_text=True)
    assert '<del class="d">' not in client.get(f"{path}?q={down}&diff=off").get_data(as_text=True)
    assert client.get(f"{path}?with=00000000-0000-7000-8000-00000000ffff").status_code == 404
    assert client.get(f"{path}?with=nonsense").status_code == 200


def test_before_it_is_finished_it_shows_what_the_vendor_gets(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    key = made.open_keys()[0]
    made.flag(
        key,
        what="61 laptops are not encrypted",
        closes_when="An export shows all of them",
        blocks=((3, None),),
        owner_id=made.desk.respondent.id,
    )
    made.accept_rest()

    text = signed_in(made.reviewer).get(f"{path_of(made)}/finish").get_data(as_text=True)

    assert "What Quillmark Annotation has to do" in text
    tasks = text.partition('id="findings"')[2]
    assert "61 laptops are not encrypted" in tasks
    assert "An export shows all of them" in tasks
    assert "Owner: Priya Raghunath." in tasks
    assert "Blocks D3 Confidential and above." in tasks
    assert "The letter, as it stands" in tasks


def test_the_vendor_reads_on_its_home_which_questions_are_open_and_why(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    made.claim()
    key = made.open_keys()[0]
    made.judge(key, Verdict.ASK, note="Who can open the seal?")
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.return_questions(tx, review=review, row_version=review.row_version)

    text = signed_in(made.desk.admin).get(f"/assessments/{made.desk.assessment_id}").get_data(as_text=True)

    assert "1 question came back to you" in text
    assert "Who can open the seal?" in text
    assert "Everything else stays as it was signed." in text
