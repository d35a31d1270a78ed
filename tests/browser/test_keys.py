"""The keys of the lab's pages: single ones act on what is there, never while one types, and can be switched off."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import person

pytestmark = pytest.mark.browser


def test_keys_lead_and_list_themselves_and_are_off_while_typing_and_for_who_does_not_want_them(
    house: House, visit: Callable[..., Page], axe: Callable[..., Any]
) -> None:
    page = visit(person(house, roles=[Role.REVIEWER]), "/lab/vendors")
    keys = page.get_by_role("region", name="Keys", exact=True)

    page.keyboard.press("?")
    expect(keys).to_contain_text("Search everything")
    expect(keys).to_contain_text("G Q Review queue")
    axe(page, within="#keys")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search vendors, answers")).to_be_focused()
    page.keyboard.type("gq?")
    expect(page.get_by_role("searchbox", name="Search vendors, answers")).to_have_value("gq?")
    expect(keys).to_be_hidden()

    page.get_by_role("heading", level=1).click()
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page).to_have_url(re.compile("/lab/queue$"))

    page.get_by_role("link", name="Keyboard shortcuts").click()
    page.get_by_role("link", name="Switch single keys off").click()
    page.get_by_role("button", name="Switch single keys off").click()
    expect(page.get_by_role("status").filter(has_text="Single keys are switched off")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.press("?")
    expect(page.get_by_role("searchbox", name="Search vendors, answers")).not_to_be_focused()
    expect(keys).to_be_hidden()
    page.get_by_role("link", name="Keyboard shortcuts").click()
    expect(keys).to_contain_text("Single keys are switched off")
