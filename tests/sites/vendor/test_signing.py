"""Reading everything before it is signed, signing it, its receipt, and taking it back."""

from __future__ import annotations

import re
from collections.abc import Callable
from gettext import NullTranslations
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.evidence.models import Evidence
from portal.kernel import words
from portal.kernel.actor import system
from portal.policy import Action
from portal.terms import AssessmentState, EvidenceState, ScanState
from portal.wiring import House
from tests.factories.attestations import ALL, Desk, desk
from tests.factories.identity import code_of
from tests.sites.conftest import Client


def check(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/check"


def form(client: Client, made: Desk, **changed: Any) -> dict[str, Any]:
    page = client.get(check(made)).get_data(as_text=True)
    hidden = dict(re.findall(r'name="(row_version|digest_seen)" value="([^"]*)"', page))
    return {**hidden, "statements": list(ALL), "full_name": "Daniel Osei", **changed}


def state(made: Desk) -> AssessmentState:
    with made.at(made.admin.actor) as (_tx, row):
        return row.state


def test_wf_10_a_signature_on_something_incomplete_lists_each_gap(
    house: House, signed_in: Callable[..., Client]
) -> None:
    made = desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A3"])
    made.settle_scoping()
    made.save("gov.assurance.level", {"choice": "none", "comment": "None yet."})
    made.answer(leave=["gov.owner", "inf.rest"])
    made.save("inf.rest", {"choice": "yes"})
    made.save("gov.assurance.level", {"choice": "soc2_2", "comment": "Since today, which asks for its scope."})
    made.cite("seg.reuse", made.file(file_name="waiting.pdf", state=EvidenceState.RECEIVED, scan=ScanState.PENDING))
    infected = made.file(file_name="infected.pdf")
    made.cite("seg.train", infected)
    with made.at(system("scanner")) as (tx, _row):
        tx.session.get_one(Evidence, infected).scan = ScanState.INFECTED
    client = signed_in(made.signatory, fresh=True)
    number = made.questionnaire.number_of

    answer = client.post(check(made), data=form(client, made))
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    for gap in (
        f"Answer {number('gov.owner')} Executive owner",
        f"Answer {number('gov.assurance.scope')} Scope of assurance",
        f"Attach evidence for {number('inf.rest')}, or say why you cannot",
        f"“waiting.pdf” for {number('seg.reuse')} is still being checked",
        f"“infected.pdf” for {number('seg.train')} cannot be used",
    ):
        assert page.count(gap) >= 2, gap
    assert state(made) is AssessmentState.IN_PROGRESS


def test_a_signatory_signs_what_the_page_showed_and_gets_a_receipt(
    house: House, quillmark: Desk, signed_in: Callable[..., Client]
) -> None:
    quillmark.complete()
    client = signed_in(quillmark.signatory)

    without = client.post(check(quillmark), data=form(client, quillmark))
    assert without.status_code == 422
    assert "Enter the 6 digits from your authenticator app" in without.get_data(as_text=True)
    assert state(quillmark) is AssessmentState.IN_PROGRESS

    signed = client.post(check(quillmark), data=form(client, quillmark, code=code_of(house, quillmark.signatory)))
    assert signed.status_code == 303, signed.get_data(as_text=True)
    receipt = client.get(check(quillmark)).get_data(as_text=True)
    assert state(quillmark) is AssessmentState.SUBMITTED
    assert "Receipt" in receipt
    assert re.search(r"\b[0-9a-f]{64}\b", receipt)
    assert "Signed and sent to Orrery" in client.get("/").get_data(as_text=True)


def test_a_name_or_statement_that_is_missing_is_said_at_its_field_and_the_rest_stays(
    quillmark: Desk, daniel: Client
) -> None:
    quillmark.complete()

    answer = daniel.post(check(quillmark), data=form(daniel, quillmark, full_name="Dan", statements=["truth"]))
    page = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert page.count("Type your name as it is on your account: Daniel Osei") == 2
    assert page.count("Tick all three statements to sign") == 2
    assert 'value="Dan"' in page
    assert 'value="truth" checked' in page


def test_what_changed_since_the_page_was_read_is_not_signed(quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    read = form(daniel, quillmark)
    quillmark.save("gov.owner", {"choice": "no", "comment": "She left."})

    answer = daniel.post(check(quillmark), data=read)

    assert answer.status_code == 409
    assert "Something changed since you opened this page. Nothing was signed." in answer.get_data(as_text=True)
    assert state(quillmark) is AssessmentState.IN_PROGRESS


def test_pressing_twice_signs_once_and_shows_the_receipt(house: House, quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    read = form(daniel, quillmark)

    first, second = daniel.post(check(quillmark), data=read), daniel.post(check(quillmark), data=read)

    assert first.status_code == 303
    assert second.status_code == 409
    assert "Receipt" in second.get_data(as_text=True)
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.text("SELECT count(*) FROM attestation")).scalar_one() == 1


def test_a_worker_that_dies_before_the_commit_has_signed_nothing(
    house: House, quillmark: Desk, daniel: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R1: the connection breaks after everything was written and before it counts."""
    quillmark.complete()
    read = form(daniel, quillmark)

    def killed(tx: Any, **_given: Any) -> None:
        mine = tx.session.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        with house.engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})

    with monkeypatch.context() as broken:
        broken.setattr(assessments, "submit", killed)
        assert daniel.post(check(quillmark), data=read).status_code == 503

    assert state(quillmark) is AssessmentState.IN_PROGRESS
    with house.ledger.begin(system("test")) as tx:
        for table in ("attestation", "attested_answer", "attested_citation"):
            assert tx.session.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one() == 0
    assert daniel.post(check(quillmark), data=read).status_code == 303


def test_the_factor_that_was_given_is_written_down(
    house: House, quillmark: Desk, signed_in: Callable[..., Client]
) -> None:
    quillmark.complete()
    client = signed_in(quillmark.signatory)
    data = form(client, quillmark, code=code_of(house, quillmark.signatory))
    assert client.post(check(quillmark), data=data).status_code == 303
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.text("SELECT factor FROM attestation")).scalar_one() == "totp"


def test_the_factor_of_a_sign_in_just_now_is_the_one_written_down(
    house: House, quillmark: Desk, client: Client
) -> None:
    quillmark.complete()
    signatory = quillmark.signatory
    typed = {"email": signatory.email, "password": signatory.password, "code": code_of(house, signatory)}
    assert client.post("/sign-in", data=typed).status_code == 303
    assert client.post(check(quillmark), data=form(client, quillmark)).status_code == 303
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.text("SELECT factor FROM attestation")).scalar_one() == "totp"


def test_statements_are_signed_in_the_language_of_the_page(
    house: House, quillmark: Desk, daniel: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    quillmark.complete()
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(
            sa.text("UPDATE user_account SET language = 'de' WHERE id = :id"), {"id": quillmark.signatory.id}
        )

    class Deutsch(NullTranslations):
        def gettext(self, message: str) -> str:
            return f"DE {message}"

        def info(self) -> dict[str, str]:
            return {"language": "de"}

    monkeypatch.setattr(words, "catalogue", lambda language: Deutsch() if language == "de" else NullTranslations())

    assert daniel.post(check(quillmark), data=form(daniel, quillmark)).status_code == 303

    with house.ledger.begin(system("test")) as tx:
        statement = tx.session.execute(sa.text("SELECT statement FROM attestation")).scalar_one()
    assert statement.split("\n")[0].endswith(" de")
    assert "DE I have authority to sign for Quillmark Annotation Ltd." in statement
    assert "24. November 2026" in statement


def test_who_cannot_sign_reads_who_can(quillmark: Desk, priya: Client) -> None:
    page = priya.get(check(quillmark)).get_data(as_text=True)

    assert "Daniel Osei can sign this." in page
    assert "Sign and submit" not in page
    assert priya.post(check(quillmark), data={}).status_code == 403


def test_the_second_signature_shows_what_changed_since_the_first(quillmark: Desk, daniel: Client) -> None:
    quillmark.complete()
    quillmark.sign()
    quillmark.send_back("gov.owner")
    quillmark.reply("gov.owner")
    quillmark.save("gov.owner", {"choice": "no", "comment": "She left."})

    page = daniel.get(check(quillmark)).get_data(as_text=True)

    assert "1 thing differs from what was signed on" in page
    assert '<del class="d">Yes</del> <ins>No</ins>' in page


def test_a_signature_is_taken_back_with_a_reason_while_nothing_is_decided(quillmark: Desk, marisol: Client) -> None:
    quillmark.complete()
    quillmark.sign()
    here = f"/assessments/{quillmark.assessment_id}/withdraw"
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        version = assessments.get(tx, row.id, Action.ASSESSMENT_READ).row_version

    assert marisol.get(here).status_code == 200
    silent = marisol.post(here, data={"reason": " ", "row_version": str(version)})
    assert silent.status_code == 422
    assert "Say why you withdraw it" in silent.get_data(as_text=True)
    assert marisol.post(here, data={"reason": "We moved offices.", "row_version": "1"}).status_code == 409
    assert marisol.post(here, data={"reason": "We moved offices.", "row_version": str(version)}).status_code == 303
    assert state(quillmark) is AssessmentState.WITHDRAWN
    assert "We moved offices." in marisol.get("/").get_data(as_text=True)
