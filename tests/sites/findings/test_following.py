"""The life of a finding on both sides’ pages: the list, plans, days, people, and risks that are accepted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.wiring import House
from tests.factories.accepting import accepted, plan, propose, risks_of
from tests.factories.remedies import ALSO, FLAGGED, ask_gate, conditional, finding, outcome_of
from tests.factories.reviews import Bench
from tests.sites.findings.test_pages import at, text_of

Enter = Callable[..., Any]


def version(made: Bench) -> str:
    return str(finding(made).row_version)


def test_a_plan_goes_to_the_lab_and_its_answer_back(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    vendor, lab = signed_in(made.desk.respondent), signed_in(made.reviewer)
    form = {"words": "New laptops by the tenth.", "by_day": "2027-01-10", "row_version": version(made)}
    assert vendor.post(f"{at(made)}/plan", data=form).status_code == 303
    page = lab.get(at(made, lab=True)).get_data(as_text=True)
    assert "New laptops by the tenth." in page
    step = re.search(r'name="step" value="([^"]+)"', page)
    assert step
    back = {"step": step[1], "row_version": version(made), "answer": "return", "plan_note": ""}
    refused = lab.post(f"{at(made, lab=True)}/plan", data=back)
    assert (refused.status_code, "Say what the plan lacks" in text_of(refused)) == (422, True)
    assert lab.post(f"{at(made, lab=True)}/plan", data={**back, "plan_note": "Which site?"}).status_code == 303
    shown = text_of(vendor.get(at(made)))
    assert "Your plan came back. Which site?" in shown
    assert "returned the plan" in shown
    assert "Ines Valdarno" not in shown


def test_a_plan_that_lacks_something_keeps_what_was_typed(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    form = {"words": "", "by_day": "then", "row_version": version(made)}
    answer = signed_in(made.desk.respondent).post(f"{at(made)}/plan", data=form)
    assert answer.status_code == 422
    assert "Say what you will do about it" in text_of(answer)
    assert "Enter the day by which it is done" in text_of(answer)
    stale = {"words": "New laptops.", "by_day": "2027-01-10", "row_version": "99"}
    late = signed_in(made.desk.respondent).post(f"{at(made)}/plan", data=stale)
    assert (late.status_code, "changed since you opened" in text_of(late)) == (409, True)
    assert "New laptops." in text_of(late)


def test_the_day_moves_with_a_reason_that_the_vendor_reads(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    lab = signed_in(made.reviewer)
    form = {"due_on": "2027-02-20", "due_why": "", "row_version": version(made)}
    assert lab.post(f"{at(made, lab=True)}/due", data=form).status_code == 422
    assert lab.post(f"{at(made, lab=True)}/due", data={**form, "due_why": "The supplier is late."}).status_code == 303
    shown = text_of(signed_in(made.desk.respondent).get(at(made)))
    assert "moved the due date from 15 January 2027 to 20 February 2027" in shown
    assert "The supplier is late." in shown


def test_both_sides_say_who_sees_to_it(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    form = {"owner": str(made.desk.signatory.id), "row_version": version(made)}
    assert signed_in(made.desk.respondent).post(f"{at(made)}/owner", data=form).status_code == 303
    people = {"follower": str(made.other.id), "owner": "", "row_version": version(made)}
    assert signed_in(made.reviewer).post(f"{at(made, lab=True)}/people", data=people).status_code == 303
    assert (finding(made).follower_id, finding(made).owner_id) == (made.other.id, None)
    shown = text_of(signed_in(made.desk.respondent).get(at(made)))
    assert "named nobody to see to it" in shown
    assert "Tomasz Okoro" not in shown


def test_two_people_accept_a_risk_and_everybody_reads_until_when(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    lab = signed_in(made.reviewer, fresh=True)
    path = f"{at(made, lab=True)}/risk"
    form = {
        "risk_reason": "Watched weekly.",
        "risk_owner": str(made.lead.id),
        "risk_until": "2027-01-20",
        "row_version": version(made),
    }
    too_long = lab.post(path, data={**form, "risk_until": "2027-09-01"})
    assert (too_long.status_code, "for 90 days at most" in text_of(too_long)) == (422, True)
    assert lab.post(path, data=form).status_code == 303
    assert "Take the proposal back" in text_of(lab.get(at(made, lab=True)))
    assert "Confirm and accept" not in text_of(lab.get(at(made, lab=True)))
    lead = signed_in(made.lead, fresh=True)
    risk = risks_of(made)[0]
    assert "OpensD3 by A2" in text_of(lead.get(at(made, lab=True)))
    assert lead.post(f"{path}/{risk.id}/confirm", data={"digest": "0" * 64}).status_code == 409
    assert lead.post(f"{path}/{risk.id}/confirm", data={"digest": risk.digest}).status_code == 303
    shown = text_of(lead.get(at(made, lab=True)))
    assert "The risk is accepted until 20 January 2027" in shown
    assert ask_gate(made).allow
    vendor = signed_in(made.desk.respondent)
    told = text_of(vendor.get(at(made)))
    assert "lives with this until 20 January 2027" in told
    assert "Watched weekly" not in told
    assert "it keeps nothing closed" in text_of(vendor.get(f"/results/{outcome_of(made).id}"))


def test_a_risk_is_declined_or_revoked_with_a_reason(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    path = f"{at(made, lab=True)}/risk"
    lead = signed_in(made.lead, fresh=True)
    first = propose(made)
    assert lead.post(f"{path}/{first}/take-back", data={"decline_why": ""}).status_code == 422
    assert lead.post(f"{path}/{first}/take-back", data={"decline_why": "Too wide."}).status_code == 303
    second = accepted(made)
    row = {"row_version": "2", "revoke_why": ""}
    assert lead.post(f"{path}/{second}/revoke", data=row).status_code == 422
    assert lead.post(f"{path}/{second}/revoke", data={**row, "revoke_why": "The site was lost."}).status_code == 303
    assert not ask_gate(made).allow
    assert "Too wide." in text_of(lead.get(at(made, lab=True)))


def test_opening_by_accepting_a_risk_asks_for_the_second_factor(house: House, signed_in: Enter) -> None:
    made = conditional(house)
    risk_id = propose(made)
    stale = signed_in(made.lead, fresh=False)
    answer = stale.post(f"{at(made, lab=True)}/risk/{risk_id}/confirm", data={"digest": risks_of(made)[0].digest})
    assert (answer.status_code, "Enter the 6 digits" in text_of(answer)) == (422, True)
    assert not ask_gate(made).allow


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("show=plan", ["F-1"]),
        ("show=open", ["F-1", "F-2"]),
        ("show=overdue", []),
        ("show=mine", ["F-1", "F-2"]),
        ("show=open&severity=low", []),
        ("show=open&after=2027-01-15~nonsense", ["F-1", "F-2"]),
    ],
)
def test_each_view_of_the_list_shows_its_own(house: House, signed_in: Enter, query: str, names: list[str]) -> None:
    made = conditional(house, keys=(FLAGGED, ALSO))
    plan(made)
    page = signed_in(made.reviewer).get(f"/lab/findings?{query}").get_data(as_text=True)
    assert re.findall(r">(F-\d): ", page) == names
    assert (f"/lab/findings/{finding(made).id}" in page) is bool(names)
