"""What is asked of each kind: the least that will do, what is sent back, and what was stored before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from portal.evidence.rules import (
    KINDS,
    FieldType,
    Problems,
    amount_words,
    current,
    form_values,
    missing,
    outdated,
    parse_details,
    parse_rows,
    restricted,
    row_numbers,
    validity,
)
from portal.evidence.rules.cells import parse_amount

TODAY = date(2026, 11, 24)
DAYS = {
    "period_start": "2025-10-01",
    "issued_on": "2026-01-01",
    "covers_from": "2026-10-01",
    "starts_on": "2026-01-01",
    "report_end": "2026-09-30",
    "covers_until": "2026-12-15",
    "expires_on": "2027-12-31",
}
CHOICES = {"report_type": "type2", "opinion": "unqualified", "edition": "2022"}


def least(kind: str) -> dict[str, str]:
    """The least that a file of this kind is described by."""
    typed = {}
    for field in KINDS[kind].fields:
        if field.required and (field.when is None or CHOICES[field.when[0]] == field.when[1]):
            typed[field.id] = CHOICES.get(field.name) or DAYS.get(field.name, "2026-09-30")
    return typed


def problems_of(kind: str, typed: dict[str, str]) -> Problems:
    found = parse_details(kind, typed, today=TODAY)
    assert isinstance(found, Problems)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_of_each_kind_is_enough_and_nothing_less(kind: str) -> None:
    typed = least(kind)
    details = parse_details(kind, typed, today=TODAY)
    assert not isinstance(details, Problems)
    assert missing(kind, details) == ()
    assert not validity(kind, details, TODAY).is_provisional
    for name in typed:
        without = {key: value for key, value in typed.items() if key != name}
        assert name in problems_of(kind, without)


@pytest.mark.parametrize("kind", KINDS)
def test_every_order_of_dates_is_held(kind: str) -> None:
    for order in KINDS[kind].orders:
        later, earlier = KINDS[kind].field(order.later), KINDS[kind].field(order.earlier)
        typed = least(kind) | {earlier.id: "2026-06-02", later.id: "2026-06-01"}
        if "type1" in (earlier.when or ()):
            typed = {**typed, "detail-report_type": "type1"}
        assert problems_of(kind, typed)[later.id] == f"{order.words}, 2 June 2026"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_what_to_check_and_how_long_it_holds_and_who_may_read_it(kind: str) -> None:
    assert len(KINDS) == 23
    assert KINDS[kind].checks
    assert KINDS[kind].holds
    assert KINDS[kind].field("distribution")
    for field in KINDS[kind].fields:
        assert (field.type in (FieldType.CHOICE, FieldType.MULTI)) == bool(field.options)
        assert (field.type is FieldType.TABLE) == bool(field.columns)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("5,000,000", 5_000_000),
        ("5 M", 5_000_000),
        ("2.5 million", 2_500_000),
        ("750k", 750_000),
        ("1 bn", 10**9),
        ("12", 12),
        ("2,5 M", None),
        ("5.000", None),
        ("1.2345678 M", None),
        ("five", None),
        ("-5", None),
        ("9" * 40, None),
        ("", None),
    ],
)
def test_amounts_are_read_or_sent_back_and_never_guessed(text: str, amount: int | None) -> None:
    assert parse_amount(text) == amount


def test_an_amount_has_a_currency() -> None:
    typed = least("INS") | {"detail-limit_claim": "5 M"}
    assert problems_of("INS", typed) == {"detail-limit_claim": "Choose the currency of the limit per claim"}
    for given_as in ({"detail-limit_claim-currency": "EUR"}, {"detail-limit_claim": "5 M EUR"}):
        details = parse_details("INS", typed | given_as)
        assert not isinstance(details, Problems)
        assert details["limit_claim"] == {"amount": 5_000_000, "currency": "EUR"}
    assert amount_words(details["limit_claim"]) == "5,000,000 EUR"


def test_several_choices_come_as_a_browser_or_a_script_sends_them() -> None:
    for raw in (
        MultiDict([*least("SOC2").items(), ("detail-categories", "privacy"), ("detail-categories", "security")]),
        least("SOC2") | {"detail-categories": "privacy, security"},
    ):
        details = parse_details("SOC2", raw, today=TODAY)
        assert not isinstance(details, Problems)
        assert details["categories"] == ["security", "privacy"]
    odd = least("SOC2") | {"detail-categories": "security, valour"}
    assert problems_of("SOC2", odd) == {"detail-categories": "Choose the categories among the options shown"}


def test_no_exceptions_is_said_and_never_assumed() -> None:
    silent = parse_details("SOC2", least("SOC2"), today=TODAY)
    assert not isinstance(silent, Problems)
    assert "exceptions" not in silent
    said = parse_details("SOC2", least("SOC2") | {"detail-exceptions_listed": "none"}, today=TODAY)
    assert not isinstance(said, Problems)
    assert said["exceptions"] == 0
    assert "detail-exceptions" in problems_of("SOC2", least("SOC2") | {"detail-exceptions": "0"})
    both = least("SOC2") | {"detail-exceptions_listed": "none", "detail-exceptions": "2"}
    assert "detail-exceptions_listed" in problems_of("SOC2", both)


def test_rows_without_what_they_need_are_sent_back_cell_by_cell() -> None:
    typed = least("SOC2") | {
        "detail-exception_rows-0-control": "LA-4",
        "detail-exception_rows-1-rate": " ",
        "detail-carve_out_rows-0-organisation": "Harrow Cloud",
        "detail-carve_out_rows-0-method": "vanished",
    }
    assert problems_of("SOC2", typed) == {
        "detail-exception_rows-0-text": "Row 1: Enter what the auditor found",
        "detail-carve_out_rows-0-method": "Row 1: Choose how the report treats it",
    }


def test_questions_are_named_by_key_only() -> None:
    row = {"detail-exception_rows-0-control": "LA-4", "detail-exception_rows-0-text": "Late"}
    problems = Problems()
    found = parse_rows(row | {"detail-exception_rows-0-questions": "dat.inventory, gov.attest"}, problems)
    assert not problems
    assert found.exceptions[0]["questions"] == "dat.inventory, gov.attest"
    parse_rows(row | {"detail-exception_rows-0-questions": "the second"}, problems)
    assert problems["detail-exception_rows"].startswith("Row 1: Enter the questions it touches by their numbers")


def test_more_rows_than_a_table_holds_are_refused() -> None:
    rows = {f"detail-rows-{number}-name": f"Company {number}" for number in range(101)}
    assert problems_of("SPL", least("SPL") | rows) == {
        "detail-rows": "Use at most 100 rows for the sub-processors; these are 101"
    }


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 1_200), st.sampled_from(["dataset", "systems", "copies", "deleted_on", "other"])),
        st.one_of(st.text(max_size=20), st.just("2026-06-01")),
        max_size=12,
    )
)
def test_whatever_rows_are_sent_they_are_kept_in_order_or_sent_back(cells: dict[tuple[int, str], str]) -> None:
    raw = {f"detail-deleted_rows-{row}-{column}": value for (row, column), value in cells.items()}
    details = parse_details("DEL", least("DEL") | raw, today=TODAY)
    if isinstance(details, Problems):
        assert all(
            key.startswith("detail-deleted_rows-") and words.startswith("Row ") for key, words in details.items()
        )
        return
    kept: list[dict[str, str]] = details.get("deleted_rows", [])
    assert all(row["dataset"] for row in kept)
    assert all(set(row) <= {"dataset", "systems", "copies", "deleted_on"} for row in kept)
    field = KINDS["DEL"].field("deleted_rows")
    assert len(kept) <= len(row_numbers(field, raw))
    again = parse_details("DEL", {key: str(value) for key, value in form_values("DEL", details).items()}, today=TODAY)
    assert again == details


FLAT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "SOC2",
        {
            "report_type": "type2",
            "period_start": "2025-10-01",
            "period_end": "2026-09-30",
            "opinion": "unqualified",
            "licence": "No. 48213, Oregon",
            "categories": "Security, Confidentiality",
            "exceptions": "0",
            "carved_out": "Harrow Cloud; Signet IDP",
        },
        {
            "licence_no": "No. 48213",
            "licence_state": "Oregon",
            "categories": ["security", "confidentiality"],
            "exceptions": 0,
            "exceptions_listed": "none",
        },
    ),
    (
        "INS",
        {"starts_on": "2026-01-01", "expires_on": "2026-12-31", "limit": "10 M USD", "exclusions": "No AI"},
        {
            "limit_claim": {"amount": 10_000_000, "currency": "USD"},
            "exclusion_rows": [{"about": "other", "text": "No AI"}],
        },
    ),
    (
        "DEL",
        {"deleted_on": "2026-01-01", "datasets": "Batch 7", "systems": "Workspace"},
        {"deleted_rows": [{"dataset": "Batch 7", "systems": "Workspace"}]},
    ),
    ("BCP", {"tested_on": "2026-01-01", "targets": "4 h"}, {"rto_target": "4 h"}),
    ("PT", {"tested_until": "2026-01-01", "critical": "0"}, {"critical": 0}),
]


@pytest.mark.parametrize(("kind", "flat", "now"), FLAT, ids=[each[0] for each in FLAT])
def test_what_was_stored_before_still_reads_and_holds(kind: str, flat: dict[str, Any], now: dict[str, Any]) -> None:
    assert missing(kind, flat) == ()
    assert not validity(kind, flat, TODAY).is_provisional
    found = current(kind, flat)
    assert {name: found[name] for name in now} == now
    assert form_values(kind, found) == form_values(kind, flat)


def test_what_does_not_fit_a_type_stays_the_text_it_was() -> None:
    assert current("INS", {"limit": "as agreed"})["limit_claim"] == "as agreed"
    assert form_values("INS", {"limit": "as agreed"}) == {"detail-limit_claim": "as agreed"}
    assert current("SOC2", {"categories": "all of them"})["categories"] == "all of them"


def test_reports_are_for_few_readers_by_kind_or_by_their_limit() -> None:
    assert restricted("SOC2", {"distribution": "public"})
    assert restricted("PT", {})
    assert restricted("RPT", {"distribution": "nda"})
    assert not restricted("RPT", {})


def test_only_the_edition_in_force_counts() -> None:
    assert outdated("ISO", {"edition": "2013"})
    assert not outdated("ISO", {"edition": "2022"})
    assert not outdated("ISO", {})
