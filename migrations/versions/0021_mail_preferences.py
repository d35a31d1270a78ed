"""What a person wants to hear of, what waits for their digest, and which messages wait for an answer.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
TABLES = ("mail_preference", "digest_item")


def upgrade() -> None:
    """Add both tables behind the wall. Nobody chose anything yet: what is not chosen is told as usual."""
    op.create_table(
        "mail_preference",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("channels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("digest_hour", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("digest_hour BETWEEN 0 AND 23", name=op.f("ck_mail_preference_hour_of_the_day")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_mail_preference_user_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_mail_preference_vendor_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_mail_preference")),
    )
    op.create_index(op.f("ix_mail_preference_vendor_id"), "mail_preference", ["vendor_id"])
    op.create_table(
        "digest_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("context", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_id", sa.Uuid(), nullable=True),
        sa.Column("left_out", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (mail_id IS NULL AND left_out = '')", name=op.f("ck_digest_item_settled_somehow")
        ),
        sa.CheckConstraint("mail_id IS NULL OR left_out = ''", name=op.f("ck_digest_item_told_or_left_out")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_digest_item_user_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_digest_item_vendor_id")),
        sa.ForeignKeyConstraint(["mail_id"], ["mail.id"], name=op.f("fk_digest_item_mail_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest_item")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_digest_item_dedupe_key")),
    )
    op.create_index(op.f("ix_digest_item_vendor_id"), "digest_item", ["vendor_id"])
    op.create_index(
        "ix_digest_item_waiting",
        "digest_item",
        ["user_id", "created_at", "id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.add_column("message", sa.Column("asks", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Until now every message of the lab that came last waited for an answer.
    op.execute("UPDATE message SET asks = true WHERE side = 'lab'")
    op.create_check_constraint(op.f("ck_message_the_lab_asks"), "message", "side = 'lab' OR NOT asks")
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")


def downgrade() -> None:
    """Take them away; what waits for a digest is not told."""
    op.drop_constraint(op.f("ck_message_the_lab_asks"), "message")
    op.drop_column("message", "asks")
    op.drop_table("digest_item")
    op.drop_table("mail_preference")
