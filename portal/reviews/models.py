"""Reviews, their verdicts and notes; decisions and who signed them; conflicts of interest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.database import Base
from portal.reviews.rules import Found, Kind, Stage
from portal.reviews.rules.levels import Stage as LevelStage
from portal.terms import DecisionState, EscalationEnd, Outcome, Recommendation, Verdict


def _assessment_key() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["vendor_id", "assessment_id"], ["assessment.vendor_id", "assessment.id"])


class Review(Base, kw_only=True):
    """The judging of one signed revision. Waiting until claimed; one a revision. ``asked``: how many answers it has.

    ``checks_found``: at how many contradictions a machine pointed when it last looked.
    """

    __tablename__ = "review"
    __table_args__ = (
        _assessment_key(),
        sa.UniqueConstraint("assessment_id", "revision"),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("(reviewer_id IS NULL) = (claimed_at IS NULL)", name="claimed_by_somebody"),
        sa.CheckConstraint("(recommendation IS NULL) = (recommended_at IS NULL)", name="recommended_iff_dated"),
        sa.Index("ix_review_reviewer_id", "reviewer_id"),
        sa.Index("ix_review_open", "opened_at", "id", postgresql_where=sa.text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    revision: Mapped[int]
    attestation_id: Mapped[UUID]
    attestation_digest: Mapped[str]
    kind: Mapped[Kind]
    asked: Mapped[int]
    reviewer_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None] = mapped_column(default=None)
    recommendation: Mapped[Recommendation | None] = mapped_column(default=None)
    recommendation_note: Mapped[str] = mapped_column(default="")
    recommended_at: Mapped[datetime | None] = mapped_column(default=None)
    snapshot_id: Mapped[UUID | None] = mapped_column(default=None)
    closed_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)
    to_read: Mapped[int] = mapped_column(default=0, server_default="0")
    went_down: Mapped[int] = mapped_column(default=0, server_default="0")
    checks_found: Mapped[int] = mapped_column(default=0, server_default="0")


class QueueCard(Base, kw_only=True):
    """What the queue shows of an assessment's newest review, worked out when something changes. Made of other rows.

    ``stage`` of None: it is in no list any more. ``since``: from when on it is whoever's turn it is now.
    """

    __tablename__ = "queue_card"
    __table_args__ = (
        _assessment_key(),
        sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),
        sa.CheckConstraint("(stage IS NULL) = (review_id IS NULL)", name="of_a_review"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    review_id: Mapped[UUID | None] = mapped_column(default=None)
    stage: Mapped[Stage | None] = mapped_column(default=None)
    since: Mapped[datetime | None] = mapped_column(default=None)
    signals: Mapped[list[Any]] = mapped_column(default_factory=list)
    decision_id: Mapped[UUID | None] = mapped_column(default=None)
    snooze_id: Mapped[UUID | None] = mapped_column(default=None)


class QueuePlace(Base, kw_only=True):
    """One list of the queue in which an assessment is found, with what the list is sorted by. Made of other rows.

    A row that is not ``live`` is of a list that it left. The indexes cover a page and a count of any list, for none of
    them reads a row that is not shown.
    """

    __tablename__ = "queue_place"
    __table_args__ = (
        _assessment_key(),
        *(
            sa.Index(
                f"ix_queue_place_{name}",
                "place",
                *columns,
                postgresql_where=sa.text("live"),
                postgresql_include=["vendor_id", "snoozed_until"],
            )
            for name, columns in {
                "due": ("due_at", "assessment_id"),
                "risk": ("rank", "due_at", "assessment_id"),
                "waiting": ("since", "assessment_id"),
            }.items()
        ),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    vendor_id: Mapped[UUID]
    due_at: Mapped[datetime]
    rank: Mapped[int]
    since: Mapped[datetime]
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    live: Mapped[bool] = mapped_column(default=True)


class Snooze(Base, kw_only=True):
    """A review set aside until a moment, with a reason. It comes back by the clock, or when somebody ends it."""

    __tablename__ = "snooze"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint("until > snoozed_at", name="into_the_future"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended_by_somebody"),
        sa.Index("uq_snooze_open", "review_id", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    review_id: Mapped[UUID]
    until: Mapped[datetime]
    reason: Mapped[str]
    snoozed_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    snoozed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)


class SearchWord(Base, kw_only=True):
    """A word, and one place where it stands: what search looks up instead of reading texts. Made of other rows.

    ``ref`` is the row and ``part`` what of it: the question of a signed revision, else nothing. A word that its text
    lost stays; whoever finds it looks at the text. Built on comparisons that the wall between vendors lets an index
    answer, which full-text operators are not.
    """

    __tablename__ = "search_word"
    __table_args__ = (sa.CheckConstraint("word <> ''", name="some_word"),)

    kind: Mapped[Found] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(sa.Text(collation="C"), primary_key=True)
    ref: Mapped[UUID] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True, default="")
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"))


class SavedView(Base, kw_only=True):
    """A list of the queue that a person gave a name: the part of the address that asks for it."""

    __tablename__ = "saved_view"
    __table_args__ = (
        sa.CheckConstraint("name <> ''", name="named"),
        sa.Index(
            "uq_saved_view_name",
            "user_id",
            sa.text("lower(name)"),
            unique=True,
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    name: Mapped[str]
    query: Mapped[str]
    saved_at: Mapped[datetime]
    removed_at: Mapped[datetime | None] = mapped_column(default=None)


class AnswerVerdict(Base, kw_only=True):
    """What the reviewer says of one answer of one review. A draft until the review sends it.

    ``verdict`` of None was taken back. ``carried_from``: the review of an earlier revision that gave it, where the
    answer has not changed since. ``by_rule``: the rule that accepted it, with its version; no person gave it then.
    ``act_id``: the one act that accepted it together with others.
    """

    __tablename__ = "answer_verdict"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),
        sa.CheckConstraint("verdict <> 'ask' OR note <> ''", name="asks_something"),
        sa.CheckConstraint("(given_by IS NULL) = (by_rule IS NOT NULL)", name="by_a_person_or_a_rule"),
        sa.CheckConstraint("by_rule IS NULL OR verdict IS NOT DISTINCT FROM 'accept'", name="a_rule_only_accepts"),
        sa.CheckConstraint("act_id IS NULL OR verdict IS NOT DISTINCT FROM 'accept'", name="together_only_accepted"),
    )

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    question_key: Mapped[str] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    verdict: Mapped[Verdict | None]
    note: Mapped[str] = mapped_column(default="")
    finding_id: Mapped[UUID | None] = mapped_column(default=None)
    given_by: Mapped[UUID | None]
    given_at: Mapped[datetime]
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
    carried_from: Mapped[UUID | None] = mapped_column(default=None)
    version: Mapped[int] = mapped_column(default=1)
    by_rule: Mapped[str | None] = mapped_column(default=None)
    act_id: Mapped[UUID | None] = mapped_column(default=None)


class InternalNote(Base, kw_only=True):
    """A note that only the lab sees. There is no path by which a vendor's page could read this table."""

    __tablename__ = "internal_note"
    __table_args__ = (_assessment_key(), sa.CheckConstraint("body <> ''", name="says_something"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    question_key: Mapped[str] = mapped_column(default="")
    author_id: Mapped[UUID]
    author_name: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]


class Decision(Base, kw_only=True):
    """What people decided on one revision. It counts when everybody needed has signed the same digest.

    ``document`` is the very text that is signed (canonical JSON); the other columns say the same for queries.
    ``asked_id``: who was asked to sign it next; others who may can sign it too.
    """

    __tablename__ = "decision"
    __table_args__ = (
        _assessment_key(),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')", name="digest_of_document"),
        sa.CheckConstraint("signatures_needed BETWEEN 1 AND 2", name="one_or_two_sign"),
        sa.CheckConstraint("outcome = 'reject' OR valid_until IS NOT NULL", name="approval_ends"),
        sa.CheckConstraint("(state = 'confirmed') = (decided_at IS NOT NULL)", name="confirmed_iff_dated"),
        sa.Index(
            "uq_decision_one_a_revision",
            "assessment_id",
            "revision",
            unique=True,
            postgresql_where=sa.text("state = 'confirmed'"),
        ),
        sa.Index(
            "uq_decision_one_proposed",
            "assessment_id",
            unique=True,
            postgresql_where=sa.text("state = 'proposed'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(unique=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    engagement_id: Mapped[UUID]
    revision: Mapped[int]
    tier: Mapped[int]
    attestation_digest: Mapped[str]
    snapshot_id: Mapped[UUID]
    policy_digest: Mapped[str]
    recommendation: Mapped[Recommendation]
    outcome: Mapped[Outcome]
    conditions: Mapped[list[Any]]
    valid_until: Mapped[date | None]
    reason: Mapped[str]
    letter: Mapped[str]
    signatures_needed: Mapped[int]
    asked_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user_account.id"), default=None)
    document: Mapped[str]
    digest: Mapped[str]
    state: Mapped[DecisionState] = mapped_column(default=DecisionState.PROPOSED)
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None] = mapped_column(default=None)
    row_version: Mapped[int] = mapped_column(default=1)


class DecisionSignature(Base, kw_only=True):
    """One person's signature under the digest of one decision. Two of one person cannot be stored."""

    __tablename__ = "decision_signature"
    __table_args__ = (sa.ForeignKeyConstraint(["vendor_id", "decision_id"], ["decision.vendor_id", "decision.id"]),)

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    signer_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    vendor_id: Mapped[UUID]
    digest: Mapped[str]
    factor: Mapped[str]
    signed_at: Mapped[datetime]


class DecisionRecord(Base, kw_only=True):
    """What was decided, sealed: the very bytes of the envelope, shown and handed out as they are. Never changed."""

    __tablename__ = "decision_record"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "decision_id"], ["decision.vendor_id", "decision.id"]),
        sa.CheckConstraint("digest = encode(sha256(convert_to(envelope, 'UTF8')), 'hex')", name="digest_of_envelope"),
    )

    decision_id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    envelope: Mapped[str]
    digest: Mapped[str]
    sealed_at: Mapped[datetime]


