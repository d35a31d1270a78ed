"""The language in which a person is spoken to.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. Whoever is there already reads English, as yesterday's code beside it goes on writing."""
    op.add_column("user_account", sa.Column("language", sa.Text(), server_default="en", nullable=False))


def downgrade() -> None:
    """Take it away: everybody reads English again."""
    op.drop_column("user_account", "language")
