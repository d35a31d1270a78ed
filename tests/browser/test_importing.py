"""Importing a questionnaire in a real browser: drawn in both themes and widths, accessible, usable without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import person

pytestmark = pytest.mark.browser
PAGE = "/lab/questionnaires/import"


def test_a_template_is_imported_and_its_draft_read(
    house: House,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[[Page], None],
    shot: Callable[..., Path],
    tmp_path: Path,
) -> None:
    ines = person(house, roles=[Role.REVIEWER], name="Ines Valdarno")
    broken = tmp_path / "broken.json"
    broken.write_text('{"questionnaire": [\n {"type": "line", "text": oops}]}')
    for theme, width in (("light", 1440), ("dark", 390)):
        page = visit(ines, PAGE, theme=theme, width=width)
        no_sideways(page)
        axe(page)
        shot(page, f"lab-import-{theme}-{width}")
    page = visit(ines, PAGE)

    page.get_by_label("File").set_input_files(broken)
    page.get_by_label("Short name").fill("web-app")
    page.get_by_role("button", name="Import as a draft").click()
    expect(page.get_by_role("alert")).to_contain_text("broken.json:2:27: Expected a value")
    axe(page)
    shot(page, "lab-import-refused-light-1440")

    page.get_by_label("Format").select_option(label="MVSP, bundled")
    page.get_by_role("button", name="Import as a draft").click()
    expect(page.get_by_role("heading", name="MVSP", exact=False).first).to_be_visible()
    expect(page.get_by_text("25 questions without a weight")).to_be_visible()
    shot(page, "lab-import-draft-light-1440")
