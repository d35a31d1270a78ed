"""Giving a customer its own CAIQ back with our answers in it; the rest of the file stays as it was."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from typing import IO, BinaryIO
from xml.etree import ElementTree

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import rules as attestation_rules
from portal.attestations import service as attestations
from portal.exchange.external import copied, pages_of
from portal.exchange.facts import AnswersExported
from portal.exchange.rules import external as reading
from portal.exchange.rules import filling as rules
from portal.exchange.rules.external import Family, Layout, Page
from portal.exchange.rules.filling import Filled, NotWritten, Told
from portal.exchange.rules.suggesting import versions_of
from portal.kernel import spreadsheet
from portal.kernel.errors import Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires

MAX_UNPACKED = 80_000_000
MAX_SHEET = 20_000_000
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINKS = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_PIECE = 1 << 18
_UNUSUAL = said(
    "We cannot write into this workbook without changing its shape. Save it as .xlsx again and upload the new copy"
)
_HECVAT = said(
    "We do not write into a HECVAT, because its formulas would no longer fit. "
    "Download your answers as CSV instead, and copy them into it"
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A customer's workbook on our disk: which one it is, and where its columns stand."""

    path: Path
    family: Family
    named: str
    version: str
    pages: tuple[Page, ...]
    layouts: tuple[Layout, ...]


@contextmanager
def opened(stream: BinaryIO, file_name: str) -> Iterator[Sent]:
    """Lend an uploaded workbook that can be filled in. Outside of transactions.

    :raises Refused: with the problem of file.
    """
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as copy:
        copied(stream, copy)
        path = Path(copy.name)
        try:
            pages = pages_of(spreadsheet.read_workbook(path))
            family, named, version = reading.recognised(pages, file_name)
            if family is Family.HECVAT:
                raise reading.NotRead(_HECVAT)
            if not (found := reading.layouts(pages)):
                raise reading.NotRead(reading.NOT_OURS)
        except spreadsheet.RefusedSheet as refusal:
            raise Refused(problems={"file": [refusal.message]}) from refusal
        except reading.NotRead as refusal:
            raise Refused(problems={"file": [refusal.args[0]]}) from refusal
        yield Sent(path, family, named, version, tuple(pages), tuple(found))


def told_by(tx: Tx, *, assessment: Assessment, sent: Sent, version: str) -> dict[str, Told]:
    """Return what the answers of an assessment, as they stand, say to the controls of a customer's workbook.

    :param version: the version of the catalogue that a person says the workbook asks.
    :raises Forbidden: if the actor may not read the assessment.
    :raises Refused: with the problem of version, if our questions are not mapped to it or the file names another.
    """
    policy.check(tx.actor, Action.ASSESSMENT_READ, assessment)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    framework, catalogue = sent.family.framework, sent.family.catalogue
    known = versions_of(questionnaire, framework)
    if version not in known:
        ours = (
            said(
                "Our questions name controls of %(catalogue)s %(versions)s",
                catalogue=catalogue,
                versions=", ".join(known),
            )
            if known
            else said("Our questions do not")
        )
        raise Refused(
            problems={
                "version": [
                    said(
                        "%(ours)s; this file asks %(catalogue)s %(version)s",
                        ours=ours,
                        catalogue=catalogue,
                        version=version or said("of an unknown version"),
                    )
                ]
            }
        )
    if sent.named.startswith(f"{catalogue} ") and sent.version != version:
        raise Refused(
            problems={"version": [said("The file names %(named)s. Choose the version that it asks", named=sent.named)]}
        )
    standing = attestations.standing(tx, assessment, questionnaire)
    states = standing.states()
    answers = {
        key: answer
        for key, answer in standing.answers.items()
        if states.get(key, "hidden") not in attestation_rules.UNSEEN and not answer.is_blank
    }
    return rules.told_of(questionnaire, answers, framework, version)


def write(sent: Sent, told: Mapping[str, Told], out: IO[bytes]) -> Filled:
    """Write the workbook with our answers in its empty rows; every other part of it is the same as before.

    :raises Refused: with the problem of file, if it cannot be written without changing its shape.
    """
    filled = rules.fill(sent.pages, sent.layouts, told)
    try:
        with zipfile.ZipFile(sent.path) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            if sum(each.file_size for each in source.infolist()) > MAX_UNPACKED:
                raise NotWritten
            edited = {part: _edited(source, part, filled.cells[name]) for name, part in _parts(source, filled).items()}
            for member in source.infolist():
                if member.filename in edited:
                    target.writestr(member, edited[member.filename], zipfile.ZIP_DEFLATED)
                else:
                    with source.open(member) as content, target.open(member, "w") as copy:
                        shutil.copyfileobj(content, copy, _PIECE)
    except (NotWritten, ElementTree.ParseError, KeyError, ValueError, zipfile.BadZipFile) as failure:
        raise Refused(problems={"file": [_UNUSUAL]}) from failure
    return filled


def record(tx: Tx, *, assessment: Assessment, sha256: str) -> None:
    """Record that a filled workbook leaves."""
    tx.record(
        AnswersExported(assessment_id=assessment.id, vendor_id=assessment.vendor_id, what="filled CAIQ", digest=sha256)
    )


def _edited(archive: zipfile.ZipFile, part: str, cells: Mapping[str, str]) -> bytes:
    if archive.getinfo(part).file_size > MAX_SHEET:
        raise NotWritten
    return rules.written(archive.read(part).decode("utf-8"), cells).encode("utf-8")


def _parts(archive: zipfile.ZipFile, filled: Filled) -> dict[str, str]:
    """Return the part of the zip of each sheet that is written."""
    # The sandbox has parsed these very bytes before, and refuses document types and entities.
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 # nosec B314
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 # nosec B314
    targets = {each.get("Id"): each.get("Target", "") for each in links.iter(f"{_PACKAGE}Relationship")}
    found: dict[str, str] = {}
    for sheet in book.iter(f"{_MAIN}sheet"):
        name = (sheet.get("name") or "")[:100]
        if filled.cells.get(name):
            target = targets[sheet.get(f"{_LINKS}id")]
            found[name] = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
    if set(found) != {name for name, cells in filled.cells.items() if cells}:
        raise NotWritten
    return found
