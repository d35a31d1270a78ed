"""Policies of the lab as versioned documents that two people publish.

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
GROWS_ONLY = ("policy_version", "policy_signature")


def upgrade() -> None:
    """Add the tables; let the database refuse a version that two people did not sign, or that skips a number."""
    op.create_table(
        "policy_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 1", name=op.f("ck_policy_version_after_the_first")),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name=op.f("ck_policy_version_digest_of_text")
        ),
        sa.ForeignKeyConstraint(["written_by"], ["user_account.id"], name=op.f("fk_policy_version_written_by")),
        sa.ForeignKeyConstraint(["published_by"], ["user_account.id"], name=op.f("fk_policy_version_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("kind", "version", name=op.f("uq_policy_version_kind_version")),
        sa.UniqueConstraint("id", "digest", name=op.f("uq_policy_version_id_digest")),
    )
    op.create_table(
        "policy_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
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
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("version > 1", name=op.f("ck_policy_draft_after_the_first")),
        sa.CheckConstraint(
            "digest = encode(sha256(convert_to(text, 'UTF8')), 'hex')", name=op.f("ck_policy_draft_digest_of_text")
        ),
        sa.CheckConstraint(
            "(state = 'published') = (published_id IS NOT NULL)", name=op.f("ck_policy_draft_published_iff_version")
        ),
        sa.ForeignKeyConstraint(
            ["published_id", "digest"],
            ["policy_version.id", "policy_version.digest"],
            name=op.f("fk_policy_draft_published_id_digest"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.id"], name=op.f("fk_policy_draft_created_by")),
        sa.ForeignKeyConstraint(["updated_by"], ["user_account.id"], name=op.f("fk_policy_draft_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
    )
    op.create_index(
        "uq_policy_draft_open",
        "policy_draft",
        ["kind", "digest"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_policy_draft_kind_version", "policy_draft", ["kind", "version"])
    op.create_table(
        "policy_signature",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_name", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["policy_draft.id"], name=op.f("fk_policy_signature_draft_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["user_account.id"], name=op.f("fk_policy_signature_signed_by")),
        sa.PrimaryKeyConstraint("draft_id", "version", "digest", "signed_by", name=op.f("pk_policy_signature")),
    )
    for table in GROWS_ONLY:
        op.execute(
            f"CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")
    op.execute(
        """
        CREATE FUNCTION two_people_publish_policy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.version <> 1 + coalesce((SELECT max(version) FROM policy_version WHERE kind = NEW.kind), 1) THEN
                RAISE EXCEPTION 'a version of a policy follows the one before' USING ERRCODE = '42501';
            END IF;
            IF NOT EXISTS (
                SELECT 1 FROM policy_signature signature
                JOIN policy_draft draft ON draft.id = signature.draft_id
                WHERE signature.digest = NEW.digest AND draft.digest = NEW.digest
                  AND signature.version = NEW.version AND draft.version = NEW.version AND draft.kind = NEW.kind
                GROUP BY draft.id
                HAVING count(DISTINCT signature.signed_by) >= 2 AND bool_or(signature.signed_by = NEW.published_by)
            ) THEN
                RAISE EXCEPTION 'two people publish a policy' USING ERRCODE = '42501';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER two_people_publish_policy BEFORE INSERT ON policy_version "
        "FOR EACH ROW EXECUTE FUNCTION two_people_publish_policy()"
    )


def downgrade() -> None:
    """Take them away; what was computed with a version keeps its numbers."""
    op.drop_table("policy_signature")
    op.drop_table("policy_draft")
    op.drop_table("policy_version")
    op.execute("DROP FUNCTION two_people_publish_policy()")
