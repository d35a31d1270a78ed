"""How a file is opened: proven first, then recorded, then given. Between transactions."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from portal.evidence import parking, reading, service
from portal.evidence.alarm import integrity_alarm
from portal.evidence.models import Evidence
from portal.evidence.opening import CHANGED
from portal.evidence.reading import Hit
from portal.evidence.rules import looking
from portal.evidence.rules.looking import Shape, shape_of
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict, NotFound, TooMany
from portal.kernel.ledger import Ledger
from portal.kernel.logging import logger
from portal.kernel.objects import IntegrityFailure, ObjectMissing, ObjectStore, verified_file
from portal.kernel.sandbox import Failing, SandboxFailure, run_limited
from portal.kernel.sniff import kind_of
from portal.kernel.spreadsheet import WORDS as TABLE_WORDS
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import Look, ReadingState

log = logger(__name__)

SECONDS = 20
ANSWER_BYTES = 6 * 1024 * 1024
MOST_HITS = 200
ASIDE = 0
"""Where a table or a text that cannot be shown is remembered: the pages begin at 1."""

WHY: Mapping[Failing, str] = {
    Failing.TIME: said("This page takes too long to draw"),
    Failing.MEMORY: said("This page needs more memory to draw than we give it"),
    Failing.CRASH: said("This page could not be drawn"),
}
WHY_ASIDE: Mapping[Failing, str] = {
    Failing.TIME: said("This file takes too long to read"),
    Failing.MEMORY: said("This file needs more memory to read than we give it"),
    Failing.CRASH: said("This file could not be read"),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A private copy of a file whose every byte was proven, and how it is to be called."""

    path: Path
    file_name: str
    mime: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as a picture of our own making."""

    data: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The beginning of a table or a text. ``more``: the original holds more than is shown."""

    sheets: tuple[str, ...]
    sheet: int
    rows: tuple[tuple[str, ...], ...]
    paragraphs: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found. ``without`` says why nothing can be found in this file; ``cut``: there is more."""

    words: str
    hits: Sequence[Hit]
    without: str = ""
    cut: bool = False

    @property
    def pages(self) -> Mapping[int, int]:
        """How many hits each page has."""
        counted: dict[int, int] = {}
        for hit in self.hits:
            counted[hit.page] = counted.get(hit.page, 0) + 1
        return counted


@contextmanager
def opened(
    ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID, scanned_only: bool = False
) -> Iterator[Opened]:
    """Lend a file to somebody who may read it, after its bytes were proven and the opening was recorded.

    :param scanned_only: whether the lab opens only what a scanner found clean.
    :raises NotFound: as ``service.get``.
    :raises Forbidden: if the actor may not read it.
    :raises Conflict: if it cannot be opened; also when its bytes are no longer the pinned ones, which is recorded.
    :raises TooMany: if a person of the lab opened too many files, which is recorded.
    :raises Unavailable: if the store is away.
    """
    asked = _Asked(ledger, actor, store, evidence_id, scanned_only)
    with asked.proven() as (path, row):
        asked.record()
        stored = service.pinned(row)
        yield Opened(path, row.file_name, stored.content_type, stored.size, stored.sha256)


def page_picture(
    ledger: Ledger,
    actor: Actor,
    *,
    store: ObjectStore,
    evidence_id: UUID,
    page: int,
    mark: str = "",
    words: str = "",
    zoom: int = 100,
    scanned_only: bool = False,
) -> Picture:
    """Return one page of a PDF, or a picture, as a picture of our own, drawn in a limited process; it is an opening.

    :param mark: who looks and when, written across it where ``looking.is_marked`` wants that.
    :param words: what is marked on the page where it stands.
    :raises NotFound: also if it has no such page.
    :raises Conflict: as ``opened``, or if the page cannot be drawn, which is remembered.
    :raises TooMany: as ``opened``.
    """
    asked = _Asked(ledger, actor, store, evidence_id, scanned_only, page)
    with asked.proven() as (path, row):
        asked.record()
        marked = looking.is_marked(by_lab=actor.is_lab, restricted=row.restricted, kind=row.kind)
        arguments: dict[str, str | int] = {
            "kind": "pdf" if shape_of(row.mime) is Shape.PAGES else "picture",
            "page": page,
            "mark": mark if marked else "",
            "words": words[: looking.MOST_WORDS],
            "width": looking.pixels_at(zoom),
        }
        drawn = asked.read("portal.evidence.drawing:draw", path, arguments, page, WHY)
    if "data" not in drawn:
        raise asked.failed(page, WHY[Failing.CRASH])
    return Picture(base64.b64decode(drawn["data"]), drawn["type"])


def contents(
    ledger: Ledger,
    actor: Actor,
    *,
    store: ObjectStore,
    evidence_id: UUID,
    sheet: int = 1,
    scanned_only: bool = False,
) -> Contents:
    """Return the first rows of a table, or the first paragraphs of a text, read in a limited process; an opening.

    :raises NotFound: also if it is neither.
    :raises Conflict: as ``opened``, or if it cannot be shown here, which is remembered.
    :raises TooMany: as ``opened``.
    """
    asked = _Asked(ledger, actor, store, evidence_id, scanned_only)
    with asked.proven(aside=True) as (path, row):
        is_table = shape_of(row.mime) is Shape.TABLE
        asked.record(Look.TABLE if is_table else Look.TEXT)
        arguments: dict[str, str | int] = {"kind": kind_of(row.file_name)}
        if is_table:
            size = {"rows": looking.ROWS, "columns": looking.COLUMNS, "letters": looking.LETTERS}
            found = asked.read("portal.evidence.tabling:table", path, arguments | size | {"sheet": sheet}, 0, WHY_ASIDE)
        else:
            size = {"paragraphs": looking.PARAGRAPHS, "letters": 4_000}
            found = asked.read("portal.evidence.tabling:text", path, arguments | size, 0, WHY_ASIDE)
    if code := found.get("refused"):
        known = TABLE_WORDS.get(str(code), "") if code in {"rows", "cells", "characters", "columns"} else ""
        raise asked.failed(
            ASIDE, said("This table is too large to be shown here") if known else WHY_ASIDE[Failing.CRASH]
        )
    return Contents(
        sheets=tuple(found.get("sheets", ())),
        sheet=sheet,
        rows=tuple(tuple(line) for line in found.get("rows", ())),
        paragraphs=tuple(found.get("paragraphs", ())),
        more=bool(found["more"]),
    )


def search(ledger: Ledger, actor: Actor, *, evidence_id: UUID, words: str, scanned_only: bool = False) -> Found:
    """Return where words stand in the text of a file; what is found is shown, and so it is an opening.

    :raises NotFound: as ``opened``.
    :raises Conflict: as ``opened``.
    :raises TooMany: as ``opened``.
    """
    wanted = " ".join(words.split())[: looking.MOST_WORDS]
    asked = _Asked(ledger, actor, None, evidence_id, scanned_only)
    with asked.limits(), ledger.begin(actor) as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_READ)
        service.may_open(tx, evidence=row, scanned_only=scanned_only)
        if without := _without_text(reading.reading_of(tx, evidence_id)):
            return Found(wanted, (), without)
        hits = reading.search(tx, evidence_id, wanted, limit=MOST_HITS + 1) if wanted else ()
        if hits:
            service.open_file(tx, evidence=row, look=Look.SEARCH, scanned_only=scanned_only)
    return Found(wanted, hits[:MOST_HITS], cut=len(hits) > MOST_HITS)


def _without_text(found: reading.Reading | None) -> str:
    if found is None:
        return said("Only the text of PDF files can be searched here")
    if found.state is ReadingState.NO_TEXT:
        return said("This PDF has no text layer: it is a scan, so nothing can be found in it. Read its pages")
    if found.state is ReadingState.WAITING:
        return said("The text of this file is being read. Look again in a minute")
    return said("%(reason)s. Read its pages", reason=said(found.reason)) if found.state is ReadingState.FAILED else ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One person asks for one file, or one page of it."""

    ledger: Ledger
    actor: Actor
    store: ObjectStore | None
    evidence_id: UUID
    scanned_only: bool
    page: int | None = None

    @contextmanager
    def limits(self) -> Iterator[None]:
        """Tell of somebody who was given no more, outside of the transaction that was refused."""
        try:
            yield
        except TooMany:
            log.error("more files were asked for than a person opens", evidence_id=str(self.evidence_id))
            with self.ledger.begin(self.actor) as tx:
                service.limited(tx, evidence=service.get(tx, self.evidence_id, Action.EVIDENCE_READ))
            raise

    @contextmanager
    def proven(self, *, aside: bool = False) -> Iterator[tuple[Path, Evidence]]:
        """Lend the bytes once it is known that they may be given; nothing is recorded yet."""
        with self.limits(), self.ledger.begin(self.actor) as tx:
            row = service.get(tx, self.evidence_id, Action.EVIDENCE_READ)
            service.pinned(row)  # a file that cannot be opened is refused with its reason, whatever page was asked for
            self._has_it(row, aside)
            stored = service.may_open(tx, evidence=row, page=self.page, scanned_only=self.scanned_only)
            resting = parking.parked(tx, self.evidence_id) if aside or self.page is not None else {}
            if words := resting.get(ASIDE if self.page is None else self.page):
                raise Conflict(words)
        assert self.store is not None  # noqa: S101 - only a search needs no store
        with ExitStack() as lent:
            try:
                path = lent.enter_context(verified_file(self.store, stored))
            except (IntegrityFailure, ObjectMissing) as failure:
                integrity_alarm(self.ledger, self.actor, self.evidence_id, failure)
                raise Conflict(CHANGED) from failure
            yield path, row

    def _has_it(self, row: Evidence, aside: bool) -> None:
        if self.page is not None and not 1 <= self.page <= looking.pages_of(row.mime, row.page_count):
            raise NotFound
        if aside and shape_of(row.mime) not in {Shape.TABLE, Shape.TEXT}:
            raise NotFound

    def record(self, look: Look = Look.ORIGINAL) -> None:
        """Write down that it is given now."""
        with self.limits(), self.ledger.begin(self.actor) as tx:
            row = service.get(tx, self.evidence_id, Action.EVIDENCE_READ)
            service.open_file(tx, evidence=row, page=self.page, look=look, scanned_only=self.scanned_only)

    def read(
        self, function: str, path: Path, arguments: Mapping[str, str | int], page: int, why: Mapping[Failing, str]
    ) -> dict[str, Any]:
        """Return what a function of the sandbox made of the file.

        :raises Conflict: if it died of it, which is remembered.
        """
        try:
            found = run_limited(function, path, timeout=SECONDS, arguments=arguments, answer_bytes=ANSWER_BYTES)
        except SandboxFailure as failure:
            raise self.failed(page, why[failure.failing], str(failure)) from failure
        return found if isinstance(found, dict) else {}

    def failed(self, page: int, reason: str, detail: str = "") -> Conflict:
        """Remember that a page could not be drawn; return what to say of it."""
        log.warning(
            "evidence could not be shown", evidence_id=str(self.evidence_id), page=page, reason=detail or reason
        )
        with self.ledger.begin(self.actor) as tx:
            row = service.get(tx, self.evidence_id, Action.EVIDENCE_READ)
            parking.note(tx, evidence=row, page=page, reason=reason)
            return Conflict(parking.words(reason, parking.attempts(tx, self.evidence_id, page)))
