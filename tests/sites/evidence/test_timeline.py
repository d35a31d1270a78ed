"""The validity timeline as geometry, and the sentences that say the same."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from portal.evidence.queries import LibraryLine
from portal.evidence.rules import Letter, Record, validity
from portal.sites.vendor.evidence.timeline import LEFT, RIGHT, Chart, chart
from portal.terms import EvidenceState

TODAY = date(2026, 11, 24)
SPACE = UUID(int=7)


def file(
    kind: str = "POL",
    *,
    title: str = "",
    state: EvidenceState = EvidenceState.ATTACHED,
    superseded: bool = False,
    letters: tuple[Letter, ...] = (),
    **details: Any,
) -> tuple[LibraryLine, Record]:
    """One file of a library with what is known of it."""
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in details.items()}
    holds = validity(kind, said, TODAY)
    key = uuid5(SPACE, f"{kind}{title}{sorted(said.items())}")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    known: dict[str, Any] = {
        "id": key,
        "vendor_id": SPACE,
        "kind": kind,
        "title": title or kind,
        "file_name": f"{title or kind}.pdf",
        "details": said,
        "valid_from": holds.valid_from,
        "valid_until": holds.valid_until,
        "state": state,
        "created_at": at,
        "received_at": at,
        "replaced_by": SPACE if superseded else None,
    }
    line = LibraryLine(**(dict.fromkeys(LibraryLine.__dataclass_fields__) | known))
    record = Record(
        kind=kind,
        state=state,
        details=said,
        valid_from=holds.valid_from,
        valid_until=holds.valid_until,
        superseded=superseded,
        letters=letters,
    )
    return line, record


def report(start: date, end: date, **more: Any) -> tuple[LibraryLine, Record]:
    return file("SOC2", report_type="type2", period_start=start, period_end=end, **more)


def drawn(*files: tuple[LibraryLine, Record]) -> Chart:
    found = chart([line for line, _ in files], {line.id: record for line, record in files}, TODAY)
    assert found is not None
    return found


def test_an_empty_library_has_no_chart() -> None:
    assert chart([], {}, TODAY) is None


def test_a_report_that_ended_leaves_a_hatched_hole_up_to_today() -> None:
    end = date(2025, 10, 1)
    found = drawn(report(date(2024, 10, 2), end))
    (row,) = found.rows
    assert row.note == "54 days not covered: add a bridge letter"
    (hole,) = row.holes
    assert hole.x + hole.width == found.today_x
    assert row.needs
    assert tuple(each.striptags() for each in found.sentences) == (
        "SOC 2 Type 2 report for 2 October 2024 to 1 October 2025 ended 1 October 2026, "
        "54 days not covered: add a bridge letter.",
    )


def test_a_letter_carries_the_report_on_and_closes_the_hole() -> None:
    end = date(2025, 10, 1)
    letter = Letter(end, end + timedelta(days=1), date(2026, 11, 1), "A. Officer", end + timedelta(days=1), "Firm")
    (row,) = drawn(report(date(2024, 10, 2), end, letters=(letter,))).rows
    assert row.holes == ()
    assert "is bridged until 1 January 2027" in row.sentence.striptags()


def test_a_hole_between_two_periods_is_hatched_and_counted_in_days() -> None:
    first = report(date(2024, 1, 1), date(2025, 6, 30), superseded=True)
    (row,) = drawn(first, report(date(2025, 8, 1), date(2026, 7, 31))).rows
    assert row.name == "SOC 2 Type 2, 2 reports"
    assert len(row.holes) == 1
    assert "31 days between two periods are covered by no report" in row.sentence
    assert row.needs


def test_after_the_fifteenth_month_only_the_next_report_helps() -> None:
    (row,) = drawn(report(date(2024, 1, 1), date(2025, 6, 30))).rows
    assert row.note.endswith("upload the next report")


def test_an_older_file_of_a_kind_that_is_covered_asks_for_nothing() -> None:
    old = file("SCR", title="old", taken_on=date(2026, 1, 1))
    new = file("SCR", title="new", taken_on=date(2026, 11, 1))
    rows = {row.name: row for row in drawn(old, new).rows}
    assert not rows["old"].needs
    assert rows["old"].holes == ()


def test_rejected_and_replaced_files_are_not_drawn() -> None:
    kept = file("POL", title="kept", approved_on=date(2026, 10, 1))
    sent_back = file("POL", title="back", state=EvidenceState.REJECTED, approved_on=date(2026, 10, 2))
    replaced = file("POL", title="older", superseded=True, approved_on=date(2026, 9, 1))
    assert [row.name for row in drawn(kept, sent_back, replaced).rows] == ["kept"]


@given(
    st.lists(
        st.tuples(st.dates(date(2015, 1, 1), date(2040, 1, 1)), st.sampled_from(["POL", "SCR", "SPL", "CON"])),
        min_size=1,
        max_size=40,
    )
)
def test_nothing_is_drawn_outside_of_the_chart(days: list[tuple[date, str]]) -> None:
    first_day = {"POL": "approved_on", "SCR": "taken_on", "SPL": "as_of", "CON": "starts_on"}
    files = [file(kind, title=f"t{n}", **{first_day[kind]: on}) for n, (on, kind) in enumerate(days)]
    found = drawn(*files)
    for row in found.rows:
        for each in (*row.spans, *row.holes):
            assert each.x >= LEFT
            assert each.x + each.width <= RIGHT + 3
    assert len(found.sentences) == len(files)
