"""Passkeys of a person, and the challenges that were spent.

Revision: 0023, after 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
CHANGING = ("sign_count", "backed_up", "last_used_at", "removed_at")


def upgrade() -> None:
    """Add them. Of a passkey only what its use changes may be written again: never the key, nor whose it is."""
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("transports", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("aaguid", sa.Text(), nullable=False),
        sa.Column("backup_eligible", sa.Boolean(), nullable=False),
        sa.Column("backed_up", sa.Boolean(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("backup_eligible OR NOT backed_up", name=op.f("ck_passkey_backed_up_if_eligible")),
        sa.CheckConstraint("sign_count >= 0", name=op.f("ck_passkey_counted")),
        sa.CheckConstraint("octet_length(credential_id) BETWEEN 1 AND 1023", name=op.f("ck_passkey_id_length")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_passkey_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
    )
    op.create_index(op.f("ix_passkey_user_id"), "passkey", ["user_id"])
    op.create_table(
        "spent_challenge",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_challenge")),
    )
    op.execute(f"REVOKE UPDATE ON passkey, spent_challenge FROM {ROLE}")
    op.execute(f"GRANT SELECT, INSERT ON passkey, spent_challenge TO {ROLE}")
    op.execute(f"GRANT UPDATE ({', '.join(CHANGING)}) ON passkey TO {ROLE}")
    op.execute(f"GRANT DELETE ON spent_challenge TO {ROLE}")


def downgrade() -> None:
    """Take them away."""
    op.drop_table("spent_challenge")
    op.drop_table("passkey")
