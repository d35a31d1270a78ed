"""Accepting several answers after a preview, the unchanged rest at a glance, by rule; each taken back in one act."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from portal.kernel.actor import system
from portal.reviews import accepting
from portal.reviews import service as reviews
from portal.terms import Verdict
from portal.wiring import House
from tests.factories.rereading import Reread, reread


@pytest.fixture
def made(house: House) -> Reread:
    return reread(house)


def path_of(made: Reread) -> str:
    with made.at(system("test")) as (_, review):
        return f"/lab/reviews/{review.id}"


def accepted(made: Reread) -> set[str]:
    with made.at(system("test")) as (tx, review):
        lines = reviews.verdict_lines(tx, review)
        return {key for key, each in lines.items() if each.verdict is Verdict.ACCEPT}


def seen_in(text: str) -> str:
    return re.findall(r'name="seen" value="([0-9a-f]{64})"', text)[0]


def test_several_are_chosen_previewed_accepted_and_taken_back(made: Reread, signed_in: Callable[..., Any]) -> None:
    client, path = signed_in(made.reviewer), path_of(made)
    keys = sorted(made.changed)[:3]

    listed = client.get(f"{path}/bulk").get_data(as_text=True)
    shown = client.get(f"{path}/bulk/preview", query_string={"key": keys}).get_data(as_text=True)
    done = client.post(f"{path}/bulk", data={"key": keys, "seen": seen_in(shown)})

    assert all(f'value="{key}"' in listed for key in keys)
    assert "Accept 3 answers" in shown
    assert (done.status_code, accepted(made)) == (303, set(keys))
    after = client.get(done.location).get_data(as_text=True)
    assert "3 answers accepted." in after
    act = done.location.rpartition("act=")[2]

    client.post(f"{path}/bulk/undo", data={"act": act})

    assert accepted(made) == set()
    again = client.post(f"{path}/bulk/undo", data={"act": act}, follow_redirects=True)
    assert "There is nothing left to take back." in again.get_data(as_text=True)


def test_what_changed_meanwhile_is_shown_again_and_nothing_is_accepted(
    made: Reread, signed_in: Callable[..., Any]
) -> None:
    client, path = signed_in(made.reviewer), path_of(made)
    keys = sorted(made.changed)[:2]
    shown = client.get(f"{path}/bulk/preview", query_string={"key": keys}).get_data(as_text=True)
    made.flag(keys[0])

    late = client.post(f"{path}/bulk", data={"key": keys, "seen": seen_in(shown)})

    text = late.get_data(as_text=True)
    assert late.status_code == 409
    assert "Nothing was accepted." in text
    assert "Accept 1 answer" in text
    assert accepted(made) == set()


def test_nothing_chosen_and_a_reader(made: Reread, signed_in: Callable[..., Any]) -> None:
    path = path_of(made)
    none = signed_in(made.reviewer).get(f"{path}/bulk/preview")
    assert none.status_code == 422
    assert none.get_data(as_text=True).count("Choose at least one answer") == 1
    reader = signed_in(made.other)
    text = reader.get(f"{path}/bulk").get_data(as_text=True)
    assert "Show what would be accepted" not in text
    assert reader.post(f"{path}/bulk", data={"key": sorted(made.changed)[:1], "seen": ""}).status_code == 403
    assert reader.post(f"{path}/bulk/rules").status_code == 403


def test_rules_are_applied_in_nobodys_name_and_the_rest_is_glanced_at(
    made: Reread, signed_in: Callable[..., Any]
) -> None:
    client, path = signed_in(made.reviewer), path_of(made)

    told = client.post(f"{path}/bulk/rules", follow_redirects=True).get_data(as_text=True)
    by_rule = len(accepted(made))

    assert f"Rules accepted {by_rule} answers." in told
    assert "Accepted by rule R-3 v1" in told
    glance = client.get(f"{path}/glance").get_data(as_text=True)
    left = int(re.findall(r"<h1>Glance at (\d+) answers?</h1>", glance)[0])
    assert 0 < left < by_rule
    assert "by the draw" in glance
    key = re.findall(r'name="key" value="([^"]+)"', glance)[0]

    done = client.post(f"{path}/bulk", data={"key": key, "seen": seen_in(glance), "back": "glance"})

    assert key in accepted(made)
    after = client.get(done.location).get_data(as_text=True)
    assert f"<h1>Glance at {left - 1} answer" in after
    assert 'data-key="z"' in after
    client.post(f"{path}/bulk/undo", data={"act": done.location.rpartition("act=")[2], "back": "glance"})
    assert key not in accepted(made)
    assert "No rule accepts anything more here" in client.post(f"{path}/bulk/rules", follow_redirects=True).get_data(
        as_text=True
    )


def test_the_rules_are_a_policy_that_is_tried_before_it_is_signed(made: Reread, signed_in: Callable[..., Any]) -> None:
    flagged = sorted(set(made.open_keys()) - set(made.changed))[0]
    made.flag(flagged)
    made.accept_rest()
    made.recommend()
    client = signed_in(made.lead)

    begun = client.post("/lab/policies/acceptance/next")
    text = client.get(begun.location).get_data(as_text=True)
    version = re.findall(r'name="row_version" value="(\d+)"', text)[0]
    new = accepting.acceptance.FIRST.replace("glance_every: 10", "glance_every: 0")
    client.post(begun.location, data={"text": new, "row_version": version})
    publish = client.get(f"{begun.location}/publish").get_data(as_text=True)

    assert "Tried on past reviews" in publish
    assert "Left to a person’s glance" in publish
    question = made.desk.questionnaire.question(flagged)
    assert f"{question.number} {question.label}" in publish
    assert "A person had said otherwise" in publish
