"""Signing: what an officer reads is frozen, fingerprinted and taken in, or nothing is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries, rules
from portal.attestations.facts import AttestationSigned
from portal.attestations.models import (
    Attestation,
    AttestedAnswer,
    AttestedCitation,
    AttestedScoping,
    CarriedAnswer,
    Citation,
)
from portal.attestations.rules import Blocker, SignedAnswer, SignedCitation, Snapshot, Standing
from portal.attestations.send_back import settle_all
from portal.attestations.standing import latest, not_now, standing
from portal.evidence.models import Evidence
from portal.identity.models import UserAccount
from portal.kernel import words
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.memo import Memo
from portal.policy import Action
from portal.questionnaires.rules import QuestionState, to_json
from portal.terms import ANSWERABLE_STATES
from portal.vendors.models import Vendor

_frozen: Memo[Snapshot] = Memo(48)
"""Signed revisions that were read last: a review reads the same two from one answer to the next."""


class Incomplete(Refused):
    """It cannot be signed yet; ``blockers`` says everything that is missing."""

    def __init__(self, blockers: Collection[Blocker]) -> None:
        super().__init__(problems={"blockers": [each.sentence for each in blockers]})
        self.blockers = tuple(blockers)


@dataclass(frozen=True, slots=True)
class Attested:
    """A signed revision as it was frozen, and who signed it."""

    id: UUID
    snapshot: Snapshot
    digest: str
    signed_by: UUID
    signed_name: str
    signer_title: str
    signed_at: datetime

    @property
    def sentences(self) -> tuple[str, ...]:
        """The statements that were signed."""
        return rules.sentences_of(self.snapshot.statement)


def get(tx: Tx, attestation_id: UUID, action: Action) -> Attestation:
    """Return a signed revision that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    row = tx.session.get(Attestation, attestation_id)
    if row is None:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def statements_for(tx: Tx, assessment: Assessment, *, lab_name: str) -> tuple[rules.Statement, ...]:
    """Return the statements that the actor would sign now, in the actor's language, with the names and the day."""
    vendor = tx.session.get_one(Vendor, assessment.vendor_id)
    texts, language = _texts(tx)
    today = words.day(words.in_zone(tx.now, tx.actor.timezone).date(), language)
    return rules.statements(vendor=vendor.legal_name or vendor.name, lab=lab_name, day=today, texts=texts)


def _texts(tx: Tx) -> tuple[rules.Texts, str]:
    """Return the statements in the actor's language, and which it is: English where there is no translation."""
    spoken = words.catalogue(tx.actor.language)
    return tuple((key, spoken.gettext(text)) for key, text in rules.TEXTS), words.language_of(spoken)


def preview(
    tx: Tx,
    assessment: Assessment,
    *,
    lab_name: str,
    lines: Mapping[str, queries.AnswerLine] | None = None,
    now: Standing | None = None,
) -> Snapshot:
    """Return what a signature would freeze now. Its digest goes into the form, and comes back with the signature.

    :param lines: the answers, if the caller has them at hand.
    :param now: how these answers stand, if the caller knows.
    """
    lines = queries.answers(tx, assessment.id) if lines is None else lines
    now = now or standing(tx, assessment, lines=lines)
    states = now.states()
    answers = {
        key: SignedAnswer(state, to_json(lines[key].answer), lines[key].updated_by)
        if key in lines and state not in rules.UNSEEN
        else SignedAnswer(state, {}, None)
        for key, state in states.items()
    }
    return Snapshot(
        assessment_id=assessment.id,
        vendor_id=assessment.vendor_id,
        revision=assessments.next_revision(assessment.state, assessment.revision),
        questionnaire_digest=now.questionnaire.digest,
        tier=assessment.tier,
        statement=rules.signed_text(
            statements_for(tx, assessment, lab_name=lab_name), named=rules.version(*_texts(tx))
        ),
        answers=answers,
        scoping={
            line.key: {"value": line.value, "details": dict(line.details)}
            for line in assessments.scoping_of(tx, assessment)
            if line.stated
        },
        citations=tuple(
            SignedCitation(
                each.id,
                each.question_key,
                each.evidence_id,
                each.sha256,
                each.version_id or "",
                each.pages,
                each.quote,
            )
            for each in queries.citations(tx, assessment.id)
            if states.get(each.question_key, QuestionState.HIDDEN) not in rules.UNSEEN
        ),
    )


