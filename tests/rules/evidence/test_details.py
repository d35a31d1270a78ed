"""Reading the metadata of a file: what is kept, and what is said about the rest."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.rules import KINDS, Problems, parse_day, parse_details, tidy, validity

TODAY = date(2026, 11, 24)
SOC2 = {
    "detail-report_type": "type2",
    "detail-period_start": "1 October 2025",
    "detail-period_end": "2026-09-30",
    "detail-opinion": "unqualified",
    "detail-exceptions": "1,204",
    "csrf_token": "x",
}


def test_a_form_becomes_details() -> None:
    assert parse_details("SOC2", SOC2, today=TODAY) == {
        "report_type": "type2",
        "period_start": "2025-10-01",
        "period_end": "2026-09-30",
        "opinion": "unqualified",
        "exceptions": 1204,
    }


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        (
            {"detail-period_end": "2025-10-01"},
            "period_end",
            "The end of the period must be after its start, 1 October 2025",
        ),
        ({"detail-period_end": ""}, "period_end", "Enter the end of the period"),
        ({"detail-opinion": ""}, "opinion", "Choose the opinion of the auditor"),
        ({"detail-opinion": "perfect"}, "opinion", "Choose the opinion of the auditor"),
        (
            {"detail-period_end": "31 Feb 2026"},
            "period_end",
            "Enter the end of the period as a date, for example 30 September 2026",
        ),
        (
            {"detail-period_end": "2026-12-31"},
            "period_end",
            "The end of the period must not be after today, 24 November 2026",
        ),
        (
            {"detail-exceptions": "few"},
            "exceptions",
            "Enter the number of exceptions as a whole number, for example 12",
        ),
        ({"detail-auditor": "x" * 301}, "auditor", "Use at most 300 characters for the auditor"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(changed: dict[str, str], field: str, words: str) -> None:
    assert parse_details("SOC2", {**SOC2, **changed}, today=TODAY) == {f"detail-{field}": words}


def test_type_1_asks_for_its_day_and_type_2_for_its_period() -> None:
    type1 = {"detail-report_type": "type1", "detail-opinion": "unqualified", "detail-period_end": "nonsense"}
    assert parse_details("SOC2", type1) == {"detail-as_of": "Enter the day it describes"}


def test_an_old_edition_of_the_standard_is_refused() -> None:
    raw = {"detail-edition": "2013", "detail-issued_on": "2022-01-01", "detail-expires_on": "2025-01-01"}
    problems = parse_details("ISO", raw)
    assert isinstance(problems, Problems)
    assert problems["detail-edition"].startswith("Upload a certificate to the 2022 edition.")


def test_a_bridge_letter_may_go_on_from_an_earlier_one_up_to_the_fifteenth_month() -> None:
    raw = {
        "detail-report_end": "2026-09-30",
        "detail-covers_from": "2026-12-31",
        "detail-covers_until": "2027-03-30",
    }
    assert parse_details("BL", raw) == {
        "report_end": "2026-09-30",
        "covers_from": "2026-12-31",
        "covers_until": "2027-03-30",
    }
    problems = parse_details("BL", {**raw, "detail-covers_from": "2028-01-02", "detail-covers_until": "2028-01-03"})
    assert isinstance(problems, Problems)
    assert problems["detail-covers_from"] == "Letters carry this report to 30 December 2027. Upload the next report"


def test_a_draft_may_lack_what_is_required() -> None:
    assert parse_details("SOC2", {}, draft=True) == {}


@pytest.mark.parametrize("text", ["2026-09-30", "30 September 2026", "30 Sep 2026", "30  sep 2026", "2026-9-30"])
def test_days_may_be_written_in_these_ways(text: str) -> None:
    assert parse_day(text) == date(2026, 9, 30)


@pytest.mark.parametrize("text", ["", "30/09/2026", "2026-13-01", "1 Sept 2026", "1 May 1066", "９ May 2026", "soon"])
def test_and_in_no_others(text: str) -> None:
    assert parse_day(text) is None


def test_invisible_marks_are_left_out_of_texts() -> None:
    assert tidy(" a\u202eb\x00c\r\nd ") == "ab c d"


@given(
    st.sampled_from(list(KINDS)),
    st.dictionaries(
        st.sampled_from(sorted({field.id for kind in KINDS.values() for field in kind.fields})),
        st.one_of(
            st.text(max_size=20),
            st.dates(date(1980, 1, 1), date(2110, 1, 1)).map(date.isoformat),
            st.sampled_from(["type1", "type2", "unqualified", "2022", "2013", "cyber", "7"]),
        ),
    ),
)
def test_whatever_is_sent_what_is_kept_never_ends_before_it_begins(kind: str, raw: dict[str, str]) -> None:
    details = parse_details(kind, raw, today=TODAY)
    if isinstance(details, Problems):
        assert all(key in {field.id for field in KINDS[kind].fields} and words for key, words in details.items())
        return
    found = validity(kind, details, TODAY)
    assert not found.is_provisional
    if found.valid_from and found.valid_until:
        assert found.valid_until >= found.valid_from
