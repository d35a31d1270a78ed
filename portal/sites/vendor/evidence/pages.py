"""The library page and what stands on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import request, url_for

from portal import policy
from portal.assessments import service as assessments
from portal.attestations import library as uses
from portal.attestations.library import FileUse
from portal.evidence import queries, rules
from portal.evidence.queries import LibraryLine
from portal.identity import queries as people
from portal.kernel.errors import Forbidden, NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.sites.shared import page
from portal.sites.shared.evidence import Tag, gist, needs_attention, tag_of
from portal.sites.shared.language import _, ngettext
from portal.sites.shared.pages import actor, begin
from portal.sites.vendor.evidence.asks import asks_of
from portal.sites.vendor.evidence.timeline import chart
from portal.sites.vendor.work import slug
from portal.terms import N_, EvidenceState, ScanState

MOST_NUMBERS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the table."""

    line: LibraryLine
    by: str
    tag: Tag
    gist: str
    uses: Sequence[FileUse]
    ended: bool

    @property
    def needs_attention(self) -> bool:
        """Whether the vendor has something to do."""
        return needs_attention(self.tag)

    @property
    def is_unused(self) -> bool:
        """Whether no answer uses it, and one could."""
        return not self.uses and self.line.can_open and self.line.replaced_by is None

    @property
    def used_in(self) -> str:
        """Where it is used, in few words: the numbers of the questions, or how many answers."""
        numbers = list(dict.fromkeys(use.number for use in self.uses))
        if not numbers:
            return ""
        return (
            ", ".join(numbers)
            if len(numbers) <= MOST_NUMBERS
            else ngettext("%(num)s answer", "%(num)s answers", len(numbers))
        )

    @property
    def scan_note(self) -> str:
        """What is to be said of the scan, where it is not as one expects."""
        shown = self.line.can_open and self.line.scan is ScanState.NOT_SCANNED
        return _("not scanned") if shown else ""


@dataclass(frozen=True, slots=True)
class Purpose:
    """The answer that a file is uploaded for."""

    assessment: str
    question: str
    number: str
    label: str
    back: str
    kinds: tuple[str, ...]


def rows_of(tx: Tx, today: date) -> list[Row]:
    """Return the actor's library as rows, the newest first."""
    lines = queries.library(tx)
    vendor_id = tx.actor.vendor_id
    used = uses.uses_of(tx, vendor_id) if vendor_id else {}
    names = people.people(tx, [line.uploaded_by for line in lines])
    return [
        Row(
            line=line,
            by=names[line.uploaded_by].full_name if line.uploaded_by in names else "",
            tag=tag_of(line, today),
            gist=gist(line.kind, line.details),
            uses=used.get(line.id, ()),
            ended=line.valid_until is not None and line.valid_until < today,
        )
        for line in lines
    ]


def library_page(given: Mapping[str, Any] | None = None, *, errors: Sequence[str] = ()) -> str:
    """Return the library page; after a refused upload with what was chosen and what is wrong."""
    asked = request.args if given is None else given
    with begin() as tx:
        today = tx.now.date()
        rows = rows_of(tx, today)
        records = queries.records(tx, evidence_ids=[row.line.id for row in rows])
        purpose = _purpose(tx, asked)
        waiting = queries.unfinished(tx)
        asks = asks_of(tx, [row.line for row in rows], records, today)
        replaced = _replaced(rows, asked.get("supersedes") or asked.get("replace"))
    kind = request.args.get("kind", "")
    show = request.args.get("show", "")
    kept = [row for row in rows if _shown(row, kind, show)]
    may_upload = policy.may_ever(actor(), Action.EVIDENCE_UPLOAD)
    return page(
        "vendor/evidence/library.html",
        rows=kept,
        total=len(rows),
        attention=sum(1 for row in rows if row.needs_attention),
        unused=sum(1 for row in rows if row.is_unused),
        present=sorted({row.line.kind for row in rows}, key=list(rules.KINDS).index),
        kind=kind if kind in rules.KINDS else "",
        show=show,
        kinds=kind_options(purpose.kinds if purpose else (replaced.kind if replaced else asked.get("type", ""),)),
        titles={code: each.title for code, each in rules.KINDS.items()},
        asks=asks,
        chart=chart([row.line for row in rows], records, today),
        today=today,
        unfinished=waiting,
        max_bytes=rules.MAX_BYTES,
        upload_errors=list(errors),
        errors=list(errors),
        purpose=purpose,
        replaced=replaced,
        may_upload=may_upload,
        states=EvidenceState,
    )


def kind_options(first: Sequence[str]) -> list[tuple[str, str]]:
    """Return the types to choose from, those that fit best on top; none is chosen before somebody does."""
    best = [code for code in first if code in rules.KINDS]
    rest = [code for code in rules.KINDS if code not in best]
    options = [(code, rules.KINDS[code].title) for code in [*best, *rest]]
    return options if best else [("", N_("Choose the type of evidence")), *options]


def _shown(row: Row, kind: str, show: str) -> bool:
    if kind and row.line.kind != kind:
        return False
    if show == "attention":
        return row.needs_attention
    return row.is_unused if show == "unused" else True


def _purpose(tx: Tx, asked: Mapping[str, Any]) -> Purpose | None:
    try:
        row = assessments.get(tx, UUID(str(asked.get("assessment"))), Action.ASSESSMENT_READ)
        question = questionnaires.compiled(tx, row.questionnaire_id).question(str(asked.get("question")))
    except (ValueError, KeyError, NotFound, Forbidden):
        return None
    where = url_for("vendor_section.show", assessment_id=row.id, section=question.section)
    return Purpose(
        assessment=str(row.id),
        question=question.key,
        number=question.number,
        label=question.label,
        back=f"{where}#{slug(question.key)}",
        kinds=tuple(question.evidence.kinds),
    )


def _replaced(rows: Sequence[Row], wanted: object) -> LibraryLine | None:
    return next((row.line for row in rows if str(row.line.id) == wanted and row.line.replaced_by is None), None)
