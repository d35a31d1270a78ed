"""Random questionnaires, random edits between two versions of one, and random answers, for laws that hold for all.

@law
@given(st.data())
def test_…(data):
    first = data.draw(definitions())
    second = data.draw(edited(first))
    old, new = compiled(first), compiled(second)
    answers = data.draw(answers_for(old))
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from portal.questionnaires.rules import Answer, Claim, Facts, FieldKind, Kind, Question, Questionnaire, compile_yaml
from portal.questionnaires.rules.answers import Period
from portal.questionnaires.rules.diff import diff

Definition = dict[str, Any]
Edit = Callable[[Definition, st.DrawFn], None]

_WORDS: Final = (
    *("access", "backup", "copies", "days", "every", "key", "listed", "never"),
    *("owner", "people", "reviewed", "site", "store", "test", "within"),
)
_OPTIONS: Final = ("all", "most", "some", "few", "nothing")
_UNITS: Final = ("days", "hours", "percent", "people")
_FLAGS: Final = ("multi", "crowd", "byod", "dev", "pii")
_WHEN: Final = (None, "multi", "crowd and dev", "not byod", "dmax>=3 or pii", "A3 or A4")
_SCORED: Final = ("ynp", "yn", "yn!", "c1", "num")
_KINDS: Final = (*_SCORED, *_SCORED, "multi", "table", "date", "range", "text", "url")
_DAY: Final = date(2026, 1, 1)

words = st.lists(st.sampled_from(_WORDS), min_size=1, max_size=6).map(" ".join)
one_in_three = st.sampled_from((True, False, False))


@st.composite
def definitions(draw: st.DrawFn, *, slug: str = "sample", version: int = 1) -> Definition:
    """Return a questionnaire as the file would say it; it compiles, and its conditions speak of earlier questions."""
    sections = []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        keys = [f"s{number}.q{order}" for order in range(1, draw(st.integers(1, 4)) + 1)]
        sections.append({**draw(_section(f"s{number}")), "questions": [draw(_question(key)) for key in keys]})
    definition: Definition = {
        "slug": slug,
        "version": version,
        "title": draw(words),
        "language": "en",
        "frameworks": {"csf": {"name": "CSF", "version": "2.0"}},
        "expects": {},
        "scoping": draw(_facts()),
        "sections": sections,
    }
    for question in questions_of(definition):
        if draw(one_in_three):
            _lead_on(definition, question, draw)
    _rules(definition, draw)
    return _mended(definition)


@st.composite
def edited(draw: st.DrawFn, definition: Definition, *, at_most: int = 5) -> Definition:
    """Return the next version of a questionnaire after some edits, none as well; revisions are left to the author."""
    after = deepcopy(definition)
    after["version"] = int(after["version"]) + 1
    after.pop("changes", None)
    for edit in draw(st.lists(st.sampled_from(EDITS), max_size=at_most)):
        edit(after, draw)
    return _mended(after)


@st.composite
def decided(draw: st.DrawFn, earlier: Definition, later: Definition) -> Definition:
    """Return the later version with some author's decision on every change, and the revisions that follow."""
    old, new = compiled(earlier), compiled(later)
    after = deepcopy(later)
    decisions = []
    for change in diff(old, new):
        if change.needs_decision:
            claim = Claim.REMOVED if change.part == "removed" else draw(st.sampled_from([Claim.SAME, Claim.CHANGED]))
            note = "The author says why, and at some length."
            decisions.append(
                {"key": change.key, "part": change.part, "claim": claim.value, "of": change.of, "note": note}
            )
    changed = {each["key"] for each in decisions if each["claim"] == Claim.CHANGED}
    for question in questions_of(after):
        if question["key"] in old:
            question["revision"] = old.question(question["key"]).revision + (question["key"] in changed)
    after["changes"] = {"since": old.version, "decisions": decisions}
    return after


@st.composite
def answers_for(draw: st.DrawFn, questionnaire: Questionnaire) -> dict[str, Answer]:
    """Return answers to some of the questions, whether they are asked of this vendor or not."""
    return {question.key: draw(answer_to(question)) for question in questionnaire.questions if draw(st.booleans())}


