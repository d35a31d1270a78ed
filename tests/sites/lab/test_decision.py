"""Deciding: what the policy suggests, who may sign and why not, one document for all, and what follows at the gate."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from portal.gate import service as gate
from portal.gate.rules import Question
from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import DecisionState, Role
from portal.wiring import House
from tests.factories.identity import code_of, person
from tests.factories.reviews import Bench, bench

CONDITIONAL = {"outcome": "approve_with_conditions", "reason": "Two sites are new"}


def reviewed(house: House, **given: Any) -> Bench:
    made = bench(house, **given)
    made.review()
    return made


def path_of(made: Bench) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}/decide"


def value_in(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"the page has no {name}"
    return found[1]


def form_of(client: Any, path: str, **changes: str) -> dict[str, str]:
    text = client.get(path).get_data(as_text=True)
    return {
        "outcome": "approve",
        "valid_until": "2027-01-31",
        "letter": "Strong work.",
        "row_version": value_in(text, "row_version"),
        "score_seen": value_in(text, "score_seen"),
        "basis_seen": unescape(value_in(text, "basis_seen")),
        **changes,
    }


def allowed(made: Bench, data_class: str, mode: str) -> bool:
    with made.house.ledger.begin(system("test")) as tx:
        return gate.answer(tx, Question("quillmark-annotation", data_class, mode, "test")).allow


def test_a_lead_decides_in_tier_2_and_the_gate_follows(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    page = client.get(path).get_data(as_text=True)
    assert "Approve (suggested)" in page
    assert "Ines Valdarno (reviewer)" in page
    assert "Sign decision" in page
    assert not allowed(made, "D3", "A2")

    answer = client.post(path, data=form_of(client, path))

    assert answer.status_code == 303
    assert allowed(made, "D3", "A2")
    shown = client.get(answer.location).get_data(as_text=True)
    assert "Decided" in shown
    assert "Hana Kobayashi" in shown


def test_tier_1_takes_two_leads_who_sign_the_same_document(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    hana, theo, path = signed_in(made.lead, fresh=True), signed_in(made.second, fresh=True), path_of(made)
    assert "Sign and send to Theo" in hana.get(path).get_data(as_text=True)

    proposed = hana.post(path, data=form_of(hana, path))
    assert proposed.status_code == 303
    assert not allowed(made, "D4", "A3")

    own = hana.get(proposed.location).get_data(as_text=True)
    assert "You cannot sign this." in own
    assert "has signed already" in own
    assert "D-" in theo.get("/lab/cosign").get_data(as_text=True)
    page = theo.get(proposed.location).get_data(as_text=True)
    digest = value_in(page, "digest_seen")
    assert digest in page.partition('id="digest"')[2][:200]

    again = hana.post(f"{proposed.location}/sign", data={"digest_seen": digest})
    assert again.status_code == 403
    assert "has signed already" in again.get_data(as_text=True)
    other = theo.post(f"{proposed.location}/sign", data={"digest_seen": "0" * 64})
    assert other.status_code == 409
    done = theo.post(f"{proposed.location}/sign", data={"digest_seen": digest})
    assert done.status_code == 303
    assert allowed(made, "D4", "A3")


def test_the_reviewer_prepares_but_does_not_sign_in_tier_2(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    assert made.lead
    client, path = signed_in(made.reviewer, fresh=True), path_of(made)
    page = client.get(path).get_data(as_text=True)
    assert "Propose and send to Hana" in page

    answer = client.post(path, data=form_of(client, path))

    assert answer.status_code == 303
    shown = client.get(answer.location).get_data(as_text=True)
    assert "0 of 1" in shown
    assert "Take the proposal back" in shown
    assert not allowed(made, "D3", "A2")
    assert client.post(f"{answer.location}/withdraw").status_code == 303
    assert "taken back" in client.post(f"{answer.location}/withdraw").get_data(as_text=True)


def test_conditions_keep_a_class_closed_and_the_effect_is_shown_before(
    house: House, signed_in: Callable[..., Any]
) -> None:
    made = reviewed(house, data_classes=[2, 3])
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    row = {
        "outcome": "approve_with_conditions",
        "reason": "Two sites are new",
        "condition.0.text": "Every laptop is encrypted",
        "condition.0.due_on": "2027-01-15",
        "condition.0.closes_at": "D3",
        "condition.0.access_mode": "",
    }

    preview = client.post(path, data=form_of(client, path, act="effect", **row))
    text = preview.get_data(as_text=True)
    assert preview.status_code == 200
    assert "Closed until: Every laptop is encrypted" in text
    assert "Two sites are new" in text

    answer = client.post(path, data=form_of(client, path, **row))
    assert answer.status_code == 303
    assert allowed(made, "D2", "A2")
    assert not allowed(made, "D3", "A2")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outcome": ""}, "Choose what you decide"),
        ({"valid_until": ""}, "Enter until when the approval holds"),
        ({"valid_until": "2030-01-01"}, "An approval holds for 400 days at most"),
        ({"valid_until": "soon"}, "Enter a date, for example"),
        ({"outcome": "reject"}, "Say why you decide otherwise than the policy suggests"),
        (CONDITIONAL, "Enter at least one condition"),
        (
            {
                **CONDITIONAL,
                "condition.0.text": "y",
                "condition.0.due_on": "soon",
            },
            "Enter the date of condition 1 as year-month-day",
        ),
        (
            {
                **CONDITIONAL,
                "condition.0.text": "y",
                "condition.0.closes_at": "D9",
            },
            "Choose the data class that condition 1 keeps closed",
        ),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(
    house: House, signed_in: Callable[..., Any], changes: dict[str, str], words: str
) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)

    answer = client.post(path, data=form_of(client, path, **changes))

    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in text
    assert "Strong work." in text
    assert "<title>Error: " in text


def test_without_a_fresh_factor_a_code_is_asked_for(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead), path_of(made)

    refused = client.post(path, data=form_of(client, path))
    assert refused.status_code == 422
    assert "Enter the 6 digits from your authenticator app" in refused.get_data(as_text=True)

    assert client.post(path, data=form_of(client, path, code=code_of(house, made.lead))).status_code == 303


def test_who_decides_on_an_older_page_is_told(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)

    late = client.post(path, data=form_of(client, path, row_version="1"))
    other = client.post(path, data=form_of(client, path, score_seen="0" * 64))

    assert late.status_code == 409
    assert "This review changed since you opened the page" in late.get_data(as_text=True)
    assert other.status_code == 409
    assert "The score changed since you opened the page" in other.get_data(as_text=True)


def test_a_proposal_is_declined_with_a_reason(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    hana, theo, path = signed_in(made.lead, fresh=True), signed_in(made.second, fresh=True), path_of(made)
    where = hana.post(path, data=form_of(hana, path)).location

    bare = theo.post(f"{where}/decline", data={"reason": ""})
    assert bare.status_code == 422
    assert "Say why you do not confirm it" in bare.get_data(as_text=True)
    assert theo.post(f"{where}/decline", data={"reason": "The test is of another product"}).status_code == 303

    with made.house.ledger.begin(system("test")) as tx:
        found = reviews.latest(tx, made.desk.assessment_id)
        assert found is not None
        assert reviews.outlook(tx, review=found).proposed is None
    assert "Taken back" in theo.get(where).get_data(as_text=True)


def test_a_lead_returns_a_finished_review_with_a_reason(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client = signed_in(made.lead)
    path = path_of(made).replace("/decide", "/back")
    version = value_in(client.get(path).get_data(as_text=True), "row_version")

    bare = client.post(path, data={"reason": "", "row_version": version})
    done = client.post(path, data={"reason": "Look at the test again", "row_version": version})

    assert bare.status_code == 422
    assert done.status_code == 303
    assert signed_in(made.reviewer).post(path, data={"reason": "x", "row_version": version}).status_code == 403


def test_s3_people_tied_to_the_vendor_are_named_with_the_reason(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    jonas = person(house, roles=[Role.LEAD_APPROVER], name="Jonas Weil", email="jonas@quillmark.example")
    path = path_of(made)

    page = signed_in(made.lead).get(path).get_data(as_text=True)
    assert "Jonas Weil (works or worked at Quillmark Annotation)" in page
    client = signed_in(jonas, fresh=True)
    refused = client.post(path, data=form_of(signed_in(made.lead), path))
    assert refused.status_code == 403
    assert "works or worked at Quillmark Annotation" in refused.get_data(as_text=True)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.PROGRAM_ADMIN, Role.REVIEWER])
def test_who_may_not_propose(house: House, signed_in: Callable[..., Any], role: Role) -> None:
    made = reviewed(house)
    path = path_of(made)
    form = form_of(signed_in(made.lead), path)

    answer = signed_in(person(house, roles=[role], name="Somebody Else"), fresh=True).post(path, data=form)

    assert answer.status_code == 403
    with made.house.ledger.begin(system("test")) as tx:
        found = reviews.latest(tx, made.desk.assessment_id)
        assert found is not None
        assert reviews.outlook(tx, review=found).proposed is None


def test_before_it_is_finished_nothing_can_be_decided(house: House, signed_in: Callable[..., Any]) -> None:
    made = bench(house)
    made.claim()
    client, path = signed_in(made.lead, fresh=True), path_of(made)

    assert "This does not wait for a decision." in client.get(path).get_data(as_text=True)
    assert client.post(path, data=form_of(client, path)).status_code == 409


def test_the_document_is_shown_as_signed(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    decision = made.decision(made.propose(made.lead))

    text = signed_in(made.second).get(f"/lab/decisions/{decision.id}").get_data(as_text=True)

    assert decision.state is DecisionState.PROPOSED
    assert decision.digest in text
    assert decision.document[:60].replace('"', "&#34;") in text
    assert signed_in(made.second).get("/lab/decisions/00000000-0000-7000-8000-00000000ffff").status_code == 404
