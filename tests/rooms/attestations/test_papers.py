"""The signed PDF: what was signed and nothing else, the same bytes whatever changes afterwards."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import UUID

import pypdfium2 as pdfium
import pytest
import sqlalchemy as sa

from portal.attestations import papers
from portal.attestations import service as attestations
from portal.kernel import paper
from portal.kernel.actor import system
from portal.kernel.errors import Forbidden, NotFound
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import LAB, Desk, make_attestation
from tests.factories.identity import person
from tests.factories.vendors import make_vendor


def text_of(pdf: bytes) -> str:
    """Return the text of a PDF as it is copied out of it, without line ends."""
    document = pdfium.PdfDocument(pdf)
    try:
        pages = [page.get_textpage().get_text_range() for page in document]
    finally:
        document.close()
    return " ".join(" ".join(pages).split())


def signed(desk: Desk) -> UUID:
    desk.complete()
    key = desk.visible()[0].key
    desk.cite(key, desk.file(), "3")
    return desk.sign()


def test_it_holds_everything_that_was_signed(desk: Desk) -> None:
    attestation_id = signed(desk)

    printed = attestations.print_signed(desk.house.ledger, desk.signatory.actor, attestation_id, lab_name=LAB)

    said = text_of(printed.pdf)
    assert printed.digest in said
    assert "Signed by Daniel Osei" in said
    assert "Sent to Orrery" in said
    assert "I have authority to sign for Quillmark Annotation Ltd." in said
    assert "tell Orrery within 10 working days" in said
    for question in desk.visible():
        assert " ".join(question.text.split()) in said, question.key
    with desk.at(desk.signatory.actor) as (tx, _):
        snapshot = attestations.attested(tx, attestation_id).snapshot
    assert snapshot.citations[0].sha256 in said
    assert ", page 3" in said
    hidden = [each for each in desk.questionnaire.questions if not snapshot.answers[each.key].is_asked]
    assert all(each.text not in said for each in hidden)


def test_it_is_the_same_to_the_byte_whatever_changes_afterwards(desk: Desk) -> None:
    attestation_id = signed(desk)
    with desk.at(desk.signatory.actor) as (tx, _):
        row = attestations.get(tx, attestation_id, papers.Action.ASSESSMENT_WHOLE)
        before = paper.render(papers.TEMPLATE, papers.document(tx, row, lab_name=LAB))

    with desk.house.engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('gatehouse.vendor', '*', true)"))
        connection.execute(sa.text("UPDATE user_account SET full_name = 'Somebody Else', title = 'Gone'"))
        connection.execute(sa.text("UPDATE vendor SET name = 'Renamed', legal_name = 'Renamed Ltd'"))
        connection.execute(sa.text("UPDATE evidence SET title = 'Another title'"))
        connection.execute(sa.text("UPDATE answer SET value = '{}'::jsonb, comment = 'changed'"))
    desk.house.clock.advance(days=400)  # type: ignore[attr-defined]

    with desk.at(replace(desk.signatory.actor, language="de", timezone="Asia/Manila")) as (tx, _):
        row = attestations.get(tx, attestation_id, papers.Action.ASSESSMENT_WHOLE)
        after = paper.render(papers.TEMPLATE, papers.document(tx, row, lab_name="Another lab"))
    printed = attestations.print_signed(desk.house.ledger, desk.signatory.actor, attestation_id, lab_name="Other")

    assert before == after == printed.pdf
    assert printed.sha256 == hashlib.sha256(before).hexdigest()


def test_who_gets_it_later_gets_the_bytes_that_were_given_out_first(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    attestation_id = signed(desk)
    first = attestations.print_signed(desk.house.ledger, desk.signatory.actor, attestation_id, lab_name=LAB)

    def no_press(*_given: object) -> bytes:
        raise AssertionError("printed twice")

    monkeypatch.setattr(paper, "render", no_press)

    again = attestations.print_signed(desk.house.ledger, desk.admin.actor, attestation_id, lab_name=LAB)
    assert again == first
    with desk.house.ledger.begin(system("test")) as tx:
        told = "SELECT count(*) FROM audit_event WHERE fact = 'attestation_printed'"
        assert tx.session.execute(sa.text(told)).scalar_one() == 1


def test_of_two_who_ask_at_once_both_get_what_was_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    attestation_id = signed(desk)
    press = paper.render
    others: list[attestations.Printed] = []

    def slow(template: str, data: dict[str, object]) -> bytes:
        made = press(template, data)
        if not others:
            others.append(others_print())
        return made + b"\n%another press"

    def others_print() -> attestations.Printed:
        monkeypatch.setattr(paper, "render", press)
        return attestations.print_signed(desk.house.ledger, desk.admin.actor, attestation_id, lab_name=LAB)

    monkeypatch.setattr(paper, "render", slow)
    mine = attestations.print_signed(desk.house.ledger, desk.signatory.actor, attestation_id, lab_name=LAB)

    assert mine == others[0]


def test_a_stranger_cannot_tell_it_exists_and_who_sees_parts_gets_none_of_it(desk: Desk) -> None:
    attestation_id = signed(desk)
    with desk.house.ledger.begin(system("test")) as tx:
        other = make_vendor(tx, "Another Vendor").id
    stranger = person(desk.house, roles=[Role.SIGNATORY], vendor=other, name="Ines Stranger")
    with pytest.raises(NotFound):
        attestations.print_signed(desk.house.ledger, stranger.actor, attestation_id, lab_name=LAB)
    with pytest.raises(Forbidden):
        attestations.print_signed(
            desk.house.ledger, replace(desk.respondent.actor, given_only=True), attestation_id, lab_name=LAB
        )


def test_the_full_questionnaire_prints(house: House) -> None:
    long, attestation_id = make_attestation(house, slug="ai-contractor")
    printed = attestations.print_signed(house.ledger, long.signatory.actor, attestation_id, lab_name=LAB)
    said = text_of(printed.pdf)
    assert all(each.label in said for each in long.visible())
