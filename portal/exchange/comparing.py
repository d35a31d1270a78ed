"""Compares what a file says with what was exported and with what stands now, question by question."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from portal.attestations.rules import Use, use_of
from portal.evidence.queries import LibraryLine
from portal.exchange.ground import Ground
from portal.exchange.reading import SheetLine, SheetTable, Upload
from portal.exchange.rules.fields import Fields
from portal.exchange.rules.grid import Grid, grids_of, sheet_names
from portal.exchange.rules.merge import Content, Outcome, merged, sort_out
from portal.exchange.rules.sheet import LOCKED, Base, Cells, Entry, Reading, entries_of, locked_cells, read
from portal.exchange.rules.typed import CLEAR, prose, unguarded, word
from portal.exchange.workbook import RESERVED, Stamp
from portal.kernel.secrets import Keyring
from portal.kernel.words import said as worded
from portal.questionnaires import rules as questions
from portal.questionnaires.rules import Question, QuestionState, from_json
from portal.terms import N_

EXPORT: Final = "offline-export"
LINE: Final = "offline-line"
TABLE: Final = "offline-table"
_MARK: Final = re.compile(r"v([0-9]{1,9})\.([A-Za-z0-9_-]{43})")
_UNSEEN: Final = frozenset({QuestionState.HIDDEN, QuestionState.ZERO})

MOVED_COLUMN: Final = N_("The grey column “%(column)s” was changed in this line. Undo that, or download a new copy")
OTHER_LINE: Final = N_("This line is not from this file. Copy only the white cells from one file into another")
TWICE: Final = N_("This question is in the file more than once. Keep one of the lines")
UNKNOWN: Final = N_("%(place)s: the question “%(name)s” is not in this questionnaire. Nothing was read from this line")
UNNAMED: Final = N_("%(place)s: there is no question_id. Copy the answer into the line of its question")
UNKNOWN_SHEET: Final = N_("The sheet “%(place)s” belongs to no question here. Nothing was read from it")
NOT_ASKED: Final = N_("This is not asked with the answers in this file. It stays as it is online")
NO_FILE: Final = N_("Upload “%(name)s” on the page “Evidence” and attach it here: it is not in your library")
TWO_FILES: Final = N_("Attach “%(name)s” on the page of its section: two files of your library are called so")
KEEP_FILES: Final = N_("Remove files on the page of the section: a file of answers only adds them")


def mark_of(keyring: Keyring, stamp: Stamp, entry_id: str, version: int, locked: Sequence[str]) -> str:
    """Return the mark of a line: the version it was made from, and the proof of that and of its locked cells."""
    proof = keyring.mac(LINE, *stamp.parts, entry_id, version, *map(word, locked))
    return f"v{version}.{proof}"


def table_mark_of(keyring: Keyring, stamp: Stamp, grid_id: str, version: int) -> str:
    """Return the mark of a table."""
    return f"v{version}.{keyring.mac(TABLE, *stamp.parts, grid_id, version)}"


@dataclass(frozen=True, slots=True)
class Compared:
    """One question of a file beside what stands now. ``seen`` is what stood when it was compared.

    ``fields`` is the form that says ``mine``; ``confirms`` the fingerprint of the earlier answer that it confirms.
    """

    key: str
    place: str
    outcome: str
    fields: Fields = field(default_factory=dict)
    mine: Mapping[str, Any] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    confirms: str = ""
    why: Sequence[str] = ()
    notes: Sequence[str] = ()
    files: Sequence[str] = ()
    todo: Sequence[str] = ()

    @property
    def matters(self) -> bool:
        """Whether there is anything to say of it."""
        return self.outcome != Outcome.UNCHANGED or bool(self.why or self.notes or self.files or self.todo)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole file beside what stands now; only what there is something to say of is named."""

    lines: tuple[Compared, ...]
    unchanged: int
    absent: int
    strange: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return {
            "lines": [asdict(each) for each in self.lines],
            "unchanged": self.unchanged,
            "absent": self.absent,
            "strange": list(self.strange),
        }

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Report:
        """Return the report that `plain` wrote."""
        return cls(
            lines=tuple(Compared(**each) for each in plain["lines"]),
            unchanged=plain["unchanged"],
            absent=plain["absent"],
            strange=tuple(plain["strange"]),
        )


@dataclass(frozen=True, slots=True)
class Versions:
    """Which version of each answer the lines of a file were made from."""

    by_key: Mapping[str, int]
    why: Mapping[str, tuple[str, ...]]


