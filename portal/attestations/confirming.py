"""Confirming earlier answers as they were, many at once; answering one anew settles it too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments import rules as assessment_rules
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.carry import why_not
from portal.attestations.facts import AnswerSaved, AnswersConfirmed, EvidenceCited
from portal.attestations.models import Answer, AnswerEdit, CarriedAnswer, CarriedCitation, Citation
from portal.attestations.queries import AnswerLine
from portal.attestations.rules import Fate
from portal.attestations.standing import hold, signed_states
from portal.evidence.models import Evidence
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Forbidden
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Kind, Questionnaire, from_json
from portal.terms import Settled, Written

MOST_FILES: Final = 20
"""Files that one answer can name (``citations.cite``)."""

_CHANGED = said("It changed since you opened this page. Look at it again, then confirm it")
_NOTHING = said("There is no earlier answer to confirm here")
_ANEW = said("The question changed since you answered it, so it needs a new answer")
_GONE = said("This is not asked any more. Your earlier answer is kept")
_ANSWERED = said("Somebody answered it meanwhile. Their answer stands")
_LAPSED = said("Its file does not stand any more, so there is nothing to confirm. Attach another one")
_HIDDEN = said("It is not asked now, because another answer rules it out. It is kept")
_CLOSED = said("It did not come back to you, so it stays as it was signed")


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The questions whose earlier answer stands confirmed, in order, and those left as they were, each with why."""

    done: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def confirm(tx: Tx, *, assessment: Assessment, keys: Collection[str], seen: Mapping[str, str]) -> Confirmed:
    """Take earlier answers as answers of today, each with those of its files that are still valid today.

    All that can be confirmed is, and the rest is left with the reason. Confirming twice is confirming once.

    :param seen: by question, the fingerprint of the earlier answer that the page showed (``CarriedLine.digest``).
    :raises NotFound: if the actor may not know of the assessment.
    :raises Conflict: if it cannot be answered now; then nothing is confirmed.
    """
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    pinned, tier = assessment.questionnaire_id, assessment.tier
    barred = _barred(tx, assessment, asked, keys)
    there = queries.answers(tx, assessment.id)
    if any(
        row.settled is None and key not in barred and not _why_left(row, seen.get(key, ""), asked, there.get(key), tier)
        for key, row in _rows(tx, assessment, keys).items()
    ):
        # The first touch moves the assessment, which nobody can who holds it; what is refused moves nothing.
        assessments.touch(tx, assessment=assessment)
    hold(tx, assessment, pinned=pinned)
    reopened = assessments.reopened(tx, assessment)
    if reopened is not None and not reopened:
        raise Conflict(assessment_rules.not_now(assessment.state), current={"state": assessment.state.value})
    # Locked in order, as every answer given by hand locks its own: of two at once, one is first.
    rows = _rows(tx, assessment, keys, lock=True)
    there = queries.answers(tx, assessment.id)
    left = barred | {
        key: why
        for key in keys
        if key not in barred
        and (why := _why_left(rows.get(key), seen.get(key, ""), asked, there.get(key), assessment.tier))
    }
    chosen = [key for key in _ordered(asked, keys) if key not in left and rows[key].settled is None]
    left |= _not_asked(tx, assessment, asked, rows, chosen, there) | _lapsed(tx, assessment, asked, rows, chosen)
    signed = {} if reopened is None else signed_states(tx, assessment.id)
    left |= {key: _CLOSED for key in chosen if key not in left and not rules.may_change(key, reopened, signed)}
    chosen = [key for key in chosen if key not in left]
    written = _write(tx, assessment, rows, chosen, there)
    left |= {key: _ANSWERED for key in chosen if key not in written}
    if written:
        _settle(tx, assessment.id, written, Settled.CONFIRMED)
        _cite(tx, assessment, written)
        tx.record(AnswersConfirmed(assessment.id, assessment.vendor_id, tuple(sorted(written))))
    order = _ordered(asked, keys)
    return Confirmed(
        done=tuple(key for key in order if key not in left),
        left=tuple((key, left[key]) for key in order if key in left),
    )


def _rows(tx: Tx, assessment: Assessment, keys: Collection[str], *, lock: bool = False) -> dict[str, CarriedAnswer]:
    statement = (
        sa.select(CarriedAnswer)
        .where(CarriedAnswer.assessment_id == assessment.id, CarriedAnswer.question_key.in_(sorted(set(keys))))
        .order_by(CarriedAnswer.question_key)
        .execution_options(populate_existing=True)
    )
    if lock:
        statement = statement.with_for_update()
    return {row.question_key: row for row in tx.session.execute(statement).scalars()}


