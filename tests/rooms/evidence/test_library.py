"""Files in the library: described, judged, replaced, removed, opened; and what happens when their bytes change."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from portal.audit import queries as audit
from portal.evidence import service, viewing
from portal.evidence.models import Evidence
from portal.kernel.actor import Actor, system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused, TooMany
from portal.kernel.objects import ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.policy import Action
from portal.settings import Settings
from portal.terms import EvidenceState, Side
from portal.wiring import House
from tests.factories.evidence import make_evidence, reserved, row_of, sent
from tests.factories.identity import Person
from tests.rules import files

SOC2 = {
    "detail-report_type": "type2",
    "detail-period_start": "2025-10-01",
    "detail-period_end": "2026-09-30",
    "detail-opinion": "unqualified",
}


def describe(house: House, who: Person, row: Evidence, **changed: object) -> None:
    given: dict[str, object] = {"kind": "SOC2", "title": "SOC 2 2026", "raw": SOC2, "row_version": row.row_version}
    with house.ledger.begin(who.actor) as tx:
        service.describe(
            tx,
            evidence=service.get(tx, row.id, Action.EVIDENCE_UPLOAD),
            **{**given, **changed},  # type: ignore[arg-type]
        )


def judge(house: House, who: Actor, row: Evidence, how: str, note: str = "", version: int | None = None) -> None:
    with house.ledger.begin(who) as tx:
        found = service.get(tx, row.id, Action.EVIDENCE_JUDGE)
        act = service.verify if how == "verify" else service.reject
        act(tx, evidence=found, note=note, row_version=version or found.row_version)


def library(house: House, who: Person) -> list[service.LibraryLine]:
    with house.ledger.begin(who.actor) as tx:
        return list(service.library(tx))


def opened(house: House, who: Person, row: Evidence) -> bytes:
    with viewing.opened(house.ledger, who.actor, store=house.store, evidence_id=row.id) as lent:
        return lent.path.read_bytes()


def picture(house: House, who: Person, row: Evidence, page: int, **asked: object) -> viewing.Picture:
    return viewing.page_picture(
        house.ledger,
        who.actor,
        store=house.store,
        evidence_id=row.id,
        page=page,
        **asked,  # type: ignore[arg-type]
    )


def test_a_file_without_its_dates_holds_for_a_month_only(house: House, ada: Person) -> None:
    row = make_evidence(house, ada, kind="SOC2", details={})

    [line] = library(house, ada)
    assert line.is_provisional
    assert line.valid_until == date(2026, 12, 24)
    assert "the opinion of the auditor" in [field.the for field in line.missing]

    describe(house, ada, row)
    assert library(house, ada)[0].valid_until == date(2027, 9, 30)


def test_a_file_is_not_described_with_dates_that_cannot_be(house: House, ada: Person) -> None:
    row = make_evidence(house, ada)

    with pytest.raises(Refused, match="The end of the period must be after its start, 1 October 2025"):
        describe(house, ada, row, raw={**SOC2, "detail-period_end": "2025-09-30"})
    assert row_of(house, row.id).kind == "POL"


def test_a_late_describer_is_told(house: House, ada: Person, ben: Person) -> None:
    row = make_evidence(house, ada)
    describe(house, ben, row, title="First")

    with pytest.raises(Conflict, match="changed since you opened"):
        describe(house, ada, row, title="Second")
    assert row_of(house, row.id).title == "First"


def test_a_reviewer_verifies_what_has_its_dates_and_rejects_with_a_reason(
    house: House, ada: Person, hana: Person
) -> None:
    row = make_evidence(house, ada, kind="SOC2", details={})

    with pytest.raises(Conflict, match="The vendor has not given the type of the report"):
        judge(house, hana.actor, row, "verify")
    with pytest.raises(Refused, match="Say what is wrong"):
        judge(house, hana.actor, row, "reject", "  ")
    judge(house, hana.actor, row, "reject", "The opinion page is missing.")
    [line] = library(house, ada)
    assert (line.state, line.judgement) == (EvidenceState.REJECTED, "The opinion page is missing.")

    describe(house, ada, row_of(house, row.id))
    assert row_of(house, row.id).state is EvidenceState.ATTACHED
    judge(house, hana.actor, row, "verify")
    assert row_of(house, row.id).state is EvidenceState.VERIFIED
    with pytest.raises(Conflict, match="verified as it is described"):
        describe(house, ada, row_of(house, row.id))


def test_of_two_reviewers_at_once_one_is_told(house: House, ada: Person, hana: Person) -> None:
    row = make_evidence(house, ada)
    judge(house, hana.actor, row, "verify", version=row.row_version)

    with pytest.raises(Conflict, match="changed since"):
        judge(house, hana.actor, row, "reject", "No", version=row.row_version)
    assert row_of(house, row.id).state is EvidenceState.VERIFIED


def test_vendors_do_not_judge_and_the_lab_does_not_upload(house: House, ada: Person, hana: Person) -> None:
    row = make_evidence(house, ada)

    with pytest.raises(Forbidden):
        judge(house, ada.actor, row, "verify")
    with pytest.raises(Forbidden):
        reserved(house, hana, files.pdf())


def test_a_stranger_cannot_tell_a_file_from_none(house: House, ada: Person, stranger: Person) -> None:
    row = make_evidence(house, ada)

    for evidence_id in (row.id, uuid4()):
        with pytest.raises(NotFound), house.ledger.begin(stranger.actor) as tx:
            service.get(tx, evidence_id, Action.EVIDENCE_READ)
        with (
            pytest.raises(NotFound),
            viewing.opened(house.ledger, stranger.actor, store=house.store, evidence_id=evidence_id),
        ):
            pass
    assert library(house, stranger) == []


def test_the_lab_knows_nothing_of_a_file_that_has_not_arrived(house: House, ada: Person, hana: Person) -> None:
    place = reserved(house, ada, files.pdf())

    with pytest.raises(NotFound), house.ledger.begin(hana.actor) as tx:
        service.get(tx, place.id, Action.EVIDENCE_READ)


def test_the_newer_file_takes_the_place_of_the_older_one(house: House, ada: Person) -> None:
    old = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        held = service.get(tx, old.id, Action.EVIDENCE_UPLOAD)
    new = make_evidence(house, ada, files.pdf(pages=4), supersedes=held)

    assert {line.id: line.replaced_by for line in library(house, ada)} == {old.id: new.id, new.id: None}
    with pytest.raises(Conflict, match="was replaced already"):
        reserved(house, ada, files.pdf(), supersedes=held)


def test_a_file_is_removed_by_its_uploader_or_an_admin(house: House, ada: Person, ben: Person, admin: Person) -> None:
    first, second = make_evidence(house, ada), make_evidence(house, ada, files.pdf(pages=5))

    def remove(who: Person, row: Evidence) -> None:
        with house.ledger.begin(who.actor) as tx:
            service.remove(tx, evidence=service.get(tx, row.id, Action.EVIDENCE_DELETE))

    with pytest.raises(Forbidden, match="who uploaded a file, or a vendor admin"):
        remove(ben, first)
    remove(ada, first)
    remove(admin, second)
    assert library(house, ada) == []
    with pytest.raises(NotFound):
        remove(ada, first)


def test_every_opening_is_recorded_for_the_vendor_with_a_name(house: House, ada: Person, hana: Person) -> None:
    body = files.pdf(pages=2)
    row = make_evidence(house, ada, body)

    assert opened(house, hana, row) == body
    assert opened(house, hana, row) == body
    assert opened(house, ada, row) == body

    with house.ledger.begin(ada.actor) as tx:
        lines = service.openings(tx, row.id)
    assert {(line.name, line.side, line.times) for line in lines} == {
        ("Hana Veldkamp", Side.LAB, 2),
        ("Ada Quill", Side.VENDOR, 1),
    }


def test_one_person_of_the_lab_cannot_carry_everything_away(
    house: House, ada: Person, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.evidence.rules.looking.FILES_AN_HOUR", 2)
    rows = [make_evidence(house, ada, files.pdf(pages=1 + n)) for n in range(4)]
    for row in rows[:2]:
        opened(house, hana, row)
        opened(house, hana, row)

    for row in rows[2:]:
        with pytest.raises(TooMany, match="You opened 2 files within the hour"):
            opened(house, hana, row)
    opened(house, hana, rows[0])
    opened(house, ada, rows[2])
    assert told(house) == [(hana.id, 2, 0)]


def told(house: House) -> list[tuple[UUID, int, int]]:
    """The alerts of the trail: of whom, with how many files and pages."""
    with house.ledger.begin(system("test")) as tx:
        found = audit.events(tx, audit.Wanted(fact="openings_limited"))
    return [(UUID(each.payload["person_id"]), each.payload["files"], each.payload["pages"]) for each in found]


def test_a_page_turned_is_no_file_and_has_a_bound_of_its_own(
    house: House, ada: Person, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.evidence.rules.looking.FILES_AN_HOUR", 1)
    monkeypatch.setattr("portal.evidence.rules.looking.PAGES_AN_HOUR", 2)
    row = make_evidence(house, ada, files.pdf(pages=3))
    for page in (1, 2, 2, 1):
        picture(house, hana, row, page)

    with pytest.raises(TooMany, match="You looked at 2 pages within the hour"):
        picture(house, hana, row, 3)
    picture(house, hana, row, 2)
    assert told(house) == [(hana.id, 1, 2)]


def test_bytes_that_changed_in_the_store_are_never_given(
    house: House,
    store: ObjectStore,
    settings: Settings,
    ada: Person,
    hana: Person,
    request: pytest.FixtureRequest,
) -> None:
    row = make_evidence(house, ada)
    if isinstance(store, DiskStore):
        [path] = [each for each in Path(settings.evidence_path).rglob("*@/*") if each.is_file()]
        os.chmod(path, 0o600)
        content = bytearray(path.read_bytes())
        content[-20] ^= 1
        path.write_bytes(content)
    else:
        # A version cannot change there, but it can be taken away and another one put in its place.
        s3 = request.getfixturevalue("moto").client()
        where = {"Bucket": row.bucket, "Key": row.object_key}
        s3.delete_object(**where, VersionId=row.version_id)
        s3.put_object(**where, Body=files.pdf(pages=9))

    with pytest.raises(Conflict, match="no longer matches its fingerprint"):
        opened(house, hana, row)

    assert row_of(house, row.id).state is EvidenceState.INTEGRITY_FAILURE
    with pytest.raises(Conflict, match="no longer matches its fingerprint"):
        opened(house, ada, row)
    with house.ledger.begin(ada.actor) as tx:
        assert service.openings(tx, row.id) == []
    with pytest.raises(Conflict, match="no longer matches"):
        judge(house, hana.actor, row, "verify")


def test_a_page_is_drawn_as_a_picture_with_the_viewers_name(house: House, ada: Person, hana: Person) -> None:
    row = make_evidence(house, ada)

    drawn = picture(house, hana, row, 1, mark="Hana Veldkamp, 24 November 2026")
    assert (drawn.mime, drawn.data[:4]) == ("image/png", b"\x89PNG")
    assert drawn != picture(house, hana, row, 1, mark="Somebody else")
    for page in (0, 3):
        with pytest.raises(NotFound):
            picture(house, hana, row, page)
    with house.ledger.begin(ada.actor) as tx:
        assert [line.times for line in service.openings(tx, row.id)] == [2]


def test_no_word_of_the_vendor_reaches_a_key(house: House, ada: Person) -> None:
    for name in ("../../etc/passwd.pdf", "a/b\\c.pdf", "‮fdp.exe.pdf"):
        body = files.pdf(trailer=f"% {len(name)}")
        place = reserved(house, ada, body, name=name)
        assert "passwd" not in place.object_key
        assert "/" not in place.file_name
        sent(house.store, place, body)
