"""Makes the changes between two versions, so that the old one asks what the new one asks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from portal.questionnaires.rules.definition import Question, Questionnaire, ScopingFact, Section
from portal.questionnaires.rules.diff import OPTION_PARTS, TOP, Change, Flat, Part
from portal.questionnaires.rules.ordering import arranged
from portal.questionnaires.rules.plain import Fields, Plain, build


def apply(old: Questionnaire, changes: Sequence[Change]) -> Questionnaire:
    """Return the old version with the changes made, under its own number, digest and decisions.

    For the changes of `diff(old, new)`, in their order, the result asks exactly what `new` asks.
    """
    flat = Flat.of(old)
    by_key: dict[str, list[Change]] = {}
    for change in changes:
        if change.part == Part.REMOVED:
            _take_out(flat, change.key)
        else:
            by_key.setdefault(change.key, []).append(change)
    places = {change.key: change for change in changes if change.part in (Part.ADDED, Part.MOVED)}
    for key, mine in by_key.items():
        _change_fields(_target(flat, key, places.get(key)), mine)
    facts = arranged(list(flat.facts), _positions(places, flat.facts))
    sections = arranged(list(flat.sections), _positions(places, flat.sections))
    asked: dict[str, list[str]] = {}
    for section in sections:
        stayed = [key for key in flat.asked.get(section, []) if key in flat.questions and key not in places]
        here = {key: change for key, change in places.items() if _new_of(change).get("section") == section}
        asked[section] = arranged(stayed, _positions(here, flat.questions))
    return _assembled(old, flat, facts, sections, asked)


def _take_out(flat: Flat, key: str) -> None:
    for known in (flat.facts, flat.sections, flat.questions):
        known.pop(key, None)


def _new_of(change: Change) -> Mapping[str, Any]:
    if not isinstance(change.new, Mapping):
        raise ValueError(f"{change.part} of {change.key} says no place")
    return change.new


def _target(flat: Flat, key: str, place: Change | None) -> Fields:
    """Return the fields that the changes of a key are made to; those of a new one come from its addition."""
    if key == TOP:
        return flat.top
    kinds = {"fact": flat.facts, "section": flat.sections, "question": flat.questions}
    if place is not None and place.part == Part.ADDED:
        name = next(name for name in kinds if isinstance(_new_of(place).get(name), Mapping))
        kinds[name][key] = dict(_new_of(place)[name])
        return kinds[name][key]
    for known in kinds.values():
        if key in known:
            return known[key]
    raise ValueError(f"{key} is not in this version")


def _change_fields(fields: Fields, changes: Sequence[Change]) -> None:
    option_changes = [change for change in changes if change.aspect.startswith("option_")]
    for change in changes:
        if change.part in (Part.ADDED, Part.REMOVED, Part.MOVED) or change in option_changes:
            continue
        _put(fields, change.part, change.new)
    if option_changes:
        _put(fields, "options", _changed_options(fields.get("options", []), option_changes) or None)


def _put(fields: Fields, name: str, value: Plain) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value


def _changed_options(before: Sequence[Fields], changes: Sequence[Change]) -> list[Fields]:
    options = {option["key"]: dict(option) for option in before}
    gone = {change.option for change in changes if change.aspect == Part.OPTION_REMOVED}
    stayed = [key for key in options if key not in gone]
    places: dict[str, str | None] = {}
    names = {part: name for name, part in OPTION_PARTS.items()}
    for change in changes:
        if change.aspect == Part.OPTION_ADDED:
            options[change.option] = dict(_new_of(change)["option"])
            places[change.option] = _new_of(change)["after"]
        elif change.aspect == Part.OPTION_ORDER:
            stayed = [str(key) for key in change.new] if isinstance(change.new, Sequence) else stayed
        elif change.aspect != Part.OPTION_REMOVED:
            _put(options[change.option], names.get(change.aspect, change.aspect.removeprefix("option_")), change.new)
    return [options[key] for key in arranged(stayed, places)]


def _positions(places: Mapping[str, Change], known: Mapping[str, Fields]) -> dict[str, str | None]:
    return {key: _new_of(change)["after"] for key, change in places.items() if key in known}


def _assembled(
    old: Questionnaire,
    flat: Flat,
    facts: Sequence[str],
    sections: Sequence[str],
    asked: Mapping[str, Sequence[str]],
) -> Questionnaire:
    built = tuple(
        replace(
            build(Section, {**flat.sections[key], "key": key, "number": number, "questions": []}),
            questions=tuple(
                build(Question, {**flat.questions[each], "key": each, "section": key, "number": f"{number}.{order}"})
                for order, each in enumerate(asked[key], start=1)
            ),
        )
        for number, key in enumerate(sections, start=1)
    )
    top = build(
        Questionnaire,
        {
            **flat.top,
            "version": old.version,
            "digest": old.digest,
            "source": old.source,
            "positions": {},
            "scoping": [],
            "sections": [],
        },
    )
    return replace(
        top,
        scoping=tuple(build(ScopingFact, {**flat.facts[key], "key": key}) for key in facts),
        sections=built,
        positions=old.positions,
        changes=old.changes,
    )
