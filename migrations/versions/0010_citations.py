"""What a citation quotes, and the newer revision of its file that a reviewer found to prove the same answer.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

QUOTING = ("citation", "attested_citation", "carried_citation")


def upgrade() -> None:
    """Add the columns; yesterday's code writes citations without them."""
    for table in QUOTING:
        op.add_column(table, sa.Column("quote", sa.Text(), server_default="", nullable=False))
    op.add_column("citation", sa.Column("checked_evidence_id", sa.Uuid(), nullable=True))
    op.add_column("citation", sa.Column("checked_by", sa.Uuid(), nullable=True))
    op.add_column("citation", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        "fk_citation_vendor_id_checked_evidence_id",
        "citation",
        "evidence",
        ["vendor_id", "checked_evidence_id"],
        ["vendor_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_citation_checked_by_somebody"),
        "citation",
        "(checked_evidence_id IS NULL) = (checked_by IS NULL) AND (checked_evidence_id IS NULL) = (checked_at IS NULL)",
    )


def downgrade() -> None:
    """Take them away; what a citation quoted is lost with them."""
    for column in ("checked_at", "checked_by", "checked_evidence_id"):
        op.drop_column("citation", column)
    for table in QUOTING:
        op.drop_column(table, "quote")
