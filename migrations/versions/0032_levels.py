"""What was said of service levels.

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add what was said of a review's time, each once, walled by vendor. The rows only grow."""
    op.create_table(
        "level_notice",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum("near", "passed", name="stage", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_level_notice_vendor_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("review_id", "stage", name=op.f("pk_level_notice")),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON level_notice FROM {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON level_notice TO {ROLE}")
    op.execute("ALTER TABLE level_notice ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE level_notice FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON level_notice USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON level_notice "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("level_notice")
