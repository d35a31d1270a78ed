"""The job queue of procrastinate 3.10.0 (MIT), its rights cut down to what the application needs, and parked jobs.

0003_jobs.sql is that release's schema, word for word. A later release brings a revision of its own with the
statements of its sql/migrations folder.

Revision: 0003, after 0002
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
SCHEMA = Path(__file__).with_suffix(".sql")
TABLES = (
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs",
    "procrastinate_workers",
)
SEQUENCES = (
    "procrastinate_events_id_seq",
    "procrastinate_jobs_id_seq",
    "procrastinate_periodic_defers_id_seq",
    "procrastinate_workers_id_seq",
)
TYPES = ("procrastinate_job_to_defer_v1", "procrastinate_job_event_type", "procrastinate_job_status")

# Every function looks in the schema it was made in, whatever the search path of who calls it.
PIN_FUNCTIONS = """
DO $$
DECLARE
    each regprocedure;
BEGIN
    FOR each IN
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema() AND starts_with(p.proname, 'procrastinate_')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', each, current_schema());
    END LOOP;
END $$
"""

DROP_FUNCTIONS = """
DO $$
DECLARE
    each regprocedure;
BEGIN
    FOR each IN
        SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = current_schema() AND starts_with(p.proname, 'procrastinate_')
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', each);
    END LOOP;
END $$
"""


def upgrade() -> None:
    # The file has many statements and signs that are no parameters, so it goes to the driver as it is.
    op.get_bind().connection.driver_connection.execute(SCHEMA.read_text(encoding="utf-8"))
    op.execute(PIN_FUNCTIONS)
    for table in TABLES:
        op.execute(f"REVOKE ALL ON TABLE {table} FROM {ROLE}")
    for sequence in SEQUENCES:
        op.execute(f"REVOKE ALL ON SEQUENCE {sequence} FROM {ROLE}")
    # The application adds jobs and does nothing else (it must read the key it may collide on, to be told of it); the worker's own connection takes and finishes them.
    op.execute(f"GRANT INSERT, SELECT (id, queueing_lock) ON TABLE procrastinate_jobs TO {ROLE}")
    op.execute(f"GRANT INSERT ON TABLE procrastinate_events TO {ROLE}")
    op.execute(f"GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq TO {ROLE}")

    op.create_table(
        "parked_job",
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("args", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_parked_job_with_reason")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_parked_job")),
    )
    op.execute(f"REVOKE UPDATE ON TABLE parked_job FROM {ROLE}")


def downgrade() -> None:
    op.drop_table("parked_job")
    for table in TABLES:
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute(DROP_FUNCTIONS)
    for each in TYPES:
        op.execute(f"DROP TYPE {each}")
