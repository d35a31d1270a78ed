"""Looking at files without opening them: pictures, rows and words of our own making; searches; poison that rests."""

from __future__ import annotations

import base64
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PIL import Image

from portal.evidence import intake, reading, service, viewing
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, NotFound, Unavailable
from portal.kernel.ids import uuid7
from portal.kernel.objects import ObjectStore, StoreUnavailable
from portal.kernel.objects.disk import DiskStore
from portal.kernel.sandbox import Failing, SandboxFailure
from portal.settings import NOBODY, Settings
from portal.terms import EvidenceState, ScanState
from portal.wiring import House
from tests.factories.evidence import make_evidence, reserved, sent
from tests.factories.identity import Person
from tests.factories.pdfs import scanned_pdf, text_pdf
from tests.rules import files

CANARY = b"canary-of-the-original"
MARKER = (255, 232, 92)


@pytest.fixture
def store(settings: Settings, clock: FixedClock) -> ObjectStore:
    """One store is enough: what is read of a file does not depend on it."""
    return DiskStore(
        settings.evidence_path,
        secret_keys=settings.secret_keys,
        clock=lambda: clock.read(None),  # type: ignore[arg-type]
        new_id=uuid7,
    )


def look(house: House, who: Person, row: Evidence, page: int = 1, **asked: Any) -> viewing.Picture:
    return viewing.page_picture(house.ledger, who.actor, store=house.store, evidence_id=row.id, page=page, **asked)


def contents(house: House, who: Person, row: Evidence, **asked: Any) -> viewing.Contents:
    return viewing.contents(house.ledger, who.actor, store=house.store, evidence_id=row.id, **asked)


def search(house: House, who: Person, row: Evidence, words: str) -> viewing.Found:
    return viewing.search(house.ledger, who.actor, evidence_id=row.id, words=words)


def what(house: House, who: Person, row: Evidence) -> list[str]:
    """What the file's page says was looked at."""
    with house.ledger.begin(who.actor) as tx:
        return [line.what for line in service.openings(tx, row.id)]


