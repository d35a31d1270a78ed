"""What a vendor brought in and waits: a workbook answered elsewhere, an answer pack, a spreadsheet of answers."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path
from uuid import UUID

from portal.exchange import external, packs, taking
from portal.exchange.rules.external import Answered, External, Family, Reading
from portal.kernel.signing import Signer
from tests.factories import office
from tests.factories.attestations import Desk


def make_brought(desk: Desk, words: str = "As in the handbook.") -> dict[str, UUID]:
    """Bring them in as the respondent; return their ids by the names that routes give them."""
    said = External("GRC-06.1", "GRC-06", Answered.YES, "Yes", words, sheet="CAIQ", row=4)
    reading = Reading(Family.CAIQ, "CAIQ 4.0.7", "4.0.7", (said,), ())
    with desk.at(desk.respondent.actor) as (tx, row):
        sha256 = hashlib.sha256(words.encode()).hexdigest()
        brought = external.import_set(tx, reading=reading, file_name=f"caiq {words}.xlsx", sha256=sha256)
        gathered = packs.gather(tx, assessment=row)
        set_id, now = brought.id, tx.now
    out = io.BytesIO()
    packs.write(gathered, out, signer=Signer(()), now=now)
    pack, seal, sha256 = packs.open_pack(out, signer=Signer(()))
    with desk.at(desk.respondent.actor) as (tx, row):
        kept = taking.keep(tx, assessment=row, pack=pack, seal=seal, sha256=sha256, file_name=f"{words}.zip")
        pack_id = kept.id
    with tempfile.TemporaryDirectory() as folder:
        upload = office.read(office.exported(desk, what="csv"), Path(folder), "csv")
    return {"set_id": set_id, "pack_id": pack_id, "import_id": office.stage(desk, upload, what="csv").id}
