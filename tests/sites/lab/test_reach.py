"""The workspace and the score page say of each proof what the score makes of it on that day."""

from __future__ import annotations

import re
from collections.abc import Callable

from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.lapsing import LETTER, PROVED_BY_REPORT, approved, check, judge, newer
from tests.factories.reviews import Bench
from tests.sites.conftest import Client


def pages(made: Bench, client: Client) -> tuple[str, str]:
    """Return the words of the pane beside an answer that the report proves, and of the score page."""
    with made.at(made.reviewer.actor) as (_, review):
        path = f"/lab/reviews/{review.id}"
    texts = [client.get(each).get_data(as_text=True) for each in (f"{path}?q={PROVED_BY_REPORT[0]}", f"{path}/score")]
    pane, score = (" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in texts)
    return pane[pane.index("Vendor points at") - 400 :], score


def test_a_report_is_verified_then_bridged_as_attached_then_ended(
    house: House, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    made = approved(house, LETTER)
    pane, score = pages(made, signed_in(made.reviewer))
    assert "Verified" in pane or "Ends soon" in pane
    assert "31 January 2027, then bridged until 30 April 2027 as attached" in pane
    assert "verified evidence" in score
    assert "bridged until" not in score

    clock.advance(days=96)
    pane, score = pages(made, signed_in(made.reviewer))
    assert "Bridged until 30 April 2027" in pane
    assert "bridged until 30 April 2027, counts as attached" in pane
    assert "evidence that is not verified; bridged until 30 April 2027, counts as attached" in score

    clock.advance(days=62)
    pane, score = pages(made, signed_in(made.reviewer))
    assert "30 April 2027, ended" in pane
    assert "evidence that has ended" in score


def test_a_newer_revision_is_to_be_checked_and_then_counts_instead(
    house: House, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    made = approved(house)
    clock.advance(days=96)
    replaced = newer(made)
    pane, score = pages(made, signed_in(made.reviewer))
    assert "Check again" in pane
    assert "evidence that has ended; a newer revision is to be checked" in score
    assert re.search(r"Required and ended: [^.]*; a newer revision is to be checked", score)

    check(made, replaced, made.reviewer.actor)
    judge(made, replaced)
    pane, score = pages(made, signed_in(made.reviewer))
    assert "A newer revision counts here." in pane
    assert "31 January 2028, counts as verified" in pane
    assert "is to be checked" not in score
