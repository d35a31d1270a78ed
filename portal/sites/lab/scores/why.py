"""Why a score changed, in words: every cause named as people know it, with what it moved."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from portal.evidence.rules import KINDS
from portal.questionnaires.rules import Questionnaire
from portal.scoring.queries import FileName
from portal.scoring.rules import Answer, Domain, Evidence, Held, Inputs, Policy, Proof, Question, State
from portal.scoring.rules.causes import Cause, Explanation, Part, Thing
from portal.scoring.rules.written import changes
from portal.sites.lab.score_words import EVIDENCE_WORDS, LEVEL_WORDS, RECOMMENDATION_WORDS, STATE_WORDS
from portal.sites.shared.ui import day, points
from portal.terms import ACCESS_MODE_WORDS, DATA_CLASS_WORDS, AccessMode, DataClass

PART_WORDS: Final = {
    Part.ANSWERS: ("Answers", "What the vendor said and reviewers judged, and what is at stake"),
    Part.RULES: ("Rules", "The questionnaire’s version and the scoring policy"),
    Part.EVIDENCE: ("Evidence", "Files that came, went or were verified"),
    Part.TIME: ("Time", "What ended between the two days with nothing else changed"),
}
MOST: Final = 60
"""How many causes of a part a page opens; the rest are told as one number, so that the table still adds up."""
CLAIM_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One cause as a row: what it is about, before and after in words, and what it moved."""

    number: str
    name: str
    key: str
    file: str
    before: str
    after: str
    claim: Fraction
    score: Fraction
    verified: Fraction
    suggests: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the picture: from where to where the score went, in percent of its width."""

    x: float
    width: float
    tone: str
    sign: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One part of the change: its numbers, its bar, its causes, and those that moved no number."""

    part: Part
    title: str
    about: str
    claim: Fraction
    score: Fraction
    verified: Fraction
    strength: Fraction
    residual: Fraction
    bar: Bar
    lines: Sequence[Line]
    rest: Line | None
    silent: Sequence[Line]


