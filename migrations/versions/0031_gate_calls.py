"""How often systems ask the gate.

Revision: 0031, after 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the counted calls, walled by vendor. A row is counted up, so it changes; it is never taken away."""
    op.create_table(
        "gate_call",
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client_id", sa.Uuid(), nullable=False),
        sa.Column("data_class", sa.String(length=2), nullable=False),
        sa.Column("access_mode", sa.String(length=2), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("calls > 0", name=op.f("ck_gate_call_counted")),
        sa.CheckConstraint("hour = date_trunc('hour', hour, 'UTC')", name=op.f("ck_gate_call_whole_hours")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_gate_call_vendor_id")),
        sa.ForeignKeyConstraint(["client_id"], ["service_client.id"], name=op.f("fk_gate_call_client_id")),
        sa.PrimaryKeyConstraint(
            "vendor_id", "hour", "client_id", "data_class", "access_mode", "allowed", name=op.f("pk_gate_call")
        ),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON gate_call TO {ROLE}")
    op.execute("ALTER TABLE gate_call ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE gate_call FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON gate_call USING {test} WITH CHECK {test}")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("gate_call")