def _ordered(asked: Questionnaire, keys: Collection[str]) -> list[str]:
    """Return keys in the order of the questionnaire, what it does not ask last."""
    named = set(keys)
    known = [question.key for question in asked.questions if question.key in named]
    return [*known, *sorted(named.difference(known))]


def _why_left(row: CarriedAnswer | None, seen: str, asked: Questionnaire, line: AnswerLine | None, tier: int) -> str:
    if row is None:
        return _NOTHING
    if row.settled is Settled.CONFIRMED:
        return ""
    if row.settled is Settled.ANSWERED or (line is not None and not line.answer.is_blank):
        return _ANSWERED
    if row.fate is Fate.ARCHIVED or row.question_key not in asked:
        return _GONE
    if row.fate is Fate.RE_ATTEST:
        return _ANEW
    if tier not in asked.question(row.question_key).tiers:
        return _HIDDEN
    return "" if seen == digest(row.content) else _CHANGED


def _barred(tx: Tx, assessment: Assessment, asked: Questionnaire, keys: Collection[str]) -> dict[str, str]:
    """Return the questions of sections that the actor may not answer, each with whose it is."""
    given = assessments.assignees(tx, assessment)
    found: dict[str, str] = {}
    for section in dict.fromkeys(asked.question(key).section for key in keys if key in asked):
        people = given.get(section, [])
        scope = assessment_rules.scope_of_section(assessment.vendor_id, section, people)
        try:
            policy.check(tx.actor, Action.ANSWER_WRITE, scope)
        except Forbidden as refusal:
            title = asked.section(section).title
            why = (
                said("“%(title)s” was given to somebody else. You can read it", title=title)
                if people
                else refusal.message
            )
            found |= {key: why for key in keys if key in asked and asked.question(key).section == section}
    return found


def _not_asked(
    tx: Tx,
    assessment: Assessment,
    asked: Questionnaire,
    rows: Mapping[str, CarriedAnswer],
    chosen: Collection[str],
    there: Mapping[str, AnswerLine],
) -> dict[str, str]:
    """Return what would not be asked once the others are confirmed; what an unconfirmed answer brings up is asked."""
    given = {key: line.answer for key, line in there.items()}
    waiting = rules.waiting_answers(queries.waiting(tx, assessment.id)) | {
        key: from_json(rows[key].content) for key in chosen
    }
    facts = assessments.facts_of(tx, assessment)
    states = questions.state_of(asked, assessment.tier, facts, rules.said(given, waiting))
    return {key: _HIDDEN for key in chosen if states[key] in rules.UNSEEN}


def _lapsed(
    tx: Tx, assessment: Assessment, asked: Questionnaire, rows: Mapping[str, CarriedAnswer], chosen: Collection[str]
) -> dict[str, str]:
    """Return the requests for files of which no file is left, so that nothing would be said."""
    asks = [key for key in chosen if asked.question(key).kind is Kind.FILE and not from_json(rows[key].content).comment]
    if not asks:
        return {}
    statement = (
        sa.select(CarriedCitation.question_key, Evidence)
        .join(Evidence, Evidence.id == CarriedCitation.evidence_id)
        .where(CarriedCitation.assessment_id == assessment.id, CarriedCitation.question_key.in_(asks))
    )
    standing = {key for key, evidence in tx.session.execute(statement) if not why_not(evidence, tx.now.date())}
    return {key: _LAPSED for key in asks if key not in standing}


def _write(
    tx: Tx,
    assessment: Assessment,
    rows: Mapping[str, CarriedAnswer],
    chosen: Collection[str],
    there: Mapping[str, AnswerLine],
) -> dict[str, int]:
    """Write the answers as ``save_answer`` does; return the version of each that is now ours."""
    versions = {key: (there[key].version if key in there else 0) + 1 for key in chosen}
    told = [_told(tx, assessment, rows[key], versions[key]) for key in chosen]
    written: dict[str, int] = {}
    if first := [each for each in told if each["version"] == 1]:
        statement = postgresql.insert(Answer).values(first).on_conflict_do_nothing().returning(Answer.question_key)
        written |= dict.fromkeys(tx.session.execute(statement).scalars(), 1)
    for each in told:
        if each["version"] > 1 and _write_over_blank(tx, assessment, each):
            written[each["question_key"]] = each["version"]
    ordered = [key for key in chosen if key in written]
    if ordered:
        tx.session.execute(
            sa.insert(AnswerEdit),
            [
                {
                    "id": tx.new_id(),
                    "vendor_id": assessment.vendor_id,
                    "assessment_id": assessment.id,
                    "question_key": key,
                    "version": written[key],
                    "content": rows[key].content,
                    "edited_by": tx.actor.id,
                    "edited_at": tx.now,
                    "how": Written.CONFIRMED,
                }
                for key in ordered
            ],
        )
    for key in ordered:
        tx.record(AnswerSaved(assessment.id, assessment.vendor_id, key, written[key], digest(rows[key].content)))
    return written


