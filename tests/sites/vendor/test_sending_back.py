"""Before the signature: sending answers back with a note, settling it, asking for the signature, and the PDF."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pypdfium2 as pdfium
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.sites.conftest import Client


def page_of(made: Desk, rest: str = "check") -> str:
    return f"/assessments/{made.assessment_id}/{rest}"


def act(client: Client, made: Desk) -> str:
    page = client.get(page_of(made, "send-back")).get_data(as_text=True)
    found = re.search(r'name="act_id" value="([^"]+)"', page)
    assert found
    return found[1]


def told(house: House, kind: str) -> int:
    """Return how many jobs wait that write mails of a kind."""
    with house.engine.connect() as connection:
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'what' = :kind"
        return int(connection.execute(sa.text(jobs), {"kind": kind}).scalar_one())


def events(house: House, fact: str) -> int:
    with house.ledger.begin(system("test")) as tx:
        count = "SELECT count(*) FROM audit_event WHERE fact = :fact"
        return int(tx.session.execute(sa.text(count), {"fact": fact}).scalar_one())


def test_a_note_stands_on_the_home_and_the_card_until_somebody_settles_it(
    house: House, quillmark: Desk, daniel: Client, priya: Client
) -> None:
    quillmark.complete()
    data = {"act_id": act(daniel, quillmark), "notes.gov.owner": "Is this still Ada?"}

    sent = daniel.post(page_of(quillmark, "send-back"), data=data)

    assert sent.status_code == 303, sent.get_data(as_text=True)
    assert "Marisol Dufour is told by mail" in daniel.get("/").get_data(as_text=True)
    for where in ("/", page_of(quillmark, "s/gov"), page_of(quillmark)):
        assert "Is this still Ada?" in priya.get(where).get_data(as_text=True), where
    quillmark.save("gov.owner", {"choice": "yes", "comment": "It is Ada."})
    home = priya.get("/").get_data(as_text=True)
    assert "The answer was changed since." in home
    note = re.search(r"send-back/([0-9a-f-]{36})/settle", home)
    assert note
    for _ in range(2):
        assert priya.post(page_of(quillmark, f"send-back/{note[1]}/settle")).status_code == 303
    assert "Is this still Ada?" not in priya.get("/").get_data(as_text=True)
    assert (events(house, "answers_sent_back"), events(house, "sent_back_settled")) == (1, 1)
    assert told(house, "sent_back") == 1


def test_pressing_twice_sends_once(house: House, quillmark: Desk, daniel: Client) -> None:
    data = {"act_id": act(daniel, quillmark), "note": "Read it again.", "people": str(quillmark.respondent.id)}
    for _ in range(2):
        assert daniel.post(page_of(quillmark, "send-back"), data=data).status_code == 303
    assert (events(house, "answers_sent_back"), told(house, "sent_back")) == (1, 1)


def test_what_is_missing_is_said_at_its_field_and_the_words_stay(quillmark: Desk, daniel: Client) -> None:
    empty = daniel.post(page_of(quillmark, "send-back"), data={"note": " "})
    assert empty.status_code == 422
    assert empty.get_data(as_text=True).count("Choose who it goes back to, or write a note beside an answer") == 2
    alone = daniel.post(page_of(quillmark, "send-back"), data={"note": "Look at <b>this</b>."})
    assert alone.status_code == 422
    assert "Look at &lt;b&gt;this&lt;/b&gt;." in alone.get_data(as_text=True)
    silent = daniel.post(page_of(quillmark, "send-back"), data={"people": str(quillmark.respondent.id)})
    assert silent.get_data(as_text=True).count("Write what they are to look at again") == 2


def test_only_who_signs_or_administers_sends_back(quillmark: Desk, priya: Client, marisol: Client) -> None:
    assert priya.get(page_of(quillmark, "send-back")).status_code == 403
    assert priya.post(page_of(quillmark, "send-back"), data={"note": "x"}).status_code == 403
    assert marisol.get(page_of(quillmark, "send-back")).status_code == 200


def test_a_note_blocks_nothing_and_is_over_with_the_signature(quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    data = {"act_id": act(daniel, quillmark), "notes.gov.owner": "Is this still Ada?"}
    assert daniel.post(page_of(quillmark, "send-back"), data=data).status_code == 303
    quillmark.sign()
    assert "Is this still Ada?" not in daniel.get("/").get_data(as_text=True)


def test_what_nobody_can_answer_any_more_is_not_sent_back(quillmark: Desk, daniel: Client) -> None:
    data = {"act_id": act(daniel, quillmark), "notes.gov.owner": "Is this still Ada?"}
    quillmark.complete()
    quillmark.sign()
    assert daniel.post(page_of(quillmark, "send-back"), data=data).status_code == 409
    assert daniel.get(page_of(quillmark, "send-back")).status_code == 404


def test_what_is_not_of_this_vendor_is_not_reached(quillmark: Desk, daniel: Client) -> None:
    nobody = str(UUID(int=7))
    data: dict[str, Any] = {"note": "Read it.", "people": nobody}
    assert daniel.post(page_of(quillmark, "send-back"), data=data).status_code == 422
    assert daniel.post(page_of(quillmark, "send-back"), data={"notes.no.such": "x"}).status_code == 404
    assert daniel.post(page_of(quillmark, f"send-back/{nobody}/settle")).status_code == 404


def test_a_respondent_asks_the_signatory_once_a_day(house: House, quillmark: Desk, priya: Client) -> None:
    early = priya.post(page_of(quillmark, "check/ask"))
    assert early.status_code == 422
    assert "There are things to do before this can be signed" in early.get_data(as_text=True)
    quillmark.complete()
    assert "Ask Daniel Osei to sign" in priya.get(page_of(quillmark)).get_data(as_text=True)

    asked = priya.post(page_of(quillmark, "check/ask"))
    again = priya.post(page_of(quillmark, "check/ask"))

    assert asked.status_code == 303
    assert again.status_code == 409
    assert "Priya Raghunath asked on 24 November 2026" in again.get_data(as_text=True)
    assert "Priya Raghunath asked for the signature on" in priya.get(page_of(quillmark)).get_data(as_text=True)
    assert told(house, "ready_to_sign") == 1


def test_the_signed_pdf_is_given_to_both_sides_and_to_no_other(
    house: House, quillmark: Desk, priya: Client, signed_in: Callable[..., Client], client: Client
) -> None:
    quillmark.complete()
    signed = quillmark.sign()
    reviewer = signed_in(person(house, roles=[Role.REVIEWER], name="Hana Sato"))

    mine = priya.get(f"/attestations/{signed}/signed.pdf")
    theirs = reviewer.get(f"/lab/attestations/{signed}/signed.pdf")

    assert mine.status_code == theirs.status_code == 200
    assert mine.data == theirs.data
    assert mine.headers["Content-Type"] == "application/pdf"
    assert "attachment" in mine.headers["Content-Disposition"]
    document = pdfium.PdfDocument(mine.data)
    assert document.get_metadata_value("Title") == "Signed answers of Quillmark Annotation Ltd"
    document.close()
    assert client.get(f"/attestations/{signed}/signed.pdf").status_code in (302, 303, 401)
    assert f"/attestations/{signed}/signed.pdf" in priya.get(page_of(quillmark)).get_data(as_text=True)


def test_a_late_signature_says_what_changed_since_the_page_was_read(quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    page = daniel.get(page_of(quillmark)).get_data(as_text=True)
    hidden = dict(re.findall(r'name="(row_version|digest_seen|shown_at)" value="([^"]*)"', page))
    quillmark.house.clock.advance(minutes=2)  # type: ignore[attr-defined]
    quillmark.save("gov.owner", {"choice": "no", "comment": "She left."})

    late = daniel.post(page_of(quillmark), data=hidden | {"full_name": "Daniel Osei", "statements": ["authority"]})
    assert late.status_code == 422
    late = daniel.post(
        page_of(quillmark),
        data=hidden | {"full_name": "Daniel Osei", "statements": ["authority", "truth", "changes"]},
    )

    assert late.status_code == 409
    words = late.get_data(as_text=True)
    assert "Priya Raghunath changed" in words
    assert "Executive owner on 24 Nov 2026, 09:02" in words


def test_an_answer_without_a_file_that_lasts_is_told_before_it_is_signed(quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    page = daniel.get(page_of(quillmark)).get_data(as_text=True)
    assert "answers that no file proves today" in page
    assert "You say: “Shown to you on a call; the file may not leave us.”" in page
