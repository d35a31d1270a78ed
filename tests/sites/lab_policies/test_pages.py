"""Policies on their pages: begun, edited, told in words, signed by two people, refused in words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.scoring.policies import SCORING
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import FACTORY, Person, person
from tests.factories.policies import policy_draft, policy_published, scoring_text, sign_policy
from tests.sites.conftest import Client

Browser = Callable[..., Client]
HIGHER = scoring_text(("approve: 80", "approve: 82"))


@pytest.fixture
def ines(house: House) -> Person:
    """A reviewer."""
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


@pytest.fixture
def hana(house: House) -> Person:
    """A lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")


@pytest.fixture
def mara(house: House) -> Person:
    """A program admin."""
    return person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")


def words(answer: Any) -> str:
    plain = re.sub(r"<[^>]+>", " ", re.sub(r"</?(?:del|ins)\b[^>]*>", "", answer.get_data(as_text=True)))
    return re.sub(r"\s+", " ", plain)


def at(draft_id: UUID, name: str = "") -> str:
    return f"/lab/policies/drafts/{draft_id}{'/' + name if name else ''}"


def draft_row(house: House) -> Any:
    with house.ledger.begin(FACTORY) as tx:
        return tx.session.execute(sa.text("SELECT * FROM policy_draft ORDER BY created_at DESC, id DESC")).first()


def test_a_policy_goes_from_the_list_into_force(
    house: House, signed_in: Browser, ines: Person, hana: Person, mara: Person
) -> None:
    browser = signed_in(ines)
    assert "Part of Gatehouse" in words(browser.get("/lab/policies"))
    assert "Begin version 2" in words(browser.get("/lab/policies/scoring"))

    begun = browser.post("/lab/policies/scoring/next")
    assert begun.status_code == 303
    draft = draft_row(house)
    assert begun.location == at(draft.id)
    saved = browser.post(begun.location, data={"text": HIGHER.replace("\n", "\r\n"), "row_version": "1"})
    assert saved.status_code == 303
    assert draft_row(house).text == HIGHER
    changes = words(browser.get(at(draft.id, "changes")))
    assert "Approve in tier 1 80 82" in changes
    assert "approve: 80 22 approve: 82" in changes or "approve: 82" in changes
    assert "Your role reads this" in words(browser.get(at(draft.id, "publish")))

    draft = draft_row(house)
    signature = {"digest_seen": draft.digest, "row_version": draft.row_version}
    first = signed_in(hana).post(at(draft.id, "sign"), data=signature, follow_redirects=True)
    assert "Another person signs the same text" in words(first)
    second = signed_in(mara).post(at(draft.id, "sign"), data=signature, follow_redirects=True)
    assert "Scoring policy v2 is in force" in words(second)
    page = words(browser.get("/lab/policies/scoring"))
    assert "Version 2 in force" in page
    assert "signed by Hana Kobayashi and Mara Ilves" in page
    assert "Approve in tier 1: 80 to 82" in page
    version = words(browser.get("/lab/policies/scoring/v2"))
    assert "Approve in tier 1 80 82" in version
    assert words(browser.get("/lab/policies/scoring/v1")).count("Replaced") == 1


def test_a_text_with_mistakes_is_kept_and_not_signed(house: House, signed_in: Browser, hana: Person) -> None:
    draft_id = policy_draft(house, hana)
    browser = signed_in(hana)
    wrong = SCORING.first.replace("approve: 80", "approve: 120").replace("relief: 90", "releif: 90")
    told = browser.post(at(draft_id), data={"text": wrong, "row_version": "1"}, follow_redirects=True)
    page = words(told)
    assert "The text is saved. It cannot be signed yet" in page
    assert "“thresholds.tier_1.approve” is a whole number from 0 to 100" in page
    assert "“residual_risk.releif” is not part of a scoring policy" in page
    assert "“residual_risk.relief” is missing" in page
    assert "is not sound yet" in words(browser.get(at(draft_id, "changes")))
    draft = draft_row(house)
    refused = browser.post(at(draft_id, "sign"), data={"digest_seen": draft.digest, "row_version": draft.row_version})
    assert refused.status_code == 422
    assert "Nothing was signed." in words(refused)


def test_nothing_and_too_much_are_refused_and_nothing_is_lost(house: House, signed_in: Browser, hana: Person) -> None:
    draft_id = policy_draft(house, hana)
    browser = signed_in(hana)
    empty = browser.post(at(draft_id), data={"text": "  \n", "row_version": "1"})
    assert (empty.status_code, "Write the policy, or discard the draft" in words(empty)) == (422, True)
    long = browser.post(at(draft_id), data={"text": "# x\n" * 30_000, "row_version": "1"})
    assert (long.status_code, "must be smaller than 100 kB" in words(long)) == (422, True)
    assert draft_row(house).text == SCORING.first


def test_a_late_writer_sees_both_texts(house: House, signed_in: Browser, hana: Person, ines: Person) -> None:
    draft_id = policy_draft(house, hana)
    assert signed_in(ines).post(at(draft_id), data={"text": HIGHER, "row_version": "1"}).status_code == 303
    mine = scoring_text(("approve: 80", "approve: 85"))
    late = signed_in(hana).post(at(draft_id), data={"text": mine, "row_version": "1"})
    assert late.status_code == 409
    page = late.get_data(as_text=True)
    assert "Ines Valdarno edited this draft meanwhile" in page
    assert "approve: 85" in page, "what was typed"
    assert "approve: 82" in page, "what stands now"


def test_an_overtaken_draft_is_moved_by_its_button(
    house: House, signed_in: Browser, hana: Person, mara: Person
) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    policy_published(house, scoring_text(("PT: 12", "PT: 11")))
    browser = signed_in(mara)
    assert "Another version was published since" in words(browser.get(at(draft_id, "publish")))
    moved = browser.post(at(draft_id, "move"), data={"row_version": "1"}, follow_redirects=True)
    page = words(moved)
    assert "compared with version 2 now" in page
    assert "Penetration test counts 11 months 12 months" in page
    assert "Nobody signed this text yet" in page


def test_a_draft_is_given_up(house: House, signed_in: Browser, hana: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    browser = signed_in(hana)
    assert "What is in force stays in force" in words(browser.get(at(draft_id, "discard")))
    late = browser.post(at(draft_id, "discard"), data={"row_version": "7"})
    assert (late.status_code, "Nothing was discarded." in words(late)) == (409, True)
    over = browser.post(at(draft_id, "discard"), data={"row_version": "1"}, follow_redirects=True)
    assert "The draft is discarded" in words(over)
    assert browser.get(at(draft_id)).status_code == 200


def test_what_there_is_not_is_not_found(signed_in: Browser, hana: Person) -> None:
    browser = signed_in(hana)
    for path in ("/lab/policies/weather", "/lab/policies/scoring/v2", "/lab/policies/scoring/v0"):
        assert browser.get(path).status_code == 404, path
    assert browser.post("/lab/policies/weather/next").status_code == 404
