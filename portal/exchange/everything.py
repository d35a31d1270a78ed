"""Everything that a vendor entered, taken out as one ZIP that is written while it is sent.

Each part is gathered in a transaction of its own and dropped once it is written, and each file is lent one at a time,
so that the memory does not grow with the vendor. Equal content gives equal bytes, but for the time it was taken. A file
whose bytes are not the pinned ones any more is named, and not given.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import MoreTime, PublishedOutcome, PublishedStanding, ScopingFact, SectionAssignment
from portal.assessments.queries import of_vendor
from portal.attestations.models import Attestation, CarriedAnswer, Message, SentBack
from portal.attestations.papers import print_signed
from portal.delivery.follow import NOTIFY_PERSON
from portal.delivery.queue import enqueue
from portal.evidence import queries as evidence
from portal.evidence import viewing
from portal.evidence.queries import LibraryLine
from portal.exchange import export, external, packs, workbook
from portal.exchange.facts import EverythingTaken
from portal.exchange.models import VendorExport
from portal.exchange.opened import Opening, openings
from portal.exchange.rules.typed import fits, guarded
from portal.identity import queries as people
from portal.identity.models import UserAccount
from portal.kernel.actor import Actor
from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import Conflict, GatehouseError, TooMany
from portal.kernel.ledger import Ledger, Tx
from portal.kernel.objects import ObjectStore
from portal.kernel.secrets import Keyring
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import Role
from portal.vendors.models import Vendor

FORMAT = "gatehouse everything 1"
MOST_A_DAY = 10
DAY = timedelta(hours=24)
PIECE = 1 << 18
MOST_FILES = 20_000
README = "README.txt"
MANIFEST = "manifest.json"
_TOO_LONG = "(too long for a table: see the JSON file)"

_README = """\
Everything that {vendor} entered in Gatehouse of {lab}
Taken out by {who} at {when}

vendor.json             who you are here: the people of your team, invitations, sets of answers you brought in
team.csv                the people of your team as a table
assessments/            one folder for each assessment, the oldest first
  answers.json          every answer as it stands, with the state of each question, scoping facts and cited files
  answers.csv, .xlsx    the same for reading
  history.json          every text that an answer ever had: who, when, what
  carried.json          what was carried over from earlier, and what became of it
  scoping.json          who stated and who confirmed what the assessment is about
  messages.json         the conversations that both sides see
  work.json             who was given which section, what was sent back, and requests for more time
  attestations/         each signed revision, exactly as it was frozen: the fingerprint recomputes from "snapshot"
  results/              each result as it was published to you
evidence/index.json     every file of your library with what was said of it
evidence/index.csv      the same as a table
evidence/openings.csv   who opened which file, and when
evidence/files/         the original files{files}
manifest.json           the SHA-256 of every file in here, and what was left out, and why

Times are UTC. Cells of tables that a spreadsheet would run as a formula begin with an apostrophe.
A file whose bytes are not those that were uploaded is named in manifest.json and is not in here.
"""


@dataclass(frozen=True, slots=True)
class ExportLine:
    """One time that everything was taken out."""

    by: str
    at: datetime
    with_files: bool


def exports(tx: Tx, *, limit: int = 20) -> Sequence[ExportLine]:
    """Return when everything of the actor's vendor was taken out, the latest first."""
    statement = (
        sa.select(VendorExport.taken_by_name, VendorExport.taken_at, VendorExport.with_files)
        .where(VendorExport.vendor_id == tx.actor.vendor_id)
        .order_by(VendorExport.taken_at.desc(), VendorExport.id)
        .limit(limit)
    )
    return [ExportLine(*row) for row in tx.session.execute(statement)]


class _Own:
    """The actor's own vendor, for the policy."""

    def __init__(self, vendor_id: UUID | None) -> None:
        self.vendor_id = vendor_id


def begin(tx: Tx, *, with_files: bool) -> datetime:
    """Write down that everything leaves, before a byte does; return the moment. The vendor's admins hear of it.

    :raises Forbidden: for anybody but an admin or a signatory of the vendor.
    :raises StepUpRequired: without a factor given moments ago.
    :raises TooMany: if it was taken out very often within a day.
    """
    policy.check(tx.actor, Action.EVERYTHING_EXPORT, _Own(tx.actor.vendor_id))
    assert tx.actor.id is not None  # noqa: S101 - the policy lets persons of a vendor in only
    assert tx.actor.vendor_id is not None  # noqa: S101
    tx.session.execute(sa.select(Vendor.id).where(Vendor.id == tx.actor.vendor_id).with_for_update())
    recent = tx.session.scalars(
        sa.select(VendorExport.taken_at)
        .where(VendorExport.vendor_id == tx.actor.vendor_id, VendorExport.taken_at > tx.now - DAY)
        .order_by(VendorExport.taken_at)
    ).all()
    if len(recent) >= MOST_A_DAY:
        opens = recent[0] + DAY
        raise TooMany(
            said("Everything was taken out %(num)s times within a day. Try again tomorrow", num=len(recent)),
            retry_after=int((opens - tx.now).total_seconds()) + 1,
        )
    row = VendorExport(
        id=tx.new_id(),
        vendor_id=tx.actor.vendor_id,
        taken_by=tx.actor.id,
        taken_by_name=tx.actor.name,
        taken_at=tx.now,
        with_files=with_files,
    )
    tx.session.add(row)
    tx.record(EverythingTaken(row.id, row.vendor_id, row.taken_by, with_files))
    return tx.now


