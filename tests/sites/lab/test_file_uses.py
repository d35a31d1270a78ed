"""One file judged for many answers from its own page, and a newer revision checked again."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.attestations import make_file
from tests.factories.reviews import Bench, bench
from tests.sites.conftest import Client


@pytest.fixture
def made(house: House) -> Bench:
    found = bench(house)
    found.claim()
    return found


@pytest.fixture
def file(made: Bench) -> UUID:
    with made.house.ledger.begin(system("test")) as tx:
        return tx.session.execute(sa.select(Evidence.id).where(Evidence.kind == "SOC2")).scalars().one()


@pytest.fixture
def ines(made: Bench, signed_in: Callable[..., Any]) -> Client:
    return signed_in(made.reviewer)


def words(answer: Any) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def ticked(answer: Any) -> list[str]:
    return re.findall(r'name="cite" value="([^"]+)" checked', answer.get_data(as_text=True))


def test_every_answer_that_waits_is_ticked_and_accepted_in_one_press(ines: Client, file: UUID) -> None:
    page = ines.get(f"/lab/evidence/{file}")
    boxes = ticked(page)
    assert f"Accept for {len(boxes)} answers" in words(page)

    done = ines.post(f"/lab/evidence/{file}/uses", data={"cite": boxes, "do": "accept"}, follow_redirects=True)

    assert f"Accepted for {len(boxes)} answers." in words(done)
    assert words(done).count(" Accepted Review") == len(boxes)
    assert ticked(done) == []


def test_a_no_is_given_a_reason_on_a_page_of_its_own(ines: Client, file: UUID) -> None:
    boxes = ticked(ines.get(f"/lab/evidence/{file}"))[:2]
    where = f"/lab/evidence/{file}/uses"

    first = ines.post(where, data={"cite": boxes, "do": "reject"})
    empty = ines.post(where, data={"cite": boxes, "do": "reject", "reason": " "})
    done = ines.post(where, data={"cite": boxes, "do": "reject", "reason": "Other scope."}, follow_redirects=True)

    assert (first.status_code, empty.status_code) == (200, 422)
    assert "Why it does not prove these 2 answers" in words(first)
    assert "Say why the file does not prove these answers" in words(empty)
    assert "Not accepted for 2 answers." in words(done)


def test_what_changed_meanwhile_is_left_with_its_reason(ines: Client, file: UUID) -> None:
    boxes = ticked(ines.get(f"/lab/evidence/{file}"))
    where = f"/lab/evidence/{file}/uses"
    ines.post(where, data={"cite": boxes[0], "do": "accept"})
    stale = boxes[0].replace("unjudged", "rejected")
    ines.post(where, data={"cite": boxes[1], "do": "reject", "reason": "Other scope."})

    answer = ines.post(where, data={"cite": [stale, boxes[1], boxes[2]], "do": "accept"})

    assert answer.status_code == 200
    assert "Accepted for 2 answers." in words(answer)
    assert "1 answer was left" in words(answer)
    assert "Somebody judged this meanwhile. Look at it again." in words(answer)
    assert ines.post(where, data={"cite": [boxes[1]], "do": "accept"}).status_code == 409


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"do": "accept"}, 422),
        ({"do": "recheck"}, 422),
        ({"do": "bless", "cite": "x"}, 422),
        ({"do": "accept", "cite": "x"}, 404),
        ({"do": "accept", "cite": "00000000-0000-7000-8000-000000000000:unjudged"}, 404),
        ({"do": "recheck", "cite": "00000000-0000-7000-8000-000000000000:unjudged"}, 404),
    ],
)
def test_a_form_that_judges_nothing_of_the_file_is_refused(
    ines: Client, file: UUID, form: dict[str, str], status: int
) -> None:
    assert ines.post(f"/lab/evidence/{file}/uses", data=form).status_code == status


def test_a_new_revision_is_checked_again_from_its_page_and_beside_the_answer(
    made: Bench, ines: Client, file: UUID
) -> None:
    with made.house.ledger.begin(system("test")) as tx:
        given = {"vendor_id": made.desk.vendor_id, "uploaded_by": made.desk.respondent.id, "kind": "SOC2"}
        new = make_file(tx, supersedes_id=file, **given).id
    page = ines.get(f"/lab/evidence/{new}")
    boxes = ticked(page)
    assert "Check again" in words(page)

    key = next(each.key for each in made.desk.visible() if each.is_scored)
    with made.at(system("test")) as (_, review):
        where = f"/lab/reviews/{review.id}"
    beside = ines.get(f"{where}?q={key}")
    assert "Check again. The vendor replaced this file." in words(beside)
    action = re.search(rf'action="({where}/citations/[^"]+/recheck[^"]*)"', beside.get_data(as_text=True))
    assert action is not None
    path = html.unescape(action[1])
    assert ines.post(path, data={"seen": "x"}).status_code == 404
    assert ines.post(path, data={"seen": str(file)}).status_code == 409
    assert ines.post(path, data={"seen": str(new)}).status_code == 303
    assert "The vendor replaced this file" not in words(ines.get(f"{where}?q={key}"))

    done = ines.post(f"/lab/evidence/{new}/uses", data={"cite": boxes, "do": "recheck"}, follow_redirects=True)

    assert f"The new revision proves {len(boxes)} answers too." in words(done)
    assert "Check again" not in words(done)


def test_who_does_not_review_it_reads_who_does(made: Bench, signed_in: Callable[..., Any], file: UUID) -> None:
    page = signed_in(made.other).get(f"/lab/evidence/{file}")
    assert "Ines Valdarno reviews this." in words(page)
    assert ticked(page) == []
    assert 'name="do"' not in page.get_data(as_text=True)
