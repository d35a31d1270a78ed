"""Who is told of what: from a fact, through a job, to one mail for each person."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.delivery import service as delivery
from portal.delivery.mails.people import hours
from portal.delivery.models import DigestItem
from portal.gate import service as gate
from portal.identity import service as identity
from portal.identity.models import UserAccount
from portal.jobs.access import notify_access
from portal.jobs.mail import deliver_mail
from portal.jobs.notify import notify_vendor
from portal.jobs.remind import remind_due
from portal.jobs.worker import run_worker
from portal.kernel import signing
from portal.kernel.actor import system
from portal.policy import Action
from portal.terms import MailState, Role, Side
from portal.vendors.models import Vendor
from tests.factories import carrying
from tests.factories.attestations import desk as make_desk
from tests.factories.identity import person, session_token
from tests.rooms.delivery.world import jobs_of, mails


def told(house, kind: str) -> list[str]:
    """Work off what waits; return to whom mails of this kind went."""
    run_worker(house, once=True)
    return [mail.to_address for mail in mails(house) if mail.kind == kind]


@pytest.fixture
def desk(house):
    made = make_desk(house)
    run_worker(house, once=True)
    return made


def test_an_invited_person_gets_one_mail_for_each_link(house, clock) -> None:
    with house.ledger.begin(system("test")) as tx:
        invitation = identity.invite(
            tx,
            email="mei@orrery.example",
            full_name="Mei Tanaka",
            roles=[Role.REVIEWER],
            side=Side.LAB,
            keyring=house.keyring,
        )
    assert told(house, "invitation") == ["mei@orrery.example"]

    clock.advance(minutes=2)
    with house.ledger.begin(system("test")) as tx:
        again = identity.find(tx, token=identity.link_token(invitation, house.keyring))
        identity.resend(tx, invitation=again, keyring=house.keyring)

    assert told(house, "invitation") == ["mei@orrery.example"] * 2


def test_an_invitation_that_was_used_before_its_job_ran_needs_no_mail(house) -> None:
    person(house, roles=[Role.REVIEWER])
    assert told(house, "invitation") == []
    assert told(house, "role_changed") == []


def test_a_section_is_told_to_the_person_it_was_given_to(house, desk) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        section = desk.questionnaire.sections[0]
        assessments.assign_section(tx, assessment=row, section=section.key, user_id=desk.respondent.id)

    assert told(house, "section_given") == [desk.respondent.email]
    (mail,) = [each for each in mails(house) if each.kind == "section_given"]
    assert mail.context["section_title"] == section.title
    assert mail.context["given_by"] == desk.admin.full_name


def test_signing_gives_the_vendor_a_receipt_and_tells_the_reviewers(house, desk) -> None:
    reviewer = person(house, roles=[Role.REVIEWER])
    person(house, roles=[Role.PROGRAM_ADMIN])
    desk.complete()
    attestation_id = desk.sign()

    assert told(house, "receipt") == sorted([desk.admin.email, desk.signatory.email])
    assert told(house, "new_submission") == [reviewer.email]
    receipt = next(each for each in mails(house) if each.kind == "receipt")
    with house.ledger.begin(system("test")) as tx:
        assert receipt.context["fingerprint"] == attestations.get(tx, attestation_id, Action.ASSESSMENT_READ).digest


def test_a_vendor_hears_what_it_can_confirm_when_it_is_asked_again_and_when_it_moves(house) -> None:
    """ux.md, e-mail 17."""
    first, _ = carrying.signed_desk(house)
    assert told(house, "asked_again") == []
    second = carrying.again(first)

    assert told(house, "asked_again") == sorted([first.admin.email, first.respondent.email])
    third = carrying.publish(house, carrying.V2.replace("version: 2\ntitle", "version: 3\ntitle"))
    with second.at(system("test")) as (tx, row):
        seen = attestations.migration_preview(tx, row, third).digest
        attestations.migrate(tx, assessment=row, version_id=third, row_version=row.row_version, seen_digest=seen)

    assert len(told(house, "asked_again")) == 4
    found = [each.context for each in mails(house) if each.kind == "asked_again"]
    assert {(each["to_confirm"], each["again"], each["new"]) for each in found} == {(5, 2, 1)}
    assert sorted(each["moved"] for each in found) == [False, False, True, True]


def test_reminders_list_what_is_left_come_once_a_stage_and_stop_when_it_is_signed(house, desk, clock) -> None:
    with desk.at(desk.admin.actor) as (tx, row):
        section = desk.questionnaire.sections[0]
        assessments.assign_section(tx, assessment=row, section=section.key, user_id=desk.respondent.id)
        due_on: date = row.due_on
    remind_due(house)
    assert told(house, "reminder") == []

    clock.instant += (due_on - timedelta(days=7)) - clock.instant.date()
    remind_due(house)
    remind_due(house)

    assert told(house, "reminder") == sorted([desk.admin.email, desk.respondent.email])
    theirs = {mail.to_address: mail.context["left"] for mail in mails(house) if mail.kind == "reminder"}
    assert [line["section_title"] for line in theirs[desk.respondent.email]] == [section.title]
    assert len(theirs[desk.admin.email]) > 1
    desk.complete()
    desk.sign()
    clock.advance(days=5)
    remind_due(house)
    assert len(told(house, "reminder")) == 2


def test_a_reminder_that_waited_until_after_the_signature_is_dropped(house, desk, clock) -> None:
    with desk.at(desk.admin.actor) as (_tx, row):
        clock.instant += (row.due_on - timedelta(days=2)) - clock.instant.date()
    remind_due(house)
    desk.complete()
    desk.sign()

    for mail in mails(house):
        if mail.kind == "reminder":
            deliver_mail(house, mail_id=str(mail.id))

    assert {mail.state for mail in mails(house) if mail.kind == "reminder"} == {MailState.DROPPED}


def test_a_reply_is_a_digest_for_whose_review_it_is(house, desk) -> None:
    with desk.at(desk.respondent.actor) as (tx, row):
        key = desk.visible()[0].key
        for body in ("What counts as access?", "And for contractors?"):
            attestations.post_message(tx, assessment=row, question_key=key, body=body)

    waiting = [name for name, args, _status in jobs_of(house) if args.get("what") == "reply_received"]

    assert waiting == ["notify_reviewers"]


def test_a_pause_and_its_end_are_told_to_all_of_the_vendors_people_and_to_nobody_else(house, desk) -> None:
    signing.make_file(house.signing_keys, now=house.instant())
    other = make_desk(house, name="Tern Data Works")
    lead = person(house, roles=[Role.LEAD_APPROVER], email="lead@orrery.example")
    second = person(house, roles=[Role.LEAD_APPROVER], email="second@orrery.example")
    everybody = sorted({desk.admin.email, desk.respondent.email, desk.signatory.email})
    with house.ledger.begin(lead.fresh) as tx:
        vendor = tx.session.get_one(Vendor, desk.vendor_id)
        pause_id: UUID = gate.pause(tx, vendor=vendor, reason="Credentials found in a public repository").id

    assert told(house, "access_paused") == everybody
    assert other.admin.email not in everybody
    (body,) = {str(mail.context) for mail in mails(house) if mail.kind == "access_paused"}
    assert "Credentials" not in body

    with house.ledger.begin(lead.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.ask_resume(tx, pause=row, plan="Rotated and watched", row_version=row.row_version)
    with house.ledger.begin(second.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.confirm_resume(tx, pause=row, row_version=row.row_version, sealer=house.signer)
    assert told(house, "access_restored") == everybody


def test_who_is_deactivated_or_never_came_is_not_written_to(house, desk) -> None:
    with house.ledger.begin(system("test")) as tx:
        identity.invite(
            tx,
            email="late@v.example",
            full_name="Late Comer",
            roles=[Role.SIGNATORY],
            side=Side.VENDOR,
            vendor_id=desk.vendor_id,
            keyring=house.keyring,
        )
        delivery.enqueue(tx, "notify_vendor", what="ready_to_sign", assessment_id=desk.assessment_id)

    assert told(house, "ready_to_sign") == [desk.signatory.email]


def test_a_sign_in_from_a_browser_not_seen_before_is_told_and_a_first_one_is_not(house, clock) -> None:
    someone = person(house, roles=[Role.REVIEWER])
    session_token(house, someone)
    assert told(house, "new_sign_in") == []
    clock.advance(minutes=5)
    session_token(house, someone)
    assert told(house, "new_sign_in") == []


def test_words_that_a_job_does_not_know_are_a_failure_and_not_silence(house, desk) -> None:
    with house.ledger.begin(system("test")) as tx:
        delivery.enqueue(tx, "notify_vendor", what="gossip", assessment_id=desk.assessment_id)
    run_worker(house, once=True)
    assert [status for _name, args, status in jobs_of(house) if args.get("what") == "gossip"] == ["todo"]


def test_all_questions_of_a_review_are_one_mail(house, desk) -> None:
    desk.complete()
    desk.sign()
    desk.send_back(*[question.key for question in desk.visible()[:3]])

    assert told(house, "questions") == sorted([desk.admin.email, desk.respondent.email])
    assert {mail.context["questions"] for mail in mails(house) if mail.kind == "questions"} == {3}


def test_an_outcome_is_told_without_what_it_is(house, desk) -> None:
    desk.complete()
    desk.sign()
    with desk.at(system("test")) as (tx, row):
        assessments.take_into_review(tx, assessment=row)
        assessments.recommend(tx, assessment=row)
        assessments.decide(tx, assessment=row)
        assessments.publish_outcome(tx, assessment=row, number=101, body={"outcome": "reject", "score": 41})

    assert told(house, "decision") == sorted([desk.admin.email, desk.signatory.email])
    said = str([mail.context for mail in mails(house) if mail.kind == "decision"])
    assert "reject" not in said
    assert "41" not in said.replace(str(desk.assessment_id), "")


@pytest.mark.parametrize(
    ("questions", "said"),
    [
        (5, "less than an hour"),
        (11, "about an hour"),
        (25, "1 to 2 hours, in as many sittings as you like"),
        (131, "7 to 13 hours, in as many sittings as you like"),
    ],
)
def test_how_long_it_takes(questions, said) -> None:
    assert hours(questions) == said


def test_what_the_lab_writes_is_one_mail_for_those_who_take_part(house, desk, clock) -> None:
    """ux.md, e-mail 8; a reply is gathered for the day unless its reader chose otherwise."""
    with desk.at(desk.respondent.actor) as (tx, row):
        key = desk.visible()[0].key
        attestations.post_message(tx, assessment=row, question_key=key, body="What counts as access?")
    clock.advance(minutes=1)
    with desk.at(system("test")) as (tx, row):
        for body in ("Every way in.", "Also by a shared account."):
            attestations.post_message(tx, assessment=row, question_key=key, body=body, asks=False)
    clock.advance(minutes=11)
    run_worker(house, once=True)

    with house.ledger.begin(system("test")) as tx:
        (item,) = tx.session.execute(sa.select(DigestItem)).scalars()
    assert (item.user_id, item.kind, item.context["replies"]) == (desk.respondent.id, "reply", 2)
    assert "access" not in str(item.context).lower()


def test_what_nobody_took_part_in_is_told_to_the_vendor_admins(house, desk, clock) -> None:
    with desk.at(system("test")) as (tx, row):
        attestations.post_message(tx, assessment=row, question_key=desk.visible()[0].key, body="Who can open it?")
    clock.advance(minutes=11)
    run_worker(house, once=True)

    with house.ledger.begin(system("test")) as tx:
        assert [each.user_id for each in tx.session.execute(sa.select(DigestItem)).scalars()] == [desk.admin.id]


def test_before_a_review_a_vendors_question_is_told_to_who_asked_else_to_every_reviewer(house, desk, clock) -> None:
    reviewers = [person(house, roles=[Role.REVIEWER], email=f"r{n}@orrery.example") for n in range(2)]
    key = desk.visible()[0].key

    def vendor_asks() -> list[str]:
        with desk.at(desk.respondent.actor) as (tx, row):
            attestations.post_message(tx, assessment=row, question_key=key, body="What counts as access?")
        clock.advance(minutes=11)
        run_worker(house, once=True)
        # Replies are told in a digest unless somebody chose otherwise.
        with house.ledger.begin(system("test")) as tx:
            kept = sa.select(UserAccount.email).join(DigestItem, DigestItem.user_id == UserAccount.id)
            return sorted(tx.session.execute(kept.where(DigestItem.kind == "reply_received")).scalars())

    assert vendor_asks() == [each.email for each in reviewers]
    with desk.at(system("test")) as (_tx, row):
        row.requested_by = reviewers[1].id
    assert sorted(vendor_asks()) == sorted([*(each.email for each in reviewers), reviewers[1].email])


def test_a_pause_that_ended_before_its_mail_left_is_not_told_any_more(house, desk) -> None:
    """security.md R13: what comes late changes nothing."""
    signing.make_file(house.signing_keys, now=house.instant())
    lead = person(house, roles=[Role.LEAD_APPROVER], email="lead@orrery.example")
    second = person(house, roles=[Role.LEAD_APPROVER], email="second@orrery.example")
    with house.ledger.begin(lead.fresh) as tx:
        vendor = tx.session.get_one(Vendor, desk.vendor_id)
        pause_id: UUID = gate.pause(tx, vendor=vendor, reason="Credentials found").id
    notify_access(
        house, what="access_paused", pause_id=str(pause_id), since="2026-11-24T09:00:00Z", vendor_id=str(desk.vendor_id)
    )
    with house.ledger.begin(lead.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.ask_resume(tx, pause=row, plan="Rotated and watched", row_version=row.row_version)
    with house.ledger.begin(second.fresh) as tx:
        row = gate.get_pause(tx, pause_id, Action.RESUME)
        gate.confirm_resume(tx, pause=row, row_version=row.row_version, sealer=house.signer)
    run_worker(house, once=True)

    assert {mail.state for mail in mails(house) if mail.kind == "access_paused"} == {MailState.DROPPED}
    assert {mail.state for mail in mails(house) if mail.kind == "access_restored"} == {MailState.SENT}


def test_a_section_that_was_taken_back_is_not_told_any_more(house, desk) -> None:
    section = desk.questionnaire.sections[0].key
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=section, user_id=desk.respondent.id)
        given = {"assessment_id": str(row.id), "section": section, "user_id": str(desk.respondent.id)}
    notify_vendor(house, what="section_given", **given)
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.unassign_section(tx, assessment=row, section=section, user_id=desk.respondent.id)
    run_worker(house, once=True)

    assert {mail.state for mail in mails(house) if mail.kind == "section_given"} == {MailState.DROPPED}


def test_sections_given_in_one_act_are_told_in_one_mail(house, desk) -> None:
    first, second = (each.key for each in desk.questionnaire.sections[:2])
    with desk.at(desk.admin.actor) as (tx, row):
        assessments.assign_sections(tx, assessment=row, sections=[second, first], user_id=desk.respondent.id)

    assert told(house, "section_given") == [desk.respondent.email]
    (mail,) = [each for each in mails(house) if each.kind == "section_given"]
    assert (mail.context["section"], len(mail.context["others"])) == (first, 1)