def tell_admins(tx: Tx, fact: EverythingTaken) -> None:
    """EverythingTaken: the admins of the vendor hear who did it; whoever did it knows."""
    for each in people.people_of_vendor_with(tx, fact.vendor_id, Role.VENDOR_ADMIN):
        if each.id != fact.user_id:
            enqueue(
                tx,
                NOTIFY_PERSON,
                user_id=each.id,
                kind="everything_taken",
                context={"at": tx.now, "taken_by": tx.actor.name, "with_files": fact.with_files},
                seed=fact.export_id,
            )


@dataclass(slots=True)
class Everything:
    """One export: what is written, piece by piece, and what is known of it when the manifest is written last."""

    ledger: Ledger
    actor: Actor
    store: ObjectStore
    keyring: Keyring
    lab: str
    at: datetime
    with_files: bool
    _sink: _Sink = field(default_factory=lambda: _Sink())
    _members: dict[str, dict[str, Any]] = field(default_factory=dict)
    _left_out: list[dict[str, Any]] = field(default_factory=list)

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes of the ZIP. It is whole when the manifest is in it; a cut one does not open."""
        with zipfile.ZipFile(self._sink, "w") as archive:
            for name, body in self._documents():
                self._write(archive, name, body)
                yield from self._sink.taken()
            for line in self._files():
                yield from self._copy(archive, line)
            manifest = {
                "format": FORMAT,
                "taken_at": self.at,
                "taken_by": self.actor.name,
                "members": self._members,
                "left_out": self._left_out,
            }
            archive.writestr(packs.member(MANIFEST, zipfile.ZIP_DEFLATED), canonical_bytes(manifest))
        yield from self._sink.taken()

    def _write(self, archive: zipfile.ZipFile, name: str, body: bytes) -> None:
        self._members[name] = {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
        archive.writestr(packs.member(name, zipfile.ZIP_DEFLATED), body, compresslevel=6)

    def _copy(self, archive: zipfile.ZipFile, line: LibraryLine) -> Iterator[bytes]:
        """Write one original file, proven before its first byte is written; one that is not itself is left out."""
        name = f"evidence/files/{line.id}-{safe_name(line.file_name)}"
        try:
            with viewing.opened(self.ledger, self.actor, store=self.store, evidence_id=line.id) as lent:
                entry = packs.member(name, zipfile.ZIP_STORED)
                entry.file_size = lent.size
                with lent.path.open("rb") as source, archive.open(entry, "w") as target:
                    while piece := source.read(PIECE):
                        target.write(piece)
                        yield from self._sink.taken()
                self._members[name] = {"sha256": lent.sha256, "size": lent.size}
        except GatehouseError as refusal:
            why = refusal.message if isinstance(refusal, Conflict) else str(refusal) or "It could not be had now."
            self._left_out.append(
                {"file": line.file_name, "title": line.title, "sha256": line.sha256, "size": line.size, "why": why}
            )
        yield from self._sink.taken()

    # --- what goes in, in its order ---

    def _documents(self) -> Iterator[tuple[str, bytes]]:
        with self.ledger.begin(self.actor) as tx:
            vendor = tx.session.get_one(Vendor, self.actor.vendor_id)
            files = "" if self.with_files else " are not in here: take everything out with files to have them"
            readme = _README.format(
                vendor=vendor.name, lab=self.lab, who=self.actor.name, when=self.at.isoformat(), files=files
            )
            team = [_person(each) for each in people.people_of_vendor(tx, vendor.id)]
            about = {
                "vendor": {"name": vendor.name, "slug": vendor.slug},
                "team": team,
                "invitations": [_invitation(each) for each in people.invitations_of(tx, vendor.id)],
                "answers_brought_in": [_set(tx, each) for each in external.sets_of(tx)],
            }
            lines = sorted(of_vendor(tx, vendor.id, limit=1_000), key=lambda each: (each.requested_at, each.id))
        yield README, readme.encode()
        yield "vendor.json", canonical_bytes(about)
        yield (
            "team.csv",
            _table(
                ("name", "e-mail", "state", "roles"),
                ([p["name"], p["email"], p["state"], ", ".join(p["roles"])] for p in team),
            ),
        )
        for number, line in enumerate(lines, 1):
            yield from self._assessment(f"assessments/{number:02d}-{safe_name(line.title)}", line.id)
        yield from self._evidence()

    def _assessment(self, folder: str, assessment_id: UUID) -> Iterator[tuple[str, bytes]]:
        with self._row(assessment_id) as (tx, row):
            answers, book = packs.answers_json(tx, row), export.gather(tx, row, keyring=self.keyring, lab=self.lab)
        yield f"{folder}/answers.json", answers
        yield f"{folder}/answers.csv", workbook.csv_bytes(book)
        yield f"{folder}/answers.xlsx", workbook.xlsx_bytes(book)
        with self._row(assessment_id) as (tx, row):
            history = canonical_bytes(packs.history(tx, row))
        yield f"{folder}/history.json", history
        with self._row(assessment_id) as (tx, row):
            rest = {
                "carried": canonical_bytes(_carried(tx, row.id)),
                "scoping": canonical_bytes(_scoping(tx, row.id)),
                "messages": canonical_bytes(_messages(tx, row.id)),
                "work": canonical_bytes(_work(tx, row.id)),
            }
            signed = dict(packs.signed_revisions(tx, row))
            ids = tx.session.execute(
                sa.select(Attestation.revision, Attestation.id)
                .where(Attestation.assessment_id == row.id)
                .order_by(Attestation.revision)
            ).all()
            results = _results(tx, row.id)
        for name, body in rest.items():
            yield f"{folder}/{name}.json", body
        for revision, attestation_id in ids:
            yield f"{folder}/attestations/{revision}.json", signed[revision]
            try:
                printed = print_signed(self.ledger, self.actor, attestation_id, lab_name=self.lab)
            except GatehouseError as refusal:
                why = str(refusal) or "It could not be printed now."
                self._left_out.append({"file": f"{folder}/attestations/{revision}.pdf", "why": why})
            else:
                yield f"{folder}/attestations/{revision}.pdf", printed.pdf
        for number, body in results:
            yield f"{folder}/results/{number}.json", body

    def _evidence(self) -> Iterator[tuple[str, bytes]]:
        with self.ledger.begin(self.actor) as tx:
            lines = self._library(tx)
            names = people.people(tx, {each.uploaded_by for each in lines})
            about = [_file(each, names.get(each.uploaded_by)) for each in lines]
            opened = list(openings(tx, limit=None))
        yield "evidence/index.json", canonical_bytes(about)
        head = (
            "id",
            "kind",
            "title",
            "file_name",
            "size",
            "sha256",
            "valid_from",
            "valid_until",
            "state",
            "uploaded_by",
        )
        yield "evidence/index.csv", _table(head, ([str(each[name] or "") for name in head] for each in about))
        yield "evidence/openings.csv", openings_csv(opened, self.lab)

    def _files(self) -> Iterator[LibraryLine]:
        if self.with_files:
            with self.ledger.begin(self.actor) as tx:
                lines = [each for each in self._library(tx) if each.can_open]
            yield from lines

    def _library(self, tx: Tx) -> list[LibraryLine]:
        return sorted(
            evidence.library(tx, vendor_id=self.actor.vendor_id, limit=MOST_FILES),
            key=lambda each: (each.created_at, each.id),
        )

    @contextmanager
    def _row(self, assessment_id: UUID) -> Iterator[tuple[Tx, Any]]:
        with self.ledger.begin(self.actor) as tx:
            yield tx, assessments.get(tx, assessment_id, Action.ASSESSMENT_WHOLE)


class _Sink(io.RawIOBase):
    """Takes what the archive writes and gives it on; it cannot be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._held.append(piece)
        return len(piece)

    def taken(self) -> Iterator[bytes]:
        """Yield what was written since the last time."""
        held, self._held = self._held, []
        yield from held


