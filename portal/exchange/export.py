"""What stands in a file of answers: gathered in one transaction as plain values, made into bytes outside of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.rules import BlockerKind, Standing, blockers
from portal.exchange.comparing import EXPORT, grids_named, mark_of, table_mark_of
from portal.exchange.facts import AnswersExported
from portal.exchange.ground import Ground, ground_of
from portal.exchange.rules.merge import Content
from portal.exchange.rules.sheet import entries_of, locked_cells, rendered
from portal.exchange.workbook import FORMAT, Book, Line, Stamp, Table
from portal.kernel.ledger import Tx
from portal.kernel.secrets import Keyring
from portal.questionnaires import queries as versions_of_questionnaires
from portal.questionnaires.rules import Question, QuestionState, is_answered
from portal.terms import Side
from portal.vendors import queries as vendors


def gather(tx: Tx, assessment: Assessment, *, keyring: Keyring, lab: str) -> Book:
    """Return everything that stands in an export, as plain values; make the file of it after the transaction.

    Carried answers that wait to be confirmed are no answers: their cells are empty, and the state shows what was said.
    """
    ground = ground_of(tx, assessment)
    standing, questionnaire = ground.standing, ground.questionnaire
    stamp = Stamp(assessment.id, questionnaire.digest, assessment.revision, tx.now)
    shown = [each for each in ground.asked() if ground.is_exported(each)]
    words = _state_words(standing, lab)
    tables = grids_named(ground.asked())
    names = {grid.id: name for grid, name in tables}
    comments = _comments(tx, assessment)
    version = versions_of_questionnaires.version_of(tx, assessment.questionnaire_id)
    lines: list[Line] = []
    for question in shown:
        domain = questionnaire.section(question.section).title
        content = ground.content(question.key)
        line = ground.lines.get(question.key)
        earlier = ground.carried.get(question.key)
        for entry in entries_of(question):
            needed = "Optional" if not entry.is_main else _required(ground.states[question.key])
            locked = locked_cells(entry, domain, needed)
            state = words.get(question.key, "")
            if entry.is_main and earlier is not None and not earlier.is_settled:
                state = _with_earlier(question, state, earlier, names.get(question.key, ""))
            lines.append(
                Line(
                    entry=entry,
                    locked=locked,
                    answer=rendered(entry, content, names.get(entry.id, "")),
                    evidence=_evidence(ground.cited.get(question.key, ())) if entry.is_main else "",
                    comment=comments.get(question.key, "") if entry.is_main else "",
                    state=state if entry.is_main else "",
                    mark=mark_of(keyring, stamp, entry.id, line.version if line else 0, locked),
                    confirmable=entry.is_main and earlier is not None and earlier.waits,
                )
            )
    keys = {question.key for question in shown}
    return Book(
        vendor=vendors.names_of(tx, [assessment.vendor_id]).get(assessment.vendor_id, ""),
        lab=lab,
        title=assessment.title,
        questionnaire=f"{version.title}, version {version.version}" if version else questionnaire.title,
        due_on=assessment.due_on,
        stamp=stamp,
        signature=signature_of(keyring, stamp),
        lines=tuple(lines),
        tables=tuple(
            Table(
                grid=grid,
                name=name,
                rows=_rows_of(ground.content(grid.question.key), grid.field.key if grid.field else None),
                mark=table_mark_of(keyring, stamp, grid.id, _version(ground, grid.question.key)),
            )
            for grid, name in tables
            if grid.question.key in keys
        ),
    )


def exported(tx: Tx, assessment: Assessment, *, what: str, digest: str) -> None:
    """Write down that a file of answers was made: who, when, in which format, with which digest."""
    tx.record(AnswersExported(assessment.id, assessment.vendor_id, what, digest))


def signature_of(keyring: Keyring, stamp: Stamp) -> str:
    """Return the proof that an export is ours."""
    return keyring.mac(EXPORT, FORMAT, *stamp.parts)


def _rows_of(content: Content, field: str | None) -> Sequence[Mapping[str, str]]:
    rows = content.get("rows", ()) if field is None else content.get("details", {}).get(field, ())
    return tuple(rows)


def _version(ground: Ground, key: str) -> int:
    line = ground.lines.get(key)
    return line.version if line else 0


def _required(state: QuestionState) -> str:
    return "Not now: another answer rules it out" if state is QuestionState.ZERO else "Yes"


def _with_earlier(question: Question, state: str, earlier: attestations.CarriedLine, sheet_name: str) -> str:
    """Return the state of a question with what was answered before, which is read only."""
    said = [text for entry in entries_of(question)[:1] for text in rendered(entry, earlier.content, sheet_name) if text]
    source = f"{earlier.source_label}, {earlier.answered_at.date().isoformat()}"
    return f"{'To confirm' if earlier.waits else state}. Earlier answer ({source}): {'. '.join(said)}"


def _evidence(cited: Sequence[attestations.CitationLine]) -> str:
    return "; ".join(f"{each.file_name} (pages {each.pages})" if each.pages else each.file_name for each in cited)


def _comments(tx: Tx, assessment: Assessment) -> dict[str, str]:
    """Return the last message of the lab in each conversation."""
    found: dict[str, str] = {}
    for key, thread in attestations.messages_of(tx, assessment).items():
        ours = [each for each in thread if each.side is Side.LAB]
        if ours:
            found[key] = f"{ours[-1].author_name}, {ours[-1].at.date().isoformat()}: {ours[-1].body}"
    return found


def _state_words(standing: Standing, lab: str) -> dict[str, str]:
    """Return the state of each question that is asked, in the words of the pages."""
    missing: dict[str, set[BlockerKind]] = {}
    for each in blockers(standing):
        missing.setdefault(each.question_key, set()).add(each.kind)
    waiting = {question.key for question in standing.waiting()}
    words: dict[str, str] = {}
    for question in standing.visible():
        kinds = missing.get(question.key, set())
        answered = is_answered(question, standing.answers.get(question.key))
        if question.key in waiting:
            words[question.key] = "To confirm"
        elif BlockerKind.REPLY in kinds:
            words[question.key] = f"{lab} asked"
        elif kinds & {BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED}:
            words[question.key] = "Evidence missing"
        elif kinds:
            words[question.key] = "In progress" if answered else "Not started"
        else:
            words[question.key] = "Complete"
    return words
