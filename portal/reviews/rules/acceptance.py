"""Which answers a rule accepts: the rules as a document that people sign, and what they say of one answer. Pure.

A rule accepts only what a person accepted before and what says and proves the same now. Beyond what a rule asks for,
some things hold always: a claim not to apply is a person's to accept, for it takes a question out of the score; a
knock-out in Tier 1 is never accepted by rule; neither is an answer with a finding, or one that a machine points at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from portal.questionnaires.rules import QuestionState
from portal.reviews.rules.changes import Changed
from portal.reviews.rules.check_values import CHECK_WORDS, CheckKind
from portal.rulebook.rules.tree import Leaf, Path, Unreadable, leaves
from portal.scoring.rules import Evidence

FORMAT: Final = "gatehouse acceptance 1"
KIND: Final = "acceptance"
MOST_RULES: Final = 20
MOST_EVERY: Final = 1_000
MAX_WORDS: Final = 200

LEVELS: Final[Mapping[str, int]] = {"not_expected": 0, "accepted": 1, "required": 2}
LEVEL_WORDS: Final = ("where none is expected", "where it is accepted", "where it is required")
STATES: Final[Mapping[str, Evidence]] = {each.name.lower(): each for each in Evidence}
STATE_WORDS: Final[Mapping[Evidence, str]] = {
    Evidence.NONE: "none",
    Evidence.EXPIRED: "at least what ended",
    Evidence.ATTACHED: "at least attached",
    Evidence.VERIFIED: "verified",
}
ALLOWED_CHANGES: Final = (Changed.UNCHANGED, Changed.EVIDENCE)
"""What a rule may accept: the same words. What went up, down or is new is read by a person."""


class AcceptedBy(StrEnum):
    """Who accepted the same answer in the review before."""

    PERSON = "person"
    RULE = "rule"


BY_WORDS: Final[Mapping[AcceptedBy, str]] = {AcceptedBy.PERSON: "a person", AcceptedBy.RULE: "a rule"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``evidence``: the least state by level; ``knock_outs``: the tiers in which it takes knock-outs too."""

    name: str
    says: str
    changes: frozenset[Changed]
    tiers: frozenset[int]
    accepted_by: frozenset[AcceptedBy]
    evidence: tuple[Evidence, Evidence, Evidence]
    knock_outs: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole document: which checks are on, how many answers stay for a glance, and the rules in their order."""

    checks: frozenset[CheckKind]
    glance_every: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """One answer as the rules see it. ``draw`` names it for the sample and is known to nobody of the vendor's."""

    key: str
    draw: str
    state: QuestionState
    changed: Changed
    tier: int
    level: int
    evidence: Evidence
    knock_out: bool
    before: AcceptedBy | None
    checks: int = 0
    finding: bool = False
    to_check: bool = False


class Because(StrEnum):
    """Why no rule accepts an answer; the first that holds."""

    NOT_ASKED = "not_asked"
    CHANGED = "changed"
    DOES_NOT_APPLY = "does_not_apply"
    FINDING = "finding"
    CONTRADICTION = "contradiction"
    KNOCK_OUT = "knock_out"
    NOT_ACCEPTED_BEFORE = "not_accepted_before"
    CHECK_AGAIN = "check_again"
    EVIDENCE = "evidence"
    NO_RULE = "no_rule"
    GLANCE = "glance"


