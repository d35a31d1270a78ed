"""Why a score is not what it was, down to the single causes: each answer, rule, file and day by itself.

The four parts are those of ``compare.difference``. Inside a part its causes are replaced one after another, in the
order of the keys, and each is given what the number moved by when its turn came. So the causes of a part add up to the
part exactly, for every number, and a joint effect (a question that leaves the score makes all others weigh more) is
the cause's that brought it about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from portal.scoring.rules.compare import Difference, Split, difference, steps
from portal.scoring.rules.plan import Plan, compile_plan
from portal.scoring.rules.policy import Policy
from portal.scoring.rules.reading import read, tier_of
from portal.scoring.rules.result import Recommendation, Score
from portal.scoring.rules.values import (
    Answer,
    Domain,
    Evidence,
    Held,
    Inputs,
    NotApplicable,
    Proof,
    Question,
    Version,
)


class Part(StrEnum):
    """The part of a change that a cause belongs to, in their order."""

    ANSWERS = "answers"
    RULES = "rules"
    EVIDENCE = "evidence"
    TIME = "time"


class Thing(StrEnum):
    """What a cause is about."""

    ANSWER = "answer"
    STAKE = "stake"
    POLICY = "policy"
    DOMAIN = "domain"
    QUESTION = "question"
    FILE = "file"
    HELD = "held"
    LAPSE = "lapse"
    HELD_LAPSE = "held_lapse"


@dataclass(frozen=True, slots=True)
class Moved:
    """By how much each number moved; what no cause moved is zero."""

    claim: Fraction
    score: Fraction
    verified: Fraction
    strength: Fraction
    residual: Fraction

    @property
    def is_nothing(self) -> bool:
        """Whether no number moved."""
        return not (self.claim or self.score or self.verified or self.strength or self.residual)


NUMBERS = ("claim", "score", "verified", "strength", "residual")


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that differs between two scores, and what it alone moved.

    ``key`` names the question, domain or file; ``file`` the file of an answer's proof. ``before`` and ``after`` are
    what it was: answers, questions, domains, proofs, policies and so on; None where it was not there.
    """

    part: Part
    thing: Thing
    key: str
    file: str
    before: object
    after: object
    moved: Moved
    suggested: tuple[Recommendation, Recommendation]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole change in its parts, and every cause of each part in the order in which they were replaced."""

    before: Score
    after: Score
    difference: Difference
    causes: tuple[Cause, ...]

    def of(self, part: Part) -> tuple[Cause, ...]:
        """Return the causes of a part."""
        return tuple(each for each in self.causes if each.part is part)

    def split(self, number: str) -> Split:
        """Return the parts of one number's change."""
        return getattr(self.difference, number)  # type: ignore[no-any-return]


def explain(before: Inputs, after: Inputs) -> Explanation:
    """Return why the second score is not the first, exactly."""
    start, answered, ruled, proven, end = steps(before, after)
    walk = _Walk(start)
    _answers(walk, start, answered)
    _rules(walk, answered, ruled)
    _evidence(walk, ruled, proven)
    _time(walk, proven, end)
    return Explanation(_score(before), _score(after), difference(before, after), tuple(walk.causes))


class _Walk:
    """Goes from one set of inputs to the next and writes down what each step moved."""

    def __init__(self, start: Inputs) -> None:
        self.now = start
        self.result = _score(start)
        self.causes: list[Cause] = []

    def to(
        self, given: Inputs, part: Part, thing: Thing, key: str, before: object, after: object, *, file: str = ""
    ) -> None:
        result = _score(given)
        self.causes.append(
            Cause(
                part=part,
                thing=thing,
                key=key,
                file=file,
                before=before,
                after=after,
                moved=_moved(self.result, result),
                suggested=(self.result.recommendation, result.recommendation),
            )
        )
        self.now, self.result = given, result


def _answers(walk: _Walk, start: Inputs, end: Inputs) -> None:
    old, new = _by_key(start), _by_key(end)
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was != now:
            given = replace(walk.now, answers=_with(walk.now, key, now))
            walk.to(given, Part.ANSWERS, Thing.ANSWER, key, was, now)
    stake = ("exposure", "facts", "raised_tier")
    if any(getattr(start, name) != getattr(end, name) for name in stake):
        walk.to(end, Part.ANSWERS, Thing.STAKE, "stake", start, end)
    walk.now = end


def _rules(walk: _Walk, start: Inputs, end: Inputs) -> None:
    """Policy, then the weights of domains, then question by question with what its answer is worth by its new rule."""
    if start.policy != end.policy:
        walk.to(replace(walk.now, policy=end.policy), Part.RULES, Thing.POLICY, "policy", start.policy, end.policy)
    if start.version == end.version and start.answers == end.answers:
        walk.now = end
        return
    old_domains, new_domains = _domains(start.version), _domains(end.version)
    # Domains that came or went have no weight of their own: they weigh as soon as a question of theirs counts.
    domains = old_domains | {key: each for key, each in new_domains.items() if key not in old_domains}
    walk.now = replace(walk.now, version=_version(end.version, domains, _questions(start.version)))
    for key in sorted(old_domains.keys() & new_domains.keys()):
        if old_domains[key] != new_domains[key]:
            domains = domains | {key: new_domains[key]}
            given = replace(walk.now, version=_version(end.version, domains, _questions(walk.now.version)))
            walk.to(given, Part.RULES, Thing.DOMAIN, key, old_domains[key], new_domains[key])
    old, new = _questions(start.version), _questions(end.version)
    old_answers, new_answers = _by_key(start), _by_key(end)
    for key in sorted(old.keys() | new.keys()):
        was, now = (old.get(key), old_answers.get(key)), (new.get(key), new_answers.get(key))
        if was == now:
            continue
        questions = dict(_questions(walk.now.version))
        if now[0] is None:
            del questions[key]
        else:
            questions[key] = now[0]
        given = replace(
            walk.now,
            version=_version(end.version, domains, questions),
            answers=_with(walk.now, key, now[1]),
        )
        walk.to(given, Part.RULES, Thing.QUESTION, key, was, now)
    walk.now = end


