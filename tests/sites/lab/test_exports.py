"""OSCAL out of the lab and out of the vendor's own page: what it is about, and nothing of the lab's own in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.policy import Action
from portal.reviews import service as reviews
from portal.wiring import House
from tests.factories.reviews import Bench, bench
from tests.rules.exchange.oscal_shape import check
from tests.sites.conftest import Client

NOTE = "canary-note-7Q4K"
SLUG = "ai-contractor-minimal"


@pytest.fixture
def decided(house: House) -> tuple[Bench, Any]:
    """A review with a shared finding and an internal note, decided with a condition."""
    made = bench(house)
    made.claim()
    with made.at(made.reviewer.actor) as (tx, review):
        reviews.note_internal(tx, review=review, question_key="gov.owner", body=NOTE)
    made.flag("gov.owner", what="The owner left in May.")
    made.accept_rest()
    made.recommend()
    return made, made.propose(made.lead)


def download(client: Client, path: str, **form: str) -> Any:
    answer = client.post(path, data=form)
    assert answer.status_code == 200
    return answer.get_data()


@pytest.mark.parametrize("name", ["catalog", "crosswalk", "profile-tier-3"])
def test_a_version_leaves_as_oscal(decided: tuple[Bench, Any], signed_in: Callable[..., Client], name: str) -> None:
    lab, _ = decided
    client = signed_in(lab.reviewer)
    path = f"/lab/exports/questionnaires/{SLUG}/v1/{name}.json"
    assert f'href="{path}"' in client.get(f"/lab/questionnaires/{SLUG}/v1").get_data(as_text=True)

    answer = client.get(path)

    assert "attachment" in answer.headers["Content-Disposition"]
    check(answer.get_json())
    assert client.get(path).get_data() == answer.get_data()


@pytest.mark.parametrize(
    "path", [f"{SLUG}/v9/catalog.json", "nothing/v1/catalog.json", f"{SLUG}/v1/secrets.json", f"{SLUG}/v0/catalog.json"]
)
def test_what_is_not_published_or_not_a_format_does_not_exist(
    decided: tuple[Bench, Any], signed_in: Callable[..., Client], path: str
) -> None:
    lab, _ = decided
    assert signed_in(lab.reviewer).get(f"/lab/exports/questionnaires/{path}").status_code == 404


def test_the_review_behind_a_decision_leaves_as_oscal_without_internal_notes(
    house: House, decided: tuple[Bench, Any], signed_in: Callable[..., Client]
) -> None:
    lab, decision_id = decided
    client = signed_in(lab.lead)
    assert f"/lab/exports/decisions/{decision_id}" in client.get(f"/lab/decisions/{decision_id}").get_data(as_text=True)

    body = download(client, f"/lab/exports/decisions/{decision_id}")

    assert body == download(client, f"/lab/exports/decisions/{decision_id}")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        documents = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(documents) == {
        "assessment-plan.json",
        "assessment-results.json",
        "plan-of-action-and-milestones.json",
        f"{SLUG}-v1-catalog.json",
    }
    for text in documents.values():
        check(json.loads(text))
        assert NOTE not in text
    result = json.loads(documents["assessment-results.json"])["assessment-results"]["results"][0]
    states = {each["target"]["target-id"]: each["target"]["status"]["state"] for each in result["findings"]}
    assert states["gov.owner_smt"] == "not-satisfied"
    assert "satisfied" in states.values()
    assert "The owner left in May." in documents["plan-of-action-and-milestones.json"]
    with house.ledger.begin(system("test")) as tx:
        told = tx.session.execute(sa.text("SELECT payload FROM audit_event WHERE fact = 'answers_exported'")).scalars()
        assert {json.loads(each)["what"] for each in told} == {"OSCAL assessment results"}


def test_the_vendor_takes_what_it_signed_and_nothing_of_the_labs(
    decided: tuple[Bench, Any], signed_in: Callable[..., Client]
) -> None:
    lab, _ = decided
    client = signed_in(lab.desk.admin)
    page = client.get(f"/exchange/pack/{lab.desk.assessment_id}").get_data(as_text=True)
    assert "Download revision 1 as OSCAL" in page

    body = download(client, f"/exchange/oscal/{lab.desk.assessment_id}", revision="1").decode()

    check(json.loads(body))
    for hidden in (NOTE, "The owner left in May.", lab.reviewer.full_name, lab.lead.full_name):
        assert hidden not in body
    component = json.loads(body)["component-definition"]["components"][0]
    asked = [each["control-id"] for each in component["control-implementations"][0]["implemented-requirements"]]
    assert "gov.owner" in asked
    assert re.search(r'"attestation-digest","ns":"[^"]+","value":"[0-9a-f]{64}"', body)


@pytest.mark.parametrize("revision", ["2", "0", "", "x", "999999999"])
def test_what_was_not_signed_cannot_be_taken(
    decided: tuple[Bench, Any], signed_in: Callable[..., Client], revision: str
) -> None:
    lab, _ = decided
    answer = signed_in(lab.desk.admin).post(f"/exchange/oscal/{lab.desk.assessment_id}", data={"revision": revision})
    assert answer.status_code == 404


def test_an_outcome_is_not_named_before_it_is_decided_and_nothing_leaves_of_what_was_taken_back(
    house: House, signed_in: Callable[..., Client]
) -> None:
    lab = bench(house, tier=1)
    lab.review()
    decision_id = lab.propose(lab.lead)
    path = f"/lab/exports/decisions/{decision_id}"
    with zipfile.ZipFile(io.BytesIO(download(signed_in(lab.lead), path))) as archive:
        text = archive.read("assessment-results.json").decode()
    assert '"outcome"' not in text

    with house.ledger.begin(lab.lead.fresh) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, decision_id, Action.REVIEW_READ))
    answer = signed_in(lab.lead).post(path)
    assert answer.status_code == 409
    assert "taken back" in answer.get_data(as_text=True)
