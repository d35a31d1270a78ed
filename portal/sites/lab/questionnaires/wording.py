"""How a change between two versions is said: what kind it is, and old and new as words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.questionnaires.rules import Claim, Kind, Questionnaire
from portal.questionnaires.rules.diff import Change, Piece, words

KIND_WORDS = {
    Kind.YES_PARTIAL_NO: "Yes, partly, no",
    Kind.YES_NO: "Yes or no",
    Kind.YES_NO_STRICT: "Yes or no, always applies",
    Kind.ONE_CHOICE: "One choice",
    Kind.NUMBER: "Number",
    Kind.MANY_CHOICES: "Several choices",
    Kind.TABLE: "Table",
    Kind.DATE: "Date",
    Kind.RANGE: "Period",
    Kind.TEXT: "Text",
    Kind.URL: "Web address",
    Kind.FILE: "File",
}

PART_WORDS: Mapping[str, tuple[str, str]] = {
    "added": ("New", "plus"),
    "removed": ("Removed", "trash-2"),
    "moved": ("Moved", "arrow-right"),
    "revision": ("Meaning revision", "git-compare-arrows"),
    "kind": ("Kind of answer", "list-filter"),
    "text": ("Wording", "file-text"),
    "title": ("Title", "file-text"),
    "label": ("Short name", "file-text"),
    "option_added": ("Option added", "plus"),
    "option_removed": ("Option removed", "trash-2"),
    "option_relabelled": ("Option relabelled", "list-checks"),
    "option_credit": ("Credit of an option", "gauge"),
    "option_description": ("Description of an option", "file-text"),
    "option_sets": ("What an option decides", "list-filter"),
    "option_order": ("Order of the options", "list-checks"),
    "options_from": ("Where the options come from", "list-filter"),
    "unit": ("Unit", "gauge"),
    "steps": ("Steps", "gauge"),
    "columns": ("Columns", "list-checks"),
    "rows": ("Most rows", "list-checks"),
    "details": ("Detail fields", "list-checks"),
    "when": ("Condition", "list-filter"),
    "requires": ("Follow-up condition", "list-filter"),
    "weight": ("Weight", "gauge"),
    "tiers": ("Tiers", "gauge"),
    "knock_out": ("Knock-out", "octagon-x"),
    "evidence": ("Evidence", "paperclip"),
    "maps": ("Mapping to controls", "list-checks"),
    "guidance": ("Guidance", "info"),
    "help": ("Help", "info"),
    "intro": ("Introduction", "info"),
    "summary": ("Summary", "info"),
    "why": ("Why we ask", "info"),
    "strong": ("Strong answer", "info"),
    "good_evidence": ("Good evidence", "paperclip"),
    "warnings": ("Warnings", "triangle-alert"),
    "compensating": ("Compensating control", "shield-check"),
    "rules": ("Rules across answers", "list-checks"),
    "expects": ("Counts", "list-checks"),
    "frameworks": ("Frameworks", "list-checks"),
}
"""What each part is called, with its icon. A part that is missing here is called by its own name."""

CLAIM_WORDS = {
    Claim.SAME: "Same claim",
    Claim.CHANGED: "Changed claim",
    Claim.REMOVED: "Removed on purpose",
}
CLAIM_SMALLS = {
    Claim.SAME: "Earlier answers carry over, to be confirmed",
    Claim.CHANGED: "Everybody answers again, beside the earlier answer",
    Claim.REMOVED: "Earlier answers are kept in the archive",
}
_NESTED = ("question", "fact", "section", "option")


@dataclass(frozen=True, slots=True)
class Told:
    """One change as a page tells it."""

    change: Change
    kind: str
    icon: str
    option: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The changes of one question, fact, section, or of the file itself, under its heading."""

    key: str
    number: str
    title: str
    told: tuple[Told, ...]

    @property
    def size(self) -> int:
        """How many changes it holds."""
        return len(self.told)


@dataclass(frozen=True, slots=True)
class Chapter:
    """The groups of one section, in the order of the new version."""

    anchor: str
    title: str
    groups: tuple[Group, ...]