def seen(picture: viewing.Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


def has_marker(picture: viewing.Picture) -> bool:
    return any(colour == MARKER for _, colour in seen(picture).getcolors(1 << 24) or ())


def photograph(kind: str) -> bytes:
    """A picture that lies on its side, with words hidden beside its pixels."""
    image, out = Image.new("RGB", (40, 20), (10, 200, 30)), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, CANARY.decode()
    image.save(out, kind, exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(("kind", "name"), [("PNG", "screen.png"), ("JPEG", "screen.jpg")])
def test_a_picture_is_drawn_anew_upright_and_without_what_was_hidden_in_it(
    house: House, ada: Person, hana: Person, kind: str, name: str
) -> None:
    body = photograph(kind)
    row = make_evidence(house, ada, body, name=name, kind="LOG", details={})

    drawn = look(house, ada, row)

    assert CANARY in body
    assert CANARY not in drawn.data
    assert seen(drawn).size == (20, 40)
    assert look(house, hana, row, mark="Hana Veldkamp").data != drawn.data
    with pytest.raises(NotFound):
        look(house, ada, row, 2)


def test_a_larger_page_has_more_pixels(house: House, ada: Person) -> None:
    row = make_evidence(house, ada, text_pdf(["One page"]))

    assert seen(look(house, ada, row)).width == 1100
    assert seen(look(house, ada, row, zoom=200)).width == 2200


def test_who_looks_is_written_on_a_report_with_limited_readers_even_for_its_own_vendor(
    house: House, ada: Person
) -> None:
    plain = make_evidence(house, ada, text_pdf(["A policy"]))
    report = make_evidence(house, ada, text_pdf(["A report"]), kind="SOC2", details={})

    assert look(house, ada, plain, mark="Ada") == look(house, ada, plain, mark="Ben")
    assert look(house, ada, report, mark="Ada") != look(house, ada, report, mark="Ben")


def test_what_was_searched_for_is_marked_where_it_stands(house: House, ada: Person) -> None:
    row = make_evidence(house, ada, text_pdf(["Sites\nManila has 65 laptops\nLeeds has 12", "Nothing of it here"]))

    assert has_marker(look(house, ada, row, words="manila HAS"))
    assert has_marker(look(house, ada, row, words="laptops Leeds"))
    assert not has_marker(look(house, ada, row, words="Lisbon"))
    assert not has_marker(look(house, ada, row, 2, words="Manila"))


def test_a_search_says_the_pages_and_is_an_opening_where_it_shows_something(
    house: House, ada: Person, hana: Person
) -> None:
    row = make_evidence(house, ada, text_pdf(["The Manila site", "Not here", "Laptops of Manila and Manila again"]))
    assert "being read" in search(house, hana, row, "Manila").without
    reading.read(house.ledger, system("test"), store=house.store, evidence_id=row.id)

    assert not search(house, hana, row, "Lisbon").hits
    assert what(house, ada, row) == []
    found = search(house, hana, row, "  manila ")
    assert found.pages == {1: 1, 3: 2}
    assert (found.hits[0].before, found.hits[0].match) == ("The ", "Manila")
    assert what(house, ada, row) == ["search in the text"]


def test_a_scan_without_text_is_said_to_have_none(house: House, ada: Person, hana: Person) -> None:
    row = make_evidence(house, ada, scanned_pdf())
    reading.read(house.ledger, system("test"), store=house.store, evidence_id=row.id)

    assert "no text layer" in search(house, hana, row, "Manila").without
    table = make_evidence(house, ada, b"a,b\n", name="a.csv", kind="LOG", details={})
    assert "Only the text of PDF files" in search(house, hana, table, "a").without


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for n in range(1, 80):
        book.active.append([f"row {n}", "=1+1", "<script>alert(1)</script>"])
    hidden = book.create_sheet("Aside")
    hidden["B2"], hidden.sheet_state = "hidden cell", "hidden"
    book.save(out)
    return out.getvalue()


def test_of_a_workbook_the_first_rows_are_shown_as_words(house: House, ada: Person, hana: Person) -> None:
    row = make_evidence(house, ada, workbook(), name="access.xlsx", kind="LOG", details={})

    first = contents(house, hana, row)
    assert first.sheets == ("Sheet", "Aside (hidden)")
    assert first.rows[0] == ("row 1", "=1+1", "<script>alert(1)</script>")
    assert (len(first.rows), first.more) == (60, True)
    assert contents(house, hana, row, sheet=2).rows == ((), ("", "hidden cell"))
    assert contents(house, hana, row, sheet=9).rows == ()
    assert what(house, ada, row) == ["table"]


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ('name;note\nÄnne;"two\nlines"\n'.encode("cp1252"), (("name", "note"), ("Änne", "two\nlines"))),
        ("name,note\nŁ,x\n".encode("utf-16"), (("name", "note"), ("Ł", "x"))),
        (b"x,y\n" + b"1,2\n" * 90_000, None),
    ],
)
def test_of_a_csv_file_the_first_rows_are_shown_however_it_is_written(
    house: House, ada: Person, body: bytes, rows: Any
) -> None:
    row = make_evidence(house, ada, body, name="list.csv", kind="LOG", details={})

    found = contents(house, ada, row)
    assert rows is None or found.rows == rows
    assert found.more is (rows is None)


def test_of_a_document_the_words_are_shown(house: House, ada: Person) -> None:
    part = files.DOCX["word/document.xml"].replace(
        "</w:body>", "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>In a cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl></w:body>"
    )
    row = make_evidence(house, ada, files.docx({"word/document.xml": part}), name="policy.docx", kind="LOG", details={})
    plain = make_evidence(house, ada, b"one\ntwo\n", name="notes.txt", kind="LOG", details={})

    assert contents(house, ada, row).paragraphs == ("Policy", "In a cell")
    assert contents(house, ada, plain).paragraphs == ("one", "two")
    assert what(house, ada, row) == ["text"]
    with pytest.raises(NotFound):
        look(house, ada, row)
    with pytest.raises(NotFound):
        contents(house, ada, make_evidence(house, ada))