def versions_in(ground: Ground, upload: Upload, keyring: Keyring, stamp: Stamp) -> Versions:
    """Return the versions that the marks of a file prove, and why the lines of a question cannot be taken."""
    entries = {entry.id: entry for question in ground.asked() for entry in entries_of(question)}
    grids = {grid.id: grid for question in ground.asked() for grid in grids_of(question)}
    found: dict[str, int] = {}
    why: dict[str, list[str]] = {}
    for name, line in upload.lines:
        if (entry := entries.get(name)) is not None:
            version = _version(line.mark)
            if version is None or not keyring.is_ours(
                line.mark[line.mark.index(".") + 1 :], LINE, *stamp.parts, name, version, *map(word, line.locked)
            ):
                why.setdefault(entry.question.key, []).append(_what_moved(ground, entry, line))
            else:
                found.setdefault(entry.question.key, version)
    for name, table in upload.tables:
        if (grid := grids.get(name)) is not None:
            version = _version(table.mark)
            proof = table.mark.rpartition(".")[2]
            if version is None or not keyring.is_ours(proof, TABLE, *stamp.parts, name, version):
                why.setdefault(grid.question.key, []).append(f"{grid.label}: {OTHER_LINE}")
            else:
                found.setdefault(grid.question.key, version)
    return Versions(found, {key: tuple(dict.fromkeys(reasons)) for key, reasons in why.items()})


def _version(mark: str) -> int | None:
    found = _MARK.fullmatch(mark)
    return int(found[1]) if found else None


def _what_moved(ground: Ground, entry: Entry, line: SheetLine) -> str:
    """Return which locked column was changed, as far as it can be told."""
    expected = locked_cells(entry, ground.questionnaire.section(entry.question.section).title, "")
    for column, ours, given in list(zip(LOCKED, expected, line.locked, strict=True))[1:-1]:
        if word(ours) != word(given):
            return worded(MOVED_COLUMN, column=column)
    return OTHER_LINE


def compare(ground: Ground, upload: Upload, versions: Versions, bases: Mapping[tuple[str, int], Content]) -> Report:
    """Return what a file would change. Nothing is written.

    :param bases: the answers of the export, by question and version.
    """
    asked = ground.asked()
    ids = [entry.id for question in asked for entry in entries_of(question)]
    lines = sort_out(upload.lines, ids)
    grid_list = [grid for question in asked for grid in grids_of(question)]
    tables = sort_out(upload.tables, [grid.id for grid in grid_list])
    names = sheet_names(grid_list, RESERVED)
    twice = {name.partition("#")[0] for name in (*lines.duplicate, *tables.duplicate)}
    found: list[Compared] = []
    for question in asked:
        own = {entry.id: lines.lines[entry.id] for entry in entries_of(question) if entry.id in lines.lines}
        grids = {grid.id: tables.lines[grid.id] for grid in grids_of(question) if grid.id in tables.lines}
        why = (*versions.why.get(question.key, ()), *((TWICE,) if question.key in twice else ()))
        if own or grids or why:
            found.append(_question(ground, question, own, grids, why, versions, bases, names))
    found = list(_without_unasked(ground, found))
    named = {each.key for each in found}
    return Report(
        lines=tuple(each for each in found if each.matters),
        unchanged=sum(not each.matters for each in found),
        absent=sum(ground.is_exported(question) and question.key not in named for question in asked),
        strange=tuple(_strange(upload, lines.unknown, tables.unknown)),
    )


def _strange(upload: Upload, lines: Sequence[str], tables: Sequence[str]) -> Iterator[str]:
    for name, line in upload.lines:
        if name in lines:
            yield worded(UNKNOWN if name else UNNAMED, place=line.place, name=name[:80])
    for name, table in upload.tables:
        if name in tables:
            yield worded(UNKNOWN_SHEET, place=table.place)


