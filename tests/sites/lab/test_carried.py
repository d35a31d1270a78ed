"""The review of a renewal: last year's answer beside this year's, across versions, and what was only confirmed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest

from portal.attestations import service as attestations
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.renewing import TO_CONFIRM, renewal
from tests.factories.reviews import Bench
from tests.sites.conftest import Client


@pytest.fixture
def made(house: House) -> Bench:
    """A renewal whose unchanged answers were confirmed, one of them changed afterwards, and which was signed."""
    asked = renewal(house)
    asked.desk.settle_scoping()
    with asked.desk.at(asked.desk.respondent.actor) as (tx, row):
        seen = {key: line.digest for key, line in attestations.carried_of(tx, row).items()}
        attestations.confirm(tx, assessment=row, keys=TO_CONFIRM, seen=seen)
    asked.desk.save("acc.reviews", {"choice": "yearly", "comment": "Less often now."})
    asked.desk.save("acc.leavers", {"number": "3", "comment": "SCIM does it."})
    asked.desk.answer()
    asked.desk.sign()
    bench = Bench(house, asked.desk)
    bench.claim()
    return bench


def read(client: Client, made: Bench, key: str) -> str:
    with made.at(system("test")) as (_, review):
        path = f"/lab/reviews/{review.id}?q={key}"
    page = client.get(path).get_data(as_text=True)
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.split('id="wq"')[-1])).split())
    return re.sub(r" ([.,])", r"\1", told)


def test_a_confirmed_answer_says_where_it_came_from_and_who_confirmed_it(
    made: Bench, signed_in: Callable[..., Client]
) -> None:
    told = read(signed_in(made.reviewer), made, "acc.mfa")

    assert "Carried from small-renewal v1, signed 4 December 2025." in told
    assert "Confirmed by Priya Raghunath on 24 November 2026." in told


def test_an_answer_changed_after_it_was_confirmed_says_nothing_of_it(
    made: Bench, signed_in: Callable[..., Client]
) -> None:
    assert "Carried from" not in read(signed_in(made.reviewer), made, "acc.reviews")


def test_an_answer_given_again_stands_beside_last_years_to_the_old_question(
    made: Bench, signed_in: Callable[..., Client]
) -> None:
    told = read(signed_in(made.reviewer), made, "acc.leavers")

    assert "2025 20 hours" in told
    assert "2026 3 hours" in told
    assert "Carried from" not in told
