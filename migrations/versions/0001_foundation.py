"""The tables of the first release.

Revision: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoint")),
    )
    op.create_index(op.f("ix_audit_checkpoint_seq"), "audit_checkpoint", ["seq"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "octet_length(hash) = 32 AND octet_length(previous_hash) = 32", name=op.f("ck_audit_event_sha256")
        ),
        sa.CheckConstraint("seq > 0", name=op.f("ck_audit_event_counted_from_one")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_event_hash")),
    )
    op.create_index("ix_audit_event_fact_seq", "audit_event", ["fact", "seq"], unique=False)
    op.create_index("ix_audit_event_vendor_id_seq", "audit_event", ["vendor_id", "seq"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("to_address", sa.Text(), nullable=False),
        sa.Column("to_name", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sent",
                "failed",
                "dropped",
                name="mailstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("transport", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_mail_sent_iff_dated")),
        sa.CheckConstraint("(state = 'sent') = (transport <> '')", name=op.f("ck_mail_sent_iff_transported")),
        sa.CheckConstraint(
            "state NOT IN ('failed', 'dropped') OR last_error <> ''", name=op.f("ck_mail_given_up_with_reason")
        ),
        sa.CheckConstraint("to_address !~ '[[:space:][:cntrl:]]'", name=op.f("ck_mail_address_plain")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_mail_dedupe_key")),
    )
    op.create_index("ix_mail_created_at", "mail", ["created_at"], unique=False)
    op.create_index(
        "ix_mail_unsent", "mail", ["state", "created_at"], unique=False, postgresql_where=sa.text("state <> 'sent'")
    )
    op.create_index(op.f("ix_mail_vendor_id"), "mail", ["vendor_id"], unique=False)
    op.create_table(
        "questionnaire_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "digest = encode(sha256(source), 'hex')", name=op.f("ck_questionnaire_version_digest_of_source")
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_questionnaire_version_counted_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_questionnaire_version_digest")),
        sa.UniqueConstraint("slug", "version", name=op.f("uq_questionnaire_version_slug_version")),
    )
    op.create_table(
        "service_client",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("token_hint", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("vendor_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_service_client_ends_after_it_begins")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_client")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_service_client_token_digest")),
    )
    op.create_table(
        "throttle",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttle")),
    )
    op.create_table(
        "vendor",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("mail_domains", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_vendor_named")),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 60", name=op.f("ck_vendor_slug_shape")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor")),
        sa.UniqueConstraint("slug", name=op.f("uq_vendor_slug")),
    )
    op.create_table(
        "engagement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("data_classes", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("access_modes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("persons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("workforce", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("devices", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("inherent_risk", sa.Integer(), nullable=False),
        sa.Column("computed_tier", sa.Integer(), nullable=False),
        sa.Column("raised_tier", sa.Integer(), nullable=True),
        sa.Column("raised_reason", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(raised_tier IS NULL) = (raised_reason = '')", name=op.f("ck_engagement_raised_with_reason")
        ),
        sa.CheckConstraint(
            "cardinality(access_modes) > 0 AND access_modes <@ ARRAY['A1','A2','A3','A4','A5']",
            name=op.f("ck_engagement_access_modes_known"),
        ),
        sa.CheckConstraint(
            "cardinality(data_classes) > 0 AND data_classes <@ ARRAY[0,1,2,3,4,5]",
            name=op.f("ck_engagement_data_classes_known"),
        ),
        sa.CheckConstraint("computed_tier BETWEEN 1 AND 3", name=op.f("ck_engagement_tier_range")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_engagement_ends_after_it_starts")),
        sa.CheckConstraint("inherent_risk BETWEEN 0 AND 25", name=op.f("ck_engagement_inherent_risk_range")),
        sa.CheckConstraint(
            "raised_tier IS NULL OR raised_tier < computed_tier", name=op.f("ck_engagement_only_raised")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_engagement_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_engagement_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "slug", name=op.f("uq_engagement_vendor_id_slug")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=True),
        sa.Column("page_count", sa.Integer(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("validity_rule", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reserved",
                "received",
                "attached",
                "verified",
                "rejected",
                "refused",
                "integrity_failure",
                name="evidencestate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "scan",
            sa.Enum(
                "pending",
                "clean",
                "not_scanned",
                "infected",
                name="scanstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("supersedes_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judgement", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'refused') = (refusal <> '')", name=op.f("ck_evidence_refused_with_words")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_evidence_sha256_shape")),
        sa.CheckConstraint(
            "state IN ('reserved', 'refused') OR (version_id IS NOT NULL AND received_at IS NOT NULL AND mime IS NOT NULL)",
            name=op.f("ck_evidence_pinned_once_received"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('verified', 'rejected') OR (judged_by IS NOT NULL AND judged_at IS NOT NULL)",
            name=op.f("ck_evidence_judged_by_somebody"),
        ),
        sa.CheckConstraint("size > 0 AND size <= 200000000", name=op.f("ck_evidence_size_range")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_from IS NULL OR valid_until >= valid_from",
            name=op.f("ck_evidence_valid_range"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "supersedes_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_vendor_id_supersedes_id"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_evidence_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint(
            "bucket", "object_key", "version_id", name=op.f("uq_evidence_bucket_object_key_version_id")
        ),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_evidence_vendor_id_id")),
    )
    op.create_index("ix_evidence_vendor_id_created_at", "evidence", ["vendor_id", "created_at"], unique=False)
    op.create_table(
        "gate_sequence",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_gate_sequence_vendor_id")),
        sa.PrimaryKeyConstraint("vendor_id", name=op.f("pk_gate_sequence")),
    )
    op.create_table(
        "pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_by", sa.Uuid(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resume_asked_by", sa.Uuid(), nullable=True),
        sa.Column("resume_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resume_plan", sa.Text(), nullable=False),
        sa.Column("resume_confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_sequence", sa.Integer(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_pause_with_reason")),
        sa.CheckConstraint("(ended_at IS NULL) = (resume_confirmed_by IS NULL)", name=op.f("ck_pause_ended_by_two")),
        sa.CheckConstraint(
            "(resume_asked_by IS NULL) = (resume_asked_at IS NULL)", name=op.f("ck_pause_asked_by_somebody")
        ),
        sa.CheckConstraint(
            "resume_confirmed_by IS NULL OR (resume_asked_by IS NOT NULL AND resume_confirmed_by <> resume_asked_by)",
            name=op.f("ck_pause_two_people"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_pause_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index(
        "uq_pause_live",
        "pause",
        [sa.literal_column("coalesce(vendor_id, '00000000-0000-0000-0000-000000000000'::uuid)")],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(side = 'vendor') = (vendor_id IS NOT NULL)", name=op.f("ck_user_account_vendor_iff_vendor_side")
        ),
        sa.CheckConstraint(
            "(password_hash IS NULL) = (enrolled_at IS NULL)", name=op.f("ck_user_account_password_iff_enrolled")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_account_email_lower")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_user_account_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("id", "side", name=op.f("uq_user_account_id_side")),
    )
    op.create_index(op.f("ix_user_account_vendor_id"), "user_account", ["vendor_id"], unique=False)
    op.create_table(
        "access_card",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "engagement_id"],
            ["engagement.vendor_id", "engagement.id"],
            name=op.f("fk_access_card_vendor_id_engagement_id"),
        ),
        sa.PrimaryKeyConstraint("engagement_id", name=op.f("pk_access_card")),
    )
    op.create_index(op.f("ix_access_card_vendor_id"), "access_card", ["vendor_id"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_id", sa.Uuid(), nullable=False),
        sa.Column("questionnaire_slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "in_progress",
                "submitted",
                "in_review",
                "changes_requested",
                "recommended",
                "decided",
                "cancelled",
                "withdrawn",
                name="assessmentstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'decided') = (decided_at IS NOT NULL)", name=op.f("ck_assessment_decided_iff_dated")
        ),
        sa.CheckConstraint("state <> 'cancelled' OR reason <> ''", name=op.f("ck_assessment_cancelled_with_reason")),
        sa.CheckConstraint("state <> 'withdrawn' OR reason <> ''", name=op.f("ck_assessment_withdrawn_with_reason")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_assessment_revision_from_one")),
        sa.CheckConstraint("tier BETWEEN 1 AND 3", name=op.f("ck_assessment_tier_range")),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"], ["questionnaire_version.id"], name=op.f("fk_assessment_questionnaire_id")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "engagement_id"],
            ["engagement.vendor_id", "engagement.id"],
            name=op.f("fk_assessment_vendor_id_engagement_id"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_assessment_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_assessment_vendor_id_id")),
    )
    op.create_index("ix_assessment_state_due_on", "assessment", ["state", "due_on", "id"], unique=False)
    op.create_index(op.f("ix_assessment_vendor_id"), "assessment", ["vendor_id"], unique=False)
    op.create_index(
        "uq_assessment_open",
        "assessment",
        ["vendor_id", "questionnaire_slug", "engagement_id"],
        unique=True,
        postgresql_where=sa.text("state NOT IN ('decided', 'cancelled', 'withdrawn')"),
    )
    op.create_table(
        "conflict_of_interest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_conflict_of_interest_user_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_conflict_of_interest_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_of_interest")),
    )
    op.create_index(op.f("ix_conflict_of_interest_user_id"), "conflict_of_interest", ["user_id"], unique=False)
    op.create_index(op.f("ix_conflict_of_interest_vendor_id"), "conflict_of_interest", ["vendor_id"], unique=False)
    op.create_table(
        "evidence_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_by_name", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_opening_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence_opening")),
    )
    op.create_index("ix_evidence_opening_evidence_id_at", "evidence_opening", ["evidence_id", "at"], unique=False)
    op.create_index("ix_evidence_opening_opened_by_at", "evidence_opening", ["opened_by", "at"], unique=False)
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_user_id"), "recovery_code", ["user_id"], unique=False)
    op.create_table(
        "role_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "role",
            sa.Enum(
                "respondent",
                "vendor_admin",
                "signatory",
                "reviewer",
                "lead_approver",
                "program_admin",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(side = 'vendor' AND role IN ('respondent', 'vendor_admin', 'signatory')) OR (side = 'lab' AND role IN ('reviewer', 'lead_approver', 'program_admin', 'auditor'))",
            name=op.f("ck_role_grant_role_of_the_side"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "side"], ["user_account.id", "user_account.side"], name=op.f("fk_role_grant_user_id_side")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )
    op.create_index(
        "uq_role_grant_live",
        "role_grant",
        ["user_id", "role"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.create_table(
        "role_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "role",
            sa.Enum(
                "respondent",
                "vendor_admin",
                "signatory",
                "reviewer",
                "lead_approver",
                "program_admin",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "side = 'lab' AND role IN ('reviewer', 'lead_approver', 'program_admin', 'auditor')",
            name=op.f("ck_role_request_role_of_the_lab"),
        ),
        sa.CheckConstraint("asked_by <> user_id", name=op.f("ck_role_request_not_for_oneself")),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by NOT IN (asked_by, user_id)",
            name=op.f("ck_role_request_another_confirms"),
        ),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_role_request_confirmed_by_somebody")
        ),
        sa.CheckConstraint(
            "confirmed_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_role_request_confirmed_or_withdrawn")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "side"], ["user_account.id", "user_account.side"], name=op.f("fk_role_request_user_id_side")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_request")),
    )
    op.create_index(
        "uq_role_request_open",
        "role_request",
        ["user_id", "role"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_table(
        "web_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fresh_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_web_session_ends_after_it_begins")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_web_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_web_session_token_digest")),
    )
    op.create_index(op.f("ix_web_session_user_id"), "web_session", ["user_id"], unique=False)
    op.create_table(
        "answer",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("na_reason", sa.Text(), nullable=False),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value IS NOT NULL", name=op.f("ck_answer_has_value")),
        sa.CheckConstraint("version >= 1", name=op.f("ck_answer_version_from_one")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_answer_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", "question_key", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_vendor_id"), "answer", ["vendor_id"], unique=False)
    op.create_table(
        "answer_edit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_answer_edit_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_edit")),
        sa.UniqueConstraint(
            "assessment_id", "question_key", "version", name=op.f("uq_answer_edit_assessment_id_question_key_version")
        ),
    )
    op.create_table(
        "attestation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("questionnaire_digest", sa.Text(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_name", sa.Text(), nullable=False),
        sa.Column("signer_title", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name=op.f("ck_attestation_digest_shape")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_attestation_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attestation")),
        sa.UniqueConstraint("assessment_id", "revision", name=op.f("uq_attestation_assessment_id_revision")),
        sa.UniqueConstraint("digest", name=op.f("uq_attestation_digest")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_attestation_vendor_id_id")),
    )
    op.create_table(
        "citation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.Column("cited_by", sa.Uuid(), nullable=True),
        sa.Column("cited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "acceptance",
            sa.Enum(
                "unjudged",
                "accepted",
                "rejected",
                name="acceptance",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(acceptance = 'unjudged') = (judged_by IS NULL)", name=op.f("ck_citation_judged_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_citation_vendor_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_citation_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_citation")),
    )
    op.create_index("ix_citation_evidence_id", "citation", ["evidence_id"], unique=False)
    op.create_index(
        "uq_citation_live",
        "citation",
        ["assessment_id", "question_key", "evidence_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("attestation_digest", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column(
            "recommendation",
            sa.Enum(
                "incomplete",
                "reject",
                "hold",
                "conditional",
                "approve",
                name="recommendation",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                "approve",
                "approve_with_conditions",
                "reject",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("signatures_needed", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "confirmed",
                "voided",
                name="decisionstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'confirmed') = (decided_at IS NOT NULL)", name=op.f("ck_decision_confirmed_iff_dated")
        ),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')", name=op.f("ck_decision_digest_of_document")
        ),
        sa.CheckConstraint("signatures_needed BETWEEN 1 AND 2", name=op.f("ck_decision_one_or_two_sign")),
        sa.CheckConstraint("outcome = 'reject' OR valid_until IS NOT NULL", name=op.f("ck_decision_approval_ends")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_decision_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
        sa.UniqueConstraint("number", name=op.f("uq_decision_number")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_decision_vendor_id_id")),
    )
    op.create_index(
        "uq_decision_one_a_revision",
        "decision",
        ["assessment_id", "revision"],
        unique=True,
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(
        "uq_decision_one_proposed",
        "decision",
        ["assessment_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_table(
        "finding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("high", "medium", "low", name="severity", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("closes_when", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("credit", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "open",
                "closed",
                "withdrawn",
                name="findingstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("opened_by", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_finding_closed_iff_dated")),
        sa.CheckConstraint(
            "state = 'draft' OR shared_at IS NOT NULL OR state = 'withdrawn'",
            name=op.f("ck_finding_shared_unless_draft"),
        ),
        sa.CheckConstraint("what <> ''", name=op.f("ck_finding_says_what_is_wrong")),
        sa.CheckConstraint("credit IS NULL OR credit BETWEEN 0 AND 100", name=op.f("ck_finding_credit_range")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_finding_vendor_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_finding_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_finding_vendor_id_id")),
        sa.UniqueConstraint("vendor_id", "number", name=op.f("uq_finding_vendor_id_number")),
    )
    op.create_index("ix_finding_assessment_id", "finding", ["assessment_id"], unique=False)
    op.create_table(
        "internal_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("body <> ''", name=op.f("ck_internal_note_says_something")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_internal_note_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_internal_note")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sections", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(side = 'vendor') = (vendor_id IS NOT NULL)", name=op.f("ck_invitation_vendor_iff_vendor_side")
        ),
        sa.CheckConstraint("purpose IN ('join', 'bootstrap', 'reset')", name=op.f("ck_invitation_purpose_known")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_invitation_email_lower")),
        sa.CheckConstraint("redeemed_at IS NULL OR revoked_at IS NULL", name=op.f("ck_invitation_redeemed_or_revoked")),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessment.id"], name=op.f("fk_invitation_assessment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_invitation_user_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_invitation_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invitation_token_digest")),
    )
    op.create_index(op.f("ix_invitation_email"), "invitation", ["email"], unique=False)
    op.create_index(op.f("ix_invitation_vendor_id"), "invitation", ["vendor_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("body <> ''", name=op.f("ck_message_says_something")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_message_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(
        "ix_message_assessment_id_question_key", "message", ["assessment_id", "question_key", "sent_at"], unique=False
    )
    op.create_table(
        "published_outcome",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_published_outcome_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_published_outcome")),
        sa.UniqueConstraint("assessment_id", "revision", name=op.f("uq_published_outcome_assessment_id_revision")),
    )
    op.create_index(
        "ix_published_outcome_vendor_id_published_at", "published_outcome", ["vendor_id", "published_at"], unique=False
    )
    op.create_table(
        "reopened_question",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_reopened_question_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", "revision", "question_key", name=op.f("pk_reopened_question")),
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("attestation_digest", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("first", "renewal", "reply", name="kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "recommendation",
            sa.Enum(
                "incomplete",
                "reject",
                "hold",
                "conditional",
                "approve",
                name="recommendation",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("recommendation_note", sa.Text(), nullable=False),
        sa.Column("recommended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snapshot_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(recommendation IS NULL) = (recommended_at IS NULL)", name=op.f("ck_review_recommended_iff_dated")
        ),
        sa.CheckConstraint("(reviewer_id IS NULL) = (claimed_at IS NULL)", name=op.f("ck_review_claimed_by_somebody")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["user_account.id"], name=op.f("fk_review_reviewer_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_review_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("assessment_id", "revision", name=op.f("uq_review_assessment_id_revision")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_review_vendor_id_id")),
    )
    op.create_index(
        "ix_review_open", "review", ["opened_at", "id"], unique=False, postgresql_where=sa.text("closed_at IS NULL")
    )
    op.create_index("ix_review_reviewer_id", "review", ["reviewer_id"], unique=False)
    op.create_table(
        "scoping_fact",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "stated_side",
            sa.Enum("vendor", "lab", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_scoping_fact_confirmed_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_scoping_fact_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", "key", name=op.f("pk_scoping_fact")),
    )
    op.create_table(
        "section_assignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by", sa.Uuid(), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_section_assignment_user_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_section_assignment_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_section_assignment")),
    )
    op.create_index(op.f("ix_section_assignment_user_id"), "section_assignment", ["user_id"], unique=False)
    op.create_index(
        "uq_section_assignment_live",
        "section_assignment",
        ["assessment_id", "section", "user_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "answer_verdict",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("accept", "flag", "ask", name="verdict", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("carried_from", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("verdict <> 'ask' OR note <> ''", name=op.f("ck_answer_verdict_asks_something")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_answer_verdict_vendor_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("review_id", "question_key", name=op.f("pk_answer_verdict")),
    )
    op.create_table(
        "attested_answer",
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_attested_answer_vendor_id_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("attestation_id", "question_key", name=op.f("pk_attested_answer")),
    )
    op.create_table(
        "attested_citation",
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("citation_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["citation_id"], ["citation.id"], name=op.f("fk_attested_citation_citation_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_attested_citation_vendor_id_attestation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_attested_citation_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("attestation_id", "citation_id", name=op.f("pk_attested_citation")),
    )
    op.create_table(
        "attested_scoping",
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_attested_scoping_vendor_id_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("attestation_id", "key", name=op.f("pk_attested_scoping")),
    )
    op.create_table(
        "clearance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "act",
            sa.Enum(
                "approve",
                "approve_with_conditions",
                "reject",
                "revoke",
                name="clearanceact",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("data_classes", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("access_modes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("conditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "act IN ('reject', 'revoke') OR valid_until IS NOT NULL", name=op.f("ck_clearance_approval_ends")
        ),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_clearance_counted_from_one")),
        sa.CheckConstraint("tier BETWEEN 1 AND 3", name=op.f("ck_clearance_tier_range")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "decision_id"],
            ["decision.vendor_id", "decision.id"],
            name=op.f("fk_clearance_vendor_id_decision_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "engagement_id"],
            ["engagement.vendor_id", "engagement.id"],
            name=op.f("fk_clearance_vendor_id_engagement_id"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_clearance_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearance")),
        sa.UniqueConstraint("vendor_id", "sequence", name=op.f("uq_clearance_vendor_id_sequence")),
    )
    op.create_index(op.f("ix_clearance_engagement_id"), "clearance", ["engagement_id"], unique=False)
    op.create_table(
        "decision_signature",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("signer_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("factor", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["signer_id"], ["user_account.id"], name=op.f("fk_decision_signature_signer_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "decision_id"],
            ["decision.vendor_id", "decision.id"],
            name=op.f("fk_decision_signature_vendor_id_decision_id"),
        ),
        sa.PrimaryKeyConstraint("decision_id", "signer_id", name=op.f("pk_decision_signature")),
    )
    op.create_table(
        "score_snapshot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("policy_digest", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("inputs_digest", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("result_digest", sa.Text(), nullable=False),
        sa.Column("score_floor", sa.Integer(), nullable=False),
        sa.Column(
            "recommendation",
            sa.Enum(
                "incomplete",
                "reject",
                "hold",
                "conditional",
                "approve",
                name="recommendation",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "inputs_digest = encode(sha256(convert_to(inputs, 'UTF8')), 'hex')",
            name=op.f("ck_score_snapshot_digest_of_inputs"),
        ),
        sa.CheckConstraint(
            "result_digest = encode(sha256(convert_to(result, 'UTF8')), 'hex')",
            name=op.f("ck_score_snapshot_digest_of_result"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_score_snapshot_vendor_id_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_snapshot")),
    )
    op.create_index(
        "ix_score_snapshot_assessment_id_made_at", "score_snapshot", ["assessment_id", "made_at"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_score_snapshot_assessment_id_made_at", table_name="score_snapshot")
    op.drop_table("score_snapshot")
    op.drop_table("decision_signature")
    op.drop_index(op.f("ix_clearance_engagement_id"), table_name="clearance")
    op.drop_table("clearance")
    op.drop_table("attested_scoping")
    op.drop_table("attested_citation")
    op.drop_table("attested_answer")
    op.drop_table("answer_verdict")
    op.drop_index(
        "uq_section_assignment_live", table_name="section_assignment", postgresql_where=sa.text("ended_at IS NULL")
    )
    op.drop_index(op.f("ix_section_assignment_user_id"), table_name="section_assignment")
    op.drop_table("section_assignment")
    op.drop_table("scoping_fact")
    op.drop_index("ix_review_reviewer_id", table_name="review")
    op.drop_index("ix_review_open", table_name="review", postgresql_where=sa.text("closed_at IS NULL"))
    op.drop_table("review")
    op.drop_table("reopened_question")
    op.drop_index("ix_published_outcome_vendor_id_published_at", table_name="published_outcome")
    op.drop_table("published_outcome")
    op.drop_index("ix_message_assessment_id_question_key", table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_invitation_vendor_id"), table_name="invitation")
    op.drop_index(op.f("ix_invitation_email"), table_name="invitation")
    op.drop_table("invitation")
    op.drop_table("internal_note")
    op.drop_index("ix_finding_assessment_id", table_name="finding")
    op.drop_table("finding")
    op.drop_index("uq_decision_one_proposed", table_name="decision", postgresql_where=sa.text("state = 'proposed'"))
    op.drop_index("uq_decision_one_a_revision", table_name="decision", postgresql_where=sa.text("state = 'confirmed'"))
    op.drop_table("decision")
    op.drop_index("uq_citation_live", table_name="citation", postgresql_where=sa.text("removed_at IS NULL"))
    op.drop_index("ix_citation_evidence_id", table_name="citation")
    op.drop_table("citation")
    op.drop_table("attestation")
    op.drop_table("answer_edit")
    op.drop_index(op.f("ix_answer_vendor_id"), table_name="answer")
    op.drop_table("answer")
    op.drop_index(op.f("ix_web_session_user_id"), table_name="web_session")
    op.drop_table("web_session")
    op.drop_index(
        "uq_role_request_open",
        table_name="role_request",
        postgresql_where=sa.text("confirmed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.drop_table("role_request")
    op.drop_index("uq_role_grant_live", table_name="role_grant", postgresql_where=sa.text("revoked_at IS NULL"))
    op.drop_table("role_grant")
    op.drop_index(op.f("ix_recovery_code_user_id"), table_name="recovery_code")
    op.drop_table("recovery_code")
    op.drop_index("ix_evidence_opening_opened_by_at", table_name="evidence_opening")
    op.drop_index("ix_evidence_opening_evidence_id_at", table_name="evidence_opening")
    op.drop_table("evidence_opening")
    op.drop_index(op.f("ix_conflict_of_interest_vendor_id"), table_name="conflict_of_interest")
    op.drop_index(op.f("ix_conflict_of_interest_user_id"), table_name="conflict_of_interest")
    op.drop_table("conflict_of_interest")
    op.drop_index(
        "uq_assessment_open",
        table_name="assessment",
        postgresql_where=sa.text("state NOT IN ('decided', 'cancelled', 'withdrawn')"),
    )
    op.drop_index(op.f("ix_assessment_vendor_id"), table_name="assessment")
    op.drop_index("ix_assessment_state_due_on", table_name="assessment")
    op.drop_table("assessment")
    op.drop_index(op.f("ix_access_card_vendor_id"), table_name="access_card")
    op.drop_table("access_card")
    op.drop_index(op.f("ix_user_account_vendor_id"), table_name="user_account")
    op.drop_table("user_account")
    op.drop_index("uq_pause_live", table_name="pause", postgresql_where=sa.text("ended_at IS NULL"))
    op.drop_table("pause")
    op.drop_table("gate_sequence")
    op.drop_index("ix_evidence_vendor_id_created_at", table_name="evidence")
    op.drop_table("evidence")
    op.drop_table("engagement")
    op.drop_table("vendor")
    op.drop_table("throttle")
    op.drop_table("service_client")
    op.drop_table("questionnaire_version")
    op.drop_index(op.f("ix_mail_vendor_id"), table_name="mail")
    op.drop_index("ix_mail_unsent", table_name="mail")
    op.drop_index("ix_mail_created_at", table_name="mail")
    op.drop_table("mail")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_event_vendor_id_seq", table_name="audit_event")
    op.drop_index("ix_audit_event_fact_seq", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_index(op.f("ix_audit_checkpoint_seq"), table_name="audit_checkpoint")
    op.drop_table("audit_checkpoint")
