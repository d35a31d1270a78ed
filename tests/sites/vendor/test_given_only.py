"""Who was given one section sees that section: no byte of another answer, on no page and in no file."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.identity import queries as people
from portal.identity import service as identity
from portal.policy import Action
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.attestations import Desk, good_answer
from tests.factories.exchange import make_brought
from tests.factories.identity import Person, person
from tests.sites.conftest import Client
from tests.sites.vendor.test_walls import crawl

NOBODY = UUID("00000000-0000-4000-8000-0000000000ff")
MINE = "gov"
CANARY = "canary-2H8W"
THREAD = "canary-5T3M"
"""Words of answers, and of conversations, in the sections that were not given."""


@pytest.fixture
def lena(quillmark: Desk, things: Mapping[str, Any]) -> Person:
    """A respondent who was given one section of an assessment that is answered to the end."""
    made = person(quillmark.house, roles=[Role.RESPONDENT], vendor=quillmark.vendor_id, name="Lena Brandt")
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=MINE, user_id=made.id)
    return made


def hidden_key(made: Desk) -> tuple[str, str]:
    """Return the section and key of an answer that was not given."""
    question = next(each for each in made.visible() if each.section != MINE)
    return question.section, question.key


@pytest.fixture
def things(quillmark: Desk) -> Mapping[str, Any]:
    """Something of everything that a route of the vendor names by its id, with the words to look for in it."""
    quillmark.complete()
    others = [each for each in quillmark.visible() if each.section != MINE]
    for question in others:
        raw = {**good_answer(question), "comment": f"{CANARY} at {question.key}."}
        quillmark.save(question.key, raw, actor=quillmark.admin.actor)
    brought = make_brought(quillmark, CANARY)
    cited = quillmark.cite(MINE + ".owner", quillmark.file())
    with quillmark.at(quillmark.signatory.actor) as (tx, row):
        note, to = f"{CANARY} is for you to look at.", [quillmark.respondent.id]
        attestations.send_back(tx, assessment=row, act_id=tx.new_id(), note=note, people=to, sections=(), notes={})
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=others[0].key, body=f"{THREAD} here.")
        invitation = identity.invite(
            tx,
            email="new.hand@quillmark.example",
            full_name="New Hand",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=row.vendor_id,
            keyring=quillmark.house.keyring,
        )
        evidence_id = attestations.citations_of(tx, row)[MINE + ".owner"][0].evidence_id
        return {
            "assessment_id": row.id,
            "citation_id": cited,
            "evidence_id": evidence_id,
            "invitation_id": invitation.id,
            "user_id": quillmark.respondent.id,
            "number": 1,
            **brought,
        }


def ways(app: Flask, ids: Mapping[str, Any], keys: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield every way into the vendor's site: method, endpoint and path, at a given answer and at a hidden one."""
    with app.test_request_context():
        adapter = app.url_map.bind("")
        for rule in app.url_map.iter_rules():
            if not rule.endpoint.startswith("vendor_"):
                continue
            whats = ("xlsx", "csv", "pdf") if "what" in rule.arguments else ("",)
            for (section, key), what in itertools.product(keys, whats):
                named = {**ids, "section": section, "key": key, "what": what}
                values = {each: named.get(each, NOBODY if each.endswith("_id") else "x") for each in rule.arguments}
                for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                    yield method, rule.endpoint, adapter.build(rule.endpoint, values)


def words_of(data: bytes) -> str:
    """Return what can be read in an answer, also what is packed in it."""
    if not data.startswith(b"PK"):
        return data.decode(errors="replace")
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return " ".join(words_of(packed.read(each)) for each in packed.namelist())


def answers(made: Desk) -> dict[str, tuple[int, object]]:
    """Return every stored answer with its version."""
    with made.at(made.admin.actor) as (tx, row):
        return {key: (line.version, line.answer) for key, line in attestations.answers_of(tx, row).items()}


def walked(app: Flask, client: Client, made: Desk, ids: Mapping[str, Any]) -> dict[str, str]:
    """Return what every way of the site answers, those that read first."""
    found: dict[str, str] = {}
    for method, endpoint, path in sorted(set(ways(app, ids, [(MINE, MINE + ".owner"), hidden_key(made)]))):
        posted = {"version": "1", "body": "Hm.", "row_version": "1", "revision": "1", "files": "no", "comment": "Mine."}
        answer = client.open(path, method=method, data=posted if method == "POST" else None)
        assert answer.status_code < 500, (method, endpoint)
        found[f"{method} {path}"] = words_of(answer.get_data())
    return found