BECAUSE_WORDS: Final[Mapping[Because, str]] = {
    Because.NOT_ASKED: "it has no answer",
    Because.CHANGED: "it says something else than before",
    Because.DOES_NOT_APPLY: "it is said not to apply",
    Because.FINDING: "there is a finding on it",
    Because.CONTRADICTION: "a check points at it",
    Because.KNOCK_OUT: "it is a knock-out",
    Because.NOT_ACCEPTED_BEFORE: "it was not accepted in the review before",
    Because.CHECK_AGAIN: "a file behind it was replaced or does not count",
    Because.EVIDENCE: "its evidence is not good enough for a rule",
    Because.NO_RULE: "no rule is for this tier",
    Because.GLANCE: "it stays for a glance, by the draw",
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules say of one answer: the rule that accepts it, or why none does."""

    rule: Rule | None
    because: Because | None = None


def ruling(rules: Rules, subject: Subject) -> Ruling:
    """Return which rule accepts an answer, or why none does."""
    if because := _never(subject):
        return Ruling(None, because)
    refusals = []
    for rule in rules.rules:
        refused = _refused(rule, subject)
        if refused is None:
            drawn = is_drawn(subject.draw, subject.key, rules.glance_every)
            return Ruling(None, Because.GLANCE) if drawn else Ruling(rule)
        refusals.append(refused)
    # The rule that came nearest says why: reasons stand in the order in which they are looked at.
    return Ruling(None, max(refusals, key=list(Because).index, default=Because.NO_RULE))


def _never(subject: Subject) -> Because | None:
    if subject.state is QuestionState.NA_CLAIMED:
        return Because.DOES_NOT_APPLY
    if subject.state is not QuestionState.ANSWERED:
        return Because.NOT_ASKED
    if subject.changed not in ALLOWED_CHANGES:
        return Because.CHANGED
    if subject.finding:
        return Because.FINDING
    if subject.checks:
        return Because.CONTRADICTION
    if subject.knock_out and subject.tier == 1:
        return Because.KNOCK_OUT
    return Because.CHECK_AGAIN if subject.to_check else None


def _refused(rule: Rule, subject: Subject) -> Because | None:
    if subject.tier not in rule.tiers:
        return Because.NO_RULE
    if subject.changed not in rule.changes:
        return Because.CHANGED
    if subject.knock_out and subject.tier not in rule.knock_outs:
        return Because.KNOCK_OUT
    if subject.before is None or subject.before not in rule.accepted_by:
        return Because.NOT_ACCEPTED_BEFORE
    return Because.EVIDENCE if subject.evidence < rule.evidence[subject.level] else None


def is_drawn(draw: str, key: str, every: int) -> bool:
    """Whether an answer stays for a person's glance: always the same for one review, about one in ``every``."""
    if every <= 0:
        return False
    return int.from_bytes(hashlib.sha256(f"{draw}:{key}".encode()).digest()[:8], "big") % every == 0


def stamp(name: str, version: int) -> str:
    """Return the name under which a verdict by rule is kept: the rule and the version of the document."""
    return f"{name} v{version}"


# --- the document

FIRST: Final = """\
# Which answers a rule accepts, so that people read what changed.
# A person can say otherwise at any time. Never by rule, whatever stands here:
# a claim not to apply, a knock-out in tier 1, an answer with a finding,
# and one that a check points at.
format: gatehouse acceptance 1

# Contradictions that are looked for. What is not named here is neither shown nor counted.
checks: [answers, exceptions, last_year, exposure, evidence]

# Of the answers that a rule would accept, one in so many stays for a person's
# glance, by a stable draw; 0: none.
glance_every: 10

rules:
  R-3:
    says: The same question, the same answer, evidence valid, accepted last year
    changes: [unchanged]
    tiers: [1, 2, 3]
    # By whom the same answer was accepted in the review before.
    accepted_by: [person]
    # The least that the evidence must be: none, expired, attached or verified.
    evidence:
      not_expected: none
      accepted: attached
      required: verified
    # The tiers in which it takes knock-outs too; never tier 1.
    knock_outs: [2, 3]
"""


@dataclass(slots=True)
class _Reading:
    """A document while it is read: its values, those that were looked at, and what is wrong with them."""

    values: Mapping[Path, Leaf]
    seen: set[Path] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def leaf(self, path: Path) -> Leaf | None:
        self.seen.add(path)
        found = self.values.get(path)
        if found is None:
            self.problems.append(f"“{'.'.join(path)}” is missing")
        return found

    def say(self, leaf: Leaf, words: str) -> None:
        self.problems.append(f"Line {leaf.line}: {words}")

    def among(self, path: Path, known: Collection[str]) -> list[str]:
        """Return a list of known words, each once."""
        leaf = self.leaf(path)
        if leaf is None:
            return []
        given = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        words = [str(each) for each in given]
        name = path[-1]
        if strange := [each for each in words if each not in known]:
            self.say(leaf, f"“{name}” knows {', '.join(known)}, not {', '.join(strange)}")
        if len(set(words)) < len(words):
            self.say(leaf, f"“{name}” names something twice")
        return [each for each in dict.fromkeys(words) if each in known]


def problems_of(text: str) -> list[str]:
    """Return what is wrong with a document, in sentences; nothing if it may be published."""
    return _read(text)[1]


def read(text: str) -> Rules:
    """Return a document as values.

    :raises ValueError: if something is wrong with it.
    """
    rules, problems = _read(text)
    if rules is None or problems:
        raise ValueError("; ".join(problems))
    return rules


def _read(text: str) -> tuple[Rules | None, list[str]]:
    try:
        doc = _Reading(leaves(text))
    except Unreadable as failure:
        return None, [str(failure)]
    form = doc.leaf(("format",))
    if form is not None and form.value != FORMAT:
        doc.say(form, f"the format is “{FORMAT}”")
    checks = doc.among(("checks",), [each.value for each in CheckKind])
    every = _whole(doc, ("glance_every",), MOST_EVERY)
    names = dict.fromkeys(path[1] for path in doc.values if len(path) > 1 and path[0] == "rules")
    if len(names) > MOST_RULES:
        doc.problems.append(f"At most {MOST_RULES} rules are kept")
    rules = tuple(_rule(doc, name) for name in list(names)[:MOST_RULES])
    doc.seen.add(("rules",))
    if (leaf := doc.values.get(("rules",))) is not None and leaf.value not in ("", "{}"):
        doc.say(leaf, "“rules” is a list of names, each with its conditions")
    for path, leaf in doc.values.items():
        if path not in doc.seen:
            doc.say(leaf, f"“{'.'.join(path)}” is not known here")
    return Rules(frozenset(map(CheckKind, checks)), every, rules), doc.problems


def _whole(doc: _Reading, path: Path, most: int) -> int:
    leaf = doc.leaf(path)
    if leaf is None:
        return 0
    if not isinstance(leaf.value, int) or not 0 <= leaf.value <= most:
        doc.say(leaf, f"“{path[-1]}” is a whole number from 0 to {most:,}")
        return 0
    return leaf.value


def _rule(doc: _Reading, name: str) -> Rule:
    at = ("rules", name)
    says = doc.leaf((*at, "says"))
    words = str(says.value) if says is not None and not isinstance(says.value, tuple) else ""
    if says is not None and not 0 < len(words) <= MAX_WORDS:
        doc.say(says, f"“says” is one sentence of at most {MAX_WORDS} characters")
    if not (0 < len(name) <= 20 and name.replace("-", "").isalnum() and name.isascii()):
        doc.problems.append(f"“{name}” is no name for a rule: use letters, digits and hyphens, such as R-3")
    changes = doc.among((*at, "changes"), [each.value for each in ALLOWED_CHANGES])
    tiers = doc.among((*at, "tiers"), ["1", "2", "3"])
    knock_outs = doc.among((*at, "knock_outs"), ["2", "3"]) if (*at, "knock_outs") in doc.values else []
    for path, found in ((("changes",), changes), (("tiers",), tiers)):
        if (leaf := doc.values.get((*at, *path))) is not None and not found:
            doc.say(leaf, f"“{path[0]}” names at least one")
    by = doc.among((*at, "accepted_by"), [each.value for each in AcceptedBy])
    if (leaf := doc.values.get((*at, "accepted_by"))) is not None and not by:
        doc.say(leaf, "“accepted_by” names at least one: what nobody accepted before is read by a person")
    return Rule(
        name=name,
        says=words,
        changes=frozenset(map(Changed, changes)),
        tiers=frozenset(map(int, tiers)),
        accepted_by=frozenset(map(AcceptedBy, by)),
        evidence=_evidence(doc, at),
        knock_outs=frozenset(map(int, knock_outs)),
    )


def _evidence(doc: _Reading, at: Path) -> tuple[Evidence, Evidence, Evidence]:
    found = []
    for name, level in LEVELS.items():
        leaf = doc.leaf((*at, "evidence", name))
        state = STATES.get(str(leaf.value)) if leaf is not None else None
        if leaf is not None and state is None:
            doc.say(leaf, f"“{name}” is one of {', '.join(STATES)}")
        if leaf is not None and level == 2 and state is not None and state < Evidence.ATTACHED:
            doc.say(leaf, "where evidence is required, a rule asks for attached or verified evidence")
        found.append(state if state is not None else Evidence.VERIFIED)
    return found[0], found[1], found[2]


def differences(old: str, new: str) -> list[tuple[str, str, str]]:
    """Return what a new document changes, in words: what, before, after. Both can be read."""
    before, after = read(old), read(new)
    said = [
        (CHECK_WORDS[kind], _looked_for(kind in before.checks), _looked_for(kind in after.checks))
        for kind in CheckKind
        if (kind in before.checks) is not (kind in after.checks)
    ]
    if before.glance_every != after.glance_every:
        said.append(("Left to a person’s glance", _every(before.glance_every), _every(after.glance_every)))
    olds, news = ({each.name: each for each in one.rules} for one in (before, after))
    said += [(name, sentence(rule), "gone") for name, rule in olds.items() if name not in news]
    for name, rule in news.items():
        if name not in olds:
            said.append((name, "not there", sentence(rule)))
            continue
        was, now = parts(olds[name]), parts(rule)
        said += [(f"{name}, {what}", was[what], now[what]) for what in now if was[what] != now[what]]
    if not said and list(olds) != list(news):
        said.append(("The order of the rules; the first that fits accepts", ", ".join(olds), ", ".join(news)))
    return said


def _looked_for(on: bool) -> str:
    return "looked for" if on else "not looked for"


def parts(rule: Rule) -> dict[str, str]:
    """Return what a rule asks for, part by part, in words."""
    changes = {Changed.UNCHANGED: "nothing changed", Changed.EVIDENCE: "only the evidence changed"}
    return {
        "it says": f"“{rule.says}”",
        "what changed": " or ".join(changes[each] for each in ALLOWED_CHANGES if each in rule.changes),
        "tiers": ", ".join(map(str, sorted(rule.tiers))),
        "accepted before by": " or ".join(BY_WORDS[each] for each in AcceptedBy if each in rule.accepted_by),
        **{f"evidence {words}": STATE_WORDS[state] for state, words in zip(rule.evidence, LEVEL_WORDS, strict=True)},
        "knock-outs": f"also in tiers {', '.join(map(str, sorted(rule.knock_outs)))}" if rule.knock_outs else "never",
    }


def sentence(rule: Rule) -> str:
    """Return a rule in one line."""
    return "; ".join(f"{what}: {words}" for what, words in parts(rule).items())


def _every(number: int) -> str:
    return f"one in {number:,}" if number else "none"
