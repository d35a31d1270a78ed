"""What was read in a file: its text page by page, and the details proposed from it.

Revision: 0012, after 0011
"""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