def half_broken() -> bytes:
    """Two pages are promised; the second is a number."""
    return files.pdf(pages=2).replace(
        b"4 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>", b"4 0 obj\n" + b"7".ljust(55)
    )


def test_a_page_that_cannot_be_drawn_rests_after_three_tries_and_the_others_go_on(
    house: House, clock: FixedClock, ada: Person, hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_evidence(house, ada, half_broken())
    tried: list[object] = []
    truly = viewing.run_limited

    def counted(function: str, path: Path, **asked: Any) -> object:
        tried.append(asked["arguments"]["page"])
        return truly(function, path, **asked)

    monkeypatch.setattr(viewing, "run_limited", counted)
    for _ in range(2):
        with pytest.raises(Conflict, match="Reload to try again"):
            look(house, hana, row, 2)
    for _ in range(3):
        with pytest.raises(Conflict, match="We tried 3 times and stopped until tomorrow"):
            look(house, hana, row, 2)

    assert tried == [2, 2, 2]
    assert look(house, hana, row, 1).mime == "image/png"
    clock.instant += timedelta(days=1, seconds=1)
    with pytest.raises(Conflict, match="Reload to try again"):
        look(house, hana, row, 2)


@pytest.mark.parametrize(
    ("failing", "words"),
    [(Failing.TIME, "takes too long"), (Failing.MEMORY, "more memory"), (Failing.CRASH, "could not")],
)
def test_what_a_poison_file_did_is_said_in_words(
    house: House, ada: Person, monkeypatch: pytest.MonkeyPatch, failing: Failing, words: str
) -> None:
    row = make_evidence(house, ada)
    table = make_evidence(house, ada, b"a,b\n", name="a.csv", kind="LOG", details={})

    def dies(*_: object, **__: object) -> object:
        raise SandboxFailure(failing)

    monkeypatch.setattr(viewing, "run_limited", dies)
    with pytest.raises(Conflict, match=words):
        look(house, ada, row)
    with pytest.raises(Conflict, match=words):
        contents(house, ada, table)


def test_a_file_that_was_never_scanned_is_not_for_the_lab_where_a_scan_is_required(
    house: House, ada: Person, hana: Person
) -> None:
    row = make_evidence(house, ada)

    for given in (
        lambda: look(house, hana, row, scanned_only=True),
        lambda: viewing.search(house.ledger, hana.actor, evidence_id=row.id, words="x", scanned_only=True),
        lambda: viewing.opened(
            house.ledger, hana.actor, store=house.store, evidence_id=row.id, scanned_only=True
        ).__enter__(),
    ):
        with pytest.raises(Conflict, match="never scanned for malware"):
            given()
    assert look(house, ada, row, scanned_only=True).mime == "image/png"


def test_where_a_scan_is_required_and_no_scanner_is_named_files_wait(house: House, ada: Person, hana: Person) -> None:
    place = reserved(house, ada, files.pdf())
    sent(house.store, place, files.pdf())

    assert Settings(scanner_required=True).scanner == NOBODY
    assert (Settings().scanner, Settings(scanner_required=True, scanner_url="tcp://a").scanner) == (None, "tcp://a")
    taken = intake.finalise(house.ledger, ada.actor, store=house.store, evidence_id=place.id, scanner_url=NOBODY)
    assert (taken.state, taken.scan) == (EvidenceState.RECEIVED, ScanState.PENDING)
    with pytest.raises(Conflict, match="still being checked"):
        look(house, hana, place)


def test_nothing_is_recorded_while_the_store_is_away(
    house: House, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_evidence(house, ada)

    def away(*_: object, **__: object) -> object:
        raise StoreUnavailable("away")

    monkeypatch.setattr(viewing, "verified_file", away)
    with pytest.raises(Unavailable):
        look(house, ada, row)
    assert what(house, ada, row) == []


def test_a_picture_of_ours_is_no_larger_than_its_answer() -> None:
    from portal.evidence import drawing

    noise = Image.effect_noise((1600, 1600), 90).convert("RGB")
    kept = drawing._encoded(noise)
    assert kept["type"] == "image/jpeg"
    assert len(base64.b64decode(kept["data"])) <= drawing.MOST_BYTES
