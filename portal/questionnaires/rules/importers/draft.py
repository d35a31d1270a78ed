"""A questionnaire on its way in, and how it is written down: complete where the source was, open about where not."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from portal.questionnaires.rules.compile import compile_yaml
from portal.questionnaires.rules.definition import Kind
from portal.questionnaires.rules.lint import MAX_LABEL, MAX_LABEL_WORDS, MAX_NOTE, MAX_TEXT, TO_WRITE
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.tree import MAX_BYTES
from portal.questionnaires.rules.yamltext import entry, one_line, plain, quoted

MAX_QUESTIONS: Final = 2_000
GROUP: Final = "Technical controls"
_QUESTION_PARTS: Final = ("guidance", "why", "strong", "good_evidence")


@dataclass(frozen=True, slots=True)
class Imported:
    """A questionnaire of ours made from something else: its YAML source, and what a person has to look at."""

    source: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer on offer; `credit` only in a scored question."""

    key: str
    label: str
    credit: int | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """A warning beside a weak answer."""

    when: str
    severity: str
    text: str


@dataclass(slots=True)
class DraftQuestion:
    """One question as far as the source tells it."""

    key: str
    text: str
    kind: Kind
    label: str = ""
    weight: int = 0
    tiers: tuple[int, ...] = (1, 2, 3)
    options: Sequence[Choice] = ()
    unit: str = ""
    length: str = ""
    requires: str = ""
    maps: Mapping[str, str] = field(default_factory=dict)
    guidance: str = ""
    why: str = ""
    strong: str = ""
    good_evidence: str = ""
    warnings: list[Remark] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DraftSection:
    """A section; `intro` is what the source says before its first question."""

    key: str
    title: str
    intro: str = ""
    questions: list[DraftQuestion] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """A questionnaire on its way in; `frameworks` maps a key to name and version, `header` becomes comments on top."""

    slug: str
    version: int
    title: str
    name: str
    sections: list[DraftSection] = field(default_factory=list)
    frameworks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    header: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)


def compose(draft: Draft) -> Imported:
    """Write the draft as a questionnaire file that compiles; whether it may be published is for the lint to say.

    :raises DefinitionError: if there is no question in it, or the file would be too large.
    """
    sections = [section for section in draft.sections if section.questions]
    if not sections:
        raise DefinitionError([Problem(draft.name, 1, 1, "There is no question in this file")])
    _labels(sections)
    notes = [*draft.notes, *_gaps(sections)]
    source = ("\n".join(_lines(draft, sections)).rstrip() + "\n").encode("utf-8")
    if len(source) > MAX_BYTES:
        message = "The questionnaire would be larger than 1 MB; divide the file and import the parts"
        raise DefinitionError([Problem(draft.name, 1, 1, message)])
    compile_yaml(source, f"{draft.slug}/v{draft.version}.yaml")
    return Imported(source, tuple(dict.fromkeys(notes)))


def too_many(name: str, place: tuple[int, int]) -> DefinitionError:
    """Return the refusal of a file with more questions than a draft may have; `place` is that of one too many."""
    message = f"A questionnaire has at most {MAX_QUESTIONS:,} questions; divide the file and import the parts"
    return DefinitionError([Problem(name, *place, message)])


def label_of(text: str) -> str:
    """Cut a label out of a longer text: its first words."""
    words = re.sub(r"^[\s\W\d]+(?=\w)", "", one_line(text)).split()
    label = ""
    for word in words[:MAX_LABEL_WORDS]:
        longer = f"{label} {word}".strip()
        if len(longer) > MAX_LABEL:
            break
        label = longer
    return label.rstrip(" .,:;?!-–(") or "Question"


def _labels(sections: Iterable[DraftSection]) -> None:
    """Give every question a label, no two the same in a section."""
    for section in sections:
        taken: set[str] = set()
        counts: Counter[str] = Counter()
        for question in section.questions:
            label = one_line(question.label) or label_of(question.text)
            stem = " ".join(label.split()[: MAX_LABEL_WORDS - 1])[: MAX_LABEL - 5]
            while label in taken:
                counts[stem] += 1
                label = f"{stem} {counts[stem] + 1}"
            taken.add(label)
            question.label = label


