"""Jobs that find out whom to tell, as the system, and queue one mail for each person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment, MoreTime, PublishedOutcome, ReopenedQuestion, SectionAssignment
from portal.attestations import service as attestations
from portal.attestations.models import Attestation, Message, SentBack
from portal.delivery import service as delivery
from portal.delivery.follow import (
    NOTIFY_INVITED,
    NOTIFY_PERSON,
    NOTIFY_REVIEWERS,
    NOTIFY_SIGN_IN,
    NOTIFY_VENDOR,
)
from portal.findings.models import Finding, Remedy, SecondLook
from portal.identity import service as identity
from portal.identity.models import Invitation, UserAccount, WebSession
from portal.identity.rules import InvitationState, mail_key
from portal.jobs import proposals, recipients
from portal.jobs.recipients import Recipient
from portal.jobs.tools import House, Job
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.reviews import second_look
from portal.reviews.models import Review
from portal.terms import FindingState, MoreTimeState, RemedyAct, Role, Side
from portal.vendors.models import Vendor


def notify_invited(house: House, *, invitation_id: str, generation: int) -> None:
    """Send the link of an invitation, or of a password reset, to its address; nothing if it is not open any more."""
    with house.ledger.begin(system(NOTIFY_INVITED)) as tx:
        invitation = tx.session.get(Invitation, UUID(invitation_id))
        if invitation is None or identity.state_of(tx, invitation) is not InvitationState.OPEN:
            return
        if invitation.user_id is None:
            _elsewhere(tx, invitation, generation)
            return
        reset = invitation.purpose == "reset"
        delivery.send(
            tx,
            kind="password_reset" if reset else "invitation",
            to_address=invitation.email,
            to_name=invitation.full_name,
            user_id=invitation.user_id,
            vendor_id=invitation.vendor_id,
            context={"invitation_id": invitation.id, "expires_at": invitation.expires_at}
            | ({} if reset else _invitation(tx, invitation)),
            dedupe_key=mail_key(invitation.id, generation),
        )


def _elsewhere(tx: Tx, invitation: Invitation, generation: int) -> None:
    """Tell the owner of an address that belongs to another organisation, and nobody else, that it cannot be used."""
    vendor = tx.session.get(Vendor, invitation.vendor_id) if invitation.vendor_id else None
    delivery.send(
        tx,
        kind="invited_elsewhere",
        to_address=invitation.email,
        to_name=invitation.full_name,
        vendor_id=invitation.vendor_id,
        context={
            "invited_by": recipients.name_of(tx, invitation.invited_by),
            "vendor_name": vendor.name if vendor is not None else "",
        },
        dedupe_key=mail_key(invitation.id, generation),
    )


def _invitation(tx: Tx, invitation: Invitation) -> dict[str, Any]:
    about: dict[str, Any] = {
        "roles": list(invitation.roles),
        "invited_by": recipients.name_of(tx, invitation.invited_by),
    }
    if invitation.vendor_id is None:
        return about
    about["vendor_name"] = tx.session.get_one(Vendor, invitation.vendor_id).name
    assessment = tx.session.get(Assessment, invitation.assessment_id) if invitation.assessment_id else None
    if assessment is None:
        return about
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    mine = [each for each in questionnaire.sections if each.key in invitation.sections]
    asked = sum(len(each.questions) for each in mine or questionnaire.sections)
    return about | {
        "work": assessment.title,
        "sections": [each.title for each in mine],
        "due_on": invitation.due_on or assessment.due_on,
        "questions": asked,
    }


def notify_vendor(
    house: House,
    *,
    assessment_id: str,
    what: str,
    section: str | None = None,
    user_id: str | None = None,
    subject_id: str | None = None,
    seed: str = "",
) -> None:
    """Tell a vendor's people about their assessment.

    ``what``: section_given (with section and user_id), ready_to_sign (subject_id: the request), sent_back (with
    user_id; subject_id: the act), receipt (subject_id: the attestation),
    questions, asked_again, moved (subject_id: the version), decision (subject_id: the published outcome),
    more_time_answered (subject_id: the request), proof_accepted and proof_returned (subject_id: the step),
    second_look_answered (subject_id: the second look), reply (what the lab wrote since the moment that ``seed`` names).
    """
    with house.ledger.begin(system(NOTIFY_VENDOR)) as tx:
        assessment = tx.session.get(Assessment, UUID(assessment_id))
        if assessment is None:
            return
        vendor = tx.session.get_one(Vendor, assessment.vendor_id)
        about = {"vendor_name": vendor.name, "title": assessment.title, "assessment_id": assessment.id}
        stem = f"{what}:{assessment.id}:{assessment.revision}"
        match what:
            case "section_given" if section and user_id:
                _section_given(tx, assessment, vendor, section, UUID(user_id))
            case "ready_to_sign":
                people = recipients.of_vendor(tx, vendor.id, {Role.SIGNATORY})
                recipients.tell(
                    tx, people, what, about | {"due_on": assessment.due_on}, f"{stem}:{subject_id or ''}", vendor.id
                )
            case "sent_back" if user_id and subject_id:
                _sent_back(tx, about, UUID(user_id), UUID(subject_id), vendor.id)
            case "receipt" if subject_id:
                signed = tx.session.get_one(Attestation, UUID(subject_id))
                people = recipients.of_vendor(tx, vendor.id, {Role.SIGNATORY, Role.VENDOR_ADMIN})
                details = {
                    "signed_by": signed.signed_name,
                    "signed_at": signed.signed_at,
                    "fingerprint": signed.digest,
                    "revision": signed.revision,
                }
                recipients.tell(tx, people, what, about | details, f"receipt:{signed.id}", vendor.id)
            case "questions":
                asked = _reopened(tx, assessment)
                people = recipients.of_vendor(tx, vendor.id, {Role.VENDOR_ADMIN, Role.RESPONDENT})
                if asked:
                    details = {"questions": asked, "due_on": assessment.due_on, "revision": assessment.revision}
                    recipients.tell(tx, people, what, about | details, stem, vendor.id)
            case "asked_again" | "moved":
                plan = attestations.plan_of(tx, assessment)
                people = recipients.of_vendor(tx, vendor.id, {Role.VENDOR_ADMIN, Role.RESPONDENT})
                details = {
                    "due_on": assessment.due_on,
                    "to_confirm": len(plan.to_confirm),
                    "again": len(plan.re_attest),
                    "new": len(plan.new),
                    "moved": what == "moved",
                }
                recipients.tell(tx, people, "asked_again", about | details, f"{stem}:{subject_id or ''}", vendor.id)
            case "reply":
                _replies(tx, assessment, about, datetime.fromisoformat(seed[1:]), stem + seed)
            case "more_time_answered" if subject_id:
                answered = tx.session.get_one(MoreTime, UUID(subject_id))
                people = recipients.of_vendor(tx, vendor.id, {Role.VENDOR_ADMIN, Role.RESPONDENT, Role.SIGNATORY})
                agreed = answered.state is MoreTimeState.AGREED
                details = {"due_on": assessment.due_on, "agreed": agreed}
                asked_for = [each for each in people if Role.VENDOR_ADMIN in each.roles or each.id == answered.asked_by]
                recipients.tell(tx, asked_for, what, about | details, f"more_time_answered:{answered.id}", vendor.id)
            case "decision" if subject_id:
                outcome = tx.session.get_one(PublishedOutcome, UUID(subject_id))
                people = recipients.of_vendor(tx, vendor.id, {Role.VENDOR_ADMIN, Role.SIGNATORY})
                details = {"outcome_id": outcome.id, "number": outcome.number}
                del about["assessment_id"]
                recipients.tell(tx, people, what, about | details, f"decision:{outcome.id}", vendor.id)
            case "proof_accepted" | "proof_returned" if subject_id:
                _proof_judged(tx, vendor, what, UUID(subject_id))
            case "second_look_answered" if subject_id:
                look = tx.session.get_one(SecondLook, UUID(subject_id))
                people = recipients.of_vendor(tx, vendor.id, {Role.VENDOR_ADMIN, Role.SIGNATORY})
                details = {"outcome_id": look.outcome_id}
                del about["assessment_id"]
                recipients.tell(tx, people, what, about | details, f"{what}:{look.id}", vendor.id)
            case _:
                raise ValueError(f"notify_vendor cannot say {what!r}")


def _proof_judged(tx: Tx, vendor: Vendor, what: str, remedy_id: UUID) -> None:
    """Tell who sent the proof, and those who look after the vendor's assessments."""
    step = tx.session.get_one(Remedy, remedy_id)
    finding = tx.session.get_one(Finding, step.finding_id)
    senders = set(
        tx.session.execute(
            sa.select(Remedy.by).where(Remedy.finding_id == finding.id, Remedy.act == RemedyAct.SENT)
        ).scalars()
    )
    people = [
        each
        for each in recipients.of_vendor(tx, vendor.id)
        if each.id in senders or {Role.VENDOR_ADMIN, Role.SIGNATORY} & set(each.roles)
    ]
    details = {
        "finding_id": finding.id,
        "number": finding.number,
        "vendor_name": vendor.name,
        "due_on": finding.due_on,
    }
    recipients.tell(tx, people, what, details, f"{what}:{step.id}", vendor.id)


