"""The mail page of a development machine: whole mails with working links, for program admins, never in production."""

from __future__ import annotations

import dataclasses
import re

import pytest
import sqlalchemy as sa

from portal.delivery.mails import KINDS
from portal.identity import service as identity
from portal.identity.models import UserAccount
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.sites.lab.mail.wording import KINDS as KIND_WORDS
from portal.terms import Role, Side
from tests.factories.identity import person
from tests.rooms.delivery.world import mails, queue_mail


@pytest.fixture
def admin(house):
    return person(house, roles=[Role.PROGRAM_ADMIN], name="Ines Vidal")


def test_an_invitation_can_be_read_and_its_link_opens(house, admin, signed_in, client) -> None:
    with house.ledger.begin(system("test")) as tx:
        identity.invite(
            tx,
            email="mei.tanaka@orrery.example",
            full_name="Mei Tanaka",
            roles=[Role.REVIEWER],
            side=Side.LAB,
            keyring=house.keyring,
        )
    run_worker(house, once=True)
    browser = signed_in(admin)
    (mail,) = [each for each in mails(house) if each.to_address == "mei.tanaka@orrery.example"]

    listing = browser.get("/lab/mail").get_data(as_text=True)
    shown = browser.get(f"/lab/mail/{mail.id}").get_data(as_text=True)

    assert f"/lab/mail/{mail.id}" in listing
    link = re.search(r'href="http://127\.0\.0\.1:8000(/invitation/[^"]+)">Accept the invitation', shown)
    assert link is not None
    opened = client.get(link[1], follow_redirects=True)
    assert opened.status_code == 200
    assert "Mei Tanaka" in opened.get_data(as_text=True)
    assert mail.transport == "kept for the mail page"
    assert "token" not in str(mail.context)
    assert link[1].rpartition("/")[2] not in str(mail.context)


def test_the_html_is_framed_without_scripts(house, admin, signed_in) -> None:
    queue_mail(house, to_name="<script>alert(1)</script>")
    mail = next(each for each in mails(house) if each.kind == "new_sign_in")

    answer = signed_in(admin).get(f"/lab/mail/{mail.id}/html")

    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "sandbox allow-popups" in policy
    assert "script-src" not in policy
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "<script" not in answer.get_data(as_text=True)


def test_a_mail_whose_link_is_over_shows_why_and_no_link(house, admin, signed_in) -> None:
    context = {
        "invitation_id": "00000000-0000-7000-8000-00000000ffff",
        "expires_at": "2026-12-01T09:00:00Z",
        "roles": ["reviewer"],
    }
    queue_mail(house, kind="invitation", context=context)
    (mail,) = [each for each in mails(house) if each.kind == "invitation"]
    browser = signed_in(admin)

    shown = browser.get(f"/lab/mail/{mail.id}")

    assert shown.status_code == 200
    assert "The invitation was used, renewed or taken back before this mail left." in shown.get_data(as_text=True)
    assert browser.get(f"/lab/mail/{mail.id}/html").status_code == 404


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEAD_APPROVER, Role.AUDITOR])
def test_nobody_else_reads_mail(house, signed_in, role) -> None:
    queue_mail(house)
    browser = signed_in(person(house, roles=[role]))
    assert browser.get("/lab/mail").status_code == 403
    assert browser.get(f"/lab/mail/{mails(house)[0].id}").status_code == 403


def test_what_is_not_there_is_not_found(admin, signed_in) -> None:
    assert signed_in(admin).get("/lab/mail/00000000-0000-7000-8000-00000000ffff").status_code == 404


def test_in_production_there_is_no_such_page(house, admin, settings, signed_in) -> None:
    house.settings = dataclasses.replace(settings, env="production")
    queue_mail(house)

    assert signed_in(admin).get("/lab/mail").status_code == 404


def test_every_kind_of_mail_is_named_in_words_and_shown_by_the_clock_of_its_reader(house, admin, signed_in) -> None:
    assert set(KIND_WORDS) == set(KINDS)
    reader = person(house, roles=[Role.REVIEWER])
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(UserAccount).where(UserAccount.id == reader.id).values(timezone="Asia/Tokyo"))
    queue_mail(house, user_id=reader.id)
    mail = next(each for each in mails(house) if each.kind == "new_sign_in")
    browser = signed_in(admin)

    assert ">New sign-in</a>" in browser.get("/lab/mail").get_data(as_text=True)
    assert "24 November 2026 at 18:00 JST" in browser.get(f"/lab/mail/{mail.id}").get_data(as_text=True)
