"""What a vendor signed before lies beside what it is asked now; it answers nothing until a person confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.facts import AnswerSaved, AnswersConfirmed, EvidenceCited
from portal.attestations.foreseen import foreseen
from portal.attestations.models import Attestation, CarriedAnswer
from portal.attestations.rules import BlockerKind
from portal.evidence.models import Evidence
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, NotFound
from portal.questionnaires import service as questionnaires
from portal.terms import Role, ScanState
from portal.vendors.models import Engagement
from portal.wiring import House
from tests.factories import carrying
from tests.factories.assessments import make_questionnaire
from tests.factories.attestations import Desk, make_attestation
from tests.factories.carrying import ANSWERS, FACTORY, REST, blockers, carried_of, confirm, plan_of
from tests.factories.identity import person

CARRIED = ("acc.mfa", "acc.sso", "acc.leavers", "acc.reviews", "ppl.desks")
AGAIN = ("ppl.vetting", "ppl.training")


@pytest.fixture
def before(house: House) -> tuple[Desk, UUID]:
    """A vendor that signed version 1."""
    return carrying.signed_desk(house)


@pytest.fixture
def desk(before: tuple[Desk, UUID]) -> Desk:
    """The same vendor, asked version 2."""
    return carrying.again(before[0])


def answers_of(desk: Desk) -> Mapping[str, Any]:
    with desk.at(desk.admin.actor) as (tx, row):
        return {key: line.answer for key, line in attestations.answers_of(tx, row).items()}


def sections_of(desk: Desk) -> dict[str, tuple[int, int]]:
    with desk.at(desk.admin.actor) as (tx, row):
        return {each.key: (each.answered, each.total) for each in attestations.progress(tx, row)}


def change_file(desk: Desk, **fields: Any) -> None:
    with desk.house.ledger.begin(FACTORY) as tx:
        tx.session.execute(sa.update(Evidence).values(**fields))


def test_every_earlier_answer_has_its_fate(desk: Desk) -> None:
    plan = plan_of(desk)

    assert plan.to_confirm == CARRIED
    assert plan.re_attest == AGAIN
    assert plan.new == ("ppl.phones",)
    assert plan.archived == ("ppl.badges",)
    assert carried_of(desk).keys() == ANSWERS.keys()


def test_a_first_assessment_carries_nothing(house: House) -> None:
    desk = carrying.first_desk(house)

    assert carried_of(desk) == {}
    assert plan_of(desk).to_confirm == ()
    assert "acc.mfa" in plan_of(desk).new


def test_a_questionnaire_with_no_question_in_common_begins_with_nothing(before: tuple[Desk, UUID]) -> None:
    desk, attestation_id = before
    with desk.house.ledger.begin(FACTORY) as tx:
        version_id = make_questionnaire(tx, "incident-reattestation").id
        stranger = questionnaires.compiled(tx, version_id)
        foretold = attestations.plan_for(
            tx, attestation=tx.session.get_one(Attestation, attestation_id), questionnaire=stranger
        )
        ahead = foreseen(tx, engagement_ids=[desk.engagement_id], questionnaire=stranger)

    asked = replace(desk, assessment_id=carrying.ask(desk.house, desk.vendor_id, desk.engagement_id, version_id))

    assert carried_of(asked) == {}
    assert foretold == plan_of(asked) == ahead[desk.engagement_id].plan
    assert foretold.archived == ()


def test_what_came_over_says_where_it_comes_from(before: tuple[Desk, UUID], desk: Desk) -> None:
    lines = carried_of(desk)

    line = lines["acc.sso"]
    assert (line.source_label, line.source_attestation_id, line.answered_by) == (
        "renewal v1",
        before[1],
        "Priya Raghunath",
    )
    assert (line.answer.choice, line.answer.comment, line.is_settled) == ("yes", "One directory.", False)
    assert lines["ppl.vetting"].causes == (attestations.Cause.CLAIM,)
    assert lines["ppl.training"].causes == (attestations.Cause.OPTION,)
    assert lines["ppl.badges"].fate is attestations.Fate.ARCHIVED
    assert [(each.pages, each.usable, each.why) for each in lines["acc.mfa"].citations] == [("3", True, "")]


def test_what_waits_counts_as_not_answered_and_is_one_thing_to_do(desk: Desk) -> None:
    assert sections_of(desk) == {"acc": (0, 4), "ppl": (0, 4)}
    assert answers_of(desk) == {}
    assert blockers(desk) == [
        "Confirm “Access modes”",
        "Confirm “Workforce”",
        "State “Offices”",
        "Confirm 5 answers from your earlier attestation",
        "Answer 2.1 Vetting",
        "Answer 2.2 Training",
        "Answer 2.5 Phones",
    ]


def test_nothing_that_waits_can_be_signed(desk: Desk) -> None:
    carrying.state(desk)
    carrying.say(desk, REST)

    with pytest.raises(attestations.Incomplete) as refusal:
        desk.sign()

    assert [each.kind for each in refusal.value.blockers] == [BlockerKind.CONFIRM]


def test_the_list_is_confirmed_at_once_with_its_files_and_can_be_signed(before: tuple[Desk, UUID], desk: Desk) -> None:
    done = confirm(desk)
    carrying.state(desk)
    carrying.say(desk, REST)
    signed = desk.sign()

    assert done == attestations.Confirmed(CARRIED, ())
    with desk.at(desk.admin.actor) as (tx, _):
        old = attestations.attested(tx, before[1]).snapshot
        new = attestations.attested(tx, signed).snapshot
    assert {key: new.answers[key].content for key in CARRIED} == {key: old.answers[key].content for key in CARRIED}
    assert [(each.question_key, each.sha256, each.pages, each.quote) for each in new.citations] == [
        (each.question_key, each.sha256, each.pages, each.quote) for each in old.citations
    ]
    assert new.citations[0].quote == "Every account needs a second factor."
    assert new.answers["acc.mfa"].prepared_by == desk.admin.id


def test_confirming_is_recorded_like_answering(desk: Desk) -> None:
    with desk.at(desk.respondent.actor) as (tx, row):
        line = attestations.carried_of(tx, row)["acc.mfa"]
        attestations.confirm(tx, assessment=row, keys=["acc.mfa"], seen={"acc.mfa": line.digest})
        kinds = [type(fact) for fact in tx.facts]

    assert [kind for kind in kinds if kind in (AnswerSaved, AnswersConfirmed, EvidenceCited)] == [
        AnswerSaved,
        EvidenceCited,
        AnswersConfirmed,
    ]
    with desk.at(desk.admin.actor) as (tx, row):
        (edit,) = attestations.history(tx, row, "acc.mfa")
    assert (edit.version, edit.answer.choice, edit.by) == (1, "yes", "Priya Raghunath")


def test_confirming_twice_is_confirming_once(desk: Desk) -> None:
    first = confirm(desk, "acc.mfa", "acc.reviews")
    second = confirm(desk, "acc.mfa", "acc.reviews")

    assert first == second == attestations.Confirmed(("acc.mfa", "acc.reviews"), ())
    with desk.at(desk.admin.actor) as (tx, row):
        assert len(attestations.history(tx, row, "acc.mfa")) == 1
        assert len(attestations.citations_of(tx, row)["acc.mfa"]) == 1


def test_a_follow_up_waits_for_what_brings_it_up(desk: Desk) -> None:
    """acc.sso is asked because the earlier “yes” to acc.mfa, which waits too, brings it up."""
    assert "acc.sso" in plan_of(desk).to_confirm
    assert confirm(desk, "acc.sso").done == ("acc.sso",)


def test_an_earlier_answer_that_another_answer_rules_out_is_kept_and_comes_back(desk: Desk) -> None:
    """A follow-up whose premise is answered anew is hidden, and to be confirmed when it is asked again."""
    desk.save("acc.mfa", {"choice": "no"})
    hidden = plan_of(desk)
    left = confirm(desk, "acc.sso").left
    desk.save("acc.mfa", {"choice": "yes"})

    assert "acc.sso" not in (*hidden.to_confirm, *hidden.new, *hidden.re_attest, *hidden.archived)
    assert [key for key, _ in left] == ["acc.sso"]
    assert "acc.sso" in plan_of(desk).to_confirm


def test_an_answer_by_hand_settles_what_waited_and_leaves_it_beside(desk: Desk) -> None:
    desk.save("acc.reviews", {"choice": "quarterly"})

    line = carried_of(desk)["acc.reviews"]
    assert line.is_settled
    assert line.answer.choice == "yearly"
    assert "acc.reviews" not in plan_of(desk).to_confirm
    assert confirm(desk, "acc.reviews") == attestations.Confirmed(
        (), (("acc.reviews", "Somebody answered it meanwhile. Their answer stands"),)
    )
    assert answers_of(desk)["acc.reviews"].choice == "quarterly"


def test_what_must_be_answered_again_cannot_be_confirmed(desk: Desk) -> None:
    left = dict(confirm(desk, "ppl.vetting", "ppl.training", "ppl.badges", "ppl.phones", "no.such").left)

    assert left == {
        "ppl.vetting": "The question changed since you answered it, so it needs a new answer",
        "ppl.training": "The question changed since you answered it, so it needs a new answer",
        "ppl.badges": "This is not asked any more. Your earlier answer is kept",
        "ppl.phones": "There is no earlier answer to confirm here",
        "no.such": "There is no earlier answer to confirm here",
    }
    assert answers_of(desk) == {}


def test_what_the_page_did_not_show_is_left(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        lines = attestations.carried_of(tx, row)
        seen = {"acc.mfa": "0" * 64, "acc.reviews": lines["acc.reviews"].digest}
        done = attestations.confirm(tx, assessment=row, keys=["acc.mfa", "acc.reviews", "acc.leavers"], seen=seen)

    assert done.done == ("acc.reviews",)
    assert [key for key, _ in done.left] == ["acc.mfa", "acc.leavers"]


def test_sections_of_others_are_left_with_whose_they_are(desk: Desk) -> None:
    other = person(desk.house, roles=[Role.RESPONDENT], vendor=desk.vendor_id, name="Tomasz Okoro")
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="acc", user_id=other.id)

    done = confirm(desk, *CARRIED, actor=desk.respondent.actor)

    assert done.done == ("ppl.desks",)
    assert dict(done.left)["acc.mfa"] == "“Access” was given to somebody else. You can read it"
    assert confirm(desk, actor=other.actor).done == CARRIED[:-1]


def test_somebody_who_only_signs_confirms_nothing_and_begins_nothing(desk: Desk) -> None:
    done = confirm(desk, *CARRIED, actor=desk.signatory.actor)

    assert done.done == ()
    with desk.at(desk.admin.actor) as (_, row):
        assert row.first_touched_at is None


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"valid_until": date(2026, 9, 30)}, "ended on 30 September 2026"),
        ({"scan": ScanState.INFECTED}, "was turned down"),
        ({"valid_until": date(2026, 11, 24)}, ""),
        ({"valid_until": None}, ""),
    ],
)
def test_a_file_comes_over_while_it_stands(desk: Desk, fields: dict[str, Any], why: str) -> None:
    change_file(desk, **fields)
    (file,) = carried_of(desk)["acc.mfa"].citations
    confirm(desk, "acc.mfa")

    assert (file.usable, file.why) == (not why, why)
    with desk.at(desk.admin.actor) as (tx, row):
        assert bool(attestations.citations_of(tx, row)) is not bool(why)
    assert ("Attach evidence for 1.1, or say why you cannot" in blockers(desk)) is bool(why)


def test_a_file_that_ended_since_the_page_was_shown_stays_behind(desk: Desk, clock: FixedClock) -> None:
    change_file(desk, valid_until=date(2026, 11, 24))
    shown = carried_of(desk)["acc.mfa"]
    clock.advance(days=1)
    confirm(desk, "acc.mfa")

    assert shown.citations[0].usable
    assert answers_of(desk)["acc.mfa"].choice == "yes"
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.citations_of(tx, row) == {}


@pytest.mark.parametrize("stands", [True, False])
def test_a_request_for_files_is_confirmed_with_its_file_or_not_at_all(house: House, stands: bool) -> None:
    report = carrying.question("ppl.desks", "Report", "Attach the report.", "file").replace("weight: 2", "weight: 0")
    asks = carrying.V1.replace(carrying.DESKS, report).replace("question_weight: 18", "question_weight: 16")
    first = carrying.first_desk(house, asks)
    carrying.state(first)
    carrying.say(first, {key: raw for key, raw in ANSWERS.items() if key != "ppl.desks"})
    file = first.file()
    first.cite("acc.mfa", file)
    first.cite("ppl.desks", file, "2")
    first.sign()
    carrying.close(first)
    again = carrying.again(first, asks.replace("version: 1\ntitle", "version: 2\ntitle"))
    if not stands:
        change_file(again, valid_until=date(2026, 9, 30))
    assert "ppl.desks" in plan_of(again).to_confirm

    done = confirm(again, "ppl.desks")

    assert (done.done == ("ppl.desks",)) is stands
    assert [why.partition(",")[0] for _, why in done.left] == ([] if stands else ["Its file does not stand any more"])
    assert ("ppl.desks" in plan_of(again).to_confirm) is not stands
    with again.at(again.admin.actor) as (tx, row):
        assert ("ppl.desks" in attestations.citations_of(tx, row)) is stands


def test_a_withdrawn_attestation_gives_nothing(house: House) -> None:
    desk = carrying.first_desk(house)
    carrying.state(desk)
    carrying.say(desk)
    desk.cite("acc.mfa", desk.file())
    desk.sign()
    with desk.at(FACTORY) as (tx, row):
        assessments.withdraw(tx, assessment=row, reason="Wrong engagement.")

    assert carried_of(carrying.again(desk)) == {}


def test_the_same_engagement_comes_first_and_then_the_newest(before: tuple[Desk, UUID], clock: FixedClock) -> None:
    first, _ = before
    clock.advance(days=30)
    lark = replace(first, engagement_id=carrying.other_engagement(first))
    lark = carrying.again(lark, carrying.V1)
    carrying.state(lark)
    carrying.say(lark, {**ANSWERS, "acc.reviews": {"choice": "never"}})
    lark.cite("acc.mfa", lark.file())
    newest = lark.sign()
    carrying.close(lark)
    third = replace(first, engagement_id=carrying.other_engagement(first, "Wren"))

    renewed, elsewhere = carrying.again(first), carrying.again(third)

    assert carried_of(renewed)["acc.reviews"].answer.choice == "yearly"
    assert carried_of(elsewhere)["acc.reviews"].source_attestation_id == newest
    assert carried_of(elsewhere)["acc.reviews"].source_engagement == "Lark"


def test_the_vendors_facts_are_stated_to_be_confirmed_where_they_ask_the_same(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        lines = {line.key: line for line in assessments.scoping_of(tx, row)}
        facts = assessments.facts_of(tx, row)

    assert (lines["scp.workforce"].value, lines["scp.workforce"].is_carried) == (["employees"], True)
    assert not lines["scp.office"].stated
    assert not facts.crowd
    assert facts.office


@pytest.mark.parametrize("by", ["confirming", "stating"])
def test_a_fact_that_came_over_is_settled_by_confirming_or_by_stating_it(desk: Desk, by: str) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        if by == "confirming":
            assessments.confirm_fact(tx, assessment=row, key="scp.workforce", version=1)
        else:
            told = {"choices": ["employees"]}
            assessments.state_fact(tx, assessment=row, key="scp.workforce", value=told, version=1)

    assert "Confirm “Workforce”" not in blockers(desk)


def test_another_workforce_than_before_is_stated_anew(desk: Desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        told = {"choices": ["crowd"]}
        line = assessments.state_fact(tx, assessment=row, key="scp.workforce", value=told, version=1)

    assert (line.is_settled, line.is_carried) == (True, False)
    assert "ppl.crowd" in plan_of(desk).new


def test_confirming_a_fact_widens_the_engagement_it_is_now_said_of(before: tuple[Desk, UUID]) -> None:
    first, _ = before
    lark = carrying.elsewhere(first)
    with lark.at(lark.admin.actor) as (tx, row):
        assessments.confirm_fact(tx, assessment=row, key="scp.workforce", version=1)
    with lark.house.ledger.begin(FACTORY) as tx:
        assert "employees" in tx.session.get_one(Engagement, lark.engagement_id).workforce


def test_the_plan_before_it_is_asked_is_the_plan_once_it_is(before: tuple[Desk, UUID]) -> None:
    """G7: the numbers of the impact preview are those of the renewal."""
    planned = carrying.plan_for(*before)

    assert plan_of(carrying.again(before[0])) == planned


def test_the_short_questionnaire_comes_over_into_the_long_one(house: House) -> None:
    desk, signed = make_attestation(house)
    version_id = carrying.full(house)
    with house.ledger.begin(FACTORY) as tx:
        row = tx.session.get_one(Attestation, signed)
        planned = attestations.plan_for(tx, attestation=row, questionnaire=questionnaires.compiled(tx, version_id))
    asked = carrying.ask(house, desk.vendor_id, desk.engagement_id, version_id)
    longer = replace(desk, assessment_id=asked)

    plan = plan_of(longer)
    done = confirm(longer)

    assert plan == planned
    assert len(plan.to_confirm) == len(done.done) == len(desk.visible())
    assert (plan.re_attest, plan.archived) == ((), ())
    assert plan.new
    longer.complete()
    longer.sign()


def test_what_the_signature_before_said_is_what_the_new_one_is_compared_with(house: House) -> None:
    """From the short questionnaire to the long one: the baseline is where the answers come from."""
    desk, signed = make_attestation(house)
    asked = carrying.ask(house, desk.vendor_id, desk.engagement_id, carrying.full(house))
    longer = replace(desk, assessment_id=asked)

    with longer.at(longer.admin.actor) as (tx, row):
        baseline = attestations.baseline(tx, row)

    assert baseline is not None
    assert baseline.id == signed


def test_another_vendor_sees_nothing_of_it(desk: Desk) -> None:
    stranger = carrying.first_desk(desk.house, name="Heliotrope Labels")

    with desk.house.ledger.begin(stranger.admin.actor) as tx:
        assert tx.session.execute(sa.select(sa.func.count()).select_from(CarriedAnswer)).scalar_one() == 0
    with pytest.raises(NotFound), desk.at(stranger.admin.actor):
        pass


def test_nothing_is_confirmed_once_it_is_signed_or_over(desk: Desk) -> None:
    with desk.at(FACTORY) as (tx, row):
        assessments.cancel(tx, assessment=row, reason="Not needed.")

    with pytest.raises(Conflict, match="cancelled"):
        confirm(desk, "acc.mfa")
