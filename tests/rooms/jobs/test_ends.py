"""What comes to an end is told at each stage once, until it is settled, and after a silence once only."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments.models import AccessCard
from portal.evidence.models import Evidence
from portal.findings.models import Finding
from portal.identity import service as identity
from portal.jobs.ends import tell_ends
from portal.jobs.mail import deliver_mail
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.terms import FindingState, MailState, RemedyAct, Role, Severity, Side
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person
from tests.factories.lapsing import approved
from tests.rooms.delivery.world import mails


@pytest.fixture
def desk(house):
    made = make_desk(house)
    run_worker(house, once=True)
    return made


def told(house, kind: str) -> list[str]:
    return sorted(mail.to_address for mail in mails(house) if mail.kind == kind)


def days_told(house, kind: str) -> list[int]:
    return sorted({mail.context["days_left"] for mail in mails(house) if mail.kind == kind}, reverse=True)


def finding(house, desk, clock, due_in: int = 30) -> UUID:
    reviewer = person(house, roles=[Role.REVIEWER])
    with house.ledger.begin(system("test")) as tx:
        row = Finding(
            id=tx.new_id(),
            vendor_id=desk.vendor_id,
            number=3,
            assessment_id=desk.assessment_id,
            revision=1,
            question_key=desk.visible()[0].key,
            severity=Severity.HIGH,
            what="CANA-1",
            closes_when="CANA-2",
            due_on=clock.instant.date() + timedelta(days=due_in),
            credit=None,
            state=FindingState.OPEN,
            opened_by=reviewer.id,
            opened_at=tx.now,
            shared_at=tx.now,
        )
        tx.session.add(row)
        return row.id


def change(house, model, row_id, **values) -> None:
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.update(model).where(model.id == row_id).values(**values))


def test_a_finding_is_told_two_weeks_and_three_days_before_and_once_when_it_is_late(house, desk, clock) -> None:
    """ux.md, e-mail 10."""
    finding(house, desk, clock)
    for _day in range(50):
        clock.advance(days=1)
        tell_ends(house)

    assert days_told(house, "finding_due") == [14, 3, -1]
    assert len(told(house, "finding_due")) == 6
    assert set(told(house, "finding_due")) == {desk.admin.email, desk.respondent.email}
    assert "CANA" not in str([mail.context for mail in mails(house)])


def test_after_a_long_silence_one_mail_comes_and_not_three(house, desk, clock) -> None:
    finding(house, desk, clock)
    clock.advance(days=45)
    tell_ends(house)
    tell_ends(house)

    assert days_told(house, "finding_due") == [-15]
    assert len(told(house, "finding_due")) == 2


def test_a_finding_with_proof_on_its_way_is_not_pressed_for_and_its_waiting_mail_is_dropped(house, desk, clock) -> None:
    found = finding(house, desk, clock, due_in=10)
    clock.advance(days=8)
    tell_ends(house)
    change(house, Finding, found, remedy=RemedyAct.SENT)
    for mail in mails(house):
        if mail.kind == "finding_due":
            deliver_mail(house, mail_id=str(mail.id))
    clock.advance(days=30)
    tell_ends(house)

    dropped = [mail for mail in mails(house) if mail.kind == "finding_due"]
    assert {(mail.state, mail.last_error) for mail in dropped} == {
        (MailState.DROPPED, "Proof was sent before this mail left.")
    }
    assert len(dropped) == 2


def test_files_that_end_on_one_day_are_one_mail_without_their_names(house, desk, clock) -> None:
    """ux.md, e-mail 12."""
    ends_on: date = clock.instant.date() + timedelta(days=65)
    files = [desk.file(kind="OTHER", title=f"CANA-{n}", valid_until=ends_on) for n in range(3)]
    with house.ledger.begin(system("test")) as tx:
        tx.session.execute(
            sa.update(Evidence).where(Evidence.id == files[1]).values(supersedes_id=files[0], valid_until=ends_on)
        )
    for _day in range(70):
        clock.advance(days=1)
        tell_ends(house)

    found = [mail for mail in mails(house) if mail.kind == "evidence_ends"]
    assert days_told(house, "evidence_ends") == [60, 30, 7]
    assert {len(mail.context["evidence_ids"]) for mail in found} == {2}
    assert "CANA" not in str([mail.context for mail in found])


def test_a_file_that_was_replaced_while_its_mail_waited_is_not_told(house, desk, clock) -> None:
    old = desk.file(kind="OTHER", valid_until=clock.instant.date() + timedelta(days=31))
    clock.advance(days=1)
    tell_ends(house)
    newer = desk.file(kind="OTHER", valid_until=clock.instant.date() + timedelta(days=400))
    change(house, Evidence, newer, supersedes_id=old)
    for mail in mails(house):
        if mail.kind == "evidence_ends":
            deliver_mail(house, mail_id=str(mail.id))

    assert {mail.last_error for mail in mails(house) if mail.kind == "evidence_ends"} == {
        "The files were replaced before this mail left."
    }


def test_an_approval_is_told_to_those_who_can_renew_it_until_it_is_renewed(house, clock) -> None:
    """ux.md, e-mail 13."""
    approved(house)
    with house.ledger.begin(system("test")) as tx:
        card = tx.session.execute(sa.select(AccessCard)).scalars().one()
        until = min(
            date.fromisoformat(card.body[each]) for each in ("valid_until", "evidence_until") if card.body.get(each)
        )
    clock.instant += (until - timedelta(days=30)) - clock.instant.date()
    tell_ends(house)
    tell_ends(house)

    assert days_told(house, "approval_ends") == [30]
    with house.ledger.begin(system("test")) as tx:
        row = tx.session.execute(sa.select(AccessCard)).scalars().one()
        row.body = {**row.body, "valid_until": "2031-01-01", "evidence_until": None}
    for mail in mails(house):
        if mail.kind == "approval_ends":
            deliver_mail(house, mail_id=str(mail.id))
    assert {mail.state for mail in mails(house) if mail.kind == "approval_ends"} == {MailState.DROPPED}


def test_who_did_not_come_hears_once_before_the_link_ends_and_not_after_they_came(house, clock) -> None:
    """ux.md, e-mail 3."""
    with house.ledger.begin(system("test")) as tx:
        identity.invite(
            tx,
            email="late@orrery.example",
            full_name="Late Comer",
            roles=[Role.REVIEWER],
            side=Side.LAB,
            keyring=house.keyring,
        )
    for _day in range(9):
        clock.advance(days=1)
        tell_ends(house)
    assert told(house, "invitation_ending") == ["late@orrery.example"]

    run_worker(house, once=True)
    (mail,) = [each for each in mails(house) if each.kind == "invitation_ending"]
    assert (mail.state, mail.last_error) == (
        MailState.DROPPED,
        "The invitation was used, renewed or taken back before this mail left.",
    )
