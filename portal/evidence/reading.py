"""Reading the text of a file, once, in a limited process, and what was read. Between transactions, like intake.

What is found are proposals for a person to confirm, and a text to search; nothing is decided by it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from portal.delivery.queue import enqueue
from portal.evidence import reader, service
from portal.evidence.alarm import integrity_alarm
from portal.evidence.facts import EvidenceAttached, EvidenceRead
from portal.evidence.files import OPENABLE
from portal.evidence.models import Evidence, EvidencePageText, EvidenceReading
from portal.evidence.rules.prefill import READ_KINDS, Proposal, proposal_of, propose
from portal.kernel.actor import Actor
from portal.kernel.errors import NotFound, Unavailable
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.logging import logger
from portal.kernel.objects import IntegrityFailure, ObjectMissing, ObjectStore, StoredObject, verified_file
from portal.kernel.sandbox import SandboxFailure, run_limited
from portal.kernel.swap import swap
from portal.policy import Action
from portal.terms import ReadingState

log = logger(__name__)

JOB: Final = "read_file"
MOST_ATTEMPTS: Final = 3
MOST_BATCHES: Final = 12
SECONDS_A_BATCH: Final = 20
FORGOTTEN: Final = timedelta(minutes=15)
READABLE: Final = frozenset({"application/pdf"})

COULD_NOT_BE_READ: Final = "The text of this file could not be read"
NO_TEXT: Final = "This PDF is a scan without text, so we cannot read the dates from it. Fill them in below"
_WHY: Final = {
    reader.ENCRYPTED: f"{COULD_NOT_BE_READ}: it is password-protected",
    reader.DAMAGED: f"{COULD_NOT_BE_READ}: the file is damaged",
}
_LETTERS_OF_A_TEXT: Final = 40
_LETTERS_OF_A_PAGE: Final = 12


# --- what was read


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of reading a file. ``reason`` is for people: why not, or what was left out."""

    state: ReadingState
    pages: int
    proposals: tuple[Proposal, ...]
    reason: str
    read_at: datetime | None

    def of(self, field: str) -> Proposal | None:
        """Return the proposal for one field, if there is one."""
        return next((each for each in self.proposals if each.field == field), None)


@dataclass(frozen=True, slots=True)
class Hit:
    """Words that were found on a page, with what stands around them."""

    page: int
    before: str
    match: str
    after: str


def reading_of(tx: Tx, evidence_id: UUID) -> Reading | None:
    """Return what was read in a file, with the proposals for its present kind; None for files that are not read.

    Whoever asks has fetched the file by ``service.get`` before.
    """
    statement = (
        sa.select(EvidenceReading, Evidence.kind)
        .join(Evidence, Evidence.id == EvidenceReading.evidence_id)
        .where(EvidenceReading.evidence_id == evidence_id)
    )
    found = tx.session.execute(statement).one_or_none()
    if found is None:
        return None
    row, kind = found
    return _reading(row, kind)


def reading_as(tx: Tx, evidence_id: UUID, kind: str) -> Reading | None:
    """As ``reading_of``, with the proposals that the file would have if it were of another kind."""
    row = tx.session.get(EvidenceReading, evidence_id)
    return None if row is None else _reading(row, kind)


def page_texts(tx: Tx, evidence_id: UUID) -> Sequence[str]:
    """Return the text of each page that was read, in order; nothing before the reading is done."""
    return text_of(tx, [evidence_id]).get(evidence_id, ())


