"""What differs between two versions of a questionnaire, change by change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from portal.questionnaires.rules.definition import Claim, Questionnaire
from portal.questionnaires.rules.ordering import moved_in
from portal.questionnaires.rules.plain import Fields, Plain, fingerprint, plain
from portal.questionnaires.rules.wording import Piece, says_the_same, words

__all__ = ["TOP", "WEIGHTY", "Change", "Flat", "Part", "Piece", "diff", "words"]

TOP: Final = ""


class Part(StrEnum):
    """What of a question (or of a fact, a section, the top) changed.

    A part about one option carries its key, such as `option_relabelled:soc2_type2`. A field that is not listed here
    is a part by its own name and needs a decision like any other.
    """

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    REVISION = "revision"
    KIND = "kind"
    TEXT = "text"
    LABEL = "label"
    OPTION_ADDED = "option_added"
    OPTION_REMOVED = "option_removed"
    OPTION_RELABELLED = "option_relabelled"
    OPTION_CREDIT = "option_credit"
    OPTION_DESCRIPTION = "option_description"
    OPTION_SETS = "option_sets"
    OPTION_ORDER = "option_order"
    OPTIONS_FROM = "options_from"
    UNIT = "unit"
    STEPS = "steps"
    COLUMNS = "columns"
    ROWS = "rows"
    MIN_ROWS = "min_rows"
    LENGTH = "length"
    DETAILS = "details"
    WHEN = "when"
    REQUIRES = "requires"
    WEIGHT = "weight"
    TIERS = "tiers"
    KNOCK_OUT = "knock_out"
    EVIDENCE = "evidence"
    MAPS = "maps"
    GUIDANCE = "guidance"
    WHY = "why"
    STRONG = "strong"
    GOOD_EVIDENCE = "good_evidence"
    WARNINGS = "warnings"
    COMPENSATING = "compensating"
    RULES = "rules"


# The identity of a file, not what it asks; and what follows from where a thing stands.
_IDENTITY: Final = frozenset({"version", "digest", "changes"})
_APART: Final = frozenset({"scoping", "sections"})
_DERIVED: Final = frozenset({"key", "section", "number"})

# A person who answered may have meant something else: these are never called the same by default.
WEIGHTY: Final = frozenset(
    {
        *(Part.KIND, Part.UNIT, Part.STEPS, Part.COLUMNS, Part.WHEN, Part.REQUIRES),
        *(Part.OPTION_REMOVED, Part.OPTION_RELABELLED, Part.OPTION_SETS),
    }
)
# They weigh, prove, bound or explain an answer: what the answer claims is proposed to be what it was.
_BESIDE_THE_CLAIM: Final = frozenset(
    {
        *(Part.MOVED, Part.WEIGHT, Part.TIERS, Part.KNOCK_OUT, Part.EVIDENCE, Part.MAPS),
        *(Part.OPTION_CREDIT, Part.OPTION_ORDER, Part.WHY, Part.STRONG, Part.GOOD_EVIDENCE),
        *(Part.WARNINGS, Part.COMPENSATING, Part.ROWS, Part.MIN_ROWS, Part.LENGTH, "help"),
    }
)
OPTION_PARTS: Final[Mapping[str, str]] = {"label": Part.OPTION_RELABELLED}
_PART_ORDER: Final = {part.value: index for index, part in enumerate(Part)}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one question, scoping fact or section, or of the top (key "").

    `old` and `new` are plain data; nothing stands for what is absent or empty. `of` is the fingerprint that a
    decision names. What is `weighty` is never called the same claim without a note of its own.
    """

    key: str
    part: str
    old: Plain = field(hash=False)
    new: Plain = field(hash=False)
    of: str
    weighty: bool
    proposal: Claim | None
    needs_decision: bool

    @property
    def aspect(self) -> str:
        """The part without the key of an option."""
        return self.part.partition(":")[0]

    @property
    def option(self) -> str:
        """The key of the option that the part speaks of, if it speaks of one."""
        return self.part.partition(":")[2]


@dataclass(slots=True)
class Flat:
    """A version as plain data: the top, and what has a key, in order."""

    top: Fields
    facts: dict[str, Fields]
    sections: dict[str, Fields]
    questions: dict[str, Fields]
    asked: dict[str, list[str]]
    places: dict[str, Fields]

    @classmethod
    def of(cls, version: Questionnaire) -> "Flat":
        return cls(
            top=plain(version, without=_IDENTITY | _APART),
            facts={fact.key: plain(fact, without={"key"}) for fact in version.scoping},
            sections={
                section.key: plain(section, without={"key", "number", "questions"}) for section in version.sections
            },
            questions={question.key: plain(question, without=_DERIVED) for question in version.questions},
            asked={section.key: [question.key for question in section.questions] for section in version.sections},
            places={
                **_after([fact.key for fact in version.scoping]),
                **_after([section.key for section in version.sections]),
                **{
                    key: {"section": section.key, **place}
                    for section in version.sections
                    for key, place in _after([question.key for question in section.questions]).items()
                },
            },
        )


def diff(old: Questionnaire, new: Questionnaire) -> tuple[Change, ...]:
    """Return every change in the order of the new version, what was removed last; nothing if both ask the same.

    Version number, digest and the author's decisions are who a version is, not what it asks, and are no changes.
    """
    before, after = Flat.of(old), Flat.of(new)
    found = [_change(TOP, *each, decide=False) for each in _fields(before.top, after.top)]
    found += _of_facts(before, after)
    moved = _moved_questions(before, after)
    moved_sections = moved_in(list(before.sections), list(after.sections))
    for section, keys in after.asked.items():
        found += _of_section(before, after, section, moved_sections)
        for key in keys:
            found += _of_question(before, after, key, key in moved)
    return (*found, *_removed(before, after))