def _sent_back(tx: Tx, about: Mapping[str, Any], user_id: UUID, act_id: UUID, vendor_id: UUID) -> None:
    person = recipients.one(tx, user_id)
    sent = tx.session.execute(sa.select(SentBack).where(SentBack.act_id == act_id).limit(1)).scalar_one_or_none()
    if person is not None and sent is not None:
        details = {"sent_by": sent.sent_by_name}
        recipients.tell(tx, [person], "sent_back", {**about, **details}, f"sent_back:{act_id}", vendor_id)


def _replies(tx: Tx, assessment: Assessment, about: Mapping[str, Any], since: datetime, stem: str) -> None:
    """Tell those who take part in each conversation, or have its section, how much the lab wrote in it.

    What a review sent back has its own mail.
    """
    asked_back = sa.exists().where(
        ReopenedQuestion.assessment_id == Message.assessment_id,
        ReopenedQuestion.question_key == Message.question_key,
        ReopenedQuestion.asked_at == Message.sent_at,
    )
    mine = Message.assessment_id == assessment.id
    written = (
        sa.select(Message.question_key, sa.func.count())
        .where(mine, Message.side == Side.LAB, Message.sent_at >= since, sa.not_(asked_back))
        .group_by(Message.question_key)
        .order_by(Message.question_key)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in tx.session.execute(written)}
    authors: dict[str, set[UUID]] = {}
    for key, author_id in tx.session.execute(
        sa.select(Message.question_key, Message.author_id).where(mine, Message.side == Side.VENDOR).distinct()
    ):
        if author_id is not None:
            authors.setdefault(key, set()).add(author_id)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    given: dict[str, set[UUID]] = {}
    for section, user_id in tx.session.execute(
        sa.select(SectionAssignment.section, SectionAssignment.user_id).where(
            SectionAssignment.assessment_id == assessment.id, SectionAssignment.ended_at.is_(None)
        )
    ):
        given.setdefault(section, set()).add(user_id)
    team = {each.id: each for each in recipients.of_vendor(tx, assessment.vendor_id)}
    admins = {key for key, each in team.items() if Role.VENDOR_ADMIN in each.roles}
    theirs: dict[UUID, list[str]] = {}
    for key in counts:
        section = questionnaire.question(key).section if key in questionnaire else ""
        concerned = (authors.get(key, set()) | given.get(section, set())) & set(team)
        for user_id in sorted(concerned or admins or set(team)):
            theirs.setdefault(user_id, []).append(key)
    for user_id, keys in theirs.items():
        details = {"replies": sum(counts[key] for key in keys), "keys": keys}
        recipients.tell(tx, [team[user_id]], "reply", {**about, **details}, stem, assessment.vendor_id)