def preview_digest(tx: Tx, assessment: Assessment, *, lab_name: str) -> str:
    """Return the fingerprint of what a signature would freeze now."""
    return preview(tx, assessment, lab_name=lab_name).digest


def sign(
    tx: Tx,
    *,
    assessment: Assessment,
    full_name: str,
    statements: Collection[str],
    row_version: int,
    digest_seen: str,
    lab_name: str,
    address: str,
    factor: str,
) -> Attestation:
    """Freeze the answers under the actor's name and hand them in. All of it happens, or nothing.

    :param full_name: the name as the signatory typed it.
    :param statements: the keys of the statements that were ticked.
    :param row_version: the assessment's, as the page showed it.
    :param digest_seen: the fingerprint of what the page showed: what you see is what you sign.
    :param address: where the signature came from.
    :param factor: how the signatory proved to be present, such as "totp".
    :raises Forbidden: if the actor may not sign; StepUpRequired if only a fresh factor is missing.
    :raises Conflict: if it cannot be signed now, or anything changed since the page was shown.
    :raises Refused: with the problems of full_name and statements.
    :raises Incomplete: with everything that is missing.
    """
    policy.check(tx.actor, Action.ATTESTATION_SIGN, assessment)
    signer = tx.session.get(UserAccount, tx.actor.id) if tx.actor.id is not None else None
    if signer is None:
        raise Forbidden("A person signs.")
    # Every writer of answers and citations holds this row (standing.hold). From here on nobody else moves.
    tx.session.refresh(assessment, with_for_update=True)
    if assessment.state not in ANSWERABLE_STATES:
        raise Conflict(not_now(assessment), current=_current(assessment))
    if assessment.row_version != row_version:
        raise _changed(assessment)
    _check_form(signer, full_name, statements)
    _hold_files(tx, assessment)
    # Read once: nobody moves any more, so what is judged is what is frozen.
    lines = queries.answers(tx, assessment.id)
    now = standing(tx, assessment, lines=lines)
    if missing := rules.blockers(now):
        raise Incomplete(missing)
    snapshot = preview(tx, assessment, lab_name=lab_name, lines=lines, now=now)
    if snapshot.digest != digest_seen:
        raise _changed(assessment)
    named = names_of(tx, snapshot, title=assessment.title, lab_name=lab_name)
    row = _freeze(tx, snapshot, signer=signer, address=address, factor=factor, named=named)
    settle_all(tx, assessment)
    assessments.submit(tx, assessment=assessment, revision=snapshot.revision, row_version=row_version)
    tx.record(
        AttestationSigned(
            attestation_id=row.id,
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            revision=row.revision,
            digest=row.digest,
        )
    )
    return row


def _check_form(signer: UserAccount, full_name: str, ticked: Collection[str]) -> None:
    problems: dict[str, list[str]] = {}
    if not rules.same_name(full_name, signer.full_name):
        problems["full_name"] = [f"Type your name as it is on your account: {signer.full_name}"]
    if {key for key, _ in rules.TEXTS} - set(ticked):
        problems["statements"] = ["Tick all three statements to sign. If one is not true, do not sign yet"]
    if problems:
        raise Refused(problems=problems)


def _hold_files(tx: Tx, assessment: Assessment) -> None:
    """Keep the cited files as they are until the signature is in; a removal or a scan result waits that long."""
    cited = sa.select(Citation.evidence_id).where(
        Citation.assessment_id == assessment.id, Citation.removed_at.is_(None)
    )
    statement = sa.select(Evidence.id).where(Evidence.id.in_(cited)).order_by(Evidence.id).with_for_update(read=True)
    tx.session.execute(statement).all()


def _current(assessment: Assessment) -> dict[str, object]:
    return {
        "state": assessment.state.value,
        "revision": assessment.revision,
        "row_version": assessment.row_version,
    }


def _changed(assessment: Assessment) -> Conflict:
    return Conflict(
        "Something changed since you opened this page. Nothing was signed. Read it again, then sign.",
        current=_current(assessment),
    )


