"""A vendor's people before their pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.wiring import House
from tests.factories.attestations import Desk, desk
from tests.sites.conftest import Client


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor that was asked 25 questions and has answered none."""
    return desk(house)


@pytest.fixture
def priya(quillmark: Desk, signed_in: Callable[..., Client]) -> Client:
    """The browser of the vendor's respondent."""
    return signed_in(quillmark.respondent)


@pytest.fixture
def marisol(quillmark: Desk, signed_in: Callable[..., Client]) -> Client:
    """The browser of the vendor's admin."""
    return signed_in(quillmark.admin)


@pytest.fixture
def daniel(quillmark: Desk, signed_in: Callable[..., Client]) -> Client:
    """The browser of the vendor's signatory, who has shown a factor moments ago."""
    return signed_in(quillmark.signatory, fresh=True)
