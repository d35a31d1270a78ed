"""How each version of an answer came about, and which open page wrote it.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

HOW = sa.Enum("typed", "confirmed", "restored", name="written", native_enum=False, create_constraint=True, length=40)


def upgrade() -> None:
    """Add the columns; yesterday's code writes versions without them, which counts as typed."""
    op.add_column("answer_edit", sa.Column("how", HOW, server_default="typed", nullable=False))
    op.add_column("answer_edit", sa.Column("restored_version", sa.Integer(), nullable=True))
    op.add_column("answer_edit", sa.Column("page", sa.Uuid(), nullable=True))
    op.add_column("answer_edit", sa.Column("turn", sa.Integer(), nullable=True))
    op.create_check_constraint(
        op.f("ck_answer_edit_restored_from_somewhere"),
        "answer_edit",
        "(how = 'restored') = (restored_version IS NOT NULL)",
    )
    op.create_check_constraint(op.f("ck_answer_edit_restored_from_before"), "answer_edit", "restored_version < version")
    op.create_check_constraint(
        op.f("ck_answer_edit_page_with_its_turn"), "answer_edit", "(page IS NULL) = (turn IS NULL)"
    )


def downgrade() -> None:
    """Take them away; every version stays."""
    for column in ("turn", "page", "restored_version", "how"):
        op.drop_column("answer_edit", column)
