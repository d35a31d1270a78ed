"""A signed revision as plain values, for the formats in which it leaves."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.evidence.models import Evidence
from portal.exchange.facts import AnswersExported
from portal.exchange.rules.oscal import Proof, SignedRevision
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx, get_one
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Questionnaire
from portal.vendors.models import Vendor


def revision_of(tx: Tx, *, assessment: Assessment, revision: int) -> UUID:
    """Return the id of a signed revision of an assessment.

    :raises NotFound: if nothing was signed under that number.
    :raises Forbidden: if the actor may not read it.
    """
    statement = sa.select(Attestation).where(
        Attestation.assessment_id == assessment.id, Attestation.revision == revision
    )
    row = get_one(tx, statement)
    if row is None:
        raise NotFound
    return attestations.get(tx, row.id, Action.ASSESSMENT_READ).id


def revisions_of(tx: Tx, assessment: Assessment) -> list[int]:
    """Return the numbers of what was signed for an assessment, the newest first."""
    statement = sa.select(Attestation.revision).where(Attestation.assessment_id == assessment.id)
    return list(tx.session.execute(statement.order_by(Attestation.revision.desc()).limit(50)).scalars())


def signed_revision(tx: Tx, attestation_id: UUID) -> tuple[Questionnaire, SignedRevision]:
    """Return a signed revision exactly as it was frozen, with the questions that it answers.

    Whoever asks has fetched it before. What is said of a file beside its fingerprint is what is known of it now.

    :raises NotFound: if there is none.
    """
    signed = attestations.attested(tx, attestation_id)
    snapshot = signed.snapshot
    version = get_one(
        tx, sa.select(QuestionnaireVersion.id).where(QuestionnaireVersion.digest == snapshot.questionnaire_digest)
    )
    if version is None:
        raise NotFound
    questionnaire = questionnaires.compiled(tx, version)
    vendor = tx.session.get_one(Vendor, snapshot.vendor_id)
    ids = {each.evidence_id for each in snapshot.citations}
    files = {
        each.id: each
        for each in tx.session.execute(sa.select(Evidence).where(Evidence.id.in_(sorted(ids, key=str)))).scalars()
    }
    return questionnaire, SignedRevision(
        attestation_id=signed.id,
        digest=signed.digest,
        vendor=vendor.legal_name or vendor.name,
        vendor_slug=vendor.slug,
        revision=snapshot.revision,
        tier=snapshot.tier,
        signed_at=signed.signed_at,
        signed_name=signed.signed_name,
        signer_title=signed.signer_title,
        sentences=signed.sentences,
        answers={
            question.key: (each.state.value, each.answer)
            for question in questionnaire.questions
            if (each := snapshot.answers.get(question.key)) is not None and each.is_asked
        },
        proofs=tuple(
            Proof(
                question_key=each.question_key,
                sha256=each.sha256,
                pages=each.pages,
                quote=each.quote,
                file_name=files[each.evidence_id].file_name,
                title=files[each.evidence_id].title,
                kind=files[each.evidence_id].kind,
                valid_until=until.isoformat() if (until := files[each.evidence_id].valid_until) else "",
            )
            for each in sorted(
                snapshot.citations, key=lambda each: (each.question_key, each.sha256, each.pages, each.quote)
            )
        ),
    )


def record(tx: Tx, *, assessment_id: UUID, vendor_id: UUID, what: str, sha256: str) -> None:
    """Record that signed content leaves in some format."""
    tx.record(AnswersExported(assessment_id=assessment_id, vendor_id=vendor_id, what=what, digest=sha256))