def names_of(tx: Tx, snapshot: Snapshot, *, title: str, lab_name: str) -> dict[str, Any]:
    """Return what a snapshot only points to, as it is called today: it is kept with the signature for its print."""
    vendor = tx.session.get_one(Vendor, snapshot.vendor_id)
    people = sorted({each.prepared_by for each in snapshot.answers.values() if each.prepared_by}, key=str)
    files = sorted({each.evidence_id for each in snapshot.citations}, key=str)
    called = sa.select(UserAccount.id, UserAccount.full_name).where(UserAccount.id.in_(people))
    kept = sa.select(Evidence.id, Evidence.file_name).where(Evidence.id.in_(files))
    return {
        "lab": lab_name,
        "vendor": vendor.legal_name or vendor.name,
        "title": title,
        "timezone": tx.actor.timezone,
        "people": {str(key): name for key, name in tx.session.execute(called)},
        "files": {str(key): name for key, name in tx.session.execute(kept)},
    }


def _freeze(
    tx: Tx, snapshot: Snapshot, *, signer: UserAccount, address: str, factor: str, named: dict[str, Any]
) -> Attestation:
    row = Attestation(
        id=tx.new_id(),
        vendor_id=snapshot.vendor_id,
        assessment_id=snapshot.assessment_id,
        revision=snapshot.revision,
        questionnaire_digest=snapshot.questionnaire_digest,
        tier=snapshot.tier,
        statement=snapshot.statement,
        signed_by=signer.id,
        signed_name=signer.full_name,
        signer_title=signer.title,
        factor=factor,
        address=address,
        signed_at=tx.now,
        digest=snapshot.digest,
        named=named,
    )
    tx.session.add(row)
    tx.session.flush()
    own = {"attestation_id": row.id, "vendor_id": row.vendor_id}
    tx.session.add_all(
        AttestedAnswer(
            **own,
            question_key=key,
            state=each.state.value,
            content=dict(each.content),
            prepared_by=each.prepared_by,
        )
        for key, each in snapshot.answers.items()
    )
    tx.session.add_all(AttestedScoping(**own, key=key, value=dict(value)) for key, value in snapshot.scoping.items())
    tx.session.add_all(
        AttestedCitation(
            **own,
            citation_id=each.citation_id,
            question_key=each.question_key,
            evidence_id=each.evidence_id,
            sha256=each.sha256,
            version_id=each.version_id,
            pages=each.pages,
            quote=each.quote,
        )
        for each in snapshot.citations
    )
    tx.session.flush()
    return row


def attested(tx: Tx, attestation_id: UUID) -> Attested:
    """Return a signed revision exactly as it was frozen, from its own rows alone.

    :raises NotFound: if there is none.
    """
    # Its rows never change, and one transaction asks for them from several rooms. The row itself is kept so that it
    # stays in the session, for whoever asks for it by its id.
    known: dict[UUID, tuple[Attestation, Attested]] = tx.session.info.setdefault("attested", {})
    if attestation_id in known:
        return known[attestation_id][1]
    row = tx.session.get(Attestation, attestation_id)
    if row is None:
        raise NotFound
    made = Attested(
        id=row.id,
        # Whoever sees the row may see all of it, and its fingerprint names every letter of what comes.
        snapshot=_frozen.of((row.id, row.vendor_id, row.digest), lambda: _snapshot_of(tx, row)),
        digest=row.digest,
        signed_by=row.signed_by,
        signed_name=row.signed_name,
        signer_title=row.signer_title,
        signed_at=row.signed_at,
    )
    known[attestation_id] = (row, made)
    return made


def attested_answer(tx: Tx, attestation_id: UUID, question_key: str) -> SignedAnswer:
    """Return one answer of a signed revision exactly as it was frozen, without reading the others.

    :raises NotFound: if there is no such revision, or it does not ask this question.
    """
    row = tx.session.get(AttestedAnswer, (attestation_id, question_key))
    if row is None or not (signed := _signed_answer(row)).is_asked:
        raise NotFound
    return signed


def digest_of(tx: Tx, attestation_id: UUID) -> str:
    """Return the fingerprint recomputed from the stored rows; it equals the stored one as long as nobody touched them.

    :raises NotFound: if there is none.
    """
    row = tx.session.get(Attestation, attestation_id)
    if row is None:
        raise NotFound
    return _snapshot_of(tx, row).digest


