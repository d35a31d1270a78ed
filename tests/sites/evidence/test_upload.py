"""Uploading through the pages: with scripts, without, and what is refused on the way."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.attestations import library
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.settings import Settings
from portal.terms import EvidenceState
from portal.vendors import service as vendors
from portal.wiring import House
from tests.factories.assessments import make_assessment
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import FACTORY, Person, person
from tests.rules import files
from tests.sites.conftest import Client
from tests.sites.evidence.conftest import announce, transfer


def stored(settings: Settings) -> list[str]:
    return [name for _, _, names in os.walk(settings.evidence_path / "keys") for name in names]


def test_a_file_is_announced_sent_and_taken_in(as_ada: Client, house: House) -> None:
    body = files.pdf(pages=2)

    slot = announce(as_ada, body, name="Zugriff – Ü.pdf")
    assert slot.status_code == 201
    assert transfer(as_ada, slot.json, body).status_code == 204
    done = as_ada.post(slot.json["finalise_url"], json={"id": slot.json["id"]})

    assert done.status_code == 200
    assert "Zugriff – Ü.pdf" in done.json["html"]
    assert "Add its dates" in done.json["html"]
    row = row_of(house, UUID(slot.json["id"]))
    assert (row.state, row.page_count, row.sha256) == (EvidenceState.ATTACHED, 2, hashlib.sha256(body).hexdigest())
    assert as_ada.post(slot.json["finalise_url"], json={}).status_code == 200


@pytest.mark.parametrize(
    ("announced", "sent", "status"),
    [
        (files.pdf(pages=1), files.pdf(pages=1) + b" ", 413),
        (files.pdf(pages=1), files.pdf(pages=1)[:-1], 422),
        (b"x" * 300, b"y" * 300, 422),
    ],
)
def test_other_bytes_than_announced_are_not_stored(
    as_ada: Client, settings: Settings, announced: bytes, sent: bytes, status: int
) -> None:
    slot = announce(as_ada, announced)

    assert transfer(as_ada, slot.json, sent).status_code == status

    assert stored(settings) == []
    late = as_ada.post(slot.json["finalise_url"], json={})
    assert (late.status_code, late.json["detail"]) == (409, "The file has not arrived in full. Press Resume")


def test_a_file_whose_content_is_another_type_is_refused_in_words_and_leaves_nothing(
    as_ada: Client, settings: Settings
) -> None:
    body = b"<html><script>alert(1)</script></html>"
    slot = announce(as_ada, body)
    transfer(as_ada, slot.json, body)

    done = as_ada.post(slot.json["finalise_url"], json={})

    assert done.status_code == 422
    assert done.content_type == "application/problem+json"
    assert done.json["detail"].startswith("The name of the file says PDF, but its content is something else.")
    assert stored(settings) == []


def test_a_ticket_works_once_and_for_two_minutes(as_ada: Client, clock: FixedClock) -> None:
    body = files.pdf()
    first, second = announce(as_ada, body), announce(as_ada, body)
    assert transfer(as_ada, first.json, body).status_code == 204
    assert transfer(as_ada, first.json, body).status_code == 410

    clock.advance(seconds=121)
    late = transfer(as_ada, second.json, body)
    assert (late.status_code, late.json["detail"]) == (410, "This upload is out of time. Press Resume")


def test_a_forged_ticket_is_refused(as_ada: Client, settings: Settings) -> None:
    assert as_ada.put("/uploads/abc.def", data=b"x", headers={"Content-Type": "application/pdf"}).status_code == 410
    assert stored(settings) == []


def test_nobody_else_finishes_an_upload(
    as_ada: Client, as_otto: Client, as_hana: Client, house: House, ada: Person, signed_in: Callable[..., Client]
) -> None:
    body = files.pdf()
    slot = announce(as_ada, body)
    transfer(as_ada, slot.json, body)
    ben = signed_in(person(house, roles=["respondent"], vendor=ada.vendor_id, name="Ben Marker"))

    assert ben.post(slot.json["finalise_url"], json={}).status_code == 403
    strange = as_otto.post(slot.json["finalise_url"], json={})
    nothing = as_otto.post(f"/evidence/{uuid4()}/finalise", json={})
    assert (strange.status_code, strange.data) == (404, nothing.data)
    assert as_hana.post(slot.json["finalise_url"], json={}).status_code == 404
    assert row_of(house, UUID(slot.json["id"])).state is EvidenceState.RESERVED


def test_a_signatory_alone_uploads_nothing(house: House, ada: Person, signed_in: Callable[..., Client]) -> None:
    signatory = signed_in(person(house, roles=["signatory"], vendor=ada.vendor_id, name="Sig Natory"))

    assert announce(signatory, files.pdf()).status_code == 403
    assert "Choose the type of evidence" not in signatory.get("/evidence").get_data(as_text=True)


def test_a_post_without_the_form_token_is_refused(as_ada: Client) -> None:
    assert as_ada.post("/evidence/reserve", json={}, csrf=False).status_code == 400
    assert as_ada.put("/uploads/x", data=b"x", csrf=False).status_code == 400


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"name": 7, "size": "many", "sha256": None, "kind": ["POL"]},
        {"name": "a.pdf", "size": True, "sha256": "0" * 64, "kind": "POL"},
        {"name": "a.pdf", "size": 10**30, "sha256": "0" * 64, "kind": "POL"},
        {"name": "a.pdf", "size": -1, "sha256": "0" * 64, "kind": "POL"},
        {"name": "a.pdf", "size": 1, "sha256": "0" * 64, "kind": "POL", "supersedes": "nonsense"},
        {"name": "a\x00.pdf", "size": 1, "sha256": "0" * 64, "kind": "\x00"},
    ],
)
def test_nonsense_is_refused_in_words(as_ada: Client, told: Any) -> None:
    answer = as_ada.post("/evidence/reserve", json=told)
    assert answer.status_code in {400, 404, 422}
    assert answer.json["detail"]


def test_only_the_stream_may_be_larger_than_a_form(as_ada: Client) -> None:
    big = {"Content-Type": "application/x-www-form-urlencoded"}
    assert as_ada.put("/uploads/x", data=b"a" * 33_000_001, headers=big).status_code == 413
    assert as_ada.post("/evidence", data=b"a" * 33_000_001, headers=big).status_code == 413


def send(client: Client, content: bytes, name: str, **fields: Any) -> Any:
    return client.post(
        "/evidence",
        data={"kind": "SPL", "file": (io.BytesIO(content), name), **fields},
        content_type="multipart/form-data",
    )


def test_without_scripts_a_plain_form_does_the_same(as_ada: Client) -> None:
    answer = send(as_ada, files.xlsx(), "list.xlsx")

    assert answer.status_code == 303
    assert answer.location.endswith("/details")
    page = as_ada.get(answer.location).get_data(as_text=True)
    assert "list.xlsx is in your library." in page
    assert "Day of the list" in page


@pytest.mark.parametrize(
    ("content", "name", "fields", "words"),
    [
        (b"GIF89a", "a.gif", {}, "The file must be PDF, DOCX, XLSX, CSV, PNG or JPG"),
        (b"", "a.pdf", {}, "The file is empty"),
        (files.pdf(trailer="/Encrypt 9 0 R"), "a.pdf", {}, "The file is password-protected."),
        (files.pdf(), "a.pdf", {"kind": ""}, "Choose the type of evidence"),
    ],
)
def test_a_plain_form_says_what_is_wrong(
    as_ada: Client, settings: Settings, content: bytes, name: str, fields: dict[str, str], words: str
) -> None:
    answer = send(as_ada, content, name, **fields)

    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert page.count(words) >= 2
    assert "<title>Error: Evidence library" in page
    assert stored(settings) == []


def test_a_plain_form_without_a_file_says_so(as_ada: Client) -> None:
    answer = as_ada.post("/evidence", data={"kind": "POL"})
    assert answer.status_code == 422
    assert "Choose a file" in answer.get_data(as_text=True)


def test_a_newer_file_replaces_an_older_one(as_ada: Client, house: House, ada: Person) -> None:
    old = make_evidence(house, ada)
    assert f"Replace {old.file_name}" in as_ada.get(f"/evidence?replace={old.id}").get_data(as_text=True)

    send(as_ada, files.pdf(pages=3), "new.pdf", kind="POL", supersedes=str(old.id))

    page = as_ada.get("/evidence").get_data(as_text=True)
    assert "Replaced" in page


def test_a_file_uploaded_for_a_question_is_attached_to_its_answer(as_ada: Client, house: House, ada: Person) -> None:
    with house.ledger.begin(FACTORY) as tx:
        row = make_assessment(tx, vendor=vendors.get(tx, ada.vendor_id, Action.VENDOR_READ))  # type: ignore[arg-type]
        asked = questionnaires.compiled(tx, row.questionnaire_id)
        question = next(each for each in asked.questions if row.tier in each.tiers)
    where = {"assessment": str(row.id), "question": question.key}
    assert f"Upload evidence for {question.number}" in as_ada.get("/evidence", query_string=where).get_data(
        as_text=True
    )
    body = files.pdf()

    slot = announce(as_ada, body, **where).json
    transfer(as_ada, slot, body)
    done = as_ada.post(slot["finalise_url"], json={})
    plain = send(as_ada, files.pdf(pages=3), "second.pdf", kind="POL", next="//evil.example", **where)

    assert "Attached to your answer." in done.json["html"]
    assert plain.status_code == 303
    assert "evil" not in plain.location
    with house.ledger.begin(ada.actor) as tx:
        held = library.uses_of(tx, ada.vendor_id)  # type: ignore[arg-type]
    assert [use.question_key for each in held.values() for use in each] == [question.key] * 2
