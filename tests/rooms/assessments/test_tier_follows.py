"""What a vendor states of its people and devices raises the tier, and never lowers it."""

from __future__ import annotations

from portal.assessments import service as assessments
from portal.kernel.actor import system
from portal.policy import Action
from portal.vendors.models import Engagement
from portal.wiring import House
from tests.factories.attestations import Desk, desk


def state(made: Desk, key: str, raw: dict[str, object], version: int = 0) -> None:
    with made.at(made.admin.actor) as (tx, row):
        assessments.state_fact(tx, assessment=row, key=key, value=raw, version=version)


def standing(house: House, made: Desk) -> tuple[int, int, int]:
    with house.ledger.begin(system("test")) as tx:
        engagement = tx.session.get_one(Engagement, made.engagement_id)
        assessment = assessments.get(tx, made.assessment_id, Action.ASSESSMENT_READ)
        return engagement.inherent_risk, engagement.tier, assessment.tier


def made_of(house: House) -> Desk:
    return desk(house, slug="ai-contractor", data_classes=[4], access_modes=["A2"], workforce=["employees"])


def test_a_stated_crowd_raises_the_risk(house: House) -> None:
    made = made_of(house)
    assert standing(house, made) == (8, 2, 2)
    state(made, "scp.workforce", {"choices": ["employees", "crowd"]})
    assert standing(house, made) == (12, 2, 2)


def test_a_raised_tier_asks_the_stricter_questions_in_the_same_moment(house: House) -> None:
    made = desk(house, slug="ai-contractor", data_classes=[3], access_modes=["A3"], workforce=["employees"])
    assert standing(house, made) == (12, 2, 2)
    before = len(made.visible())
    state(made, "scp.devices", {"choices": ["own"]})
    assert standing(house, made) == (15, 1, 1)
    assert len(made.visible()) > before


def test_what_is_taken_back_later_lowers_nothing(house: House) -> None:
    made = desk(house, slug="ai-contractor", data_classes=[3], access_modes=["A3"], workforce=["employees"])
    state(made, "scp.people", {"number": "5000"})
    state(made, "scp.people", {"number": "5"}, version=1)
    assert standing(house, made) == (15, 1, 1)


def test_the_same_statement_again_changes_nothing(house: House) -> None:
    made = made_of(house)
    state(made, "scp.workforce", {"choices": ["employees"]})
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.get_one(Engagement, made.engagement_id).row_version == 1
