"""A vendor asks for more time, and reads how long the lab usually takes.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the requests behind the wall between vendors, the usual wait for everybody, and the way to newest edits."""
    op.create_table(
        "more_time",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("wished_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open", "agreed", "declined", name="moretimestate", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("wished_on > due_on AND reason <> ''", name=op.f("ck_more_time_asks_for_more")),
        sa.CheckConstraint(
            "(state = 'open') = (answered_by IS NULL) AND (state = 'open') = (answered_at IS NULL)",
            name=op.f("ck_more_time_answered_by_somebody"),
        ),
        sa.CheckConstraint(
            "(state = 'agreed') = (agreed_on IS NOT NULL) AND agreed_on > due_on",
            name=op.f("ck_more_time_agreed_to_a_day"),
        ),
        sa.CheckConstraint("state <> 'declined' OR words <> ''", name=op.f("ck_more_time_declined_with_words")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_more_time_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_more_time")),
    )
    op.create_index("ix_more_time_assessment_id_asked_at", "more_time", ["assessment_id", "asked_at"])
    op.create_index(
        "uq_more_time_open", "more_time", ["assessment_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "usual_wait",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=True),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_usual_wait_only_one")),
        sa.CheckConstraint("begun >= 0 AND decided >= 0 AND most >= decided", name=op.f("ck_usual_wait_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usual_wait")),
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON more_time TO {ROLE}")
    op.execute("ALTER TABLE more_time ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE more_time FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON more_time USING {test} WITH CHECK {test}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON usual_wait TO {ROLE}")
    op.create_index("ix_answer_edit_vendor_id_edited_at", "answer_edit", ["vendor_id", "edited_at"])


def downgrade() -> None:
    """Take them away; the usual wait is worked out again with the next decision."""
    op.drop_index("ix_answer_edit_vendor_id_edited_at", table_name="answer_edit")
    op.drop_table("usual_wait")
    op.drop_table("more_time")
