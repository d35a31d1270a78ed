"""What stands inside a report: its exceptions, the organisations behind it, and the controls that are left to us.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
TABLES = ("report_exception", "report_carve_out", "report_control")


def upgrade() -> None:
    """Add the tables behind the wall between vendors, and the criteria of a qualified opinion."""
    op.add_column("evidence", sa.Column("criteria_hit", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "report_exception",
        *_common("report_exception"),
        sa.Column("control", sa.Text(), nullable=False),
        sa.Column("criterion", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("questions", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("acceptable", sa.Boolean(), nullable=True),
        sa.Column("assessment", sa.Text(), nullable=False),
        sa.Column("assessed_by", sa.Uuid(), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("control <> '' AND text <> ''", name=op.f("ck_report_exception_says_what")),
        sa.CheckConstraint(
            "(acceptable IS NULL) = (assessed_by IS NULL) AND (acceptable IS NULL) = (assessed_at IS NULL)"
            " AND (acceptable IS NULL) = (assessment = '')",
            name=op.f("ck_report_exception_assessed_by_somebody"),
        ),
    )
    op.create_index("ix_report_exception_evidence_id", "report_exception", ["evidence_id", "position"])
    op.create_table(
        "report_carve_out",
        *_common("report_carve_out"),
        sa.Column("organisation", sa.Text(), nullable=False),
        sa.Column("organisation_key", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("method", _words("carvemethod", "carve_out", "inclusive"), nullable=False),
        sa.CheckConstraint("organisation <> '' AND organisation_key <> ''", name=op.f("ck_report_carve_out_has_name")),
    )
    op.create_index(
        "uq_report_carve_out_live",
        "report_carve_out",
        ["evidence_id", "organisation_key"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("ix_report_carve_out_vendor_id", "report_carve_out", ["vendor_id", "organisation_key"])
    op.create_table(
        "report_control",
        *_common("report_control"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("criterion", sa.Text(), nullable=False),
        sa.Column("state", _words("usercontrolstate", "open", "done", "not_needed"), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("text <> ''", name=op.f("ck_report_control_says_what")),
        sa.CheckConstraint(
            "(state = 'open') = (settled_by IS NULL) AND (state = 'open') = (settled_at IS NULL)",
            name=op.f("ck_report_control_settled_by_somebody"),
        ),
        sa.CheckConstraint("state <> 'not_needed' OR note <> ''", name=op.f("ck_report_control_says_why_not_needed")),
    )
    op.create_index("ix_report_control_evidence_id", "report_control", ["evidence_id", "position"])
    op.create_index("ix_report_control_state_due_on", "report_control", ["state", "due_on"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    # Reports that came before are restricted by their kind, as those that come now.
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    op.execute("UPDATE evidence SET restricted = true WHERE kind IN ('SOC2', 'PT')")


def downgrade() -> None:
    """Take them away; what was entered of reports is lost with them."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("evidence", "criteria_hit")


def _common(table: str) -> list[sa.Column | sa.Constraint]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f(f"fk_{table}_vendor_id_evidence_id"),
        ),
    ]


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=40)
