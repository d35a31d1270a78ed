"""Moving a running assessment to a newer version: shown before, done as shown, told to the vendor."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from portal.kernel.actor import system
from portal.questionnaires import service as questionnaires
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.factories.renewing import answer_first, small_desk, text
from tests.sites.conftest import Client


@pytest.fixture
def running(house: House) -> Desk:
    """A vendor in the middle of version 1, everything answered and nothing signed."""
    made = small_desk(house)
    made.settle_scoping()
    answer_first(made)
    return made


@pytest.fixture
def ines(house: House, running: Desk, signed_in: Callable[..., Client]) -> Client:
    """The browser of a reviewer."""
    return signed_in(person(house, roles=[Role.REVIEWER], name="Ines Valdarno"))


@pytest.fixture
def v2(house: House, running: Desk) -> UUID:
    """Version 2, published while the vendor answers."""
    with house.ledger.begin(system("test")) as tx:
        return questionnaires.publish(tx, source=text(2), name="small").id


def path(made: Desk) -> str:
    return f"/lab/assessments/{made.assessment_id}/move"


def words(page: str) -> str:
    told = " ".join(unescape(re.sub(r"<[^>]+>", " ", page.split("<main")[-1])).split())
    return re.sub(r" ([.,:])", r"\1", told)


def shown(client: Client, made: Desk) -> dict[str, str]:
    """The form as the page holds it."""
    page = client.get(path(made)).get_data(as_text=True)
    names = ("row_version", "version_id", "seen_digest")
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in names}


def move(client: Client, made: Desk, **changed: str) -> TestResponse:
    return client.post(path(made), data={**shown(client, made), **changed})


def test_the_vendor_page_leads_to_the_move_only_while_there_is_a_newer_version(
    running: Desk, ines: Client, house: House
) -> None:
    page = "/lab/vendors/quillmark-annotation/assessments"
    assert "Move to v" not in ines.get(page).get_data(as_text=True)

    with house.ledger.begin(system("test")) as tx:
        questionnaires.publish(tx, source=text(2), name="small")

    told = ines.get(page).get_data(as_text=True)
    assert f'<a href="{path(running)}">Move to v2' in told


def test_the_page_says_what_becomes_of_each_answer(running: Desk, ines: Client, v2: UUID) -> None:
    told = words(ines.get(path(running)).get_data(as_text=True))

    assert "Move Small contractor baseline to v2" in told
    assert "2 answers to give again" in told
    assert "1.2 Leavers" in told
    assert "The best answer was at most 24 hours and is now at most 4 hours" in told
    assert "2 new questions" in told
    assert "1 answer kept for reading only" in told
    assert "4 answers kept" in told


def test_it_shows_no_answer_of_the_vendor(running: Desk, ines: Client, v2: UUID) -> None:
    page = ines.get(path(running)).get_data(as_text=True)

    assert "The HR record is the trigger." not in page
    assert "Passkeys" not in page


def test_moving_keeps_what_is_the_same_and_tells_the_vendor(
    running: Desk, ines: Client, v2: UUID, signed_in: Callable[..., Client]
) -> None:
    answer = move(ines, running)
    assert answer.status_code == 303
    assert "Small contractor baseline is on v2 now." in ines.get(answer.location).get_data(as_text=True)

    priya = signed_in(running.respondent)
    home = words(priya.get(f"/assessments/{running.assessment_id}").get_data(as_text=True))
    assert "Orrery moved this assessment to v2 on 24 November 2026: 2 questions changed." in home
    assert "4 of 8 questions answered" in home
    assert "2 questions changed, 2 are new." in home
    section = words(priya.get(f"/assessments/{running.assessment_id}/s/acc").get_data(as_text=True))
    assert "Before that you said “20 hours”, so answer again." in section
    assert "small-renewal v1, before this assessment moved on 24 November 2026." in section
    listed = words(priya.get(f"/assessments/{running.assessment_id}/renewal").get_data(as_text=True))
    assert "Are magnetic tapes locked away? Yes In a safe." in listed


def test_what_changed_since_the_page_was_shown_is_not_moved(running: Desk, ines: Client, v2: UUID) -> None:
    form = shown(ines, running)
    for changed in ({"seen_digest": "0" * 64}, {"row_version": "99"}, {"row_version": "x"}):
        answer = ines.post(path(running), data={**form, **changed})

        assert answer.status_code == 409
        assert "Something changed since you opened this page. Nothing was moved." in answer.get_data(as_text=True)
    assert "Move Small contractor baseline to v2" in words(ines.get(path(running)).get_data(as_text=True))


@pytest.mark.parametrize("version", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_a_version_that_is_not_on_offer_is_refused_in_words(
    running: Desk, ines: Client, v2: UUID, version: str
) -> None:
    answer = move(ines, running, version_id=version)

    assert answer.status_code == 409
    assert "That version is not on offer any more. Nothing was moved." in answer.get_data(as_text=True)


def test_without_a_newer_version_there_is_nothing_to_move_to(running: Desk, ines: Client) -> None:
    told = words(ines.get(path(running)).get_data(as_text=True))

    assert "There is nothing to move to small-renewal v1 is the newest version." in told
    assert ines.post(path(running)).status_code == 409


def test_what_was_signed_stays_on_its_version(running: Desk, ines: Client, v2: UUID) -> None:
    form = shown(ines, running)
    running.sign()

    told = words(ines.get(path(running)).get_data(as_text=True))
    assert "This assessment was signed or closed, so it stays on small-renewal v1." in told
    assert ines.post(path(running), data=form).status_code == 409


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.RESPONDENT])
def test_others_may_not_move_it(
    running: Desk, house: House, v2: UUID, signed_in: Callable[..., Client], role: Role
) -> None:
    who = person(house, roles=[role]) if role is Role.AUDITOR else running.respondent
    client = signed_in(who)

    assert client.get(path(running)).status_code in {403, 404}
    assert client.post(path(running), data={"version_id": str(v2)}).status_code in {403, 404}
