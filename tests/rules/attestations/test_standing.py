"""Progress, and what blocks a signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from portal.attestations.rules import (
    BlockerKind,
    Cited,
    SectionState,
    Standing,
    Unsettled,
    Use,
    blockers,
    may_change,
    progress,
    use_of,
)
from portal.questionnaires.rules import Answer, Facts, Questionnaire, QuestionState
from portal.terms import EvidenceState, ScanState
from tests.rules.questionnaires.samples import small

READY = Cited("policy.pdf", Use.USABLE)


def standing(questionnaire: Questionnaire | None = None, **given: object) -> Standing:
    """A desk on the small questionnaire on which everything asked is answered."""
    asked = questionnaire or small()
    first = Standing(
        questionnaire=asked,
        tier=1,
        facts=Facts(),
        answers={},
        citations={},
        unsettled=(),
        asked=frozenset(),
        reopened=None,
        signed={},
    )
    return replace(first, **given)


def complete(now: Standing) -> Standing:
    """Answer all that is asked, with full credit and a comment."""
    while blank := [each for each in now.visible() if each.key not in now.answers]:
        answers = dict(now.answers)
        for question in blank:
            best = max(question.choices, key=lambda option: option.credit or 0, default=None)
            answers[question.key] = Answer(
                choice=best.key if best else None,
                number=None if best else question.steps[0].bound if question.steps else None,
                text="" if best or question.steps else "Yes.",
                comment="Told on a call.",
            )
        now = replace(now, answers=answers)
    return now


def kinds(now: Standing) -> list[tuple[BlockerKind, str]]:
    return [(each.kind, each.question_key) for each in blockers(now)]


def with_answer(now: Standing, key: str, answer: Answer) -> Standing:
    return replace(now, answers={**now.answers, key: answer})


def state(now: Standing, section: str = "one") -> SectionState:
    return next(each.state for each in progress(now) if each.key == section)


def test_nothing_blocks_what_is_complete() -> None:
    now = complete(standing())
    assert blockers(now) == ()
    assert {each.state for each in progress(now)} == {SectionState.COMPLETE}
    assert all(each.answered == each.total for each in progress(now))


def test_a_blank_answer_blocks_with_its_number_and_label() -> None:
    now = complete(standing())
    key = now.visible()[0].key
    (blocker,) = blockers(with_answer(now, key, Answer()))
    assert (blocker.kind, blocker.section, blocker.question_key) == (BlockerKind.ANSWER, "one", "one.level")
    assert blocker.sentence == "Answer 1.1 Level"


def test_a_claim_without_a_reason_blocks_with_what_to_enter() -> None:
    now = complete(standing())
    (blocker,) = blockers(with_answer(now, "one.level", Answer(na=True)))
    assert blocker.sentence == "1.1 Level: enter why this does not apply to you"


def test_a_partial_answer_tells_all_that_it_lacks_in_one_sentence() -> None:
    now = complete(standing())
    key = next(each.key for each in now.visible() if each.kind.value == "ynp")
    name = f"{now.questionnaire.question(key).number} {now.questionnaire.question(key).label}"

    cited = replace(now, citations={key: (READY,)})
    (blocker,) = blockers(with_answer(cited, key, Answer(choice="partial")))
    assert blocker.sentence == (
        f"{name}: enter what is in place and what is missing; "
        "enter the date by which the rest is planned, for example 2026-12-31"
    )
    answered = Answer(choice="partial", comment="Half.", planned_on=date(2026, 12, 31))
    assert blockers(with_answer(now, key, answered)) == ()


@pytest.mark.parametrize(
    ("answer", "cited", "found"),
    [
        (Answer(choice="high"), (), [BlockerKind.EVIDENCE]),
        (Answer(choice="low"), (), [BlockerKind.EVIDENCE]),
        (Answer(choice="none"), (), []),
        (Answer(choice="high", comment="Our auditor forbids it."), (), []),
        (Answer(choice="high"), (READY,), []),
        (Answer(choice="high"), (Cited("a.pdf", Use.CHECKING),), [BlockerKind.EVIDENCE_CHECKING]),
        (Answer(choice="high"), (Cited("a.pdf", Use.REFUSED),), [BlockerKind.EVIDENCE_REFUSED]),
        (Answer(choice="none"), (Cited("a.pdf", Use.REFUSED), READY), [BlockerKind.EVIDENCE_REFUSED]),
        (Answer(na=True, na_reason="We have none."), (), []),
    ],
)
def test_required_proof_is_owed_by_what_claims_credit(
    answer: Answer, cited: tuple[Cited, ...], found: list[BlockerKind]
) -> None:
    now = replace(with_answer(complete(standing()), "one.level", answer), citations={"one.level": cited})
    assert [each.kind for each in blockers(now)] == found


def test_the_sentence_offers_both_ways_out() -> None:
    (blocker,) = blockers(with_answer(complete(standing()), "one.level", Answer(choice="high")))
    assert blocker.sentence == "Attach evidence for 1.1, or say why you cannot"


def test_files_of_a_hidden_question_block_nothing() -> None:
    now = complete(standing())
    hidden = next(key for key, each in now.states().items() if each is QuestionState.HIDDEN)
    assert blockers(replace(now, citations={hidden: (Cited("a.pdf", Use.REFUSED),)})) == ()


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        (Unsettled("scp.services", "Services", stated=True, is_ours=True), "Confirm “Services”"),
        (Unsettled("scp.people", "People", stated=False, is_ours=False), "State “People”"),
        (
            Unsettled("scp.data", "Data", stated=False, is_ours=True),
            "We have not stated “Data” yet. Ask us to, then confirm it",
        ),
    ],
)
def test_an_open_scoping_fact_blocks(fact: Unsettled, sentence: str) -> None:
    (blocker,) = blockers(replace(complete(standing()), unsettled=(fact,)))
    assert (blocker.kind, blocker.question_key, blocker.sentence) == (BlockerKind.SCOPING, fact.key, sentence)


@pytest.mark.parametrize("back", [None, "one.level", "another"])
def test_a_question_of_ours_that_waits_for_an_answer_blocks_wherever_it_stands(back: str | None) -> None:
    now = complete(standing())
    assert blockers(now) == ()
    asked = replace(now, asked=frozenset({"one.level"}))
    if back is not None:
        key = now.visible()[1].key if back == "another" else back
        asked = replace(asked, reopened=frozenset({key}), signed=now.states())
    (blocker,) = blockers(asked)
    assert (blocker.kind, blocker.sentence) == (BlockerKind.REPLY, "Reply to our question about 1.1 Level")
    assert state(asked) is SectionState.ASKED


def test_a_scoping_fact_that_came_back_with_a_question_waits_for_a_reply() -> None:
    now = complete(standing())
    back = replace(now, reopened=frozenset({"scp.people"}), asked=frozenset({"scp.people"}), signed=now.states())
    (blocker,) = blockers(back)
    assert (blocker.kind, blocker.section, blocker.question_key) == (BlockerKind.REPLY, "", "scp.people")
    assert blocker.sentence == "Reply to our question about “People”"


def test_a_file_turned_down_later_does_not_block_an_answer_that_cannot_change() -> None:
    now = complete(standing())
    other = now.visible()[1].key
    back = replace(
        now,
        reopened=frozenset({other}),
        signed=now.states(),
        citations={"one.level": (Cited("a.pdf", Use.REFUSED),)},
    )
    assert blockers(back) == ()
    assert kinds(replace(back, reopened=frozenset({"one.level"}))) == [(BlockerKind.EVIDENCE_REFUSED, "one.level")]


@pytest.mark.parametrize(
    ("reopened", "signed", "open_now"),
    [
        (None, {}, True),
        (frozenset(), {}, True),
        (frozenset({"a"}), {"a": QuestionState.ANSWERED}, True),
        (frozenset({"b"}), {"a": QuestionState.ANSWERED}, False),
        (frozenset({"b"}), {"a": QuestionState.NA_CLAIMED}, False),
        (frozenset({"b"}), {"a": QuestionState.HIDDEN}, True),
        (frozenset({"b"}), {"a": QuestionState.ZERO}, True),
    ],
)
def test_after_a_signature_only_what_came_back_or_came_up_changes(
    reopened: frozenset[str] | None, signed: dict[str, QuestionState], open_now: bool
) -> None:
    assert may_change("a", reopened, signed) is open_now


def test_the_task_list_says_how_far_a_section_is() -> None:
    done = complete(standing())
    assert state(standing()) is SectionState.NOT_STARTED
    assert (
        state(with_answer(standing(), "one.level", Answer(choice="high", comment="Yes."))) is SectionState.IN_PROGRESS
    )
    assert state(with_answer(done, "one.level", Answer(choice="high"))) is SectionState.EVIDENCE_MISSING
    assert state(with_answer(done, "one.scope", Answer())) is SectionState.IN_PROGRESS
    checking = replace(done, citations={"one.level": (Cited("a.pdf", Use.CHECKING),)})
    assert state(checking) is SectionState.IN_PROGRESS
    assert state(done) is SectionState.COMPLETE


@pytest.mark.parametrize(
    ("each", "word"),
    [
        (SectionState.NOT_STARTED, "Not started"),
        (SectionState.IN_PROGRESS, "In progress"),
        (SectionState.COMPLETE, "Complete"),
        (SectionState.EVIDENCE_MISSING, "Evidence missing"),
        (SectionState.ASKED, "Orrery asked"),
    ],
)
def test_a_state_has_its_words(each: SectionState, word: str) -> None:
    assert each.word("Orrery") == word


@pytest.mark.parametrize("removed", [False, True])
@pytest.mark.parametrize("scan", list(ScanState))
@pytest.mark.parametrize("arrived", list(EvidenceState))
def test_a_file_is_usable_once_it_arrived_and_was_checked(
    arrived: EvidenceState, scan: ScanState, removed: bool
) -> None:
    use = use_of(arrived, scan, removed=removed)
    good = arrived in {EvidenceState.ATTACHED, EvidenceState.VERIFIED}
    if (
        removed
        or scan is ScanState.INFECTED
        or arrived in {EvidenceState.REJECTED, EvidenceState.REFUSED, EvidenceState.INTEGRITY_FAILURE}
    ):
        assert use is Use.REFUSED
    elif good and scan in {ScanState.CLEAN, ScanState.NOT_SCANNED}:
        assert use is Use.USABLE
    else:
        assert use is Use.CHECKING
