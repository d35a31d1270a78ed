"""What may be chosen, when a digest is due, how near an end is told, and which links end mails."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.delivery import channels, unsubscribing
from portal.delivery.channels import CHANNEL_WORDS, CHOICES, Channel, Group, channel_of, group_of, is_due, last_cut
from portal.delivery.mails import KINDS
from portal.delivery.mails.talk import LINES
from portal.delivery.rules import nearest
from portal.kernel.secrets import Keyring
from portal.terms import Side

ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Kiritimati", "Etc/GMT+12"]
).map(ZoneInfo)
MOMENTS = st.integers(0, 16 * 365 * 86_400).map(lambda n: datetime(2020, 1, 8, tzinfo=UTC) + timedelta(seconds=n))
HOURS = st.integers(0, 23)
KEYS = Keyring(["k" * 40])
PERSON = UUID(int=7)


def test_what_is_urgent_or_about_ones_own_account_can_never_be_put_off() -> None:
    """ux.md, e-mails 14, 15, 16, 26 and 27."""
    always = {
        "incident_questions",
        "access_paused",
        "access_restored",
        "approval_revoked",
        "second_wanted",
        "new_sign_in",
        "role_changed",
        "account_changed",
        "invitation",
        "invitation_ending",
        "invited_elsewhere",
        "address_confirm",
        "address_moved",
        "password_reset",
        "cosign",
        "proposal_fell",
        "proposal_ending",
        "review_escalated",
        "handed_back",
        "evidence_alert",
        "key_failing",
        "chain_broken",
    }
    assert all(group_of(kind) is None for kind in always)


def test_only_what_comes_as_a_digest_can_be_switched_off() -> None:
    off = {group for group, choice in CHOICES.items() if Channel.OFF in choice.channels}
    assert off == {Group.REPLIES, Group.OPENED, Group.VENDORS, Group.MORNING}
    assert all(CHOICES[group].usual is not Channel.OFF for group in CHOICES)
    assert {Channel.DAILY, Channel.WEEKLY} & set(CHOICES[Group.REPLIES].channels)


def test_every_kind_that_can_be_gathered_is_known_and_has_its_line() -> None:
    for choice in CHOICES.values():
        assert choice.kinds <= set(KINDS)
        if choice.kinds not in ({"evidence_opened"}, {"queue_digest"}):
            assert choice.kinds <= set(LINES)
    assert len(set().union(*(choice.kinds for choice in CHOICES.values()))) == sum(
        len(choice.kinds) for choice in CHOICES.values()
    )
    assert set(CHANNEL_WORDS) == set(Channel)


@given(st.sampled_from(Group), st.dictionaries(st.sampled_from([*Group, "x"]), st.sampled_from([*Channel, "shout"])))
def test_whatever_stands_in_a_row_a_group_is_told_in_a_way_it_may_be(group, chosen) -> None:
    assert channel_of(group, chosen) in CHOICES[group].channels


@given(MOMENTS, ZONES, HOURS, st.booleans())
def test_a_digest_was_last_due_at_its_hour_and_not_longer_ago_than_one_round(now, zone, hour, weekly) -> None:
    cut = last_cut(now, zone, hour, weekly=weekly)
    local = cut.astimezone(zone)
    skipped = datetime.combine(local.date(), time(hour), zone).astimezone(UTC).astimezone(zone).hour != hour
    assert cut <= now < cut + timedelta(days=7 if weekly else 1, hours=25 if skipped else 2)
    assert local.hour == hour or skipped
    assert not weekly or local.weekday() == channels.MONDAY or skipped


@given(MOMENTS, st.timedeltas(timedelta(), timedelta(days=40)), ZONES, HOURS, st.booleans())
def test_time_never_takes_a_digest_back(now, later, zone, hour, weekly) -> None:
    assert last_cut(now, zone, hour, weekly=weekly) <= last_cut(now + later, zone, hour, weekly=weekly)


@pytest.mark.parametrize(
    ("zone", "hour", "now", "cut"),
    [
        # the clocks of Berlin skip 02:00 on this day, and show it twice on the other
        ("Europe/Berlin", 2, datetime(2027, 3, 28, 12, tzinfo=UTC), datetime(2027, 3, 28, 1, tzinfo=UTC)),
        ("Europe/Berlin", 2, datetime(2026, 10, 25, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, tzinfo=UTC)),
        ("Europe/Berlin", 8, datetime(2026, 10, 25, 6, 59, tzinfo=UTC), datetime(2026, 10, 24, 6, tzinfo=UTC)),
        ("Europe/Berlin", 8, datetime(2026, 10, 25, 7, tzinfo=UTC), datetime(2026, 10, 25, 7, tzinfo=UTC)),
        # far east of Greenwich it is morning a day earlier
        ("Pacific/Kiritimati", 8, datetime(2026, 11, 23, 18, tzinfo=UTC), datetime(2026, 11, 23, 18, tzinfo=UTC)),
    ],
)
def test_a_digest_follows_the_clocks_of_its_reader(zone, hour, now, cut) -> None:
    assert last_cut(now, ZoneInfo(zone), hour) == cut


@given(MOMENTS, ZONES, HOURS)
def test_what_comes_after_the_hour_waits_for_the_next_digest(now, zone, hour) -> None:
    cut = last_cut(now, zone, hour)
    assert is_due(Channel.DAILY, cut, now, zone, hour)
    assert not is_due(Channel.DAILY, now + timedelta(microseconds=1), now, zone, hour)
    assert is_due(Channel.NOW, now, now, zone, hour)
    assert not is_due(Channel.OFF, cut, now, zone, hour)


DAYS = st.sampled_from([(14, 3, -1), (60, 30, 7), (2,)])


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 120), DAYS, st.sets(st.integers(-3, 140)))
def test_each_stage_is_reached_at_most_once_and_never_goes_back(since, length, days, looked_on) -> None:
    ends_on = since + timedelta(days=length)
    said = [
        nearest(since=since, ends_on=ends_on, days=days, today=since + timedelta(days=each))
        for each in sorted(looked_on)
    ]
    told = [each for each in said if each is not None]
    assert told == sorted(told, reverse=True)
    assert set(told) <= set(days)


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(1, 120), DAYS)
def test_after_any_silence_only_the_nearest_stage_is_left(since, length, days) -> None:
    ends_on = since + timedelta(days=length)
    reached = [each for each in days if 0 <= each < length]

    on_the_day = nearest(since=since, ends_on=ends_on, days=days, today=ends_on)
    long_after = nearest(since=since, ends_on=ends_on, days=days, today=ends_on + timedelta(days=30))

    assert on_the_day == min(reached, default=None)
    assert long_after == (-1 if -1 in days else None)


def test_what_began_within_a_stage_is_not_told_of_that_stage() -> None:
    began = date(2026, 12, 1)
    on = [
        nearest(since=began, ends_on=date(2026, 12, 21), days=(60, 30, 7), today=began + timedelta(n))
        for n in range(21)
    ]
    assert on == [None] * 13 + [7] * 8


def test_a_link_ends_what_it_says_for_whom_it_says_until_it_is_too_old() -> None:
    made = date(2026, 11, 24)
    token = unsubscribing.token_of(KEYS, user_id=PERSON, groups=[Group.REPLIES, Group.OPENED], on=made)

    ending = unsubscribing.read(KEYS, token, on=made + timedelta(days=90))

    assert (ending.user_id, ending.groups) == (PERSON, (Group.REPLIES, Group.OPENED))
    with pytest.raises(unsubscribing.TooOld):
        unsubscribing.read(KEYS, token, on=made + timedelta(days=91))
    assert unsubscribing.read(Keyring(["n" * 40, "k" * 40]), token, on=made) == ending


@given(st.text(max_size=120), st.integers(0, 200))
def test_no_other_link_ends_anything(text, place) -> None:
    made = date(2026, 11, 24)
    token = unsubscribing.token_of(KEYS, user_id=PERSON, groups=[Group.REPLIES], on=made)
    at = place % len(token)
    for forged in (text, token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :], token[:-1], token + "."):
        with pytest.raises(unsubscribing.Unreadable):
            unsubscribing.read(KEYS, forged, on=made)


def test_the_lab_and_the_vendor_choose_among_their_own() -> None:
    both = [channels.choices_of(side) for side in Side]
    assert set().union(*both) == set(Group)
    assert not set(both[0]) & set(both[1])
