"""Turns the bytes of a questionnaire file into an immutable version, or says what to mend and where."""

import hashlib
import re
from types import MappingProxyType
from typing import Final

from portal.questionnaires.rules.compile_parts import (
    columns_of,
    compensating_of,
    condition_of,
    details_of,
    knock_out_of,
    length_of,
    min_rows_of,
    options_of,
    remarks_of,
    rows_of,
    rules_of,
    steps_of,
)
from portal.questionnaires.rules.conditions import Over
from portal.questionnaires.rules.definition import (
    CHOICE_KINDS,
    SCORED_KINDS,
    Assembled,
    Changes,
    Claim,
    Decision,
    EvidenceNeed,
    Expectation,
    FactKind,
    Framework,
    Kind,
    Owner,
    Question,
    Questionnaire,
    ScopingFact,
    Section,
    Source,
)
from portal.questionnaires.rules.problems import DefinitionError
from portal.questionnaires.rules.reader import Reader, spot
from portal.questionnaires.rules.tree import Leaf, Record, grow

GROUPS: Final = ("About you", "Our data in your hands", "Technical controls", "Assurance")
DRIVES: Final = ("svc", "dmax", "people")
OPTIONS_FROM: Final = ("earlier_questions",)
MAX_LEVEL: Final = 2