def chapters(before: Questionnaire, after: Questionnaire, changes: Sequence[Change]) -> tuple[Chapter, ...]:
    """Return the changes by section and question, in the order of the new version; what was removed comes last."""
    by_key: dict[str, list[Told]] = {}
    for change in changes:
        by_key.setdefault(change.key, []).append(told(change, before, after))
    found = [
        _chapter("file", "The questionnaire itself", [("", "", after.title)], by_key),
        _chapter("facts", "Scoping facts", [(each.key, "", each.label) for each in after.scoping], by_key),
    ]
    for section in after.sections:
        items = [(section.key, f"{section.number}", f"Section: {section.title}")]
        items += [(each.key, each.number, each.label) for each in section.questions]
        found.append(_chapter(section.key, f"{section.number}. {section.title}", items, by_key))
    gone = [(each.key, "", each.label) for each in before.scoping]
    gone += [(each.key, "", f"Section: {each.title}") for each in before.sections]
    gone += [(each.key, each.number, each.label) for each in before.questions]
    found.append(_chapter("removed", "Removed", gone, by_key))
    return tuple(each for each in found if each.groups)


def _chapter(anchor: str, title: str, items: Sequence[tuple[str, str, str]], by_key: dict[str, list[Told]]) -> Chapter:
    groups = [Group(key, number, name, tuple(by_key.pop(key))) for key, number, name in items if key in by_key]
    return Chapter(anchor, title, tuple(groups))


def told(change: Change, before: Questionnaire, after: Questionnaire) -> Told:
    """Return one change in words."""
    kind, icon = PART_WORDS.get(change.aspect, (change.aspect.replace("_", " ").capitalize(), "info"))
    return Told(
        change=change,
        kind=kind,
        icon=icon,
        option=_label_of(change, before, after),
        pieces=words(said(change.aspect, change.old), said(change.aspect, change.new)),
    )


def _label_of(change: Change, before: Questionnaire, after: Questionnaire) -> str:
    """Return the label that an option has now, or had; nothing for a change that is not of an option."""
    if not change.option:
        return ""
    for version in (after, before):
        mine = [each.options for each in version.questions if each.key == change.key]
        mine += [each.options for each in version.scoping if each.key == change.key]
        for option in (each for options in mine for each in options if each.key == change.option):
            return option.label
    return change.option


def said(aspect: str, value: Any) -> str:
    """Return a plain value of the definition as words; nothing for what is not there."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        # A place names its section by key; only what was added or removed is there in whole.
        inner = next((value[name] for name in _NESTED if isinstance(value.get(name), Mapping)), None)
        if inner is not None:
            return said_thing(inner)
        if aspect == "moved":
            return _place(value)
    special = _SPECIAL.get(aspect)
    return special(value) if special else _plain(value)


def said_thing(thing: Mapping[str, Any]) -> str:
    """Return a whole question, fact, section or option: its words first, then what can be answered."""
    parts = [str(thing[name]) for name in ("text", "title", "label") if thing.get(name)][:1]
    if "kind" in thing:
        parts.append(f"({KIND_WORDS.get(thing['kind'], str(thing['kind']))})")
    if "credit" in thing:
        parts.append(f"(credit {thing['credit']})")
    if thing.get("options"):
        parts.append(_options(thing["options"]))
    if thing.get("steps"):
        parts.append(_steps(thing["steps"]))
    return " ".join(parts)


def _options(options: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{each['label']}: {each['credit']}" if each.get("credit") is not None else str(each["label"])
        for each in options
    )


_RELATIONS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least", "=": "exactly", "!=": "other than"}


def _steps(steps: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        (f"{_RELATIONS[each['operator']]} {each['bound']}" if each.get("operator") else "otherwise")
        + f": {each['credit']}"
        for each in steps
    )


def _evidence(need: Mapping[str, Any]) -> str:
    level = {0: "none expected", 1: "accepted", 2: "required"}[need.get("level", 0)]
    kinds = ", ".join(need.get("kinds", ()))
    return f"{level}: {kinds}" if kinds else level


def _knock_out(rule: Mapping[str, Any]) -> str:
    fails = "anything below full" if rule["fails"] == "below_full" else rule["fails"]
    return f"in tier {', '.join(str(each) for each in rule['tiers'])}, fails with {fails}"


def _columns(columns: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(f"{each['label']} ({each.get('kind', 'text')})" for each in columns)


def _place(place: Mapping[str, Any]) -> str:
    after = f"after {place['after']}" if place.get("after") else "first"
    return f"in {place['section']}, {after}" if place.get("section") else after


def _kind(kind: str) -> str:
    return KIND_WORDS.get(Kind(kind), kind) if kind in set(Kind) else kind


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key.replace('_', ' ')}: {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(each) for each in value)
    return "yes" if value is True else "no" if value is False else "none" if value is None else str(value)


_SPECIAL: Mapping[str, Callable[[Any], str]] = {
    "kind": _kind,
    "steps": _steps,
    "evidence": _evidence,
    "knock_out": _knock_out,
    "columns": _columns,
}
