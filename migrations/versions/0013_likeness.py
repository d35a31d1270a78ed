"""What only the lab looks at: sketches of reports, what they share, traits of files, and the audit firms checked.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
TABLES = ("evidence_sketch", "evidence_band", "evidence_likeness", "evidence_traits", "checked_firm")


def upgrade() -> None:
    """Add tables that no vendor's session can see a row of, not even of its own files."""
    op.create_table(
        "evidence_sketch",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("shingles", sa.Integer(), nullable=False),
        sa.Column("signature", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("sketched_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("words >= 0 AND shingles >= 0", name=op.f("ck_evidence_sketch_counted")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_sketch_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence_sketch")),
    )
    op.create_table(
        "evidence_band",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("band", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_band_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", "place", name=op.f("pk_evidence_band")),
    )
    op.create_index("ix_evidence_band_band", "evidence_band", ["band"])
    op.create_table(
        "evidence_likeness",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("other_vendor_id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("passages", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("share BETWEEN 0 AND 1000", name=op.f("ck_evidence_likeness_share_range")),
        sa.CheckConstraint(
            "evidence_id < other_id AND vendor_id <> other_vendor_id", name=op.f("ck_evidence_likeness_pair_of_two")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_likeness_vendor_id_evidence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["other_vendor_id", "other_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_likeness_other_vendor_id_other_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", "other_id", name=op.f("pk_evidence_likeness")),
    )
    op.create_index("ix_evidence_likeness_other_id", "evidence_likeness", ["other_id"])
    op.create_table(
        "evidence_traits",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("traits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_evidence_traits_vendor_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence_traits")),
    )
    op.create_table(
        "checked_firm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("licence", sa.Text(), nullable=False),
        sa.Column("jurisdiction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=False),
        sa.Column("checked_by", sa.Uuid(), nullable=False),
        sa.Column("checked_by_name", sa.Text(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name <> '' AND name_key <> '' AND source <> ''", name=op.f("ck_checked_firm_named")),
        sa.CheckConstraint("outcome IN ('licensed', 'not_found')", name=op.f("ck_checked_firm_known_outcome")),
        sa.CheckConstraint("outcome <> 'licensed' OR licence <> ''", name=op.f("ck_checked_firm_with_licence")),
        sa.ForeignKeyConstraint(["checked_by"], ["user_account.id"], name=op.f("fk_checked_firm_checked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checked_firm")),
    )
    op.create_index("ix_checked_firm_name_key_checked_at", "checked_firm", ["name_key", "checked_at"])
    test = "(current_setting('gatehouse.vendor', true) = '*')"
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY lab_only ON {table} USING {test} WITH CHECK {test}")
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON checked_firm "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON checked_firm FROM {ROLE}")


def downgrade() -> None:
    """Take them away; sketches, traits and likeness can be made again from the files."""
    for table in reversed(TABLES):
        op.drop_table(table)
