"""Who last changed the scoring policy does not alone approve with it for a week (S5)."""

from __future__ import annotations

import pytest

from portal.kernel.clock import FixedClock
from portal.kernel.errors import GatehouseError
from portal.terms import DecisionState, Role
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.policies import policy_draft, policy_published, scoring_text, sign_policy
from tests.factories.reviews import bench

HIGHER = scoring_text(("approve: 80", "approve: 82"))


def test_neither_who_wrote_it_nor_who_signed_it_approves_alone(house: House, clock: FixedClock) -> None:
    made = bench(house)
    mara = person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")
    draft_id = policy_draft(house, made.second, HIGHER)
    sign_policy(house, made.lead, draft_id)
    assert sign_policy(house, mara, draft_id) == 2
    made.review()

    proposed = made.propose(made.lead)
    assert made.decision(proposed).state is DecisionState.PROPOSED, "who may not sign alone only proposes"
    for who in (made.lead, made.second):
        with pytest.raises(GatehouseError, match="changed the scoring policy less than 7 days ago"):
            made.sign(who, proposed)
    made.sign(made.third, proposed)
    assert made.decision(proposed).state is DecisionState.CONFIRMED


def test_after_a_week_they_do(house: House, clock: FixedClock) -> None:
    made = bench(house)
    mara = person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")
    policy_published(house, HIGHER, by=(made.lead, mara))
    made.review()
    clock.advance(days=7)
    assert made.decision(made.propose(made.lead)).state is DecisionState.CONFIRMED
