"""The lab's vendor pages: who may open them, what they show, what they refuse."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.assessments import service as assessments
from portal.identity import queries as people
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.terms import AssessmentState, Role
from portal.vendors import queries
from portal.vendors import service as vendors
from portal.wiring import House
from tests.factories.assessments import make_assessment, make_questionnaire
from tests.factories.identity import person
from tests.factories.vendors import make_engagement, make_vendor
from tests.sites.conftest import Client

SYSTEM = system("test")
ENGAGEMENT = {
    "project": "Lark preferences",
    "purpose": "Rankings",
    "services": ["preference", "eval"],
    "data_classes": ["D4"],
    "access_modes": ["A2"],
    "people": "250",
    "workforce": ["crowd"],
    "devices": ["yours"],
    "starts_on": "2026-12-01",
    "ends_on": "",
    "row_version": "1",
}


@pytest.fixture
def lab(house: House, signed_in: Callable[..., Client]) -> Client:
    """A lead's browser."""
    return signed_in(person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi"))


@pytest.fixture
def quillmark(house: House) -> None:
    """A vendor with one engagement, asked once."""
    with house.ledger.begin(SYSTEM) as tx:
        vendor = make_vendor(tx, "Quillmark Annotation")
        make_questionnaire(tx, "ai-contractor")
        make_assessment(tx, vendor=vendor, engagement=make_engagement(tx, vendor))


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def version_in(answer: Any) -> str:
    found = re.search(r'name="row_version"[^>]*value="(\d+)"', answer.get_data(as_text=True))
    assert found
    return found[1]


def engagement_of(house: House, slug: str = "quillmark-annotation") -> Any:
    with house.ledger.begin(SYSTEM) as tx:
        return queries.engagements_of(tx, vendors.by_slug(tx, slug, Action.VENDOR_READ).id)[0]


def assessment_of(house: House, slug: str = "quillmark-annotation") -> Any:
    with house.ledger.begin(SYSTEM) as tx:
        return assessments.current_of(tx, vendors.by_slug(tx, slug, Action.VENDOR_READ).id)


def test_the_list_shows_what_matters_of_each_vendor(lab: Client, quillmark: None) -> None:
    said = text(lab.get("/lab/vendors"))

    assert "1 vendor" in said
    assert "Quillmark Annotation" in said
    assert "Tier 2" in said
    assert "Deny" in said
    assert "Not started" in said


def test_the_search_lives_in_the_address(lab: Client, quillmark: None) -> None:
    assert "Quillmark Annotation" in text(lab.get("/lab/vendors?q=quill&tier=2"))
    nothing = text(lab.get("/lab/vendors?q=northpier"))
    assert "No vendor fits" in nothing
    assert "“northpier”" in nothing
    assert "No vendor fits" in text(lab.get("/lab/vendors?tier=1"))


@pytest.mark.parametrize("query", ["q=%25&after=%2F", "tier=9&after=UPPER", "q=" + "x" * 500, "q=%F0%28"])
def test_a_strange_search_is_answered(lab: Client, quillmark: None, query: str) -> None:
    assert lab.get(f"/lab/vendors?{query}").status_code == 200


def test_an_empty_list_says_what_to_do(lab: Client) -> None:
    said = text(lab.get("/lab/vendors"))

    assert "No vendor yet" in said
    assert "Add a vendor" in said


def test_a_vendor_is_added_and_told_what_is_still_missing(lab: Client) -> None:
    answer = lab.post(
        "/lab/vendors/new",
        data={"name": "Northpier Labelling", "mail_domains": "northpier.example\nnorthpier-labs.example"},
        follow_redirects=True,
    )

    assert answer.request.path == "/lab/vendors/northpier-labelling"
    said = text(answer)
    assert "Northpier Labelling is on the list" in said
    assert "Engage it for a project" in said
    assert "northpier-labs.example" in said


def test_a_refused_field_says_what_and_how_and_keeps_what_was_typed(lab: Client) -> None:
    answer = lab.post("/lab/vendors/new", data={"name": "", "mail_domains": "not a domain", "legal_name": "Kept Ltd"})

    assert answer.status_code == 422
    body = answer.get_data(as_text=True)
    assert "<title>Error: Add a vendor" in body
    assert body.count("Enter the vendor&#39;s name") == 2, "in the summary and at the field"
    assert "“not a domain” is not a mail domain" in body
    assert 'value="Kept Ltd"' in body


def test_engaging_says_the_risk_and_the_tier_that_follow(house: House, lab: Client) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        make_vendor(tx, "Quillmark Annotation")

    answer = lab.post("/lab/vendors/quillmark-annotation/engagements/new", data=ENGAGEMENT, follow_redirects=True)

    said = text(answer)
    assert "Lark preferences is saved. Inherent risk 12 of 25 (high), tier 2." in said
    assert "Restricted" in said
    assert engagement_of(house).data_classes == [4]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"services": []}, "Choose at least one service"),
        ({"data_classes": ["D9"]}, "Choose one of the options shown"),
        ({"people": "lots"}, "Enter a whole number"),
        ({"people": "9" * 5_000}, "Enter a whole number"),
        ({"starts_on": "soon"}, "Enter a date"),
        ({"ends_on": "2026-11-30"}, "The end must not be before the start"),
    ],
)
def test_a_bad_engagement_is_refused_in_words(house: House, lab: Client, change: dict[str, Any], words: str) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        make_vendor(tx, "Quillmark Annotation")

    answer = lab.post("/lab/vendors/quillmark-annotation/engagements/new", data={**ENGAGEMENT, **change})

    assert answer.status_code == 422
    assert words in text(answer)


