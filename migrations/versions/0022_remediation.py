"""Proof that closes a finding, a second look at a decision, and how an outcome stands today.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
ACTS = ("sent", "returned", "verified", "undone")
ANSWERS = ("upheld", "anew")


def upgrade() -> None:
    """Add them, walled by vendor; the steps of a remedy only grow. Findings of before have no proof yet."""
    op.add_column(
        "finding",
        sa.Column(
            "remedy",
            sa.Enum(*ACTS, name="remedyact", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
    )
    op.create_unique_constraint(op.f("uq_published_outcome_vendor_id_id"), "published_outcome", ["vendor_id", "id"])
    op.create_table(
        "remedy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "act",
            sa.Enum(*ACTS, name="remedyact", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("credit", sa.Integer(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_remedy_counted_from_one")),
        sa.CheckConstraint("(act = 'verified') = (credit IS NOT NULL)", name=op.f("ck_remedy_credit_iff_verified")),
        sa.CheckConstraint("credit IS NULL OR credit BETWEEN 0 AND 100", name=op.f("ck_remedy_credit_range")),
        sa.CheckConstraint("act <> 'returned' OR note <> ''", name=op.f("ck_remedy_returned_with_words")),
        sa.CheckConstraint("act = 'undone' OR by IS NOT NULL", name=op.f("ck_remedy_by_somebody")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "finding_id"],
            ["finding.vendor_id", "finding.id"],
            name=op.f("fk_remedy_vendor_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_remedy_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remedy")),
        sa.UniqueConstraint("finding_id", "number", name=op.f("uq_remedy_finding_id_number")),
    )
    op.create_index("ix_remedy_evidence_id", "remedy", ["evidence_id"])
    op.create_table(
        "second_look",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("findings", postgresql.JSONB(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(*ANSWERS, name="secondanswer", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("anew_id", sa.Uuid(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_second_look_with_reason")),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answered_at IS NULL)"
            " AND (answer IS NULL) = (words = '')",
            name=op.f("ck_second_look_answered_by_somebody"),
        ),
        sa.CheckConstraint("anew_id IS NULL OR answer = 'anew'", name=op.f("ck_second_look_anew")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_second_look_vendor_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "anew_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_second_look_vendor_id_anew_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "outcome_id"],
            ["published_outcome.vendor_id", "published_outcome.id"],
            name=op.f("fk_second_look_vendor_id_outcome_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_look")),
        sa.UniqueConstraint("outcome_id", name=op.f("uq_second_look_outcome_id")),
    )
    op.create_index("ix_second_look_vendor_id", "second_look", ["vendor_id"])
    op.create_table(
        "published_standing",
        sa.Column("outcome_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "outcome_id"],
            ["published_outcome.vendor_id", "published_outcome.id"],
            name=op.f("fk_published_standing_vendor_id_outcome_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_published_standing_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("outcome_id", name=op.f("pk_published_standing")),
    )
    op.create_index("ix_published_standing_vendor_id", "published_standing", ["vendor_id"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in ("remedy", "second_look", "published_standing"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON remedy "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON remedy FROM {ROLE}")


def downgrade() -> None:
    """Take them away; what was sent as proof, and what closed a finding, is lost with them."""
    op.drop_table("published_standing")
    op.drop_table("second_look")
    op.drop_table("remedy")
    op.drop_constraint(op.f("uq_published_outcome_vendor_id_id"), "published_outcome")
    op.drop_column("finding", "remedy")
