"""Deciding: what the policy suggests, who may sign and why not, one document for all, and what follows at the gate."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pypdfium2 as pdfium
import pytest

from portal.gate import service as gate
from portal.gate.rules import Question
from portal.identity import service as identity
from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import DecisionState, Role
from portal.vendors.models import Engagement
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


# What changed in between, drafts, escalations, who signs next, the letter, the record.


def engaged_for(made: Bench, classes: list[int]) -> None:
    with made.house.ledger.begin(system("test")) as tx:
        tx.session.get_one(Engagement, made.desk.engagement_id).data_classes = classes


def test_what_changed_is_shown_with_old_and_new_and_what_was_typed_is_kept(
    house: House, signed_in: Callable[..., Any]
) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    form = form_of(client, path, letter="Typed with care.")
    engaged_for(made, [2, 3])

    late = client.post(path, data=form)

    text = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "Nothing was decided." in text
    assert re.search(r"Data classes of the engagement</th>.*?>D3</td>.*?D2, D3", text, re.DOTALL)
    assert "Typed with care." in text
    # What the page shows now is what is signed now.
    again = {**form, "basis_seen": unescape(value_in(text, "basis_seen"))}
    assert client.post(path, data=again).status_code == 303


def test_who_confirms_sees_what_changed_since_it_was_proposed(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    proposed = made.propose(made.lead)
    client = signed_in(made.second, fresh=True)
    digest = value_in(client.get(f"/lab/decisions/{proposed}").get_data(as_text=True), "digest_seen")
    engaged_for(made, [4, 5])

    late = client.post(f"/lab/decisions/{proposed}/sign", data={"digest_seen": digest})

    text = late.get_data(as_text=True)
    assert late.status_code == 409
    assert re.search(r"Data classes of the engagement</th>.*?>D4</td>.*?D4, D5", text, re.DOTALL)


@pytest.mark.parametrize("basis", ["", "{}", "[1]", "nonsense"])
def test_a_page_that_does_not_say_what_it_showed_signs_nothing(
    house: House, signed_in: Callable[..., Any], basis: str
) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    assert client.post(path, data=form_of(client, path, basis_seen=basis)).status_code == 409


def test_a_draft_is_kept_and_says_what_changed_since(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead), path_of(made)
    row = {"condition.0.text": "Every laptop is encrypted", "condition.0.consequence": "all", "access.D3.A2": "closed"}
    kept = client.post(path, data=form_of(client, path, act="draft", letter="Half a letter", draft_version="0", **row))
    assert kept.status_code == 303

    page = client.get(path).get_data(as_text=True)
    assert "This is your draft" in page
    assert "Nothing changed since." in page
    assert "Half a letter" in page
    assert "Every laptop is encrypted" in page
    assert re.search(r'value="all" selected', page)
    assert re.search(r'value="closed" selected', page)
    assert "Half a letter" not in signed_in(made.second).get(path).get_data(as_text=True)

    engaged_for(made, [2, 3])
    assert "Data classes of the engagement" in client.get(path).get_data(as_text=True)
    older = client.post(path, data=form_of(client, path, act="draft", letter="Other window", draft_version="0"))
    assert older.status_code == 409
    assert "Other window" in older.get_data(as_text=True)
    assert client.post(path, data=form_of(client, path, act="drop")).status_code == 303
    assert "This is your draft" not in client.get(path).get_data(as_text=True)


def test_access_is_decided_for_each_class_and_mode(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, data_classes=[2, 3], access_modes=["A2", "A3"])
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    assert '<select class="select" name="access.D3.A2"' in client.get(path).get_data(as_text=True)
    table = {
        **CONDITIONAL,
        "access.D2.A2": "end",
        "access.D2.A3": "date",
        "access.D2.A3.until": "2026-12-20",
        "access.D3.A2": "closed",
        "access.D3.A3": "end",
    }

    answer = client.post(path, data=form_of(client, path, **table))

    assert answer.status_code == 303
    open_now = {(data, mode) for data in ("D2", "D3") for mode in ("A2", "A3") if allowed(made, data, mode)}
    assert open_now == {("D2", "A2"), ("D2", "A3"), ("D3", "A3")}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"access.D3.A2": "date"}, "Enter until when D3, A2 stays open"),
        ({"access.D3.A2": "date", "access.D3.A2.until": "2030-01-01"}, "must be met before the approval ends"),
        ({"access.D3.A2": "perhaps"}, "Choose what becomes of D3, A2"),
        ({"access.D3.A2": "F-99"}, "Choose what becomes of D3, A2"),
    ],
)
def test_what_the_table_cannot_say(
    house: House, signed_in: Callable[..., Any], table: dict[str, str], words: str
) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)

    answer = client.post(path, data=form_of(client, path, **CONDITIONAL, **table))

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_a_finding_keeps_closed_what_the_table_says_with_its_day_and_consequence(
    house: House, signed_in: Callable[..., Any]
) -> None:
    made = bench(house, data_classes=[2, 3])
    made.claim()
    made.flag(made.open_keys()[0], credit=None)
    made.accept_rest()
    made.recommend()
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    page = client.get(path).get_data(as_text=True)
    assert "Closed until F-1 is closed" in page
    row = {
        "outcome": "approve_with_conditions",
        "reason": "One thing is left",
        "access.D3.A2": "F-1",
        "condition.0.text": "F-1: every laptop is encrypted",
        "condition.0.due_on": "2027-01-10",
        "condition.0.finding": "1",
        "condition.0.consequence": "all",
    }

    where = client.post(path, data=form_of(client, path, **row)).location

    decision = made.decision(UUID(where.rpartition("/")[2]))
    assert decision.conditions == [
        {
            "text": "F-1: every laptop is encrypted",
            "due_on": "2027-01-10",
            "closes_at": 3,
            "access_mode": None,
            "met": False,
            "finding": 1,
            "consequence": "all",
        }
    ]
    assert allowed(made, "D2", "A2")
    assert not allowed(made, "D3", "A2")


def test_each_system_is_told_before_what_it_will_hear(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    elsewhere = house.new_id()
    with house.ledger.begin(made.admin.fresh) as tx:
        for name, vendor_ids in (("Data platform", None), ("Orders", [made.desk.vendor_id])):
            identity.create_client(
                tx, name=name, scopes=["gate:read"], vendor_ids=vendor_ids, expires_at=tx.now + timedelta(days=90)
            )
        identity.create_client(
            tx, name="Payroll", scopes=["gate:read"], vendor_ids=[elsewhere], expires_at=tx.now + timedelta(days=90)
        )

    page = signed_in(made.lead).get(path_of(made)).get_data(as_text=True)

    assert re.search(r"Data platform</dt>.*?Opens D3 A2", page, re.DOTALL)
    assert re.search(r"Orders</dt>.*?Opens D3 A2", page, re.DOTALL)
    assert re.search(r"Payroll</dt>.*?Does not ask about this vendor", page, re.DOTALL)


def test_a_review_is_escalated_shown_and_handed_back(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    ines, hana, path = signed_in(made.reviewer), signed_in(made.lead), path_of(made)
    form = {
        "outcome": "escalate",
        "to": str(made.lead.id),
        "escalation_reason": "Two reports disagree.",
        "escalation_due": "2026-11-30",
    }
    bare = ines.post(path, data=form_of(ines, path, **{**form, "escalation_reason": ""}))
    assert bare.status_code == 422
    assert "Say what you cannot decide" in bare.get_data(as_text=True)

    assert ines.post(path, data=form_of(ines, path, **form)).status_code == 303

    assert not allowed(made, "D4", "A3")
    assert "Two reports disagree." in hana.get(path).get_data(as_text=True)
    assert "Reviews that are put before lead approvers" in hana.get("/lab/cosign").get_data(as_text=True)
    where = re.search(r'action="(/lab/escalations/[^"]+/hand-back)"', hana.get(path).get_data(as_text=True))
    assert where
    assert ines.post(where[1], data={"answer": "Me"}).status_code == 403
    assert hana.post(where[1], data={"answer": " "}).status_code == 422
    assert hana.post(where[1], data={"answer": "The newer one counts."}).status_code == 303
    assert "The newer one counts." in ines.get(path).get_data(as_text=True)
    assert hana.post(where[1], data={"answer": "Again"}).status_code == 409


def test_the_letter_is_read_before_it_is_sent(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)

    preview = client.post(path, data=form_of(client, path, act="letter", letter="Strong work on leavers."))

    assert preview.status_code == 200
    assert preview.content_type == "application/pdf"
    with pdfium.PdfDocument(preview.data) as document:
        words = " ".join(page.get_textpage().get_text_range() for page in document)
    assert "Strong work on leavers." in words
    assert "preview" in words
    assert not allowed(made, "D3", "A2")


def test_who_is_asked_is_chosen_and_told(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    hana, theo, path = signed_in(made.lead, fresh=True), signed_in(made.second), path_of(made)
    barred = hana.post(path, data=form_of(hana, path, asked=str(made.reviewer.id)))
    assert barred.status_code == 422
    assert "Choose somebody else" in barred.get_data(as_text=True)

    where = hana.post(path, data=form_of(hana, path, asked=str(made.second.id))).location

    assert "Theo Brandvold is asked to sign" in hana.get(where).get_data(as_text=True)
    assert "Asks you" in theo.get("/lab/cosign").get_data(as_text=True)


def test_the_record_is_handed_out_as_it_was_sealed(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client, path = signed_in(made.lead, fresh=True), path_of(made)
    where = client.post(path, data=form_of(client, path)).location

    shown = client.get(where).get_data(as_text=True)
    record = client.get(f"{where}/record.json")

    assert record.status_code == 200
    assert hashlib.sha256(record.data).hexdigest() in shown
    assert set(record.get_json()) == {"payload", "payloadType", "signatures"}


def test_what_is_not_decided_has_no_record(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house, tier=1)
    proposed = made.propose(made.lead)
    assert signed_in(made.second).get(f"/lab/decisions/{proposed}/record.json").status_code == 404


# Conflicts of interest.


def test_conflicts_are_declared_by_oneself_and_shown(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    client = signed_in(made.lead)
    bare = client.post("/account/conflicts", data={"vendor_id": "", "reason": "Worked there"})
    assert bare.status_code == 422
    assert "Choose the vendor" in bare.get_data(as_text=True)
    given = {"vendor_id": str(made.desk.vendor_id), "reason": "Worked there until March"}

    assert client.post("/account/conflicts", data=given).status_code == 303

    assert "Worked there until March" in client.get("/account/conflicts").get_data(as_text=True)
    page = signed_in(made.second).get(path_of(made)).get_data(as_text=True)
    assert "Hana Kobayashi (worked there until March)" in page
    assert "you (worked there until March)" in client.get(path_of(made)).get_data(as_text=True)


def test_an_admin_declares_and_ends_them_for_others(house: House, signed_in: Callable[..., Any]) -> None:
    made = reviewed(house)
    admin, page = signed_in(made.admin), f"/lab/admin/users/{made.lead.id}"
    given = {"vendor_id": str(made.desk.vendor_id), "reason": "Owns shares"}
    assert signed_in(made.second).post(f"{page}/conflicts", data=given).status_code == 403

    assert admin.post(f"{page}/conflicts", data=given).status_code == 303

    text = admin.get(page).get_data(as_text=True)
    assert "Owns shares" in text
    where = re.search(r'action="(/lab/admin/conflicts/[^"]+/end)"', text)
    assert where
    assert admin.post(where[1]).status_code == 303
    assert "already" in admin.get(admin.post(where[1]).location).get_data(as_text=True)
