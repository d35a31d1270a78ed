"""What reviewers and those who run the house hear by the clock: each thing once, the right people, nobody else."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.delivery import preferences
from portal.delivery.models import Mail
from portal.identity import service as identity
from portal.jobs import guard
from portal.jobs.found import notify_found
from portal.jobs.guard import verify_trail, watch_keys
from portal.jobs.levels import watch_levels
from portal.jobs.mornings import tell_mornings
from portal.kernel import signing
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews import service_levels
from portal.reviews.models import Review
from portal.rulebook import service as rulebook
from portal.terms import AssessmentState, Role, Scope
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench, bench
from tests.rooms.delivery.world import mails, owner


@pytest.fixture
def made(house: House) -> Bench:
    return bench(house)


@pytest.fixture
def admin(house: House) -> Person:
    return person(house, roles=[Role.PROGRAM_ADMIN], name="Olu Bankole", email="olu@orrery.example")


def told(house: House, kind: str) -> list[Mail]:
    return [mail for mail in mails(house) if mail.kind == kind]


def to(house: House, kind: str) -> set[str]:
    return {mail.to_address for mail in told(house, kind)}


def due_of(made: Bench) -> datetime:
    with made.house.ledger.begin(system("test")) as tx:
        newest = sa.select(Review.due_at).where(Review.vendor_id == made.desk.vendor_id)
        return tx.session.execute(newest).scalar_one()


def test_most_of_the_time_is_said_once_to_whose_review_it_is(house: House, made: Bench, clock: FixedClock) -> None:
    made.claim()
    watch_levels(house)
    assert told(house, "service_level") == []

    clock.instant = due_of(made) - timedelta(hours=6)
    watch_levels(house)
    watch_levels(house)

    (mail,) = told(house, "service_level")
    assert mail.to_address == made.reviewer.email
    assert mail.context["passed"] is False


def test_what_is_over_is_put_before_those_who_decide_once(house: House, made: Bench, clock: FixedClock) -> None:
    made.claim()
    leads = {made.lead.email, made.second.email, made.third.email}
    clock.instant = due_of(made) + timedelta(minutes=1)

    watch_levels(house)
    watch_levels(house)

    sent = told(house, "service_level")
    assert {mail.to_address for mail in sent} == leads | {made.reviewer.email}
    assert len(sent) == len(leads) + 1
    assert all(mail.context["passed"] for mail in sent)


def test_nobodys_review_is_said_to_every_reviewer(house: House, made: Bench, clock: FixedClock) -> None:
    people = {made.reviewer.email, made.other.email}
    admin = made.admin.email
    clock.instant = due_of(made) - timedelta(hours=6)
    watch_levels(house)
    assert people <= to(house, "service_level")
    assert admin not in to(house, "service_level")


def test_while_it_is_the_vendors_turn_no_time_runs(house: House, made: Bench, clock: FixedClock) -> None:
    made.claim()
    due = due_of(made)
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(Assessment).values(state=AssessmentState.CHANGES_REQUESTED))
    clock.instant = due + timedelta(days=3)
    watch_levels(house)
    assert told(house, "service_level") == []


def test_the_notice_is_a_fact_of_the_trail_and_stays(house: House, made: Bench, clock: FixedClock) -> None:
    clock.instant = due_of(made) + timedelta(days=1)
    watch_levels(house)
    with house.ledger.begin(system("test")) as tx:
        facts = tx.session.execute(sa.text("SELECT fact FROM audit_event WHERE fact LIKE 'service_level%'")).scalars()
        assert list(facts) == ["service_level_passed"]
    with pytest.raises(psycopg.Error), owner(house) as connection:
        connection.execute("UPDATE level_notice SET stage = 'near'")


def test_a_review_is_due_by_the_policy_in_force_when_it_was_signed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = service_levels.LEVELS.first.replace("tier_2: 8", "tier_2: 7")
    published = rulebook.Published
    real = rulebook.current

    def current(tx: object, kind: rulebook.Kind) -> rulebook.Published:
        found = real(tx, kind)  # type: ignore[arg-type]
        if kind is not service_levels.LEVELS:
            return found
        return published(**{**{name: getattr(found, name) for name in found.__dataclass_fields__}, "text": text})

    early = due_of(bench(house))
    monkeypatch.setattr(rulebook, "current", current)
    later = due_of(bench(house, name="Northpier Labelling"))
    assert early - later == timedelta(days=1)


def set_hour(house: House, someone: Person, **channels: str) -> None:
    with house.ledger.begin(someone.actor) as tx:
        chosen = {"morning": "daily", "queue": "now", "levels": "now", "vendors": "daily", **channels}
        preferences.choose(tx, channels=chosen, hour="8", row_version=0)


def test_a_morning_says_what_waits_once_a_day_and_nothing_to_those_for_whom_nothing_does(
    house: House, made: Bench, clock: FixedClock
) -> None:
    made.claim()
    clock.instant = datetime.fromisoformat("2026-11-25T07:59:00+00:00")
    tell_mornings(house)
    before = len(told(house, "queue_digest"))

    clock.instant = datetime.fromisoformat("2026-11-25T08:05:00+00:00")
    tell_mornings(house)
    tell_mornings(house)

    mine = [mail for mail in told(house, "queue_digest")[before:] if mail.to_address == made.reviewer.email]
    (mail,) = mine
    assert mail.context["mine"] == 1
    assert mail.context["unclaimed"] == 0
    assert made.lead.email not in to(house, "queue_digest")
    assert made.admin.email not in to(house, "queue_digest")


def test_no_morning_on_a_weekend_and_none_for_who_wants_none(house: House, made: Bench, clock: FixedClock) -> None:
    other = made.other
    clock.instant = datetime.fromisoformat("2026-11-28T08:05:00+00:00")
    tell_mornings(house)
    assert told(house, "queue_digest") == []
    set_hour(house, made.reviewer, morning="off")
    clock.instant = datetime.fromisoformat("2026-11-30T08:05:00+00:00")
    tell_mornings(house)
    assert made.reviewer.email not in to(house, "queue_digest")
    assert other.email in to(house, "queue_digest"), "a review waits for somebody to take it"


def test_contradictions_are_counted_to_whose_review_it_is_once_for_each_count(house: House, made: Bench) -> None:
    made.claim()
    notify_found(house, vendor_id=str(made.desk.vendor_id))
    assert told(house, "contradiction_found") == []
    for count in (2, 2, 3):
        with house.ledger.begin(system("test")) as tx:
            tx.session.execute(sa.update(Review).values(checks_found=count))
        notify_found(house, vendor_id=str(made.desk.vendor_id))
    assert [mail.context["found"] for mail in told(house, "contradiction_found")] == [2, 3]
    assert to(house, "contradiction_found") == {made.reviewer.email}


def test_a_whole_trail_is_no_news_and_a_broken_one_is_told_once(house: House, made: Bench, admin: Person) -> None:
    auditor = person(house, roles=[Role.AUDITOR], name="Greta Holm")
    verify_trail(house)
    assert told(house, "chain_broken") == []
    with owner(house) as connection:
        connection.execute("SELECT set_config('gatehouse.vendor', '*', false)")
        connection.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
        connection.execute("UPDATE audit_event SET payload = '{}' WHERE seq = 3")

    verify_trail(house)
    verify_trail(house)

    sent = told(house, "chain_broken")
    assert {mail.to_address for mail in sent} >= {admin.email, auditor.email}
    assert made.reviewer.email not in {mail.to_address for mail in sent}
    assert len(sent) == len({mail.to_address for mail in sent})
    assert sent[0].context["first"] == 3


def test_a_key_is_said_to_end_at_thirty_seven_and_one_day_and_when_none_is_left(
    house: House, admin: Person, clock: FixedClock
) -> None:
    house.signing_keys.unlink(missing_ok=True)
    signing.make_file(house.signing_keys, now=house.instant(), life=timedelta(days=40))
    seen = []
    for _ in range(42):
        watch_keys(house)
        seen.append(len(told(house, "key_failing")))
        clock.advance(days=1)
    said = [day for day in range(1, 42) if seen[day] > seen[day - 1]]
    assert [40 - day for day in said] == [30, 7, 1, 0, -1]
    assert told(house, "key_failing")[-1].context["ends_on"] is None


def test_a_key_file_that_cannot_be_read_is_said_and_a_next_key_ends_the_worry(
    house: House, admin: Person, clock: FixedClock
) -> None:
    house.signing_keys.parent.mkdir(parents=True, exist_ok=True)
    house.signing_keys.write_text("{broken")
    watch_keys(house)
    watch_keys(house)
    (mail,) = told(house, "key_failing")
    assert mail.context["reason"] == "The key file cannot be read."

    house.signing_keys.unlink()
    signing.make_file(house.signing_keys, now=house.instant(), life=timedelta(days=5))
    rows = json.loads(house.signing_keys.read_text())
    later = {**rows[0], "kid": "next", "not_after": (house.instant() + timedelta(days=700)).isoformat()}
    house.signing_keys.write_text(json.dumps([*rows, later]))
    watch_keys(house)
    assert len(told(house, "key_failing")) == 1


def test_a_token_that_ends_is_named_by_its_system(house: House, admin: Person, clock: FixedClock) -> None:
    signing.make_file(house.signing_keys, now=house.instant())
    with house.ledger.begin(system("test")) as tx:
        identity.create_client(
            tx, name="IAM", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now + timedelta(days=8)
        )
    for _ in range(12):
        watch_keys(house)
        clock.advance(days=1)
    said = [(mail.context["client"], mail.context["days_left"]) for mail in told(house, "key_failing")]
    assert said == [("IAM", 8), ("IAM", 7), ("IAM", 1), ("IAM", -1)]


@pytest.mark.parametrize(("left", "stage"), [(31, None), (30, 30), (8, 30), (7, 7), (1, 1), (0, 1), (-1, -1), (-9, -1)])
def test_the_stage_of_a_key_is_the_nearest_to_its_end(left: int, stage: int | None) -> None:
    today = datetime(2026, 11, 24).date()  # noqa: DTZ001 - a day
    assert guard.stage_of(today + timedelta(days=left), today) == (stage, left)
