"""The scoping facts of an assessment: who states which, and what the vendor confirms."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal import policy
from portal.assessments.facts import ScopingFactConfirmed, ScopingFactStated
from portal.assessments.models import Assessment, ReopenedQuestion, ScopingFact
from portal.assessments.moves import touch
from portal.assessments.rules import MOVED, is_answerable, not_now, scoping_from
from portal.kernel.canonical import plain
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import rules as questions
from portal.questionnaires import service as questionnaires
from portal.terms import AssessmentState, Side
from portal.vendors.models import Engagement

Definition = questions.ScopingFact
Raw = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class ScopingLine:
    """One scoping fact as it stands. ``version`` is 0 while nothing is stated; ``value`` is then None."""

    key: str
    label: str
    definition: Definition
    value: Any
    details: Mapping[str, Any]
    shown: tuple[str, ...]
    owner: questions.Owner
    needs_confirmation: bool
    stated_at: datetime | None
    confirmed_at: datetime | None
    version: int
    carried_from: UUID | None = None

    @property
    def stated(self) -> bool:
        """Whether somebody stated it."""
        return self.version > 0 and self.value is not None

    @property
    def confirmed(self) -> bool:
        """Whether the vendor confirmed what the lab stated, or what it signed earlier itself."""
        return self.confirmed_at is not None

    @property
    def is_carried(self) -> bool:
        """Whether it is what the vendor signed earlier, and waits for its confirmation."""
        return self.carried_from is not None and not self.confirmed

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do about it: stated, and confirmed where that is asked."""
        return self.stated and (self.confirmed or not self.needs_confirmation)

    @property
    def waits_for_vendor(self) -> bool:
        """Whether the vendor has to state or to confirm it."""
        return not self.is_settled and (self.owner is questions.Owner.VENDOR or self.needs_confirmation)


def fill_from_engagement(tx: Tx, *, assessment: Assessment, engagement: Engagement) -> None:
    """State the lab's scoping facts as the engagement has them."""
    for key, value in stated_by_engagement(
        questionnaires.compiled(tx, assessment.questionnaire_id), engagement
    ).items():
        tx.session.add(
            ScopingFact(
                assessment_id=assessment.id,
                key=key,
                vendor_id=assessment.vendor_id,
                value=value,
                stated_side=Side.LAB,
                stated_by=tx.actor.id,
                stated_at=tx.now,
            )
        )
    tx.session.flush()


def stated_by_engagement(questionnaire: questions.Questionnaire, engagement: Engagement) -> dict[str, dict[str, Any]]:
    """Return the lab's scoping facts of a questionnaire as an engagement has them, by key."""
    known = scoping_from(
        project=engagement.project,
        services=engagement.services,
        data_classes=engagement.data_classes,
        access_modes=engagement.access_modes,
        persons=engagement.persons,
    )
    return {
        fact.key: {"value": known[fact.key], "details": {}}
        for fact in questionnaire.scoping
        if fact.owner is questions.Owner.LAB and fact.key in known
    }


def carry_facts(tx: Tx, *, assessment: Assessment, stated: Mapping[str, tuple[UUID, Mapping[str, Any]]]) -> None:
    """State for the vendor what it signed earlier, by key with the signed revision; each waits for its confirmation."""
    for key, (attestation_id, value) in stated.items():
        tx.session.add(
            ScopingFact(
                assessment_id=assessment.id,
                key=key,
                vendor_id=assessment.vendor_id,
                value=dict(value),
                stated_side=Side.VENDOR,
                stated_by=None,
                stated_at=tx.now,
                carried_from=attestation_id,
            )
        )
    tx.session.flush()


def scoping_of(tx: Tx, assessment: Assessment) -> list[ScopingLine]:
    """Return every scoping fact of the assessment's questionnaire, in its order, as it stands."""
    rows = _rows(tx, assessment)
    return [
        _line(fact, rows.get(fact.key)) for fact in questionnaires.compiled(tx, assessment.questionnaire_id).scoping
    ]


def scoping_and_facts(tx: Tx, assessment: Assessment) -> tuple[list[ScopingLine], questions.Facts]:
    """Return what ``scoping_of`` and ``facts_of`` do, read once."""
    rows = _rows(tx, assessment)
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    lines = [_line(fact, rows.get(fact.key)) for fact in asked.scoping]
    return lines, questions.facts_from({key: row.value for key, row in rows.items()}, asked)


