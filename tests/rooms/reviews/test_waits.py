"""How long the lab usually takes is published down with the decision that makes it known."""

from __future__ import annotations

from typing import Any

import pytest

from portal.assessments import waits
from portal.reviews.rules import waits as rules
from portal.terms import DecisionState
from portal.wiring import House
from tests.factories.reviews import Bench, bench


def test_the_decision_that_makes_it_known_publishes_the_usual_wait(
    house: House, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ENOUGH", 2)
    first, second = bench(house), bench(house, name="Northpier Labelling")
    for name in ("reviewer", "lead", "second"):
        setattr(second, name, getattr(first, name))

    # Signed on Tuesday 24 November 2026, begun on Wednesday, decided on Friday.
    decided(first, clock, 1, 2)
    assert published(house, first) is None, "one decision says nothing, two do here"
    # The other waited for a reviewer until Monday, and for its decision until Wednesday.
    decided(second, clock, 3, 2)

    found = published(house, first)
    assert found is not None
    assert (found.cases, found.begun, found.decided, found.most) == (2, 1, 3, 6)
    assert published(house, second) == found, "every vendor reads the same"


def decided(made: Bench, clock: Any, before: int, after: int) -> None:
    """Let days pass, review, let days pass, decide."""
    clock.advance(days=before)
    made.review()
    clock.advance(days=after)
    decision_id = made.propose(made.lead)
    if made.decision(decision_id).state is DecisionState.PROPOSED:
        made.sign(made.second, decision_id)


def published(house: House, made: Bench) -> waits.WaitLine | None:
    """Return what the vendor's people read."""
    with house.ledger.begin(made.desk.respondent.actor) as tx:
        return waits.usual_wait(tx)
