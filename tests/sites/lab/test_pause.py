"""Stopping a vendor with one person, letting it in again with two."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.signing import make_file
from portal.terms import ClearanceAct, Role, Scope
from portal.wiring import House
from tests.factories.identity import Person, code_of, person
from tests.factories.vendors import make_engagement, make_vendor


@dataclass(frozen=True, slots=True)
class Scene:
    """A cleared vendor, the lab's people, and a machine that asks the gate."""

    slug: str
    reviewer: Person
    lead: Person
    second: Person
    admin: Person
    auditor: Person
    token: str


@pytest.fixture
def scene(house: House) -> Scene:
    make_file(house.signing_keys, now=house.instant())
    with house.ledger.begin(system("test")) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor)
        gate.clear(
            tx,
            engagement=engagement,
            act=ClearanceAct.APPROVE,
            tier=engagement.tier,
            decision_id=None,
            conditions=[],
            valid_until=date(2027, 6, 30),
            reason="",
        )
        slug = vendor.slug
    admin = person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")
    with house.ledger.begin(admin.fresh) as tx:
        _, token = identity.create_client(
            tx,
            name="Data platform",
            scopes=[Scope.GATE_READ],
            vendor_ids=None,
            expires_at=tx.now + timedelta(days=90),
        )
    return Scene(
        slug=slug,
        reviewer=person(house, roles=[Role.REVIEWER], name="Ines Valdarno"),
        lead=person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi"),
        second=person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold"),
        admin=admin,
        auditor=person(house, roles=[Role.AUDITOR], name="Ana Lindqvist"),
        token=token,
    )


def ask(app: Any, scene: Scene) -> dict[str, Any]:
    answer = app.test_client().get(
        f"/api/v1/gate?vendor={scene.slug}&data_class=D3&access_mode=A2&purpose=labels",
        headers={"Authorization": f"Bearer {scene.token}"},
    )
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return dict(answer.get_json())


def version_in(text: str) -> str:
    found = re.search(r'name="row_version" value="(\d+)"', text)
    assert found, "the page has no row version"
    return found[1]


def test_one_person_pauses_and_the_gate_denies_at_once(app: Any, scene: Scene, signed_in: Callable[..., Any]) -> None:
    assert ask(app, scene)["decision"] == "allow"

    answer = signed_in(scene.reviewer, fresh=True).post(
        f"/lab/vendors/{scene.slug}/pause", data={"reason": "A breach was reported at 08:40"}
    )

    assert answer.status_code == 303
    told = ask(app, scene)
    assert (told["decision"], told["reasons"]) == ("deny", ["paused"])


def test_one_alone_cannot_end_a_pause_two_can_and_the_sequence_rises(
    app: Any, scene: Scene, signed_in: Callable[..., Any]
) -> None:
    base = f"/lab/vendors/{scene.slug}"
    hana, theo = signed_in(scene.lead, fresh=True), signed_in(scene.second, fresh=True)
    before = ask(app, scene)["sequence"]
    hana.post(f"{base}/pause", data={"reason": "A breach was reported"})
    page = hana.get(f"{base}/resume").get_data(as_text=True)
    asked = hana.post(f"{base}/resume", data={"plan": "Keys rotated", "row_version": version_in(page)})
    assert asked.status_code == 303

    own = hana.get(f"{base}/resume").get_data(as_text=True)
    assert "You asked, so you cannot confirm." in own
    assert "Theo Brandvold" in own
    alone = hana.post(f"{base}/resume/confirm", data={"row_version": "2"})
    assert alone.status_code == 403
    assert "A second person confirms it." in alone.get_data(as_text=True)
    assert ask(app, scene)["decision"] == "deny"

    plan = theo.get(f"{base}/resume").get_data(as_text=True)
    assert "Keys rotated" in plan
    assert theo.post(f"{base}/resume/confirm", data={"row_version": version_in(plan)}).status_code == 303

    after = ask(app, scene)
    assert after["decision"] == "allow"
    assert after["sequence"] == before + 2


def test_before_pausing_the_page_says_what_changes(scene: Scene, signed_in: Callable[..., Any]) -> None:
    text = signed_in(scene.reviewer).get(f"/lab/vendors/{scene.slug}/pause").get_data(as_text=True)

    assert "What changes" in text
    assert "Confidential" in text
    assert "Works inside our environment" in text
    assert "Code from your authenticator app" in text