def _section_given(tx: Tx, assessment: Assessment, vendor: Vendor, section: str, user_id: UUID) -> None:
    person = recipients.one(tx, user_id)
    given = tx.session.execute(
        sa.select(SectionAssignment)
        .where(
            SectionAssignment.assessment_id == assessment.id,
            SectionAssignment.section == section,
            SectionAssignment.user_id == user_id,
            SectionAssignment.ended_at.is_(None),
        )
        .limit(1)
    ).scalar_one_or_none()
    # Who is still invited, or joins with it, reads of the sections in the invitation; who took a section knows.
    if person is None or given is None or given.assigned_by in {None, user_id}:
        return
    joined = sa.exists().where(
        Invitation.user_id == user_id,
        Invitation.redeemed_at == given.assigned_at,
        Invitation.sections.contains([section]),
    )
    if tx.session.execute(sa.select(joined)).scalar():
        return
    # What was given in one act is told in one mail: the jobs of the others find it sent.
    together = tx.session.scalars(
        sa.select(SectionAssignment.section).where(
            SectionAssignment.assessment_id == assessment.id,
            SectionAssignment.user_id == user_id,
            SectionAssignment.assigned_at == given.assigned_at,
            SectionAssignment.ended_at.is_(None),
        )
    ).all()
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    parts = [each for each in questionnaire.sections if each.key in together]
    recipients.tell(
        tx,
        [person],
        "section_given",
        {
            "assessment_id": assessment.id,
            "vendor_name": vendor.name,
            "section": parts[0].key,
            "section_title": parts[0].title,
            "others": [each.title for each in parts[1:]],
            "questions": sum(len(each.questions) for each in parts),
            "given_by": recipients.name_of(tx, given.assigned_by),
            "due_on": given.due_on or assessment.due_on,
        },
        f"section_given:{assessment.id}:{given.assigned_at.isoformat()}",
        vendor.id,
    )


