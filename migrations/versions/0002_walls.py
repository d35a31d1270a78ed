"""The second wall: an application role without DDL or DELETE, row-level security by vendor, rows that only grow.

Revision: 0002, after 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"

WALLED = {
    "vendor": "id",
    "engagement": "vendor_id",
    "user_account": "vendor_id",
    "invitation": "vendor_id",
    "evidence": "vendor_id",
    "evidence_opening": "vendor_id",
    "assessment": "vendor_id",
    "scoping_fact": "vendor_id",
    "section_assignment": "vendor_id",
    "reopened_question": "vendor_id",
    "published_outcome": "vendor_id",
    "access_card": "vendor_id",
    "answer": "vendor_id",
    "answer_edit": "vendor_id",
    "citation": "vendor_id",
    "message": "vendor_id",
    "attestation": "vendor_id",
    "attested_answer": "vendor_id",
    "attested_scoping": "vendor_id",
    "attested_citation": "vendor_id",
    "finding": "vendor_id",
    "score_snapshot": "vendor_id",
    "review": "vendor_id",
    "answer_verdict": "vendor_id",
    "internal_note": "vendor_id",
    "decision": "vendor_id",
    "decision_signature": "vendor_id",
    "conflict_of_interest": "vendor_id",
    "clearance": "vendor_id",
    "pause": "vendor_id",
    "gate_sequence": "vendor_id",
    "audit_event": "vendor_id",
    "mail": "vendor_id",
}

GROWS_ONLY = (
    "audit_event",
    "audit_checkpoint",
    "questionnaire_version",
    "evidence_opening",
    "answer_edit",
    "attestation",
    "attested_answer",
    "attested_scoping",
    "attested_citation",
    "score_snapshot",
    "published_outcome",
    "decision_signature",
    "clearance",
)


def upgrade() -> None:
    op.execute(
        f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}') THEN
                BEGIN
                    CREATE ROLE {ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END;
            END IF;
            EXECUTE format('GRANT {ROLE} TO %I', current_user);
        END $$
        """
    )
    op.execute(f"GRANT USAGE ON SCHEMA public TO {ROLE}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {ROLE}")
    op.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {ROLE}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO {ROLE}")
    op.execute(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {ROLE}")
    op.execute(f"REVOKE INSERT, UPDATE ON alembic_version FROM {ROLE}")
    op.execute(f"GRANT DELETE ON throttle TO {ROLE}")

    scope = "current_setting('gatehouse.vendor', true)"
    for table, column in WALLED.items():
        test = f"({scope} = '*' OR {column}::text = {scope})"
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")

    op.execute(
        """
        CREATE FUNCTION rows_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = '42501';
        END $$
        """
    )
    for table in GROWS_ONLY:
        op.execute(
            f"CREATE TRIGGER rows_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION rows_only_grow()"
        )
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {ROLE}")
    op.execute("CREATE SEQUENCE decision_number START 101")
    op.execute("INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, decode(repeat('00', 32), 'hex'))")


def downgrade() -> None:
    op.execute("DROP SEQUENCE decision_number")
    op.execute("DELETE FROM audit_head")
    for table in GROWS_ONLY:
        op.execute(f"DROP TRIGGER rows_only_grow ON {table}")
    op.execute("DROP FUNCTION rows_only_grow()")
    for table in WALLED:
        op.execute(f"DROP POLICY by_vendor ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {ROLE}")
    op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {ROLE}")
