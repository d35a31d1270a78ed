"""Who is not of this company finds nothing here; who is finds nothing of the lab's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import pytest
from flask import Flask

from portal.attestations import service as attestations
from portal.identity import queries as people
from portal.identity import service as identity
from portal.reviews import service as reviews
from portal.terms import Role, Side
from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.factories.exchange import make_brought
from tests.factories.reviews import Bench, bench
from tests.sites.conftest import Client

NOBODY = UUID("00000000-0000-4000-8000-0000000000ff")
CANARY = "canary-7Q4K"


@pytest.fixture
def brightfen(house: House) -> Desk:
    """Another vendor, with something of everything that has an id."""
    made = desk(house, name="Brightfen Data")
    made.complete()
    made.cite("gov.owner", made.file())
    with house.ledger.begin(made.admin.actor) as tx:
        identity.invite(
            tx,
            email="lena@brightfen.example",
            full_name="Lena Brandt",
            roles=[Role.RESPONDENT],
            side=Side.VENDOR,
            vendor_id=made.vendor_id,
            keyring=house.keyring,
        )
    return made


def ids_of(made: Desk) -> Mapping[str, object]:
    """Return the ids of a vendor's things by the name that routes give them."""
    brought = make_brought(made)
    with made.at(made.admin.actor) as (tx, row):
        citation = attestations.citations_of(tx, row)["gov.owner"][0]
        invitation = next(each for each in people.invitations_of(tx, row.vendor_id) if each.full_name == "Lena Brandt")
        return {
            "assessment_id": row.id,
            "citation_id": citation.id,
            "evidence_id": citation.evidence_id,
            "invitation_id": invitation.id,
            "user_id": made.respondent.id,
            "outcome_id": row.id,
            "section": "gov",
            "key": "gov.owner",
            "what": "csv",
            "number": 1,
            **brought,
        }


def routes(app: Flask) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield every route of the vendor's site that names a thing by its id: method, endpoint, arguments."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("vendor_") and any(name.endswith("_id") for name in rule.arguments):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.endpoint, frozenset(rule.arguments)


def plain(page: str) -> str:
    """Return a page without what is new on every page: nonce, form token, request number."""
    page = re.sub(r'nonce="[^"]+"|content="[^"]{20,}"|value="[^"]{60,}"', "", page)
    return re.sub(r"req [0-9A-F]{4}-[0-9A-F]{2}|[0-9a-f]{8}-[0-9a-f-]{27}", "", page)


def test_az_01_another_vendors_ids_are_as_unknown_as_random_ones(
    app: Flask, quillmark: Desk, brightfen: Desk, signed_in: Callable[..., Client]
) -> None:
    theirs = ids_of(brightfen)
    random = {name: NOBODY if name.endswith("_id") else value for name, value in theirs.items()}
    found = list(routes(app))
    assert len(found) > 20
    for someone in (quillmark.respondent, quillmark.admin, quillmark.signatory):
        client = signed_in(someone, fresh=True)
        for method, endpoint, arguments in found:
            told = []
            for ids in (theirs, random):
                with app.test_request_context():
                    path = app.url_map.bind("").build(endpoint, {name: ids[name] for name in arguments})
                answer = client.open(path, method=method, data={"version": "1", "body": "Hm.", "row_version": "1"})
                told.append((answer.status_code, plain(answer.get_data(as_text=True))))
            assert told[0] == told[1], (method, endpoint)
            assert told[0][0] in {403, 404}, (method, endpoint, told[0][0])


def test_az_01_a_thing_of_another_vendor_cannot_be_reached_through_ones_own(
    quillmark: Desk, brightfen: Desk, signed_in: Callable[..., Client]
) -> None:
    theirs = ids_of(brightfen)
    client = signed_in(quillmark.admin)
    here = f"/assessments/{quillmark.assessment_id}/s/gov/gov.owner/evidence"

    assert client.post(f"{here}/{theirs['citation_id']}/remove").status_code == 404
    assert client.post(here, data={"evidence": str(theirs["evidence_id"])}).status_code == 404
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