def _reopened(tx: Tx, assessment: Assessment) -> int:
    statement = sa.select(sa.func.count()).where(
        ReopenedQuestion.assessment_id == assessment.id, ReopenedQuestion.revision == assessment.revision
    )
    return tx.session.execute(statement).scalar_one()


def notify_reviewers(house: House, *, assessment_id: str, what: str, seed: str = "") -> None:
    """Tell the lab's people about an assessment.

    ``what``: new_submission (whose review it is, else all reviewers), reply_received (whose review it is; ``seed``
    tells one digest from the next), cosign (who is asked to sign), proposal_fell (who proposed it), review_escalated
    (who was named), handed_back (who escalated; for these ``seed`` names which one), more_time_asked (who asked the
    vendor, else all reviewers; ``seed`` names the request), proof_received (as reply_received, else all reviewers),
    second_look_asked (who took no part; ``seed`` names it).
    """
    with house.ledger.begin(system(NOTIFY_REVIEWERS)) as tx:
        assessment = tx.session.get(Assessment, UUID(assessment_id))
        if assessment is None:
            return
        vendor = tx.session.get_one(Vendor, assessment.vendor_id)
        review = _review(tx, assessment.id)
        about: dict[str, Any] = {"vendor_name": vendor.name, "title": assessment.title}
        stem = f"{what}:{assessment.id}:{assessment.revision}"
        review_id = review.id if review is not None else None
        match what:
            case "new_submission":
                details = {"tier": assessment.tier, "revision": assessment.revision, "review_id": review_id}
                recipients.tell(tx, _reviewers(tx, review), what, about | details, stem)
            case "reply_received":
                about |= {"review_id": review_id, "assessment_id": assessment.id}
                recipients.tell(tx, _contacts(tx, assessment, review), what, about, stem + seed)
            case "cosign":
                proposals.cosign(tx, assessment, about)
            case "proposal_fell":
                proposals.fell(tx, assessment, about | {"review_id": review_id}, UUID(seed[1:]))
            case "review_escalated":
                proposals.escalated(tx, assessment, about, UUID(seed[1:]))
            case "handed_back":
                proposals.handed_back(tx, about, UUID(seed[1:]))
            case "more_time_asked":
                _more_time_asked(tx, assessment, about | {"vendor_slug": vendor.slug}, UUID(seed[1:]))
            case "proof_received":
                _proof_received(tx, assessment, review, about, stem + seed)
            case "second_look_asked":
                _second_look_asked(tx, about, UUID(seed[1:]))
            case _:
                raise ValueError(f"notify_reviewers cannot say {what!r}")


def _proof_received(tx: Tx, assessment: Assessment, review: Review | None, about: Mapping[str, Any], stem: str) -> None:
    waiting = tx.session.execute(
        sa.select(sa.func.count()).where(
            Finding.assessment_id == assessment.id,
            Finding.state == FindingState.OPEN,
            Finding.remedy == RemedyAct.SENT,
        )
    ).scalar_one()
    if waiting:
        recipients.tell(tx, _reviewers(tx, review), "proof_received", {**about, "waiting": waiting}, stem)