def safe_name(name: str) -> str:
    """Return a name that every file system takes and none reads as a path."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.")
    head, dot, tail = plain.rpartition(".")
    if dot and len(tail) <= 8:
        return f"{head[:60].strip('-.') or 'file'}.{tail}"
    return plain[:60].strip("-.") or "file"


def openings_csv(lines: Iterable[Opening], lab: str) -> bytes:
    """Return who opened what as a table."""
    head = ("opened_at", "file", "title", "sha256", "opened_by", "side", "what")
    return _table(
        head,
        (
            [
                each.at.isoformat(),
                each.file_name,
                each.title,
                each.sha256,
                each.name,
                lab if each.by_lab else "your team",
                each.what,
            ]
            for each in lines
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([guarded(cell) if fits(f"'{cell}") else _TOO_LONG for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _person(each: people.Person) -> dict[str, Any]:
    return {
        "name": each.full_name,
        "email": each.email,
        "title": each.title,
        "state": each.state,
        "roles": sorted(role.value for role in each.roles),
        "joined_at": each.enrolled_at,
        "left_at": each.deactivated_at,
    }


def _invitation(each: people.InvitationLine) -> dict[str, Any]:
    return {
        "email": each.email,
        "name": each.full_name,
        "roles": [role.value for role in each.roles],
        "sections": list(each.sections),
        "state": each.state.value,
        "sent_at": each.created_at,
        "ends_at": each.expires_at,
        "invited_by": each.invited_by,
    }


def _set(tx: Tx, each: external.SetLine) -> dict[str, Any]:
    return {
        "file_name": each.file_name,
        "framework": each.framework,
        "version": each.version,
        "brought_in_at": each.uploaded_at,
        "by": each.by,
        "withdrawn_at": each.withdrawn_at,
        "answers": [
            {"control": found.control_id, "answer": found.answer.value, "text": found.text}
            for found in external.answers_of(tx, each.id)
        ],
    }


def _file(each: LibraryLine, by: people.Person | None) -> dict[str, Any]:
    return {
        "id": str(each.id),
        "kind": each.kind,
        "title": each.title,
        "file_name": each.file_name,
        "size": each.size,
        "sha256": each.sha256,
        "type": each.mime or "",
        "pages": each.page_count,
        "details": dict(each.details),
        "valid_from": each.valid_from,
        "valid_until": each.valid_until,
        "state": each.state.value,
        "uploaded_by": by.full_name if by else "",
        "uploaded_at": each.at,
        "replaces": str(each.supersedes_id) if each.supersedes_id else "",
    }


def _rows(tx: Tx, statement: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in tx.session.execute(statement)]


def _named(column: Any, label: str) -> Any:
    """Return the name of a person that a column points to."""
    name = sa.select(UserAccount.full_name).where(UserAccount.id == column).scalar_subquery()
    return sa.func.coalesce(name, "").label(label)


def _carried(tx: Tx, assessment_id: UUID) -> list[dict[str, Any]]:
    c = CarriedAnswer
    return _rows(
        tx,
        sa.select(
            c.question_key, c.fate, c.content, c.source_revision, c.answered_by, c.answered_at, c.settled, c.settled_at
        )
        .where(c.assessment_id == assessment_id)
        .order_by(c.question_key),
    )


def _scoping(tx: Tx, assessment_id: UUID) -> list[dict[str, Any]]:
    s = ScopingFact
    return _rows(
        tx,
        sa.select(s.key, s.value, s.stated_side, s.stated_at, _named(s.confirmed_by, "confirmed_by"), s.confirmed_at)
        .where(s.assessment_id == assessment_id)
        .order_by(s.key),
    )


def _messages(tx: Tx, assessment_id: UUID) -> list[dict[str, Any]]:
    m = Message
    return _rows(
        tx,
        sa.select(m.question_key, m.side, m.author_name, m.body, m.sent_at)
        .where(m.assessment_id == assessment_id)
        .order_by(m.question_key, m.sent_at, m.id),
    )


def _work(tx: Tx, assessment_id: UUID) -> dict[str, Any]:
    a, b, t = SectionAssignment, SentBack, MoreTime
    return {
        "sections_given": _rows(
            tx,
            sa.select(
                a.section, _named(a.user_id, "to"), _named(a.assigned_by, "by"), a.assigned_at, a.due_on, a.ended_at
            )
            .where(a.assessment_id == assessment_id)
            .order_by(a.assigned_at, a.id),
        ),
        "sent_back": _rows(
            tx,
            sa.select(b.section, b.question_key, b.note, b.sent_by_name, b.sent_at, b.settled_at)
            .where(b.assessment_id == assessment_id)
            .order_by(b.sent_at, b.id),
        ),
        "more_time": _rows(
            tx,
            sa.select(t.due_on, t.wished_on, t.reason, t.asked_at, t.state, t.agreed_on, t.words, t.answered_at)
            .where(t.assessment_id == assessment_id)
            .order_by(t.asked_at, t.id),
        ),
    }


def _results(tx: Tx, assessment_id: UUID) -> list[tuple[int, bytes]]:
    statement = (
        sa.select(PublishedOutcome.number, PublishedOutcome.body, PublishedOutcome.published_at, PublishedStanding.body)
        .outerjoin(PublishedStanding, PublishedStanding.outcome_id == PublishedOutcome.id)
        .where(PublishedOutcome.assessment_id == assessment_id)
        .order_by(PublishedOutcome.number)
    )
    return [
        (number, canonical_bytes({"published_at": at, "result": body, "since": since or {}}))
        for number, body, at, since in tx.session.execute(statement)
    ]
