"""Two people publish the same text, whatever happens between their signatures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.identity import people as identity_people
from portal.kernel.errors import Conflict, Forbidden, GatehouseError, Refused
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.facts import DraftSigned, QuestionnairePublished
from portal.questionnaires.rules import Claim
from portal.terms import DraftState, Role
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.questionnaires import (
    FACTORY,
    SMALL,
    decide,
    decide_all,
    draft_now,
    drafted,
    published,
    second,
    sign,
)


@pytest.fixture
def hana(house: House) -> Person:
    """A lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")


@pytest.fixture
def theo(house: House) -> Person:
    """Another lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")


@pytest.fixture
def mara(house: House) -> Person:
    """A program admin."""
    return person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")


def test_the_second_signature_on_the_same_text_publishes_it(house: House, hana: Person, mara: Person) -> None:
    draft_id = drafted(house, hana, SMALL)

    assert sign(house, hana, draft_id) is None
    with house.ledger.begin(mara.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_PUBLISH)
        version = questionnaires.sign_draft(tx, draft=draft, digest_seen=draft.digest, row_version=draft.row_version)
        assert [type(fact) for fact in tx.facts] == [DraftSigned, QuestionnairePublished]

    assert version is not None
    assert (version.slug, version.version, version.published_by) == ("small", 1, mara.id)
    now = draft_now(house, draft_id)
    assert (now.state, now.published_id) == (DraftState.PUBLISHED, version.id)
    with house.ledger.begin(FACTORY) as tx:
        assert questionnaires.source_of(tx, version.id) == SMALL.encode()
        assert [each.name for each in queries.signatures_of_version(tx, version.id)] == [
            "Hana Kobayashi",
            "Mara Ilves",
        ]


def test_one_person_is_not_two(house: House, hana: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    with pytest.raises(Conflict, match="You signed this text already"):
        sign(house, hana, draft_id)
    assert draft_now(house, draft_id).state is DraftState.OPEN


def test_a_reviewer_writes_and_does_not_sign(house: House) -> None:
    ines = person(house, roles=[Role.REVIEWER], name="Ines Valdarno")
    draft_id = drafted(house, ines, SMALL)
    with house.ledger.begin(ines.actor) as tx, pytest.raises(Forbidden):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
        questionnaires.sign_draft(tx, draft=draft, digest_seen=draft.digest, row_version=1)


def test_the_machine_does_not_sign(house: House, hana: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    with house.ledger.begin(FACTORY) as tx, pytest.raises(Forbidden, match="Only a person"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
        questionnaires.sign_draft(tx, draft=draft, digest_seen=draft.digest, row_version=1)


def test_an_edit_between_the_signatures_voids_the_first(house: House, hana: Person, theo: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    with house.ledger.begin(theo.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.edit_draft(tx, draft=draft, source=SMALL.encode() + b"# a word\n", row_version=1)

    assert sign(house, theo, draft_id) is None
    assert draft_now(house, draft_id).state is DraftState.OPEN
    assert sign(house, hana, draft_id) is not None


def test_a_decision_between_the_signatures_voids_the_first(house: House, hana: Person, theo: Person) -> None:
    published(house)
    draft_id = drafted(house, hana, second())
    decide_all(house, hana, draft_id)
    sign(house, hana, draft_id)

    decide(house, theo, draft_id, "acc.reviews", "text", Claim.CHANGED, "It asks more now")

    assert sign(house, theo, draft_id) is None


def test_a_text_that_went_away_and_came_back_is_read_again(house: House, hana: Person, theo: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    seen = draft_now(house, draft_id)
    digest, row_version = seen.digest, seen.row_version
    for text in (SMALL + "# a word\n", SMALL):
        with house.ledger.begin(theo.actor) as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            questionnaires.edit_draft(tx, draft=draft, source=text.encode(), row_version=draft.row_version)

    with house.ledger.begin(hana.actor) as tx, pytest.raises(Conflict, match="edited since you read it"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_PUBLISH)
        questionnaires.sign_draft(tx, draft=draft, digest_seen=digest, row_version=row_version)


def test_a_role_lost_between_the_signatures_takes_its_signature_along(
    house: House, hana: Person, theo: Person, mara: Person
) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    with house.ledger.begin(mara.fresh) as tx:
        identity_people.revoke_role(tx, user=identity_people.get(tx, hana.id), role=Role.LEAD_APPROVER)

    assert sign(house, theo, draft_id) is None
    with house.ledger.begin(FACTORY) as tx:
        lines = queries.signatures(tx, draft_id)
    assert {line.name: line.counts for line in lines} == {"Hana Kobayashi": False, "Theo Brandvold": True}
    with pytest.raises(Forbidden):
        sign(house, hana, draft_id)
    assert sign(house, mara, draft_id) is not None


def test_somebody_switched_off_has_not_signed(house: House, hana: Person, theo: Person, mara: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    with house.ledger.begin(mara.fresh) as tx:
        identity_people.deactivate(tx, user=identity_people.get(tx, hana.id))

    assert sign(house, theo, draft_id) is None


def test_nothing_undecided_is_signed(house: House, hana: Person) -> None:
    published(house)
    draft_id = drafted(house, hana, second())
    with pytest.raises(Refused, match="No decision yet about"):
        sign(house, hana, draft_id)


def test_publishing_again_gives_what_is_published(house: House, hana: Person, theo: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    version = sign(house, theo, draft_id)
    with house.ledger.begin(theo.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_PUBLISH)
        again = questionnaires.sign_draft(tx, draft=draft, digest_seen=draft.digest, row_version=draft.row_version)
        assert tx.facts == []
    assert again
    assert version
    assert again.id == version.id


def test_of_two_drafts_of_one_version_the_second_is_refused(house: House, hana: Person, theo: Person) -> None:
    first, other = drafted(house, hana, SMALL), drafted(house, hana, SMALL + "# another\n")
    for draft_id in (first, other):
        sign(house, hana, draft_id)
    sign(house, theo, first)
    with pytest.raises(Refused, match="put your change into v2"):
        sign(house, theo, other)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run acts in threads that begin together; return what each returned or refused."""
    start = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        start.wait(10)
        try:
            results[place] = act()
        except GatehouseError as refusal:
            results[place] = refusal

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return results