def _second_look_asked(tx: Tx, about: Mapping[str, Any], second_look_id: UUID) -> None:
    look = tx.session.get(SecondLook, second_look_id)
    if look is None or look.answer is not None:
        return
    took_part = second_look.people_of(tx, look)
    people = recipients.of_lab(tx, {Role.REVIEWER, Role.LEAD_APPROVER}, but=took_part)
    details = {"second_look_id": look.id, "due_on": look.due_on}
    recipients.tell(tx, people, "second_look_asked", {**about, **details}, f"second_look_asked:{look.id}")


def _review(tx: Tx, assessment_id: UUID) -> Review | None:
    newest = sa.select(Review).where(Review.assessment_id == assessment_id).order_by(Review.revision.desc()).limit(1)
    return tx.session.execute(newest).scalar_one_or_none()


def _reviewers(tx: Tx, review: Review | None) -> Iterable[Recipient]:
    theirs = recipients.one(tx, review.reviewer_id) if review is not None and review.reviewer_id else None
    return [theirs] if theirs is not None else recipients.of_lab(tx, {Role.REVIEWER})


def _contacts(tx: Tx, assessment: Assessment, review: Review | None) -> Iterable[Recipient]:
    """Return who answers the vendor: whose review it is; before there is one, who asked; else every reviewer."""
    if review is None or review.reviewer_id is None:
        asked_by = recipients.one(tx, assessment.requested_by) if assessment.requested_by else None
        if asked_by is not None and asked_by.roles & {Role.REVIEWER, Role.LEAD_APPROVER}:
            return [asked_by]
    return _reviewers(tx, review)


def _more_time_asked(tx: Tx, assessment: Assessment, about: Mapping[str, Any], request_id: UUID) -> None:
    asked = tx.session.get(MoreTime, request_id)
    if asked is None or asked.state is not MoreTimeState.OPEN:
        return
    who = recipients.one(tx, assessment.requested_by) if assessment.requested_by else None
    details = {
        "assessment_id": assessment.id,
        "due_on": asked.due_on,
        "wished_on": asked.wished_on,
        "asked_by": recipients.name_of(tx, asked.asked_by),
    }
    people = [who] if who is not None else recipients.of_lab(tx, {Role.REVIEWER})
    recipients.tell(tx, people, "more_time_asked", {**about, **details}, f"more_time_asked:{asked.id}")


def notify_person(house: House, *, user_id: str, kind: str, context: dict[str, Any], seed: str) -> None:
    """Tell one person about their own account; also somebody who can no longer sign in (ux.md, e-mail 16)."""
    with house.ledger.begin(system(NOTIFY_PERSON)) as tx:
        user = tx.session.get(UserAccount, UUID(user_id))
        if user is None or user.enrolled_at is None:
            return
        if kind == "role_changed":
            # The roles a person joins with are no news to them.
            if user.enrolled_at >= datetime.fromisoformat(context["at"]):
                return
            person = recipients.one(tx, user.id)
            context = context | {"roles": sorted(person.roles) if person is not None else []}
        delivery.send(
            tx,
            kind=kind,
            to_address=user.email,
            to_name=user.full_name,
            user_id=user.id,
            vendor_id=user.vendor_id,
            context=context,
            dedupe_key=f"{kind}:{user.id}:{seed}",
        )


def notify_sign_in(house: House, *, session_id: str) -> None:
    """Tell a person of a sign-in from a browser that none of their earlier sessions came from."""
    with house.ledger.begin(system(NOTIFY_SIGN_IN)) as tx:
        session = tx.session.get(WebSession, UUID(session_id))
        if session is None:
            return
        earlier = sa.select(sa.func.count(), sa.func.count().filter(WebSession.user_agent == session.user_agent)).where(
            WebSession.user_id == session.user_id, WebSession.created_at < session.created_at
        )
        sessions, alike = tx.session.execute(earlier).one()
        person = recipients.one(tx, session.user_id)
        if not sessions or alike or person is None:
            return
        about = {"at": session.created_at, "device": session.user_agent[:120], "address": session.address}
        user = tx.session.get_one(UserAccount, session.user_id)
        recipients.tell(tx, [person], "new_sign_in", about, f"new_sign_in:{session.id}", user.vendor_id)


JOBS = (
    Job(NOTIFY_INVITED, notify_invited),
    Job(NOTIFY_VENDOR, notify_vendor),
    Job(NOTIFY_REVIEWERS, notify_reviewers),
    Job(NOTIFY_PERSON, notify_person),
    Job(NOTIFY_SIGN_IN, notify_sign_in),
)