def facts_of(tx: Tx, assessment: Assessment) -> questions.Facts:
    """Return the facts that conditions ask for; what is not stated counts as the more cautious case."""
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    return questions.facts_from({key: row.value for key, row in _rows(tx, assessment).items()}, questionnaire)


def facts_on(
    tx: Tx, assessment: Assessment, questionnaire: questions.Questionnaire, *, keep: Collection[str]
) -> questions.Facts:
    """Return the facts as another version would have them: what is stated of those kept, and the engagement's."""
    stated = {key: row.value for key, row in _rows(tx, assessment).items() if key in keep}
    known = stated_by_engagement(questionnaire, tx.session.get_one(Engagement, assessment.engagement_id))
    return questions.facts_from({**known, **stated}, questionnaire)


def state_fact(tx: Tx, *, assessment: Assessment, key: str, value: questions.Stated | Raw, version: int) -> ScopingLine:
    """State a scoping fact, or state it anew; a confirmation of the text before is gone then.

    :param value: what ``questionnaires.rules.parse_fact`` returned, or the form fields it reads.
    :param version: the version that the writer saw, 0 if nothing was stated.
    :raises NotFound: if the questionnaire has no such fact.
    :raises Forbidden: if the fact is the other side's to state, or the actor may not.
    :raises Conflict: if it was stated meanwhile (``current`` holds it), or cannot be stated now.
    :raises Refused: with the problems of the fields.
    """
    fact = _definition(tx, assessment, key)
    owner_is_vendor = fact.owner is questions.Owner.VENDOR
    policy.check(tx.actor, Action.SCOPING_CONFIRM if owner_is_vendor else Action.ENGAGEMENT_WRITE, assessment)
    _check_moment(tx, assessment, key)
    stated = value if isinstance(value, questions.Stated) else questions.parse_fact(fact, value)
    if isinstance(stated, questions.Problems):
        raise Refused(problems={field: [message] for field, message in stated.by_field().items()})
    content = {"value": plain(stated.value), "details": plain(dict(stated.details))}
    row = _row(tx, assessment, key)
    told = {
        "value": content,
        "stated_side": Side.VENDOR if owner_is_vendor else Side.LAB,
        "stated_by": tx.actor.id,
        "stated_at": tx.now,
        "version": version + 1,
        "carried_from": None,
    }
    if row is not None and row.version == version and row.value == content:
        waits = row.carried_from is not None and row.confirmed_at is None
        # Stating what was carried over is confirming it.
        return confirm_fact(tx, assessment=assessment, key=key, version=version) if waits else _line(fact, row)
    if version == 0:
        won = row is None and _insert(tx, assessment, key, told)
    else:
        unconfirmed = {"confirmed_by": None, "confirmed_at": None}
        won = row is not None and swap(tx, row, expect={"version": version}, change={**told, **unconfirmed})
    if not won:
        raise _late(tx, assessment, fact)
    if owner_is_vendor:
        touch(tx, assessment=assessment)
    tx.record(
        ScopingFactStated(assessment_id=assessment.id, vendor_id=assessment.vendor_id, key=key, version=version + 1)
    )
    return _line(fact, _row(tx, assessment, key))


def confirm_fact(tx: Tx, *, assessment: Assessment, key: str, version: int) -> ScopingLine:
    """Confirm, as the vendor, what the lab stated, or what was signed earlier. Confirming twice is confirming once.

    :raises NotFound: if there is no such fact, or nothing was stated.
    :raises Forbidden: if the actor may not.
    :raises Conflict: if it was stated anew since ``version``, or cannot be confirmed now.
    :raises Refused: if this fact is not one that the vendor confirms.
    """
    fact = _definition(tx, assessment, key)
    policy.check(tx.actor, Action.SCOPING_CONFIRM, assessment)
    _check_moment(tx, assessment, key)
    row = _row(tx, assessment, key)
    if row is None:
        raise NotFound
    if not fact.vendor_confirms and row.carried_from is None:
        raise Refused(said("“%(label)s” needs no confirmation.", label=fact.label))
    if row.version == version and row.confirmed_at is not None:
        return _line(fact, row)
    confirmed = {"confirmed_by": tx.actor.id, "confirmed_at": tx.now}
    if tx.actor.id is None:
        raise Refused(said("A person of the vendor confirms what we stated."))
    if not swap(tx, row, expect={"version": version, "confirmed_at": None}, change=confirmed):
        if row.version == version and row.confirmed_at is not None:
            return _line(fact, row)
        raise _late(tx, assessment, fact)
    touch(tx, assessment=assessment)
    tx.record(
        ScopingFactConfirmed(assessment_id=assessment.id, vendor_id=assessment.vendor_id, key=key, version=version)
    )
    return _line(fact, row)


