"""The walk that each group of pages goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from portal.settings import Settings
from portal.wiring import House, make_app
from tests.browser.bars.walk import Walk
from tests.browser.gallery import serving


@pytest.fixture
def walk(settings: Settings, house: House, new_page: Callable[..., Page], thorough: bool) -> Iterator[Walk]:
    """A walk on the test's own house; at its end everything that did not hold is said at once."""
    app = make_app(settings, house)
    with serving(app) as address:
        reports = app.extensions.setdefault("csp_reports", [])
        made = Walk(house, address, reports, new_page, thorough)
        yield made
