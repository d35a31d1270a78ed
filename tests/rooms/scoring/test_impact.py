"""What publishing would do: the same numbers as the renewal that follows, and exact scores."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.foreseen import foreseen
from portal.attestations.models import Attestation
from portal.kernel.actor import system
from portal.questionnaires import queries
from portal.questionnaires.rules import Questionnaire, compile_yaml
from portal.scoring.forecast import Forecast
from portal.scoring.impact import Impact, impact_of
from portal.wiring import House
from tests.factories import renewing
from tests.factories.attestations import Desk
from tests.factories.vendors import make_vendor

SYSTEM = system("test")


@pytest.fixture
def signed(house: House) -> tuple[Desk, UUID]:
    """A vendor that signed version 1."""
    return renewing.signed_first(house)


def version_2(text: bytes | None = None) -> Questionnaire:
    return compile_yaml(text or renewing.text(2), "v2")


def impact(house: House, questionnaire: Questionnaire) -> Impact:
    with house.ledger.begin(SYSTEM) as tx:
        previous = queries.newest(tx, "small-renewal")
        assert previous
        return impact_of(tx, questionnaire, previous)


def test_the_preview_says_what_the_renewal_then_asks(house: House, signed: tuple[Desk, UUID]) -> None:
    (before,) = impact(house, version_2()).vendors

    renewal = renewing.ask_again(signed[0], signed[1])
    plan = renewal.plan()

    assert (before.carries, before.again, before.new, before.archived) == (
        plan.to_confirm,
        plan.re_attest,
        plan.new,
        plan.archived,
    )
    assert (before.carries, before.again, before.new, before.archived) == (
        renewing.TO_CONFIRM,
        renewing.RE_ATTEST,
        renewing.NEW,
        renewing.ARCHIVED,
    )


def test_all_at_once_is_what_each_by_itself_is(house: House, signed: tuple[Desk, UUID]) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        attestation = tx.session.execute(sa.select(Attestation)).scalar_one()
        alone = attestations.plan_for(tx, attestation=attestation, questionnaire=version_2())
        desk = signed[0]
        together = foreseen(tx, engagement_ids=[desk.engagement_id], questionnaire=version_2())
    assert together[desk.engagement_id].plan == alone


def test_the_totals_are_the_sums_of_the_rows(house: House, signed: tuple[Desk, UUID]) -> None:
    found = impact(house, version_2())
    assert (found.carries, found.again, found.new, found.archived, found.firms, found.span) == (
        4,
        2,
        2,
        1,
        1,
        (4, 4, 4),
    )
    assert found.questions_again == renewing.RE_ATTEST


def test_scores_run_from_all_blank_to_all_proven(house: House, signed: tuple[Desk, UUID]) -> None:
    (row,) = impact(house, version_2()).vendors

    # By hand, tier 2, evidence of level 2: without or with ended proof 0.5, attached 0.75, verified 1.
    # Access: second factor 75, reviews 50, guests 25 (half a yes, ended proof), two open; data: region 50, two open.
    low = (Fraction(75 + 0 + 50 + 25 + 0, 5) + Fraction(0 + 50 + 0, 3)) / 2
    high = (Fraction(75 + 100 + 50 + 25 + 100, 5) + Fraction(100 + 50 + 100, 3)) / 2
    now = (Fraction(75 + 50 + 50 + 25, 4) + Fraction(50 + 50 + 50, 3)) / 2
    assert row.scores == Forecast(now=now, low=low, high=high, kept=Fraction(50), ruled=Fraction(50))


def test_the_same_weights_change_nothing_by_themselves(house: House, signed: tuple[Desk, UUID]) -> None:
    found = impact(house, version_2())
    assert [each.by_rules for each in found.vendors] == [0]
    assert found.reweighed == ()


def test_a_credit_alone_changes_what_the_carried_answers_come_to(house: House, signed: tuple[Desk, UUID]) -> None:
    text = renewing.text(2).replace(b'"Every quarter", credit: 100', b'"Every quarter", credit: 90')

    (row,) = impact(house, version_2(text)).reweighed

    # One of the three carried answers of its section earns 45 instead of 50; the two sections weigh the same.
    assert row.by_rules == Fraction(-5, 3) / 2


def test_it_takes_as_many_statements_for_many_vendors_as_for_one(
    house: House, signed: tuple[Desk, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = version_2()

    def statements() -> int:
        count = 0

        def seen(*_: object) -> None:
            nonlocal count
            count += 1

        with house.ledger.begin(SYSTEM) as tx:
            previous = queries.newest(tx, "small-renewal")
            assert previous
            sa.event.listen(house.engine, "before_cursor_execute", seen)
            try:
                impact_of(tx, asked, previous)
            finally:
                sa.event.remove(house.engine, "before_cursor_execute", seen)
        return count

    statements()
    one = statements()
    monkeypatch.setattr(renewing, "make_vendor", lambda tx: make_vendor(tx, "Tessellate Labels"))
    second = renewing.small_desk(house)
    second.settle_scoping()
    renewing.answer_first(second)
    second.sign()

    assert len(impact(house, asked).vendors) == 2
    assert statements() == one


def test_what_was_withdrawn_counts_for_nothing(house: House) -> None:
    desk = renewing.small_desk(house)
    desk.settle_scoping()
    renewing.answer_first(desk)
    desk.sign()
    assert len(impact(house, version_2()).vendors) == 1

    with desk.at(desk.signatory.actor) as (tx, row):
        assessments.withdraw(tx, assessment=row, reason="Signed by mistake")

    assert impact(house, version_2()).vendors == ()


def test_nobody_signed_is_nobody_asked(house: House) -> None:
    desk = renewing.small_desk(house)
    assert desk
    assert impact(house, version_2()).vendors == ()


def test_a_draft_that_cannot_be_scored_yet_still_says_who_is_asked(house: House, signed: tuple[Desk, UUID]) -> None:
    text = renewing.text(2).replace(b"    weight: 4\n    questions:", b"    weight: 0\n    questions:", 1)
    (row,) = impact(house, version_2(text)).vendors
    assert row.again == renewing.RE_ATTEST
    assert row.scores is None
