"""Who is not of this company finds nothing here; who is finds nothing of the lab's own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from portal.attestations import service as attestations
from portal.reviews import service as reviews
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.reviews import Bench, bench
from tests.sites.conftest import Client

CANARY = "canary-7Q4K"


@pytest.fixture
def brightfen(house: House) -> Desk:
    """Another vendor, with something of everything that has an id."""
    made = desk(house, name="Brightfen Data")
    made.complete()
    made.cite("gov.owner", made.file())
    return made


def test_az_01_a_thing_of_another_vendor_cannot_be_reached_through_ones_own(
    quillmark: Desk, brightfen: Desk, signed_in: Callable[..., Client]
) -> None:
    with brightfen.at(brightfen.admin.actor) as (tx, row):
        citation = attestations.citations_of(tx, row)["gov.owner"][0]
    client = signed_in(quillmark.admin)
    here = f"/assessments/{quillmark.assessment_id}/s/gov/gov.owner/evidence"

    assert client.post(f"{here}/{citation.id}/remove").status_code == 404
    assert client.post(here, data={"evidence": str(citation.evidence_id)}).status_code == 404
    given = {"assessment": str(brightfen.assessment_id), "section": "gov", "person": str(quillmark.respondent.id)}
    assert client.post("/team/sections", data=given).status_code == 404
    assert client.post("/team/sections/take-back", data=given).status_code == 404
    mine = {**given, "assessment": str(quillmark.assessment_id), "person": str(brightfen.respondent.id)}
    assert client.post("/team/sections", data=mine).status_code == 422


def crawl(client: Client, start: str = "/") -> dict[str, str]:
    """Return every page that can be reached by links from a page."""
    seen: dict[str, str] = {}
    todo = [start]
    while todo and len(seen) < 300:
        path = todo.pop(0)
        if path in seen or path.startswith(("/static", "/sign-out")):
            continue
        answer = client.get(path)
        seen[path] = answer.get_data().decode(errors="replace") + str(dict(answer.headers))
        todo += [
            link.split("#", 1)[0].replace("&amp;", "&")
            for link in re.findall(r'(?:href|action|data-[a-z-]+)="(/[^"]*)"', seen[path])
        ]
    return seen


def test_az_05_a_contractor_finds_no_byte_of_the_labs_own_before_the_outcome(
    house: House, signed_in: Callable[..., Client]
) -> None:
    lab: Bench = bench(house)
    made = lab.desk
    lab.claim()
    with lab.at(lab.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key="gov.owner", body=f"{CANARY}-note")
    lab.flag("gov.attest", what=f"{CANARY}-finding")
    before: dict[str, str] = {}
    for someone in (made.respondent, made.admin, made.signatory):
        before |= crawl(signed_in(someone))

    assert len(before) > 15
    for path, page in before.items():
        assert CANARY not in page, path
        assert lab.reviewer.email not in page, path
        assert str(lab.reviewer.id) not in page, path
    assert "No result yet" in before["/results"]


def test_az_05_afterwards_it_finds_the_outcome_and_still_nothing_else(
    house: House, signed_in: Callable[..., Client]
) -> None:
    lab = bench(house)
    lab.claim()
    with lab.at(lab.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key="gov.owner", body=f"{CANARY}-note")
    lab.flag("gov.owner")
    lab.accept_rest()
    lab.recommend()
    lab.propose(lab.lead)
    client = signed_in(lab.desk.admin)

    pages = crawl(client, "/results")
    result = next(page for path, page in pages.items() if path.startswith("/results/"))

    assert "F-1" in result
    assert "Hana Kobayashi" in result
    assert "of 100" in result
    assert all(CANARY not in page for page in pages.values())
