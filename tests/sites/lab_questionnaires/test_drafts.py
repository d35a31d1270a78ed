"""Drafts on their pages: begun, edited, reviewed change by change, signed by two people, refused in words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Claim
from portal.sites.lab.questionnaires.wording import CLAIM_SMALLS, CLAIM_WORDS
from portal.terms import DraftState, Role
from portal.wiring import House
from tests.factories import renewing
from tests.factories.identity import Person, person
from tests.factories.questionnaires import (
    FACTORY,
    SMALL,
    decide_all,
    draft_now,
    drafted,
    published,
    second,
    sign,
)
from tests.sites.conftest import Client

Browser = Callable[..., Client]


@pytest.fixture
def ines(house: House) -> Person:
    """A reviewer."""
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


@pytest.fixture
def hana(house: House) -> Person:
    """A lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")


@pytest.fixture
def theo(house: House) -> Person:
    """Another lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")


def text(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:del|ins)\b[^>]*>", "", answer.get_data(as_text=True)))
    return re.sub(r"\s+", " ", plain)


def upload(client: Client, source: str, name: str = "v2.yaml") -> Any:
    return client.post("/lab/questionnaires/drafts/new", data={"file": (io.BytesIO(source.encode()), name)})


def fields(answer: Any, key: str, part: str) -> dict[str, str]:
    """Return the hidden fields of the form of one change."""
    for form in re.findall(r"<form .*?</form>", answer.get_data(as_text=True), re.DOTALL):
        found = dict(re.findall(r'name="(row_version|key|part|of)" value="([^"]*)"', form))
        if (found.get("key"), found.get("part")) == (key, part):
            return found
    raise AssertionError(f"no form for {part} of {key}")


def page_of(draft_id: UUID, name: str = "") -> str:
    return f"/lab/questionnaires/drafts/{draft_id}{'/' + name if name else ''}"


def test_a_file_becomes_a_draft(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    browser = signed_in(ines)

    answer = upload(browser, second())

    assert answer.status_code == 303
    shown = text(browser.get(answer.location))
    assert "Begun by Ines Valdarno from a file" in shown
    assert "Compared with small v1" in shown
    assert "2 changes to decide : is the claim the same?" in shown
    listed = text(browser.get("/lab/questionnaires"))
    assert "Small questionnaire small v2 a file Ines Valdarno" in listed
    assert "0 of 2" in listed


def test_a_file_that_does_not_compile_is_refused_with_its_places(
    house: House, signed_in: Browser, ines: Person
) -> None:
    answer = upload(signed_in(ines), SMALL.replace("kind: yn\n", "kind: maybe\n"), "../odd<name>.yaml")
    assert answer.status_code == 422
    assert "The file cannot be read as a questionnaire" in text(answer)
    assert "odd&lt;name&gt;.yaml:31:15: “kind” must be one of" in answer.get_data(as_text=True)
    with house.ledger.begin(FACTORY) as tx:
        assert queries.drafts(tx) == []


def test_nothing_chosen_is_said(signed_in: Browser, ines: Person) -> None:
    answer = signed_in(ines).post("/lab/questionnaires/drafts/new", data={})
    assert answer.status_code == 422
    assert "Choose the questionnaire file, for example v2.yaml" in text(answer)


def test_what_is_no_text_is_refused(signed_in: Browser, ines: Person) -> None:
    answer = signed_in(ines).post(
        "/lab/questionnaires/drafts/new", data={"file": (io.BytesIO(b"\xff\xfe\x00" * 20), "v2.yaml")}
    )
    assert answer.status_code == 422
    assert "The file must be UTF-8 text" in text(answer)


def test_the_next_version_starts_from_the_published_one(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    browser = signed_in(ines)
    assert "Start v2" in text(browser.get("/lab/questionnaires/drafts/new"))

    answer = browser.post("/lab/questionnaires/small/v1/next")

    assert answer.status_code == 303
    assert "from version 1" in text(browser.get(answer.location))
    assert browser.post("/lab/questionnaires/small/v7/next").status_code == 404


def test_an_edit_is_checked_and_saved(house: House, signed_in: Browser, ines: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    browser = signed_in(ines)
    edited = SMALL.replace("Count every account.", "Count every single account.").replace("\n", "\r\n")

    answer = browser.post(page_of(draft_id), data={"source": edited, "row_version": "1"})

    assert answer.status_code == 303
    assert "single" in bytes(draft_now(house, draft_id).source).decode()
    assert b"\r" not in bytes(draft_now(house, draft_id).source)


def test_an_edit_that_does_not_compile_keeps_what_was_typed(house: House, signed_in: Browser, ines: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    answer = signed_in(ines).post(page_of(draft_id), data={"source": SMALL + "tint: red\n", "row_version": "1"})
    assert answer.status_code == 422
    assert "The text was not saved" in text(answer)
    assert "“tint” is not a key of a questionnaire" in text(answer)
    assert "tint: red" in answer.get_data(as_text=True)
    assert bytes(draft_now(house, draft_id).source) == SMALL.encode()


def test_a_late_edit_sees_both_texts(house: House, signed_in: Browser, ines: Person, hana: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    signed_in(hana).post(page_of(draft_id), data={"source": SMALL + "# hers\n", "row_version": "1"})

    answer = signed_in(ines).post(page_of(draft_id), data={"source": SMALL + "# mine\n", "row_version": "1"})

    assert answer.status_code == 409
    assert "Hana Kobayashi edited this draft meanwhile" in text(answer)
    assert "# mine" in text(answer)
    assert "# hers" in text(answer)
    assert 'name="row_version" value="1"' in answer.get_data(as_text=True)


def test_the_notes_of_an_import_are_shown(house: House, signed_in: Browser, ines: Person) -> None:
    with house.ledger.begin(ines.actor) as tx:
        draft_id = questionnaires.create_draft(
            tx, source=SMALL.encode(), origin="import:vsaq", name="x", notes=["Question 7 <b>had</b> no options"]
        ).id
    answer = signed_in(ines).get(page_of(draft_id))
    assert "an import (vsaq)" in text(answer)
    assert "Question 7 &lt;b&gt;had&lt;/b&gt; no options" in answer.get_data(as_text=True)


def test_the_questions_of_a_draft_are_read_section_by_section(house: House, signed_in: Browser, ines: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    shown = text(signed_in(ines).get(page_of(draft_id, "questions")))
    assert "1. Access" in shown
    assert "Hours until the accounts of somebody who leaves are disabled." in shown


def test_the_changes_read_like_the_review_of_a_text(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    draft_id = drafted(house, ines, second(weight=4))
    answer = signed_in(ines).get(page_of(draft_id, "changes"))
    shown = answer.get_data(as_text=True)
    with house.ledger.begin(FACTORY) as tx:
        state = questionnaires.readiness(tx, questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ))
    count, accepted = len(state.undecided), len(questionnaires.presentation(state))
    assert f"{count} of {count} undecided" in text(answer)
    assert "How often do you review<ins>,</ins> who has access?" in shown
    assert 'at most <del class="d">24</del><ins>12</ins>: 100' in shown
    assert '<del class="d">2</del><ins>4</ins>' in shown
    assert f"Accept all proposals of the same claim ({accepted})" in text(answer)
    assert (
        text(signed_in(ines).get(page_of(draft_id, "changes") + "?show=undecided")).count("Decide")
        < text(answer).count("Decide") + 1
    )


def test_a_change_is_decided_one_by_one(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    draft_id = drafted(house, ines, second())
    browser = signed_in(ines)
    here = page_of(draft_id, "changes")
    form = fields(browser.get(here), "acc.leavers", "steps")

    answer = browser.post(here, data={**form, "claim": "changed", "note": "Half a day now"})

    assert answer.status_code == 303
    shown = text(browser.get(here))
    assert "1 of 2 undecided" in shown
    assert "Changed claim Half a day now" in shown
    assert "Saved: changed claim." in shown


@pytest.mark.parametrize(
    ("claim", "note", "words"),
    [
        ("same", "As before", "Say in at least 20 characters why earlier answers still mean the same"),
        ("", "", "Choose whether the claim is the same"),
        ("nonsense", "", "Choose whether the claim is the same"),
        ("removed", "", "it is still asked"),
    ],
)
def test_a_word_that_does_not_fit_is_refused(
    house: House, signed_in: Browser, ines: Person, claim: str, note: str, words: str
) -> None:
    published(house)
    draft_id = drafted(house, ines, second())
    browser = signed_in(ines)
    here = page_of(draft_id, "changes")
    form = fields(browser.get(here), "acc.leavers", "steps")

    answer = browser.post(here, data={**form, "claim": claim, "note": note})

    assert answer.status_code == 422
    assert words in text(answer)
    assert "2 of 2 undecided" in text(answer)


def test_a_decision_beside_an_edit_is_refused_and_kept_on_the_page(
    house: House, signed_in: Browser, ines: Person, hana: Person
) -> None:
    published(house)
    draft_id = drafted(house, ines, second())
    here = page_of(draft_id, "changes")
    browser = signed_in(ines)
    form = fields(browser.get(here), "acc.leavers", "steps")
    signed_in(hana).post(here, data={**fields(browser.get(here), "acc.reviews", "text"), "claim": "same", "note": ""})

    answer = browser.post(here, data={**form, "claim": "changed", "note": "Half a day now"})

    assert answer.status_code == 409
    assert "Hana Kobayashi edited this draft meanwhile" in text(answer)
    assert "Half a day now" in answer.get_data(as_text=True)


def test_the_proposals_of_presentation_are_accepted_at_once(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    draft_id = drafted(house, ines, second())
    browser = signed_in(ines)
    answer = browser.post(page_of(draft_id, "changes/accept"), data={"row_version": "1"})
    assert answer.status_code == 303
    assert "1 change is recorded as the same claim." in text(browser.get(answer.location))
    late = browser.post(page_of(draft_id, "changes/accept"), data={"row_version": "1"})
    assert late.status_code in {303, 409}


def test_what_needs_no_decision_is_recorded_as_compared(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    draft_id = drafted(
        house, ines, second(reworded=False, steps=False).replace("Small questionnaire", "Short questionnaire")
    )
    browser = signed_in(ines)
    assert "No change needs a decision. Record the comparison with v1" in text(browser.get(page_of(draft_id)))

    browser.post(page_of(draft_id, "changes/accept"), data={"row_version": "1"})

    shown = text(browser.get(page_of(draft_id, "changes")))
    assert "The comparison is recorded in the text of the draft." in shown
    assert "0 of 0 undecided" in shown
    assert "every change is decided" in text(browser.get(page_of(draft_id)))


def test_a_first_version_has_no_changes_page(house: House, signed_in: Browser, ines: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    browser = signed_in(ines)
    assert browser.get(page_of(draft_id, "changes")).status_code == 404
    assert "Changes" not in text(browser.get(page_of(draft_id))).split("Signatures")[0].split("Text")[1][:40]


def test_two_people_publish_it(house: House, signed_in: Browser, hana: Person, theo: Person) -> None:
    published(house)
    draft_id = drafted(house, hana, second())
    decide_all(house, hana, draft_id)
    now = draft_now(house, draft_id)
    form = {"digest_seen": now.digest, "row_version": str(now.row_version)}
    first, other = signed_in(hana), signed_in(theo)
    assert "After yours another person signs" in text(first.get(page_of(draft_id, "publish")))

    assert first.post(page_of(draft_id, "sign"), data=form).status_code == 303
    again = first.post(page_of(draft_id, "sign"), data=form)
    assert again.status_code == 409
    assert "You signed this text already" in text(again)
    shown = text(other.get(page_of(draft_id, "publish")))
    assert "Yours is the last signature" in shown
    assert "1 of 2" in shown

    assert other.post(page_of(draft_id, "sign"), data=form).status_code == 303
    shown = text(other.get(page_of(draft_id, "publish")))
    assert "small v2 is published." in shown
    assert "Ask for it" in shown
    version = text(other.get("/lab/questionnaires/small/v2"))
    assert "Hana Kobayashi" in version
    assert "Theo Brandvold" in version
    assert "Changes since v1" in version
    assert draft_now(house, draft_id).state is DraftState.PUBLISHED
    assert first.post(page_of(draft_id), data={"source": SMALL, "row_version": "9"}).status_code == 409


def test_an_edit_after_reading_voids_the_signing(house: House, signed_in: Browser, hana: Person, theo: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    now = draft_now(house, draft_id)
    form = {"digest_seen": now.digest, "row_version": str(now.row_version)}
    signed_in(theo).post(page_of(draft_id), data={"source": SMALL + "# more\n", "row_version": "1"})
    answer = signed_in(hana).post(page_of(draft_id, "sign"), data=form)
    assert answer.status_code == 409
    assert "The draft was edited since you read it" in text(answer)


def test_what_is_not_ready_cannot_be_signed(house: House, signed_in: Browser, hana: Person) -> None:
    published(house)
    draft_id = drafted(house, hana, second())
    browser = signed_in(hana)
    shown = text(browser.get(page_of(draft_id, "publish")))
    assert "It cannot be signed yet" in shown
    assert "2 changes to decide" in shown
    now = draft_now(house, draft_id)
    answer = browser.post(
        page_of(draft_id, "sign"), data={"digest_seen": now.digest, "row_version": str(now.row_version)}
    )
    assert answer.status_code == 422
    assert "Nothing was signed." in text(answer)


def test_a_reviewer_reads_the_publish_page_and_signs_nothing(
    house: House, signed_in: Browser, ines: Person, hana: Person
) -> None:
    draft_id = drafted(house, ines, SMALL)
    browser = signed_in(ines)
    shown = text(browser.get(page_of(draft_id, "publish")))
    assert "Your role reads this" in shown
    assert "Hana Kobayashi" in shown
    assert browser.post(page_of(draft_id, "sign"), data={}).status_code == 403


def test_an_auditor_reads_and_changes_nothing(house: House, signed_in: Browser, ines: Person) -> None:
    published(house)
    draft_id = drafted(house, ines, second())
    auditor = signed_in(person(house, roles=[Role.AUDITOR]))
    for name in ("", "questions", "changes", "publish"):
        answer = auditor.get(page_of(draft_id, name))
        assert answer.status_code == 200
        assert "Save" not in text(answer).split("Signatures")[0].replace("Saved", "")
    for name in ("", "changes", "changes/accept", "sign", "discard"):
        assert auditor.post(page_of(draft_id, name), data={}).status_code == 403
    assert auditor.get("/lab/questionnaires/drafts/new").status_code == 403


def test_a_draft_that_is_not_there_is_not_found(signed_in: Browser, hana: Person) -> None:
    browser = signed_in(hana)
    for name in ("", "questions", "changes", "publish", "discard"):
        assert browser.get(page_of(uuid4(), name)).status_code == 404
    for name in ("", "changes/accept", "sign", "discard"):
        assert browser.post(page_of(uuid4(), name), data={"source": SMALL}).status_code == 404


def test_a_draft_is_discarded_on_a_page_of_its_own(house: House, signed_in: Browser, ines: Person) -> None:
    draft_id = drafted(house, ines, SMALL)
    browser = signed_in(ines)
    assert "Its text and its signatures are kept" in text(browser.get(page_of(draft_id, "discard")))
    assert browser.post(page_of(draft_id, "discard"), data={"row_version": "7"}).status_code == 409
    assert browser.post(page_of(draft_id, "discard"), data={"row_version": "1"}).status_code == 303
    assert draft_now(house, draft_id).state is DraftState.DISCARDED
    assert "Discarded" in text(browser.get(page_of(draft_id)))


def test_two_published_versions_are_compared(house: House, signed_in: Browser, hana: Person, theo: Person) -> None:
    published(house)
    draft_id = drafted(house, hana, second())
    decide_all(house, hana, draft_id)
    sign(house, hana, draft_id)
    sign(house, theo, draft_id)
    browser = signed_in(hana)

    answer = browser.get("/lab/questionnaires/small/v1..v2")

    assert "How often do you review<ins>,</ins> who has access?" in answer.get_data(as_text=True)
    assert "Changed claim" in text(answer)
    assert browser.get("/lab/questionnaires/small/v2..v2").status_code == 200
    for path in ("small/v1..v9", "other/v1..v2", "small/v0..v1", "small/v1..v99999"):
        assert browser.get(f"/lab/questionnaires/{path}").status_code == 404
    assert "Since v1" in text(browser.get("/lab/questionnaires"))


def test_the_impact_is_said_in_sentences_and_rows(house: House, signed_in: Browser, hana: Person) -> None:
    renewing.signed_first(house)
    changed = renewing.text(2).replace(b'"Every quarter", credit: 100', b'"Every quarter", credit: 90')
    draft_id = drafted(house, hana, changed.decode())
    browser = signed_in(hana)

    shown = text(browser.get(page_of(draft_id, "publish")))

    assert "4 answers carry over, 2 questions to answer again, 2 new." in shown
    assert "1 vendor will be asked 4 questions." in shown
    assert "This score would differ by the new weights alone: Quillmark Annotation −0.9." in shown
    assert "50.0 22.8 to 76.1" in shown
    assert "Leavers acc.leavers Answered again 1" in shown
    assert "Tapes dat.tapes Kept in the archive 1" in shown
    for sort in ("vendor", "asked", "score", "low", "rules", "nonsense"):
        assert browser.get(page_of(draft_id, "publish") + f"?sort={sort}").status_code == 200


def test_who_is_still_answering_the_older_version_is_listed(
    house: House, signed_in: Browser, hana: Person, theo: Person
) -> None:
    renewing.small_desk(house)
    draft_id = drafted(house, hana, renewing.text(2).decode())
    decide_all(house, hana, draft_id)
    sign(house, hana, draft_id)
    sign(house, theo, draft_id)

    answer = signed_in(hana).get(page_of(draft_id, "publish"))

    assert "Still on an older version" in text(answer)
    assert "Quillmark Annotation" in text(answer)
    assert "Move to v2" in text(answer)


def test_every_claim_has_its_words() -> None:
    assert set(CLAIM_WORDS) == set(CLAIM_SMALLS) == set(Claim)