def test_a_change_is_shown_before_and_saved_after(house: House, lab: Client, quillmark: None) -> None:
    address = "/lab/vendors/quillmark-annotation/engagements/lark-preferences"
    form = lab.get(address)
    assert 'value="Lark preferences"' in form.get_data(as_text=True)

    lab.post(address, data={**ENGAGEMENT, "data_classes": ["D5"], "row_version": version_in(form)})

    assert engagement_of(house).tier == 1


def test_a_late_change_shows_what_stands_now_and_keeps_what_was_typed(
    house: House, lab: Client, quillmark: None
) -> None:
    address = "/lab/vendors/quillmark-annotation/engagements/lark-preferences"
    lab.post(address, data={**ENGAGEMENT, "people": "300"})

    late = lab.post(address, data={**ENGAGEMENT, "people": "400"})

    assert late.status_code == 409
    said = text(late)
    assert "Somebody changed Lark preferences since you opened it" in said
    assert "People with access at the busiest time now 300" in said
    assert 'value="400"' in late.get_data(as_text=True)
    lab.post(address, data={**ENGAGEMENT, "people": "400", "row_version": version_in(late)})
    assert engagement_of(house).people == 400


def test_the_tier_is_raised_with_a_reason_and_never_lowered(house: House, lab: Client, quillmark: None) -> None:
    address = "/lab/vendors/quillmark-annotation/engagements/lark-preferences/tier"
    assert "Tier 2" not in re.findall(r"<label>.*?</label>", lab.get(address).get_data(as_text=True))

    for bad in ({"tier": "3", "reason": "Cheaper"}, {"tier": "", "reason": ""}, {"tier": "x", "reason": "?"}):
        assert lab.post(address, data={**bad, "row_version": "1"}).status_code == 422
    assert engagement_of(house).tier == 2

    said = text(
        lab.post(address, data={"tier": "1", "reason": "Sole vendor for it", "row_version": "1"}, follow_redirects=True)
    )
    assert "Lark preferences is in tier 1 now." in said
    assert "raised from 2: Sole vendor for it" in said