def _change(key: str, part: str, old: Plain, new: Plain, *, decide: bool, weighty: bool | None = None) -> Change:
    aspect = part.partition(":")[0]
    heavy = decide and (aspect in WEIGHTY if weighty is None else weighty)
    return Change(
        key=key,
        part=str(part),
        old=old,
        new=new,
        of=fingerprint(key, str(part), old, new),
        weighty=heavy,
        proposal=_proposal(aspect, old, new, weighty=heavy) if decide else None,
        needs_decision=decide,
    )


def _proposal(aspect: str, old: Plain, new: Plain, *, weighty: bool) -> Claim:
    if aspect == Part.REMOVED:
        return Claim.REMOVED
    if weighty:
        return Claim.CHANGED
    if aspect in _BESIDE_THE_CLAIM:
        return Claim.SAME
    reworded = isinstance(old, str) and isinstance(new, str) and says_the_same(old, new)
    return Claim.SAME if reworded else Claim.CHANGED


Found = tuple[str, Plain, Plain]


def _fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Found]:
    """Yield each part that differs, options one by one, in the order of the parts."""
    found: list[Found] = []
    for name in {**new, **old}:
        if old.get(name) == new.get(name):
            continue
        if name == "options":
            found += _options(old.get(name, []), new.get(name, []))
        else:
            found.append((name, old.get(name), new.get(name)))
    # The sort is stable: a part that is not listed comes last, options stay in their order.
    yield from sorted(found, key=lambda each: _PART_ORDER.get(each[0].partition(":")[0], len(_PART_ORDER)))


def _options(before: Sequence[Fields], after: Sequence[Fields]) -> Iterator[Found]:
    old = {option["key"]: option for option in before}
    new = {option["key"]: option for option in after}
    places_before, places_after = _after(list(old)), _after(list(new))
    for key, option in new.items():
        if key not in old:
            yield f"{Part.OPTION_ADDED}:{key}", None, {**places_after[key], "option": option}
            continue
        for name in {**option, **old[key]}:
            if option.get(name) != old[key].get(name):
                yield f"{OPTION_PARTS.get(name, f'option_{name}')}:{key}", old[key].get(name), option.get(name)
    for key, option in old.items():
        if key not in new:
            yield f"{Part.OPTION_REMOVED}:{key}", {**places_before[key], "option": option}, None
    stayed_before = [key for key in old if key in new]
    stayed_after = [key for key in new if key in old]
    if stayed_before != stayed_after:
        yield Part.OPTION_ORDER, stayed_before, stayed_after


def _after(keys: Sequence[str]) -> dict[str, Fields]:
    """Return what each key comes after; nothing for the first one."""
    return {key: {"after": before} for key, before in zip(keys, (None, *keys), strict=False)}


def _of_facts(before: Flat, after: Flat) -> Iterator[Change]:
    moved = moved_in(list(before.facts), list(after.facts))
    for key, fields in after.facts.items():
        if key not in before.facts:
            yield _change(key, Part.ADDED, None, {**after.places[key], "fact": fields}, decide=False)
            continue
        if key in moved:
            yield _change(key, Part.MOVED, before.places[key], after.places[key], decide=True)
        for part, old, new in _fields(before.facts[key], fields):
            yield _change(key, part, old, new, decide=True)


def _of_section(before: Flat, after: Flat, key: str, moved: frozenset[str]) -> Iterator[Change]:
    if key not in before.sections:
        yield _change(key, Part.ADDED, None, {**after.places[key], "section": after.sections[key]}, decide=False)
        return
    if key in moved:
        yield _change(key, Part.MOVED, before.places[key], after.places[key], decide=False)
    for part, old, new in _fields(before.sections[key], after.sections[key]):
        yield _change(key, part, old, new, decide=False)


def _moved_questions(before: Flat, after: Flat) -> set[str]:
    """Return the questions that went to another section, or out of the order of their section."""
    found: set[str] = set()
    for section, keys in after.asked.items():
        old = before.asked.get(section, [])
        found |= {key for key in set(keys).difference(old) if key in before.questions}
        found |= moved_in(old, keys)
    return found


def _of_question(before: Flat, after: Flat, key: str, moved: bool) -> Iterator[Change]:
    place, fields = after.places[key], after.questions[key]
    if key not in before.questions:
        yield _change(key, Part.ADDED, None, {**place, "question": fields}, decide=False)
        return
    earlier = before.questions[key]
    if moved:
        was = before.places[key]
        follows = "requires" in fields or "requires" in earlier
        yield _change(key, Part.MOVED, was, place, decide=True, weighty=follows)
    for part, old, new in _fields(earlier, fields):
        respaced = part in (Part.WHEN, Part.REQUIRES) and _respaced(old, new)
        # The revision is what follows from the decisions, so it has none of its own.
        yield _change(key, part, old, new, decide=part != Part.REVISION, weighty=False if respaced else None)


def _respaced(old: Plain, new: Plain) -> bool:
    """Tell whether two conditions differ in their spaces alone."""
    return isinstance(old, str) and isinstance(new, str) and old.split() == new.split()


def _removed(before: Flat, after: Flat) -> Iterator[Change]:
    for key, fields in before.facts.items():
        if key not in after.facts:
            yield _change(key, Part.REMOVED, {**before.places[key], "fact": fields}, None, decide=True)
    for key, fields in before.sections.items():
        if key not in after.sections:
            yield _change(key, Part.REMOVED, {**before.places[key], "section": fields}, None, decide=False)
    for key, fields in before.questions.items():
        if key not in after.questions:
            yield _change(key, Part.REMOVED, {**before.places[key], "question": fields}, None, decide=True)