class Words:
    """Puts causes into words, by the names that the two questionnaires and the library give things."""

    def __init__(self, before: Questionnaire, after: Questionnaire, files: Mapping[str, FileName]) -> None:
        """Take both versions: a question that went is only known to the earlier one."""
        self.before, self.after, self.files = before, after, files

    def line(self, cause: Cause) -> Line:
        """Return a cause as a row."""
        number, name = self._named(cause)
        before, after = self._said(cause)
        old, new = cause.suggested
        return Line(
            number=number,
            name=name,
            key=cause.key,
            file=self._file(cause.file) if cause.file and cause.thing is not Thing.HELD_LAPSE else "",
            before=before,
            after=after,
            claim=cause.moved.claim,
            score=cause.moved.score,
            verified=cause.moved.verified,
            suggests="" if old is new else f"“{RECOMMENDATION_WORDS[new]}” and no longer “{RECOMMENDATION_WORDS[old]}”",
        )

    def _named(self, cause: Cause) -> tuple[str, str]:
        if cause.thing is Thing.STAKE:
            return "", "What is at stake"
        if cause.thing is Thing.POLICY:
            return "", "Scoring policy"
        if cause.thing is Thing.DOMAIN:
            return "", f"Section {self._section(cause.key)}"
        if cause.thing in {Thing.HELD, Thing.HELD_LAPSE}:
            return "", f"{self._kind(cause)} among the documents that the tier requires"
        for questionnaire in (self.after, self.before):
            if cause.key in questionnaire:
                return questionnaire.number_of(cause.key), questionnaire.question(cause.key).label
        return "", cause.key

    def _said(self, cause: Cause) -> tuple[str, str]:
        before, after = cause.before, cause.after
        if cause.thing is Thing.STAKE and isinstance(before, Inputs) and isinstance(after, Inputs):
            return stake_words(before, after)
        if cause.thing is Thing.POLICY and isinstance(before, Policy) and isinstance(after, Policy):
            told = changes(before, after)
            more = f" and {len(told) - 6} more" if len(told) > 6 else ""
            first = "; ".join(f"{each.words}: {each.old} to {each.new}" for each in told[:6])
            return f"Version {before.version}", f"Version {after.version}. {first}{more}"
        if cause.thing is Thing.DOMAIN and isinstance(before, Domain) and isinstance(after, Domain):
            return f"Weight {before.weight}", f"Weight {after.weight}"
        if cause.thing is Thing.FILE:
            return proof_words(before), proof_words(after)
        if cause.thing is Thing.HELD:
            return held_words(before), held_words(after)
        if cause.thing in {Thing.LAPSE, Thing.HELD_LAPSE}:
            return self._lapsed(before), self._lapsed(after)
        if cause.thing is Thing.QUESTION and isinstance(before, tuple) and isinstance(after, tuple):
            return rule_words(before, after)
        return self._answers(cause)

    def _answers(self, cause: Cause) -> tuple[str, str]:
        """Return two answers in words; what is the same in both is said once, in the first."""
        return self._answer(cause.before, self.before, cause.key), self._answer(cause.after, self.after, cause.key)

    def _answer(self, answer: object, questionnaire: Questionnaire, key: str) -> str:
        if not isinstance(answer, Answer):
            return "Not answered"
        if answer.state is not State.OK:
            words = STATE_WORDS[answer.state]
            return words[:1].upper() + words[1:]
        if answer.contradicted:
            return f"{self._claim(answer, questionnaire, key)}, contradicted: 0 of 100"
        if answer.finding is not None:
            reason = answer.finding.reason
            return (
                f"{self._claim(answer, questionnaire, key)}; a reviewer gave {answer.finding.credit} of 100: "
                f"{reason if len(reason) <= 160 else reason[:157] + '…'}"
            )
        return f"{self._claim(answer, questionnaire, key)}, {answer.credit} of 100"

    def _claim(self, answer: Answer, questionnaire: Questionnaire, key: str) -> str:
        """Return what was claimed, in the words of the options; the stored text is cut, so it may not be readable."""
        try:
            value: dict[str, Any] = json.loads(answer.claim) if answer.claim else {}
        except ValueError:
            return "Answered"
        labels = {}
        if key in questionnaire:
            labels = {each.key: each.label for each in questionnaire.question(key).choices}
        if "choice" in value:
            return str(labels.get(value["choice"], value["choice"]))
        if "choices" in value:
            return ", ".join(str(labels.get(each, each)) for each in value["choices"])
        if "number" in value:
            return str(value["number"])
        text = str(next(iter(value.values()), "")) if value else ""
        if not text or text[0] in "[{":
            return "Answered"
        return text if len(text) <= CLAIM_LENGTH else f"{text[: CLAIM_LENGTH - 1]}…"

    def _lapsed(self, thing: object) -> str:
        """Return what an answer or a document rests on, on a day."""
        if not isinstance(thing, tuple):
            return ""
        what, on = thing
        if isinstance(what, Held):
            return f"On {day(on)}: {'ended' if _over(what.valid_until, on) else 'valid'}"
        if not isinstance(what, Answer):
            return ""
        best = max((each.on(on) for each in what.proofs), default=Evidence.NONE)
        words = f"On {day(on)}: {EVIDENCE_WORDS[best]}"
        accepted = what.not_applicable
        if what.state is State.NA and accepted is not None and accepted.until is not None:
            held = "no longer accepted" if on > accepted.until else "accepted"
            words = f"On {day(on)}: {held} as not applying, until {day(accepted.until)}"
        names = [
            f"{self._file(each.key)} until {day(end)}"
            for each in what.proofs
            if (end := each.verified_until if each.verified and each.verified_until else each.valid_until) is not None
        ]
        return f"{words} ({', '.join(names[:3])})" if names else words

    def _section(self, key: str) -> str:
        for questionnaire in (self.after, self.before):
            for each in questionnaire.sections:
                if each.key == key:
                    return each.title
        return key

    def _file(self, key: str) -> str:
        known = self.files.get(key)
        return known.file_name if known is not None else "a file"

    def _kind(self, cause: Cause) -> str:
        for each in (cause.after, cause.before):
            held = each[0] if isinstance(each, tuple) else each
            if isinstance(held, Held):
                return f"{KINDS[held.kind].title if held.kind in KINDS else held.kind} ({self._file(cause.key)})"
        return self._file(cause.key)