@pytest.mark.parametrize(("data_classes", "title"), [([3], "AI training contractor"), ([1], "minimal")])
def test_the_usual_questionnaire_follows_from_the_tier(
    house: House, lab: Client, data_classes: list[int], title: str
) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        minimal = make_questionnaire(tx)
        full = make_questionnaire(tx, "ai-contractor")
        make_engagement(tx, make_vendor(tx, "Quillmark Annotation"), data_classes=data_classes)

    page = lab.get("/lab/vendors/quillmark-annotation/assessments/new").get_data(as_text=True)

    usual = minimal if title == "minimal" else full
    assert f'<option value="{usual.id}" selected>' in page
    assert 'value="2026-12-22"' in page


def test_an_assessment_is_requested_once(house: House, lab: Client) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        version = make_questionnaire(tx)
        make_engagement(tx, make_vendor(tx, "Quillmark Annotation"))
    data = {"questionnaire": str(version.id), "due_on": "2026-12-18", "row_version": "1"}
    address = "/lab/vendors/quillmark-annotation/assessments/new?engagement=lark-preferences"

    first = lab.post(address, data=data, follow_redirects=True)
    again = lab.post(address, data=data)

    assert "Quillmark Annotation is asked" in text(first)
    assert again.status_code == 409
    assert "is asked this already for Lark preferences" in text(again)
    assert assessment_of(house).due_on.isoformat() == "2026-12-18"


@pytest.mark.parametrize(
    "change", [{"due_on": "2020-01-01"}, {"due_on": ""}, {"questionnaire": "nothing"}, {"due_on": "9999-12-31"}]
)
def test_a_request_that_makes_no_sense_is_refused(house: House, lab: Client, change: dict[str, str]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        version = make_questionnaire(tx)
        make_engagement(tx, make_vendor(tx, "Quillmark Annotation"))

    data = {"questionnaire": str(version.id), "due_on": "2026-12-18", "row_version": "1", **change}
    assert lab.post("/lab/vendors/quillmark-annotation/assessments/new", data=data).status_code == 422


def test_with_several_engagements_one_is_chosen_first(house: House, lab: Client, quillmark: None) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        make_engagement(tx, vendors.by_slug(tx, "quillmark-annotation", Action.VENDOR_READ), project="Red team")

    said = text(lab.get("/lab/vendors/quillmark-annotation/assessments/new"))

    assert "Which one?" in said
    assert "Red team" in said
    assert lab.get("/lab/vendors/quillmark-annotation/assessments/new?engagement=none").status_code == 404


def test_an_assessment_is_cancelled_with_a_reason(house: House, lab: Client, quillmark: None) -> None:
    address = f"/lab/vendors/quillmark-annotation/assessments/{assessment_of(house).id}/cancel"

    assert lab.post(address, data={"reason": "", "row_version": "1"}).status_code == 422
    said = text(lab.post(address, data={"reason": "Wrong version", "row_version": "1"}, follow_redirects=True))
    assert "is cancelled. The vendor is told why." in said
    assert "Wrong version" in said
    assert assessment_of(house).state is AssessmentState.CANCELLED
    late = lab.post(address, data={"reason": "Wrong version", "row_version": "2"})
    assert late.status_code == 409
    assert "This assessment is cancelled. Nothing was changed." in text(late)


def test_a_person_of_the_vendor_is_invited_and_the_mail_can_be_sent_again(
    house: House, lab: Client, quillmark: None, clock: FixedClock
) -> None:
    address = "/lab/vendors/quillmark-annotation/people"
    wrong = lab.post(address, data={"full_name": "Marisol Dufour", "email": "m@elsewhere.example", "roles": []})
    assert wrong.status_code == 422
    assert "The address must end in @quillmark.example" in text(wrong)

    invited = lab.post(
        address,
        data={"full_name": "Marisol Dufour", "email": "m@quillmark.example", "roles": ["vendor_admin"]},
        follow_redirects=True,
    )
    assert "Marisol Dufour is invited" in text(invited)
    assert "Vendor admin" in text(invited)
    resend = re.search(r'action="([^"]+/resend)"', invited.get_data(as_text=True))
    assert resend
    assert "No vendor admin can sign in." in text(invited)
    assert "Queued" in text(invited)
    assert "less than a minute ago" in text(lab.post(resend[1], follow_redirects=True))
    clock.advance(minutes=2)
    assert "A new link is on its way to Marisol Dufour" in text(lab.post(resend[1], follow_redirects=True))

    withdrawn = lab.post(resend[1].replace("/resend", "/withdraw"), follow_redirects=True)
    assert "The invitation of Marisol Dufour is withdrawn" in text(withdrawn)
    assert lab.post(resend[1]).status_code == 409


def test_an_invitation_of_another_vendor_is_not_found_here(house: House, lab: Client, quillmark: None) -> None:
    lab.post(
        "/lab/vendors/quillmark-annotation/people",
        data={"full_name": "Marisol Dufour", "email": "m@quillmark.example", "roles": ["vendor_admin"]},
    )
    with house.ledger.begin(SYSTEM) as tx:
        make_vendor(tx, "Northpier")
        quill = vendors.by_slug(tx, "quillmark-annotation", Action.VENDOR_READ)
        invitation = people.invitations_of(tx, quill.id)[0]

    assert lab.post(f"/lab/vendors/northpier/people/{invitation.id}/resend").status_code == 404


PAGES = (
    "/lab/vendors",
    "/lab/vendors/new",
    "/lab/vendors/quillmark-annotation",
    "/lab/vendors/quillmark-annotation/engagements/new",
    "/lab/vendors/quillmark-annotation/engagements/lark-preferences",
    "/lab/vendors/quillmark-annotation/engagements/lark-preferences/tier",
    "/lab/vendors/quillmark-annotation/assessments/new",
    "/lab/vendors/quillmark-annotation/people",
    "/lab/questionnaires",
    "/lab/questionnaires/ai-contractor/v1",
)


@pytest.mark.parametrize("address", PAGES)
def test_each_page_opens_for_the_lab_and_does_not_exist_for_a_vendor(
    house: House, lab: Client, signed_in: Callable[..., Client], quillmark: None, address: str
) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        vendor = vendors.by_slug(tx, "quillmark-annotation", Action.VENDOR_READ)
    theirs = signed_in(person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor))

    assert lab.get(address).status_code == 200
    assert theirs.get(address).status_code == 404