def versions_of(house: House) -> list[tuple[str, int]]:
    with house.ledger.begin(FACTORY) as tx:
        return [(line.slug, line.version) for line in queries.versions(tx)]


def test_two_who_sign_at_once_publish_it_once(house: House, hana: Person, theo: Person) -> None:
    draft_id = drafted(house, hana, SMALL)

    results = at_once(lambda: sign(house, hana, draft_id), lambda: sign(house, theo, draft_id))

    assert sorted(result is None for result in results) == [False, True]
    assert not [result for result in results if isinstance(result, GatehouseError)]
    assert versions_of(house) == [("small", 1)]


def test_one_who_signs_twice_at_once_signs_once(house: House, hana: Person) -> None:
    draft_id = drafted(house, hana, SMALL)

    results = at_once(lambda: sign(house, hana, draft_id), lambda: sign(house, hana, draft_id))

    assert sorted(type(result).__name__ for result in results) == ["Conflict", "NoneType"]
    assert versions_of(house) == []


def test_an_edit_beside_the_second_signature_never_publishes_what_one_person_signed(
    house: House, hana: Person, theo: Person
) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    seen = draft_now(house, draft_id)

    def edit() -> None:
        with house.ledger.begin(hana.actor) as tx:
            draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
            questionnaires.edit_draft(tx, draft=draft, source=SMALL.encode() + b"# sly\n", row_version=seen.row_version)

    at_once(edit, lambda: sign(house, theo, draft_id, digest=seen.digest))

    with house.ledger.begin(FACTORY) as tx:
        digests = [line.digest for line in queries.versions(tx)]
    assert digests in ([], [seen.digest])


def test_the_database_itself_refuses_a_version_that_one_person_signed(house: House, hana: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)

    with pytest.raises(DBAPIError, match="two people publish"), house.ledger.begin(FACTORY) as tx:
        _insert(house, tx.session, draft_id, hana.id)


def test_the_database_refuses_to_call_a_draft_published_with_another_text(
    house: House, hana: Person, theo: Person
) -> None:
    first, other = drafted(house, hana, SMALL), drafted(house, hana, SMALL + "# another\n")
    sign(house, hana, first)
    version = sign(house, theo, first)
    assert version is not None

    with pytest.raises(DBAPIError, match="fk_questionnaire_draft_published"), house.ledger.begin(FACTORY) as tx:
        tx.session.execute(
            sa.text("UPDATE questionnaire_draft SET state = 'published', published_id = :version WHERE id = :id"),
            {"version": version.id, "id": other},
        )


def test_a_signature_is_never_changed(house: House, hana: Person) -> None:
    draft_id = drafted(house, hana, SMALL)
    sign(house, hana, draft_id)
    with pytest.raises(DBAPIError, match="denied"), house.ledger.begin(FACTORY) as tx:
        tx.session.execute(sa.text("UPDATE questionnaire_signature SET signed_name = 'Somebody else'"))


def _insert(house: House, session: Session, draft_id: UUID, person_id: UUID) -> None:
    session.execute(
        sa.text(
            "INSERT INTO questionnaire_version "
            "(id, slug, version, title, digest, source, published_by, published_at) "
            "SELECT :id, slug, version, title, digest, source, :person, now() "
            "FROM questionnaire_draft WHERE id = :draft"
        ),
        {"id": house.new_id(), "person": person_id, "draft": draft_id},
    )