@st.composite
def answer_to(draw: st.DrawFn, question: Question) -> Answer:
    """Return a complete answer to one question."""
    comment = draw(words)
    if question.may_not_apply and draw(st.integers(0, 5)) == 0:
        return Answer(na=True, na_reason=draw(words))
    if question.kind is Kind.NUMBER:
        return Answer(number=Decimal(draw(st.integers(0, 100))))
    if question.kind is Kind.MANY_CHOICES:
        keys = [option.key for option in question.options]
        return Answer(choices=tuple(sorted(draw(st.sets(st.sampled_from(keys), min_size=1)))), comment=comment)
    if question.kind is Kind.TABLE:
        return Answer(rows=tuple(draw(st.lists(_row(question), min_size=1, max_size=2))), comment=comment)
    if question.kind is Kind.DATE:
        return Answer(day=draw(_days()))
    if question.kind is Kind.RANGE:
        first = draw(_days())
        return Answer(period=Period(first, first + timedelta(days=30)))
    if question.kind is Kind.TEXT:
        return Answer(text=comment)
    if question.kind is Kind.URL:
        return Answer(url="https://trust.example/report")
    if question.kind is Kind.FILE:
        return Answer(comment=comment)
    choice = draw(st.sampled_from([option.key for option in question.choices]))
    planned = draw(_days()) if choice == "partial" else None
    return Answer(choice=choice, comment=comment, planned_on=planned)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    """Return what is true of some engagement."""
    modes = draw(st.frozensets(st.sampled_from(["A1", "A2", "A3", "A4", "A5"])))
    multi, crowd, byod, dev, pii = draw(st.tuples(*[st.booleans()] * len(_FLAGS)))
    dmax, people = draw(st.integers(0, 5)), draw(st.integers(0, 2_000))
    return Facts(multi, crowd, byod, dev=dev, pii=pii, dmax=dmax, modes=modes, people=people)


def compiled(definition: Definition, name: str = "sample.yaml") -> Questionnaire:
    """Return the definition, compiled."""
    return compile_yaml(source_of(definition), name)


def source_of(definition: Definition) -> bytes:
    """Return the definition as the bytes of a file, each key on a line of its own as people write it."""
    return ("\n".join(_lines(definition, 0)) + "\n").encode()


def questions_of(definition: Definition) -> list[dict[str, Any]]:
    """Return the questions of a definition in their order."""
    return [question for section in definition["sections"] for question in section["questions"]]


def _lines(value: Mapping[str, Any], depth: int) -> list[str]:
    """Write what people nest in blocks, and everything smaller as one line."""
    pad, found = "  " * depth, []
    for key, item in value.items():
        if key in ("scoping", "sections", "questions"):
            found.append(f"{pad}{key}:" + ("" if item else " []"))
            for each in item:
                first, *rest = _lines(each, depth + 2)
                found += [f"{pad}  - {first.strip()}", *rest]
        else:
            found.append(f"{pad}{key}: {json.dumps(item)}")
    return found


@st.composite
def _section(draw: st.DrawFn, key: str) -> dict[str, Any]:
    texts = {name: draw(words) for name in ("title", "summary", "intro")}
    return {"key": key, **texts, "group": "Assurance", "weight": draw(st.integers(0, 5))}


@st.composite
def _question(draw: st.DrawFn, key: str) -> dict[str, Any]:
    kind = draw(st.sampled_from(_KINDS))
    question: dict[str, Any] = {
        "key": key,
        "revision": 1,
        "label": draw(words),
        "text": draw(words),
        "tiers": sorted(draw(st.sets(st.sampled_from([1, 2, 3]), min_size=1))),
        "guidance": draw(words),
        "why": draw(words),
        **draw(_answering(kind)),
    }
    if when := draw(st.sampled_from(_WHEN)):
        question["when"] = when
    if draw(one_in_three):
        question["evidence"] = {"level": draw(st.integers(1, 2)), "kinds": ["SOC2"]}
        question["maps"] = {"csf": draw(st.sampled_from(["GV.OV-03", "ID.AM-07"]))}
    if draw(one_in_three):
        question["details"] = draw(_details())
    if question["kind"] in ("ynp", "yn", "yn!") and draw(one_in_three):
        severity = draw(st.sampled_from(["info", "watch", "stop"]))
        question["warnings"] = [{"when": "answer=no", "severity": severity, "text": draw(words)}]
    if question["weight"] and draw(one_in_three):
        question["compensating"] = True
        question["knock_out"] = {"tiers": question["tiers"], "fails": "below_full"}
    return question


