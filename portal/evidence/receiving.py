"""A file on its way in: a place reserved, bytes pinned, attached, refused. What touches the store is in intake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.evidence import queries, rules
from portal.evidence.dating import in_force
from portal.evidence.facts import (
    EvidenceAttached,
    EvidenceReceived,
    EvidenceRefused,
    EvidenceReserved,
)
from portal.evidence.files import OPENABLE, get, held
from portal.evidence.models import Evidence
from portal.evidence.queries import CANCELLED
from portal.kernel.actor import ActorKind
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.objects import INCOMING, PART_BYTES, StoredObject
from portal.kernel.sniff import CONTENT_TYPES, RefusedFile, display_name, kind_of, too_large
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import EvidenceState, ScanState

LATE = said("The file did not arrive in time. Upload it again")


def reserve(
    tx: Tx,
    *,
    bucket: str,
    kind: str,
    file_name: str,
    size: int,
    sha256: str,
    title: str = "",
    details: Mapping[str, Any] | None = None,
    supersedes: Evidence | None = None,
    anew: bool = False,
) -> Evidence:
    """Reserve a place in the actor's library for a file of this very length and fingerprint.

    While a file of the same person, bytes and purpose is still on its way, that place is returned again: this is how
    an upload goes on. The address for the transfer is made outside the transaction (``intake.begin``).

    :param anew: take a place of its own in any case, for bytes that come whole whatever another window is sending.

    :raises Forbidden: if the actor may not upload.
    :raises Refused: with the problems of kind, file and title, or if the library is full.
    :raises Conflict: if the file to replace cannot be replaced.
    """
    policy.check_ever(tx.actor, Action.EVIDENCE_UPLOAD)
    vendor_id = tx.actor.vendor_id
    if vendor_id is None or tx.actor.id is None:
        raise Forbidden(said("Only the vendor’s own people upload evidence."))
    shown = display_name(file_name)
    problems = _problems(kind, shown, size, sha256)
    if not problems:
        _one_at_a_time(tx, vendor_id)
        if not anew and (there := _on_its_way(tx, kind, shown, size, sha256, supersedes)):
            return there
        if full := _full(tx, vendor_id, size):
            problems["file"] = full
    if problems:
        raise Refused(problems={field: [words] for field, words in problems.items()})
    if supersedes is not None:
        _check_replaceable(tx, supersedes, vendor_id)
    row = Evidence(
        id=tx.new_id(),
        vendor_id=vendor_id,
        kind=kind,
        title=rules.tidy(title, rules.MAX_TITLE) or rules.KINDS[kind].title,
        file_name=shown,
        bucket=bucket,
        object_key=f"{INCOMING}vendor/{vendor_id}/{tx.new_id().hex}",
        sha256=sha256,
        size=size,
        details=dict(details or {}),
        supersedes_id=supersedes.id if supersedes else None,
        uploaded_by=tx.actor.id,
        created_at=tx.now,
        expires_at=tx.now + _life(size),
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        EvidenceReserved(
            evidence_id=row.id,
            vendor_id=vendor_id,
            kind=kind,
            size=size,
            sha256=sha256,
            supersedes_id=row.supersedes_id,
        )
    )
    return row


def _problems(kind: str, file_name: str, size: int, sha256: str) -> dict[str, str]:
    problems: dict[str, str] = {}
    if kind not in rules.KINDS:
        problems["kind"] = said("Choose the type of evidence")
    try:
        kind_of(file_name)
    except RefusedFile as refusal:
        problems["file"] = refusal.message
    if size <= 0:
        problems["file"] = said("The file is empty")
    elif size > rules.MAX_BYTES:
        problems["file"] = too_large(size, rules.MAX_BYTES)
    elif "file" not in problems and not rules.is_sha256(sha256):
        problems["file"] = said("The file arrived without its fingerprint. Reload the page and upload it again")
    return problems


def _one_at_a_time(tx: Tx, vendor_id: UUID) -> None:
    # So that two uploads cannot both take the last place, nor one file two of them.
    tx.session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"evidence:{vendor_id}", 0))))


def _full(tx: Tx, vendor_id: UUID, size: int) -> str:
    taken = queries.usage(tx, vendor_id)
    return rules.over_quota(files=taken.files, used=taken.size, size=size)


def _life(size: int) -> timedelta:
    return rules.PARTS_LIFE if size > PART_BYTES else rules.RESERVATION_LIFE


def _on_its_way(
    tx: Tx, kind: str, file_name: str, size: int, sha256: str, supersedes: Evidence | None
) -> Evidence | None:
    """Return the place that this very upload has already; its time begins anew."""
    statement = (
        sa.select(Evidence)
        .where(
            Evidence.vendor_id == tx.actor.vendor_id,
            Evidence.uploaded_by == tx.actor.id,
            Evidence.sha256 == sha256,
            Evidence.size == size,
            Evidence.kind == kind,
            Evidence.supersedes_id == (supersedes.id if supersedes else None),
            Evidence.removed_at.is_(None),
            sa.or_(
                sa.and_(Evidence.state == EvidenceState.RESERVED, Evidence.expires_at > tx.now),
                Evidence.state == EvidenceState.RECEIVED,
            ),
        )
        .order_by(Evidence.created_at, Evidence.id)
    )
    for row in tx.session.execute(statement).scalars():
        if kind_of(row.file_name) != kind_of(file_name):
            continue
        if row.state is EvidenceState.RESERVED:
            change = {"expires_at": tx.now + _life(size), "row_version": row.row_version + 1}
            if not swap(tx, row, expect={"state": EvidenceState.RESERVED}, change=change):
                continue
        return row
    return None


def begin_parts(tx: Tx, *, evidence: Evidence, upload_id: str, instead_of: str | None) -> bool:
    """Note under which name the store takes the parts; return False if somebody else began meanwhile."""
    change = {"upload_id": upload_id, "part_size": PART_BYTES, "row_version": evidence.row_version + 1}
    expect = {"state": EvidenceState.RESERVED, "removed_at": None, "upload_id": instead_of}
    return swap(tx, evidence, expect=expect, change=change)


def cancel(tx: Tx, evidence_id: UUID) -> Arrival:
    """Give up a place on behalf of who reserved it; return what is to be cleared from the store. Twice does no harm.

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Conflict: if the file has arrived.
    """
    row = _own(tx, evidence_id)
    if not refuse(tx, evidence=row, words=CANCELLED, expect=(EvidenceState.RESERVED,)) and (
        row.state is not EvidenceState.REFUSED
    ):
        raise Conflict(said("This file has arrived already. You can remove it from your library."))
    return arrived(row)


def _check_replaceable(tx: Tx, old: Evidence, vendor_id: UUID) -> None:
    if old.vendor_id != vendor_id:
        raise NotFound
    if old.state not in OPENABLE | {EvidenceState.INTEGRITY_FAILURE}:
        raise Conflict(said("Only a file that was checked can be replaced. Remove this one and upload another."))
    if queries.successor_of(tx, old.id) is not None:
        raise Conflict(said("“%(file)s” was replaced already. Replace the newer file.", file=old.file_name))


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was promised of a file, for the work that is done outside a transaction."""

    id: UUID
    vendor_id: UUID
    state: EvidenceState
    bucket: str
    key: str
    version_id: str | None
    size: int
    sha256: str
    content_type: str
    file_name: str
    refusal: str
    upload_id: str | None
    part_size: int | None

    @property
    def parts(self) -> int:
        """How many parts it is sent in."""
        return -(-self.size // (self.part_size or PART_BYTES))

    def size_of(self, number: int) -> int:
        """Return how long a part is; only the last is shorter than the others."""
        each = self.part_size or PART_BYTES
        return min(each, self.size - each * (number - 1))

    @property
    def final_key(self) -> str:
        """Where the file lies once it is attached."""
        return self.key.removeprefix(INCOMING)

    @property
    def stored(self) -> StoredObject:
        """The pinned version.

        :raises Conflict: if nothing has arrived.
        """
        if self.version_id is None:
            raise Conflict(said("The file has not arrived yet."))
        return StoredObject(self.bucket, self.key, self.version_id, self.size, self.sha256, self.content_type)


def promised(tx: Tx, evidence_id: UUID) -> Arrival:
    """Return what was promised of a file to the person who reserved its place (or to the system).

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Conflict: if the place is out of time.
    """
    row = _own(tx, evidence_id)
    if row.state is EvidenceState.RESERVED and row.expires_at <= tx.now:
        raise Conflict(LATE)
    return arrived(row)


def _own(tx: Tx, evidence_id: UUID) -> Evidence:
    row = get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
    if tx.actor.kind is not ActorKind.SYSTEM and row.uploaded_by != tx.actor.id:
        raise Forbidden(said("Only the person who began this upload can finish it."))
    return row


def arrived(row: Evidence) -> Arrival:
    """Return a row as the value that outlives its transaction."""
    return Arrival(
        id=row.id,
        vendor_id=row.vendor_id,
        state=row.state,
        bucket=row.bucket,
        key=row.object_key,
        version_id=row.version_id,
        size=row.size,
        sha256=row.sha256,
        content_type=CONTENT_TYPES[kind_of(row.file_name)],
        file_name=row.file_name,
        refusal=row.refusal,
        upload_id=row.upload_id,
        part_size=row.part_size,
    )


def receive(tx: Tx, *, evidence: Evidence, stored: StoredObject) -> None:
    """Pin the bytes that arrived. Receiving them twice is receiving them once.

    :raises Conflict: if the place was given up meanwhile.
    """
    change = {
        "state": EvidenceState.RECEIVED,
        "bucket": stored.bucket,
        "version_id": stored.version_id,
        "mime": stored.content_type,
        "received_at": tx.now,
        "row_version": evidence.row_version + 1,
    }
    if not swap(tx, evidence, expect={"state": EvidenceState.RESERVED, "removed_at": None}, change=change):
        if evidence.state is EvidenceState.REFUSED or evidence.removed_at is not None:
            raise Conflict(evidence.refusal or LATE)
        return
    tx.record(
        EvidenceReceived(
            evidence_id=evidence.id,
            vendor_id=evidence.vendor_id,
            version_id=stored.version_id,
            sha256=stored.sha256,
        )
    )


def attach(tx: Tx, *, evidence: Evidence, stored: StoredObject, pages: int | None, scan: ScanState) -> None:
    """Take a checked file into the library, under its final key. Doing it twice is doing it once.

    :raises Conflict: if it was refused or removed meanwhile.
    """
    holds = rules.validity(evidence.kind, evidence.details, tx.now.date(), in_force(tx))
    change = {
        "state": EvidenceState.ATTACHED,
        "bucket": stored.bucket,
        "object_key": stored.key,
        "version_id": stored.version_id,
        "page_count": pages,
        "scan": scan,
        **held(holds),
        "restricted": rules.restricted(evidence.kind, evidence.details),
        "row_version": evidence.row_version + 1,
    }
    if not swap(tx, evidence, expect={"state": EvidenceState.RECEIVED, "removed_at": None}, change=change):
        if evidence.state is EvidenceState.REFUSED or evidence.removed_at is not None:
            raise Conflict(evidence.refusal or said("This file was removed while it was checked."))
        return
    tx.record(
        EvidenceAttached(
            evidence_id=evidence.id,
            vendor_id=evidence.vendor_id,
            version_id=stored.version_id,
            sha256=stored.sha256,
            scan=scan,
            supersedes_id=evidence.supersedes_id,
        )
    )


def refuse(
    tx: Tx,
    *,
    evidence: Evidence,
    words: str,
    scan: ScanState = ScanState.PENDING,
    expect: Sequence[EvidenceState] = (EvidenceState.RESERVED, EvidenceState.RECEIVED),
) -> bool:
    """Say that a file is not kept; return whether it was still to be said."""
    change = {
        "state": EvidenceState.REFUSED,
        "refusal": words,
        "scan": scan,
        "row_version": evidence.row_version + 1,
    }
    if not swap(tx, evidence, expect={"state": list(expect)}, change=change):
        return False
    tx.record(EvidenceRefused(evidence_id=evidence.id, vendor_id=evidence.vendor_id, reason=words, scan=scan))
    return True


@dataclass(frozen=True, slots=True)
class Abandoned:
    """What may lie in the store for a place that was given up."""

    key: str
    upload_id: str | None


def expire_reservations(tx: Tx, *, limit: int = 500) -> Sequence[Abandoned]:
    """Give up the places whose file did not come in time; return what to clear from the store afterwards."""
    statement = (
        sa.select(Evidence)
        .where(Evidence.state == EvidenceState.RESERVED, Evidence.expires_at <= tx.now)
        .order_by(Evidence.expires_at, Evidence.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.session.execute(statement).scalars().all()
    return [Abandoned(row.object_key, row.upload_id) for row in rows if refuse(tx, evidence=row, words=LATE)]


def unchecked(tx: Tx, *, older_than: timedelta = timedelta(minutes=2), limit: int = 50) -> Sequence[UUID]:
    """Return the files that arrived and still wait for their checks, the oldest first."""
    statement = (
        sa.select(Evidence.id)
        .where(Evidence.state == EvidenceState.RECEIVED, Evidence.received_at <= tx.now - older_than)
        .order_by(Evidence.received_at, Evidence.id)
        .limit(limit)
    )
    return tx.session.execute(statement).scalars().all()
