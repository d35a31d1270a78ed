"""Several reviews at once from the queue: each is done or refused by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.kernel.actor import system
from portal.reviews import service as reviews
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench

SEVERAL = "/lab/queue/several"


@pytest.fixture
def two(house: House) -> tuple[Bench, Bench]:
    """Two reviews of two vendors that wait."""
    return bench(house), bench(house, name="Tern Data Works")


def ids(made: tuple[Bench, ...]) -> list[str]:
    found = []
    for each in made:
        with each.at(system("test")) as (_, review):
            found.append(str(review.id))
    return found


def main_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True).partition("<main")[2])


def owner(made: Bench) -> object:
    with made.at(system("test")) as (_, review):
        return review.reviewer_id


def test_the_queue_has_a_box_for_each_and_the_page_says_what_would_become_of_each(
    two: tuple[Bench, Bench], signed_in: Callable[..., Any]
) -> None:
    first, second = two
    with second.at(first.other.actor) as (tx, review):
        reviews.claim(tx, review=review)
    client = signed_in(first.reviewer)
    queue = main_of(client.get("/lab/queue"))
    chosen = ids(two)
    assert all(f'value="{each}" form="several"' in queue for each in chosen)
    text = main_of(client.get(SEVERAL, query_string={"review": [*chosen, "nonsense", chosen[0]]}))
    assert "2 reviews selected" in text
    assert "Claim 1 review" in text
    assert f"{first.other.full_name} has it" in text


def test_each_is_claimed_by_itself_and_who_was_faster_is_named(
    two: tuple[Bench, Bench], signed_in: Callable[..., Any]
) -> None:
    first, second = two
    client = signed_in(first.reviewer)
    chosen = ids(two)
    with second.at(first.other.actor) as (tx, review):
        reviews.claim(tx, review=review)
    answer = client.post(f"{SEVERAL}/claim", data={"review": chosen}, follow_redirects=True).get_data(as_text=True)
    assert "1 review is yours now." in answer
    assert "Tern Data Works:" in answer
    assert first.other.full_name in answer
    assert owner(first) == first.reviewer.id
    assert owner(second) == first.other.id


def test_several_are_snoozed_with_one_reason_and_a_wrong_day_snoozes_none(
    two: tuple[Bench, Bench], signed_in: Callable[..., Any]
) -> None:
    client = signed_in(two[0].reviewer)
    sent = {"review": ids(two), "until": "soon", "reason": "Both wait for one auditor."}
    assert client.post(f"{SEVERAL}/snooze", data=sent).status_code == 422
    late = client.post(f"{SEVERAL}/snooze", data={**sent, "until": "2030-01-01"})
    assert late.status_code == 422
    assert "Both wait for one auditor." in main_of(late)
    assert "Nothing here" not in main_of(client.get("/lab/queue"))
    done = client.post(f"{SEVERAL}/snooze", data={**sent, "until": "2026-12-01"}, follow_redirects=True)
    assert "2 reviews are snoozed." in done.get_data(as_text=True)
    aside = main_of(client.get("/lab/queue?tab=snoozed"))
    assert aside.count("Both wait for one auditor.") >= 1
    assert "2 reviews selected" in main_of(client.get(SEVERAL, query_string={"review": ids(two)}))


def test_nothing_selected_is_said_and_who_only_reads_has_no_boxes(
    house: House, two: tuple[Bench, Bench], signed_in: Callable[..., Any]
) -> None:
    client = signed_in(two[0].reviewer)
    assert "Nothing is selected" in main_of(client.get(SEVERAL))
    none = client.post(f"{SEVERAL}/claim", data={}, follow_redirects=True).get_data(as_text=True)
    assert "Nothing was selected." in none
    gone = {"review": "00000000-0000-7000-8000-0000000dead0"}
    assert "not there any more" in client.post(f"{SEVERAL}/claim", data=gone, follow_redirects=True).get_data(
        as_text=True
    )
    auditor = signed_in(person(house, roles=[Role.AUDITOR], name="Ana Lindqvist"))
    assert 'form="several"' not in main_of(auditor.get("/lab/queue"))
    assert auditor.post(f"{SEVERAL}/claim", data={"review": ids(two)}).status_code == 403
