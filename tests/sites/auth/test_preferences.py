"""Choosing what one hears of by mail, and ending a digest with one click."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from portal.delivery import preferences, unsubscribing
from portal.delivery.channels import Channel, Group
from portal.delivery.service import Claim
from portal.jobs.mail import _unsubscribe
from portal.kernel.actor import system
from portal.terms import Role
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person

CHOICE = {"work": "now", "dates": "daily", "replies": "weekly", "opened": "off", "hour": "7", "row_version": "0"}


@pytest.fixture
def desk(house):
    return make_desk(house)


def wishes(house, someone) -> preferences.Wishes:
    with house.ledger.begin(system("test")) as tx:
        return preferences.wishes(tx, someone.id)


def text(response) -> str:
    return response.get_data(as_text=True)


def link(house, someone, *groups: Group, clock) -> str:
    token = unsubscribing.token_of(house.keyring, user_id=someone.id, groups=groups, on=clock.instant.date())
    return f"/unsubscribe/{token}"


def test_a_person_chooses_and_finds_it_again(house, desk, signed_in) -> None:
    browser = signed_in(desk.admin)
    first = text(browser.get("/account/mail"))
    assert "Who opened your evidence" in first
    assert "These cannot be switched off." in first
    assert 'href="/account/mail"' in text(browser.get("/account"))

    kept = browser.post("/account/mail", data=CHOICE, follow_redirects=True)

    assert "Your choice is kept" in text(kept)
    assert re.search(r'name="replies" value="weekly" checked', text(kept))
    assert re.search(r'<option value="7" selected>07:00', text(kept))
    assert wishes(house, desk.admin).channel(Group.OPENED) is Channel.OFF


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("work", "off", "Choose how you want to hear of this"),
        ("replies", "", "Choose how you want to hear of this"),
        ("hour", "24", "Choose an hour from 0 to 23"),
        ("hour", "\u0663", "Choose an hour from 0 to 23"),
    ],
)
def test_what_cannot_be_chosen_is_said_at_the_field_and_nothing_is_kept(
    house, desk, signed_in, field, value, said
) -> None:
    refused = signed_in(desk.admin).post("/account/mail", data={**CHOICE, field: value})
    assert refused.status_code == 422
    assert said in text(refused)
    assert re.search(r'name="dates" value="daily" checked', text(refused))
    assert wishes(house, desk.admin) == preferences.Wishes()


def test_a_second_window_is_told_and_shows_what_was_chosen_in_the_first(house, desk, signed_in) -> None:
    browser = signed_in(desk.admin)
    browser.post("/account/mail", data=CHOICE)
    late = browser.post("/account/mail", data={**CHOICE, "replies": "off"})
    assert late.status_code == 409
    assert "You changed this in another window" in text(late)
    assert wishes(house, desk.admin).channel(Group.REPLIES) is Channel.WEEKLY


def test_the_lab_chooses_among_its_own(house, signed_in) -> None:
    someone = person(house, roles=[Role.REVIEWER])
    browser = signed_in(someone)
    assert "Replies, proof and plans from vendors" in text(browser.get("/account/mail"))
    data = {"morning": "weekly", "queue": "daily", "levels": "now", "vendors": "off", "hour": "9", "row_version": "0"}
    assert browser.post("/account/mail", data=data).status_code == 303
    assert wishes(house, someone).channel(Group.VENDORS) is Channel.OFF


def test_a_mail_program_ends_a_digest_signed_out_without_a_form_token(house, desk, client, clock) -> None:
    """RFC 8058: one POST, as often as the program likes."""
    address = link(house, desk.admin, Group.REPLIES, clock=clock)
    for _again in range(2):
        answer = client.post(address, data={"List-Unsubscribe": "One-Click"}, csrf=False)
        assert answer.status_code == 200
    now = wishes(house, desk.admin)
    assert (now.channel(Group.REPLIES), now.channel(Group.WORK), now.row_version) == (Channel.OFF, Channel.NOW, 1)


def test_looking_at_the_link_ends_nothing(house, desk, client, clock) -> None:
    """Mail filters open every link."""
    page = client.get(link(house, desk.admin, Group.REPLIES, clock=clock))
    assert "Press the button" in text(page)
    assert "Messages in a conversation" in text(page)
    assert wishes(house, desk.admin) == preferences.Wishes()


def test_it_keeps_what_was_chosen_before(house, desk, signed_in, client, clock) -> None:
    signed_in(desk.admin).post("/account/mail", data={**CHOICE, "opened": "weekly"})
    client.post(link(house, desk.admin, Group.OPENED, clock=clock), csrf=False)
    now = wishes(house, desk.admin)
    assert (now.channel(Group.OPENED), now.channel(Group.REPLIES), now.hour) == (Channel.OFF, Channel.WEEKLY, 7)


def test_what_may_not_be_ended_is_not_ended_by_a_link_either(house, desk, client, clock) -> None:
    client.post(link(house, desk.admin, Group.WORK, Group.REPLIES, clock=clock), csrf=False)
    assert wishes(house, desk.admin).channel(Group.WORK) is Channel.NOW


def test_a_forged_a_cut_and_an_old_link_end_nothing_and_say_so(house, desk, client, clock) -> None:
    address = link(house, desk.admin, Group.REPLIES, clock=clock)
    for broken in (address[:-1], address.replace(desk.admin.id.hex, desk.respondent.id.hex), "/unsubscribe/x"):
        answer = client.post(broken, csrf=False)
        assert answer.status_code == 410
        assert "This link is not complete" in text(answer)
    clock.advance(days=91)
    answer = client.post(address, csrf=False)
    assert answer.status_code == 410
    assert "This link is too old" in text(answer)
    assert wishes(house, desk.admin) == preferences.Wishes()
    assert wishes(house, desk.respondent) == preferences.Wishes()


def test_only_digests_carry_the_link_and_it_works(house, desk, client, clock) -> None:
    def claim(kind: str, **context) -> Claim:
        with house.ledger.begin(system("test")) as tx:
            return Claim(tx.new_id(), 1, kind, desk.admin.email, "", context, tx.now, desk.admin.id)

    lines = [{"kind": "reply", "number": 1}, {"kind": "reminder", "number": 1}]
    address = _unsubscribe(house, claim("digest", lines=lines))
    assert address.startswith(f"{house.settings.base_url}/unsubscribe/")
    assert _unsubscribe(house, claim("digest", lines=lines[1:])) == ""
    assert _unsubscribe(house, claim("new_sign_in")) == ""
    client.post(address.removeprefix(house.settings.base_url), csrf=False)
    assert wishes(house, desk.admin).channel(Group.REPLIES) is Channel.OFF
    with house.ledger.begin(system("test")) as tx:
        names = tx.session.execute(sa.text("SELECT fact FROM audit_event WHERE fact LIKE 'mail_%'")).scalars().all()
    assert "mail_unsubscribed" in names