def test_an_auditor_reads_and_changes_nothing(house: House, signed_in: Callable[..., Client], quillmark: None) -> None:
    auditor = signed_in(person(house, roles=[Role.AUDITOR]))

    page = auditor.get("/lab/vendors/quillmark-annotation")
    assert page.status_code == 200
    for word in ("/assessments/new", "Raise tier", "Invite a person", ">Change<"):
        assert word not in page.get_data(as_text=True)
    assert auditor.get("/lab/vendors/new").status_code == 403
    assert auditor.post("/lab/vendors/quillmark-annotation/people", data={}).status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/lab/vendors/nobody",
        "/lab/vendors/%00",
        "/lab/vendors/Über",
        "/lab/questionnaires/%00/v1",
        "/lab/questionnaires/ai-contractor/v99999999999999999999",
        "/lab/vendors/quillmark-annotation/engagements/x",
    ],
)
def test_what_is_not_there_is_not_found(lab: Client, quillmark: None, address: str) -> None:
    assert lab.get(address).status_code == 404


def test_the_questionnaires_are_listed_and_one_is_read(lab: Client, quillmark: None) -> None:
    listed = text(lab.get("/lab/questionnaires"))
    assert "425d224ad373" in listed
    assert " 131 " in listed

    read = text(lab.get("/lab/questionnaires/ai-contractor/v1"))
    assert "16 sections, 131 questions" in read
    assert "A named executive owns security" in read
    assert "Asked when dev" in read


def test_what_a_vendor_is_called_never_becomes_markup(house: House, lab: Client) -> None:
    planted = "<img src=x onerror=alert(1)>"
    with house.ledger.begin(SYSTEM) as tx:
        vendor = vendors.add(tx, name=planted, slug="planted")
        make_engagement(tx, vendor, project=planted, purpose=planted)

    for address in ("/lab/vendors", "/lab/vendors/planted"):
        assert planted not in lab.get(address).get_data(as_text=True)
