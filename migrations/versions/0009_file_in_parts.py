"""Files sent in parts, taken up by a reviewer, with the source of each detail and how long the store keeps them.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; yesterday's code writes files without them, so each is empty by itself."""
    op.add_column("evidence", sa.Column("upload_id", sa.Text(), nullable=True))
    op.add_column("evidence", sa.Column("part_size", sa.Integer(), nullable=True))
    op.add_column("evidence", sa.Column("restricted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("evidence", sa.Column("taken_up_by", sa.Uuid(), nullable=True))
    op.add_column("evidence", sa.Column("taken_up_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "evidence",
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column("evidence", sa.Column("retained_until", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_evidence_sent_in_parts"), "evidence", "(upload_id IS NULL) = (part_size IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_evidence_taken_up_by_somebody"), "evidence", "(taken_up_by IS NULL) = (taken_up_at IS NULL)"
    )


def downgrade() -> None:
    """Take them away; uploads in parts that are under way have to begin again."""
    for column in (
        "retained_until",
        "sources",
        "taken_up_at",
        "taken_up_by",
        "restricted",
        "part_size",
        "upload_id",
    ):
        op.drop_column("evidence", column)
