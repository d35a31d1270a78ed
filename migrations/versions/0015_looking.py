"""What was looked at of a file, and the pages that could not be drawn.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add them. Openings of before, and of yesterday's code beside, tell a page from the original by its number."""
    op.add_column(
        "evidence_opening",
        sa.Column(
            "look",
            sa.Enum(
                "original",
                "page",
                "table",
                "text",
                "search",
                name="look",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            server_default="original",
            nullable=False,
        ),
    )
    op.create_table(
        "evidence_undrawn",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("page >= 0 AND attempts > 0", name=op.f("ck_evidence_undrawn_counted")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_undrawn_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", "page", name=op.f("pk_evidence_undrawn")),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON evidence_undrawn TO {ROLE}")
    op.execute("ALTER TABLE evidence_undrawn ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE evidence_undrawn FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON evidence_undrawn USING {test} WITH CHECK {test}")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("evidence_undrawn")
    op.drop_column("evidence_opening", "look")
