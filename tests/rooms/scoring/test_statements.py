"""A statement by an officer counts for the version of the answer that it was signed with, and for no other."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from portal.evidence.rules import NEVER
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.scoring import queries
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.lapsing import add
from tests.factories.reviews import TIERS

UNTIL = date(2027, 10, 1)


def test_a_statement_ends_with_the_answer_that_it_was_made_for(house: House, clock: FixedClock) -> None:
    made = desk(house, slug="ai-contractor-minimal", **TIERS[2])
    made.complete()
    changed, kept = "inf.logs.months", "iam.mfa.workforce"
    file = add(house, made, "ATT", {}, UNTIL, verified=True)
    for key in (changed, kept):
        made.cite(key, file)

    def ends(signed: UUID) -> dict[str, tuple[date | None, bool]]:
        with house.ledger.begin(system("test")) as tx:
            papers = queries.papers(tx, signed)
            return {each.question_key: (each.valid_until, each.outdated) for each in papers if each.kind == "ATT"}

    assert ends(made.sign()) == {changed: (UNTIL, False), kept: (UNTIL, False)}

    clock.advance(days=1)
    made.send_back(changed)
    made.save(changed, {"number": "12"})
    made.reply(changed)
    assert ends(made.sign()) == {changed: (NEVER, True), kept: (UNTIL, False)}