class DecisionDraft(Base, kw_only=True):
    """What one person has typed of a decision on one review. ``basis``: what the page showed when it was saved.

    One that was proposed or thrown away is empty and has no time.
    """

    __tablename__ = "decision_draft"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),
        sa.CheckConstraint("saved_at IS NOT NULL OR body = '{}'", name="empty_iff_dropped"),
    )

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    vendor_id: Mapped[UUID]
    body: Mapped[dict[str, Any]]
    basis: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime | None]
    row_version: Mapped[int] = mapped_column(default=1)


class Escalation(Base, kw_only=True):
    """A review that was put before named lead approvers, with a reason and a day. Nothing is decided by it.

    It ends with a decision, handed back with words, taken back, or with the review itself.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),
        sa.UniqueConstraint("vendor_id", "id"),
        sa.CheckConstraint("reason <> ''", name="with_reason"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name="ended_somehow"),
        sa.CheckConstraint("ended_how IS DISTINCT FROM 'handed_back' OR answer <> ''", name="handed_back_with_words"),
        sa.Index("uq_escalation_open", "review_id", unique=True, postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    assessment_id: Mapped[UUID]
    review_id: Mapped[UUID]
    reason: Mapped[str]
    due_on: Mapped[date]
    raised_by: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"))
    raised_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_how: Mapped[EscalationEnd | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(default=None)
    answer: Mapped[str] = mapped_column(default="")
    row_version: Mapped[int] = mapped_column(default=1)


class EscalationPerson(Base, kw_only=True):
    """One of those whom a review was put before."""

    __tablename__ = "escalation_person"
    __table_args__ = (
        sa.ForeignKeyConstraint(["vendor_id", "escalation_id"], ["escalation.vendor_id", "escalation.id"]),
    )

    escalation_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), primary_key=True)
    vendor_id: Mapped[UUID]


class ConflictOfInterest(Base, kw_only=True):
    """A declared reason why a person of the lab does not judge a vendor (S3)."""

    __tablename__ = "conflict_of_interest"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user_account.id"), index=True)
    vendor_id: Mapped[UUID] = mapped_column(sa.ForeignKey("vendor.id"), index=True)
    reason: Mapped[str]
    declared_by: Mapped[UUID]
    declared_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class LevelNotice(Base, kw_only=True):
    """That it was said of a review that its time runs out, or is over: each once. Rows only grow."""

    __tablename__ = "level_notice"
    __table_args__ = (sa.ForeignKeyConstraint(["vendor_id", "review_id"], ["review.vendor_id", "review.id"]),)

    review_id: Mapped[UUID] = mapped_column(primary_key=True)
    stage: Mapped[LevelStage] = mapped_column(primary_key=True)
    vendor_id: Mapped[UUID]
    due_at: Mapped[datetime]
    noticed_at: Mapped[datetime]
