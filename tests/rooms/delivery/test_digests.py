"""What people chose: told at once, gathered at their own hour, or not at all; and who opened a vendor's evidence."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa

from portal.attestations import service as attestations
from portal.delivery import preferences
from portal.delivery import service as delivery
from portal.delivery.channels import CHOICES, Channel, Group, choices_of
from portal.delivery.models import DigestItem
from portal.evidence.models import EvidenceOpening
from portal.identity.models import UserAccount
from portal.jobs.digests import gather_digests
from portal.jobs.ends import tell_ends
from portal.jobs.mail import deliver_mail
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.terms import Look, MailState, Role, Side
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person
from tests.rooms.delivery.world import jobs_of, mails
from tests.rooms.jobs.test_ends import finding

MONDAY = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


@pytest.fixture
def desk(house, clock):
    made = make_desk(house)
    clock.instant = MONDAY
    run_worker(house, once=True)
    return made


def choose(house, someone, hour: int = 8, version: int = 0, **chosen: Channel) -> None:
    usual = {group.value: choice.usual.value for group, choice in choices_of(Side.VENDOR).items()}
    with house.ledger.begin(someone.actor) as tx:
        preferences.choose(tx, channels={**usual, **chosen}, hour=str(hour), row_version=version)


def live_in(house, someone, zone: str) -> None:
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(UserAccount).where(UserAccount.id == someone.id).values(timezone=zone))


def say(house, desk, someone, key: str, kind: str = "reply", **context: Any) -> None:
    about: Mapping[str, Any] = {
        "assessment_id": desk.assessment_id,
        "vendor_name": "Quillmark",
        "title": "Assessment",
        "replies": 2,
        **context,
    }
    with house.ledger.begin(system("test")) as tx:
        delivery.send(
            tx,
            kind=kind,
            to_address=someone.email,
            to_name=someone.full_name,
            user_id=someone.id,
            vendor_id=desk.vendor_id,
            context=about,
            dedupe_key=key,
        )


def ask(desk) -> str:
    """Let the lab have the last word about a question; return its key."""
    key = desk.visible()[0].key
    with desk.at(system("test")) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=key, body="CANA-1 Who can open the seal?")
    return key


def digests(house) -> list[Any]:
    return [mail for mail in mails(house) if mail.kind == "digest"]


def items(house) -> list[DigestItem]:
    with house.ledger.begin(system("test")) as tx:
        return list(tx.session.execute(sa.select(DigestItem).order_by(DigestItem.dedupe_key)).scalars())


def test_what_is_gathered_leaves_once_at_the_readers_hour_with_counts_alone(house, desk, clock) -> None:
    ask(desk)
    live_in(house, desk.respondent, "Europe/Berlin")
    say(house, desk, desk.respondent, "one")
    say(house, desk, desk.respondent, "two")
    say(house, desk, desk.respondent, "two")

    gather_digests(house)
    assert digests(house) == []

    clock.instant = MONDAY + timedelta(minutes=30)
    gather_digests(house)
    gather_digests(house)

    (mail,) = digests(house)
    assert mail.to_address == desk.respondent.email
    assert mail.context["lines"] == [{"kind": "reply", "number": 4}]
    assert "CANA" not in str(mail.context)
    assert {each.mail_id for each in items(house)} == {mail.id}


def test_what_comes_after_the_hour_waits_for_the_next_day_and_days_of_silence_make_one_digest(
    house, desk, clock
) -> None:
    ask(desk)
    clock.instant = MONDAY + timedelta(hours=2)
    say(house, desk, desk.respondent, "one")
    gather_digests(house)
    assert digests(house) == []

    clock.advance(days=3)
    say(house, desk, desk.respondent, "two")
    clock.advance(days=2)
    gather_digests(house)

    (mail,) = digests(house)
    assert mail.context["lines"] == [{"kind": "reply", "number": 4}]


def test_at_once_is_a_mail_of_its_own_and_off_is_none_with_its_reason_kept(house, desk) -> None:
    ask(desk)
    choose(house, desk.respondent, replies=Channel.NOW)
    choose(house, desk.admin, replies=Channel.OFF)
    say(house, desk, desk.respondent, "one")
    say(house, desk, desk.admin, "two")
    gather_digests(house)

    assert [mail.to_address for mail in mails(house) if mail.kind == "reply"] == [desk.respondent.email]
    assert digests(house) == []
    assert [each.left_out for each in items(house)] == ["Its reader chose not to hear of this."]


def test_a_change_of_mind_says_nothing_twice_and_loses_nothing(house, desk, clock) -> None:
    ask(desk)
    say(house, desk, desk.respondent, "kept")
    choose(house, desk.respondent, replies=Channel.NOW)
    say(house, desk, desk.respondent, "kept")
    say(house, desk, desk.respondent, "mailed")
    choose(house, desk.respondent, version=1, replies=Channel.DAILY)
    say(house, desk, desk.respondent, "mailed")
    assert [each.dedupe_key for each in items(house)] == ["kept"]
    choose(house, desk.respondent, version=2, replies=Channel.NOW)

    gather_digests(house)

    assert len(digests(house)) == 1
    assert len([mail for mail in mails(house) if mail.kind == "reply"]) == 1


def test_what_was_settled_before_the_hour_is_left_out(house, desk, clock) -> None:
    key = ask(desk)
    say(house, desk, desk.respondent, "one", keys=[key])
    desk.reply(key)
    clock.advance(days=1)
    gather_digests(house)

    assert digests(house) == []
    assert [each.left_out for each in items(house)] == ["It was answered before this mail left."]


def test_a_reply_that_was_answered_while_its_mail_waited_is_dropped(house, desk) -> None:
    key = ask(desk)
    choose(house, desk.respondent, replies=Channel.NOW)
    say(house, desk, desk.respondent, "one", keys=[key])
    desk.reply(key)
    (mail,) = [each for each in mails(house) if each.kind == "reply"]
    deliver_mail(house, mail_id=str(mail.id))

    (mail,) = [each for each in mails(house) if each.kind == "reply"]
    assert (mail.state, mail.last_error) == (MailState.DROPPED, "It was answered before this mail left.")


def test_a_weekly_digest_comes_on_mondays(house, desk, clock) -> None:
    ask(desk)
    choose(house, desk.respondent, replies=Channel.WEEKLY)
    clock.instant = MONDAY + timedelta(days=1)
    say(house, desk, desk.respondent, "one")
    clock.instant = MONDAY + timedelta(days=6, hours=17)
    gather_digests(house)
    assert digests(house) == []

    clock.instant = MONDAY + timedelta(days=7, hours=2)
    gather_digests(house)

    (mail,) = digests(house)
    assert mail.context["weekly"] is True


def test_who_left_is_told_nothing_of_what_was_gathered(house, desk, clock) -> None:
    ask(desk)
    say(house, desk, desk.respondent, "one")
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(
            sa.update(UserAccount).where(UserAccount.id == desk.respondent.id).values(deactivated_at=tx.now)
        )
    clock.advance(days=1)
    gather_digests(house)

    assert digests(house) == []
    assert [each.left_out for each in items(house)] == ["Its reader cannot sign in any more."]


def test_vendor_admins_hear_once_a_week_how_much_was_opened_and_can_end_it(house, desk, clock) -> None:
    """ux.md, e-mail 18."""
    reviewer = person(house, roles=[Role.REVIEWER])
    evidence_id = desk.file()
    clock.advance(days=1)
    with house.ledger.begin(system("test")) as tx:
        for side in (Side.LAB, Side.LAB, Side.VENDOR):
            tx.session.add(
                EvidenceOpening(
                    id=tx.new_id(),
                    vendor_id=desk.vendor_id,
                    evidence_id=evidence_id,
                    opened_by=reviewer.id,
                    opened_by_name=reviewer.full_name,
                    side=side,
                    at=tx.now,
                    look=Look.ORIGINAL,
                )
            )
    clock.instant = MONDAY + timedelta(days=6)
    gather_digests(house)
    assert [mail for mail in mails(house) if mail.kind == "evidence_opened"] == []

    clock.instant = MONDAY + timedelta(days=7, hours=2)
    gather_digests(house)
    gather_digests(house)

    (mail,) = [mail for mail in mails(house) if mail.kind == "evidence_opened"]
    assert mail.to_address == desk.admin.email
    assert (mail.context["openings"], mail.context["files"], mail.context["people"]) == (2, 1, 1)
    clock.advance(days=7)
    gather_digests(house)
    assert len([mail for mail in mails(house) if mail.kind == "evidence_opened"]) == 1


def test_a_choice_is_kept_for_oneself_and_a_stale_form_changes_nothing(house, desk) -> None:
    choose(house, desk.respondent, hour=6, replies=Channel.WEEKLY)
    with pytest.raises(Conflict):
        choose(house, desk.respondent, replies=Channel.OFF)

    with house.ledger.begin(desk.admin.actor) as tx:
        assert preferences.wishes(tx, desk.admin.id) == preferences.Wishes()
        wishes = preferences.wishes(tx, desk.respondent.id)
    assert (wishes.hour, wishes.channel(Group.REPLIES), wishes.row_version) == (6, Channel.WEEKLY, 1)


@pytest.mark.parametrize("group", choices_of(Side.VENDOR))
@pytest.mark.parametrize("channel", [*Channel, "shout"])
def test_every_group_takes_what_it_may_be_told_by_and_nothing_else(house, desk, group, channel) -> None:
    """The matrix of groups and channels: what cannot be put off is not offered, and not taken either."""
    if channel in CHOICES[group].channels:
        choose(house, desk.respondent, **{group.value: channel})
        with house.ledger.begin(desk.respondent.actor) as tx:
            assert preferences.wishes(tx, desk.respondent.id).channel(group) == channel
        return
    with pytest.raises(Refused) as refusal:
        choose(house, desk.respondent, **{group.value: channel})
    assert set(refusal.value.problems) == {group.value}


def test_a_vendor_sees_no_choice_of_another_vendors_people(house, desk) -> None:
    other = make_desk(house, name="Tern Data Works")
    choose(house, other.admin, hour=3, replies=Channel.OFF)
    with house.ledger.begin(desk.admin.actor) as tx:
        assert preferences.wishes(tx, other.admin.id) == preferences.Wishes()
        with pytest.raises((NotFound, sa.exc.DBAPIError)):
            preferences.switch_off(tx, user_id=other.respondent.id, vendor_id=other.vendor_id, groups=[Group.REPLIES])


def test_two_schedulers_at_once_say_each_thing_once(house, desk, clock) -> None:
    """security.md R24."""
    ask(desk)
    for number in range(4):
        say(house, desk, desk.respondent, f"item {number}")
        say(house, desk, desk.admin, f"admin {number}")
    finding(house, desk, clock, due_in=4)
    clock.advance(days=1)
    start = Barrier(4)

    def work(job) -> None:
        start.wait()
        job(house)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [gather_digests, tell_ends, gather_digests, tell_ends]))

    assert sorted(mail.to_address for mail in digests(house)) == sorted([desk.admin.email, desk.respondent.email])
    assert {mail.context["lines"][0]["number"] for mail in digests(house)} == {8}
    assert len([mail for mail in mails(house) if mail.kind == "finding_due"]) == 2
    waiting = [args["mail_id"] for name, args, status in jobs_of(house) if name == "deliver_mail" and status == "todo"]
    assert len(waiting) == len(set(waiting)) == 4
