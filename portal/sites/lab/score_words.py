"""What a score says, in words: the recommendation, its reasons, and every point that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from portal.evidence.rules import KINDS
from portal.questionnaires.rules import Questionnaire
from portal.scoring.rules import Code, Evidence, Inputs, Mark, Reason, Recommendation, Score, State
from portal.scoring.translate import Paper
from portal.sites.shared.ui import day

RECOMMENDATION_WORDS = {
    Recommendation.INCOMPLETE: "Incomplete",
    Recommendation.REJECT: "Do not approve",
    Recommendation.HOLD: "Hold",
    Recommendation.CONDITIONAL: "Approve with conditions",
    Recommendation.APPROVE: "Approve",
}
RECOMMENDATION_TONES = {
    Recommendation.INCOMPLETE: ("", "circle-dashed"),
    Recommendation.REJECT: ("t-bad", "ban"),
    Recommendation.HOLD: ("t-warn", "hourglass"),
    Recommendation.CONDITIONAL: ("t-warn", "shield-alert"),
    Recommendation.APPROVE: ("t-ok", "badge-check"),
}
EVIDENCE_WORDS = {
    Evidence.NONE: "no evidence",
    Evidence.EXPIRED: "evidence that has ended",
    Evidence.ATTACHED: "evidence that is not verified",
    Evidence.VERIFIED: "verified evidence",
}
STATE_WORDS = {
    State.OK: "answered",
    State.BLANK: "not answered",
    State.NA_CLAIMED: "said not to apply, not accepted yet",
    State.NA: "accepted as not applying",
    State.HIDDEN: "not asked of this vendor",
    State.ZERO: "worth nothing because of another answer",
}
LEVEL_WORDS = ("No evidence expected", "Evidence accepted", "Evidence required")


def reason_words(reason: Reason, questionnaire: Questionnaire) -> str:
    """Return one reason as a sentence without a full stop."""
    labels = _labels(reason.keys, questionnaire)
    domains = _domains(reason.keys, questionnaire)
    kinds = _kinds(reason.keys)
    return {
        Code.NOTHING_SCORED: "No scored question is answered",
        Code.BLANK: f"Not answered: {labels}",
        Code.NA_CLAIMED: f"Said not to apply and not accepted yet: {labels}",
        Code.KNOCK_OUT_FAILED: f"Knock-out failed: {labels}",
        Code.CLAIM_BELOW: f"Even if every claim holds, the score is below {reason.limit}",
        Code.DOMAIN_CLAIM_BELOW: f"Even if every claim holds, below {reason.limit}: {domains}",
        Code.SCORE_BELOW: f"The score is below {reason.limit}",
        Code.DOMAIN_BELOW: f"Below {reason.limit}: {domains}",
        Code.VERIFIED_BELOW: f"What is verified comes to less than {reason.limit}",
        Code.KNOCK_OUT_UNPROVEN: f"Knock-out without the verified evidence it needs: {labels}",
        Code.KNOCK_OUT_WITHOUT_EVIDENCE: f"Knock-out without valid evidence: {labels}",
        Code.EVIDENCE_MISSING: f"Required and missing: {kinds}",
        Code.EVIDENCE_EXPIRED: f"Required and ended: {kinds}",
        Code.SCORE_BELOW_APPROVAL: f"The score is below {reason.limit}, which an approval needs",
        Code.DOMAIN_BELOW_APPROVAL: f"Below {reason.limit}, which an approval needs: {domains}",
    }[reason.code]


@dataclass(frozen=True, slots=True)
class DomainLine:
    """One domain in the three lenses, worst first on a page."""

    key: str
    title: str
    number: int
    weight: int
    claim: Fraction
    score: Fraction
    verified: Fraction
    limit: int


@dataclass(frozen=True, slots=True)
class LossLine:
    """What one question costs."""

    key: str
    number: str
    label: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class ScoreShown:
    """A score as pages show it. ``share`` values are whole percent of the bar, floored."""

    claim: Fraction
    score: Fraction
    verified: Fraction
    threshold: int
    consider: int
    tier: int
    recommendation: Recommendation
    word: str
    tone: str
    icon: str
    reasons: tuple[str, ...]
    domains: tuple[DomainLine, ...]
    losses: tuple[LossLine, ...]
    knock_outs: tuple[tuple[str, str], ...]
    counted: int
    letter: str
    residual: Fraction
    residual_band: str
    inherent: int


def shown(score: Score, inputs: Inputs, questionnaire: Questionnaire, papers: Sequence[Paper] = ()) -> ScoreShown:
    """Return a score in words, its domains from the worst and its losses from the largest.

    :param papers: the uses of files behind it, where the reasons may say what waits for a check.
    """
    measures = score.measures
    limits = inputs.policy.thresholds[score.tier - 1]
    tone, icon = RECOMMENDATION_TONES[score.recommendation]
    sections = {each.key: each for each in questionnaire.sections}
    return ScoreShown(
        claim=measures.claim,
        score=measures.score,
        verified=measures.verified,
        threshold=limits.approve,
        consider=limits.consider,
        tier=score.tier,
        recommendation=score.recommendation,
        word=RECOMMENDATION_WORDS[score.recommendation],
        tone=tone,
        icon=icon,
        reasons=tuple(reason_words(each, questionnaire) + _to_check(each, papers) for each in score.reasons),
        domains=tuple(
            DomainLine(
                each.key,
                sections[each.key].title,
                sections[each.key].number,
                each.weight,
                each.claim,
                each.score,
                each.verified,
                limits.approve_domain,
            )
            for each in sorted(measures.domains, key=lambda each: (each.score, each.key))
        ),
        losses=tuple(
            LossLine(each.key, questionnaire.number_of(each.key), questionnaire.question(each.key).label, each.value)
            for each in measures.losses
        ),
        knock_outs=_knock_outs(score, questionnaire),
        counted=measures.counted,
        letter=score.letter,
        residual=score.residual,
        residual_band=score.residual_band,
        inherent=score.inherent.value,
    )


def _knock_outs(score: Score, questionnaire: Questionnaire) -> tuple[tuple[str, str], ...]:
    measures = score.measures
    words = (
        ("failed", measures.failed),
        ("not answered", measures.open),
        ("passed without the verified evidence it needs", measures.unproven),
    )
    return tuple((f"{_name(key, questionnaire)}", said) for said, keys in words for key in keys)


_PROVEN = {Code.EVIDENCE_EXPIRED, Code.KNOCK_OUT_WITHOUT_EVIDENCE, Code.KNOCK_OUT_UNPROVEN}


def _to_check(reason: Reason, papers: Sequence[Paper]) -> str:
    """Return what a reviewer can do about a reason: check the newer revision that waits for it."""
    if reason.code not in _PROVEN:
        return ""
    waits = any(each.check_again for each in papers if each.question_key in reason.keys or each.kind in reason.keys)
    return "; a newer revision is to be checked" if waits else ""


def point_words(mark: Mark, papers: Sequence[Paper] = (), today: date | None = None) -> str:
    """Return how a question's points come about: credit times factor, and what a letter carries or waits for a check.

    :param papers: the uses of files by this question's answer that count.
    """
    if not mark.counts:
        return f"Not counted: {STATE_WORDS[mark.state]}"
    if mark.state is not State.OK:
        return f"0 of 100: {STATE_WORDS[mark.state]}"
    if mark.level == 0:
        return f"{mark.credit} of 100 for the answer; no evidence is expected"
    words = f"{mark.credit} of 100 for the answer × {mark.factor} % for {EVIDENCE_WORDS[mark.evidence]}"
    if mark.evidence is Evidence.ATTACHED and today is not None:
        ends = [each.bridged_until for each in papers if each.reach.is_bridged(today)]
        if last := max((end for end in ends if end is not None), default=None):
            words += f"; bridged until {day(last)}, counts as attached"
    return words + ("; a newer revision is to be checked" if any(each.check_again for each in papers) else "")


def _name(key: str, questionnaire: Questionnaire) -> str:
    if key not in questionnaire:
        return key
    return f"{questionnaire.number_of(key)} {questionnaire.question(key).label}"


def _labels(keys: Sequence[str], questionnaire: Questionnaire) -> str:
    names = [_name(key, questionnaire) for key in keys]
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _domains(keys: Sequence[str], questionnaire: Questionnaire) -> str:
    titles = {each.key: each.title for each in questionnaire.sections}
    return ", ".join(titles.get(key, key) for key in keys)


def _kinds(keys: Sequence[str]) -> str:
    return " or ".join(KINDS[key].title if key in KINDS else key for key in keys)