def text_of(tx: Tx, ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """Return the texts of several files, page by page; files that were not read are left out."""
    if not ids:
        return {}
    statement = (
        sa.select(EvidencePageText.evidence_id, EvidencePageText.text)
        .where(EvidencePageText.evidence_id.in_(list(ids)))
        .order_by(EvidencePageText.evidence_id, EvidencePageText.page)
    )
    texts: dict[UUID, list[str]] = {}
    for evidence_id, text in tx.session.execute(statement):
        texts.setdefault(evidence_id, []).append(text)
    return texts


def search(tx: Tx, evidence_id: UUID, words: str, *, limit: int = 100, around: int = 70) -> Sequence[Hit]:
    """Return where words stand in a file, from its first page on, whatever their case and the breaks between them."""
    return find(page_texts(tx, evidence_id), words, limit=limit, around=around)


def find(texts: Sequence[str], words: str, *, limit: int = 100, around: int = 70) -> Sequence[Hit]:
    """Return where words stand in the texts of pages; see ``search``."""
    wanted = words.split()[:20]
    if not wanted or len(words) > 200:
        return []
    pattern = re.compile(r"\s+".join(map(re.escape, wanted)), re.IGNORECASE)
    hits: list[Hit] = []
    for page, text in enumerate(texts, 1):
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - around) : found.start()]
            after = text[found.end() : found.end() + around]
            hits.append(Hit(page, _one_line(before), _one_line(found[0]), _one_line(after)))
            if len(hits) >= limit:
                return hits
    return hits


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _reading(row: EvidenceReading, kind: str) -> Reading:
    proposals = tuple(proposal_of(each) for each in row.proposals.get(kind, ()))
    return Reading(row.state, row.pages, proposals, row.reason, row.read_at)


# --- reading


def ask(tx: Tx, fact: EvidenceAttached) -> None:
    """Have a file that was attached read soon. A reaction: the job exists if and only if the file does."""
    evidence = tx.session.get_one(Evidence, fact.evidence_id)
    if evidence.mime not in READABLE or tx.session.get(EvidenceReading, evidence.id) is not None:
        return
    tx.session.add(EvidenceReading(evidence_id=evidence.id, vendor_id=evidence.vendor_id, asked_at=tx.now))
    enqueue(tx, JOB, evidence_id=evidence.id)


def ask_again(tx: Tx, *, limit: int = 20) -> int:
    """Queue files that wait for long, because the store was away or they came before there was a reader.

    Return how many were queued.
    """
    statement = (
        sa.select(EvidenceReading.evidence_id)
        .where(EvidenceReading.state == ReadingState.WAITING, EvidenceReading.asked_at < tx.now - FORGOTTEN)
        .order_by(EvidenceReading.asked_at, EvidenceReading.evidence_id)
        .limit(limit)
    )
    forgotten = tx.session.execute(statement).scalars().all()
    return sum(enqueue(tx, JOB, once=f"{JOB}:{each}", evidence_id=each) for each in forgotten)


@dataclass(frozen=True, slots=True)
class _Text:
    pages: int
    texts: tuple[str, ...]
    cut: tuple[int, ...] = ()


class _Unreadable(Exception):
    """It cannot be read, however often it is tried."""


def read(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID) -> ReadingState | None:
    """Read a file that waits for it, and write down its text and what it proposes. Repeating it does nothing.

    An attempt counts from its start, so that a file that takes its process down is given up as well.

    :returns: what became of it; None if it does not wait to be read (any more).
    :raises SandboxFailure: if the reader went down over it and may try again.
    :raises Unavailable: if the store is away; that does not count as an attempt.
    """
    with ledger.begin(actor) as tx:
        begun = _begin(tx, evidence_id)
    if begun is None:
        return None
    stored, attempt = begun
    try:
        with verified_file(store, stored) as path:
            text = _text(path)
    except Unavailable:
        with ledger.begin(actor) as tx:
            _give_back(tx, evidence_id)
        raise
    except _Unreadable as failure:
        return _fail(ledger, actor, evidence_id, str(failure))
    except (IntegrityFailure, ObjectMissing) as failure:
        integrity_alarm(ledger, actor, evidence_id, failure)
        return _fail(ledger, actor, evidence_id, f"{COULD_NOT_BE_READ}: it no longer matches its fingerprint")
    except SandboxFailure as failure:
        log.warning("a file could not be read", evidence_id=str(evidence_id), attempt=attempt, reason=str(failure))
        if attempt < MOST_ATTEMPTS:
            raise
        return _fail(ledger, actor, evidence_id, COULD_NOT_BE_READ)
    proposals = {kind: [each.stored() for each in propose(kind, text.texts)] for kind in sorted(READ_KINDS)}
    with ledger.begin(actor) as tx:
        return _finish(tx, evidence_id, text, proposals)


