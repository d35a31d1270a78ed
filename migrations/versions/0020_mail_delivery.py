"""What became of an invitation's mail, links that outlive a resend, and people who see given sections only.

Revision: 0020, after 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the columns and the table of earlier links behind the wall; who was invited for sections keeps to them."""
    op.add_column("mail", sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("mail", sa.Column("bounce_reason", sa.Text(), nullable=False, server_default=""))
    op.create_check_constraint(
        op.f("ck_mail_bounced_with_reason"), "mail", "(bounced_at IS NULL) = (bounce_reason = '')"
    )
    op.create_check_constraint(op.f("ck_mail_bounced_after_sent"), "mail", "bounced_at IS NULL OR state = 'sent'")
    op.add_column("user_account", sa.Column("given_only", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("invitation", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("invitation", sa.Column("takes_over_from", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_invitation_takes_over_from"), "invitation", "user_account", ["takes_over_from"], ["id"]
    )
    op.add_column("invitation", sa.Column("was_email", sa.Text(), nullable=True))
    _purposes("('join', 'bootstrap', 'reset', 'address')")
    op.create_check_constraint(
        op.f("ck_invitation_was_email_of_a_change"), "invitation", "(purpose = 'address') = (was_email IS NOT NULL)"
    )
    op.create_table(
        "earlier_link",
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name=op.f("fk_earlier_link_invitation_id")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_earlier_link_vendor_id")),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_earlier_link")),
    )
    op.create_index(op.f("ix_earlier_link_invitation_id"), "earlier_link", ["invitation_id"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT ON earlier_link TO {ROLE}")
    op.execute("ALTER TABLE earlier_link ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE earlier_link FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON earlier_link USING {test} WITH CHECK {test}")
    # Who came for certain sections, or answers certain sections now, sees those; an admin can widen it.
    op.execute(
        "UPDATE user_account SET given_only = true WHERE side = 'vendor' "
        "AND (id IN (SELECT user_id FROM section_assignment WHERE ended_at IS NULL) "
        "OR id IN (SELECT user_id FROM invitation WHERE cardinality(sections) > 0 AND user_id IS NOT NULL)) "
        "AND id NOT IN (SELECT user_id FROM role_grant WHERE revoked_at IS NULL "
        "AND role IN ('vendor_admin', 'signatory'))"
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("earlier_link")
    # A change of address that nobody confirmed is over; as a link it becomes one that was taken back.
    op.drop_constraint(op.f("ck_invitation_was_email_of_a_change"), "invitation")
    op.execute("UPDATE invitation SET revoked_at = now() WHERE purpose = 'address' AND redeemed_at IS NULL")
    op.execute("UPDATE invitation SET purpose = 'reset' WHERE purpose = 'address'")
    _purposes("('join', 'bootstrap', 'reset')")
    op.drop_column("invitation", "was_email")
    op.drop_constraint(op.f("fk_invitation_takes_over_from"), "invitation", type_="foreignkey")
    op.drop_column("invitation", "takes_over_from")
    op.drop_column("invitation", "due_on")
    op.drop_column("user_account", "given_only")
    op.drop_constraint(op.f("ck_mail_bounced_after_sent"), "mail")
    op.drop_constraint(op.f("ck_mail_bounced_with_reason"), "mail")
    op.drop_column("mail", "bounce_reason")
    op.drop_column("mail", "bounced_at")


def _purposes(known: str) -> None:
    op.drop_constraint(op.f("ck_invitation_purpose_known"), "invitation")
    op.create_check_constraint(op.f("ck_invitation_purpose_known"), "invitation", f"purpose IN {known}")
