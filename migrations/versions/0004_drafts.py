"""Questionnaire drafts, and two people who publish the same text.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the tables; let the database refuse a person's version that two people did not sign."""
    op.create_unique_constraint(op.f("uq_questionnaire_version_id_digest"), "questionnaire_version", ["id", "digest"])
    op.create_table(
        "questionnaire_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "published",
                "discarded",
                name="draftstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("published_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_questionnaire_draft_counted_from_one")),
        sa.CheckConstraint(
            "digest = encode(sha256(source), 'hex')", name=op.f("ck_questionnaire_draft_digest_of_source")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_id IS NOT NULL)",
            name=op.f("ck_questionnaire_draft_published_iff_version"),
        ),
        sa.ForeignKeyConstraint(
            ["published_id", "digest"],
            ["questionnaire_version.id", "questionnaire_version.digest"],
            name=op.f("fk_questionnaire_draft_published_id_digest"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name=op.f("fk_questionnaire_draft_created_by")),
        sa.ForeignKeyConstraint(["updated_by"], ["user_account.id"], name=op.f("fk_questionnaire_draft_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questionnaire_draft")),
    )
    op.create_index(
        "uq_questionnaire_draft_open",
        "questionnaire_draft",
        ["digest"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_questionnaire_draft_slug_version", "questionnaire_draft", ["slug", "version"])
    op.create_table(
        "questionnaire_signature",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_name", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["questionnaire_draft.id"], name=op.f("fk_questionnaire_signature_draft_id")
        ),
        sa.ForeignKeyConstraint(["signed_by"], ["user_account.id"], name=op.f("fk_questionnaire_signature_signed_by")),
        sa.PrimaryKeyConstraint("draft_id", "digest", "signed_by", name=op.f("pk_questionnaire_signature")),
    )
    op.execute(
        "CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON questionnaire_signature "
        "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
    )
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON questionnaire_signature FROM {ROLE}")
    # Without a person (published_by is null) it is the installation itself, loading what published.lock pins.
    op.execute(
        """
        CREATE FUNCTION two_people_publish() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.published_by IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM questionnaire_signature signature
                JOIN questionnaire_draft draft ON draft.id = signature.draft_id
                WHERE signature.digest = NEW.digest AND draft.digest = NEW.digest
                  AND draft.slug = NEW.slug AND draft.version = NEW.version
                GROUP BY draft.id
                HAVING count(DISTINCT signature.signed_by) >= 2 AND bool_or(signature.signed_by = NEW.published_by)
            ) THEN
                RAISE EXCEPTION 'two people publish a questionnaire version' USING ERRCODE = '42501';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER two_people_publish BEFORE INSERT ON questionnaire_version "
        "FOR EACH ROW EXECUTE FUNCTION two_people_publish()"
    )


def downgrade() -> None:
    """Take them away; published versions stay."""
    op.execute("DROP TRIGGER two_people_publish ON questionnaire_version")
    op.execute("DROP FUNCTION two_people_publish()")
    op.drop_table("questionnaire_signature")
    op.drop_table("questionnaire_draft")
    op.drop_constraint(op.f("uq_questionnaire_version_id_digest"), "questionnaire_version")
