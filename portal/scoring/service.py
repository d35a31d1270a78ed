"""Scoring a signed revision, keeping the score with all its inputs, and replaying it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from uuid import UUID

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.findings import service as findings
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.kernel.memo import Memo
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.scoring import policies, rules
from portal.scoring.facts import ScoreComputed
from portal.scoring.models import ScoreSnapshot
from portal.scoring.queries import latest, papers
from portal.scoring.rules import NotApplicable
from portal.scoring.translate import Paper, inputs_for
from portal.terms import Recommendation

__all__ = ["get", "inputs", "inputs_of", "inputs_with", "latest", "papers", "read", "replays", "result_of", "score"]


def inputs(tx: Tx, *, attestation_id: UUID, not_applicable: Mapping[str, NotApplicable]) -> rules.Inputs:
    """Return what the score of a signed revision is a function of, as things stand now.

    :param not_applicable: the questions that a reviewer accepted as not applicable, with who and why.
    """
    used = papers(tx, attestation_id)
    return inputs_with(tx, attestation_id=attestation_id, papers=used, not_applicable=not_applicable)


def inputs_with(
    tx: Tx, *, attestation_id: UUID, papers: Iterable[Paper], not_applicable: Mapping[str, NotApplicable]
) -> rules.Inputs:
    """Return the same as ``inputs``, for the uses of files that were read already."""
    snapshot = attestations.attested(tx, attestation_id).snapshot
    assessment = tx.session.get_one(Assessment, snapshot.assessment_id)
    wrong = {
        key: rules.Finding(
            credit=each.credit,
            author=str(each.author),
            reason=each.reason,
            evidence=(str(each.evidence_id),) if each.evidence_id is not None else (),
        )
        for key, each in findings.credits_of(tx, snapshot.assessment_id).items()
    }
    return inputs_for(
        questionnaire=questionnaires.compiled(tx, assessment.questionnaire_id),
        snapshot=snapshot,
        papers=papers,
        findings=wrong,
        not_applicable=not_applicable,
        policy=policies.in_force(tx),
        as_of=tx.now.date(),
    )


def score(
    tx: Tx, *, attestation_id: UUID, cause: str, not_applicable: Mapping[str, NotApplicable] | None = None
) -> ScoreSnapshot:
    """Score a signed revision as things stand now and keep the score.

    :param cause: why it is scored, a short word for the history: signed, recommended, decided.
    """
    signed = attestations.attested(tx, attestation_id)
    given = inputs(tx, attestation_id=attestation_id, not_applicable=not_applicable or {})
    result = rules.compile_plan(given.version, given.policy).score(given)
    stored = rules.snapshot(given, result)
    row = ScoreSnapshot(
        id=tx.new_id(),
        vendor_id=signed.snapshot.vendor_id,
        assessment_id=signed.snapshot.assessment_id,
        attestation_id=attestation_id,
        revision=signed.snapshot.revision,
        cause=cause,
        policy_digest=rules.digest(given.policy),
        inputs=stored.inputs.decode(),
        inputs_digest=stored.inputs_digest,
        result=stored.result.decode(),
        result_digest=stored.result_digest,
        score_floor=result.measures.score.numerator // result.measures.score.denominator,
        recommendation=Recommendation(result.recommendation.value),
        made_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    tx.record(
        ScoreComputed(
            row.id,
            row.vendor_id,
            row.assessment_id,
            attestation_id,
            cause,
            row.inputs_digest,
            row.result_digest,
        )
    )
    return row


def get(tx: Tx, snapshot_id: UUID) -> ScoreSnapshot:
    """Return a stored score.

    :raises NotFound: if there is none.
    """
    row = tx.session.get(ScoreSnapshot, snapshot_id)
    if row is None:
        raise NotFound
    return row


def read(tx: Tx, snapshot_id: UUID, action: Action) -> ScoreSnapshot:
    """Return a stored score for a reader.

    :raises NotFound: if there is none.
    :raises Forbidden: if the actor may not do this.
    """
    row = get(tx, snapshot_id)
    policy.check(tx.actor, action, row)
    return row


def inputs_of(snapshot: ScoreSnapshot) -> rules.Inputs:
    """Return the inputs of a stored score as values."""
    return _read(snapshot)[0]


def result_of(snapshot: ScoreSnapshot) -> rules.Score:
    """Return the result of a stored score as values, computed from its stored inputs."""
    return _read(snapshot)[1]


_known: Memo[tuple[rules.Inputs, rules.Score]] = Memo(48)
"""By the fingerprint of the very text, so that a row that somebody changed is read anew."""


def _read(snapshot: ScoreSnapshot) -> tuple[rules.Inputs, rules.Score]:
    text = snapshot.inputs.encode()

    def compute() -> tuple[rules.Inputs, rules.Score]:
        given = rules.read_inputs(text)
        return given, rules.compile_plan(given.version, given.policy).score(given)

    return _known.of(hashlib.sha256(text).digest(), compute)


def replays(snapshot: ScoreSnapshot) -> bool:
    """Whether the stored inputs still give the stored result, byte for byte."""
    return rules.replay(snapshot.inputs.encode()) == snapshot.result.encode()
