"""Answers as they stand, every earlier text of them, and the frozen copies that were signed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.attestations.rules.carry import Fate
from portal.kernel.database import Base
from portal.terms import Acceptance, Settled, Side, Written


def _assessment_key() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"])


class Answer(Base, kw_only=True):
    """The answer to one question as it stands. ``version`` counts writes: a late writer is told."""

    __tablename__ = "answer"
    __table_args__ = (
        _assessment_key(),
        sa.CheckConstraint("version >= 1", name="version_from_one"),
        sa.CheckConstraint("value IS NOT NULL", name="has_value"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID] = mapped_column(index=True)
    value: Mapped[dict[str, Any]]
    comment: Mapped[str] = mapped_column(default="")
    planned_on: Mapped[date | None] = mapped_column(default=None)
    na_reason: Mapped[str] = mapped_column(default="")
    compensating: Mapped[str] = mapped_column(default="", server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(default_factory=dict)
    version: Mapped[int] = mapped_column(default=1)
    updated_by: Mapped[UUID | None]
    updated_at: Mapped[datetime]


class AnswerEdit(Base, kw_only=True):
    """One write of an answer, kept for ever: who, when, what, and how it came about.

    ``page`` and ``turn`` name the open page that sent it and its how-manieth write of this answer, so that a page whose
    acknowledgement was lost is told from a colleague who was faster.
    """

    __tablename__ = "answer_edit"
    __table_args__ = (
        _assessment_key(),
        sa.CheckConstraint("(how = 'restored') = (restored_version IS NOT NULL)", name="restored_from_somewhere"),
        sa.CheckConstraint("restored_version < version", name="restored_from_before"),
        sa.CheckConstraint("(page IS NULL) = (turn IS NULL)", name="page_with_its_turn"),
        sa.UniqueConstraint("assessment_id", "question_key", "version"),
        sa.Index("ix_answer_edit_vendor_id_edited_at", "vendor_id", "edited_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    question_key: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    edited_by: Mapped[UUID | None]
    edited_at: Mapped[datetime]
    how: Mapped[Written] = mapped_column(default=Written.TYPED, server_default=Written.TYPED)
    restored_version: Mapped[int | None] = mapped_column(default=None)
    page: Mapped[UUID | None] = mapped_column(default=None)
    turn: Mapped[int | None] = mapped_column(default=None)


class Citation(Base, kw_only=True):
    """The use of a file by an answer, at named pages. Acceptance is the reviewer's, per citation.

    ``checked_evidence_id`` is the newer revision of the file that a reviewer found to prove the same answer.
    """

    __tablename__ = "citation"
    __table_args__ = (
        _assessment_key(),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
        sa.Index(
            "uq_citation_live",
            "assessment_id",
            "question_key",
            "evidence_id",
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
        sa.Index("ix_citation_evidence_id", "evidence_id"),
        sa.CheckConstraint("(acceptance = 'unjudged') = (judged_by IS NULL)", name="judged_by_somebody"),
        sa.ForeignKeyConstraint(
            ["vendor_id", "checked_evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name="fk_citation_vendor_id_checked_evidence_id",
        ),
        sa.CheckConstraint(
            "(checked_evidence_id IS NULL) = (checked_by IS NULL)"
            " AND (checked_evidence_id IS NULL) = (checked_at IS NULL)",
            name="checked_by_somebody",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    question_key: Mapped[str]
    evidence_id: Mapped[UUID]
    pages: Mapped[str] = mapped_column(default="")
    cited_by: Mapped[UUID | None]
    cited_at: Mapped[datetime]
    acceptance: Mapped[Acceptance] = mapped_column(default=Acceptance.UNJUDGED)
    judged_by: Mapped[UUID | None] = mapped_column(default=None)
    judged_at: Mapped[datetime | None] = mapped_column(default=None)
    removed_by: Mapped[UUID | None] = mapped_column(default=None)
    removed_at: Mapped[datetime | None] = mapped_column(default=None)
    quote: Mapped[str] = mapped_column(default="", server_default="")
    checked_evidence_id: Mapped[UUID | None] = mapped_column(default=None)
    checked_by: Mapped[UUID | None] = mapped_column(default=None)
    checked_at: Mapped[datetime | None] = mapped_column(default=None)


class Message(Base, kw_only=True):
    """One message in the conversation about a question; both sides see it. Internal notes live elsewhere.

    ``asks``: the lab waits for an answer to it, and nothing is signed before there is one.
    """

    __tablename__ = "message"
    __table_args__ = (
        _assessment_key(),
        sa.Index("ix_message_assessment_id_question_key", "assessment_id", "question_key", "sent_at"),
        sa.CheckConstraint("body <> ''", name="says_something"),
        sa.CheckConstraint("side = 'lab' OR NOT asks", name="the_lab_asks"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    question_key: Mapped[str]
    side: Mapped[Side]
    author_id: Mapped[UUID | None]
    author_name: Mapped[str]
    body: Mapped[str]
    sent_at: Mapped[datetime]
    asks: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class Attestation(Base, kw_only=True):
    """A signed, frozen copy of one revision. Its digest recomputes from the attested rows below. Never changed.

    ``named`` keeps what these rows only point to and what may change later: names of people, of files, of the lab.
    """

    __tablename__ = "attestation"
    __table_args__ = (
        _assessment_key(),
        sa.UniqueConstraint("assessment_id", "revision"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest_shape"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    questionnaire_digest: Mapped[str]
    tier: Mapped[int]
    statement: Mapped[str]
    signed_by: Mapped[UUID]
    signed_name: Mapped[str]
    signer_title: Mapped[str]
    factor: Mapped[str]
    address: Mapped[str]
    signed_at: Mapped[datetime]
    digest: Mapped[str] = mapped_column(unique=True)
    named: Mapped[dict[str, Any] | None] = mapped_column(default=None)


class AttestedAnswer(Base, kw_only=True):
    """One answer as signed; ``state`` says hidden, blank, na_claimed, zero or answered at that moment."""

    __tablename__ = "attested_answer"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
    )

    attestation_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    state: Mapped[str]
    content: Mapped[dict[str, Any]]
    prepared_by: Mapped[UUID | None]


class AttestedScoping(Base, kw_only=True):
    """One scoping fact as signed."""

    __tablename__ = "attested_scoping"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
    )

    attestation_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    value: Mapped[dict[str, Any]]


class AttestedCitation(Base, kw_only=True):
    """One citation as signed, with the digest and version of the very bytes."""

    __tablename__ = "attested_citation"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
    )

    attestation_id: Mapped[UUID] = mapped_column(primary_key=True)
    citation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("citation.id"), primary_key=True)
    vendor_id: Mapped[UUID]
    question_key: Mapped[str]
    evidence_id: Mapped[UUID]
    sha256: Mapped[str]
    version_id: Mapped[str]
    pages: Mapped[str]
    quote: Mapped[str] = mapped_column(default="", server_default="")


class AttestationPrint(Base, kw_only=True):
    """What was signed, as the PDF that was given out first; everybody gets these very bytes. Never changed."""

    __tablename__ = "attestation_print"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "attestation_id"], ["attestation.vendor_id", "attestation.id"]),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="digest_shape"),
    )

    attestation_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    press: Mapped[str]
    sha256: Mapped[str]
    pdf: Mapped[bytes] = mapped_column(repr=False)
    printed_at: Mapped[datetime]


class SignatureRequest(Base, kw_only=True):
    """Somebody asked the signatories to sign. Never changed."""

    __tablename__ = "signature_request"
    __table_args__ = (
        _assessment_key(),
        sa.Index("ix_signature_request_assessment_id", "assessment_id", "asked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]


class SentBack(Base, kw_only=True):
    """A note with which the signatory sent an answer, a section or the whole back to the people who prepare it.

    A note on an answer names its section and the version that was read. One to a person and no section is about the
    whole. ``act_id`` is shared by the notes of one press.
    """

    __tablename__ = "sent_back"
    __table_args__ = (
        _assessment_key(),
        sa.CheckConstraint("note <> ''", name="says_something"),
        sa.CheckConstraint("question_key IS NULL OR section IS NOT NULL", name="has_its_section"),
        sa.CheckConstraint("section IS NOT NULL OR user_id IS NOT NULL", name="goes_to_somebody"),
        sa.CheckConstraint("(question_key IS NULL) = (answer_version IS NULL)", name="knows_the_answer"),
        sa.CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled_by_somebody"),
        sa.Index("ix_sent_back_assessment_id_sent_at", "assessment_id", "sent_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    act_id: Mapped[UUID]
    section: Mapped[str | None]
    question_key: Mapped[str | None]
    user_id: Mapped[UUID | None]
    answer_version: Mapped[int | None]
    note: Mapped[str]
    sent_by: Mapped[UUID]
    sent_by_name: Mapped[str]
    sent_at: Mapped[datetime]
    settled_at: Mapped[datetime | None] = mapped_column(default=None)
    settled_by: Mapped[UUID | None] = mapped_column(default=None)


class CarriedAnswer(Base, kw_only=True):
    """An earlier answer beside an assessment that asks again. It answers nothing until somebody confirms it.

    Without ``source_attestation_id`` it is this assessment's own, from before its move to another version.
    """

    __tablename__ = "carried_answer"
    __table_args__ = (
        _assessment_key(),
        sa.ForeignKeyConstraint(["vendor_id", "source_attestation_id"], ["attestation.vendor_id", "attestation.id"]),
        sa.CheckConstraint("(settled IS NULL) = (settled_at IS NULL)", name="settled_iff_dated"),
        sa.CheckConstraint(
            "settled IS DISTINCT FROM 'confirmed' OR fate = 'to_confirm'", name="only_same_is_confirmed"
        ),
        sa.UniqueConstraint("vendor_id", "assessment_id", "question_key"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    fate: Mapped[Fate]
    causes: Mapped[list[Any]] = mapped_column(default_factory=list)
    content: Mapped[dict[str, Any]]
    source_attestation_id: Mapped[UUID | None]
    source_questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    source_revision: Mapped[int]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime]
    settled: Mapped[Settled | None] = mapped_column(default=None)
    settled_by: Mapped[UUID | None] = mapped_column(default=None)
    settled_at: Mapped[datetime | None] = mapped_column(default=None)


class CarriedCitation(Base, kw_only=True):
    """A file that an earlier answer was signed with. It proves nothing until that answer is confirmed."""

    __tablename__ = "carried_citation"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id", "question_key"],
            ["carried_answer.vendor_id", "carried_answer.assessment_id", "carried_answer.question_key"],
        ),
        sa.ForeignKeyConstraint(["vendor_id", "evidence_id"], ["evidence.vendor_id", "evidence.id"]),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    evidence_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    pages: Mapped[str] = mapped_column(default="")
    quote: Mapped[str] = mapped_column(default="", server_default="")


class AssessmentMigration(Base, kw_only=True):
    """One move of a running assessment to a newer version: both fingerprints, and what became of each answer."""

    __tablename__ = "assessment_migration"
    __table_args__ = (
        _assessment_key(),
        sa.CheckConstraint("from_digest <> to_digest", name="moves_somewhere"),
        sa.Index("ix_assessment_migration_assessment_id", "assessment_id", "moved_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    from_questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    to_questionnaire_id: Mapped[UUID] = mapped_column(sa.ForeignKey("questionnaire_version.id"))
    from_digest: Mapped[str]
    to_digest: Mapped[str]
    mapping: Mapped[dict[str, Any]]
    moved_by: Mapped[UUID | None]
    moved_at: Mapped[datetime]
