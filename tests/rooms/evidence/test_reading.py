"""Reading the text of a file: once, in a limited process, given up after three attempts; others go on."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.evidence import reading
from portal.evidence.models import EvidencePageText, EvidenceReading
from portal.jobs.reading import read_file
from portal.jobs.upkeep import read_waiting
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.kernel.objects import ObjectStore, Reason, StoreUnavailable
from portal.kernel.objects.disk import DiskStore
from portal.kernel.sandbox import Failing, SandboxFailure
from portal.terms import ReadingState
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person
from tests.factories.pdfs import scanned_pdf, text_pdf
from tests.rooms.delivery.world import jobs_of

SYSTEM = system("test")
LETTER = text_pdf(
    [
        "Access policy\nEvery person signs in with a second factor, and access is reviewed each quarter.",
        "Approved on 1 October 2026 by the Head of\nSecurity. Access is removed within a day.",
    ]
)


@pytest.fixture
def store(settings, clock) -> ObjectStore:  # type: ignore[no-untyped-def]
    """The store of this machine only: reading does not differ by store."""
    return DiskStore(settings.evidence_path, secret_keys=settings.secret_keys, clock=lambda: clock.read(None))


def row_of(house: House, evidence_id: UUID) -> EvidenceReading:
    with house.ledger.begin(SYSTEM) as tx:
        return tx.session.get_one(EvidenceReading, evidence_id)


def facts_of(house: House) -> int:
    with house.ledger.begin(SYSTEM) as tx:
        counted = sa.select(sa.func.count()).where(AuditEvent.fact == "evidence_read")
        return tx.session.execute(counted).scalar_one()


def test_a_worker_reads_what_was_attached_and_a_second_delivery_does_nothing(house: House, ada: Person) -> None:
    row = make_evidence(house, ada, LETTER)
    assert [name for name, _args, _state in jobs_of(house) if name == reading.JOB] == [reading.JOB]

    assert run_worker(house, once=True)
    read_file(house, evidence_id=str(row.id))

    with house.ledger.begin(ada.actor) as tx:
        found = reading.reading_of(tx, row.id)
        texts = reading.page_texts(tx, row.id)
        hits = reading.search(tx, row.id, "head OF security")
    assert found is not None
    assert (found.state, found.pages, found.reason) == (ReadingState.READ, 2, "")
    assert texts[1] == "Approved on 1 October 2026 by the Head of\nSecurity. Access is removed within a day."
    assert [(hit.page, hit.match) for hit in hits] == [(2, "Head of Security")]
    assert (row_of(house, row.id).attempts, facts_of(house)) == (1, 1)


def test_a_scan_is_said_to_have_no_text(house: House, ada: Person) -> None:
    row = make_evidence(house, ada, scanned_pdf())

    read_file(house, evidence_id=str(row.id))

    assert (row_of(house, row.id).state, row_of(house, row.id).reason) == (ReadingState.NO_TEXT, reading.NO_TEXT)


def test_a_poison_file_is_given_up_after_three_attempts_and_the_others_go_on(
    house: House, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison = make_evidence(house, ada, LETTER)
    honest = make_evidence(house, ada, text_pdf(["A page with quite enough words to be the text of a page."]))
    real, tries = reading.run_limited, []

    def fragile(function, path, **more):  # type: ignore[no-untyped-def]
        if path.stat().st_size == poison.size:
            tries.append(path)
            raise SandboxFailure(Failing.TIME)
        return real(function, path, **more)

    monkeypatch.setattr(reading, "run_limited", fragile)
    for _delivery in range(2):
        with pytest.raises(SandboxFailure):
            read_file(house, evidence_id=str(poison.id))
    for _delivery in range(2):
        read_file(house, evidence_id=str(poison.id))
    read_file(house, evidence_id=str(honest.id))

    row = row_of(house, poison.id)
    assert (row.state, row.attempts, row.reason) == (ReadingState.FAILED, 3, reading.COULD_NOT_BE_READ)
    assert len(tries) == 3
    assert row_of(house, honest.id).state is ReadingState.READ


def test_a_file_that_took_its_worker_down_three_times_is_given_up(house: House, ada: Person, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    row = make_evidence(house, ada, LETTER)

    def killed(*_args, **_more):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "run_limited", killed)
    for _life in range(3):
        with pytest.raises(KeyboardInterrupt):
            read_file(house, evidence_id=str(row.id))
    monkeypatch.undo()
    read_file(house, evidence_id=str(row.id))

    assert row_of(house, row.id).state is ReadingState.FAILED


def test_a_store_that_is_away_costs_no_attempt_and_the_file_is_queued_again(
    house: House,
    ada: Person,
    clock,
    monkeypatch,  # type: ignore[no-untyped-def]
) -> None:
    row = make_evidence(house, ada, LETTER)

    def away(*_args, **_more):  # type: ignore[no-untyped-def]
        raise StoreUnavailable(Reason.DOWN)

    monkeypatch.setattr(reading, "verified_file", away)
    with pytest.raises(StoreUnavailable):
        read_file(house, evidence_id=str(row.id))
    monkeypatch.undo()
    assert (row_of(house, row.id).state, row_of(house, row.id).attempts) == (ReadingState.WAITING, 0)

    clock.advance(hours=1)
    read_waiting(house)
    read_waiting(house)

    assert len([name for name, _args, _state in jobs_of(house) if name == reading.JOB]) == 2
    read_file(house, evidence_id=str(row.id))
    assert row_of(house, row.id).state is ReadingState.READ


def test_the_text_is_behind_the_wall_and_only_grows(house: House, ada: Person, stranger: Person) -> None:
    row = make_evidence(house, ada, LETTER)
    read_file(house, evidence_id=str(row.id))

    with house.ledger.begin(stranger.actor) as tx:
        assert reading.reading_of(tx, row.id) is None
        assert reading.text_of(tx, [row.id]) == {}
    with pytest.raises(sa.exc.ProgrammingError), house.ledger.begin(ada.actor) as tx:
        tx.session.execute(sa.update(EvidencePageText).values(text="other"))
