"""What is said next to every upload button: the types, the sizes, and the room that is left."""

from __future__ import annotations

from flask import g

from portal.evidence import queries
from portal.evidence.rules import VENDOR_BYTES
from portal.kernel.ledger import Tx
from portal.sites.shared.pages import begin
from portal.sites.shared.ui import filesize

TYPES = "PDF, DOCX, XLSX, CSV, PNG or JPG, up to 200 MB each. No passwords on files."
GO_ON = "Several at once is fine, and an interrupted upload goes on where it stopped."


def room(tx: Tx) -> str:
    """Return how much room the library of the actor's vendor has, in words."""
    if tx.actor.vendor_id is None:
        return ""
    taken = queries.usage(tx, tx.actor.vendor_id)
    kept = f", {filesize(taken.removed)} are files you removed: they are kept" if taken.removed else ""
    return f"{filesize(taken.left)} of {filesize(VENDOR_BYTES)} left{kept}."


def upload_rules(*, brief: bool = False) -> str:
    """Return the limits of an upload; asked for once a request, however many buttons there are."""
    if "upload_room" not in g:
        with begin() as tx:
            g.upload_room = room(tx)
    return " ".join([TYPES, *([] if brief else [GO_ON]), g.upload_room])
