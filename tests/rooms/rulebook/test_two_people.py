"""A policy comes into force by two people who sign the same text, whatever happens between their signatures."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.rulebook import queries
from portal.rulebook import service as rulebook
from portal.rulebook.facts import PolicyDraftSigned, PolicyPublished
from portal.scoring.policies import SCORING, in_force
from portal.terms import Role
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.policies import policy_draft, policy_published, scoring_text, sign_policy

FACTORY = system("test")
HIGHER = scoring_text(("approve: 80", "approve: 82"))


@pytest.fixture
def hana(house: House) -> Person:
    """A lead approver."""
    return person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")


@pytest.fixture
def mara(house: House) -> Person:
    """A program admin."""
    return person(house, roles=[Role.PROGRAM_ADMIN], name="Mara Ilves")


@pytest.fixture
def ines(house: House) -> Person:
    """A reviewer."""
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def edit(house: House, who: Person, draft_id: object, text: str, row_version: int | None = None) -> None:
    with house.ledger.begin(who.actor) as tx:
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_DRAFT)  # type: ignore[arg-type]
        rulebook.edit_draft(tx, draft=draft, text=text, row_version=row_version or draft.row_version)


def test_version_1_is_in_force_without_a_row(house: House) -> None:
    with house.ledger.begin(FACTORY) as tx:
        now = rulebook.current(tx, SCORING)
        assert (now.version, now.text, now.published_at) == (1, SCORING.first, None)
        assert in_force(tx).version == 1
        assert rulebook.authors(tx, now) == ()


def test_the_second_signature_on_the_same_text_puts_it_into_force(house: House, hana: Person, mara: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)

    assert sign_policy(house, hana, draft_id) is None
    with house.ledger.begin(FACTORY) as tx:
        assert in_force(tx).thresholds[0].approve == 80
    assert sign_policy(house, mara, draft_id) == 2

    with house.ledger.begin(FACTORY) as tx:
        assert (in_force(tx).version, in_force(tx).thresholds[0].approve) == (2, 82)
        assert [each.version for each in queries.history(tx, SCORING)] == [2, 1]
        assert queries.signers(tx, SCORING) == {2: ("Hana Kobayashi", "Mara Ilves")}
        assert rulebook.authors(tx, rulebook.current(tx, SCORING)) == (hana.id, mara.id)


def test_it_is_in_force_in_the_transaction_that_publishes_it(house: House, hana: Person, mara: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    with house.ledger.begin(mara.actor) as tx:
        assert in_force(tx).version == 1
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_PUBLISH)
        rulebook.sign_draft(tx, draft=draft, kind=SCORING, digest_seen=draft.digest, row_version=draft.row_version)
        assert in_force(tx).version == 2
        assert [type(each) for each in tx.facts] == [PolicyDraftSigned, PolicyPublished]


def test_one_person_does_not_sign_twice(house: House, hana: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    with pytest.raises(Conflict, match="signed this text already"):
        sign_policy(house, hana, draft_id)


def test_an_edit_in_between_voids_the_signature(house: House, hana: Person, mara: Person, ines: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    with house.ledger.begin(FACTORY) as tx:
        digest = tx.session.execute(sa.text("SELECT digest FROM policy_draft")).scalar_one()
    edit(house, ines, draft_id, scoring_text(("approve: 80", "approve: 81")))

    with pytest.raises(Conflict, match="edited since you read it"):
        sign_policy(house, mara, draft_id, digest=digest)
    assert sign_policy(house, mara, draft_id) is None, "hers is the first signature on this text"
    assert sign_policy(house, hana, draft_id) == 2


def test_a_role_that_was_taken_away_leaves_no_signature(house: House, hana: Person, mara: Person) -> None:
    """S7: whoever lost the role between the two signatures has not signed."""
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    with house.ledger.begin(FACTORY) as tx:
        tx.session.execute(
            sa.text("UPDATE role_grant SET revoked_at = :now WHERE user_id = :who"), {"now": tx.now, "who": hana.id}
        )
    assert sign_policy(house, mara, draft_id) is None
    theo = person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")
    assert sign_policy(house, theo, draft_id) == 2


def test_a_reviewer_writes_and_does_not_sign(house: House, ines: Person) -> None:
    draft_id = policy_draft(house, ines, HIGHER)
    with pytest.raises(Forbidden):
        sign_policy(house, ines, draft_id)


def test_what_has_problems_or_changes_nothing_is_not_signed(house: House, hana: Person) -> None:
    same = policy_draft(house, hana)
    with pytest.raises(Refused, match="exactly what version 1 says"):
        sign_policy(house, hana, same)
    edit(house, hana, same, scoring_text(("approve: 80", "approve: eighty")))
    with pytest.raises(Refused, match=r"“thresholds.tier_1.approve” is a whole number from 0 to 100"):
        sign_policy(house, hana, same)


def test_a_late_writer_changes_nothing(house: House, hana: Person, ines: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    edit(house, ines, draft_id, scoring_text(("approve: 80", "approve: 81")), row_version=1)
    with pytest.raises(Conflict, match="Ines Valdarno edited this draft meanwhile"):
        edit(house, hana, draft_id, scoring_text(("approve: 80", "approve: 84")), row_version=1)


def test_a_draft_that_was_overtaken_is_moved_before_it_is_signed(house: House, hana: Person, mara: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    policy_published(house, scoring_text(("PT: 12", "PT: 11")))

    with pytest.raises(Conflict, match="Version 2 was published meanwhile"):
        sign_policy(house, mara, draft_id)
    with house.ledger.begin(mara.actor) as tx:
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_DRAFT)
        rulebook.move_draft(tx, draft=draft, kind=SCORING, row_version=draft.row_version)
        assert draft.version == 3
        assert rulebook.readiness(tx, draft, SCORING).signatures == (), "what was signed as version 2 is not signed"
    assert sign_policy(house, mara, draft_id) is None
    assert sign_policy(house, hana, draft_id) == 3


def test_what_is_over_stays_over(house: House, hana: Person, mara: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    with house.ledger.begin(hana.actor) as tx:
        draft = rulebook.get_draft(tx, draft_id, Action.POLICY_DRAFT)
        rulebook.discard_draft(tx, draft=draft, row_version=draft.row_version)
    for act in (lambda: edit(house, hana, draft_id, "a: 1"), lambda: sign_policy(house, mara, draft_id)):
        with pytest.raises(Conflict, match="was discarded"):
            act()


def test_the_same_text_is_one_open_draft(house: House, hana: Person, mara: Person) -> None:
    assert policy_draft(house, hana) == policy_draft(house, mara)


def test_of_two_who_sign_at_once_one_publishes(house: House, hana: Person, mara: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    gate, found = threading.Barrier(2), []

    def act(who: Person) -> None:
        gate.wait()
        try:
            found.append(sign_policy(house, who, draft_id))
        except Conflict as conflict:
            found.append(conflict.message)

    threads = [threading.Thread(target=act, args=(who,)) for who in (hana, mara)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(map(str, found)) == ["2", "None"]
    with house.ledger.begin(FACTORY) as tx:
        assert rulebook.current(tx, SCORING).version == 2


def test_the_database_refuses_what_two_people_did_not_sign(house: House, hana: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    sign_policy(house, hana, draft_id)
    insert = sa.text(
        "INSERT INTO policy_version (id, kind, version, text, digest, written_by, published_by, published_at) "
        "SELECT gen_random_uuid(), kind, CAST(:version AS int), text, digest, created_by, created_by, now() "
        "FROM policy_draft"
    )
    with pytest.raises(DBAPIError, match="two people publish a policy"), house.ledger.begin(FACTORY) as tx:
        tx.session.execute(insert, {"version": 2})
    with pytest.raises(DBAPIError, match="follows the one before"), house.ledger.begin(FACTORY) as tx:
        tx.session.execute(insert, {"version": 3})
    with (
        pytest.raises(DBAPIError, match=r"never changed or removed|permission denied"),
        house.ledger.begin(FACTORY) as tx,
    ):
        tx.session.execute(sa.text("UPDATE policy_signature SET signed_name = 'Somebody else'"))


def test_a_published_version_stays_as_it_is(house: House) -> None:
    policy_published(house, HIGHER)
    with (
        pytest.raises(DBAPIError, match=r"never changed or removed|permission denied"),
        house.ledger.begin(FACTORY) as tx,
    ):
        tx.session.execute(sa.text("UPDATE policy_version SET text = 'x: 1'"))


def test_nobody_of_a_vendor_comes_near(house: House, hana: Person) -> None:
    draft_id = policy_draft(house, hana, HIGHER)
    with pytest.raises(NotFound), house.ledger.begin(hana.actor) as tx:
        rulebook.get_draft(tx, hana.id, Action.POLICY_READ)
    client = system("worker")
    with pytest.raises(Forbidden), house.ledger.begin(client) as tx:
        rulebook.create_draft(tx, kind=SCORING, text=HIGHER)
    assert draft_id
