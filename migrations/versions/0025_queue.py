"""What the queue sorts by, what is searched, snoozes, saved views; and whether single keys act for a person.

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them. Single keys act for everybody who is there, as they read on the first page."""
    op.add_column("user_account", sa.Column("single_keys", sa.Boolean(), server_default=sa.true(), nullable=False))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("user_account", "single_keys")
