"""What is said next to every upload button: the types, the sizes, and the room that is left."""

from __future__ import annotations

from flask import g

from portal.evidence import queries
from portal.evidence.rules import VENDOR_BYTES
from portal.kernel.ledger import Tx
from portal.sites.shared.language import _, told
from portal.sites.shared.pages import begin
from portal.sites.shared.ui import filesize
from portal.terms import N_

TYPES = N_("PDF, DOCX, XLSX, CSV, PNG or JPG, up to 200 MB each. No passwords on files.")
GO_ON = N_("Several at once is fine, and an interrupted upload goes on where it stopped.")


def room(tx: Tx) -> str:
    """Return how much room the library of the actor's vendor has, in words."""
    if tx.actor.vendor_id is None:
        return ""
    taken = queries.usage(tx, tx.actor.vendor_id)
    left, whole = filesize(taken.left), filesize(VENDOR_BYTES)
    if not taken.removed:
        return _("%(left)s of %(whole)s left.", left=left, whole=whole)
    return _(
        "%(left)s of %(whole)s left, %(removed)s are files you removed: they are kept.",
        left=left,
        whole=whole,
        removed=filesize(taken.removed),
    )


def upload_rules(*, brief: bool = False) -> str:
    """Return the limits of an upload; asked for once a request, however many buttons there are."""
    if "upload_room" not in g:
        with begin() as tx:
            g.upload_room = room(tx)
    return " ".join([told(TYPES), *([] if brief else [told(GO_ON)]), g.upload_room])


def upload_limits(tx: Tx) -> str:
    """Return the same in brief, for a view that has a transaction at hand."""
    g.upload_room = room(tx)
    return upload_rules(brief=True)