def _gaps(sections: Sequence[DraftSection]) -> Iterable[str]:
    """Say what a person has to decide or write before this can be published."""
    questions = [question for section in sections for question in section.questions]
    unscored = sum(1 for question in questions if not question.weight)
    if unscored:
        yield f"{_count(unscored, 'question')} without a weight: decide what is scored, and how much it counts."
    for part, word in (("text", "a text"), ("guidance", "guidance"), ("why", "a reason why we ask")):
        missing = sum(1 for question in questions if not plain(getattr(question, part)))
        if missing:
            yield f"{_count(missing, 'question')} without {word}: “{TO_WRITE}” stands in its place."
    long = sum(1 for question in questions if len(plain(question.text)) > MAX_TEXT)
    if long:
        yield f"{_count(long, 'question')} with more than {MAX_TEXT} characters: shorten or split before publishing."
    notes = sum(
        1 for question in questions if any(len(plain(getattr(question, part))) > MAX_NOTE for part in _QUESTION_PARTS)
    )
    if notes:
        yield f"{_count(notes, 'question')} with a note of more than {MAX_NOTE} characters: shorten it first."
    yield f"All sections stand under “{GROUP}”: choose the group of each."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _lines(draft: Draft, sections: Sequence[DraftSection]) -> Iterable[str]:
    for line in draft.header:
        yield f"# {one_line(line)}".rstrip()
    if draft.header:
        yield ""
    questions = [question for section in sections for question in section.questions]
    weights = [_weight(section) for section in sections]
    yield f"slug: {draft.slug}"
    yield f"version: {draft.version}"
    yield f"title: {quoted(one_line(draft.title) or draft.slug)}"
    yield "language: en"
    if draft.frameworks:
        yield "frameworks:"
        for key, (name, version) in draft.frameworks.items():
            yield f"  {key}: {{name: {quoted(one_line(name) or key)}, version: {quoted(one_line(version) or '1')}}}"
    yield (
        f"expects: {{sections: {len(sections)}, questions: {len(questions)}, scoping: 0, "
        f"domain_weight: {sum(weights)}, question_weight: {sum(question.weight for question in questions)}}}"
    )
    yield ""
    yield "sections:"
    for section, weight in zip(sections, weights, strict=True):
        title = one_line(section.title) or section.key
        yield f"  - key: {section.key}"
        yield f"    title: {quoted(title)}"
        yield f"    group: {quoted(GROUP)}"
        yield from entry("summary", title, "    ")
        yield from entry("intro", plain(section.intro) or TO_WRITE, "    ")
        yield f"    weight: {weight}"
        yield "    questions:"
        for question in section.questions:
            yield from _question(question)
            yield ""


def _weight(section: DraftSection) -> int:
    return 1 if any(question.weight for question in section.questions) else 0


def _question(question: DraftQuestion) -> Iterable[str]:
    indent = "        "
    for remark in question.remarks:
        yield f"      # {one_line(remark)}"
    yield f"      - key: {question.key}"
    yield f"{indent}revision: 1"
    yield from entry("label", question.label, indent)
    yield from entry("text", plain(question.text) or TO_WRITE, indent)
    yield (
        f'{indent}kind: "{question.kind}"' if question.kind is Kind.YES_NO_STRICT else f"{indent}kind: {question.kind}"
    )
    yield f"{indent}weight: {question.weight}"
    yield f"{indent}tiers: [{', '.join(map(str, question.tiers))}]"
    if question.requires:
        yield f"{indent}requires: {quoted(question.requires)}"
    if question.maps:
        pairs = ", ".join(f"{key}: {quoted(one_line(control))}" for key, control in question.maps.items())
        yield f"{indent}maps: {{{pairs}}}"
    if question.options:
        yield f"{indent}options:"
        for option in question.options:
            credit = "" if option.credit is None else f", credit: {option.credit}"
            yield f"{indent}  - {{key: {option.key}, label: {quoted(one_line(option.label) or option.key)}{credit}}}"
    if question.unit:
        yield f"{indent}unit: {quoted(one_line(question.unit))}"
    if question.length:
        yield f"{indent}length: {question.length}"
    for part in _QUESTION_PARTS:
        text = plain(getattr(question, part))
        if text or part in ("guidance", "why"):
            yield from entry(part, text or TO_WRITE, indent)
    if question.warnings:
        yield f"{indent}warnings:"
        for warning in question.warnings:
            yield f"{indent}  - when: {quoted(warning.when)}"
            yield f"{indent}    severity: {warning.severity}"
            yield from entry("text", plain(warning.text), f"{indent}    ")