@st.composite
def _answering(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Return what says how a question of the kind is answered."""
    scored = kind in _SCORED
    parts: dict[str, Any] = {"kind": kind, "weight": draw(st.integers(1, 5)) if scored else 0}
    if kind in ("c1", "multi"):
        keys = draw(st.lists(st.sampled_from(_OPTIONS), unique=True, min_size=2, max_size=4))
        parts["options"] = [draw(_option(key, scored=scored)) for key in keys]
    elif kind == "num":
        parts |= {"unit": draw(st.sampled_from(_UNITS)), "steps": draw(_steps())}
    elif kind == "table":
        parts |= {"columns": draw(_columns()), "rows": draw(st.integers(2, 9))}
    elif kind == "text":
        parts["length"] = draw(st.sampled_from(["short", "long"]))
    return parts


@st.composite
def _option(draw: st.DrawFn, key: str, *, scored: bool) -> dict[str, Any]:
    option: dict[str, Any] = {"key": key, "label": draw(words)}
    if scored:
        option["credit"] = draw(st.sampled_from([0, 40, 100]))
    if draw(one_in_three):
        option["description"] = draw(words)
    return option


@st.composite
def _steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.integers(1, 90), min_size=1, max_size=3)))
    steps = [{"when": f"<={bound}", "credit": 100 - 20 * index} for index, bound in enumerate(bounds)]
    return [*steps, {"when": "else", "credit": 0}]


@st.composite
def _columns(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(st.lists(st.sampled_from(["name", "place", "since", "count"]), unique=True, min_size=1, max_size=3))
    kinds = st.sampled_from(["text", "number", "date"])
    return [{"key": key, "label": draw(words), "kind": draw(kinds)} for key in keys]


@st.composite
def _details(draw: st.DrawFn) -> list[dict[str, Any]]:
    keys = draw(st.lists(st.sampled_from(["since", "owner", "scope"]), unique=True, min_size=1, max_size=2))
    return [{"key": key, "label": draw(words), "kind": draw(st.sampled_from(["text", "date"]))} for key in keys]


@st.composite
def _facts(draw: st.DrawFn) -> list[dict[str, Any]]:
    flags = draw(st.lists(st.sampled_from(_FLAGS), unique=True, max_size=3))
    return [
        {
            "key": f"scp.{flag}",
            "label": draw(words),
            "text": draw(words),
            "owner": draw(st.sampled_from(["lab", "vendor"])),
            "kind": "yesno",
            "options": [{"key": "yes", "label": "Yes", "sets": [flag]}, {"key": "no", "label": "No"}],
        }
        for flag in flags
    ]


def _row(question: Question) -> st.SearchStrategy[dict[str, str]]:
    values = {FieldKind.NUMBER: "3", FieldKind.DATE: "2026-02-03", FieldKind.TEXT: "some"}
    return st.fixed_dictionaries({column.key: st.just(values[column.kind]) for column in question.columns})


def _days() -> st.SearchStrategy[date]:
    return st.integers(0, 700).map(lambda days: _DAY + timedelta(days=days))


def _mended(definition: Definition) -> Definition:
    """Drop the conditions and warnings that edits left without what they speak of, and count anew."""
    earlier: dict[str, dict[str, Any]] = {}
    for question in questions_of(definition):
        about = question.get("requires", "ans()").partition("(")[2].partition(")")[0]
        if "requires" in question and question["requires"] not in _openings(earlier.get(about)):
            del question["requires"]
        if question["kind"] not in ("ynp", "yn", "yn!"):
            question.pop("warnings", None)
        earlier[question["key"]] = question
    definition["rules"] = [rule for rule in definition["rules"] if rule["when"] in _openings(earlier.get(rule["at"]))]
    definition["expects"] = {
        "sections": len(definition["sections"]),
        "questions": len(earlier),
        "scoping": len(definition["scoping"]),
        "domain_weight": sum(section["weight"] for section in definition["sections"]),
        "question_weight": sum(question["weight"] for question in earlier.values()),
    }
    return definition


def _openings(question: dict[str, Any] | None) -> list[str]:
    """Return the conditions that a later question may have about this one."""
    if question is None:
        return []
    said = f"ans({question['key']})"
    if question["kind"] in ("ynp", "yn", "yn!"):
        return [f"{said}=yes", f"{said}!=no"]
    if question["kind"] == "num":
        return [f"{said}>0"]
    return [f"{said}!={option['key']}" for option in question.get("options", ())]


def _lead_on(definition: Definition, question: dict[str, Any], draw: st.DrawFn) -> None:
    """Make a question the follow-up of an earlier one, where one can be followed."""
    earlier: list[str] = []
    for other in questions_of(definition):
        if other is question:
            break
        earlier += _openings(other)
    if earlier:
        question["requires"] = draw(st.sampled_from(earlier))


def _some_question(definition: Definition, draw: st.DrawFn) -> dict[str, Any]:
    return draw(st.sampled_from(questions_of(definition)))


def _text_of(part: str) -> Edit:
    def edit(definition: Definition, draw: st.DrawFn) -> None:
        _some_question(definition, draw)[part] = draw(words)

    return edit


def _another_kind(definition: Definition, draw: st.DrawFn) -> None:
    question = _some_question(definition, draw)
    for part in ("options", "unit", "steps", "columns", "rows", "length", "knock_out", "compensating"):
        question.pop(part, None)
    question.update(draw(_answering(draw(st.sampled_from(_KINDS)))))


def _same_kind_anew(definition: Definition, draw: st.DrawFn) -> None:
    """Draw options, steps, unit, columns or limits anew."""
    question = _some_question(definition, draw)
    question.update(draw(_answering(question["kind"])))
    if not question["weight"]:
        question.pop("knock_out", None)


def _relabel_option(definition: Definition, draw: st.DrawFn) -> None:
    if options := _some_question(definition, draw).get("options"):
        draw(st.sampled_from(options))["label"] = draw(words)


def _turn_options(definition: Definition, draw: st.DrawFn) -> None:
    if options := _some_question(definition, draw).get("options"):
        options.reverse()


def _drop_option(definition: Definition, draw: st.DrawFn) -> None:
    options = _some_question(definition, draw).get("options", [])
    if len(options) > 1:
        options.pop(draw(st.integers(0, len(options) - 1)))


def _add_option(definition: Definition, draw: st.DrawFn) -> None:
    question = _some_question(definition, draw)
    options = question.get("options")
    free = [key for key in _OPTIONS if key not in {option["key"] for option in options or ()}]
    if options is not None and free:
        place = draw(st.integers(0, len(options)))
        options.insert(place, draw(_option(draw(st.sampled_from(free)), scored=question["weight"] > 0)))


def _condition(definition: Definition, draw: st.DrawFn) -> None:
    question = _some_question(definition, draw)
    question.pop("when", None)
    if when := draw(st.sampled_from(_WHEN)):
        question["when"] = when


def _follow_up(definition: Definition, draw: st.DrawFn) -> None:
    question = _some_question(definition, draw)
    if "requires" in question:
        del question["requires"]
    else:
        _lead_on(definition, question, draw)


def _weigh(definition: Definition, draw: st.DrawFn) -> None:
    question = _some_question(definition, draw)
    if question["weight"]:
        question["weight"] = draw(st.integers(1, 5))
    question["tiers"] = question.get("knock_out", {}).get("tiers") or [draw(st.integers(1, 3))]
    question["evidence"] = {"level": draw(st.integers(1, 2)), "kinds": ["CON"]}


def _detail(definition: Definition, draw: st.DrawFn) -> None:
    _some_question(definition, draw)["details"] = draw(_details())


def _revise(definition: Definition, draw: st.DrawFn) -> None:
    _some_question(definition, draw)["revision"] += 1


def _move(definition: Definition, draw: st.DrawFn) -> None:
    start = draw(
        st.sampled_from([section for section in definition["sections"] if len(section["questions"]) > 1] or [None])
    )
    if start is not None:
        question = start["questions"].pop(draw(st.integers(0, len(start["questions"]) - 1)))
        goal = draw(st.sampled_from(definition["sections"]))["questions"]
        goal.insert(draw(st.integers(0, len(goal))), question)


def _remove(definition: Definition, draw: st.DrawFn) -> None:
    section = draw(st.sampled_from(definition["sections"]))
    if len(section["questions"]) > 1:
        section["questions"].pop(draw(st.integers(0, len(section["questions"]) - 1)))


def _add(definition: Definition, draw: st.DrawFn) -> None:
    taken = {question["key"] for question in questions_of(definition)}
    section = draw(st.sampled_from(definition["sections"]))["questions"]
    key = next(key for number in range(1, 99) if (key := f"new.q{number}") not in taken)
    section.insert(draw(st.integers(0, len(section))), draw(_question(key)))


def _sections(definition: Definition, draw: st.DrawFn) -> None:
    definition["sections"] = draw(st.permutations(definition["sections"]))
    definition["sections"][0].update({"title": draw(words), "weight": draw(st.integers(0, 5))})


def _new_section(definition: Definition, draw: st.DrawFn) -> None:
    taken = {section["key"] for section in definition["sections"]}
    if "extra" not in taken:
        place = draw(st.integers(0, len(definition["sections"])))
        definition["sections"].insert(place, {**draw(_section("extra")), "questions": [draw(_question("extra.q1"))]})


def _scoping(definition: Definition, draw: st.DrawFn) -> None:
    definition["scoping"] = draw(_facts())


def _rules(definition: Definition, draw: st.DrawFn) -> None:
    opening = [(question["key"], when) for question in questions_of(definition) for when in _openings(question)]
    chosen = draw(st.lists(st.sampled_from(opening), max_size=2)) if opening else []
    definition["rules"] = [
        {"key": f"rule{number}", "at": at, "when": when, "message": draw(words)}
        for number, (at, when) in enumerate(chosen)
    ]


def _title(definition: Definition, draw: st.DrawFn) -> None:
    definition["title"] = draw(words)


EDITS: Final[tuple[Edit, ...]] = (
    *(_text_of(part) for part in ("text", "label", "guidance", "why")),
    *(_another_kind, _same_kind_anew, _relabel_option, _turn_options, _drop_option, _add_option, _condition),
    *(_follow_up, _weigh, _detail, _revise, _move, _remove, _add, _sections, _new_section, _scoping, _rules, _title),
)
"""One edit each of what an author may do; each changes the definition in place."""
