"""Files taken in while there was no scanner are scanned once there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.evidence import queries, rescanning, service, viewing
from portal.kernel.actor import system
from portal.kernel.errors import Conflict
from portal.terms import EvidenceState, ScanState
from portal.wiring import House
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import Person
from tests.rooms.evidence.test_intake import clamd
from tests.rooms.objects.test_clamd import EICAR

SYSTEM = system("scan_again")


def again(house: House, url: str) -> int:
    return rescanning.scan_again(house.ledger, SYSTEM, store=house.store, scanner_url=url)


def test_what_was_not_scanned_is_scanned_when_a_scanner_comes(house: House, ada: Person, tmp_path: Path) -> None:
    row = make_evidence(house, ada)
    assert row.scan is ScanState.NOT_SCANNED
    with clamd(tmp_path) as url:
        assert again(house, url) == 1
        assert again(house, url) == 0
    after = row_of(house, row.id)
    assert (after.state, after.scan) == (EvidenceState.ATTACHED, ScanState.CLEAN)


def test_malware_found_later_closes_the_file_and_says_why(house: House, ada: Person, tmp_path: Path) -> None:
    row = make_evidence(house, ada, b"name,note\n" + EICAR + b",x\n", name="log.csv", kind="LOG", details={})
    with clamd(tmp_path) as url:
        assert again(house, url) == 1
    after = row_of(house, row.id)
    assert (after.state, after.scan) == (EvidenceState.REFUSED, ScanState.INFECTED)
    opening = viewing.opened(house.ledger, ada.actor, store=house.store, evidence_id=row.id)
    with pytest.raises(Conflict, match="malware"), opening:
        pass
    with house.ledger.begin(ada.actor) as tx:
        assert [line.refusal for line in queries.library(tx)] == [rescanning.LATE]


def test_without_an_answer_of_the_scanner_nothing_is_said(house: House, ada: Person, tmp_path: Path) -> None:
    row = make_evidence(house, ada)
    assert again(house, f"unix://{tmp_path / 'nobody'}") == 0
    assert row_of(house, row.id).scan is ScanState.NOT_SCANNED


def test_bytes_that_changed_are_a_failure_of_integrity_and_no_verdict(
    house: House, ada: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_evidence(house, ada)
    monkeypatch.setattr(house.store, "open", lambda *_: iter([b"%PDF-other"]))
    with clamd(tmp_path) as url:
        assert again(house, url) == 0
    after = row_of(house, row.id)
    assert (after.state, after.scan) == (EvidenceState.INTEGRITY_FAILURE, ScanState.NOT_SCANNED)


def test_a_file_that_was_removed_is_left_alone(house: House, ada: Person, tmp_path: Path) -> None:
    row = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        service.remove(tx, evidence=tx.session.merge(row))
    with clamd(tmp_path) as url:
        assert again(house, url) == 0
