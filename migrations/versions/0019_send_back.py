"""A signatory sends answers back with a note, is asked for a signature, and what was signed is printed once for all.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
GROWS_ONLY = ("attestation_print", "signature_request")


def upgrade() -> None:
    """Add them behind the wall between vendors. What was signed earlier has no names kept with it."""
    op.add_column("attestation", sa.Column("named", postgresql.JSONB(), nullable=True))
    op.create_table(
        "attestation_print",
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("press", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name=op.f("ck_attestation_print_digest_shape")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_attestation_print_vendor_id_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("attestation_id", name=op.f("pk_attestation_print")),
    )
    op.create_table(
        "signature_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_signature_request_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signature_request")),
    )
    op.create_index("ix_signature_request_assessment_id", "signature_request", ["assessment_id", "asked_at"])
    op.create_table(
        "sent_back",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("question_key", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("answer_version", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_by_name", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("note <> ''", name=op.f("ck_sent_back_says_something")),
        sa.CheckConstraint("question_key IS NULL OR section IS NOT NULL", name=op.f("ck_sent_back_has_its_section")),
        sa.CheckConstraint("section IS NOT NULL OR user_id IS NOT NULL", name=op.f("ck_sent_back_goes_to_somebody")),
        sa.CheckConstraint(
            "(question_key IS NULL) = (answer_version IS NULL)", name=op.f("ck_sent_back_knows_the_answer")
        ),
        sa.CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL)", name=op.f("ck_sent_back_settled_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f("fk_sent_back_vendor_id_assessment_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_back")),
    )
    op.create_index("ix_sent_back_assessment_id_sent_at", "sent_back", ["assessment_id", "sent_at"])
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in (*GROWS_ONLY, "sent_back"):
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {ROLE}")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    for table in GROWS_ONLY:
        op.execute(
            f"CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")


def downgrade() -> None:
    """Take them away; what was signed stays as it is, and is printed anew with the names of that day."""
    op.drop_table("sent_back")
    op.drop_table("signature_request")
    op.drop_table("attestation_print")
    op.drop_column("attestation", "named")
