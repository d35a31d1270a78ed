"""What was read in a file: its text page by page, and the details proposed from it.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
WALLED = ("evidence_reading", "evidence_page_text")


def upgrade() -> None:
    """Add them, walled by vendor; the text only grows. The PDFs that are there already wait to be read."""
    op.create_table(
        "evidence_reading",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "read",
                "no_text",
                "failed",
                name="readingstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("proposals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("attempts BETWEEN 0 AND 3", name=op.f("ck_evidence_reading_attempts_bounded")),
        sa.CheckConstraint("(state = 'waiting') = (read_at IS NULL)", name=op.f("ck_evidence_reading_dated_once_read")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_reading_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence_reading")),
        sa.UniqueConstraint("vendor_id", "evidence_id", name=op.f("uq_evidence_reading_vendor_id_evidence_id")),
    )
    op.create_index(
        "ix_evidence_reading_waiting", "evidence_reading", ["asked_at"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "evidence_page_text",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("page >= 1", name=op.f("ck_evidence_page_text_counted_from_one")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence_reading.vendor_id", "evidence_reading.evidence_id"],
            name=op.f("fk_evidence_page_text_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", "page", name=op.f("pk_evidence_page_text")),
    )
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    op.execute(
        "INSERT INTO evidence_reading"
        " (evidence_id, vendor_id, state, attempts, pages, characters, proposals, reason, asked_at)"
        " SELECT id, vendor_id, 'waiting', 0, 0, 0, '{}', '', coalesce(received_at, created_at) FROM evidence"
        " WHERE mime = 'application/pdf' AND state IN ('attached', 'verified', 'rejected')"
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON evidence_reading TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON evidence_page_text TO {ROLE}")
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence_page_text "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON evidence_page_text FROM {ROLE}")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("evidence_page_text")
    op.drop_table("evidence_reading")