def opened(explanation: Explanation, words: Words) -> list[Opened]:
    """Return the four parts with their causes in words, the largest first; those that moved nothing by themselves."""
    found = []
    low, span = _frame(explanation)
    at = explanation.before.measures.score
    for part in Part:
        numbers = {
            name: getattr(explanation.split(name), part.value)
            for name in ("claim", "score", "verified", "strength", "residual")
        }
        causes = sorted(explanation.of(part), key=lambda each: (-abs(each.moved.score), -abs(each.moved.claim)))
        moving = [each for each in causes if each.moved.claim or each.moved.score or each.moved.verified]
        silent = [each for each in causes if each not in moving]
        title, about = PART_WORDS[part]
        found.append(
            Opened(
                part=part,
                title=title,
                about=about,
                bar=_bar(at, at + numbers["score"], low, span),
                lines=[words.line(each) for each in moving[:MOST]],
                rest=_rest(moving[MOST:]),
                silent=[words.line(each) for each in silent[:MOST]],
                **numbers,
            )
        )
        at += numbers["score"]
    return found


def _rest(causes: Sequence[Cause]) -> Line | None:
    if not causes:
        return None
    return Line(
        "",
        f"{len(causes)} more",
        "",
        "",
        "",
        "",
        sum((each.moved.claim for each in causes), Fraction()),
        sum((each.moved.score for each in causes), Fraction()),
        sum((each.moved.verified for each in causes), Fraction()),
        "",
    )


def _frame(explanation: Explanation) -> tuple[Fraction, Fraction]:
    """Return where the picture begins and how much it spans: all stations of the score with some room."""
    stations = [explanation.before.measures.score]
    for part in Part:
        stations.append(stations[-1] + getattr(explanation.split("score"), part.value))
    low, high = max(min(stations) - 4, Fraction()), min(max(stations) + 4, Fraction(100))
    return low, max(high - low, Fraction(1))


def _bar(start: Fraction, end: Fraction, low: Fraction, span: Fraction) -> Bar:
    first, last = sorted((start, end))
    x = round(float((first - low) / span * 100), 2)
    width = max(round(float((last - first) / span * 100), 2), 0.6)
    tone = "v-mute" if start == end else "v-ok" if end > start else "v-bad"
    return Bar(min(x, 99.4), width, tone, "" if start == end else "up" if end > start else "down")


def ends(explanation: Explanation) -> tuple[Bar, Bar]:
    """Return the bars of the first and of the second score."""
    low, span = _frame(explanation)
    return (
        _bar_to(explanation.before.measures.score, low, span),
        _bar_to(explanation.after.measures.score, low, span),
    )


def _bar_to(value: Fraction, low: Fraction, span: Fraction) -> Bar:
    return Bar(0, max(round(float((value - low) / span * 100), 2), 0.6), "v", "")


def sentence(explanation: Explanation) -> str:
    """Return the whole change in one sentence of exact numbers."""
    split = explanation.difference.score
    parts = [
        f"{PART_WORDS[part][0].lower()} {points(value, signed=True)}"
        for part in Part
        if (value := getattr(split, part.value))
    ]
    old, new = explanation.before, explanation.after
    suggests = (
        f"It still suggests “{RECOMMENDATION_WORDS[new.recommendation]}”."
        if old.recommendation is new.recommendation
        else f"It suggested “{RECOMMENDATION_WORDS[old.recommendation]}” and suggests "
        f"“{RECOMMENDATION_WORDS[new.recommendation]}”."
    )
    if not split.total:
        moved = f"The score is the same: {points(new.measures.score)}."
        return f"{moved} {'What moved it cancels out: ' + ', '.join(parts) + '. ' if parts else ''}{suggests}"
    return (
        f"From {points(old.measures.score)} to {points(new.measures.score)}: {', '.join(parts)}, together "
        f"{points(split.total, signed=True)}. {suggests}"
    )


def stake_words(before: Inputs, after: Inputs) -> tuple[str, str]:
    """Return what differs in exposure, scoping facts and the raised tier."""
    pairs = [
        (_data(before), _data(after)),
        (_modes(before), _modes(after)),
        (_wide(before), _wide(after)),
        (_raised(before), _raised(after)),
        (f"facts: {', '.join(before.facts) or 'none'}", f"facts: {', '.join(after.facts) or 'none'}"),
    ]
    differing = [(old, new) for old, new in pairs if old != new]
    return "; ".join(old for old, _ in differing), "; ".join(new for _, new in differing)


