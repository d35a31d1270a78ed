"""The life of a finding: what it blocks, who sees to it, the plan, moved days, and risks that people accept for a while.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
ACTS = ("plan_sent", "plan_agreed", "plan_returned", "due_moved", "owner_named", "follower_named")
PLANS = ("sent", "agreed", "returned")
STATES = ("proposed", "confirmed", "fallen", "revoked")


def _words(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    """Add them, walled by vendor. What a reviewer said is wrong becomes the reason of the points that it replaced."""
    op.add_column("finding", sa.Column("credit_reason", sa.Text(), server_default="", nullable=False))
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    op.execute("UPDATE finding SET credit_reason = what WHERE credit IS NOT NULL")
    op.create_check_constraint(
        op.f("ck_finding_credit_with_reason"), "finding", "credit IS NULL OR credit_reason <> ''"
    )
    op.add_column("finding", sa.Column("blocks", postgresql.JSONB(), server_default="[]", nullable=False))
    for column in ("owner_id", "follower_id"):
        op.add_column("finding", sa.Column(column, sa.Uuid(), nullable=True))
        op.create_foreign_key(op.f(f"fk_finding_{column}"), "finding", "user_account", [column], ["id"])
    op.add_column("finding", sa.Column("plan", _words("planstate", PLANS), nullable=True))
    op.create_index("ix_finding_open", "finding", ["due_on", "id"], postgresql_where=sa.text("state = 'open'"))
    op.create_table(
        "finding_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("act", _words("findingact", ACTS), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("was_day", sa.Date(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_finding_step_counted_from_one")),
        sa.CheckConstraint(
            "act NOT IN ('plan_sent', 'plan_returned', 'due_moved') OR words <> ''",
            name=op.f("ck_finding_step_in_words"),
        ),
        sa.CheckConstraint("act <> 'plan_sent' OR day IS NOT NULL", name=op.f("ck_finding_step_planned_by_a_day")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "finding_id"],
            ["finding.vendor_id", "finding.id"],
            name=op.f("fk_finding_step_vendor_id_finding_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding_step")),
        sa.UniqueConstraint("finding_id", "number", name=op.f("uq_finding_step_finding_id_number")),
    )
    op.create_table(
        "risk_acceptance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("knock_out", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", _words("acceptancestate", STATES), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_risk_acceptance_with_reason")),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(document, 'UTF8')), 'hex')",
            name=op.f("ck_risk_acceptance_digest_of_document"),
        ),
        sa.CheckConstraint("confirmed_by <> proposed_by", name=op.f("ck_risk_acceptance_two_people")),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)"
            " AND (confirmed_by IS NOT NULL) = (state IN ('confirmed', 'revoked'))",
            name=op.f("ck_risk_acceptance_confirmed_by_somebody"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('fallen', 'revoked'))",
            name=op.f("ck_risk_acceptance_ended_iff_dated"),
        ),
        sa.CheckConstraint(
            "state <> 'revoked' OR (ended_by IS NOT NULL AND ended_why <> '')",
            name=op.f("ck_risk_acceptance_revoked_with_why"),
        ),
        sa.CheckConstraint(
            "until <= (proposed_at AT TIME ZONE 'UTC')::date + CASE WHEN knock_out THEN 90 ELSE 400 END",
            name=op.f("ck_risk_acceptance_ends_in_time"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "finding_id"],
            ["finding.vendor_id", "finding.id"],
            name=op.f("fk_risk_acceptance_vendor_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["user_account.id"], name=op.f("fk_risk_acceptance_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_acceptance")),
    )
    op.create_index(
        "uq_risk_acceptance_one_proposed",
        "risk_acceptance",
        ["finding_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    op.create_index("ix_risk_acceptance_vendor_id", "risk_acceptance", ["vendor_id", "finding_id"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in ("finding_step", "risk_acceptance"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON finding_step "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON finding_step FROM {ROLE}")


def downgrade() -> None:
    """Take them away; plans, moved days and accepted risks are lost, and what a condition closes is closed again."""
    op.drop_table("risk_acceptance")
    op.drop_table("finding_step")
    op.drop_index("ix_finding_open", "finding")
    op.drop_column("finding", "plan")
    for column in ("follower_id", "owner_id", "blocks"):
        op.drop_column("finding", column)
    op.drop_constraint(op.f("ck_finding_credit_with_reason"), "finding")
    op.drop_column("finding", "credit_reason")
