"""People of two vendors and of the lab, in their browsers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from portal.wiring import House
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.sites.conftest import Client


@pytest.fixture
def ada(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent"], vendor=vendor_id, name="Ada Quill")


@pytest.fixture
def otto(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx, "Tessellate Data").id
    return person(house, roles=["respondent", "vendor_admin", "signatory"], vendor=vendor_id, name="Otto Other")


@pytest.fixture
def hana(house: House) -> Person:
    return person(house, roles=["reviewer"], name="Hana Veldkamp")


@pytest.fixture
def as_ada(signed_in: Callable[..., Client], ada: Person) -> Client:
    return signed_in(ada)


@pytest.fixture
def as_otto(signed_in: Callable[..., Client], otto: Person) -> Client:
    return signed_in(otto)


@pytest.fixture
def as_hana(signed_in: Callable[..., Client], hana: Person) -> Client:
    return signed_in(hana)


def announce(client: Client, content: bytes, name: str = "policy.pdf", **fields: Any) -> TestResponse:
    """What the script posts first."""
    told = {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "kind": "POL", **fields}
    return client.post("/evidence/reserve", json=told)


def transfer(client: Client, slot: Any, content: bytes) -> TestResponse:
    """What the script puts next."""
    upload = slot["upload"]
    return client.put(upload["url"], data=content, headers=upload["headers"])
