"""What was signed, as the data of a printed document: from the snapshot and what was kept with it alone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from portal.attestations.rules.snapshot import SignedAnswer, Snapshot
from portal.attestations.rules.statements import sentences_of
from portal.kernel.words import said, said_n
from portal.questionnaires.rules import (
    Answer,
    Column,
    DetailField,
    FactKind,
    FieldKind,
    Period,
    Question,
    Questionnaire,
    ScopingFact,
    field_words,
)
from portal.questionnaires.rules.text import date_from, number_text, period_from
from portal.terms import N_

FACTORS: Final[Mapping[str, str]] = {
    "totp": N_("Code from an authenticator app"),
    "passkey": N_("Passkey"),
    "recovery_code": N_("Recovery code"),
}

Pairs = list[list[str]]


@dataclass(frozen=True, slots=True)
class Voice:
    """How the document speaks: sentences, days and moments in one language and zone."""

    language: str
    say: Callable[[str], str]
    day: Callable[[date], str]
    moment: Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, when, and how they proved to be present."""

    name: str
    title: str
    at: datetime
    factor: str
    digest: str


def document(
    asked: Questionnaire, snapshot: Snapshot, signature: Signature, named: Mapping[str, Any], voice: Voice
) -> dict[str, Any]:
    """Return the data of the template ``attestation``.

    :param asked: the very version that the snapshot names by its fingerprint.
    :param named: names as they were when it was signed; see ``signing.names_of``.
    """
    say = voice.say
    files = _files(asked, snapshot, named)
    sections = [
        {
            "number": section.number,
            "title": section.title,
            "questions": [
                _question(question, snapshot.answers[question.key], snapshot, asked, named, files, voice)
                for question in section.questions
                if question.key in snapshot.answers and snapshot.answers[question.key].is_asked
            ],
        }
        for section in asked.sections
    ]
    return {
        "title": say(said("Signed answers of %(vendor)s", vendor=named["vendor"])),
        "language": voice.language,
        "asked_in": asked.language,
        "lab": named["lab"],
        "made_at": signature.at,
        "fingerprint": signature.digest,
        "about": _about(asked, snapshot, signature, named, voice),
        "statements": list(sentences_of(snapshot.statement)),
        "facts": [
            _fact(fact, snapshot.scoping[fact.key], voice) for fact in asked.scoping if fact.key in snapshot.scoping
        ],
        "sections": [section for section in sections if section["questions"]],
        "files": [[each["mark"], each["name"], each["sha256"]] for each in files.values()],
        "words": {
            "page": say(N_("Page {page} of {pages}")),
            "statements": say(N_("What was stated")),
            "signed": say(said("%(name)s signed this on %(at)s.", name=signature.name, at=signature.at)),
            "facts": say(N_("Facts about the work")),
            "answers": say(N_("Questions and answers")),
            "files": say(N_("Files")),
            "files_intro": say(
                N_("Each file is named by the SHA-256 of its bytes. Another file has another SHA-256, however alike.")
            ),
            "prepared": say(N_("Prepared by")),
            "backed": say(N_("Backed by")),
            "fingerprint": say(N_("Fingerprint (SHA-256)")),
            "how": say(N_("What the fingerprint says")),
            "how_text": say(
                N_(
                    "The fingerprint is the SHA-256 over every answer, every fact, every file and the statements as "
                    "they were signed. If one letter of them changed, so would the fingerprint. Questions that did not "
                    "apply were not asked and are not printed. Names of people and files are those of the day of "
                    "signing."
                )
            ),
        },
    }


def _about(
    asked: Questionnaire, snapshot: Snapshot, signature: Signature, named: Mapping[str, Any], voice: Voice
) -> Pairs:
    say = voice.say
    return [
        [say(N_("Signed for")), named["vendor"]],
        [say(N_("Signed by")), ", ".join(filter(None, [signature.name, signature.title]))],
        [say(N_("Signed on")), voice.moment(signature.at)],
        [say(N_("Proof of presence")), say(FACTORS.get(signature.factor, signature.factor))],
        [say(N_("Sent to")), named["lab"]],
        [say(N_("Assessment")), named["title"]],
        [
            say(N_("Questionnaire")),
            say(said("%(title)s, version %(version)s", title=asked.title, version=str(asked.version))),
        ],
        [say(N_("Tier")), str(snapshot.tier)],
        [say(N_("Revision")), str(snapshot.revision)],
        [
            say(N_("Frozen")),
            ", ".join(
                [
                    say(said_n("%(num)s answer", "%(num)s answers", snapshot.asked)),
                    say(said_n("%(num)s file", "%(num)s files", snapshot.files)),
                ]
            ),
        ],
    ]


def _files(asked: Questionnaire, snapshot: Snapshot, named: Mapping[str, Any]) -> dict[UUID, dict[str, str]]:
    """Return the files by id in the order in which the answers use them, each with a mark to point at it by."""
    found: dict[UUID, dict[str, str]] = {}
    for question in asked.questions:
        for each in snapshot.citations_of(question.key):
            if each.evidence_id not in found:
                found[each.evidence_id] = {
                    "mark": f"F{len(found) + 1}",
                    "name": named["files"].get(str(each.evidence_id), ""),
                    "sha256": each.sha256,
                }
    return found


