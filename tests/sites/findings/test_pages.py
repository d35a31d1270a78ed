"""The pages of findings and second looks: what each side reads and does there, in words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.gate import service as gate
from portal.identity.models import UserAccount
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.models import Decision
from portal.sites.shared.letter import letter_data
from portal.terms import FindingState, Outcome, Role
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.remedies import (
    ALSO,
    FLAGGED,
    SYSTEM,
    ask_gate,
    conditional,
    finding,
    give_back,
    outcome_of,
    proof_file,
    send,
    verify,
)
from tests.factories.reviews import Bench, bench
from tests.rules import files

Enter = Callable[..., Any]


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.get_data(as_text=True)))


def at(made: Bench, number: int = 1, *, lab: bool = False) -> str:
    return f"{'/lab' if lab else ''}/findings/{finding(made, number).id}"


def result_path(made: Bench) -> str:
    return f"/results/{outcome_of(made).id}"


def test_a_vendor_sends_proof_from_its_library(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    file_id = proof_file(made)
    client = signed_in(made.desk.respondent)
    page = client.get(at(made)).get_data(as_text=True)
    assert "An export shows every laptop encrypted." in page
    version = re.search(r'name="row_version" value="(\d+)"', page)
    assert version
    form = {"evidence": str(file_id), "pages": "2", "note": "All of them.", "row_version": version[1]}

    assert client.post(f"{at(made)}/proof", data=form).status_code == 303

    shown = text_of(client.get(at(made)))
    assert "Your proof is with us." in shown
    assert "sent proof" in shown
    assert "Proof sent" in text_of(client.get(result_path(made)))


def test_a_new_file_comes_with_the_plain_form(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    client = signed_in(made.desk.respondent)
    form = {
        "file": (io.BytesIO(files.pdf(pages=2)), "export.pdf"),
        "kind": "SCR",
        "row_version": str(finding(made).row_version),
    }
    answer = client.post(f"{at(made)}/proof", data=form, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert "export.pdf" in text_of(client.get(at(made)))


def test_without_a_file_the_page_says_what_to_do_and_keeps_the_words(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    form = {"note": "See above.", "row_version": str(finding(made).row_version)}
    answer = signed_in(made.desk.respondent).post(f"{at(made)}/proof", data=form)
    assert answer.status_code == 422
    assert "Choose the file that shows it, or upload one" in text_of(answer)
    assert "See above." in text_of(answer)


def test_whoever_sends_from_an_older_page_reads_that_it_changed(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    version = finding(made).row_version
    send(made, proof_file(made))
    form = {"evidence": str(proof_file(made)), "row_version": str(version)}
    answer = signed_in(made.desk.admin).post(f"{at(made)}/proof", data=form)
    assert answer.status_code == 409
    assert "F-1 changed since you opened the page" in text_of(answer)


def test_a_question_about_a_finding_goes_to_its_conversation(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    client = signed_in(made.desk.signatory)
    assert client.post(f"{at(made)}/say", data={"body": "Does an MDM export do?"}).status_code == 303
    assert "Does an MDM export do?" in text_of(client.get(at(made)))
    assert client.post(f"{at(made)}/say", data={"body": " "}).status_code == 422


def test_a_reviewer_closes_and_the_gate_opens(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    step = send(made, proof_file(made), note="All of them.")
    client = signed_in(made.reviewer, fresh=True)
    assert "F-1" in text_of(client.get("/lab/findings"))
    page = client.get(at(made, lab=True)).get_data(as_text=True)
    assert "All of them." in page
    form = {"remedy": str(step.id), "row_version": str(finding(made).row_version), "credit": "100"}

    assert client.post(f"{at(made, lab=True)}/verify", data=form).status_code == 303

    assert ask_gate(made).allow
    told = text_of(signed_in(made.desk.respondent).get(result_path(made)))
    assert "counted" in told
    assert "Met by the proof for F-1." in told
    assert client.post(f"{at(made, lab=True)}/verify", data=form).status_code == 409


def test_closing_asks_for_the_second_factor(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    form = {"remedy": str(step.id), "row_version": str(finding(made).row_version)}
    answer = signed_in(made.reviewer).post(f"{at(made, lab=True)}/verify", data=form)
    assert answer.status_code == 422
    assert "Enter the 6 digits" in text_of(answer)
    assert finding(made).state is FindingState.OPEN


def test_a_returned_proof_tells_the_vendor_what_is_missing(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    step = send(made, proof_file(made))
    client = signed_in(made.reviewer)
    form = {"remedy": str(step.id), "row_version": str(finding(made).row_version)}
    assert client.post(f"{at(made, lab=True)}/return", data=form).status_code == 422
    assert client.post(f"{at(made, lab=True)}/return", data={**form, "back": "Manila is missing."}).status_code == 303
    told = text_of(signed_in(made.desk.respondent).get(result_path(made)))
    assert "Your proof came back. Manila is missing." in told


def test_who_may_not_judge_reads_why(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    send(made, proof_file(made))
    with house.ledger.begin(made.other.actor) as tx:
        vendor = tx.session.get_one(Vendor, made.desk.vendor_id)
        reviews.declare_conflict(tx, vendor=vendor, reason="My brother works there")
    page = text_of(signed_in(made.other).get(at(made, lab=True)))
    assert "You do not judge this proof." in page
    assert "Verify and close" not in page


def test_the_result_stands_by_the_clock(house: House, signed_in: Enter, clock: FixedClock) -> None:
    made = conditional(house)
    path = result_path(made)
    assert "Opens when F-1 is closed" in text_of(signed_in(made.desk.respondent).get(path))
    now = re.search(r"([\d.]+) now", text_of(signed_in(made.desk.respondent).get(path)))
    clock.advance(days=400)
    page = text_of(signed_in(made.desk.respondent).get(path))
    later = re.search(r"([\d.]+) now", page)
    assert now
    assert later
    assert float(later[1]) < float(now[1])
    assert "Your approval has ended." in page
    assert "when it was decided" in page


def test_the_answers_say_what_each_proof_is_worth(house: House, signed_in: Enter) -> None:
    made = conditional(house, keys=(FLAGGED, ALSO))
    page = text_of(signed_in(made.desk.respondent).get(f"{result_path(made)}/answers"))
    assert "Verified" in page
    assert "Proof ended from 1 October 2027" in page


def test_a_paused_vendor_reads_that_the_decision_stays(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    with house.ledger.begin(made.lead.fresh) as tx:
        gate.pause(tx, vendor=tx.session.get_one(Vendor, made.desk.vendor_id), reason="Odd sign-ins")
    page = text_of(signed_in(made.desk.respondent).get(result_path(made)))
    assert "Access is paused." in page
    assert "Odd sign-ins" not in page


def test_a_refusal_says_what_would_change_it(house: House, signed_in: Enter) -> None:
    made = bench(house)
    made.claim()
    made.flag(FLAGGED, credit=0)
    made.accept_rest()
    made.recommend()
    made.propose(made.lead, outcome=Outcome.REJECT, valid_until=None, reason="The gap is too wide.")
    page = text_of(signed_in(made.desk.respondent).get(result_path(made)))
    assert "does not approve this work as it stands" in page
    assert "Fix first: F-1" in page
    assert "The gap is too wide." not in page


def test_the_letter_is_the_published_outcome_and_nothing_later(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    path = f"{result_path(made)}/letter.pdf"
    client = signed_in(made.desk.respondent)
    before = client.get(path)
    assert before.status_code == 200
    assert before.mimetype == "application/pdf"
    assert "decision-D-" in before.headers["Content-Disposition"]
    verify(made, send(made, proof_file(made)))
    assert client.get(path).data == before.data
    decision = f"/lab/decisions/{_decision(made)}/letter.pdf"
    assert signed_in(made.lead).get(decision).data == before.data


def _decision(made: Bench) -> Any:
    with made.house.ledger.begin(SYSTEM) as tx:
        return tx.session.execute(sa.select(Decision.id)).scalar_one()


def test_the_letter_says_the_same_as_the_page(house: House, app: Any, signed_in: Enter) -> None:
    made = conditional(house)
    page = text_of(signed_in(made.desk.respondent).get(result_path(made)))
    with app.test_request_context():
        said = letter_data(outcome_of(made), lab_name="Orrery", vendor_name="Quillmark Annotation")
    for words in (said["decision"], said["letter"], said["signed"], said["findings"][0]["what"], said["lead"][:40]):
        assert words in page


def test_a_vendor_asks_for_a_second_look_and_reads_the_answer(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    path = result_path(made)
    vendor = signed_in(made.desk.signatory)
    assert "Ask for a second look" in text_of(vendor.get(path))
    assert vendor.post(f"{path}/second-look", data={"reason": ""}).status_code == 422
    wish = {"reason": "The export was of another tenant.", "about": "F-1"}
    assert vendor.post(f"{path}/second-look", data=wish).status_code == 303
    assert "Under appeal." in text_of(vendor.get(path))
    assert vendor.post(f"{path}/second-look", data=wish).status_code == 409

    lab = signed_in(made.third)
    listed = lab.get("/lab/appeals").get_data(as_text=True)
    link = re.search(r'href="(/lab/appeals/[0-9a-f-]+)"', listed)
    assert link
    assert "The export was of another tenant." in text_of(lab.get(link[1]))
    assert "reviewed this" in text_of(signed_in(made.reviewer).get(link[1]))
    form = {"words": "The file names the right tenant.", "row_version": "1"}
    assert lab.post(f"{link[1]}/answer", data=form).status_code == 422
    assert lab.post(f"{link[1]}/answer", data={**form, "answer": "upheld"}).status_code == 303
    told = text_of(vendor.get(path))
    assert "The decision holds." in told
    assert "The file names the right tenant." in told
    assert "Under appeal." not in told


def test_decided_anew_leads_the_vendor_to_the_new_assessment(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    path = result_path(made)
    vendor = signed_in(made.desk.signatory)
    vendor.post(f"{path}/second-look", data={"reason": "Another tenant."})
    lab = signed_in(made.third)
    link = re.search(r'href="(/lab/appeals/[0-9a-f-]+)"', lab.get("/lab/appeals").get_data(as_text=True))
    assert link
    form = {"words": "You are right.", "row_version": "1", "answer": "anew"}
    assert lab.post(f"{link[1]}/answer", data=form).status_code == 303
    assert "Open the new assessment" in text_of(vendor.get(path))


def test_a_newer_result_is_named_on_the_older_one(house: House, signed_in: Enter, clock: FixedClock) -> None:
    made = conditional(house)
    path = result_path(made)
    clock.advance(days=3)
    with house.ledger.begin(SYSTEM) as tx:
        old = outcome_of(made)
        row = assessments.get(tx, old.assessment_id, Action.ASSESSMENT_READ)
        row.revision += 1
        tx.session.flush()
        assessments.publish_outcome(tx, assessment=row, number=999, body=old.body)
    page = text_of(signed_in(made.desk.respondent).get(path))
    assert "A newer result took the place of this one." in page
    assert "Upload proof for" not in page


@pytest.mark.parametrize("path", ["/lab/findings?show=open", "/lab/findings?show=closed", "/lab/findings?show=x"])
def test_the_lists_of_findings_open_for_who_reads_reviews(house: House, signed_in: Enter, path: str) -> None:
    made = conditional(house)
    give_back(made, send(made, proof_file(made)))
    assert signed_in(made.lead).get(path).status_code == 200
    assert signed_in(made.admin).get(path).status_code == 403


def test_who_was_given_other_sections_sees_no_finding_about_the_rest(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    file_id = proof_file(made)
    lena = person(house, roles=[Role.RESPONDENT], vendor=made.desk.vendor_id, name="Lena Brandt")
    with house.ledger.begin(SYSTEM) as tx:
        tx.session.get_one(UserAccount, lena.id).given_only = True
    client = signed_in(lena)

    page = text_of(client.get(result_path(made)))
    assert "Approved with conditions" in page
    assert "65 laptops" not in page
    assert "1 finding is about a section that your colleagues have." in page
    assert "Multi-factor" not in text_of(client.get(f"{result_path(made)}/answers"))
    assert client.get(f"{result_path(made)}/letter.pdf").status_code == 403
    assert client.get(at(made)).status_code == 403
    form = {"evidence": str(file_id), "row_version": str(finding(made).row_version)}
    assert client.post(f"{at(made)}/proof", data=form).status_code == 403
    assert client.post(f"{at(made)}/say", data={"body": "Hm."}).status_code == 403
