"""A desk for each test."""

from __future__ import annotations

import pytest

from portal.wiring import House
from tests.factories.attestations import Desk, desk


@pytest.fixture(name="desk")
def fixture_desk(house: House) -> Desk:
    """A vendor that was just asked, tier 2, on the short questionnaire."""
    return desk(house)