def test_without_a_fresh_factor_a_code_is_asked_for_and_the_reason_is_kept(
    house: House, scene: Scene, signed_in: Callable[..., Any]
) -> None:
    client = signed_in(scene.reviewer)
    path = f"/lab/vendors/{scene.slug}/pause"

    refused = client.post(path, data={"reason": "Breach at 08:40"})

    text = refused.get_data(as_text=True)
    assert refused.status_code == 422
    assert "Enter the 6 digits from your authenticator app" in text
    assert "Breach at 08:40" in text
    assert "<title>Error: " in text
    done = client.post(path, data={"reason": "Breach at 08:40", "code": code_of(house, scene.reviewer)})
    assert done.status_code == 303


def test_a_pause_needs_a_reason(scene: Scene, signed_in: Callable[..., Any]) -> None:
    answer = signed_in(scene.reviewer, fresh=True).post(f"/lab/vendors/{scene.slug}/pause", data={"reason": " "})

    assert answer.status_code == 422
    assert "Enter why you pause" in answer.get_data(as_text=True)


def test_who_pauses_second_is_told_that_it_is_paused(scene: Scene, signed_in: Callable[..., Any]) -> None:
    path = f"/lab/vendors/{scene.slug}/pause"
    signed_in(scene.reviewer, fresh=True).post(path, data={"reason": "First"})

    answer = signed_in(scene.lead, fresh=True).post(path, data={"reason": "Second"})

    assert answer.status_code == 409
    assert "Somebody else paused it while this page was open." in answer.get_data(as_text=True)


def test_a_plan_is_read_as_it_stands_not_as_it_was(scene: Scene, signed_in: Callable[..., Any]) -> None:
    base = f"/lab/vendors/{scene.slug}"
    hana = signed_in(scene.lead, fresh=True)
    hana.post(f"{base}/pause", data={"reason": "A breach was reported"})

    late = hana.post(f"{base}/resume", data={"plan": "Keys rotated", "row_version": "99"})

    assert late.status_code == 409
    assert "Keys rotated" in late.get_data(as_text=True)


@pytest.mark.parametrize(("who", "status"), [("reviewer", 200), ("lead", 200), ("admin", 200), ("auditor", 403)])
def test_who_may_open_the_pause_page(scene: Scene, signed_in: Callable[..., Any], who: str, status: int) -> None:
    assert signed_in(getattr(scene, who)).get(f"/lab/vendors/{scene.slug}/pause").status_code == status


@pytest.mark.parametrize("who", ["reviewer", "admin", "auditor"])
def test_only_a_lead_ends_a_pause(scene: Scene, signed_in: Callable[..., Any], who: str) -> None:
    base = f"/lab/vendors/{scene.slug}"
    signed_in(scene.lead, fresh=True).post(f"{base}/pause", data={"reason": "A breach was reported"})
    client = signed_in(getattr(scene, who), fresh=True)

    assert client.get(f"{base}/resume").status_code == 200
    assert client.post(f"{base}/resume", data={"plan": "x", "row_version": "1"}).status_code == 403
    assert client.post(f"{base}/resume/confirm", data={"row_version": "1"}).status_code == 403


def test_to_a_vendors_person_the_pages_do_not_exist(
    house: House, scene: Scene, signed_in: Callable[..., Any], clock: FixedClock
) -> None:
    del clock
    with house.ledger.begin(system("test")) as tx:
        other = make_vendor(tx, "Brightfen Data")
        vendor_id = other.id
    priya = person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor_id, name="Priya Raghunath")

    assert signed_in(priya).get(f"/lab/vendors/{scene.slug}/pause").status_code == 404
    assert signed_in(priya, fresh=True).post(f"/lab/vendors/{scene.slug}/pause", data={}).status_code == 404


def test_an_unknown_vendor_is_not_found(scene: Scene, signed_in: Callable[..., Any]) -> None:
    assert signed_in(scene.lead).get("/lab/vendors/nobody/pause").status_code == 404
    assert signed_in(scene.lead).get("/lab/vendors/nobody/resume").status_code == 404
