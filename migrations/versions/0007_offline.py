"""Answers that come back from a spreadsheet, held until somebody has read what they would change.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the table behind the wall between vendors."""
    op.create_table(
        "answer_import",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staged_by", sa.Uuid(), nullable=False),
        sa.Column("staged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_by", sa.Uuid(), nullable=True),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("format IN ('xlsx', 'csv')", name=op.f("ck_answer_import_known_format")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_answer_import_sha256_shape")),
        sa.CheckConstraint(
            "(applied_at IS NULL) = (applied_by IS NULL) AND (applied_at IS NULL) = (result IS NULL)",
            name=op.f("ck_answer_import_applied_by_somebody"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_answer_import_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_import")),
    )
    op.create_index("ix_answer_import_assessment_id_staged_at", "answer_import", ["assessment_id", "staged_at"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON answer_import TO {ROLE}")
    op.execute("ALTER TABLE answer_import ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE answer_import FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON answer_import USING {test} WITH CHECK {test}")


def downgrade() -> None:
    """Take it away."""
    op.drop_table("answer_import")
