"""Approvals that are taken back by two, and sealed records of what closes and opens a vendor's access.

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
ENDS = ("confirmed", "taken_back", "over")
KINDS = ("paused", "resumed", "revoked")
TABLES = ("revocation", "access_record")


def upgrade() -> None:
    """Add both behind the wall between vendors. What was paused before has no record."""
    op.add_column("pause", sa.Column("resume_asked_factor", sa.Text(), nullable=False, server_default=""))
    op.alter_column("pause", "resume_asked_factor", server_default=None)
    op.create_table(
        "revocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("clearance_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ticket", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_factor", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "ended_how",
            sa.Enum(*ENDS, name="revocationend", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("step_id", sa.Uuid(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_revocation_with_reason")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how IS NULL)", name=op.f("ck_revocation_ended_somehow")),
        sa.CheckConstraint(
            "(ended_how IS NOT DISTINCT FROM 'confirmed') = (step_id IS NOT NULL)",
            name=op.f("ck_revocation_confirmed_is_a_step"),
        ),
        sa.CheckConstraint(
            "ended_how IS DISTINCT FROM 'confirmed' OR ended_by <> asked_by", name=op.f("ck_revocation_two_people")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["user_account.id"], name=op.f("fk_revocation_asked_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["user_account.id"], name=op.f("fk_revocation_ended_by")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "engagement_id"],
            ["engagement.vendor_id", "engagement.id"],
            name=op.f("fk_revocation_vendor_id_engagement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "clearance_id"],
            ["clearance.vendor_id", "clearance.id"],
            name=op.f("fk_revocation_vendor_id_clearance_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "step_id"],
            ["clearance.vendor_id", "clearance.id"],
            name=op.f("fk_revocation_vendor_id_step_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocation")),
        sa.UniqueConstraint("vendor_id", "id", name=op.f("uq_revocation_vendor_id_id")),
    )
    op.create_index(
        "uq_revocation_open", "revocation", ["clearance_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(op.f("ix_revocation_vendor_id"), "revocation", ["vendor_id"])
    op.create_table(
        "access_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="accesskind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("about_id", sa.Uuid(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(envelope, 'UTF8')), 'hex')",
            name=op.f("ck_access_record_digest_of_envelope"),
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_access_record_vendor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_record")),
        sa.UniqueConstraint("kind", "about_id", name=op.f("uq_access_record_kind_about_id")),
    )
    op.create_index(op.f("ix_access_record_vendor_id"), "access_record", ["vendor_id"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON access_record "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON access_record FROM {ROLE}")


def downgrade() -> None:
    """Take them away; what was revoked stays revoked, and its records are lost."""
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("pause", "resume_asked_factor")
