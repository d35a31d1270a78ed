"""WF-01: what is decided stays decided. Of two at once, test_races_rounds.py tells round after round."""

from __future__ import annotations

import pytest

from portal.kernel.errors import Conflict
from portal.policy import Action
from portal.reviews import service as reviews
from portal.terms import Verdict
from portal.wiring import House
from tests.factories.reviews import bench


def test_wf_01_what_is_decided_is_not_reviewed_or_decided_again(house: House) -> None:
    b = bench(house)
    b.review()
    decided = b.propose(b.lead)
    with b.at(b.reviewer.actor) as (_, review):
        version = review.row_version

    for act in (
        lambda: b.propose(b.second),
        lambda: b.sign(b.second, decided),
        lambda: b.claim(b.reviewer),
        lambda: b.recommend(),
        lambda: b.judge("gov.owner", Verdict.ACCEPT),
    ):
        with pytest.raises(Conflict):
            act()
    with pytest.raises(Conflict), b.at(b.lead.actor) as (tx, review):
        reviews.return_to_review(tx, review=review, reason="Again", row_version=version)
    with pytest.raises(Conflict), house.ledger.begin(b.lead.actor) as tx:
        reviews.withdraw_decision(tx, decision=reviews.get_decision(tx, decided, Action.REVIEW_READ))
