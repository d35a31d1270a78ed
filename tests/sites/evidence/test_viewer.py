"""The viewer's pages: what they show, for whom, and what they say when there is nothing to see."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from portal.evidence import reading
from portal.kernel.actor import system
from portal.settings import Settings
from portal.wiring import House
from tests.factories.evidence import make_evidence
from tests.factories.identity import Person
from tests.factories.pdfs import text_pdf
from tests.rules import files
from tests.sites.conftest import Client


def text(client: Client, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def picture_of(page: str) -> str:
    found = re.search(r'<img class="sheet-img[^"]*" src="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_a_cited_page_is_shown_first_and_the_size_stays_while_pages_are_turned(
    as_hana: Client, house: House, ada: Person
) -> None:
    row = make_evidence(house, ada, files.pdf(pages=12))
    page = text(as_hana, f"/lab/evidence/{row.id}?page=7&zoom=150&next=/lab/reviews/x")

    assert "Page 7 of 12" in page
    assert picture_of(page) == f"/lab/evidence/{row.id}/pages/7.png?zoom=150"
    onward = re.search(r'rel="next" href="([^"]+)"', page)
    assert onward is not None
    assert all(each in onward[1] for each in ("page=8", "zoom=150", "next=/lab/reviews/x"))
    assert as_hana.get(picture_of(page)).content_type == "image/png"


@pytest.mark.parametrize(
    "query", ["?page=0", "?page=x", "?page=99999", "?zoom=9999", "?zoom=-1", "?find=%0a", "?sheet=z"]
)
def test_nonsense_in_the_address_shows_a_page(as_hana: Client, house: House, ada: Person, query: str) -> None:
    row = make_evidence(house, ada)
    answer = as_hana.get(f"/lab/evidence/{row.id}{query}")
    assert answer.status_code == 200
    assert picture_of(answer.get_data(as_text=True))


def test_a_search_lists_its_hits_and_leads_to_the_first(
    as_hana: Client, as_ada: Client, house: House, ada: Person
) -> None:
    row = make_evidence(
        house,
        ada,
        text_pdf(
            ["Nothing of what is looked for stands on this first page", "The Manila site & <b>more</b>", "Manila again"]
        ),
    )
    reading.read(house.ledger, system("test"), store=house.store, evidence_id=row.id)

    page = text(as_hana, f"/lab/evidence/{row.id}?find=manila")
    assert "<b>2 hits</b> for “manila” on 2 pages" in page
    assert "<mark>Manila</mark> site &amp; &lt;b&gt;more&lt;/b&gt;" in page
    assert picture_of(page) == f"/lab/evidence/{row.id}/pages/2.png?find=manila"
    assert "Page 3 of 3" in text(as_hana, f"/lab/evidence/{row.id}?find=manila&page=3")
    assert "“Lisbon” does not stand" in text(as_hana, f"/lab/evidence/{row.id}?find=Lisbon")
    assert "Page 2 of 3" in text(as_ada, f"/evidence/{row.id}/view?find=manila")
    assert "search in the text" in text(as_ada, f"/evidence/{row.id}")


def test_a_table_and_a_text_are_shown_as_words_that_run_nothing(
    as_hana: Client, as_ada: Client, house: House, ada: Person
) -> None:
    body = b'site,link\nManila,"=HYPERLINK(""javascript:x"")"\n<script>alert(1)</script>,y\n'
    row = make_evidence(house, ada, body, name="list.csv", kind="LOG", details={})
    for page in (text(as_hana, f"/lab/evidence/{row.id}"), text(as_ada, f"/evidence/{row.id}/view")):
        assert "<td>=HYPERLINK(&#34;javascript:x&#34;)</td>" in page
        assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td>" in page
    seen = text(as_ada, f"/evidence/{row.id}")
    assert re.search(r"Hana Veldkamp</th><td>Orrery</td><td>table</td>", seen)
    assert re.search(r"Ada Quill</th><td>your team</td><td>table</td>", seen)


def test_after_so_many_files_in_an_hour_there_is_no_more_and_it_is_an_alert(
    as_hana: Client, as_ada: Client, house: House, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.evidence.rules.looking.FILES_AN_HOUR", 1)
    first, second = make_evidence(house, ada), make_evidence(house, ada, files.pdf(pages=3))
    assert as_hana.get(f"/lab/evidence/{first.id}/file").status_code == 200

    assert as_hana.get(f"/lab/evidence/{second.id}/file").status_code == 429
    page = text(as_hana, f"/lab/evidence/{second.id}")
    assert "You opened 1 files within the hour" in page
    assert not picture_of(page)
    assert picture_of(text(as_hana, f"/lab/evidence/{first.id}"))
    assert picture_of(text(as_ada, f"/evidence/{second.id}/view"))


def test_where_a_scan_is_required_the_page_says_why_there_is_nothing_to_see(
    as_hana: Client, house: House, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_evidence(house, ada)
    monkeypatch.setattr(house, "settings", replace(house.settings, scanner_required=True))

    assert "never scanned for malware" in text(as_hana, f"/lab/evidence/{row.id}")
    for path in ("file", "pages/1.png"):
        assert as_hana.get(f"/lab/evidence/{row.id}/{path}").status_code == 409


def test_changed_bytes_give_no_picture_no_rows_and_no_hits(
    as_hana: Client, house: House, ada: Person, settings: Settings
) -> None:
    row = make_evidence(house, ada, b"site,laptops\nManila,65\n", name="list.csv", kind="LOG", details={})
    [path] = [each for each in Path(settings.evidence_path).rglob("*@/*") if each.is_file()]
    os.chmod(path, 0o600)
    path.write_bytes(path.read_bytes().replace(b"65", b"00"))

    page = text(as_hana, f"/lab/evidence/{row.id}")
    assert "This file no longer matches its fingerprint" in page
    assert "Manila" not in page
    assert "The stored bytes no longer match" in text(as_hana, f"/lab/evidence/{row.id}?find=x")


@pytest.mark.parametrize("path", ["/evidence/{}/view", "/evidence/{}/pages/1.png"])
def test_AZ_01_a_foreign_file_is_answered_like_none_at_all(
    as_otto: Client, as_hana: Client, house: House, ada: Person, path: str
) -> None:
    row = make_evidence(house, ada)
    assert [as_otto.get(path.format(each)).status_code for each in (row.id, uuid4())] == [404, 404]
    assert as_hana.get(path.format(row.id)).status_code in {403, 404}