_TOP = (
    *("slug", "version", "title", "language", "frameworks", "evidence_offset", "expects", "scoping", "sections"),
    *("rules", "changes", "assembled"),
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHANGES = ("since", "decisions")
_DECISION = ("key", "part", "claim", "of", "note")
_EXPECTS = ("sections", "questions", "scoping", "domain_weight", "question_weight")
_FACT = (
    *("key", "label", "text", "help", "owner", "vendor_confirms", "kind", "drives", "options", "columns", "rows"),
    *("unit", "details"),
)
_SECTION = ("key", "title", "group", "summary", "intro", "weight", "questions")
_QUESTION = (
    *("key", "revision", "label", "text", "kind", "weight", "tiers", "when", "requires", "knock_out", "evidence"),
    *("maps", "options", "options_from", "unit", "steps", "columns", "rows", "details"),
    *("guidance", "why", "strong", "good_evidence", "warnings", "compensating", "length", "min_rows"),
)


def compile_yaml(source: bytes, name: str) -> Questionnaire:
    """Compile one questionnaire file; `name` is what problems call it.

    The digest of the result is the SHA-256 of the bytes.

    :raises DefinitionError: with every problem found, each with file, line and column.
    """
    reader = Reader(name)
    compiled = _Compiler(reader).questionnaire(grow(source, name), hashlib.sha256(source).hexdigest())
    if reader.problems:
        raise DefinitionError(reader.problems)
    return compiled


class _Compiler:
    """Walks the tree once and remembers where each key stood."""

    def __init__(self, reader: Reader) -> None:
        self._read = reader
        self._positions: dict[str, tuple[int, int]] = {}
        self._frameworks: dict[str, Framework] = {}

    def questionnaire(self, root: Record, digest: str) -> Questionnaire:
        read, what = self._read, "a questionnaire"
        read.fields(root, _TOP, what)
        self._frameworks = self._all_frameworks(root)
        scoping = tuple(self._fact(item) for item in read.records(root, "scoping", what))
        sections: list[Section] = []
        for number, item in enumerate(read.records(root, "sections", what, required=True), start=1):
            sections.append(self._section(item, number))
        self._positions[""] = root.places.get("expects", spot(root))
        return Questionnaire(
            slug=read.slug(root, "slug", what),
            version=read.integer(root, "version", what, 1, 9_999),
            title=read.text(root, "title", what),
            language=read.slug(root, "language", what),
            frameworks=MappingProxyType(self._frameworks),
            evidence_offset=read.integer(root, "evidence_offset", what, -2, 0, default=0),
            expects=self._expectation(root),
            scoping=scoping,
            sections=tuple(sections),
            digest=digest,
            source=read.name,
            positions=MappingProxyType(self._positions),
            changes=self._changes(root),
            rules=rules_of(read, root, self._positions),
            assembled=self._assembled(root),
        )

    def _changes(self, root: Record) -> Changes | None:
        """Read what the author decided about each change; whether that is all of them is for `meaning` to say."""
        read = self._read
        record = read.record(root, "changes", "a questionnaire")
        if record is None:
            return None
        read.fields(record, _CHANGES, "changes")
        self._positions["changes/"] = root.places["changes"]
        since = read.integer(record, "since", "changes", 1, 9_999)
        decisions: dict[tuple[str, str], Decision] = {}
        for item in read.records(record, "decisions", "changes"):
            read.fields(item, _DECISION, "a decision")
            key = read.text(item, "key", "a decision")
            part = read.text(item, "part", "a decision")
            if (key, part) in decisions:
                read.problem(spot(item), f"“{part}” of “{key}” is decided twice")
            claim = Claim(read.one_of(item, "claim", "a decision", tuple(Claim)))
            of = read.text(item, "of", "a decision")
            decisions[key, part] = Decision(key, part, claim, of, read.text(item, "note", "a decision", required=False))
            self._positions[f"changes/{key}/{part}"] = spot(item)
        return Changes(since, tuple(decisions.values()))

    def _assembled(self, root: Record) -> Assembled | None:
        """Read what an assembled version was made from; `overlay.assemble` writes it."""
        what = "assembled"
        record = self._read.record(root, what, "a questionnaire")
        if record is None:
            return None
        self._read.fields(record, ("base", "overlays"), what)
        self._positions[what] = spot(record)
        base = self._read.record(record, "base", what, required=True)
        overlays = [self._made_from(item) for item in self._read.records(record, "overlays", what, required=True)]
        slugs = [overlay.slug for overlay in overlays]
        if slugs != sorted(set(slugs)):
            self._read.problem(spot(record), "The overlays stand in the order of their slugs, each once")
        return Assembled(self._made_from(base), tuple(overlays)) if base else None

    def _made_from(self, record: Record) -> Source:
        read, what = self._read, "a file of an assembled version"
        read.fields(record, ("slug", "version", "sha256"), what)
        sha256 = read.text(record, "sha256", what)
        if sha256 and _SHA256.fullmatch(sha256) is None:
            read.problem(spot(record.items["sha256"]), "“sha256” must be 64 hexadecimal digits")
        return Source(read.slug(record, "slug", what), read.integer(record, "version", what, 1, 9_999), sha256)

    def _place(self, key: str, record: Record) -> None:
        """Remember where a key stands; refuse it if it stood somewhere before."""
        place = record.places.get("key", spot(record))
        if not key:
            return
        if key in self._positions:
            line = self._positions[key][0]
            self._read.problem(place, f"The key “{key}” is used twice, first in line {line}")
            return
        self._positions[key] = place
        for part, where in record.places.items():
            self._positions[f"{key}/{part}"] = where

    def _all_frameworks(self, root: Record) -> dict[str, Framework]:
        found: dict[str, Framework] = {}
        record = self._read.record(root, "frameworks", "a questionnaire")
        for key, node in record.items.items() if record else ():
            if not isinstance(node, Record):
                self._read.problem(spot(node), "A framework needs a name and a version")
                continue
            what = f"framework {key}"
            self._read.fields(node, ("name", "version"), what)
            name, version = (self._read.text(node, part, what) for part in ("name", "version"))
            found[key] = Framework(key, name, version)
            self._positions[f"frameworks/{key}"] = spot(node)
        return found

    def _expectation(self, root: Record) -> Expectation:
        record = self._read.record(root, "expects", "a questionnaire", required=True)
        if record is None:
            return Expectation(0, 0, 0, 0, 0)
        self._read.fields(record, _EXPECTS, "expects")
        sections, questions, scoping, domains, weights = (
            self._read.integer(record, part, "expects", 0, 100_000) for part in _EXPECTS
        )
        return Expectation(sections, questions, scoping, domains, weights)

    def _fact(self, record: Record) -> ScopingFact:
        read, what = self._read, "a scoping fact"
        read.fields(record, _FACT, what)
        key = read.dotted(record, "key", what)
        self._place(key, record)
        kind = FactKind(read.one_of(record, "kind", what, tuple(FactKind)))
        options = options_of(read, record, scored=False, sets=True)
        columns = columns_of(read, record)
        if kind in (FactKind.CHOICES, FactKind.YES_NO) and not options:
            read.problem(spot(record), f"A fact of kind {kind} needs “options”")
        if kind is FactKind.YES_NO and options and [option.key for option in options] != ["yes", "no"]:
            read.problem(spot(record), "A fact of kind yesno has the options yes and no, in this order")
        if kind is FactKind.TABLE and not columns:
            read.problem(spot(record), "A fact of kind table needs “columns”")
        return ScopingFact(
            key=key,
            label=read.text(record, "label", what),
            text=read.text(record, "text", what),
            owner=Owner(read.one_of(record, "owner", what, tuple(Owner))),
            kind=kind,
            help=read.text(record, "help", what, required=False),
            vendor_confirms=read.truth(record, "vendor_confirms", what),
            drives=read.one_of(record, "drives", what, DRIVES, default=""),
            options=options,
            columns=columns,
            rows=rows_of(read, record) if columns else 0,
            unit=read.text(record, "unit", what, required=False),
            details=details_of(read, record),
        )

    def _section(self, record: Record, number: int) -> Section:
        read, what = self._read, "a section"
        read.fields(record, _SECTION, what)
        key = read.name_at(record, "key", what)
        self._place(key, record)
        questions: list[Question] = []
        for order, item in enumerate(read.records(record, "questions", what, required=True), start=1):
            questions.append(self._question(item, key, f"{number}.{order}"))
        return Section(
            key=key,
            number=number,
            title=read.text(record, "title", what),
            group=read.one_of(record, "group", what, GROUPS),
            summary=read.text(record, "summary", what),
            intro=read.text(record, "intro", what),
            weight=read.integer(record, "weight", what, 0, 5),
            questions=tuple(questions),
        )

    def _question(self, record: Record, section: str, number: str) -> Question:
        read, what = self._read, "a question"
        read.fields(record, _QUESTION, what)
        key = read.dotted(record, "key", what)
        self._place(key, record)
        noted = len(read.problems)
        kind = Kind(read.one_of(record, "kind", what, tuple(Kind)))
        weight = read.integer(record, "weight", what, 0, 5)
        # What the parts must be depends on these two; while they are wrong, the parts would only echo it.
        is_sound = len(read.problems) == noted
        options = options_of(read, record, scored=weight > 0) if is_sound else ()
        steps = steps_of(read, record)
        columns = columns_of(read, record)
        rows = rows_of(read, record) if columns else 0
        options_from = read.one_of(record, "options_from", what, OPTIONS_FROM, default="")
        if is_sound:
            self._check_parts(record, kind, weight)
        return Question(
            key=key,
            revision=read.integer(record, "revision", what, 1, 9_999),
            section=section,
            number=number,
            label=read.text(record, "label", what),
            text=read.text(record, "text", what),
            kind=kind,
            weight=weight,
            tiers=read.tiers(record, "tiers", what),
            when=condition_of(read, record, "when", Over.FACTS),
            requires=condition_of(read, record, "requires", Over.ANSWERS),
            knock_out=knock_out_of(read, record, kind, options, steps) if is_sound else None,
            evidence=self._evidence(record),
            maps=self._maps(record),
            options=options,
            options_from=options_from,
            unit=read.text(record, "unit", what, required=kind is Kind.NUMBER),
            steps=steps,
            columns=columns,
            rows=rows,
            details=details_of(read, record),
            guidance=read.text(record, "guidance", what),
            why=read.text(record, "why", what),
            # Only scored questions must have these two, which is for the lint to say.
            strong=read.text(record, "strong", what, required=False),
            good_evidence=read.text(record, "good_evidence", what, required=False),
            warnings=remarks_of(read, record),
            compensating=compensating_of(read, record),
            length=length_of(read, record, what),
            min_rows=min_rows_of(read, record, rows) if is_sound else 0,
        )

    def _check_parts(self, record: Record, kind: Kind, weight: int) -> None:
        """Refuse parts that the kind does not use, and the lack of those that it needs."""
        allowed: set[str] = {
            Kind.ONE_CHOICE: {"options"},
            Kind.MANY_CHOICES: {"options", "options_from"},
            Kind.NUMBER: {"unit", "steps"},
            Kind.TABLE: {"columns", "rows", "min_rows"},
            Kind.TEXT: {"length"},
        }.get(kind, set())
        for part in ("options", "options_from", "unit", "steps", "columns", "rows", "min_rows", "length"):
            if part in record.items and part not in allowed:
                self._read.problem(record.places[part], f"A question of kind {kind} has no “{part}”")
        needed = {
            Kind.ONE_CHOICE: ("options",),
            Kind.MANY_CHOICES: ("options", "options_from"),
            Kind.NUMBER: ("steps",) if weight else (),
            Kind.TABLE: ("columns",),
        }.get(kind, ())
        if needed and not any(part in record.items for part in needed):
            self._read.problem(spot(record), f"A question of kind {kind} needs “{needed[0]}”")
        if weight and kind not in SCORED_KINDS:
            self._read.problem(record.places["weight"], f"A question of kind {kind} is not scored; its weight is 0")
        if "compensating" in record.items and not weight:
            message = "Only a scored question has “compensating”: it is offered when the answer earns less than full"
            self._read.problem(record.places["compensating"], message)
        if "knock_out" in record.items and kind not in CHOICE_KINDS | {Kind.NUMBER}:
            self._read.problem(record.places["knock_out"], f"A question of kind {kind} cannot knock out")

    def _evidence(self, record: Record) -> EvidenceNeed:
        need = self._read.record(record, "evidence", "a question")
        if need is None:
            return EvidenceNeed()
        self._read.fields(need, ("level", "kinds"), "evidence")
        level = self._read.integer(need, "level", "evidence", 0, MAX_LEVEL)
        kinds = self._read.words(need, "kinds", "evidence", required=level > 0)
        for kind in kinds:
            if not (kind.isascii() and kind.isalnum() and kind.isupper() and len(kind) <= 8):
                self._read.problem(spot(need), f"“{kind}” is not a code of an evidence kind, such as SOC2")
        return EvidenceNeed(level, kinds)

    def _maps(self, record: Record) -> MappingProxyType[str, str]:
        found: dict[str, str] = {}
        maps = self._read.record(record, "maps", "a question")
        for framework, node in maps.items.items() if maps else ():
            if framework not in self._frameworks:
                self._read.problem(spot(node), f"“{framework}” is not among the frameworks of this file")
            elif not isinstance(node, Leaf) or not node.text:
                self._read.problem(spot(node), "A control is named by its identifier")
            else:
                found[framework] = node.text
        return MappingProxyType(found)
