"""Until when the evidence that a decision rests on holds, for the gate.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"


def upgrade() -> None:
    """Add the table behind the wall between vendors, and write down what earlier decisions rest on.

    The score that was decided on says what was required and met: its inputs are stored with it.
    """
    op.create_unique_constraint(op.f("uq_clearance_vendor_id_id"), "clearance", ["vendor_id", "id"])
    op.create_table(
        "clearance_evidence",
        sa.Column("clearance_id", sa.Uuid(), nullable=False),
        sa.Column("requirement", sa.Text(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("attestation_id", sa.Uuid(), nullable=False),
        sa.Column("pinned_until", sa.Date(), nullable=True),
        sa.Column("holds_until", sa.Date(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("requirement <> ''", name=op.f("ck_clearance_evidence_names_kinds")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "clearance_id"],
            ["clearance.vendor_id", "clearance.id"],
            name=op.f("fk_clearance_evidence_vendor_id_clearance_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "evidence_id"],
            ["evidence.vendor_id", "evidence.id"],
            name=op.f("fk_clearance_evidence_vendor_id_evidence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["vendor_id", "attestation_id"],
            ["attestation.vendor_id", "attestation.id"],
            name=op.f("fk_clearance_evidence_vendor_id_attestation_id"),
        ),
        sa.PrimaryKeyConstraint("clearance_id", "requirement", "evidence_id", name=op.f("pk_clearance_evidence")),
    )
    op.create_index("ix_clearance_evidence_vendor_id", "clearance_evidence", ["vendor_id"])
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    op.execute(
        """
        INSERT INTO clearance_evidence
            (clearance_id, requirement, evidence_id, vendor_id, attestation_id, pinned_until, holds_until, seen_at)
        SELECT c.id, required.kinds, evidence.id, c.vendor_id, s.attestation_id, held.until,
               CASE WHEN evidence.state IN ('attached', 'verified') THEN held.until ELSE DATE '0001-01-01' END, now()
        FROM clearance c
        JOIN decision d ON d.id = c.decision_id
        JOIN score_snapshot s ON s.id = d.snapshot_id
        CROSS JOIN LATERAL (
            SELECT each -> 'any_of' AS any_of,
                   (SELECT string_agg(kind, ',' ORDER BY place)
                    FROM jsonb_array_elements_text(each -> 'any_of') WITH ORDINALITY AS kinds (kind, place)) AS kinds
            FROM jsonb_array_elements(s.inputs::jsonb -> 'policy' -> 'required' -> (c.tier - 1)) AS each
            WHERE each ->> 'fact' IS NULL OR (s.inputs::jsonb -> 'facts') ? (each ->> 'fact')
        ) AS required
        CROSS JOIN LATERAL (
            SELECT (each ->> 'key')::uuid AS evidence_id, (each ->> 'valid_until')::date AS until
            FROM jsonb_array_elements(s.inputs::jsonb -> 'held') AS each
            WHERE required.any_of ? (each ->> 'kind')
        ) AS held
        JOIN evidence ON evidence.id = held.evidence_id AND evidence.vendor_id = c.vendor_id
        WHERE c.act IN ('approve', 'approve_with_conditions')
          AND EXISTS (
            SELECT 1 FROM jsonb_array_elements(s.inputs::jsonb -> 'held') AS one
            WHERE required.any_of ? (one ->> 'kind')
              AND ((one ->> 'valid_until') IS NULL
                   OR (one ->> 'valid_until')::date >= (s.inputs::jsonb ->> 'as_of')::date))
        """
    )
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON clearance_evidence TO {ROLE}")
    op.execute("ALTER TABLE clearance_evidence ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE clearance_evidence FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY by_vendor ON clearance_evidence USING {test} WITH CHECK {test}")


def downgrade() -> None:
    """Take it away; the gate then ends approvals by the decision alone."""
    op.drop_table("clearance_evidence")
    op.drop_constraint(op.f("uq_clearance_vendor_id_id"), "clearance", type_="unique")