def _check_moment(tx: Tx, assessment: Assessment, key: str) -> None:
    # Held until this transaction ends: a signature waits for a fact that is being stated, or comes first.
    pinned = assessment.questionnaire_id
    tx.session.refresh(assessment, with_for_update={"read": True})
    if assessment.questionnaire_id != pinned:
        raise Conflict(MOVED, current={"state": assessment.state.value})
    if not is_answerable(assessment.state):
        raise Conflict(not_now(assessment.state), current={"state": assessment.state.value})
    if assessment.state is AssessmentState.CHANGES_REQUESTED:
        reopened = sa.select(ReopenedQuestion.question_key).where(
            ReopenedQuestion.assessment_id == assessment.id,
            ReopenedQuestion.revision == assessment.revision,
            ReopenedQuestion.question_key == key,
        )
        if tx.session.execute(reopened).scalar_one_or_none() is None:
            raise Conflict(
                said("Only the questions that came back can change now. Ask about this one in its conversation.")
            )


def _definition(tx: Tx, assessment: Assessment, key: str) -> Definition:
    try:
        return questionnaires.compiled(tx, assessment.questionnaire_id).fact(key)
    except KeyError:
        raise NotFound from None


def _rows(tx: Tx, assessment: Assessment) -> dict[str, ScopingFact]:
    statement = sa.select(ScopingFact).where(ScopingFact.assessment_id == assessment.id)
    return {row.key: row for row in tx.session.execute(statement).scalars()}


def _row(tx: Tx, assessment: Assessment, key: str) -> ScopingFact | None:
    return get_one(tx, sa.select(ScopingFact).where(ScopingFact.assessment_id == assessment.id, ScopingFact.key == key))


def _insert(tx: Tx, assessment: Assessment, key: str, told: dict[str, Any]) -> bool:
    statement = (
        postgresql.insert(ScopingFact)
        .values(assessment_id=assessment.id, key=key, vendor_id=assessment.vendor_id, **told)
        .on_conflict_do_nothing()
        .returning(ScopingFact.key)
    )
    return tx.session.execute(statement).first() is not None


def _late(tx: Tx, assessment: Assessment, fact: Definition) -> Conflict:
    row = _row(tx, assessment, fact.key)
    line = _line(fact, row)
    return Conflict(
        said("“%(label)s” was changed since you opened it. Nothing of yours was saved yet.", label=fact.label),
        current={
            "value": line.value,
            "details": dict(line.details),
            "shown": line.shown,
            "version": line.version,
            "stated_by": row.stated_by if row else None,
            "stated_at": line.stated_at,
        },
    )


def _line(fact: Definition, row: ScopingFact | None) -> ScopingLine:
    content = row.value if row is not None else {}
    return ScopingLine(
        key=fact.key,
        label=fact.label,
        definition=fact,
        value=content.get("value"),
        details=content.get("details") or {},
        shown=shown(fact, content.get("value")),
        owner=fact.owner,
        needs_confirmation=fact.vendor_confirms or (row is not None and row.carried_from is not None),
        stated_at=row.stated_at if row else None,
        confirmed_at=row.confirmed_at if row else None,
        version=row.version if row else 0,
        carried_from=row.carried_from if row else None,
    )


def shown(fact: Definition, value: Any) -> tuple[str, ...]:
    """Return a stated value in words, one text a choice or row; nothing if it is not stated."""
    labels = {option.key: option.label for option in fact.options}
    if value is None:
        return ()
    if fact.kind is questions.FactKind.CHOICES:
        return tuple(label for key, label in labels.items() if key in value) or ("None",)
    if fact.kind is questions.FactKind.YES_NO:
        return (labels.get(str(value), str(value)),)
    if fact.kind is questions.FactKind.NUMBER:
        number = f"{int(value):,}" if str(value).isdigit() else str(value)
        return (f"{number} {fact.unit}".strip(),)
    return tuple(_row_shown(fact, row) for row in value) or ("None",)


def _row_shown(fact: Definition, row: Mapping[str, Any]) -> str:
    words = [questions.field_words(column, str(row.get(column.key, ""))) for column in fact.columns]
    return ", ".join(word for word in words if word)


def stated_by(tx: Tx, assessment: Assessment) -> dict[str, UUID | None]:
    """Return who stated each fact, by its key."""
    return {key: row.stated_by for key, row in _rows(tx, assessment).items()}
