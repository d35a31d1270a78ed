"""Between preparing and signing: a signatory sends answers back with a note, and is asked for a signature."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.assessments.rules import scope_of_section
from portal.attestations import rules
from portal.attestations.facts import AnswersSentBack, SentBackSettled, SignatureAsked
from portal.attestations.models import Answer, SentBack, SignatureRequest
from portal.attestations.standing import hold, not_now, standing
from portal.identity import queries as identity
from portal.identity.models import UserAccount
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.terms import ANSWERABLE_STATES, Role

ASKED_AGAIN = timedelta(hours=24)
"""Within this time one request for a signature is enough, whoever presses."""


class NotReady(Refused):
    """There is nothing to sign yet; ``blockers`` says what is left."""

    def __init__(self, blockers: Collection[rules.Blocker]) -> None:
        super().__init__(said("There are things to do before this can be signed. They are listed on this page"))
        self.blockers = tuple(blockers)


@dataclass(frozen=True, slots=True)
class NoteLine:
    """A note that came back with an answer, a section or, to one person, with the whole.

    ``answered`` says that the answer was written since; the note stays to be read until somebody settles it.
    """

    id: UUID
    section: str
    question_key: str
    user_id: UUID | None
    note: str
    by: str
    at: datetime
    answered: bool


@dataclass(frozen=True, slots=True)
class RequestLine:
    """Who asked for a signature, and when."""

    by: str
    at: datetime


def send_back(
    tx: Tx,
    *,
    assessment: Assessment,
    act_id: UUID,
    note: str,
    people: Collection[UUID],
    sections: Collection[str],
    notes: Mapping[str, str],
) -> tuple[str, ...]:
    """Send answers back to who prepares them; return the names of who is told. It blocks nothing.

    :param act_id: names this press: pressing twice is sending once.
    :param note: one note for the people and the sections chosen.
    :param notes: a note to single answers, by the key of the question; an empty one is none.
    :raises Forbidden: if the actor may not.
    :raises Conflict: if nobody can answer now.
    :raises NotFound: if there is no such section or question, or not for this vendor.
    :raises Refused: with the problems of ``note``, ``to`` and ``notes.<key>``.
    """
    policy.check(tx.actor, Action.SEND_BACK, assessment)
    if tx.actor.id is None:
        raise Forbidden
    hold(tx, assessment, pinned=assessment.questionnaire_id)
    if assessment.state not in ANSWERABLE_STATES:
        raise Conflict(not_now(assessment), current={"state": assessment.state.value})
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    visible = {each.key: each.section for each in standing(tx, assessment).visible()}
    written = {key: text for key, text in notes.items() if text.strip()}
    if not set(written) <= set(visible) or not set(sections) <= {each.key for each in asked.sections}:
        raise NotFound
    team = {each.id: each for each in identity.people_of_vendor(tx, assessment.vendor_id, active_only=True)}
    chosen = [each for each in dict.fromkeys(people) if each in team]
    told, texts = _read(note, written, chosen=bool(chosen or sections))
    answers = _answers(tx, assessment)
    rows = [_row(user_id=each, note=told) for each in chosen]
    rows += [_row(section=each, note=told) for each in dict.fromkeys(sections)]
    rows += [
        _row(section=visible[key], question_key=key, answer_version=answers.get(key, (0, None))[0], note=text)
        for key, text in texts.items()
    ]
    if not _insert(tx, assessment, act_id, rows):
        return ()
    assignees = assessments.assignees(tx, assessment)
    hear = dict.fromkeys(chosen)
    for row in rows:
        if isinstance(row["section"], str):
            key = row["question_key"]
            hear |= dict.fromkeys(
                _whose(row["section"], key if isinstance(key, str) else "", assignees, answers, visible)
            )
    those = [each for each in hear if each in team and each != tx.actor.id]
    if not those:
        those = [key for key, each in team.items() if Role.VENDOR_ADMIN in each.roles and key != tx.actor.id]
    tx.record(
        AnswersSentBack(
            act_id=act_id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            question_keys=tuple(texts),
            sections=tuple(dict.fromkeys(sections)),
            people=tuple(those),
        )
    )
    return tuple(team[each].full_name for each in those)


def _read(note: str, written: Mapping[str, str], *, chosen: bool) -> tuple[str, dict[str, str]]:
    problems: dict[str, list[str]] = {}
    texts: dict[str, str] = {}
    for key, text in written.items():
        try:
            texts[key] = rules.tidy_message(text)
        except Refused as refusal:
            problems[f"notes.{key}"] = refusal.problems["body"]
    told = ""
    if note.strip():
        try:
            told = rules.tidy_message(note)
        except Refused as refusal:
            problems["note"] = refusal.problems["body"]
    elif chosen:
        problems["note"] = [said("Write what they are to look at again")]
    if not chosen and not written:
        problems["to"] = [said("Choose who it goes back to, or write a note beside an answer")]
    elif told and not chosen:
        problems["to"] = [said("Choose who this note is for, or leave it empty")]
    if problems:
        raise Refused(problems=problems)
    return told, texts


def _row(
    *,
    note: str,
    section: str | None = None,
    question_key: str | None = None,
    user_id: UUID | None = None,
    answer_version: int | None = None,
) -> dict[str, object]:
    return {
        "section": section,
        "question_key": question_key,
        "user_id": user_id,
        "answer_version": answer_version,
        "note": note,
    }


def _insert(tx: Tx, assessment: Assessment, act_id: UUID, rows: Sequence[Mapping[str, object]]) -> bool:
    """Write the notes; return whether this press was the first."""
    same = {
        "vendor_id": assessment.vendor_id,
        "assessment_id": assessment.id,
        "act_id": act_id,
        "sent_by": tx.actor.id,
        "sent_by_name": tx.actor.name,
        "sent_at": tx.now,
    }
    full = [
        {
            **row,
            **same,
            # The id follows from the press and the place, so the same press writes the same rows.
            "id": uuid5(act_id, f"{assessment.id}|{row['section']}|{row['question_key']}|{row['user_id']}"),
        }
        for row in rows
    ]
    statement = postgresql.insert(SentBack).values(full).on_conflict_do_nothing().returning(SentBack.id)
    return tx.session.execute(statement).first() is not None


def _answers(tx: Tx, assessment: Assessment) -> dict[str, tuple[int, UUID | None]]:
    statement = sa.select(Answer.question_key, Answer.version, Answer.updated_by).where(
        Answer.assessment_id == assessment.id
    )
    return {key: (version, by) for key, version, by in tx.session.execute(statement)}


def _whose(
    section: str,
    question_key: str,
    assignees: Mapping[str, Sequence[UUID]],
    answers: Mapping[str, tuple[int, UUID | None]],
    visible: Mapping[str, str],
) -> list[UUID]:
    """Return who hears of a note: who has the section, else who prepared what it is about."""
    if assignees.get(section):
        return list(assignees[section])
    keys = [question_key] if question_key else [key for key, place in visible.items() if place == section]
    return [by for key in keys if key in answers and (by := answers[key][1]) is not None]


def notes_of(tx: Tx, assessment: Assessment) -> list[NoteLine]:
    """Return the notes that nobody settled, the oldest first; none while nobody can answer."""
    if assessment.state not in ANSWERABLE_STATES:
        return []
    return [
        NoteLine(
            id=row.id,
            section=row.section or "",
            question_key=row.question_key or "",
            user_id=row.user_id,
            note=row.note,
            by=row.sent_by_name,
            at=row.sent_at,
            answered=row.answer_version is not None and (row.version or 0) > row.answer_version,
        )
        for row in tx.session.execute(_unsettled(), {"of": assessment.id})
    ]


@cache
def _unsettled() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            SentBack.id,
            SentBack.section,
            SentBack.question_key,
            SentBack.user_id,
            SentBack.note,
            SentBack.sent_by_name,
            SentBack.sent_at,
            SentBack.answer_version,
            Answer.version,
        )
        .outerjoin(
            Answer,
            sa.and_(Answer.assessment_id == SentBack.assessment_id, Answer.question_key == SentBack.question_key),
        )
        .where(SentBack.assessment_id == sa.bindparam("of"), SentBack.settled_at.is_(None))
        .order_by(SentBack.sent_at, SentBack.section, SentBack.question_key, SentBack.id)
        .limit(500)
    )


def settle(tx: Tx, *, assessment: Assessment, note_id: UUID) -> NoteLine:
    """Say that a note is dealt with; saying it twice is saying it once.

    :raises NotFound: if the assessment has no such note.
    :raises Forbidden: if it is not the actor's: who was named, who may answer there, and who may send back.
    """
    policy.check(tx.actor, Action.SENT_BACK_SETTLE, assessment)
    row = get_one(tx, sa.select(SentBack).where(SentBack.id == note_id, SentBack.assessment_id == assessment.id))
    if row is None or tx.actor.id is None:
        raise NotFound
    if row.user_id != tx.actor.id and not policy.may(tx.actor, Action.SEND_BACK, assessment):
        if row.section is None:
            raise Forbidden(said("This note is for somebody else"))
        given = assessments.assignees(tx, assessment).get(row.section, [])
        policy.check(tx.actor, Action.ANSWER_WRITE, scope_of_section(assessment.vendor_id, row.section, given))
    if swap(tx, row, expect={"settled_at": None}, change={"settled_at": tx.now, "settled_by": tx.actor.id}):
        tx.record(SentBackSettled(note_id=row.id, assessment_id=assessment.id, vendor_id=assessment.vendor_id))
    return NoteLine(
        row.id, row.section or "", row.question_key or "", row.user_id, row.note, row.sent_by_name, row.sent_at, False
    )


def settle_all(tx: Tx, assessment: Assessment) -> None:
    """Settle what is left when the whole is signed: who sent it back has read it again."""
    left = sa.update(SentBack).where(SentBack.assessment_id == assessment.id, SentBack.settled_at.is_(None))
    tx.session.execute(left.values(settled_at=tx.now, settled_by=tx.actor.id))


def ask_signature(tx: Tx, *, assessment: Assessment) -> tuple[str, ...]:
    """Ask the signatories by mail to read and sign; return their names.

    :raises Forbidden: if the actor may not.
    :raises Conflict: if it cannot be signed now, or somebody asked within the last day.
    :raises NotReady: with what is left to do first.
    :raises Refused: if nobody can sign.
    """
    policy.check(tx.actor, Action.SIGNATURE_ASK, assessment)
    # One at a time: of two who press at once, the second finds the first.
    tx.session.refresh(assessment, with_for_update=True)
    if assessment.state not in ANSWERABLE_STATES:
        raise Conflict(not_now(assessment), current={"state": assessment.state.value})
    if missing := rules.blockers(standing(tx, assessment)):
        raise NotReady(missing)
    signatories = identity.people_of_vendor_with(tx, assessment.vendor_id, Role.SIGNATORY)
    if not signatories:
        raise Refused(said("Nobody of your team can sign. A vendor admin can make somebody signatory on the team page"))
    before = asked_for(tx, assessment)
    if before is not None and tx.now - before.at < ASKED_AGAIN:
        raise Conflict(said("%(name)s asked on %(at)s. The mail is on its way", name=before.by, at=before.at))
    row = SignatureRequest(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        revision=assessments.next_revision(assessment.state, assessment.revision),
        asked_by=tx.actor.id,
        asked_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        SignatureAsked(
            request_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            people=tuple(each.id for each in signatories),
        )
    )
    return tuple(each.full_name for each in signatories)


def asked_for(tx: Tx, assessment: Assessment) -> RequestLine | None:
    """Return who asked last for the signature that is due now, if anybody did."""
    due = assessments.next_revision(assessment.state, assessment.revision)
    statement = (
        sa.select(UserAccount.full_name, SignatureRequest.asked_at)
        .outerjoin(UserAccount, UserAccount.id == SignatureRequest.asked_by)
        .where(SignatureRequest.assessment_id == assessment.id, SignatureRequest.revision == due)
        .order_by(SignatureRequest.asked_at.desc())
        .limit(1)
    )
    row = tx.session.execute(statement).first()
    return RequestLine(row[0] or "", row[1]) if row is not None else None
