"""Working offline in a real browser: down, up, compared, chosen, taken; readable at every size and without script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.wiring import House
from tests.factories import office
from tests.factories.attestations import Desk, desk

pytestmark = pytest.mark.browser


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor with a few answers."""
    made = desk(house)
    made.settle_scoping()
    made.save("ret.days", {"number": "30", "comment": "In the contract."})
    made.save("wrk.nda", {"choice": "yes"})
    made.save("seg.reuse", {"choice": "yes"})
    return made


def test_answers_go_down_and_come_back_without_script(
    quillmark: Desk, visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit(quillmark.respondent, f"/assessments/{quillmark.assessment_id}", script=False)
    page.get_by_role("link", name="Answer offline, XLSX, import later").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the workbook (XLSX)").click()
    given = tmp_path / "answers.xlsx"
    edits = {("ret.days", "answer"): 45, ("wrk.nda", "answer"): "partly", ("seg.reuse", "answer"): "1,500"}
    given.write_bytes(
        office.edited(Path(download.value.path()).read_bytes(), {**edits, ("gdl.links", "answer"): "yes"})
    )
    quillmark.save("ret.days", {"number": "60"}, actor=quillmark.admin.actor)

    page.get_by_label("Your file").set_input_files(given)
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="What the file would change")).to_be_visible()
    page.get_by_role("button", name="Take these answers").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose which answer to keep for")

    page.get_by_role("group", name="Days to deletion").get_by_label("From your file").check()
    page.get_by_role("button", name="Take these answers").click()

    expect(page.get_by_role("status").first).to_contain_text("3 answers are saved")
    assert office.answers(quillmark)["ret.days"]["number"] == "45"
    assert office.answers(quillmark)["seg.reuse"]["choice"] == "yes"
