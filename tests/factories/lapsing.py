"""A vendor that is approved until November 2027 on a SOC 2 report whose period ended on 31 January 2026."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from portal.evidence import service as evidence
from portal.evidence.facts import EvidenceAttached
from portal.evidence.models import Evidence
from portal.kernel.actor import Actor, system
from portal.policy import Action
from portal.reviews import service as reviews
from portal.terms import EvidenceState, ScanState
from portal.wiring import House
from tests.factories import moulds
from tests.factories.attestations import Desk, desk, make_file
from tests.factories.reviews import TIERS, Bench

SYSTEM = system("test")
PROVED_BY_REPORT = ("iam.mfa.workforce", "inf.rest")
REPORT = {
    "report_type": "type2",
    "period_start": "2025-02-01",
    "period_end": "2026-01-31",
    "opinion": "unqualified",
}
LETTER = {
    "issuer": "Quillmark Annotation",
    "signer": "Marisol Dufour",
    "report_end": "2026-01-31",
    "covers_from": "2026-02-01",
    "covers_until": "2027-01-31",
    "next_start": "2026-02-01",
    "next_auditor": "Fairholm Assurance",
}


def signed(house: House) -> Desk:
    """A desk that signed with a report, a policy and a list of suppliers, each verified."""
    made = desk(house, slug="ai-contractor-minimal", **TIERS[2])
    made.complete()
    made.save("inf.logs.months", {"number": "24"})
    made.save("wrk.training", {"number": "100"})
    asked = [each.key for each in made.visible() if each.is_scored]
    report = add(house, made, "SOC2", REPORT, date(2027, 1, 31), verified=True)
    policy = add(house, made, "POL", {"approved_on": "2026-10-01"}, date(2027, 10, 1), verified=True)
    suppliers = add(house, made, "SPL", {"as_of": "2026-11-20"}, date(2027, 12, 31), verified=True)
    for key in asked:
        made.cite(key, report if key in PROVED_BY_REPORT else policy)
    made.cite(asked[0], suppliers)
    made.sign()
    return made


def add(
    house: House, made: Desk, kind: str, details: dict[str, Any], until: date, *, verified: bool = False, **more: Any
) -> UUID:
    """A file that passed its checks, with what follows from that."""
    state = {"state": EvidenceState.VERIFIED, "judged_by": made.respondent.id} if verified else {}
    with house.ledger.begin(SYSTEM) as tx:
        given = {"kind": kind, "details": details, "valid_until": until, **state, **more}
        judged = {"judged_at": tx.now} if verified else {}
        row = make_file(tx, vendor_id=made.vendor_id, uploaded_by=made.respondent.id, **given, **judged)
        tx.record(EvidenceAttached(row.id, row.vendor_id, "v1", row.sha256, ScanState.CLEAN, row.supersedes_id))
        return row.id


def _approved(house: House, letter: dict[str, Any] | None) -> Bench:
    bench = Bench(house, signed(house))
    if letter is not None:
        add(house, bench.desk, "BL", letter, date(2026, 4, 30))
    bench.review()
    bench.propose(bench.lead, valid_until=date(2027, 11, 23))
    return bench


def approved(house: House, letter: dict[str, Any] | None = None) -> Bench:
    """A bench whose vendor is approved until November 2027; the letter was there, unverified, when it was decided."""
    made = copy(moulds.cast(house, "report-runs-out", lambda new: _approved(new, letter), given=letter))
    made.house, made.desk = house, replace(made.desk, house=house)
    return made


def judge(bench: Bench, evidence_id: UUID, *, note: str = "") -> None:
    """A reviewer verifies a file or, with a note, sends it back."""
    with bench.house.ledger.begin(bench.reviewer.actor) as tx:
        row = evidence.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
        if note:
            evidence.reject(tx, evidence=row, note=note, row_version=row.row_version)
        else:
            evidence.verify(tx, evidence=row, row_version=row.row_version)


def file_of(bench: Bench, kind: str) -> UUID:
    with bench.house.ledger.begin(SYSTEM) as tx:
        return next(each.id for each in evidence.library(tx, vendor_id=bench.desk.vendor_id) if each.kind == kind)


def newer(bench: Bench) -> UUID:
    """The vendor replaces the report by one whose period ended in January 2027."""
    details = REPORT | {"period_start": "2026-02-01", "period_end": "2027-01-31"}
    supersedes = file_of(bench, "SOC2")
    return add(bench.house, bench.desk, "SOC2", details, date(2028, 1, 31), supersedes_id=supersedes)


def check(bench: Bench, evidence_id: UUID, actor: Actor) -> None:
    """Somebody of the lab finds that the newer revision proves what the older one did."""
    with bench.at(actor) as (tx, review):
        signed = reviews.attested_of(tx, review).snapshot.citations
        citations = [each.citation_id for each in signed if each.question_key in PROVED_BY_REPORT]
    with bench.house.ledger.begin(actor) as tx:
        for citation_id in citations:
            reviews.recheck(tx, citation_id=citation_id, evidence=tx.session.get_one(Evidence, evidence_id))