@pytest.mark.parametrize("signed", [False, True], ids=["open", "signed"])
def test_no_page_and_no_file_shows_an_answer_that_was_not_given(
    app: Flask,
    quillmark: Desk,
    lena: Person,
    things: Mapping[str, Any],
    signed_in: Callable[..., Client],
    signed: bool,
) -> None:
    if signed:
        quillmark.sign()
    before = answers(quillmark)

    seen = crawl(signed_in(lena)) | walked(app, signed_in(lena, fresh=True), quillmark, things)

    # What colleagues brought in is listed by the names of the files.
    read = {path: words.replace(f"caiq {CANARY}.xlsx", "").replace(f"{CANARY}.zip", "") for path, words in seen.items()}
    shown = sorted(path for path, words in read.items() if CANARY in words or THREAD in words)
    assert shown == []
    kept = answers(quillmark)
    touched = sorted(key for key in before if kept[key] != before[key])
    assert [key for key in touched if not key.startswith(MINE + ".")] == []


@pytest.mark.parametrize("who", ["respondent", "admin", "signatory"])
def test_everybody_else_of_the_team_sees_them(
    quillmark: Desk, lena: Person, signed_in: Callable[..., Client], who: str
) -> None:
    section, _key = hidden_key(quillmark)
    client = signed_in(getattr(quillmark, who))

    page = client.get(f"/assessments/{quillmark.assessment_id}/s/{section}").get_data(as_text=True)

    assert CANARY in page
    assert THREAD in page
    assert CANARY in words_of(client.get(f"/assessments/{quillmark.assessment_id}/offline/answers.xlsx").get_data())


def test_the_given_section_is_read_answered_and_talked_about(
    quillmark: Desk, lena: Person, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(lena)
    there = f"/assessments/{quillmark.assessment_id}/s/{MINE}"
    question = quillmark.questionnaire.question(MINE + ".owner")
    version = answers(quillmark)[question.key][0]

    assert client.get(there).status_code == 200
    saved = client.post(f"{there}/{question.key}", data={**good_answer(question), "version": str(version)})
    assert saved.status_code == 303
    assert client.post(f"{there}/{question.key}/messages", data={"body": "What do you mean?"}).status_code == 303


def test_a_section_that_was_not_given_says_who_can_give_it(
    quillmark: Desk, lena: Person, signed_in: Callable[..., Client]
) -> None:
    section, key = hidden_key(quillmark)
    client = signed_in(lena)
    there = f"/assessments/{quillmark.assessment_id}/s/{section}"

    read, written = client.get(there), client.post(f"{there}/{key}", data={"version": "1"})
    said = client.post(f"{there}/{key}/messages", data={"body": "Hm."})

    for answer in (read, written, said):
        assert answer.status_code == 403
    assert "A vendor admin of your team can give it to you" in read.get_data(as_text=True)


def test_what_is_taken_back_is_not_seen_any_more_and_an_admin_can_open_everything_again(
    quillmark: Desk, lena: Person, signed_in: Callable[..., Client], marisol: Client
) -> None:
    client = signed_in(lena)
    section, _key = hidden_key(quillmark)
    mine = f"/assessments/{quillmark.assessment_id}/s/{MINE}"
    other = f"/assessments/{quillmark.assessment_id}/s/{section}"
    given = {"assessment": str(quillmark.assessment_id), "section": MINE, "person": str(lena.id)}

    marisol.post("/team/sections/take-back", data=given)
    assert (client.get(mine).status_code, client.get(other).status_code) == (403, 403)

    marisol.post(f"/team/{lena.id}/reach", data={"sees": "every"})
    assert (client.get(mine).status_code, client.get(other).status_code) == (200, 200)

    marisol.post(f"/team/{lena.id}/reach", data={"sees": "given"})
    assert client.get(other).status_code == 403


@pytest.mark.parametrize("role", [Role.VENDOR_ADMIN, Role.SIGNATORY])
def test_an_admin_or_signatory_who_is_given_a_section_goes_on_seeing_all(
    house: House, quillmark: Desk, role: Role
) -> None:
    someone = quillmark.admin if role is Role.VENDOR_ADMIN else quillmark.signatory
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=MINE, user_id=someone.id)

    with house.ledger.begin(someone.actor) as tx:
        row = assessments.get(tx, quillmark.assessment_id, Action.ASSESSMENT_WHOLE)
        assert assessments.unseen_sections(tx, row) == frozenset()
        assert not people.person(tx, UUID(str(someone.id))).given_only