def _evidence(walk: _Walk, start: Inputs, end: Inputs) -> None:
    """File by file of each answer, then the files that are held for the kinds that a tier requires."""
    old, new = _by_key(start), _by_key(end)
    for key in sorted(new):
        was = {each.key: each for each in old[key].proofs}
        now = {each.key: each for each in new[key].proofs}
        for file in sorted(was.keys() | now.keys()):
            if was.get(file) == now.get(file):
                continue
            answer = _by_key(walk.now)[key]
            proofs = {each.key: each for each in answer.proofs}
            if (proof := now.get(file)) is None:
                del proofs[file]
            else:
                proofs[file] = proof
            given = replace(walk.now, answers=_with(walk.now, key, replace(answer, proofs=tuple(proofs.values()))))
            walk.to(given, Part.EVIDENCE, Thing.FILE, key, was.get(file), now.get(file), file=file)
    held, later = ({each.key: each for each in given.held} for given in (start, end))
    for file in sorted(held.keys() | later.keys()):
        if held.get(file) != later.get(file):
            pieces = {each.key: each for each in walk.now.held}
            if (piece := later.get(file)) is None:
                del pieces[file]
            else:
                pieces[file] = piece
            given = replace(walk.now, held=tuple(pieces.values()))
            walk.to(given, Part.EVIDENCE, Thing.HELD, file, held.get(file), later.get(file), file=file)
    walk.now = end


def _time(walk: _Walk, start: Inputs, end: Inputs) -> None:
    """What lapsed between the two days, answer by answer: each is read on the earlier day until its turn comes."""
    if start.as_of == end.as_of:
        walk.now = end
        return
    tier = tier_of(end)
    answers = _by_key(end)
    lapsed = [
        question.key
        for question in end.version.questions
        if read(question, answers.get(question.key), tier=tier, as_of=start.as_of)
        != read(question, answers.get(question.key), tier=tier, as_of=end.as_of)
    ]
    fixed = {key: _as_on(answers[key], start.as_of) for key in lapsed}
    ended = [each for each in end.held if _ended(each, start.as_of) != _ended(each, end.as_of)]
    pieces = {each.key: _held_as_on(each, start.as_of) for each in ended}
    walk.now = replace(
        end,
        answers=tuple(fixed.get(each.key, each) for each in end.answers),
        held=tuple(pieces.get(each.key, each) for each in end.held),
    )
    for key in lapsed:
        given = replace(walk.now, answers=_with(walk.now, key, answers[key]))
        walk.to(given, Part.TIME, Thing.LAPSE, key, (answers[key], start.as_of), (answers[key], end.as_of))
    for each in ended:
        given = replace(walk.now, held=tuple(each if piece.key == each.key else piece for piece in walk.now.held))
        walk.to(given, Part.TIME, Thing.HELD_LAPSE, each.key, (each, start.as_of), (each, end.as_of), file=each.key)


def _as_on(answer: Answer, day: date) -> Answer:
    """Return the answer so that it is worth on any day what it is worth on this one."""

    def fixed(proof: Proof) -> Proof:
        worth = proof.on(day)
        if worth is Evidence.EXPIRED:
            return Proof(proof.key, valid_until=date.min)
        return Proof(proof.key, verified=worth is Evidence.VERIFIED)

    accepted = answer.not_applicable
    if accepted is not None and accepted.until is not None:
        over = day > accepted.until
        accepted = None if over else NotApplicable(accepted.author, accepted.reason, accepted.risk_acceptance)
    return replace(answer, proofs=tuple(map(fixed, answer.proofs)), not_applicable=accepted)


def _held_as_on(piece: Held, day: date) -> Held:
    return replace(piece, valid_until=date.min if _ended(piece, day) else None)


def _ended(piece: Held, day: date) -> bool:
    return piece.valid_until is not None and day > piece.valid_until


def _by_key(given: Inputs) -> dict[str, Answer]:
    return {each.key: each for each in given.answers}


def _with(given: Inputs, key: str, answer: Answer | None) -> tuple[Answer, ...]:
    others = tuple(each for each in given.answers if each.key != key)
    return others if answer is None else (*others, answer)


def _domains(version: Version) -> dict[str, Domain]:
    return {each.key: each for each in version.domains}


def _questions(version: Version) -> dict[str, Question]:
    return {each.key: each for each in version.questions}


def _version(of: Version, domains: Mapping[str, Domain], questions: Mapping[str, Question]) -> Version:
    return Version(of.digest, tuple(domains.values()), tuple(questions.values()))


def _moved(before: Score, after: Score) -> Moved:
    return Moved(
        claim=after.measures.claim - before.measures.claim,
        score=after.measures.score - before.measures.score,
        verified=after.measures.verified - before.measures.verified,
        strength=after.strength - before.strength,
        residual=after.residual - before.residual,
    )


def _score(given: Inputs) -> Score:
    return _plan(given.version, given.policy).score(given)


@lru_cache(maxsize=16)
def _plan(version: Version, policy: Policy) -> Plan:
    return compile_plan(version, policy)