def _question(
    question: Question,
    signed: SignedAnswer,
    snapshot: Snapshot,
    asked: Questionnaire,
    named: Mapping[str, Any],
    files: Mapping[UUID, Mapping[str, str]],
    voice: Voice,
) -> dict[str, Any]:
    answer = signed.answer
    say = voice.say
    beside: Pairs = [
        [say(N_("Explanation")), answer.comment],
        [say(N_("Why it does not apply")), answer.na_reason],
        [say(N_("The rest is planned by")), voice.day(answer.planned_on) if answer.planned_on else ""],
        [say(N_("What is done instead")), answer.compensating],
    ]
    grids: list[dict[str, Any]] = []
    if answer.rows:
        grids.append(_grid("", question.columns, answer.rows, voice))
    for field in question.details:
        value = answer.details.get(field.key)
        if isinstance(value, str):
            beside.append([field.label, _field(field, value, voice)])
        elif value:
            grids.append(_grid(field.label, field.columns, value, voice))
    return {
        "number": question.number,
        "label": question.label,
        "text": question.text,
        "answer": _main(question, answer, asked, voice),
        "beside": beside,
        "grids": grids,
        "files": [
            {
                "mark": files[each.evidence_id]["mark"],
                "name": files[each.evidence_id]["name"],
                "where": _where(each.pages, voice),
                "quote": each.quote,
            }
            for each in sorted(snapshot.citations_of(question.key), key=lambda each: str(each.citation_id))
        ],
        "by": named["people"].get(str(signed.prepared_by), ""),
    }


def _where(pages: str, voice: Voice) -> str:
    """Return where to look in a file: pages by their numbers, anything else, such as "Sheet 2", as it was typed."""
    if pages.isdecimal():
        return voice.say(said("page %(page)s", page=pages))
    numbers = pages and all(each.isdecimal() for each in pages.replace(",", " ").replace("–", " ").split())
    return voice.say(said("pages %(pages)s", pages=pages)) if numbers else pages


def _main(question: Question, answer: Answer, asked: Questionnaire, voice: Voice) -> list[str]:
    if answer.na:
        return [voice.say(N_("Does not apply to us"))]
    found: list[str] = []
    if answer.choice is not None:
        option = question.option(answer.choice)
        found.append(option.label if option else answer.choice)
    if answer.number is not None:
        unit = "%" if question.unit == "percent" else question.unit
        found.append(f"{number_text(answer.number)} {unit}".strip())
    if answer.choices:
        known = {option.key: option.label for option in question.options}
        found += [known.get(key) or (asked.question(key).label if key in asked else key) for key in answer.choices]
    if answer.day is not None:
        found.append(voice.day(answer.day))
    if answer.period is not None:
        found.append(_period(answer.period, voice))
    found += [each for each in (answer.url, answer.text) if each]
    return found or ([] if answer.rows else [voice.say(N_("Nothing was entered"))])


def _fact(fact: ScopingFact, content: Mapping[str, Any], voice: Voice) -> dict[str, Any]:
    value, details = content.get("value"), content.get("details") or {}
    labels = {option.key: option.label for option in fact.options}
    lines: list[str] = []
    grids: list[dict[str, Any]] = []
    if fact.kind is FactKind.CHOICES:
        lines = [label for key, label in labels.items() if key in (value or ())] or [voice.say(N_("None"))]
    elif fact.kind is FactKind.TABLE:
        grids = [_grid("", fact.columns, value, voice)] if value else []
        lines = [] if value else [voice.say(N_("None"))]
    else:
        lines = [f"{labels.get(str(value), str(value))} {fact.unit}".strip()]
    beside: Pairs = []
    for field in fact.details:
        given = details.get(field.key)
        if isinstance(given, str):
            beside.append([field.label, _field(field, given, voice)])
        elif given:
            grids.append(_grid(field.label, field.columns, given, voice))
    return {"label": fact.label, "answer": lines, "beside": beside, "grids": grids}


def _grid(label: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], voice: Voice) -> dict[str, Any]:
    return {
        "label": label,
        "columns": [column.label for column in columns],
        "rows": [[_field(column, str(row.get(column.key, "")), voice) for column in columns] for row in rows],
    }


def _field(field: Column | DetailField, value: str, voice: Voice) -> str:
    if field.kind is FieldKind.DATE and (day := date_from(value)):
        return voice.day(day)
    if field.kind is FieldKind.RANGE and (days := period_from(value)):
        return _period(Period(*days), voice)
    return field_words(field, value)


def _period(period: Period, voice: Voice) -> str:
    if period.first is None or period.last is None:
        if period.last is not None:
            return voice.say(said("until %(day)s", day=period.last))
        return voice.say(said("from %(day)s", day=period.first)) if period.first else ""
    return voice.say(said("%(first)s to %(last)s", first=period.first, last=period.last))
