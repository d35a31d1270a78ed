"""A stored score replays on its page, and two of them say why one is not the other, with sums that add up."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.policies import policy_published, scoring_text
from tests.factories.reviews import Bench, bench
from tests.sites.conftest import Client

SYSTEM = system("test")
MINUS = "−"


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def scores_of(house: House) -> list[UUID]:
    with house.ledger.begin(SYSTEM) as tx:
        return list(tx.session.scalars(sa.select(ScoreSnapshot.id).order_by(ScoreSnapshot.made_at, ScoreSnapshot.id)))


@pytest.fixture
def made(house: House, clock: FixedClock) -> Bench:
    """A vendor whose first score was followed by a review with one finding."""
    made = bench(house)
    made.claim()
    made.flag(made.open_keys()[0], credit=0)
    made.accept_rest()
    clock.advance(days=2)
    made.recommend()
    return made


@pytest.fixture
def lead(made: Bench, signed_in: Callable[..., Client]) -> Client:
    """A lead approver's browser."""
    return signed_in(made.lead)


def test_a_stored_score_says_what_it_is_made_of_and_replays(house: House, lead: Client) -> None:
    first, second = scores_of(house)
    page = words(lead.get(f"/lab/scores/{second}"))
    assert "Stored score: Quillmark" in page
    assert "The review ended" in page
    assert "Scoring policy v1" in page
    assert "Equal to the byte" not in page
    assert f"/lab/scores/{first}/against/{second}" in lead.get(f"/lab/scores/{second}").get_data(as_text=True)

    replayed = words(lead.get(f"/lab/scores/{second}?replay=1"))
    assert "Equal to the byte." in replayed


def test_a_score_that_does_not_replay_says_where(house: House, lead: Client) -> None:
    _, second = scores_of(house)
    with house.ledger.begin(SYSTEM) as tx:
        result = tx.session.get_one(ScoreSnapshot, second).result
        wrong = result.replace('"recommendation":"', '"recommendation":"approve_', 1).replace('"tier":2', '"tier":3', 1)
        assert wrong != result
        forged = uuid4()
        tx.session.execute(
            sa.text(
                "INSERT INTO score_snapshot SELECT (made.r).* FROM "
                "(SELECT jsonb_populate_record(s, CAST(:new AS jsonb)) AS r FROM score_snapshot s "
                "WHERE id = :id) AS made"
            ),
            {
                "id": second,
                "new": json.dumps({"id": str(forged), "result": wrong, "result_digest": _sha(wrong)}),
            },
        )
    page = words(lead.get(f"/lab/scores/{forged}?replay=1"))
    assert "It differs in" in page
    assert re.search(r"\btier 3 2\b", page), page[:3000]


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def fractions(row: str) -> list[Fraction]:
    return [Fraction(each.replace(MINUS, "-")) for each in re.findall(r'class="mono xs">([+−]?[0-9/]+)<', row)]


def test_why_it_changed_names_the_answer_and_adds_up(house: House, lead: Client) -> None:
    first, second = scores_of(house)
    page = lead.get(f"/lab/scores/{first}/against/{second}")
    said = words(page)
    assert re.search(r"From 95\.9 to \d+\.\d: answers −\d+\.\d, together −\d+\.\d\.", said)
    assert re.search(r"a reviewer gave 0 of 100: \w", said)

    exact = lead.get(f"/lab/scores/{first}/against/{second}?exact=1").get_data(as_text=True)
    rows = re.findall(r"<tr.*?</tr>", exact, re.DOTALL)
    before = fractions(next(row for row in rows if ">Before<" in row))
    after = fractions(next(row for row in rows if ">After<" in row))
    parts = [fractions(row) for row in rows if re.search(r'<a href="#(answers|rules|evidence|time)"', row)]
    for at in range(5):
        assert before[at] + sum(part[at] for part in parts) == after[at]
    opened = re.findall(r'<section class="card mt-16" id="answers".*?</section>', exact, re.DOTALL)[0]
    lines = [fractions(row) for row in re.findall(r"<tr.*?</tr>", opened, re.DOTALL) if 'scope="row"' in row]
    *causes, together = [line for line in lines if line]
    assert [sum(each[at] for each in causes) for at in range(3)] == together


def test_the_other_way_round_is_the_opposite(house: House, lead: Client) -> None:
    first, second = scores_of(house)

    def together(one: UUID, other: UUID) -> str:
        found = re.search(r"together ([+−][0-9.]+)", words(lead.get(f"/lab/scores/{one}/against/{other}")))
        assert found
        return found[1]

    assert together(first, second)[0] == MINUS
    assert together(second, first)[0] == "+"


def test_a_new_policy_and_a_later_day_are_parts_of_their_own(
    house: House, made: Bench, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    policy_published(house, scoring_text(("attached: 75", "attached: 70"), ("approve: 70", "approve: 72")))
    clock.advance(days=400)
    with made.at(made.lead.actor) as (tx, review):
        scoring.score(tx, attestation_id=review.attestation_id, cause="lapsed")
    first, *_, last = scores_of(house)
    page = words(signed_in(made.lead).get(f"/lab/scores/{first}/against/{last}"))
    assert "Version 2. " in page
    assert "Approve in tier 2: 70 to 72" in page


def test_what_there_is_not_is_not_compared(house: House, lead: Client) -> None:
    first, second = scores_of(house)
    assert lead.get(f"/lab/scores/{first}/against/{uuid4()}").status_code == 404
    assert lead.get(f"/lab/scores/{uuid4()}").status_code == 404
    assert lead.get(f"/lab/scores/{second}/against/{second}").status_code == 200


def test_who_may_not_read_answers_sees_the_score_and_not_why(
    house: House, made: Bench, signed_in: Callable[..., Client]
) -> None:
    first, second = scores_of(house)
    admin = signed_in(person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves"))
    page = words(admin.get(f"/lab/scores/{second}"))
    assert "The three lenses" in page
    assert "Why did it change?" not in page
    assert admin.get(f"/lab/scores/{first}/against/{second}").status_code == 403


def test_the_command_replays_everything(house: House, made: Bench, app: Any) -> None:
    run = app.test_cli_runner()
    told = run.invoke(args=["scores", "replay", "--all"])
    assert told.exit_code == 0, told.output
    assert re.match(r"All 2 stored scores give the same bytes again \(\d+\.\d s\)\.", told.output)
    one = run.invoke(args=["scores", "replay", "--assessment", str(made.desk.assessment_id)])
    assert one.exit_code == 0
    assert run.invoke(args=["scores", "replay", "--assessment", str(uuid4())]).output == "There is no stored score.\n"
    assert run.invoke(args=["scores", "replay"]).exit_code == 2
