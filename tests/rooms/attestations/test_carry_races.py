"""Two at once on earlier answers: exactly one wins, nothing is lost, nobody waits for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa

from portal.attestations import service as attestations
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict
from portal.questionnaires.rules import Answer
from portal.wiring import House
from tests.factories import carrying
from tests.factories.attestations import Desk
from tests.factories.carrying import FACTORY
from tests.rooms.attestations.test_races import at_once, lost

ROUNDS = 6
BADGES = "ppl.badges"


def edits(desk: Desk, key: str) -> list[Answer]:
    with desk.at(FACTORY) as (tx, row):
        return [edit.answer for edit in attestations.history(tx, row, key)]


def standing(desk: Desk) -> Mapping[str, Answer]:
    with desk.at(FACTORY) as (tx, row):
        return {key: line.answer for key, line in attestations.answers_of(tx, row).items()}


def rounds(house: House) -> Iterator[Desk]:
    """Ask a vendor that signed once for one engagement after the other."""
    first, _ = carrying.signed_desk(house)
    for number in range(ROUNDS):
        yield carrying.elsewhere(first, project=f"Round {number}")


def test_of_two_confirmations_at_once_one_writes_and_both_are_told_that_it_is_done(house: House) -> None:
    for desk in rounds(house):
        people: tuple[Actor, Actor] = (desk.admin.actor, desk.respondent.actor)

        results = at_once(*(lambda who=who, desk=desk: carrying.confirm(desk, actor=who) for who in people))

        assert [each.left for each in results] == [(), ()]
        waiting = set(results[0].done) | set(results[1].done)
        assert {len(edits(desk, key)) for key in waiting} == {1}
        with desk.at(FACTORY) as (tx, row):
            assert len(attestations.citations_of(tx, row)["acc.mfa"]) == 1


def test_a_confirmation_and_an_answer_by_hand_never_overwrite_each_other(house: House) -> None:
    for desk in rounds(house):
        confirmed, saved = at_once(
            lambda desk=desk: carrying.confirm(desk, "acc.reviews", "acc.mfa"),
            lambda desk=desk: desk.save("acc.reviews", {"choice": "never"}, version=0),
        )

        said = standing(desk)["acc.reviews"].choice
        assert len(edits(desk, "acc.reviews")) == 1
        assert "acc.mfa" in confirmed.done
        if isinstance(saved, Conflict):
            assert said == "yearly"
            assert "acc.reviews" in confirmed.done
        else:
            assert said == "never"
            assert [key for key, _ in confirmed.left] == ["acc.reviews"]
        assert carrying.carried_of(desk)["acc.reviews"].is_settled


def test_an_answer_and_a_move_at_once_lose_nothing(house: House) -> None:
    """The answer came first and moves along, or it is told that the questionnaire changed."""
    first = carrying.first_desk(house)
    second = carrying.publish(house, carrying.V2)
    for number in range(ROUNDS):
        desk = carrying.elsewhere(first, carrying.V1, project=f"Round {number}")
        carrying.say(desk)
        with desk.at(FACTORY) as (tx, row):
            seen, row_version = attestations.migration_preview(tx, row, second).digest, row.row_version

        def move(desk: Desk = desk, seen: str = seen, row_version: int = row_version) -> None:
            with desk.at(FACTORY) as (tx, row):
                attestations.migrate(
                    tx,
                    assessment=row,
                    version_id=second,
                    row_version=row_version,
                    seen_digest=seen,
                )

        moved, saved = at_once(
            move, lambda desk=desk: desk.save(BADGES, {"choice": "yes", "comment": "Since May."}, version=1)
        )

        assert moved is None
        said = [each.choice for each in edits(desk, BADGES)]
        kept = carrying.carried_of(desk, FACTORY)[BADGES].answer.choice
        if isinstance(saved, Conflict):
            assert (said, kept) == ([None, "no"], "no")
        else:
            assert (said, kept) == ([None, "yes", "no"], "yes")


def snapshots(house: House) -> list[tuple[object, ...]]:
    """Every stored score, column by column."""
    with house.ledger.begin(FACTORY) as tx:
        return [tuple(row) for row in tx.session.execute(sa.text("SELECT s::text FROM score_snapshot s ORDER BY 1"))]


def test_publishing_a_version_while_twenty_answer_the_one_before_changes_nothing_for_them(house: House) -> None:
    """QN-01, G12."""
    signed, _ = carrying.signed_desk(house)
    scores = snapshots(house)
    desks = [carrying.elsewhere(signed, carrying.V1, project=f"Round {number}") for number in range(20)]

    saved = at_once(
        *(lambda desk=desk: desk.save("acc.reviews", {"choice": "never"}) for desk in desks),
        lambda: carrying.publish(house, carrying.V2),
    )

    assert lost(saved) == []
    assert [standing(desk)["acc.reviews"].choice for desk in desks] == ["never"] * 20
    with desks[0].at(FACTORY) as (tx, row):
        assert row.questionnaire_id != saved[-1]
        assert attestations.standing(tx, row).questionnaire.digest == signed.questionnaire.digest
    carrying.again(signed)
    assert snapshots(house) == scores
    assert scores


def test_a_signature_and_a_confirmation_at_once_never_leave_half_of_it_signed(house: House) -> None:
    for desk in rounds(house):
        carrying.confirm(desk, "acc.mfa", "acc.sso", "acc.leavers", "acc.reviews")
        carrying.state(desk)
        carrying.say(desk, carrying.REST)
        form = desk.form()

        results = at_once(
            lambda desk=desk: carrying.confirm(desk, "ppl.desks"),
            lambda desk=desk, form=form: _sign(desk, form),
        )

        assert isinstance(results[0], attestations.Confirmed)
        assert isinstance(results[1], Conflict | attestations.Incomplete)
        assert lost(results) in ([], [results[1]])


def _sign(desk: Desk, form: dict[str, object]) -> object:
    try:
        return desk.sign(**form)
    except attestations.Incomplete as refusal:
        return refusal