def _begin(tx: Tx, evidence_id: UUID) -> tuple[StoredObject, int] | None:
    row = tx.session.get(EvidenceReading, evidence_id)
    if row is None or row.state is not ReadingState.WAITING:
        return None
    try:
        evidence = service.get(tx, evidence_id, Action.EVIDENCE_READ)
    except NotFound:
        return None
    if evidence.state not in OPENABLE or row.attempts >= MOST_ATTEMPTS:
        # Its process died with the last attempt, or its bytes are not to be read.
        _settle(tx, row, ReadingState.FAILED, reason=COULD_NOT_BE_READ)
        return None
    attempt = row.attempts + 1
    if not swap(tx, row, expect={"state": "waiting", "attempts": row.attempts}, change={"attempts": attempt}):
        return None
    return service.pinned(evidence), attempt


def _give_back(tx: Tx, evidence_id: UUID) -> None:
    row = tx.session.get_one(EvidenceReading, evidence_id)
    expect = {"state": ReadingState.WAITING, "attempts": row.attempts}
    swap(tx, row, expect=expect, change={"attempts": max(0, row.attempts - 1)})


def _text(path: Path) -> _Text:
    """Read the pages in batches, each in a process of its own, as far as we go."""
    texts: list[str] = []
    cut: list[int] = []
    for _batch in range(MOST_BATCHES):
        answer = run_limited(
            "portal.evidence.reader:read", path, timeout=SECONDS_A_BATCH, arguments={"first": len(texts) + 1}
        )
        found: dict[str, Any] = answer if isinstance(answer, dict) else {"problem": reader.DAMAGED}
        if found["problem"]:
            raise _Unreadable(_WHY.get(found["problem"], COULD_NOT_BE_READ))
        texts += [str(text).replace("\x00", " ") for text in found["texts"]]
        cut += found["cut"]
        pages = int(found["pages"])
        if len(texts) >= pages or not found["texts"]:
            break
    return _Text(pages, tuple(texts), tuple(cut))


def _finish(tx: Tx, evidence_id: UUID, text: _Text, proposals: Mapping[str, Any]) -> ReadingState | None:
    row = tx.session.get_one(EvidenceReading, evidence_id)
    letters = [sum(map(str.isalnum, page)) for page in text.texts]
    if sum(letters) < max(_LETTERS_OF_A_TEXT, _LETTERS_OF_A_PAGE * len(letters)):
        return _settle(tx, row, ReadingState.NO_TEXT, pages=text.pages, reason=NO_TEXT)
    settled = _settle(
        tx,
        row,
        ReadingState.READ,
        pages=text.pages,
        characters=sum(map(len, text.texts)),
        proposals=dict(proposals),
        reason=_left_out(text, letters),
    )
    if settled is not None:
        tx.session.add_all(
            EvidencePageText(evidence_id=evidence_id, page=page, vendor_id=row.vendor_id, text=words)
            for page, words in enumerate(text.texts, 1)
        )
    return settled


def _left_out(text: _Text, letters: Sequence[int]) -> str:
    """Say what of a file was not read."""
    said = []
    if len(text.texts) < text.pages:
        said.append(f"Only the first {len(text.texts)} of {text.pages} pages were read")
    if empty := [page for page, count in enumerate(letters, 1) if count == 0]:
        named = ", ".join(map(str, empty[:8])) + (" and more" if len(empty) > 8 else "")
        said.append(f"{'Page' if len(empty) == 1 else 'Pages'} {named} {'has' if len(empty) == 1 else 'have'} no text")
    if text.cut:
        said.append(f"The end of page {', '.join(map(str, text.cut[:8]))} was left out")
    return ". ".join(said)


def _fail(ledger: Ledger, actor: Actor, evidence_id: UUID, reason: str) -> ReadingState | None:
    with ledger.begin(actor) as tx:
        return _settle(tx, tx.session.get_one(EvidenceReading, evidence_id), ReadingState.FAILED, reason=reason)


def _settle(tx: Tx, row: EvidenceReading, state: ReadingState, **found: Any) -> ReadingState | None:
    """Write the end of a reading, if nobody was faster."""
    if not swap(tx, row, expect={"state": ReadingState.WAITING}, change={"state": state, "read_at": tx.now, **found}):
        return None
    tx.record(EvidenceRead(evidence_id=row.evidence_id, vendor_id=row.vendor_id, state=state, pages=row.pages))
    return state
