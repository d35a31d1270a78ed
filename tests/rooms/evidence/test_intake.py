"""How a file comes in: what was promised arrives, is checked, and only then is evidence."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.evidence import intake, rules, service
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.objects import INCOMING, ObjectStore
from portal.policy import Action
from portal.terms import EvidenceState, ScanState
from portal.wiring import House
from tests.factories.evidence import make_evidence, reserved, row_of, sent
from tests.factories.identity import Person
from tests.rooms.objects.test_clamd import EICAR, Daemon, listening
from tests.rules import files

SYSTEM = system("test")


@contextmanager
def clamd(folder: Path) -> Iterator[str]:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(folder / "clamd"))
    listener.listen()
    with listening(listener, Daemon(listener)):
        yield f"unix://{folder / 'clamd'}"


def facts_of(house: House) -> list[str]:
    with house.ledger.begin(SYSTEM) as tx:
        statement = sa.select(AuditEvent.fact).where(AuditEvent.fact.like("evidence%")).order_by(AuditEvent.seq)
        return list(tx.session.execute(statement).scalars())


def objects_of(store: ObjectStore) -> list[str]:
    return [each.key for each in store.versions("")]


def finalise(house: House, who: Person, place_id, **more):  # type: ignore[no-untyped-def]
    return intake.finalise(house.ledger, who.actor, store=house.store, evidence_id=place_id, **more)


def test_a_file_is_pinned_checked_and_attached_under_a_key_of_ours(house: House, ada: Person, vendor_id) -> None:  # type: ignore[no-untyped-def]
    body = files.pdf(pages=3)

    row = make_evidence(house, ada, body, name="Zugriffs – Richtlinie.pdf")

    assert (row.state, row.scan, row.page_count) == (EvidenceState.ATTACHED, ScanState.NOT_SCANNED, 3)
    assert row.object_key.startswith(f"vendor/{vendor_id}/")
    assert "richtlinie" not in row.object_key.lower()
    assert (row.valid_from, row.valid_until) == (date(2026, 10, 1), date(2027, 10, 1))
    assert b"".join(house.store.open(row.object_key, row.version_id or "")) == body
    assert objects_of(house.store) == [row.object_key]
    assert facts_of(house) == ["evidence_reserved", "evidence_received", "evidence_attached"]


def test_finalising_twice_is_finalising_once(house: House, ada: Person) -> None:
    row = make_evidence(house, ada)

    again = finalise(house, ada, row.id)

    assert again.state is EvidenceState.ATTACHED
    assert len(facts_of(house)) == 3
    assert row_of(house, row.id).version_id == row.version_id


def test_it_goes_on_after_a_crash_between_the_store_and_the_record(house: House, ada: Person) -> None:
    body = files.pdf()
    place = reserved(house, ada, body)
    sent(house.store, place, body)
    stored = house.store.stat(place.object_key)
    with house.ledger.begin(ada.actor) as tx:
        service.receive(tx, evidence=service.get(tx, place.id, Action.EVIDENCE_UPLOAD), stored=stored)
    house.store.promote(stored, place.object_key.removeprefix(INCOMING))

    assert finalise(house, ada, place.id).state is EvidenceState.ATTACHED
    assert objects_of(house.store) == [place.object_key.removeprefix(INCOMING)]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("page.pdf", b"<html><script>alert(1)</script></html>", "its content is something else"),
        ("report.pdf", files.pdf(trailer="/Encrypt 9 0 R"), "The file is password-protected."),
        ("report.pdf", files.pdf(catalog="/OpenAction << /S /JavaScript /JS (app.alert) >>"), "scripts, actions"),
        ("picture.png", b"GIF89a/*" + b"x" * 100, "its content is something else"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_and_nothing_of_it_stays(
    house: House, ada: Person, name: str, content: bytes, words: str
) -> None:
    place = reserved(house, ada, content, name=name)
    sent(house.store, place, content)

    with pytest.raises(Refused, match=words):
        finalise(house, ada, place.id)

    row = row_of(house, place.id)
    assert row.state is EvidenceState.REFUSED
    assert words in row.refusal
    assert objects_of(house.store) == []
    assert facts_of(house)[-1] == "evidence_refused"


def test_other_bytes_than_announced_are_refused_and_nothing_of_them_stays(house: House, ada: Person) -> None:
    place = reserved(house, ada, files.pdf(pages=1))
    sent(house.store, place, files.pdf(pages=2))

    with pytest.raises(Refused, match="not the one that was announced"):
        finalise(house, ada, place.id)

    assert objects_of(house.store) == []
    with pytest.raises(Refused, match="not the one that was announced"):
        finalise(house, ada, place.id)


def test_a_file_that_has_not_arrived_is_asked_for_again(house: House, ada: Person) -> None:
    place = reserved(house, ada, files.pdf())

    with pytest.raises(Conflict, match="Press Resume"):
        finalise(house, ada, place.id)

    assert row_of(house, place.id).state is EvidenceState.RESERVED


def test_nobody_else_finishes_an_upload(house: House, ada: Person, ben: Person, stranger: Person, hana: Person) -> None:
    body = files.pdf()
    place = reserved(house, ada, body)
    sent(house.store, place, body)

    with pytest.raises(Forbidden):
        finalise(house, ben, place.id)
    with pytest.raises(NotFound):
        finalise(house, stranger, place.id)
    with pytest.raises(NotFound):
        finalise(house, hana, place.id)
    with pytest.raises(NotFound):
        finalise(house, ada, uuid4())

    assert row_of(house, place.id).state is EvidenceState.RESERVED


def test_a_place_is_given_up_when_the_file_comes_too_late(house: House, ada: Person, clock: FixedClock) -> None:
    body = files.pdf()
    place = reserved(house, ada, body)
    sent(house.store, place, body)
    clock.advance(hours=1)

    with pytest.raises(Conflict, match="did not arrive in time"):
        finalise(house, ada, place.id)

    assert intake.expire(house.ledger, SYSTEM, store=house.store) == 1
    assert intake.expire(house.ledger, SYSTEM, store=house.store) == 0
    assert row_of(house, place.id).state is EvidenceState.REFUSED
    assert objects_of(house.store) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": "notes.html"}, "must be PDF, DOCX, XLSX, CSV, PNG or JPG"),
        ({"name": "logo.svg"}, "must be PDF, DOCX, XLSX, CSV, PNG or JPG"),
        ({"name": "everything.zip"}, "must be PDF, DOCX, XLSX, CSV, PNG or JPG"),
        ({"size": 0}, "The file is empty"),
        ({"size": 213_500_000}, "smaller than 200 MB; this one is 214 MB"),
        ({"sha256": "A" * 64}, "without its fingerprint"),
        ({"kind": "BLOB", "details": {}}, "Choose the type of evidence"),
    ],
)
def test_a_place_is_not_given_to_what_we_would_not_take(
    house: House, ada: Person, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        reserved(house, ada, files.pdf(), **changed)  # type: ignore[arg-type]


def test_a_library_takes_no_more_than_its_quota(house: House, ada: Person, clock: FixedClock) -> None:
    for n in range(25):
        reserved(house, ada, b"", size=rules.MAX_BYTES, sha256=f"{n:064x}")

    with pytest.raises(Refused, match="0 MB left of 5 GB"):
        reserved(house, ada, files.pdf())

    clock.advance(hours=24)
    assert reserved(house, ada, files.pdf()).state is EvidenceState.RESERVED


def test_malware_is_not_kept(house: House, ada: Person, tmp_path: Path) -> None:
    body = b"name,note\nx," + EICAR + b"\n"
    place = reserved(house, ada, body, name="record.csv", kind="LOG", details={})
    sent(house.store, place, body)

    with clamd(tmp_path) as url, pytest.raises(Refused, match="We found malware"):
        finalise(house, ada, place.id, scanner_url=url)

    row = row_of(house, place.id)
    assert (row.state, row.scan) == (EvidenceState.REFUSED, ScanState.INFECTED)
    assert objects_of(house.store) == []


def test_while_the_scanner_is_away_a_file_waits_and_is_not_called_clean(
    house: House, ada: Person, clock: FixedClock, tmp_path: Path
) -> None:
    body = files.pdf()
    place = reserved(house, ada, body)
    sent(house.store, place, body)

    taken = finalise(house, ada, place.id, scanner_url=f"unix://{tmp_path}/nobody")
    assert (taken.state, taken.scan) == (EvidenceState.RECEIVED, ScanState.PENDING)

    clock.advance(minutes=5)
    with clamd(tmp_path) as url:
        assert intake.check_waiting(house.ledger, SYSTEM, store=house.store, scanner_url=url) == 1
    row = row_of(house, place.id)
    assert (row.state, row.scan) == (EvidenceState.ATTACHED, ScanState.CLEAN)


def test_a_plain_form_takes_the_same_way(house: House, ada: Person) -> None:
    taken = intake.receive_form(
        house.ledger,
        ada.actor,
        store=house.store,
        stream=io.BytesIO(files.xlsx()),
        file_name="controls.xlsx",
        kind="SPL",
        details={"as_of": "2026-11-01"},
    )

    row = row_of(house, taken.id)
    assert (row.state, row.title, row.valid_until) == (
        EvidenceState.ATTACHED,
        "Sub-processor list",
        date(2026, 11, 1) + timedelta(days=90),
    )


def test_a_plain_form_takes_at_most_32_mb(house: House, ada: Person) -> None:
    with pytest.raises(Refused, match="smaller than 32 MB; this one is 33 MB"):
        intake.receive_form(
            house.ledger,
            ada.actor,
            store=house.store,
            stream=io.BytesIO(b"x" * 32_000_001),
            file_name="big.csv",
            kind="LOG",
        )
    assert objects_of(house.store) == []


def test_a_browser_sends_where_its_ticket_says(house: House, ada: Person) -> None:
    body = files.pdf(pages=2)
    place = reserved(house, ada, body)
    ticket = intake.begin(house.ledger, ada.actor, store=house.store, evidence_id=place.id).ticket
    assert ticket is not None

    if house.store.can_presign:
        assert requests.put(ticket.url, data=body, headers=dict(ticket.headers), timeout=10).ok
    else:
        house.store.accept(ticket.url.rpartition("/")[2], io.BytesIO(body))

    assert finalise(house, ada, place.id).state is EvidenceState.ATTACHED
    assert row_of(house, place.id).page_count == 2
