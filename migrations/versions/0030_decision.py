"""Drafts of decisions, signed records, who is asked to sign, and reviews that are put before lead approvers.

Revision: 0030, after 0029
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
ENDS = ("decided", "handed_back", "taken_back", "over")
TABLES = ("decision_record", "decision_draft", "escalation", "escalation_person")
GROWS_ONLY = ("decision_record", "escalation_person")


def upgrade() -> None:
    """Add them behind the wall between vendors. What was decided before has no record of its own."""
    op.add_column("decision", sa.Column("asked_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_decision_asked_id"), "decision", "user_account", ["asked_id"], ["id"])
    op.create_table(
        "decision_record",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(envelope, 'UTF8')), 'hex')",
            name=op.f("ck_decision_record_digest_of_envelope"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "decision_id"],
            ["decision.vendor_id", "decision.id"],
            name=op.f("fk_decision_record_vendor_id_decision_id"),
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_decision_record")),
    )
    op.create_table(
        "decision_draft",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("basis", postgresql.JSONB(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("saved_at IS NOT NULL OR body = '{}'", name=op.f("ck_decision_draft_empty_iff_dropped")),
        sa.ForeignKeyConstraint(["person_id"], ["user_account.id"], name=op.f("fk_decision_draft_person_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_decision_draft_vendor_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("review_id", "person_id", name=op.f("pk_decision_draft")),
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_how",
            sa.Enum(*ENDS, name="escalationend", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_escalation_with_reason")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name=op.f("ck_escalation_ended_somehow")),
        sa.CheckConstraint(
            "ended_how IS DISTINCT FROM 'handed_back' OR answer <> ''",
            name=op.f("ck_escalation_handed_back_with_words"),
        ),
        sa.ForeignKeyConstraint(["raised_by"], ["user_account.id"], name=op.f("fk_escalation_raised_by")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_escalation_vendor_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_escalation_vendor_id_id")),
    )
    op.create_index(
        "uq_escalation_open", "escalation", ["review_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "escalation_person",
        sa.Column("escalation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["user_account.id"], name=op.f("fk_escalation_person_person_id")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "escalation_id"],
            ["escalation.vendor_id", "escalation.id"],
            name=op.f("fk_escalation_person_vendor_id_escalation_id"),
        ),
        sa.PrimaryKeyConstraint("escalation_id", "person_id", name=op.f("pk_escalation_person")),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    for table in GROWS_ONLY:
        op.execute(
            f"CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")


def downgrade() -> None:
    """Take them away; drafts, records and escalations are lost, and what was decided stays decided."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_constraint(op.f("fk_decision_asked_id"), "decision")
    op.drop_column("decision", "asked_id")
