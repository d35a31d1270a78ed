"""Answers that come over from what was signed before, and moves to another version.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
WALLED = ("carried_answer", "carried_citation", "assessment_migration")


def upgrade() -> None:
    """Add the tables, walled by vendor; moves only grow."""
    op.add_column("scoping_fact", sa.Column("carried_from", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_scoping_fact_vendor_id_carried_from"),
        "scoping_fact",
        "attestation",
        ["vendor_id", "carried_from"],
        ["vendor_id", "id"],
    )
    op.create_table(
        "carried_answer",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "fate",
            sa.Enum(
                "to_confirm",
                "re_attest",
                "archived",
                name="fate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("causes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("source_attestation_id", sa.Uuid(), nullable=True),
        sa.Column("source_questionnaire_id", sa.Uuid(), nullable=False),
        sa.Column("source_revision", sa.Integer(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "settled",
            sa.Enum("confirmed", "answered", name="settled", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(settled IS NULL) = (settled_at IS NULL)", name=op.f("ck_carried_answer_settled_iff_dated")
        ),
        sa.CheckConstraint(
            "settled IS DISTINCT FROM 'confirmed' OR fate = 'to_confirm'",
            name=op.f("ck_carried_answer_only_same_is_confirmed"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_carried_answer_vendor_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "source_attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_carried_answer_vendor_id_source_attestation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["source_questionnaire_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_carried_answer_source_questionnaire_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", "question_key", name=op.f("pk_carried_answer")),
        sa.UniqueConstraint(
            "vendor_id",
            "assessment_id",
            "question_key",
            name=op.f("uq_carried_answer_vendor_id_assessment_id_question_key"),
        ),
    )
    op.create_table(
        "carried_citation",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("question_key", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id", "question_key"],
            ["carried_answer.vendor_id", "carried_answer.assessment_id", "carried_answer.question_key"],
            name=op.f("fk_carried_citation_vendor_id_assessment_id_question_key"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_carried_citation_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", "question_key", "evidence_id", name=op.f("pk_carried_citation")),
    )
    op.create_table(
        "assessment_migration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("from_questionnaire_id", sa.Uuid(), nullable=False),
        sa.Column("to_questionnaire_id", sa.Uuid(), nullable=False),
        sa.Column("from_digest", sa.Text(), nullable=False),
        sa.Column("to_digest", sa.Text(), nullable=False),
        sa.Column("mapping", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("moved_by", sa.Uuid(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("from_digest <> to_digest", name=op.f("ck_assessment_migration_moves_somewhere")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_assessment_migration_vendor_id_assessment_id"),
        ),
        sa.ForeignKeyConstraint(
            ["from_questionnaire_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_assessment_migration_from_questionnaire_id"),
        ),
        sa.ForeignKeyConstraint(
            ["to_questionnaire_id"],
            ["questionnaire_version.id"],
            name=op.f("fk_assessment_migration_to_questionnaire_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_migration")),
    )
    op.create_index(
        "ix_assessment_migration_assessment_id", "assessment_migration", ["assessment_id", "moved_at"], unique=False
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON assessment_migration "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON assessment_migration FROM {ROLE}")


def downgrade() -> None:
    """Take them away; what waited to be confirmed is still in what was signed."""
    op.drop_table("assessment_migration")
    op.drop_table("carried_citation")
    op.drop_table("carried_answer")
    op.drop_constraint(op.f("fk_scoping_fact_vendor_id_carried_from"), "scoping_fact", type_="foreignkey")
    op.drop_column("scoping_fact", "carried_from")
