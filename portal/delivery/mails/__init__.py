"""Every kind of mail: the fields it needs, and a pure function from them to what it says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.delivery.mails import access, alerts, lab, people, work
from portal.delivery.rules import Frame, Parts


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of mail. ``fields`` is the struct that its stored context must fit."""

    fields: type[Any]
    write: Callable[[Any, Frame], Parts]


KINDS: Mapping[str, Kind] = {
    "invitation": Kind(people.Invitation, people.invitation),
    "password_reset": Kind(people.PasswordReset, people.password_reset),
    "new_sign_in": Kind(people.NewSignIn, people.new_sign_in),
    "role_changed": Kind(people.RoleChanged, people.role_changed),
    "account_changed": Kind(people.AccountChanged, people.account_changed),
    "section_given": Kind(work.SectionGiven, work.section_given),
    "ready_to_sign": Kind(work.ReadyToSign, work.ready_to_sign),
    "receipt": Kind(work.Receipt, work.receipt),
    "questions": Kind(work.Questions, work.questions),
    "asked_again": Kind(work.AskedAgain, work.asked_again),
    "reminder": Kind(work.Reminder, work.reminder),
    "decision": Kind(work.Decision, work.decision),
    "access_paused": Kind(access.AccessPaused, access.access_paused),
    "access_restored": Kind(access.AccessRestored, access.access_restored),
    "new_submission": Kind(lab.NewSubmission, lab.new_submission),
    "reply_received": Kind(lab.ReplyReceived, lab.reply_received),
    "cosign": Kind(lab.CoSign, lab.cosign),
    "evidence_lapsed": Kind(lab.EvidenceLapsed, lab.evidence_lapsed),
    "evidence_alert": Kind(alerts.EvidenceAlert, alerts.evidence_alert),
}
