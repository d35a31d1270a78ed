"""Sketches of reports to find near-duplicates by, and what was found.

Revision: 0013, after 0012
"""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
