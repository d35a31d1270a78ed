"""How often a service client may ask, and what it hears when it asked too often."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Flask

from portal.sites.api.limits import Rates
from portal.sites.api.problems import Problem, problem
from tests.conftest import NOW

ONE, OTHER = UUID(int=1), UUID(int=2)
START = NOW.replace(second=0, microsecond=0)


def test_a_minute_takes_what_was_agreed_and_no_more() -> None:
    rates = Rates(workers=1)

    taken = [rates.take(ONE, 3, START).taken for _ in range(5)]

    assert taken == [True, True, True, False, False]


def test_workers_together_take_no_more_than_was_agreed() -> None:
    workers = [Rates(workers=4) for _ in range(4)]

    taken = sum(each.take(ONE, 10, START).taken for each in workers for _ in range(10))

    assert taken == 8


def test_one_client_does_not_use_up_another_ones_minute() -> None:
    rates = Rates(workers=1)
    rates.take(ONE, 1, START)

    assert not rates.take(ONE, 1, START).taken
    assert rates.take(OTHER, 1, START).taken


def test_the_next_minute_begins_anew() -> None:
    rates = Rates(workers=1)
    rates.take(ONE, 1, START)

    refused = rates.take(ONE, 1, START + timedelta(seconds=59))

    assert (refused.taken, refused.resets_in) == (False, 1)
    assert rates.take(ONE, 1, START + timedelta(seconds=60)).taken


def test_headers_say_what_is_left_and_when_to_come_back() -> None:
    rates = Rates(workers=1)

    first, second = (rates.take(ONE, 1, START + timedelta(seconds=20)).headers for _ in range(2))

    assert first == {"RateLimit-Policy": '"client";q=1;w=60', "RateLimit": '"client";r=0;t=40'}
    assert second["Retry-After"] == "40"


def test_a_problem_has_a_type_of_its_own_and_is_never_kept(app: Flask) -> None:
    with app.test_request_context("/api/v1/gate"):
        answer = problem(Problem.TOO_MANY, "Wait", headers={"Retry-After": "4"})

    assert answer.status_code == 429
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "4"
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.get_json()
    assert said["type"].endswith("/problems/too-many-requests")
    assert (said["status"], said["detail"]) == (429, "Wait")
