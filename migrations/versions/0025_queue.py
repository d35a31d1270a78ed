"""What the queue sorts by, what is searched, snoozes, saved views; and whether single keys act for a person.

Revision: 0025, after 0024
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ROLE = "gatehouse_app"
WALLED = ("queue_card", "queue_place", "snooze", "search_word")
STAGES = ("new", "reviewing", "with_vendor", "to_decide", "to_cosign")
KINDS = ("vendor", "finding", "answer", "evidence")
SORTS = {"due": ("due_at",), "risk": ("rank", "due_at"), "waiting": ("since",)}


def upgrade() -> None:
    """Add them, walled by vendor. Single keys act for everybody who is there; what is there already is found."""
    op.add_column("user_account", sa.Column("single_keys", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("review", sa.Column("to_read", sa.Integer(), server_default="0", nullable=False))
    op.add_column("review", sa.Column("went_down", sa.Integer(), server_default="0", nullable=False))
    _snooze()
    _queue()
    _search()
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view_named")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_saved_view_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(
        "uq_saved_view_name",
        "saved_view",
        ["user_id", sa.text("lower(name)")],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON saved_view, {', '.join(WALLED)} TO {ROLE}")
    op.execute(f"REVOKE DELETE, TRUNCATE ON saved_view, {', '.join(WALLED)} FROM {ROLE}")
    scope = "current_setting('gatehouse.vendor', true)"
    test = f"({scope} = '*' OR vendor_id::text = {scope})"
    for table in WALLED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY by_vendor ON {table} USING {test} WITH CHECK {test}")
    op.execute("SELECT set_config('gatehouse.vendor', '*', true)")
    _fill_queue()
    _fill_search()


def _snooze() -> None:
    op.create_table(
        "snooze",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("snoozed_by", sa.Uuid(), nullable=False),
        sa.Column("snoozed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_snooze_with_reason")),
        sa.CheckConstraint("until > snoozed_at", name=op.f("ck_snooze_into_the_future")),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_snooze_ended_by_somebody")),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_snooze_vendor_id_review_id"),
        ),
        sa.ForeignKeyConstraint(["snoozed_by"], ["user_account.id"], name=op.f("fk_snooze_snoozed_by_user_account")),
        sa.ForeignKeyConstraint(["ended_by"], ["user_account.id"], name=op.f("fk_snooze_ended_by_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snooze")),
    )
    op.create_index(
        "uq_snooze_open", "snooze", ["review_id"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def _queue() -> None:
    def of_assessment(table: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint(
            ["vendor_id", "assessment_id"],
            ["assessment.vendor_id", "assessment.id"],
            name=op.f(f"fk_{table}_vendor_id_assessment_id"),
        )

    op.create_table(
        "queue_card",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column(
            "stage",
            sa.Enum(*STAGES, name="stage", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("snooze_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(stage IS NULL) = (review_id IS NULL)", name=op.f("ck_queue_card_of_a_review")),
        of_assessment("queue_card"),
        sa.ForeignKeyConstraint(
            ["vendor_id", "review_id"],
            ["review.vendor_id", "review.id"],
            name=op.f("fk_queue_card_vendor_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_queue_card")),
    )
    op.create_table(
        "queue_place",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(collation="C"), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        of_assessment("queue_place"),
        sa.PrimaryKeyConstraint("assessment_id", "place", name=op.f("pk_queue_place")),
    )
    for name, columns in SORTS.items():
        op.create_index(
            f"ix_queue_place_{name}",
            "queue_place",
            ["place", *columns, "assessment_id"],
            postgresql_where=sa.text("live"),
            postgresql_include=["vendor_id", "snoozed_until"],
        )


def _search() -> None:
    op.create_table(
        "search_word",
        sa.Column(
            "kind", sa.Enum(*KINDS, name="found", native_enum=False, create_constraint=True, length=40), nullable=False
        ),
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("ref", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("word <> ''", name=op.f("ck_search_word_some_word")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_search_word_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("kind", "word", "ref", "part", name=op.f("pk_search_word")),
    )


LIVE = "('submitted', 'in_review', 'changes_requested', 'recommended')"


def _fill_queue() -> None:
    op.execute(
        "UPDATE review SET to_read = asked - (SELECT count(*) FROM answer_verdict v"
        " WHERE v.review_id = review.id AND v.carried_from IS NOT NULL AND v.verdict IS NOT NULL)"
    )
    op.execute(
        f"""
        INSERT INTO queue_card (assessment_id, vendor_id, review_id, stage, since, signals, decision_id)
        SELECT a.id, a.vendor_id, r.id,
            CASE WHEN a.state = 'changes_requested' THEN 'with_vendor'
                WHEN a.state = 'recommended' AND d.id IS NOT NULL THEN 'to_cosign'
                WHEN a.state = 'recommended' THEN 'to_decide'
                WHEN r.reviewer_id IS NOT NULL THEN 'reviewing' ELSE 'new' END,
            CASE WHEN a.state = 'changes_requested' THEN coalesce(r.closed_at, r.opened_at)
                WHEN a.state = 'recommended' THEN coalesce(d.proposed_at, r.recommended_at, r.opened_at)
                ELSE r.opened_at END,
            (SELECT coalesce(jsonb_agg(jsonb_build_array(kind, words, tone) ORDER BY place), '[]') FROM (
                SELECT 1 AS place, 'knock_out_failed' AS kind, 'stop' AS tone,
                    n || CASE n WHEN 1 THEN ' knock-out failed' ELSE ' knock-outs failed' END AS words
                FROM jsonb_array_length(s.result::jsonb -> 'measures' -> 'failed') AS n WHERE n > 0
                UNION ALL
                SELECT 2, 'finding_high', 'stop', n || CASE n WHEN 1 THEN ' high finding' ELSE ' high findings' END
                FROM (SELECT count(*) AS n FROM finding f WHERE f.assessment_id = a.id AND f.severity = 'high'
                    AND f.state IN ('draft', 'open')) AS high WHERE n > 0
                UNION ALL
                SELECT 3, 'knock_out_open', 'asked',
                    n || CASE n WHEN 1 THEN ' knock-out open' ELSE ' knock-outs open' END
                FROM jsonb_array_length(s.result::jsonb -> 'measures' -> 'open') AS n WHERE n > 0
                UNION ALL
                SELECT 4, each ->> 'code', 'watch', CASE each ->> 'code' WHEN 'evidence_missing' THEN 'No ' ELSE '' END
                    || (SELECT string_agg(key, ' or ') FROM jsonb_array_elements_text(each -> 'keys') AS key)
                    || CASE each ->> 'code' WHEN 'evidence_expired' THEN ' ended' ELSE '' END
                FROM jsonb_array_elements(s.result::jsonb -> 'reasons') AS each
                WHERE each ->> 'code' IN ('evidence_missing', 'evidence_expired')
            ) AS found),
            d.id
        FROM assessment a
        JOIN review r ON r.assessment_id = a.id AND r.revision = a.revision
        LEFT JOIN score_snapshot s ON s.id = r.snapshot_id
        LEFT JOIN decision d ON d.assessment_id = a.id AND d.state = 'proposed'
        WHERE a.state IN {LIVE}
        """
    )
    op.execute(
        """
        INSERT INTO queue_place (assessment_id, place, vendor_id, due_at, rank, since, live)
        SELECT DISTINCT a.id, places.place, a.vendor_id, r.due_at,
            a.tier * 1000 + 999 - least(999, (
                SELECT coalesce(sum(CASE each ->> 0 WHEN 'knock_out_failed' THEN 300 WHEN 'finding_high' THEN 100
                    WHEN 'knock_out_open' THEN 20 ELSE 10 END), 0) FROM jsonb_array_elements(c.signals) AS each
            )), c.since, true
        FROM queue_card c
        JOIN assessment a ON a.id = c.assessment_id
        JOIN review r ON r.id = c.review_id
        JOIN engagement e ON e.id = a.engagement_id
        CROSS JOIN LATERAL (SELECT CASE c.stage WHEN 'with_vendor' THEN 'vendor' ELSE 'open' END AS turn) AS turns
        CROSS JOIN LATERAL (
            SELECT turn AS place
            UNION ALL SELECT turn || '/tier:' || a.tier
            UNION ALL SELECT turn || '/kind:' || r.kind
            UNION ALL SELECT turn || '/who:' || coalesce(r.reviewer_id::text, 'nobody')
            UNION ALL SELECT turn || '/class:' || class FROM unnest(e.data_classes) AS class
            UNION ALL SELECT turn || '/signal:' || (each ->> 0) FROM jsonb_array_elements(c.signals) AS each
            UNION ALL SELECT turn || '/stage:' || c.stage WHERE turn = 'open'
        ) AS places
        """
    )


def _fill_search() -> None:
    sources = {
        "vendor": ("v.id, '', v.id", "v.name || ' ' || v.legal_name || ' ' || v.slug", "vendor v"),
        "finding": ("f.id, '', f.vendor_id", "f.what || ' ' || f.closes_when", "finding f"),
        "answer": (
            "a.attestation_id, a.question_key, a.vendor_id",
            "(SELECT string_agg(each #>> '{}', ' ')"
            " FROM jsonb_path_query(a.content, 'strict $.** ? (@.type() == \"string\")') AS each)",
            "attested_answer a",
        ),
        "evidence": ("p.evidence_id, '', p.vendor_id", "p.text", "evidence_page_text p"),
    }
    for kind, (ref, text, table) in sources.items():
        # Sent as it is: a colon in it is no parameter.
        op.get_bind().exec_driver_sql(
            f"INSERT INTO search_word (kind, ref, part, vendor_id, word) "
            f"SELECT DISTINCT '{kind}', {ref}, left(found[1], 40) FROM {table}, "
            f"regexp_matches(lower({text}), '[[:alnum:]]{{2,}}', 'g') AS found"
        )
    op.get_bind().exec_driver_sql(
        "INSERT INTO search_word (kind, ref, part, vendor_id, word) "
        "SELECT DISTINCT 'evidence', e.id, '', e.vendor_id, left(found[1], 40) FROM evidence e, "
        "regexp_matches(lower(e.title || ' ' || e.file_name), '[[:alnum:]]{2,}', 'g') AS found "
        "WHERE e.state NOT IN ('reserved', 'refused') ON CONFLICT DO NOTHING"
    )


def downgrade() -> None:
    """Take them away."""
    op.drop_table("saved_view")
    op.drop_table("search_word")
    op.drop_table("queue_place")
    op.drop_table("queue_card")
    op.drop_table("snooze")
    op.drop_column("review", "went_down")
    op.drop_column("review", "to_read")
    op.drop_column("user_account", "single_keys")