def _told(tx: Tx, assessment: Assessment, row: CarriedAnswer, version: int) -> dict[str, Any]:
    return {
        "assessment_id": assessment.id,
        "question_key": row.question_key,
        "vendor_id": assessment.vendor_id,
        **queries.columns_of(from_json(row.content)),
        "version": version,
        "updated_by": tx.actor.id,
        "updated_at": tx.now,
    }


def _write_over_blank(tx: Tx, assessment: Assessment, told: Mapping[str, Any]) -> bool:
    statement = (
        sa.update(Answer)
        .where(
            Answer.assessment_id == assessment.id,
            Answer.question_key == told["question_key"],
            Answer.version == told["version"] - 1,
        )
        .values(**told)
        .returning(Answer.version)
    )
    return tx.session.execute(statement, execution_options={"synchronize_session": False}).first() is not None


def _cite(tx: Tx, assessment: Assessment, keys: Iterable[str]) -> None:
    """Attach the files of earlier answers that are usable and valid today; held, so that none leaves meanwhile."""
    statement = (
        sa.select(CarriedCitation.question_key, CarriedCitation.pages, CarriedCitation.quote, Evidence)
        .join(Evidence, Evidence.id == CarriedCitation.evidence_id)
        .where(CarriedCitation.assessment_id == assessment.id, CarriedCitation.question_key.in_(list(keys)))
        .order_by(Evidence.id, CarriedCitation.question_key)
        .with_for_update(of=Evidence, read=True)
        .execution_options(populate_existing=True)
    )
    full = _files_there(tx, assessment)
    rows = []
    for key, pages, quote, evidence in tx.session.execute(statement):
        if why_not(evidence, tx.now.date()) or full.get(key, 0) >= MOST_FILES:
            continue
        full[key] = full.get(key, 0) + 1
        rows.append(
            {
                "id": tx.new_id(),
                "vendor_id": assessment.vendor_id,
                "assessment_id": assessment.id,
                "question_key": key,
                "evidence_id": evidence.id,
                "pages": pages,
                "quote": quote,
                "cited_by": tx.actor.id,
                "cited_at": tx.now,
                "acceptance": "unjudged",
            }
        )
    if not rows:
        return
    made = (
        postgresql.insert(Citation)
        .values(rows)
        .on_conflict_do_nothing()
        .returning(Citation.id, Citation.question_key, Citation.evidence_id)
    )
    for citation_id, key, evidence_id in sorted(tx.session.execute(made), key=lambda each: (each[1], each[0])):
        tx.record(EvidenceCited(citation_id, assessment.id, assessment.vendor_id, key, evidence_id))


def _files_there(tx: Tx, assessment: Assessment) -> dict[str, int]:
    statement = (
        sa.select(Citation.question_key, sa.func.count())
        .where(Citation.assessment_id == assessment.id, Citation.removed_at.is_(None))
        .group_by(Citation.question_key)
    )
    return dict(tx.session.execute(statement).all())


def hold_carried(tx: Tx, assessment_id: UUID, question_key: str) -> bool:
    """Lock the earlier answer to a question that is about to be answered by hand; return whether it still waits.

    It is locked before the answer is written, as a confirmation does, so that the two never wait for each other.
    """
    statement = (
        sa.select(CarriedAnswer.question_key)
        .where(
            CarriedAnswer.assessment_id == assessment_id,
            CarriedAnswer.question_key == question_key,
            CarriedAnswer.settled.is_(None),
        )
        .with_for_update()
    )
    return tx.session.execute(statement).first() is not None


def settle_answered(tx: Tx, assessment_id: UUID, question_key: str) -> None:
    """Note that a question with an earlier answer was answered by hand; the earlier answer is kept beside it."""
    _settle(tx, assessment_id, [question_key], Settled.ANSWERED)


def _settle(tx: Tx, assessment_id: UUID, keys: Iterable[str], how: Settled) -> None:
    statement = (
        sa.update(CarriedAnswer)
        .where(
            CarriedAnswer.assessment_id == assessment_id,
            CarriedAnswer.question_key.in_(list(keys)),
            CarriedAnswer.settled.is_(None),
        )
        .values(settled=how, settled_by=tx.actor.id, settled_at=tx.now)
    )
    tx.session.execute(statement, execution_options={"synchronize_session": False})
