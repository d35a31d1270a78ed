"""What becomes of an earlier signed answer when the vendor is asked again.

The permanent key, the meaning revision, the kind, the option key and the shape decide, and nothing else. No answer
disappears: each has exactly one fate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from portal.attestations.rules.standing import UNSEEN, Use, use_of
from portal.questionnaires import rules as questions
from portal.questionnaires.rules import Answer, Facts, Question, Questionnaire, ScopingFact, from_json
from portal.terms import EvidenceState, ScanState

NOTHING: Final[Mapping[str, Answer]] = MappingProxyType({})


class Fate(StrEnum):
    """What becomes of an earlier answer."""

    TO_CONFIRM = "to_confirm"
    RE_ATTEST = "re_attest"
    ARCHIVED = "archived"


class Cause(StrEnum):
    """Why an earlier answer cannot be confirmed as it is."""

    CLAIM = "claim"
    KIND = "kind"
    OPTION = "option"
    SHAPE = "shape"


@dataclass(frozen=True, slots=True)
class Earlier:
    """One signed answer, with its question as it was asked then. ``content`` is that of ``to_json``."""

    key: str
    question: Question
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fated:
    """The fate of an earlier answer, and why."""

    fate: Fate
    causes: tuple[Cause, ...] = ()


def fate_of(earlier: Earlier, new: Question | None) -> Fated:
    """Return what becomes of an earlier answer; ``new`` is the question of the same key that is asked now, if any.

    To confirm only if the claim, the kind and every chosen option are what they were, and the answer still fits.
    """
    if new is None:
        return Fated(Fate.ARCHIVED)
    causes = tuple(_causes(earlier, new))
    return Fated(Fate.RE_ATTEST, causes) if causes else Fated(Fate.TO_CONFIRM)


def _causes(earlier: Earlier, new: Question) -> Iterator[Cause]:
    old = earlier.question
    if old.revision != new.revision:
        yield Cause.CLAIM
    if old.kind is not new.kind:
        yield Cause.KIND
        return
    if _vanished(earlier, new):
        yield Cause.OPTION
    elif old.unit != new.unit or not fits(new, earlier.content, offered=_offered(earlier, new)):
        yield Cause.SHAPE


def _vanished(earlier: Earlier, new: Question) -> bool:
    """Whether something was chosen that is not on offer any more."""
    picked: list[str] = list(earlier.content.get("choices", ()))
    if "choice" in earlier.content:
        picked.append(earlier.content["choice"])
    on_offer = {option.key for option in new.choices} | _offered(earlier, new)
    return not on_offer.issuperset(picked)


def _offered(earlier: Earlier, new: Question) -> frozenset[str]:
    """Return the keys that a question over earlier answers took then, which it takes now too."""
    if not new.options_from or new.options_from != earlier.question.options_from:
        return frozenset()
    own = {option.key for option in earlier.question.choices}
    return frozenset(earlier.content.get("choices", ())) - own


def fits(question: Question, content: Mapping[str, Any], *, offered: frozenset[str] = frozenset()) -> bool:
    """Whether a question takes this very content: read as a form, it comes out the same."""
    read = questions.parse_answer(question, form_of(content), draft=True, offered=offered)
    return isinstance(read, Answer) and questions.to_json(read) == dict(content)


def form_of(content: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """Return the form fields that ``questionnaires.rules.parse_answer`` reads this content from."""
    raw: dict[str, str | list[str]] = {}
    for key, value in content.items():
        if key == "na":
            raw["na"] = "1"
        elif key == "date":
            raw["day"] = value
        elif key == "range":
            raw.update(value)
        elif key == "details":
            for name, item in value.items():
                raw.update(_field(f"details.{name}", item))
        else:
            raw.update(_field(key, value))
    return raw


def _field(name: str, value: Any) -> dict[str, str | list[str]]:
    """Return one value as form fields: a text, a list of texts, or rows."""
    if isinstance(value, str):
        # A period is kept as one text and filled in as two days; whoever reads a text ignores these.
        first, _, last = value.partition("/")
        return {name: value, f"{name}.from": first, f"{name}.to": last}
    if all(isinstance(item, str) for item in value):
        return {name: list(value)}
    return {f"{name}.{number}.{key}": item for number, row in enumerate(value) for key, item in row.items()}


def related(one: Questionnaire, other: Questionnaire) -> bool:
    """Whether two versions share a question at all. What was said to a stranger is neither carried nor archived."""
    return any(question.key in other for question in one.questions)


def same_fact(old: ScopingFact, new: ScopingFact) -> bool:
    """Whether two versions ask for the same scoping fact, so that what was stated then can be shown to be confirmed."""
    return _meaning(old) == _meaning(new)


def _meaning(fact: ScopingFact) -> object:
    def options(given: Sequence[questions.Option]) -> list[tuple[str, str]]:
        return sorted((option.key, option.label) for option in given)

    columns = [(column.key, column.label, column.kind, options(column.options)) for column in fact.columns]
    beside = [
        (each.key, each.label, each.kind, options(each.options), [column.key for column in each.columns])
        for each in fact.details
    ]
    return (fact.owner, fact.kind, " ".join(fact.text.split()), fact.unit, options(fact.options), columns, beside)


def why_not_carried(state: EvidenceState, scan: ScanState, *, removed: bool, valid_until: date | None, on: date) -> str:
    """Return why a file does not come over with its answer, as the end of "This file …"; nothing if it does.

    It comes over while it can be signed with, and until the last day on which it is valid.
    """
    use = use_of(state, scan, removed=removed)
    if removed:
        return "was removed"
    if use is Use.REFUSED:
        return "was turned down"
    if use is Use.CHECKING:
        return "is still being checked"
    if valid_until is not None and valid_until < on:
        return f"ended on {valid_until.day} {valid_until:%B %Y}"
    return ""


@dataclass(frozen=True, slots=True)
class Carried:
    """One earlier answer as it waits: its fate and what it said."""

    fate: Fate
    content: Mapping[str, Any]

    @property
    def answer(self) -> Answer:
        """The answer as a value."""
        return from_json(self.content)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is left of the earlier answers for the questions that are asked, and what is new; keys in order.

    ``archived`` are the earlier answers whose questions this version does not ask, by key. What is carried over but
    hidden now is in none of them, and is not lost: when its question is asked it is there.
    """

    to_confirm: tuple[str, ...]
    re_attest: tuple[str, ...]
    new: tuple[str, ...]
    archived: tuple[str, ...]


