"""B7: the review queue and the search at a thousand assessments and at a million, in one database.

Rows are copies of one review of the demo, made in the database itself: other vendors, tiers, reviewers and days; every
second finding says a common word, and three say a rare one.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from bench.product import BENCH, Product
from bench.servers import Reading, Request, drive, serving
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.models import UserAccount
from portal.kernel.actor import Actor, ActorKind
from portal.reviews import service as reviews
from portal.reviews.rules import Cursor, View, Wanted
from portal.terms import Role
from portal.wiring import House

VENDORS = 10_000
COMMON, RARE = "encryption", "zirconium"
LATE = Cursor(0, int((datetime.now(UTC) + timedelta(days=5)).timestamp() * 1_000_000), UUID(int=0))

_VENDOR = """
INSERT INTO vendor (id, slug, name, legal_name, mail_domains, created_at, row_version)
SELECT md5('v' || i)::uuid, 'vendor-' || i, 'Vendor ' || i, 'Vendor ' || i || ' Limited', '{{}}', now(), 1
FROM generate_series({first}, {last}) AS i ON CONFLICT DO NOTHING
"""
_ENGAGEMENT = """
INSERT INTO engagement SELECT new.* FROM engagement e, generate_series({first}, {last}) AS i,
    LATERAL jsonb_populate_record(e, jsonb_build_object(
    'id', md5('e' || i)::uuid, 'vendor_id', md5('v' || i)::uuid)) AS new
WHERE e.id = {engagement} ON CONFLICT DO NOTHING
"""
_ASSESSMENT = """
INSERT INTO assessment SELECT new.* FROM assessment a, generate_series({first}, {last}) AS i,
    LATERAL jsonb_populate_record(a, jsonb_build_object(
    'id', md5('a' || i)::uuid, 'vendor_id', md5('v' || i % {vendors})::uuid,
    'engagement_id', md5('e' || i % {vendors})::uuid, 'tier', 1 + i % 3, 'state', 'submitted',
    'questionnaire_slug', 'slug-' || i)) AS new
WHERE a.id = {assessment}
"""
_REVIEW = """
INSERT INTO review SELECT new.* FROM review r, generate_series({first}, {last}) AS i,
    LATERAL jsonb_populate_record(r, jsonb_build_object(
    'id', md5('r' || i)::uuid, 'vendor_id', md5('v' || i % {vendors})::uuid,
    'assessment_id', md5('a' || i)::uuid, 'reviewer_id', NULL, 'claimed_at', NULL, 'closed_at', NULL,
    'recommendation', NULL, 'recommended_at', NULL,
    'due_at', now() + (i % 14400) * interval '1 minute', 'opened_at', now() - (i % 14400) * interval '1 minute')) AS new
WHERE r.id = {review}
"""
_CARD = """
INSERT INTO queue_card (assessment_id, vendor_id, review_id, stage, since, signals)
SELECT assessment_id, vendor_id, id, 'new', opened_at, '[["finding_high", "1 high finding", "stop"]]'
FROM review WHERE id IN (SELECT md5('r' || i)::uuid FROM generate_series({first}, {last}) AS i)
"""
_PLACE = """
INSERT INTO queue_place (assessment_id, place, vendor_id, due_at, rank, since, live)
SELECT md5('a' || i)::uuid, place, md5('v' || i % {vendors})::uuid, now() + (i % 14400) * interval '1 minute',
    1000 * (1 + i % 3) + 899, now() - (i % 14400) * interval '1 minute', true
FROM generate_series({first}, {last}) AS i,
LATERAL unnest(ARRAY['open', 'open/stage:new', 'open/tier:' || 1 + i % 3, 'open/kind:first', 'open/who:nobody',
    'open/class:' || i % 6, 'open/signal:' || CASE i % 5000 WHEN 0 THEN 'went_down' ELSE 'finding_high' END]) AS place
"""
_FINDING = """
INSERT INTO finding SELECT new.* FROM finding f, generate_series({first}, {last}) AS i,
    LATERAL jsonb_populate_record(f, jsonb_build_object(
    'id', md5('f' || i)::uuid, 'vendor_id', md5('v' || i % {vendors})::uuid, 'number', 1000 + i / {vendors},
    'assessment_id', md5('a' || i)::uuid, 'closes_when', 'lot' || i % 9999,
    'what', CASE WHEN i % 333 = 0 AND i < 1000 THEN '{rare}' WHEN i % 2 = 0 THEN '{common}' ELSE 'laptops' END)) AS new
