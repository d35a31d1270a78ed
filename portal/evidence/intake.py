"""How a file comes in: a ticket for the browser, then its bytes are proven and checked. Between transactions.

Nothing here talks to the store while a transaction is open: what was promised is read in one, what was found is
written in another, and each step may be repeated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from portal.evidence import rules, service
from portal.evidence.service import Abandoned, Arrival
from portal.kernel.actor import Actor
from portal.kernel.clamd import Found, ScannerUnavailable, scan
from portal.kernel.errors import Conflict, Refused
from portal.kernel.ledger import Ledger
from portal.kernel.logging import logger
from portal.kernel.objects import (
    PART_BYTES,
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    ObjectStore,
    StoredObject,
    StoreUnavailable,
    UploadTicket,
    as_promised,
    verified_file,
)
from portal.kernel.objects import finalise as arrived_as_promised
from portal.kernel.sniff import CONTENT_TYPES, RefusedFile, kind_of, sniff, too_large
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import EvidenceState, ScanState

log = logger(__name__)

OTHER_BYTES = said("The file that arrived is not the one that was announced. Upload it again")
NOT_HERE = said("The file has not arrived in full. Press Resume")
OVER = said("This upload was given up. Press Resume to begin again")
MALWARE = said("We found malware in the file and did not keep it. Tell your security team")


@dataclass(frozen=True, slots=True)
class Taken:
    """A file on its way: attached, or received and still to be checked for malware."""

    id: UUID
    state: EvidenceState
    scan: ScanState
    file_name: str


@dataclass(frozen=True, slots=True)
class Way:
    """How the browser sends a file: in one piece with a ticket, or in ``count`` parts of which some are there."""

    id: UUID
    size: int
    ticket: UploadTicket | None
    count: int
    have: tuple[int, ...]
    part_size: int = PART_BYTES


class UploadOver(Conflict):
    """The store knows no such upload in parts any more; beginning again makes a new one."""


class _Turned(Exception):
    """The file is not kept."""

    def __init__(self, words: str, scan: ScanState = ScanState.PENDING) -> None:
        super().__init__(words)
        self.words = words
        self.scan = scan


def begin(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID) -> Way:
    """Return how the browser sends the bytes of a reserved file, or the rest of them if some have arrived.

    A ticket for the whole can be used once, within two minutes; tickets for parts are asked for by ``part_tickets``.

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Conflict: if the place is out of time.
    :raises Unavailable: if the store is away.
    """
    with ledger.begin(actor) as tx:
        arrival = service.promised(tx, evidence_id)
    if arrival.size > PART_BYTES:
        have = _begun(ledger, actor, store, arrival)
        return Way(arrival.id, arrival.size, None, arrival.parts, have)
    ticket = store.reserve(
        arrival.key,
        size=arrival.size,
        content_type=arrival.content_type,
        sha256=arrival.sha256,
        expires=rules.TICKET_LIFE,
    )
    return Way(arrival.id, arrival.size, ticket, 1, ())


def _begun(ledger: Ledger, actor: Actor, store: ObjectStore, arrival: Arrival) -> tuple[int, ...]:
    """Return the parts that arrived, after the upload was begun at the store if it was not."""
    every = tuple(range(1, arrival.parts + 1))
    if arrival.state is not EvidenceState.RESERVED:
        return every
    if arrival.upload_id is not None:
        try:
            return tuple(part.number for part in store.parts(arrival.key, arrival.upload_id))
        except ObjectMissing:
            if any(found.key == arrival.key for found in store.versions(arrival.key)):
                return every  # put together already; only the answer was lost
    begun = store.begin_parts(arrival.key, content_type=arrival.content_type, sha256=arrival.sha256)
    with ledger.begin(actor) as tx:
        row = service.get(tx, arrival.id, Action.EVIDENCE_UPLOAD)
        won = service.begin_parts(tx, evidence=row, upload_id=begun, instead_of=arrival.upload_id)
        now = service.arrived(row)
    if won:
        return ()
    with suppress(StoreUnavailable):
        store.abort_parts(arrival.key, begun)
    if now.upload_id is None or now.upload_id == arrival.upload_id:
        raise UploadOver(now.refusal or OVER)
    try:
        return tuple(part.number for part in store.parts(now.key, now.upload_id))
    except ObjectMissing as over:
        raise UploadOver(OVER) from over


def part_tickets(
    ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID, wanted: Sequence[tuple[int, str]]
) -> Sequence[tuple[int, UploadTicket]]:
    """Return where and how the browser sends these parts, each a number and the SHA-256 of its bytes.

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Refused: if too many are asked for, or one that the file does not have.
    :raises Conflict: if the place is out of time, was given up, or the file has arrived.
    :raises Unavailable: if the store is away.
    """
    with ledger.begin(actor) as tx:
        arrival = service.promised(tx, evidence_id)
    if len(wanted) > rules.MOST_TICKETS:
        raise Refused(said("At most %(most_tickets)s parts are sent at once", most_tickets=rules.MOST_TICKETS))
    if any(not 1 <= number <= arrival.parts or not rules.is_sha256(sha256) for number, sha256 in wanted):
        raise Refused(said("The file does not have such a part. Reload the page and upload it again"))
    if arrival.state is not EvidenceState.RESERVED or arrival.upload_id is None:
        raise UploadOver(arrival.refusal or OVER)
    try:
        return [
            (
                number,
                store.part_ticket(
                    arrival.key,
                    arrival.upload_id,
                    number=number,
                    size=arrival.size_of(number),
                    sha256=sha256,
                    expires=rules.TICKET_LIFE,
                ),
            )
            for number, sha256 in wanted
        ]
    except ObjectMissing as over:
        raise UploadOver(OVER) from over


def cancel(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID) -> str:
    """Give up an upload and clear what came of it; return the name of the file. Twice does no harm.

    Where the store is away, the upload is given up all the same; its own clean-up removes what arrived.

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Conflict: if the file has arrived.
    """
    with ledger.begin(actor) as tx:
        arrival = service.cancel(tx, evidence_id)
    _forget(store, Abandoned(arrival.key, arrival.upload_id))
    return arrival.file_name


def finalise(
    ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID, scanner_url: str | None = None
) -> Taken:
    """Take in a file that was transferred: prove its bytes, check them, attach it. Repeating it does no harm.

    Without a scanner the file is attached as "not scanned"; while the scanner is away it waits, received.

    :raises NotFound: if there is no such file of the actor's vendor.
    :raises Forbidden: if somebody else reserved the place.
    :raises Conflict: if nothing arrived, or not in time.
    :raises Refused: in words, if the file is not kept; nothing of it stays.
    :raises Unavailable: if the store is away; the same call later goes on.
    """
    with ledger.begin(actor) as tx:
        arrival = service.promised(tx, evidence_id)
    try:
        if arrival.state is EvidenceState.RESERVED:
            arrival = _receive(ledger, actor, store, arrival)
        if arrival.state is EvidenceState.RECEIVED:
            _check(ledger, actor, store, arrival, scanner_url)
    except _Turned as turned:
        with ledger.begin(actor) as tx:
            row = service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
            if service.refuse(tx, evidence=row, words=turned.words, scan=turned.scan):
                log.info("evidence refused", evidence_id=str(evidence_id), reason=turned.words)
            kept = row.state is not EvidenceState.REFUSED
        # Kept: the same call came twice, and the other one was done first and cleared the upload away.
        if not kept:
            _forget(store, Abandoned(arrival.key, arrival.upload_id))
            raise Refused(problems={"file": [row.refusal]}) from turned
    with ledger.begin(actor) as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_UPLOAD)
        if row.state is EvidenceState.REFUSED:
            raise Refused(problems={"file": [row.refusal]})
        return Taken(row.id, row.state, row.scan, row.file_name)


def receive_form(
    ledger: Ledger,
    actor: Actor,
    *,
    store: ObjectStore,
    stream: BinaryIO,
    file_name: str,
    kind: str,
    title: str = "",
    details: Mapping[str, Any] | None = None,
    supersedes_id: UUID | None = None,
    scanner_url: str | None = None,
) -> Taken:
    """Take in a file that came with a plain form, piece by piece, whatever its size.

    :param stream: the file as the web server put it aside; it is read twice.
    :raises Refused: as ``service.reserve`` and ``finalise``.
    """
    size, sha256 = _measure(stream)
    with ledger.begin(actor) as tx:
        old = service.get(tx, supersedes_id, Action.EVIDENCE_UPLOAD) if supersedes_id else None
        row = service.reserve(
            tx,
            bucket=store.bucket,
            kind=kind,
            file_name=file_name,
            size=size,
            sha256=sha256,
            title=title,
            details=details,
            supersedes=old,
            anew=True,
        )
    stream.seek(0)
    try:
        store.receive(
            row.object_key,
            stream,
            content_type=CONTENT_TYPES[kind_of(row.file_name)],
            max_bytes=size,
            expected_size=size,
            expected_sha256=sha256,
        )
    except BaseException:
        with suppress(Exception), ledger.begin(actor) as tx:
            place = service.get(tx, row.id, Action.EVIDENCE_UPLOAD)
            service.refuse(tx, evidence=place, words=said("The file could not be stored. Upload it again"))
        raise
    return finalise(ledger, actor, store=store, evidence_id=row.id, scanner_url=scanner_url)


def expire(ledger: Ledger, actor: Actor, *, store: ObjectStore) -> int:
    """Give up the places whose file did not come in time, and clear what half arrived; return how many."""
    with ledger.begin(actor) as tx:
        abandoned = service.expire_reservations(tx)
    for each in abandoned:
        _forget(store, each)
    return len(abandoned)


def check_waiting(ledger: Ledger, actor: Actor, *, store: ObjectStore, scanner_url: str | None) -> int:
    """Check the files that arrived and were left waiting; return how many are settled now."""
    with ledger.begin(actor) as tx:
        waiting = service.unchecked(tx)
    settled = 0
    for evidence_id in waiting:
        try:
            taken = finalise(ledger, actor, store=store, evidence_id=evidence_id, scanner_url=scanner_url)
        except (Refused, Conflict):
            settled += 1
        else:
            settled += taken.state is EvidenceState.ATTACHED
    return settled


def _measure(stream: BinaryIO) -> tuple[int, str]:
    """Return length and fingerprint of a file, reading no more of it than we would take."""
    digest, size = hashlib.sha256(), 0
    stream.seek(0)
    while piece := stream.read(1 << 18):
        digest.update(piece)
        size += len(piece)
        if size > rules.MAX_FORM_BYTES:
            whole = stream.seek(0, 2)
            raise Refused(
                problems={
                    "file": [
                        said("%(problem)s. Larger ones need scripts", problem=too_large(whole, rules.MAX_FORM_BYTES))
                    ]
                }
            )
    return size, digest.hexdigest()


def _receive(ledger: Ledger, actor: Actor, store: ObjectStore, arrival: Arrival) -> Arrival:
    try:
        promise: dict[str, Any] = {"size": arrival.size, "content_type": arrival.content_type}
        if arrival.upload_id is None:
            stored = arrived_as_promised(store, arrival.key, sha256=arrival.sha256, **promise)
        else:
            # Completing has read the whole already: it is compared, not read a second time.
            whole = store.complete_parts(arrival.key, arrival.upload_id, parts=arrival.parts, **promise)
            stored = as_promised(store, whole, sha256=arrival.sha256, **promise)
    except ObjectMissing as failure:
        with ledger.begin(actor) as tx:
            now = service.promised(tx, arrival.id)
        if now.state is EvidenceState.RESERVED:
            raise Conflict(NOT_HERE) from failure
        return now  # the same call came twice, and the other one was faster
    except (IntegrityFailure, AlreadyExists) as failure:
        raise _Turned(OTHER_BYTES) from failure
    try:
        with ledger.begin(actor) as tx:
            row = service.get(tx, arrival.id, Action.EVIDENCE_UPLOAD)
            service.receive(tx, evidence=row, stored=stored)
            return service.arrived(row)
    except Conflict:
        # It was cancelled, or given up, while its parts were put together.
        _clear(store, arrival.key)
        raise


def _check(ledger: Ledger, actor: Actor, store: ObjectStore, arrival: Arrival, scanner_url: str | None) -> None:
    stored = arrival.stored
    try:
        with verified_file(store, stored) as path:
            pages = sniff(path, arrival.file_name).pages
            verdict = ScanState.NOT_SCANNED
            if scanner_url:
                with path.open("rb") as bytes_of:
                    found = scan(bytes_of, scanner_url)
                if isinstance(found, Found):
                    log.warning("malware found", evidence_id=str(arrival.id), name=found.name)
                    raise _Turned(MALWARE, ScanState.INFECTED)
                verdict = ScanState.CLEAN
    except RefusedFile as refusal:
        raise _Turned(refusal.message) from refusal
    except (IntegrityFailure, ObjectMissing) as failure:
        raise _Turned(OTHER_BYTES) from failure
    except ScannerUnavailable as failure:
        log.warning("no verdict on malware", evidence_id=str(arrival.id), reason=str(failure))
        return
    final = _promote(store, stored, arrival.final_key)
    with ledger.begin(actor) as tx:
        row = service.get(tx, arrival.id, Action.EVIDENCE_UPLOAD)
        service.attach(tx, evidence=row, stored=final, pages=pages, scan=verdict)
    _clear(store, arrival.key)


def _promote(store: ObjectStore, incoming: StoredObject, key: str) -> StoredObject:
    try:
        return store.promote(incoming, key)
    except AlreadyExists:
        # An earlier try came this far. The key is ours alone, but trust the bytes only.
        there = store.stat(key)
        if (there.sha256, there.size) != (incoming.sha256, incoming.size):
            raise _Turned(OTHER_BYTES) from None
        return there
    except (IntegrityFailure, ObjectMissing) as failure:
        raise _Turned(OTHER_BYTES) from failure


def _forget(store: ObjectStore, abandoned: Abandoned) -> None:
    """Remove what arrived of an upload, in parts or whole."""
    if abandoned.upload_id is not None:
        with suppress(StoreUnavailable):
            store.abort_parts(abandoned.key, abandoned.upload_id)
    _clear(store, abandoned.key)


def _clear(store: ObjectStore, key: str) -> None:
    """Remove an upload; where that fails, the store's own clean-up of incoming/ does it later."""
    if not key.startswith("incoming/"):
        return
    with suppress(StoreUnavailable):
        store.delete_incoming(key)
