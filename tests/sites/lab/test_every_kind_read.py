"""What a reviewer reads of answers of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.attestations import desk
from tests.factories.reviews import Bench
from tests.rules.questionnaires.every_kind import EVERY_KIND


@pytest.fixture
def made(house: House) -> Bench:
    """The lab's side of a signed questionnaire with every kind of question."""
    asked = desk(house, slug="every-kind", source=EVERY_KIND.encode())
    asked.settle_scoping()
    asked.answer(leave=["sco.owner", "sco.level", "fac.suppliers"])
    asked.save("sco.owner", {"choice": "no", "compensating": "The board decides every week."})
    level = {"choice": "type1", "comment": "x", "details.period.from": "2025-01-01", "details.period.to": "2025-12-31"}
    asked.save("sco.level", {**level, "details.exceptions": "no"})
    row = {"rows.0.name": "Hostwell", "rows.0.since": "2024-02-29", "rows.0.role": "host", "rows.0.agreed": "yes"}
    asked.save("fac.suppliers", {**row, "rows.0.page": "https://hostwell.example/"})
    asked.answer()
    asked.sign()
    return Bench(house, asked)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sco.owner", ['<b class="m">No</b>', "Done instead:", "The board decides every week."]),
        (
            "sco.level",
            ["SOC 2 Type 1", "Period of the report", "1 January 2025 to 31 December 2025", "It has exceptions"],
        ),
        ("fac.period", ["1 October 2025 to 30 September 2026"]),
        ("fac.page", ['href="https://trust.example/security" rel="noopener noreferrer nofollow"']),
        ("fac.contact", ["As agreed."]),
        ("fac.suppliers", ["Hostwell", "29 February 2024", "Hosting", "Yes", "https://hostwell.example/"]),
        ("fac.diagram", ["See the files, or why there are none"]),
    ],
)
def test_the_answer_is_shown_in_words(made: Bench, signed_in: Callable[..., Any], key: str, words: list[str]) -> None:
    made.claim()
    with made.at(system("test")) as (_, review):
        path = f"/lab/reviews/{review.id}?q={key}"

    text = signed_in(made.reviewer).get(path).get_data(as_text=True)

    assert [each for each in words if each not in text] == []


def test_a_version_is_read_with_its_warnings_and_rules(made: Bench, signed_in: Callable[..., Any]) -> None:
    text = signed_in(made.reviewer).get("/lab/questionnaires/every-kind/v1").get_data(as_text=True)

    for words in ("Period", "Web address", "File", "What do you do instead?", "Without an owner nobody can decide"):
        assert words in text
    assert "The report was issued before you started." in text
