"""What stands inside a report: its exceptions, who is carved out, and what is left to us.

Revision: 0011, after 0010
"""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