def previous(tx: Tx, attestation: Attestation) -> Attestation | None:
    """Return the revision that was signed before this one for the same assessment; a transaction asks once."""
    known: dict[UUID, Attestation | None] = tx.session.info.setdefault("attested_before", {})
    if attestation.id not in known:
        known[attestation.id] = _previous(tx, attestation)
    return known[attestation.id]


def _previous(tx: Tx, attestation: Attestation) -> Attestation | None:
    statement = (
        sa.select(Attestation)
        .where(
            Attestation.assessment_id == attestation.assessment_id,
            Attestation.revision < attestation.revision,
        )
        .order_by(Attestation.revision.desc())
        .limit(1)
    )
    return get_one(tx, statement) or _before(tx, attestation.assessment_id)


def baseline(tx: Tx, assessment: Assessment) -> Attestation | None:
    """Return what unsigned answers are compared with: the revision before, else what was signed before it was asked."""
    return latest(tx, assessment.id) or _before(tx, assessment.id)


def is_renewal(tx: Tx, attestation: Attestation) -> bool:
    """Whether the same was signed before for the same engagement, in an earlier assessment."""
    return _of_earlier_assessment(tx, attestation.assessment_id) is not None


def _before(tx: Tx, assessment_id: UUID) -> Attestation | None:
    return _of_earlier_assessment(tx, assessment_id) or _carried_from(tx, assessment_id)


def _of_earlier_assessment(tx: Tx, assessment_id: UUID) -> Attestation | None:
    """Return what the vendor signed last on the same questionnaire for the same engagement, before this assessment."""
    this, other = aliased(Assessment), aliased(Assessment)
    statement = (
        sa.select(Attestation)
        .join(other, other.id == Attestation.assessment_id)
        .join(
            this,
            sa.and_(
                this.id == assessment_id,
                this.vendor_id == other.vendor_id,
                this.engagement_id == other.engagement_id,
                this.questionnaire_slug == other.questionnaire_slug,
                this.requested_at > other.requested_at,
            ),
        )
        .order_by(Attestation.signed_at.desc(), Attestation.revision.desc())
        .limit(1)
    )
    return get_one(tx, statement)


def _carried_from(tx: Tx, assessment_id: UUID) -> Attestation | None:
    """Return what the vendor signed last, for the same engagement, of what its answers were carried over from.

    So a move from one questionnaire to another that shares keys has something to be compared with.
    """
    this, other = aliased(Assessment), aliased(Assessment)
    carried = sa.select(CarriedAnswer.source_attestation_id).where(CarriedAnswer.assessment_id == assessment_id)
    statement = (
        sa.select(Attestation)
        .join(other, other.id == Attestation.assessment_id)
        .join(this, sa.and_(this.id == assessment_id, this.engagement_id == other.engagement_id))
        .where(Attestation.id.in_(carried))
        .order_by(Attestation.signed_at.desc(), Attestation.revision.desc())
        .limit(1)
    )
    return get_one(tx, statement)


def _snapshot_of(tx: Tx, row: Attestation) -> Snapshot:
    answers = sa.select(AttestedAnswer).where(AttestedAnswer.attestation_id == row.id)
    scoping = sa.select(AttestedScoping).where(AttestedScoping.attestation_id == row.id)
    citations = sa.select(AttestedCitation).where(AttestedCitation.attestation_id == row.id)
    return Snapshot(
        assessment_id=row.assessment_id,
        vendor_id=row.vendor_id,
        revision=row.revision,
        questionnaire_digest=row.questionnaire_digest,
        tier=row.tier,
        statement=row.statement,
        answers={
            each.question_key: _signed_answer(each)
            for each in tx.session.execute(answers.order_by(AttestedAnswer.question_key)).scalars()
        },
        scoping={each.key: each.value for each in tx.session.execute(scoping.order_by(AttestedScoping.key)).scalars()},
        citations=tuple(
            SignedCitation(
                each.citation_id,
                each.question_key,
                each.evidence_id,
                each.sha256,
                each.version_id,
                each.pages,
                each.quote,
            )
            for each in tx.session.execute(
                citations.order_by(AttestedCitation.question_key, AttestedCitation.citation_id)
            ).scalars()
        ),
    )


def _signed_answer(row: AttestedAnswer) -> SignedAnswer:
    return SignedAnswer(QuestionState(row.state), row.content, row.prepared_by)
