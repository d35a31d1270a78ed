"""Moving a running assessment to a newer version, with every answer whose claim did not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments import rules as assessment_rules
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.citations import end_citation
from portal.attestations.facts import AnswerSaved, AssessmentMigrated
from portal.attestations.models import Answer, AnswerEdit, AssessmentMigration, CarriedAnswer, CarriedCitation, Citation
from portal.attestations.queries import AnswerLine
from portal.attestations.rules import Carried, Cause, Earlier, Fate, Fated
from portal.attestations.standing import latest
from portal.identity.models import UserAccount
from portal.kernel.canonical import digest, plain
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Kind, Questionnaire, to_json
from portal.questionnaires.rules.diff import Change, diff


@dataclass(frozen=True, slots=True)
class MigrationPreview:
    """What a move to another version would do with the answers of a running assessment; keys in order.

    ``kept`` are answers that stay; ``re_attest`` are answered again, the earlier answer beside the question;
    ``archived`` are not asked any more and kept for reading; ``new`` are asked for the first time; ``to_confirm``
    are earlier answers that still wait to be confirmed. ``digest`` goes back with the move.
    """

    version_id: UUID
    from_label: str
    to_label: str
    kept: tuple[str, ...]
    re_attest: tuple[str, ...]
    new: tuple[str, ...]
    archived: tuple[str, ...]
    to_confirm: tuple[str, ...]
    facts: tuple[str, ...]
    changes: tuple[Change, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class _Move:
    """Both versions, the answers that there are, and what becomes of them and of what waits beside them.

    ``files`` are those that are themselves the answer, to a request for files.
    """

    old: Questionnaire
    new: Questionnaire
    lines: Mapping[str, AnswerLine]
    files: Mapping[str, tuple[Citation, ...]]
    moved: rules.Moved
    waiting: Mapping[str, tuple[Fated, CarriedAnswer]]
    keep: frozenset[str]


def migration_preview(tx: Tx, assessment: Assessment, version_id: UUID) -> MigrationPreview:
    """Return what a move of a running assessment to a newer version would do. Nothing is changed.

    :raises NotFound: if there is no such version of its questionnaire.
    :raises Refused: if the version is not newer.
    :raises Conflict: if something was signed already, or the assessment is over.
    """
    version = _target(tx, assessment, version_id)
    return _preview(tx, assessment, version, _prepare(tx, assessment, version))


def migrate(
    tx: Tx, *, assessment: Assessment, version_id: UUID, row_version: int, seen_digest: str
) -> AssessmentMigration:
    """Move a running assessment to a newer version, before anything of it is signed.

    An answer stays if its question makes the same claim. Another is taken out by an ordinary edit and laid beside its
    question, to be answered again; one whose question is gone is kept for reading. Conversations and files stay.

    :param seen_digest: of the preview that the page showed.
    :raises Forbidden: if the actor may not.
    :raises NotFound, Refused, Conflict: as the preview.
    :raises Conflict: if the assessment, or what would be asked again, changed since the page was shown.
    """
    policy.check(tx.actor, Action.ASSESSMENT_MIGRATE, assessment)
    # Every writer of answers holds this row (standing.hold). From here on nobody else moves.
    tx.session.refresh(assessment, with_for_update=True)
    version = _target(tx, assessment, version_id)
    before = assessment.questionnaire_id
    move = _prepare(tx, assessment, version)
    seen = _preview(tx, assessment, version, move)
    if assessment.row_version != row_version or seen.digest != seen_digest:
        raise Conflict(
            said("Something changed since you opened this page. Nothing was moved. Look at it again, then move it."),
            current={"row_version": assessment.row_version},
        )
    assessments.pin(tx, assessment=assessment, version=version, row_version=row_version)
    _take_out(tx, assessment, move, before)
    _refate(tx, move)
    row = AssessmentMigration(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        from_questionnaire_id=before,
        to_questionnaire_id=version.id,
        from_digest=move.old.digest,
        to_digest=move.new.digest,
        mapping=plain(
            {
                "kept": seen.kept,
                "re_attest": dict(move.moved.re_attest),
                "archived": move.moved.archived,
                "waiting": {key: fated.fate for key, (fated, _) in move.waiting.items()},
                "facts": assessments.restate(tx, assessment=assessment, keep=move.keep),
                "sections": assessments.end_sections(tx, assessment=assessment),
            }
        ),
        moved_by=tx.actor.id,
        moved_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        AssessmentMigrated(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            from_questionnaire_id=before,
            to_questionnaire_id=version.id,
            from_digest=move.old.digest,
            to_digest=move.new.digest,
            from_version=move.old.version,
            to_version=move.new.version,
            kept=len(seen.kept),
            re_attest=len(seen.re_attest),
            archived=len(seen.archived),
        )
    )
    return row


def migrations_of(tx: Tx, assessment: Assessment) -> Sequence[AssessmentMigration]:
    """Return the moves of an assessment, the newest first."""
    statement = (
        sa.select(AssessmentMigration)
        .where(AssessmentMigration.assessment_id == assessment.id)
        .order_by(AssessmentMigration.moved_at.desc(), AssessmentMigration.id.desc())
        .limit(100)
    )
    return tx.session.execute(statement).scalars().all()


def _target(tx: Tx, assessment: Assessment, version_id: UUID) -> QuestionnaireVersion:
    version = questionnaires.get(tx, version_id)
    if version.slug != assessment.questionnaire_slug:
        raise NotFound
    if assessment.state not in assessment_rules.MOVABLE or latest(tx, assessment.id) is not None:
        raise Conflict(
            said(
                "%(not_now)s Only what nobody has signed yet can move.",
                not_now=assessment_rules.not_now(assessment.state),
            ),
            current={"state": assessment.state.value},
        )
    if version.version <= questionnaires.compiled(tx, assessment.questionnaire_id).version:
        raise Refused(said("Choose a version that is newer than the one this assessment is on."))
    return version


def _prepare(tx: Tx, assessment: Assessment, version: QuestionnaireVersion) -> _Move:
    old = questionnaires.compiled(tx, assessment.questionnaire_id)
    new = questionnaires.compiled(tx, version.id)
    lines = queries.answers(tx, assessment.id)
    files = _files(tx, assessment, old)
    contents: dict[str, Mapping[str, Any]] = {key: {} for key in files}
    contents |= {key: content for key, line in lines.items() if (content := to_json(line.answer))}
    statement = (
        sa.select(CarriedAnswer)
        .where(CarriedAnswer.assessment_id == assessment.id, CarriedAnswer.settled.is_(None))
        .order_by(CarriedAnswer.question_key)
        .execution_options(populate_existing=True)
    )
    waiting = {row.question_key: (_fate(tx, row, new), row) for row in tx.session.execute(statement).scalars()}
    before = {fact.key: fact for fact in old.scoping}
    keep = frozenset(fact.key for fact in new.scoping if fact.key in before and rules.same_fact(before[fact.key], fact))
    return _Move(old, new, lines, files, rules.moved(old, new, contents), waiting, keep)


def _files(tx: Tx, assessment: Assessment, old: Questionnaire) -> dict[str, tuple[Citation, ...]]:
    asks = [question.key for question in old.questions if question.kind is Kind.FILE]
    statement = (
        sa.select(Citation)
        .where(Citation.assessment_id == assessment.id, Citation.question_key.in_(asks), Citation.removed_at.is_(None))
        .order_by(Citation.question_key, Citation.cited_at, Citation.id)
    )
    found: dict[str, tuple[Citation, ...]] = {}
    for row in tx.session.execute(statement).scalars() if asks else ():
        found[row.question_key] = (*found.get(row.question_key, ()), row)
    return found


def _fate(tx: Tx, row: CarriedAnswer, new: Questionnaire) -> Fated:
    key = row.question_key
    then = questionnaires.compiled(tx, row.source_questionnaire_id).question(key)
    return rules.fate_of(Earlier(key, then, row.content), new.question(key) if key in new else None)


def _preview(tx: Tx, assessment: Assessment, version: QuestionnaireVersion, move: _Move) -> MigrationPreview:
    moved, new = move.moved, move.new
    waits = {key: Carried(fated.fate, row.content) for key, (fated, row) in move.waiting.items()}
    out = {
        **{key: Carried(Fate.RE_ATTEST, {}) for key in moved.re_attest},
        **{key: Carried(Fate.ARCHIVED, {}) for key in moved.archived},
    }
    facts = assessments.facts_on(tx, assessment, new, keep=move.keep)
    there = {key: line.answer for key, line in move.lines.items()}
    answers = questions.with_files(new, there, {key: len(files) for key, files in move.files.items()})
    kept = {key: answers[key] for key in moved.kept}
    plan = rules.plan(new, assessment.tier, facts, {**waits, **out}, kept)
    again = {key for key, (fated, row) in move.waiting.items() if _loses(row, fated)} | set(moved.re_attest)
    gone = {key for key, (_, row) in move.waiting.items() if row.fate is not Fate.ARCHIVED and key not in new}
    archived = tuple(sorted(gone | set(moved.archived)))
    re_attest = tuple(question.key for question in new.questions if question.key in again)
    facts_again = tuple(fact.key for fact in new.scoping if fact.key not in move.keep)
    of = {"from": move.old.digest, "to": new.digest, "re_attest": re_attest, "archived": archived, "facts": facts_again}
    return MigrationPreview(
        version_id=version.id,
        from_label=f"{move.old.slug} v{move.old.version}",
        to_label=f"{new.slug} v{new.version}",
        kept=tuple(question.key for question in new.questions if question.key in kept),
        re_attest=re_attest,
        new=tuple(key for key in plan.new if key not in move.old),
        archived=archived,
        to_confirm=plan.to_confirm,
        facts=facts_again,
        changes=tuple(diff(move.old, new)),
        digest=digest(of),
    )


def _loses(row: CarriedAnswer, fated: Fated) -> bool:
    """Whether an earlier answer that could have been confirmed has to be given anew after the move."""
    return row.fate is Fate.TO_CONFIRM and fated.fate is Fate.RE_ATTEST


def _take_out(tx: Tx, assessment: Assessment, move: _Move, before: UUID) -> None:
    """Lay the answers that do not stand beside their questions, and blank each by an edit; none is lost."""
    fates: dict[str, tuple[Fate, Sequence[Cause]]] = {
        **{key: (Fate.RE_ATTEST, causes) for key, causes in move.moved.re_attest.items()},
        **dict.fromkeys(move.moved.archived, (Fate.ARCHIVED, ())),
    }
    if not fates:
        return
    told = [_beside(tx, assessment, move, before, key, fate, causes) for key, (fate, causes) in sorted(fates.items())]
    insert = postgresql.insert(CarriedAnswer).values(told)
    ours = {name: insert.excluded[name] for name in told[0] if name not in ("assessment_id", "question_key")}
    tx.session.execute(
        insert.on_conflict_do_update(
            index_elements=["assessment_id", "question_key"],
            set_={**ours, "settled": None, "settled_by": None, "settled_at": None},
        )
    )
    blanked = (
        sa.update(Answer)
        .where(Answer.assessment_id == assessment.id, Answer.question_key.in_(sorted(fates)))
        .values(
            **queries.columns_of(questions.Answer()),
            version=Answer.version + 1,
            updated_by=tx.actor.id,
            updated_at=tx.now,
        )
        .returning(Answer.question_key, Answer.version)
        .execution_options(synchronize_session=False)
    )
    versions = sorted((key, version) for key, version in tx.session.execute(blanked))
    _take_files(tx, {key: files for key, files in move.files.items() if key in fates})
    if not versions:
        return
    edit: dict[str, Any] = {
        "vendor_id": assessment.vendor_id,
        "assessment_id": assessment.id,
        "content": {},
        "edited_by": tx.actor.id,
        "edited_at": tx.now,
    }
    tx.session.execute(
        sa.insert(AnswerEdit),
        [{**edit, "id": tx.new_id(), "question_key": key, "version": version} for key, version in versions],
    )
    for key, version in versions:
        tx.record(AnswerSaved(assessment.id, assessment.vendor_id, key, version, digest({})))


def _beside(
    tx: Tx, assessment: Assessment, move: _Move, before: UUID, key: str, fate: Fate, causes: Sequence[Cause]
) -> dict[str, Any]:
    line = move.lines.get(key)
    return {
        "assessment_id": assessment.id,
        "question_key": key,
        "vendor_id": assessment.vendor_id,
        "fate": fate,
        "causes": [cause.value for cause in causes],
        "content": to_json(line.answer) if line else {},
        "source_attestation_id": None,
        "source_questionnaire_id": before,
        "source_revision": move.old.question(key).revision if key in move.old else 1,
        "answered_by": line.by if line else _cited_by(tx, move.files[key][-1]),
        "answered_at": line.at if line else move.files[key][-1].cited_at,
    }


def _cited_by(tx: Tx, row: Citation) -> str:
    person = tx.session.get(UserAccount, row.cited_by) if row.cited_by else None
    return person.full_name if person else ""


def _take_files(tx: Tx, files: Mapping[str, tuple[Citation, ...]]) -> None:
    """Lay the files that were an answer beside its question, and take them from it."""
    for key, rows in files.items():
        for row in rows:
            own = {"assessment_id": row.assessment_id, "question_key": key, "vendor_id": row.vendor_id}
            cited = {"evidence_id": row.evidence_id, "pages": row.pages, "quote": row.quote}
            beside = postgresql.insert(CarriedCitation).values(**own, **cited)
            tx.session.execute(beside.on_conflict_do_nothing())
            end_citation(tx, row)


def _refate(tx: Tx, move: _Move) -> None:
    """Give what waits to be confirmed or answered again the fate that it has under the new version."""
    for key, (fated, row) in move.waiting.items():
        if key in move.moved.re_attest or key in move.moved.archived:
            continue
        row.fate, row.causes = fated.fate, [cause.value for cause in fated.causes]
    tx.session.flush()
