"""Answers that a vendor gave elsewhere and may draw on; they suggest, they never answer. Packs that wait for a word.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
WALLED = ("external_set", "external_answer", "answer_pack")
GROWS_ONLY = ("external_answer", "answer_pack")


def upgrade() -> None:
    """Add the tables behind both walls."""
    op.create_table(
        "external_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("named", sa.Text(), nullable=False),
        sa.Column("recognised", sa.Text(), nullable=False),
        sa.Column("framework", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_external_set_sha256_shape")),
        sa.CheckConstraint(
            "(confirmed_at IS NULL) = (version = '')", name=op.f("ck_external_set_version_if_confirmed")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_external_set_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_external_set")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_external_set_vendor_id_id")),
    )
    op.create_index(
        "uq_external_set_live",
        "external_set",
        ["vendor_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "external_answer",
        sa.Column("set_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Text(), nullable=False),
        sa.Column("control_id", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("written", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("ownership", sa.Text(), nullable=False),
        sa.Column("responsibilities", sa.Text(), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "answer IN ('yes', 'no', 'na', 'partial', 'other', 'blank')", name=op.f("ck_external_answer_known_answer")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "set_id"],
            ["external_set.vendor_id", "external_set.id"],
            name=op.f("fk_external_answer_vendor_id_set_id"),
        ),
        sa.PrimaryKeyConstraint("set_id", "position", name=op.f("pk_external_answer")),
    )
    op.create_index("ix_external_answer_vendor_id_control_id", "external_answer", ["vendor_id", "control_id"])
    op.create_table(
        "answer_pack",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("seal", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("seal IN ('ours', 'other', 'none')", name=op.f("ck_answer_pack_known_seal")),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_answer_pack_sha256_shape")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_answer_pack_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_pack")),
        sa.UniqueConstraint("assessment_id", "sha256", name=op.f("uq_answer_pack_assessment_id_sha256")),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in WALLED:
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
    """Take them away."""
    for table in reversed(WALLED):
        op.drop_table(table)
