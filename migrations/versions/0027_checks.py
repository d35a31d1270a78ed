"""Verdicts that a rule gave, which were given in one act, and how many contradictions a review has.

Revision: 0027, after 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

CHECKS = (
    ("by_a_person_or_a_rule", "(given_by IS NULL) = (by_rule IS NOT NULL)"),
    ("a_rule_only_accepts", "by_rule IS NULL OR verdict IS NOT DISTINCT FROM 'accept'"),
    ("together_only_accepted", "act_id IS NULL OR verdict IS NOT DISTINCT FROM 'accept'"),
)


def upgrade() -> None:
    """Add them; every verdict of before was given by a person, alone. What stands out is counted when it is read."""
    op.add_column("review", sa.Column("checks_found", sa.Integer(), server_default="0", nullable=False))
    op.add_column("answer_verdict", sa.Column("by_rule", sa.Text(), nullable=True))
    op.add_column("answer_verdict", sa.Column("act_id", sa.Uuid(), nullable=True))
    op.alter_column("answer_verdict", "given_by", nullable=True)
    for name, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_answer_verdict_{name}"), "answer_verdict", rule)


def downgrade() -> None:
    """Take them away, and with them the verdicts that no person gave: those answers wait for one again."""
    for name, _ in CHECKS:
        op.drop_constraint(op.f(f"ck_answer_verdict_{name}"), "answer_verdict")
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    op.execute("DELETE FROM answer_verdict WHERE given_by IS NULL")
    op.alter_column("answer_verdict", "given_by", nullable=False)
    op.drop_column("answer_verdict", "act_id")
    op.drop_column("answer_verdict", "by_rule")
    op.drop_column("review", "checks_found")