WHERE f.id = {finding}
"""
_WORD = """
INSERT INTO search_word (kind, word, ref, part, vendor_id)
SELECT 'finding', word, f.id, '', f.vendor_id FROM finding f, LATERAL unnest(ARRAY[f.what, f.closes_when]) AS word
WHERE f.id IN (SELECT md5('f' || i)::uuid FROM generate_series({first}, {last}) AS i) ON CONFLICT DO NOTHING
"""
_STATEMENTS = (_ASSESSMENT, _REVIEW, _CARD, _PLACE, _FINDING, _WORD)


def grow(house: House, first: int, last: int) -> None:
    """Add the assessments of these numbers to the queue, and their findings to the search."""
    with house.engine.connect() as connection:
        run = connection.exec_driver_sql
        run("SELECT set_config('gatehouse.vendor', '*', true), set_config('statement_timeout', '0', true)")
        like = run(
            "SELECT f.id AS finding, r.id AS review, a.id AS assessment, a.engagement_id AS engagement FROM finding f"
            " JOIN assessment a ON a.id = f.assessment_id"
            " JOIN review r ON r.assessment_id = a.id AND r.revision = a.revision"
            " WHERE f.state IN ('draft', 'open') AND r.snapshot_id IS NOT NULL ORDER BY f.id LIMIT 1"
        ).one()
        values = {name: f"'{value}'" for name, value in like._mapping.items()}
        values |= {"vendors": str(VENDORS), "common": COMMON, "rare": RARE}
        for statement in (_VENDOR, _ENGAGEMENT) if first == 1 else ():
            run(_written(statement, first=0, last=VENDORS - 1, **values))
        with _bare(connection, ("assessment", "review", "finding", "queue_place", "queue_card", "search_word")):
            for statement in _STATEMENTS:
                began = time.perf_counter()
                run(_written(statement, first=first, last=last, **values))
                _say(f"  {statement.split()[2]:14} {time.perf_counter() - began:8.1f} s")
        connection.commit()
    with house.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        plain.exec_driver_sql("SET statement_timeout = 0")
        plain.exec_driver_sql("VACUUM ANALYZE")
        plain.exec_driver_sql("RESET statement_timeout")


def _written(statement: str, **values: object) -> str:
    return statement.format(**values).replace("%", "%%")


@contextmanager
def _bare(connection: sa.Connection, tables: tuple[str, ...]) -> Iterator[None]:
    """Take the other indexes and the foreign keys off while many rows come, and put them back."""
    run = connection.exec_driver_sql
    names = ", ".join(f"'{each}'" for each in tables)
    indexes = run(
        f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ({names}) "  # noqa: S608 - names of ours
        " AND indexname LIKE 'ix%%'"
    ).all()
    keys = run(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"  # noqa: S608 - as above
        f" WHERE contype = 'f' AND conrelid::regclass::text IN ({names})"
    ).all()
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    for table, name, _ in keys:
        run(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for _, definition in indexes:
        run(definition)
    for table, name, definition in keys:
        run(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")


def measure(product: Product, rows: int, *, rounds: int = 3) -> None:
    """Print what the queue and the search cost at a thousand assessments and at so many."""
    reader, cookie = _reviewer(product)
    jobs = _jobs(product.house, reader)
    pages = {
        "queue page: 25 rows, counts, views": "/news/queue",
        "the same, far down": f"/news/queue?after={LATE.written()}",
        "the same, three filters": "/news/queue?tier=1&kind=first&data=D3",
        "the same, a rare signal": "/news/queue?signal=went_down",
        f"search for {RARE}": f"/lab/search?q={RARE}",
        f"search for {COMMON}": f"/lab/search?q={COMMON}",
    }
    found: dict[str, list[float]] = {}
    statements: dict[str, int] = {}
    for first, last in ((1, 1_000), (1_001, rows)):
        _say(f"Growing to {last:,} assessments")
        grow(product.house, first, last)
        for name, job in jobs.items():
            statements[name] = _statements(product.house, job)
            found.setdefault(f"{name}, ms in a transaction", []).append(_best(job) * 1000)
        with serving("app:app", product.environment, also=(product.database_pid,)) as server:
            for name, path in pages.items():
                request = Request("GET", path, {"Cookie": f"gatehouse={cookie}"})
                drive(server, request, count=20)
                readings: list[Reading] = [drive(server, request, count=60) for _ in range(rounds)]
                found.setdefault(f"{name}, CPU ms", []).append(statistics.median(each.cpu for each in readings))
    _say("")
    _say(f"{'B7':52}{'1,000':>10}{rows:>12,}{'ratio':>8}{'statements':>12}")
    for name, (small, large) in found.items():
        counted = statements.get(name.removesuffix(", ms in a transaction"), 0)
        _say(f"{name:52}{small:>10.2f}{large:>12.2f}{large / small:>8.2f}{counted or '':>12}")


def _reviewer(product: Product) -> tuple[Actor, str]:
    with product.house.ledger.begin(BENCH) as tx:
        person = people.lab_people_with(tx, Role.REVIEWER)[0]
        user = tx.session.get_one(UserAccount, person.id)
        new = identity.begin_session(tx, user=user, address="127.0.0.1", user_agent="bench", factor="totp")
    actor = Actor(ActorKind.PERSON, person.id, person.full_name, roles=frozenset({Role.REVIEWER}))
    return actor, new.token


def _jobs(house: House, reader: Actor) -> dict[str, Callable[[], object]]:
    def page(wanted: Wanted, after: Cursor | None = None) -> Callable[[], object]:
        def job() -> object:
            with house.ledger.begin(reader) as tx:
                own = reviews.own_views(tx)
                counts = reviews.count(tx, [*(Wanted(view=view) for view in View), *(each.wanted for each in own)])
                return counts, reviews.page(tx, wanted, after=after)

        return job

    def search(word: str) -> Callable[[], object]:
        def job() -> object:
            with house.ledger.begin(reader) as tx:
                return reviews.search(tx, word)

        return job

    return {
        "queue: views, counts, first page": page(Wanted()),
        "queue: views, counts, a page far down": page(Wanted(), LATE),
        "queue: a rare signal": page(Wanted(signal="went_down")),
        "search: a rare word": search(RARE),
        "search: a common word": search(COMMON),
    }


def _statements(house: House, job: Callable[[], object]) -> int:
    """Return how many statements a job takes beside the beginning of its transaction."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    sa.event.listen(house.engine, "before_cursor_execute", note)
    try:
        job()
    finally:
        sa.event.remove(house.engine, "before_cursor_execute", note)
    return sum("set_config" not in each and "clock_timestamp" not in each for each in seen)


def _best(job: Callable[[], object], times: int = 40) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        job()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