def _question(
    ground: Ground,
    question: Question,
    own: Mapping[str, SheetLine],
    grids: Mapping[str, SheetTable],
    why: Sequence[str],
    versions: Versions,
    bases: Mapping[tuple[str, int], Content],
    names: Mapping[str, str],
) -> Compared:
    key = question.key
    places = [*(each.place for each in own.values()), *(each.place for each in grids.values())]
    place = places[0] if places else ""
    now = ground.content(key)
    if why:
        return Compared(key, place, Outcome.REFUSED, seen=dict(now), why=why)
    version = versions.by_key[key]
    base = bases.get((key, version)) if version else {}
    if base is None:
        return Compared(key, place, Outcome.REFUSED, seen=dict(now), why=(OTHER_LINE,))
    earlier = ground.earlier(key) if not base else None
    reading = read(
        question,
        Base(base, earlier),
        {name: line.cells for name, line in own.items()},
        {name: table.typed for name, table in grids.items()},
        sheet_names=names,
        offered=ground.offered(question) if question.options_from else (),
    )
    return _judged(ground, question, place, base, earlier, now, reading, own.get(key))


def _judged(
    ground: Ground,
    question: Question,
    place: str,
    base: Content,
    earlier: Content | None,
    now: Content,
    reading: Reading,
    line: SheetLine | None,
) -> Compared:
    key = question.key
    mine = reading.content if reading.touched else base
    outcome = Outcome.REFUSED if reading.problems else merged(base, mine, now)
    closed = ground.closed(question)
    files, todo = _files(ground, question, line.cells if line else Cells())
    if closed and (outcome in (Outcome.TAKE, Outcome.CONFLICT) or files):
        return Compared(key, place, Outcome.REFUSED, mine=mine, base=base, seen=now, why=(closed,), notes=reading.notes)
    carried = ground.carried.get(key)
    confirms = bool(earlier is not None and mine == earlier and carried and carried.waits)
    return Compared(
        key=key,
        place=place,
        outcome=outcome,
        fields=reading.fields,
        mine=mine,
        base=base,
        seen=now,
        confirms=carried.digest if confirms and carried else "",
        why=reading.problems,
        notes=reading.notes,
        files=files,
        todo=todo,
    )


def _without_unasked(ground: Ground, found: Sequence[Compared]) -> Iterator[Compared]:
    """Refuse the answers to questions that are not asked once the file is taken."""
    said = dict(ground.standing.answers)
    for each in found:
        if each.outcome in (Outcome.TAKE, Outcome.CONFLICT):
            there = ground.standing.answers.get(each.key)
            said[each.key] = replace(from_json(each.mine), files=there.files if there else 0)
    states = questions.state_of(
        ground.questionnaire,
        ground.tier,
        ground.standing.facts,
        {**{key: answer for key, answer in ground.standing.carried.items() if key not in said}, **said},
    )
    for each in found:
        if each.outcome in (Outcome.TAKE, Outcome.CONFLICT) and states[each.key] in _UNSEEN:
            yield Compared(
                each.key, each.place, Outcome.REFUSED, mine=each.mine, base=each.base, seen=each.seen, why=(NOT_ASKED,)
            )
        else:
            yield each


def _files(ground: Ground, question: Question, cells: Cells) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the files of the library that a line names and that are not attached yet, and what is left to do."""
    text = prose(unguarded(cells.evidence.text))
    if not text:
        return (), ()
    if word(text) == CLEAR:
        return (), (KEEP_FILES,)
    attached = ground.cited.get(question.key, ())
    taken_away = ground.uncited.get(question.key, frozenset())
    files: list[str] = []
    todo: list[str] = []
    for piece in re.split(r"[;\n]", text):
        name = prose(re.sub(r"\(pages? [^)]*\)\s*$", "", piece))
        if (
            not name
            or word(name) in taken_away
            or any(word(name) in (word(each.file_name), str(each.evidence_id)) for each in attached)
        ):
            continue
        known = [each for each in ground.library if _is_usable(each) and _is_named(each, name)]
        if len(known) == 1:
            files.append(str(known[0].id))
        else:
            todo.append(worded(TWO_FILES if known else NO_FILE, name=name[:120]))
    return tuple(dict.fromkeys(files)), tuple(dict.fromkeys(todo))


def _is_named(line: LibraryLine, name: str) -> bool:
    return word(name) in (word(line.file_name), word(line.title), str(line.id))


def _is_usable(line: LibraryLine) -> bool:
    return use_of(line.state, line.scan, removed=False) is not Use.REFUSED and line.replaced_by is None


def grids_named(questions_: Sequence[Question]) -> tuple[tuple[Grid, str], ...]:
    """Return the tables of questions with the names of their sheets."""
    grids = [grid for question in questions_ for grid in grids_of(question)]
    names = sheet_names(grids, RESERVED)
    return tuple((grid, names[grid.id]) for grid in grids)
