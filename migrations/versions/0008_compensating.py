"""What a vendor does instead of what was asked, beside its answer.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the text; yesterday's code writes answers without it, so it is empty by itself."""
    op.add_column("answer", sa.Column("compensating", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Take it away from the answers as they stand; every edit and signed copy keeps it."""
    op.drop_column("answer", "compensating")
