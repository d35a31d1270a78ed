"""The whole story of a vendor, from the first admin to the gate, on the embedded engines and on given ones."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.kernel import signing
from tests.browser.story import answers, judging, opening
from tests.browser.story.cast import SHORT, SLUG, Story
from tests.browser.story.installation import Installation, installed, on_others
from tests.browser.story.people import PATIENCE
from tests.s3 import servers

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

USUAL_PATIENCE = 5_000
SHOTS = Path(__file__).parent / "shots"
D3_A2 = {"vendor": SLUG, "data_class": "D3", "access_mode": "A2", "purpose": "Preference ranking"}
D5_A2 = {**D3_A2, "data_class": "D5"}
STATEMENT = "application/vnd.gatehouse.gate+json"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tell it on the embedded engines every day, and in a thorough run on given ones too."""
    given = pytest.param("given", marks=[pytest.mark.s3, pytest.mark.xdist_group("s3")])
    thorough = [given] if metafunc.config.getoption("--thorough") else []
    metafunc.parametrize("gatehouse", ["embedded", *thorough], indirect=True)


@pytest.fixture
def gatehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """Gatehouse as a new user starts it: all embedded, or on a PostgreSQL by URL and a real S3 server."""
    if request.param == "embedded":
        with installed(tmp_path) as running:
            yield running
        return
    (tmp_path / "s3").mkdir()
    with servers.localstack(tmp_path / "s3") as s3, on_others(tmp_path, s3) as running:
        yield running


@pytest.fixture
def story(gatehouse: Installation, new_page: Callable[..., Page], request: pytest.FixtureRequest) -> Iterator[Story]:
    """A story that has not begun; its people wait longer than usual, for a busy machine is no failure."""
    shots = SHOTS / f"story-{request.node.callspec.params['gatehouse']}"
    shots.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=PATIENCE)
    # As few questions as make the story: all of them are asked in tests/browser/test_whole_renewal.py.
    yield Story(gatehouse, new_page, shots, SHORT)
    expect.set_options(timeout=USUAL_PATIENCE)


def test_a_vendor_is_invited_attests_is_judged_and_let_in(story: Story, tmp_path: Path) -> None:
    tells = Telling(story)
    tells("the lab gets its people", opening.the_lab_gets_its_people)
    tells("the lab adds a vendor", opening.the_lab_adds_a_vendor)
    tells("the lab invites the vendor's admin", opening.the_lab_invites_the_vendors_admin)
    tells("a machine may ask", opening.a_machine_may_ask)
    assert decision(story, D3_A2) == "deny"
    tells("the facts are settled", answers.the_facts_are_settled)
    tells("the team is built", answers.the_team_is_built)
    tells("evidence is uploaded", lambda each: answers.the_evidence_is_uploaded(each, tmp_path))
    tells("two people answer", answers.two_people_answer)
    tells("the report is cited", answers.the_report_is_cited)
    story.gatehouse.minutes_pass(6)
    tells("it is signed", lambda each: answers.it_is_signed(each, 1))
    tells("the reviewer judges", judging.the_reviewer_judges)
    tells("the vendor answers what came back", answers.the_vendor_answers_what_came_back)
    story.gatehouse.minutes_pass(6)
    tells("it is signed again", lambda each: answers.it_is_signed(each, 2))
    tells("the reviewer finishes", judging.the_reviewer_finishes)
    assert decision(story, D3_A2) == "deny"
    due = datetime.now(UTC).date() + timedelta(days=60)
    tells("a lead decides", lambda each: judging.a_lead_decides(each, due))

    allowed = story.gatehouse.gate(story.token, **D3_A2)
    assert allowed["decision"] == "allow", allowed
    assert allowed["valid_until"].startswith((due + timedelta(days=1)).isoformat()), "it ends with the condition's day"
    assert [each["text"] for each in allowed["conditions"]] == [judging.CONDITION]
    assert stated(story, allowed)["decision"] == "allow"
    assert decision(story, D5_A2) == "deny"
    tells("the vendor sees its result", answers.the_vendor_sees_its_result)

    tells("a vendor is paused", judging.a_vendor_is_paused)
    assert decision(story, D3_A2) == "deny"
    tells("two end the pause", judging.two_end_the_pause)
    assert decision(story, D3_A2) == "allow"
    assert "The trail is whole" in story.gatehouse.flask("audit", "verify")
    assert not story.troubles, "\n".join(story.troubles)


class Telling:
    """Tells chapter after chapter, and says how long each took."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._begun = time.monotonic()

    def __call__(self, name: str, chapter: Callable[[Story], None]) -> None:
        chapter(self._story)
        now = time.monotonic()
        print(f"{now - self._begun:6.1f} s  {name}")
        self._begun = now


def decision(story: Story, question: dict[str, str]) -> str:
    """Ask the gate anew, and make sure that what it signed says the same."""
    answer = story.gatehouse.gate(story.token, **question)
    assert stated(story, answer)["decision"] == answer["decision"]
    return str(answer["decision"])


def stated(story: Story, answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a statement says after verifying it with the published key alone."""
    envelope = answer["statement"]
    key = next(each for each in story.gatehouse.keys()["keys"] if each["kid"] == envelope["signatures"][0]["keyid"])
    public = base64.urlsafe_b64decode(key["x"] + "=" * (-len(key["x"]) % 4))
    return dict(json.loads(signing.verify(envelope, public, kind=STATEMENT)))
