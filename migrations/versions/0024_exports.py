"""Who took everything of a vendor out, and when.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the list. It only grows."""
    op.create_table(
        "vendor_export",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=False),
        sa.Column("taken_by_name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("with_files", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_vendor_export_vendor_id_vendor")),
        sa.ForeignKeyConstraint(["taken_by"], ["user_account.id"], name=op.f("fk_vendor_export_taken_by_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vendor_export")),
    )
    op.create_index("ix_vendor_export_vendor_id_taken_at", "vendor_export", ["vendor_id", "taken_at"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON vendor_export FROM {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON vendor_export TO {ROLE}")
    op.execute("ALTER TABLE vendor_export ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE vendor_export FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON vendor_export USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON vendor_export "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("vendor_export")