def _data(given: Inputs) -> str:
    highest = max(given.exposure.data_classes, default=0)
    name = f"D{highest}"
    return f"{name} {DATA_CLASS_WORDS[DataClass[name]]}" if name in DataClass.__members__ else name


def _modes(given: Inputs) -> str:
    names = [f"A{mode}" for mode in given.exposure.access_modes]
    known = [ACCESS_MODE_WORDS[AccessMode(each)] for each in names if each in AccessMode.__members__]
    return ", ".join(known or names) or "no access"


def _wide(given: Inputs) -> str:
    exposure = given.exposure
    words = [
        name
        for name, true in (
            ("open crowd", exposure.open_crowd),
            ("own devices", exposure.own_devices),
            ("subcontracted", exposure.subcontracted),
        )
        if true
    ]
    return ", ".join([*words, f"{exposure.people:,} people"])


def _raised(given: Inputs) -> str:
    return f"tier raised to {given.raised_tier}" if given.raised_tier is not None else "tier not raised"


def proof_words(proof: object) -> str:
    """Return what a file is to an answer."""
    if not isinstance(proof, Proof):
        return "Not there"
    words = "Verified" if proof.verified else "Attached"
    if proof.verified and proof.verified_until is not None:
        words += f" until {day(proof.verified_until)}"
        if proof.valid_until is not None and proof.valid_until > proof.verified_until:
            words += f", attached until {day(proof.valid_until)}"
        return words
    if proof.valid_until == date.min:
        return f"{words}, counts on no day"
    return words if proof.valid_until is None else f"{words}, counts until {day(proof.valid_until)}"


def held_words(held: object) -> str:
    """Return how long a required document is held."""
    if not isinstance(held, Held):
        return "Not there"
    return "There" if held.valid_until is None else f"There, valid until {day(held.valid_until)}"


def rule_words(before: Sequence[object], after: Sequence[object]) -> tuple[str, str]:
    """Return what differs in how a question counts: its weight, what it expects, and what its answer is worth."""
    was, now = before[0], after[0]
    if not isinstance(was, Question):
        return "Not asked", _rule(now) + _worth(after)
    if not isinstance(now, Question):
        return _rule(was) + _worth(before), "Not asked any more"
    names: tuple[tuple[str, Callable[[Question], str]], ...] = (
        ("weight", lambda q: f"weight {q.weight}"),
        ("level", lambda q: LEVEL_WORDS[q.level].lower()),
        ("knock_out_limit", lambda q: "a knock-out" if q.knock_out_limit is not None else "no knock-out"),
        ("tiers", lambda q: f"asked in tiers {', '.join(map(str, q.tiers))}"),
        ("domain", lambda q: f"in section {q.domain}"),
    )
    differing = [say for name, say in names if getattr(was, name) != getattr(now, name)]
    old, new = "; ".join(say(was) for say in differing), "; ".join(say(now) for say in differing)
    worth_old, worth_new = _worth(before), _worth(after)
    if worth_old != worth_new or not differing:
        old, new = (old + worth_old).removeprefix("; "), (new + worth_new).removeprefix("; ")
    return old[:1].upper() + old[1:], new[:1].upper() + new[1:]


def _rule(question: object) -> str:
    return f"Weight {question.weight}" if isinstance(question, Question) else ""


def _worth(pair: Sequence[object]) -> str:
    answer = pair[1] if len(pair) > 1 else None
    if not isinstance(answer, Answer):
        return "; not answered"
    if answer.state is not State.OK:
        return f"; {STATE_WORDS[answer.state]}"
    return f"; the answer is worth {answer.credit} of 100"


def _over(until: date | None, on: date) -> bool:
    return until is not None and on > until


def ids_of(inputs: Iterable[Inputs]) -> set[UUID]:
    """Return the ids of the files that scores name."""
    found = set()
    for given in inputs:
        keys = {each.key for each in given.held} | {proof.key for each in given.answers for proof in each.proofs}
        for key in keys:
            try:
                found.add(UUID(key))
            except ValueError:
                continue
    return found
