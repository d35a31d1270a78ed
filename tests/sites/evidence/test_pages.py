"""The library, one file, and the lab's pages; downloads that run nothing; strangers who learn nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from portal.settings import Settings
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.evidence import make_evidence, row_of
from tests.factories.identity import Person
from tests.rules import files
from tests.sites.conftest import Client
from tests.sites.evidence.conftest import announce

GIVEN = {
    "pdf": (files.pdf(), "application/pdf"),
    "png": (files.png(), "image/png"),
    "jpg": (files.JPEG, "image/jpeg"),
    "csv": (b'name,note\nx,"=HYPERLINK(""https://evil.example"")"\n', "text/plain; charset=utf-8"),
    "txt": (b"javascript:alert(1)\n", "text/plain; charset=utf-8"),
    "xlsx": (files.xlsx(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "docx": (files.docx(), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}
ACTIVE = {
    "page.html": b"<html><script>alert(1)</script></html>",
    "picture.svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    "sheet.xml": b"<?xml version='1.0'?><?xml-stylesheet href='x.xslt'?><x/>",
    "mail.mhtml": b"MIME-Version: 1.0\nContent-Type: text/html\n\n<script>alert(1)</script>",
    "code.js": b"alert(1)",
    "both.gif": b"GIF89a/*" + b"\x00" * 20 + b"*/=1;alert(1)",
}


@pytest.mark.parametrize("name", ACTIVE)
def test_FI_01_active_types_are_refused_under_their_own_name(as_ada: Client, name: str) -> None:
    answer = as_ada.post("/evidence/reserve", json={"name": name, "size": 9, "sha256": "0" * 64, "kind": "POL"})
    assert (answer.status_code, answer.json["detail"]) == (422, "The file must be PDF, DOCX, XLSX, CSV, PNG or JPG")


@pytest.mark.parametrize("extension", ["pdf", "png", "txt"])
@pytest.mark.parametrize("name", ACTIVE)
def test_FI_01_active_content_is_refused_under_an_innocent_name(
    as_ada: Client, house: House, ada: Person, name: str, extension: str
) -> None:
    if (name, extension) in {("code.js", "txt")}:
        # Plain letters: nothing makes them run when they arrive as text.
        row = make_evidence(house, ada, ACTIVE[name], name=f"innocent.{extension}", kind="LOG", details={})
        answer = as_ada.get(f"/evidence/{row.id}/file")
        assert answer.content_type == "text/plain; charset=utf-8"
        return
    slot = announce(as_ada, ACTIVE[name], name=f"innocent.{extension}", kind="LOG").json
    as_ada.put(slot["upload"]["url"], data=ACTIVE[name], headers=slot["upload"]["headers"])
    done = as_ada.post(slot["finalise_url"], json={})
    assert done.status_code == 422
    assert row_of(house, UUID(slot["id"])).state is EvidenceState.REFUSED


@pytest.mark.parametrize("extension", GIVEN)
def test_FI_01_what_is_taken_leaves_as_a_download_that_runs_nothing(
    as_ada: Client, as_hana: Client, house: House, ada: Person, extension: str
) -> None:
    body, mime = GIVEN[extension]
    row = make_evidence(house, ada, body, name=f'Prüfung „x“"; y.{extension}', kind="LOG", details={})

    for answer in (as_ada.get(f"/evidence/{row.id}/file"), as_hana.get(f"/lab/evidence/{row.id}/file")):
        assert answer.status_code == 200
        assert answer.data == body
        assert answer.content_type == mime
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Length"] == str(len(body))
        said = answer.headers["Content-Disposition"]
        assert said.startswith('attachment; filename="Pr_fung _x___ y.')
        assert "filename*=UTF-8''Pr%C3%BCfung%20%E2%80%9Ex" in said


VENDOR_ROUTES = [
    ("GET", "/evidence/{}"),
    ("GET", "/evidence/{}/file"),
    ("GET", "/evidence/{}/details"),
    ("POST", "/evidence/{}/details"),
    ("GET", "/evidence/{}/remove"),
    ("POST", "/evidence/{}/remove"),
    ("POST", "/evidence/{}/finalise"),
]
LAB_ROUTES = [
    ("GET", "/lab/evidence/{}"),
    ("POST", "/lab/evidence/{}"),
    ("GET", "/lab/evidence/{}/file"),
    ("GET", "/lab/evidence/{}/pages/1.png"),
]


@pytest.mark.parametrize(("method", "path"), [*VENDOR_ROUTES, *LAB_ROUTES])
def test_AZ_01_a_foreign_file_is_answered_like_none_at_all(
    as_otto: Client, house: House, ada: Person, method: str, path: str
) -> None:
    row = make_evidence(house, ada)

    def ask(evidence_id: object) -> tuple[int, str]:
        answer = as_otto.open(path.format(evidence_id), method=method, data={} if method == "POST" else None)
        text = answer.get_data(as_text=True).replace(answer.headers["X-Request-Id"], "req")
        return answer.status_code, text.replace(str(evidence_id), "id")

    foreign, nothing = ask(row.id), ask(uuid4())
    assert foreign[0] == 404
    assert strip(foreign[1]) == strip(nothing[1])
    assert row_of(house, row.id).removed_at is None


def strip(page: str) -> str:
    """A page without what is fresh in every answer."""
    return re.sub(r'(nonce|content)="[^"]{16,}"|value="[^"]{40,}"', "", page)


def test_AZ_01_a_foreign_file_is_in_no_list(as_otto: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada, name="secret-plan.pdf")
    for path in ("/evidence", f"/evidence?replace={row.id}", "/evidence?show=unused"):
        assert "secret-plan" not in as_otto.get(path).get_data(as_text=True)


def test_people_of_vendors_find_no_lab_page(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    for path in ("/lab/evidence", f"/lab/evidence/{row.id}", f"/lab/evidence/{row.id}/file"):
        assert as_ada.get(path).status_code == 404


def test_the_library_says_until_when_each_file_holds(as_ada: Client, house: House, ada: Person) -> None:
    soc2 = {"report_type": "type2", "period_start": "2024-10-01", "period_end": "2025-09-30", "opinion": "unqualified"}
    make_evidence(house, ada, name="soc2.pdf", kind="SOC2", details=soc2, title="SOC 2 Type 2 report")
    insured = {"starts_on": "2026-01-01", "expires_on": "2026-12-31", "limit": "5 M USD"}
    make_evidence(house, ada, files.pdf(pages=3), name="policy-2026.pdf", kind="INS", details=insured)
    make_evidence(house, ada, files.pdf(pages=4), name="undated.pdf", kind="PT", details={})

    page = as_ada.get("/evidence").get_data(as_text=True)

    assert "Ended 55 days ago" in page
    assert "Bridge letter needed" in page
    assert "55 days not covered: add a bridge letter" in page
    assert "in 37 days" in page
    assert "Ends soon" in page
    assert "Dates missing" in page
    said = "SOC 2 Type 2 report for 1 October 2024 to 30 September 2025 ended 30 September 2026"
    assert f"{said}, 55 days not covered: add a bridge letter." in page
    assert ' style="' not in page


def test_the_vendor_sees_who_opened_its_file(as_ada: Client, as_hana: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    assert "Nobody has opened it yet." in as_ada.get(f"/evidence/{row.id}").get_data(as_text=True)
    as_hana.get(f"/lab/evidence/{row.id}/file")
    as_hana.get(f"/lab/evidence/{row.id}/pages/2.png")

    page = as_ada.get(f"/evidence/{row.id}").get_data(as_text=True)
    assert "Hana Veldkamp" in page
    assert '<td class="r">2</td>' in page


def test_details_are_given_and_the_validity_follows(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada, kind="PT", details={})
    given = {"kind": "PT", "row_version": str(row.row_version), "title": "Spring test", "detail-firm": "Nettle Labs"}

    wrong = as_ada.post(f"/evidence/{row.id}/details", data=given)
    assert wrong.status_code == 422
    page = wrong.get_data(as_text=True)
    assert page.count("Enter the last day of the test") == 2
    assert 'value="Nettle Labs"' in page

    right = as_ada.post(f"/evidence/{row.id}/details", data={**given, "detail-tested_until": "2026-02-19"})
    assert right.status_code == 303
    assert "19 February 2027" in as_ada.get(f"/evidence/{row.id}").get_data(as_text=True)
    late = as_ada.post(f"/evidence/{row.id}/details", data={**given, "detail-tested_until": "2026-02-19"})
    assert late.status_code == 409


def test_a_file_is_removed_after_being_asked_once_more(as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    assert "Remove the file" in as_ada.get(f"/evidence/{row.id}/remove").get_data(as_text=True)

    assert as_ada.post(f"/evidence/{row.id}/remove").status_code == 303
    assert as_ada.get(f"/evidence/{row.id}").status_code == 404


def test_a_reviewer_verifies_from_the_list(as_hana: Client, as_ada: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    assert row.file_name in as_hana.get("/lab/evidence").get_data(as_text=True)
    page = as_hana.get(f"/lab/evidence/{row.id}").get_data(as_text=True)
    assert "Applies to freelancers" in page
    assert row.sha256 in page
    assert "Not scanned for malware" in page

    silent = as_hana.post(f"/lab/evidence/{row.id}", data={"verdict": "reject", "row_version": row.row_version})
    assert silent.status_code == 422
    assert "Say what is wrong with the file" in silent.get_data(as_text=True)
    done = as_hana.post(f"/lab/evidence/{row.id}", data={"verdict": "verify", "row_version": row.row_version})
    assert done.status_code == 303
    assert f"{row.file_name} is verified." in as_hana.get(done.location).get_data(as_text=True)

    assert "Verified" in as_ada.get("/evidence").get_data(as_text=True)
    assert row.file_name not in as_hana.get("/lab/evidence").get_data(as_text=True)
    assert row.file_name in as_hana.get("/lab/evidence?state=verified&kind=POL").get_data(as_text=True)
    late = as_hana.post(f"/lab/evidence/{row.id}", data={"verdict": "verify", "row_version": row.row_version})
    assert late.status_code == 409


def test_a_way_back_leads_to_reviews_only(as_hana: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    for elsewhere in ("https://evil.example/lab/reviews/", "//evil.example", "/lab/reviews//evil.example"):
        given = {"verdict": "reject", "note": "x", "row_version": row_of(house, row.id).row_version, "next": elsewhere}
        answer = as_hana.post(f"/lab/evidence/{row.id}", data=given)
        assert answer.location == f"/lab/evidence/{row.id}"


def test_a_page_of_a_pdf_is_a_picture_and_nothing_else(as_hana: Client, house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    answer = as_hana.get(f"/lab/evidence/{row.id}/pages/1.png")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert answer.data.startswith(b"\x89PNG")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert as_hana.get(f"/lab/evidence/{row.id}/pages/3.png").status_code == 404
    assert as_hana.get(f"/lab/evidence/{row.id}/pages/0.png").status_code == 404
    assert as_hana.get(f"/lab/evidence/{row.id}/pages/{'9' * 40}.png").status_code == 404


def test_bytes_that_changed_are_said_to_have_changed_and_never_sent(
    as_ada: Client, as_hana: Client, house: House, ada: Person, settings: Settings
) -> None:
    row = make_evidence(house, ada)
    [path] = [each for each in Path(settings.evidence_path).rglob("*@/*") if each.is_file()]
    os.chmod(path, 0o600)
    path.write_bytes(path.read_bytes().replace(b"300 300", b"666 300"))

    for answer in (as_hana.get(f"/lab/evidence/{row.id}/file"), as_ada.get(f"/evidence/{row.id}/file")):
        assert answer.status_code == 409
        assert "This file no longer matches its fingerprint" in answer.get_data(as_text=True)
        assert b"%PDF" not in answer.data
    assert "no longer match" in as_hana.get(f"/lab/evidence/{row.id}").get_data(as_text=True)
    assert "Quarantined" in as_ada.get("/evidence").get_data(as_text=True)
    assert row.file_name in as_hana.get("/lab/evidence?state=failed").get_data(as_text=True)


@pytest.mark.parametrize("query", ["?page=x", "?page=-1", "?page=99999", "?state=no&kind=no&vendor=no", "?page=0"])
def test_nonsense_in_the_address_shows_the_list(as_hana: Client, query: str) -> None:
    assert as_hana.get(f"/lab/evidence{query}").status_code == 200
