"""What was signed as a PDF: printed once, and then the same bytes for everybody (docs/adr/0017-signed-pdf.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.attestations import rules, signing
from portal.attestations.facts import AttestationPrinted
from portal.attestations.models import Attestation, AttestationPrint
from portal.attestations.rules import paper as papers
from portal.kernel import paper, words
from portal.kernel.actor import Actor
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Ledger, Tx, get_one
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion

TEMPLATE = "attestation"


@dataclass(frozen=True, slots=True)
class Printed:
    """A signed revision as a PDF. ``sha256`` is of these bytes; the fingerprint of what was signed stands in them."""

    pdf: bytes
    sha256: str
    revision: int
    digest: str


def print_signed(ledger: Ledger, actor: Actor, attestation_id: UUID, *, lab_name: str) -> Printed:
    """Return what was signed as a PDF. Nothing is printed inside a transaction.

    :param lab_name: what the lab is called today, for what was signed before names were kept with a signature.
    :raises NotFound: if there is no such attestation, or the actor may not know of it.
    :raises Forbidden: if the actor may not read all of it.
    :raises TooLong: if it is too long to print.
    :raises Unavailable: if the press failed.
    """
    with ledger.begin(actor) as tx:
        row = signing.get(tx, attestation_id, Action.ASSESSMENT_WHOLE)
        if (kept := tx.session.get(AttestationPrint, row.id)) is not None:
            return _printed(row, kept)
        data = document(tx, row, lab_name=lab_name)
    pdf = paper.render(TEMPLATE, data)
    with ledger.begin(actor) as tx:
        row = signing.get(tx, attestation_id, Action.ASSESSMENT_WHOLE)
        return _printed(row, _keep(tx, row, pdf))


def document(tx: Tx, row: Attestation, *, lab_name: str) -> dict[str, Any]:
    """Return the data that the document is printed from."""
    signed = signing.attested(tx, row.id)
    version = get_one(
        tx, sa.select(QuestionnaireVersion.id).where(QuestionnaireVersion.digest == row.questionnaire_digest)
    )
    if version is None:
        raise NotFound
    named = row.named
    if named is None:
        title = tx.session.get_one(Assessment, row.assessment_id).title
        named = signing.names_of(tx, signed.snapshot, title=title, lab_name=lab_name) | {"timezone": "UTC"}
    spoken, zone = words.catalogue(rules.language_of(row.statement)), words.zone_of(named["timezone"])
    language = words.language_of(spoken)
    return papers.document(
        questionnaires.compiled(tx, version),
        signed.snapshot,
        papers.Signature(row.signed_name, row.signer_title, row.signed_at, row.factor, row.digest),
        named,
        papers.Voice(
            language=language,
            say=lambda text: words.translated(text, spoken, zone),
            day=lambda day: words.day(day, language),
            moment=lambda at: words.moment(at, language, zone),
        ),
    )


def _keep(tx: Tx, row: Attestation, pdf: bytes) -> AttestationPrint:
    """Keep the first print; of two at once, both give out the one that was kept."""
    sha256 = hashlib.sha256(pdf).hexdigest()
    values = {
        "attestation_id": row.id,
        "vendor_id": row.vendor_id,
        "press": paper.press_mark(TEMPLATE),
        "sha256": sha256,
        "pdf": pdf,
        "printed_at": tx.now,
    }
    statement = postgresql.insert(AttestationPrint).values(values).on_conflict_do_nothing()
    if tx.session.execute(statement.returning(AttestationPrint.attestation_id)).first() is not None:
        tx.record(
            AttestationPrinted(
                attestation_id=row.id,
                assessment_id=row.assessment_id,
                vendor_id=row.vendor_id,
                revision=row.revision,
                sha256=sha256,
            )
        )
    return tx.session.get_one(AttestationPrint, row.id, populate_existing=True)


def _printed(row: Attestation, kept: AttestationPrint) -> Printed:
    return Printed(pdf=kept.pdf, sha256=kept.sha256, revision=row.revision, digest=row.digest)
