"""How a file is opened: proven first, then recorded, then given. Between transactions."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from portal.evidence import service
from portal.evidence.opening import CHANGED
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict, NotFound, Unavailable
from portal.kernel.ledger import Ledger
from portal.kernel.logging import logger
from portal.kernel.objects import IntegrityFailure, ObjectMissing, ObjectStore, StoredObject, verified_file
from portal.kernel.sandbox import SandboxFailure, run_limited
from portal.policy import Action

log = logger(__name__)

UNREADABLE = "This page could not be drawn. Download the original and open it with care"


@dataclass(frozen=True, slots=True)
class Opened:
    """A private copy of a file whose every byte was proven, and how it is to be called."""

    path: Path
    file_name: str
    mime: str
    size: int
    sha256: str


@contextmanager
def opened(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID) -> Iterator[Opened]:
    """Lend a file to somebody who may read it, after its bytes were proven and the opening was recorded.

    :raises NotFound: as ``service.get``.
    :raises Forbidden: if the actor may not read it.
    :raises Conflict: if it cannot be opened; also when its bytes are no longer the pinned ones, which is recorded.
    :raises Unavailable: if the store is away.
    """
    with _proven(ledger, actor, store, evidence_id) as (path, stored, name, _pages):
        with ledger.begin(actor) as tx:
            service.open_file(tx, evidence=service.get(tx, evidence_id, Action.EVIDENCE_READ))
        yield Opened(path, name, stored.content_type, stored.size, stored.sha256)


def page_picture(ledger: Ledger, actor: Actor, *, store: ObjectStore, evidence_id: UUID, page: int, mark: str) -> bytes:
    """Return one page of a PDF as a PNG picture that carries a mark, drawn in a limited process; it is an opening.

    :raises NotFound: also if it is no PDF or has no such page.
    :raises Conflict: as ``opened``, or if the page cannot be drawn.
    """
    with _proven(ledger, actor, store, evidence_id) as (path, stored, _name, pages):
        if stored.content_type != "application/pdf" or not 1 <= page <= (pages or 0):
            raise NotFound
        with ledger.begin(actor) as tx:
            service.open_file(tx, evidence=service.get(tx, evidence_id, Action.EVIDENCE_READ), page=page)
        try:
            drawn = run_limited(
                "portal.evidence.drawing:draw", path, timeout=20, arguments={"page": page, "mark": mark}
            )
        except SandboxFailure as failure:
            log.warning("a page could not be drawn", evidence_id=str(evidence_id), page=page, reason=str(failure))
            raise Conflict(UNREADABLE) from failure
    if not isinstance(drawn, str):
        raise Unavailable("The page could not be drawn now. Try again in a minute.")
    if not drawn:
        raise Conflict(UNREADABLE)
    return base64.b64decode(drawn)


@contextmanager
def _proven(
    ledger: Ledger, actor: Actor, store: ObjectStore, evidence_id: UUID
) -> Iterator[tuple[Path, StoredObject, str, int | None]]:
    with ledger.begin(actor) as tx:
        row = service.get(tx, evidence_id, Action.EVIDENCE_READ)
        stored, name, pages = service.pinned(row), row.file_name, row.page_count
    with ExitStack() as lent:
        try:
            path = lent.enter_context(verified_file(store, stored))
        except (IntegrityFailure, ObjectMissing) as failure:
            _alarm(ledger, actor, evidence_id, failure)
            raise Conflict(CHANGED) from failure
        yield path, stored, name, pages


def _alarm(ledger: Ledger, actor: Actor, evidence_id: UUID, failure: Exception) -> None:
    log.error("evidence does not match its fingerprint", evidence_id=str(evidence_id), reason=str(failure))
    with ledger.begin(actor) as tx:
        service.integrity_failed(tx, evidence=service.get(tx, evidence_id, Action.EVIDENCE_READ))
