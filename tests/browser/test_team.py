"""The team in a real browser: a section goes to a colleague, and a new colleague lands on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from portal.assessments import service as assessments
from portal.delivery import service as delivery
from portal.delivery.models import Mail
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.identity.rules import mail_key
from portal.kernel.actor import system
from portal.terms import MailState, Role
from portal.wiring import House
from tests.browser.counting import Job
from tests.factories.attestations import Desk, desk
from tests.factories.identity import PASSWORD, person

pytestmark = pytest.mark.browser
SYSTEM = system("test")


@pytest.fixture
def quillmark(house: House) -> Desk:
    """A vendor that was asked everything; one section has somebody already."""
    made = desk(house)
    made.settle_scoping()
    with made.at(made.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="iam", user_id=made.admin.id)
    return made


def link_of(made: Desk, email: str) -> str:
    """Return the path of the link that was mailed to an address."""
    with made.at(made.admin.actor) as (tx, row):
        line = next(each for each in people.invitations_of(tx, row.vendor_id) if each.email == email)
        invitation = identity.get_invitation(tx, line.id)
        return identity.link_path(invitation, made.house.keyring)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_j6_a_section_goes_to_a_colleague_in_three_presses(
    quillmark: Desk, visit: Callable[..., Page], script: bool
) -> None:
    page = visit(quillmark.admin, f"/assessments/{quillmark.assessment_id}/s/gov", script=script)
    job = Job(page, script=script)

    job.press("link", "Give this section to a colleague")
    job.press("radio", "Priya Raghunath")
    job.press("button", "Give the section")

    expect(page.get_by_role("status").first).to_have_text("Priya Raghunath has the section now, and is told by mail.")
    job.costs(clicks=3, loads=2)
    with quillmark.at(quillmark.admin.actor) as (tx, row):
        assert assessments.assignees(tx, row)["gov"] == [quillmark.respondent.id]


@pytest.mark.parametrize("script", [True, False], ids=["keys", "no script"])
def test_j6_somebody_new_lands_on_their_section_and_sees_no_other(
    quillmark: Desk, live_server: str, visit: Callable[..., Page], new_page: Callable[..., Page], script: bool
) -> None:
    page = visit(quillmark.admin, f"/team?assessment={quillmark.assessment_id}&section=gov", script=script)
    page.get_by_role("radio", name="Somebody new").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Lena Brandt")
    page.keyboard.press("Tab")
    page.keyboard.type("lena.brandt@quillmark.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Lena Brandt is invited.")

    lena = new_page(script=script)
    job = Job(lena, script=script)
    lena.goto(live_server + link_of(quillmark, "lena.brandt@quillmark.example"))
    secret = lena.locator("code.mono").first.inner_text().replace(" ", "")
    lena.get_by_label("Choose a password", exact=True).fill(PASSWORD)
    with quillmark.house.ledger.begin(SYSTEM) as tx:
        code = totp.code_at(secret, totp.step_at(tx.now))
    lena.get_by_label("Code from your authenticator app").fill(code)
    job.press("button", "Create account")
    job.press("link", "I have kept them, go on")

    expect(lena.get_by_role("heading", level=1)).to_have_text(re.compile("^Governance, assurance"))
    assert lena.url.endswith(f"/assessments/{quillmark.assessment_id}/s/gov")
    job.costs(clicks=2, loads=3)
    lena.goto(f"{live_server}/assessments/{quillmark.assessment_id}/s/iam")
    expect(lena.get_by_text("This section was not given to you.")).to_be_visible()


def in_every_state(made: Desk) -> None:
    """Have somebody in every state that the page can show."""
    house = made.house
    gone = person(house, roles=[Role.RESPONDENT], vendor=made.vendor_id, name="Kofi Mensah")
    with made.at(made.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section="dat", user_id=gone.id)
        assessments.assign_sections(
            tx, assessment=row, sections=["gov", "inf"], user_id=made.respondent.id, due_on=tx.now.date()
        )
        identity.deactivate(tx, user=identity.get_person(tx, gone.id))
    for number, name in enumerate(("Ada Queued", "Ben Sent", "Cleo Bounced", "Dag Opened", "Ewa Expired")):
        with made.at(made.admin.actor) as (tx, row):
            made_one = identity.invite(
                tx,
                email=f"{name.split()[0].lower()}@quillmark.example",
                full_name=name,
                roles=[Role.RESPONDENT],
                side=made.respondent.side,
                vendor_id=row.vendor_id,
                sections=["sub"] if number == 1 else (),
                assessment_id=row.id if number == 1 else None,
                keyring=house.keyring,
            )
            invitation_id, generation = made_one.id, made_one.generation
        with house.ledger.begin(SYSTEM) as tx:
            invitation = identity.get_invitation(tx, invitation_id)
            if name == "Ewa Expired":
                invitation.expires_at = tx.now - timedelta(days=1)
            if name == "Dag Opened":
                identity.note_opened(tx, invitation=invitation)
            if number in (1, 2):
                tx.session.add(_sent(tx.new_id(), invitation.email, mail_key(invitation_id, generation), tx.now, made))
                tx.session.flush()
                mail_id = delivery.newest_sent(tx, invitation.email)
                if number == 2 and mail_id is not None:
                    delivery.bounced(tx, mail_id, reason="550 5.1.1 no such mailbox here")


def _sent(mail_id: object, address: str, key: str, now: object, made: Desk) -> Mail:
    return Mail(
        id=mail_id,
        kind="invitation",
        to_address=address,
        vendor_id=made.vendor_id,
        context={},
        dedupe_key=key,
        state=MailState.SENT,
        transport="smtp",
        created_at=now,
        sent_at=now,
    )
