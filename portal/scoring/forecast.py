"""What a vendor's score would be on a version that nobody published yet, from what it signed before. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from portal.questionnaires.rules import (
    FLAGS,
    Answer,
    Facts,
    Kind,
    Question,
    Questionnaire,
    QuestionState,
    credit,
    state_of,
)
from portal.scoring import rules
from portal.scoring.translate import exposure_of, version_of

_PROVEN = (rules.Proof("foreseen", verified=True),)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Five exact scores of one vendor, in points of 100, all of them as of one day.

    ``now`` is the score of what it signed. ``low`` and ``high`` are the ends of what a renewal can come to: what
    carries over counts as it is, and whatever is asked again or new is blank, or answered in full with verified proof.
    ``kept`` and ``ruled`` weigh the same answers, those that carry over, by the rules of before and by the new ones.
    """

    now: Fraction
    low: Fraction
    high: Fraction
    kept: Fraction
    ruled: Fraction

    @property
    def by_rules(self) -> Fraction:
        """What the new weights, credits and evidence levels alone do to the answers that carry over."""
        return self.ruled - self.kept


def forecast(
    signed: rules.Inputs,
    *,
    questionnaire: Questionnaire,
    tier: int,
    facts: Facts,
    carried: Mapping[str, Answer],
) -> Forecast:
    """Return what the score of a signed revision would become on another version.

    :param signed: the inputs of the score as it is, on the day that all five scores are of.
    :param tier: the tier that the renewal would be asked for.
    :param carried: the earlier answers that only wait to be confirmed, by key.
    """
    version = version_of(questionnaire, tier)
    was = {answer.key: answer for answer in signed.answers}
    filled = {
        question.key: best_answer(question) for question in questionnaire.questions if question.key not in carried
    }
    blank_states = state_of(questionnaire, tier, facts, carried)
    full_states = state_of(questionnaire, tier, facts, {**carried, **filled})
    asked = [questionnaire.question(each.key) for each in version.questions]

    def counted(states: Mapping[str, QuestionState], *, full: bool) -> tuple[rules.Answer, ...]:
        return tuple(
            _carried(question, carried[question.key], states[question.key], was.get(question.key))
            if question.key in carried
            else _foreseen(question.key, states[question.key], full=full)
            for question in asked
        )

    renewed = replace(
        signed,
        version=version,
        answers=(),
        raised_tier=tier,
        exposure=exposure_of(facts),
        facts=tuple(name for name in FLAGS if facts.flag(name)),
    )
    low = counted(blank_states, full=False)
    same = _in_both(signed, version, low, carried)
    return Forecast(
        now=_score(signed),
        low=_score(replace(renewed, answers=low)),
        high=_score(replace(renewed, answers=counted(full_states, full=True))),
        kept=_score(_only(signed, same)),
        # The same vendor under other rules: its exposure and its tier are those of before.
        ruled=_score(_only(replace(signed, version=version, answers=low), same)),
    )


def _in_both(
    signed: rules.Inputs, version: rules.Version, low: tuple[rules.Answer, ...], carried: Mapping[str, Answer]
) -> set[str]:
    """Return the questions whose answers carry over and which both versions count in the tier of before."""
    tier = rules.tier_of(signed)
    unseen = {each.key for answers in (signed.answers, low) for each in answers if each.state is rules.State.HIDDEN}
    before, after = (
        {question.key for question in each.questions if tier in question.tiers} for each in (signed.version, version)
    )
    return before & after & set(carried) - unseen


def _score(inputs: rules.Inputs) -> Fraction:
    return _plan(inputs.version, inputs.policy).measure(inputs).score


@lru_cache(maxsize=32)
def _plan(version: rules.Version, policy: rules.Policy) -> rules.Plan:
    return rules.compile_plan(version, policy)


def _only(inputs: rules.Inputs, keys: set[str]) -> rules.Inputs:
    """Return the inputs with these questions alone in the score."""
    answers = {answer.key: answer for answer in inputs.answers}
    return replace(
        inputs,
        answers=tuple(
            answers.get(question.key, rules.Answer(question.key, state=rules.State.BLANK))
            if question.key in keys
            else rules.Answer(question.key, state=rules.State.HIDDEN)
            for question in inputs.version.questions
        ),
    )


_UNSAID = {QuestionState.HIDDEN: rules.State.HIDDEN, QuestionState.ZERO: rules.State.ZERO}


def _carried(question: Question, answer: Answer, state: QuestionState, was: rules.Answer | None) -> rules.Answer:
    """Return an answer that carries over at the new version's credit; proofs and judgements stay what they were."""
    if state in _UNSAID:
        return rules.Answer(question.key, state=_UNSAID[state])
    before = was or rules.Answer(question.key)
    if state is QuestionState.NA_CLAIMED:
        # A reviewer's acceptance that it does not apply is kept, as the finding on an answer is.
        accepted = before.state is rules.State.NA
        return replace(before, state=rules.State.NA if accepted else rules.State.NA_CLAIMED, credit=0)
    if state is QuestionState.BLANK:
        return rules.Answer(question.key, state=rules.State.BLANK)
    return replace(before, state=rules.State.OK, credit=credit(question, answer) or 0)


def _foreseen(key: str, state: QuestionState, *, full: bool) -> rules.Answer:
    if state in _UNSAID:
        return rules.Answer(key, state=_UNSAID[state])
    if full:
        return rules.Answer(key, credit=100, proofs=_PROVEN)
    return rules.Answer(key, state=rules.State.BLANK)


def best_answer(question: Question) -> Answer:
    """Return an answer with the most credit that a question gives; for one that is never scored, any answer."""
    if question.kind is Kind.NUMBER:
        bounds = [step.bound for step in question.steps if step.bound is not None]
        numbers = [Decimal(0), *(bound + off for bound in bounds for off in (0, -1, 1) if bound + off >= 0)]
        return max((Answer(number=number) for number in numbers), key=lambda each: credit(question, each) or 0)
    options = question.choices
    if options and question.kind is not Kind.MANY_CHOICES:
        return Answer(choice=max(options, key=lambda each: each.credit or 0).key)
    return Answer(text="foreseen", choices=tuple(each.key for each in options))