def plan(
    questionnaire: Questionnaire,
    tier: int,
    facts: Facts,
    carried: Mapping[str, Carried],
    answers: Mapping[str, Answer] = NOTHING,
) -> Plan:
    """Return what a vendor has to do about what is asked of it, with what is to be confirmed taken as said.

    :param carried: the earlier answers that wait; those that were confirmed or answered anew are not in it.
    :param answers: what was answered already.
    """
    waiting = waiting_answers(carried)
    states = questions.state_of(questionnaire, tier, facts, {**waiting, **_given(questionnaire, answers)})
    asked = [
        question
        for question in questionnaire.questions
        if states[question.key] not in UNSEEN and not questions.is_answered(question, answers.get(question.key))
    ]
    return Plan(
        to_confirm=tuple(each.key for each in asked if each.key in waiting),
        re_attest=tuple(each.key for each in asked if _is(carried, each.key, Fate.RE_ATTEST)),
        new=tuple(each.key for each in asked if each.key not in carried or _is(carried, each.key, Fate.ARCHIVED)),
        archived=tuple(sorted(key for key in carried if key not in questionnaire)),
    )


def waiting_answers(carried: Mapping[str, Carried]) -> dict[str, Answer]:
    """Return the earlier answers that only wait for somebody to confirm them."""
    return {key: each.answer for key, each in carried.items() if each.fate is Fate.TO_CONFIRM}


def _given(questionnaire: Questionnaire, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    return {
        key: answer
        for key, answer in answers.items()
        if key in questionnaire and questions.is_answered(questionnaire.question(key), answer)
    }


def _is(carried: Mapping[str, Carried], key: str, fate: Fate) -> bool:
    return key in carried and carried[key].fate is fate


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move to another version does with the answers of a running assessment; every key is in exactly one."""

    kept: tuple[str, ...]
    re_attest: Mapping[str, tuple[Cause, ...]]
    archived: tuple[str, ...]


def moved(old: Questionnaire, new: Questionnaire, answers: Mapping[str, Mapping[str, Any]]) -> Moved:
    """Return what a move from one version to another does with answers, by key.

    What was answered under a key that the old version does not ask came from nowhere that is known: it is archived.
    """
    fates = {
        key: fate_of(Earlier(key, old.question(key), content), new.question(key) if key in new else None)
        if key in old
        else Fated(Fate.ARCHIVED)
        for key, content in answers.items()
    }
    return Moved(
        kept=tuple(sorted(key for key, each in fates.items() if each.fate is Fate.TO_CONFIRM)),
        re_attest={key: each.causes for key, each in sorted(fates.items()) if each.fate is Fate.RE_ATTEST},
        archived=tuple(sorted(key for key, each in fates.items() if each.fate is Fate.ARCHIVED)),
    )
