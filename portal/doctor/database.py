"""What can be told from the database: version, migrations, roles, the wall between vendors, clock, worker, trail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from portal.audit import service as audit
from portal.doctor.findings import Finding, counted, fail, ok, warn
from portal.identity import queries as identity
from portal.identity.models import UserAccount
from portal.kernel import migrate
from portal.kernel.actor import system
from portal.kernel.database import APP_ROLE, Base
from portal.questionnaires import queries as questionnaires
from portal.terms import Role

if TYPE_CHECKING:
    from portal.wiring import House

ACTOR = system("doctor")
OLDEST_MAJOR = 15
SKEW_WARN, SKEW_FAIL = 5.0, 60.0
WORKER_SILENT = timedelta(seconds=30)
TAIL = 500
GROWS_ONLY = (
    "audit_event",
    "audit_checkpoint",
    "questionnaire_version",
    "evidence_opening",
    "evidence_page_text",
    "answer_edit",
    "attestation",
    "attested_answer",
    "attested_scoping",
    "attested_citation",
    "attestation_print",
    "signature_request",
    "score_snapshot",
    "published_outcome",
    "decision_signature",
    "decision_record",
    "escalation_person",
    "clearance",
    "access_record",
    "assessment_migration",
    "questionnaire_signature",
    "policy_version",
    "policy_signature",
    "external_answer",
    "answer_pack",
    "checked_firm",
    "remedy",
    "finding_step",
    "vendor_export",
    "level_notice",
)
"""Tables whose rows are never changed or removed (the migrations that make them)."""

_SERVER = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit,
       session_user AS login,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user) AS mighty,
       extract(epoch FROM clock_timestamp())::float8 AS now
"""
_ROLE = """
SELECT rolcanlogin AS signs_in, rolsuper OR rolbypassrls AS mighty,
       pg_has_role(session_user, oid, 'MEMBER') AS ours,
       EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid) AS owns
FROM pg_roles WHERE rolname = :role
"""
_WALLS = """
SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
       EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid) AS policed,
       EXISTS (SELECT 1 FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'rows_only_grow' AND tgenabled <> 'D')
           AS grows_only
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
_RIGHTS = """
SELECT relname || ' (' || lower(privilege) || ')'
FROM pg_class, unnest(ARRAY['DELETE', 'TRUNCATE', 'UPDATE']) AS privilege
WHERE relkind = 'r' AND relname = ANY(:tables) AND has_table_privilege(:role, pg_class.oid, privilege)
  AND (privilege <> 'UPDATE' OR relname = ANY(:grows_only))
ORDER BY 1
"""
_WORKERS = """
SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :silent)),
       (SELECT max(last_heartbeat) FROM procrastinate_workers),
       count(*) FILTER (WHERE coalesce(scheduled_at, now()) <= now()), now()
FROM procrastinate_jobs WHERE status = 'todo'
"""


def server(house: House, connection: sa.Connection) -> Iterator[Finding]:
    """Say which server it is, whether it keeps what it acknowledges, who we are to it, and how its clock goes."""
    before = time.time()
    row = _one(connection, _SERVER)
    after = time.time()
    place = "embedded" if house.settings.embedded_database else "given by URL"
    if row["major"] < OLDEST_MAJOR:
        yield fail("database", f"PostgreSQL {row['version']} is too old", f"Use PostgreSQL {OLDEST_MAJOR} or newer")
    else:
        yield ok("database", f"PostgreSQL {row['version']}, {place}")
    if row["fsync"] != "on" or row["synchronous_commit"] == "off":
        yield warn(
            "database",
            f"fsync is {row['fsync']} and synchronous_commit is {row['synchronous_commit']}: "
            "a crash can lose what was acknowledged",
            "Set both to on",
        )
    if row["mighty"]:
        yield warn(
            "database",
            f"we sign in as {row['login']}, who can switch the wall between vendors off",
            "Use a role of our own that is neither superuser nor BYPASSRLS: docs/operations.md, PostgreSQL",
        )
    # The moment that the server named lies between our two looks; only what is outside of them is skew.
    skew = max(before - row["now"], row["now"] - after, 0.0)
    if skew > SKEW_FAIL:
        yield fail("clock", f"{skew:.0f} s between this machine and the database", "Synchronise both clocks (NTP)")
    elif skew > SKEW_WARN:
        yield warn("clock", f"{skew:.0f} s between this machine and the database", "Synchronise both clocks (NTP)")
    else:
        yield ok("clock", "this machine and the database agree")


def migrations(connection: sa.Connection) -> Iterator[Finding]:
    """Say whether the schema is the one that this code expects."""
    current, head = migrate.current(connection), migrate.head()
    if current == head:
        yield ok("migrations", f"revision {current}")
    elif not current:
        yield fail("migrations", "the database is empty", "Run flask init")
    elif current in _known_revisions():
        yield fail("migrations", f"revision {current}, and this code expects {head}", "Run flask migrate")
    else:
        yield fail(
            "migrations",
            f"revision {current} is newer than this code, which knows {head}",
            "Start the version that made it; going back is a downgrade of one step and a backup",
        )


def walls(connection: sa.Connection) -> Iterator[Finding]:
    """Say whether vendors are kept apart and the trail is kept from change by the database itself."""
    role = connection.execute(sa.text(_ROLE), {"role": APP_ROLE}).mappings().one_or_none()
    repair = "Restore the rights of migration 0002, and find out who changed them"
    if role is None or not role["ours"]:
        yield fail("walls", f"we cannot take the role {APP_ROLE}", f"GRANT {APP_ROLE} TO the role of the database URL")
        return
    if role["mighty"] or role["owns"]:
        yield fail("walls", f"the role {APP_ROLE} can switch the walls off", repair)
    tables = connection.execute(sa.text(_WALLS)).mappings().all()
    found: Mapping[str, Any] = {row["name"]: row for row in tables}
    named = {table.name for table in Base.metadata.tables.values() if "vendor_id" in table.columns} | {"vendor"}
    open_to_all = sorted(name for name in named if not (found[name]["forced"] and found[name]["policed"]))
    if open_to_all:
        yield fail("walls", f"no row-level security on: {', '.join(open_to_all)}", repair)
    changeable = sorted(name for name in GROWS_ONLY if not found[name]["grows_only"])
    if changeable:
        yield fail("walls", f"rows can be changed in: {', '.join(changeable)}", repair)
    tables_of_ours = sorted(set(Base.metadata.tables) - {"throttle", "spent_challenge"})
    excess = (
        connection.execute(
            sa.text(_RIGHTS), {"role": APP_ROLE, "tables": tables_of_ours, "grows_only": list(GROWS_ONLY)}
        )
        .scalars()
        .all()
    )
    if excess:
        yield fail("walls", f"{APP_ROLE} has rights that it must not have: {', '.join(excess)}", repair)
    if not (open_to_all or changeable or excess or role["mighty"] or role["owns"]):
        yield ok("walls", f"{len(named)} tables walled off by vendor, {len(GROWS_ONLY)} grow only")


def worker(connection: sa.Connection) -> Iterator[Finding]:
    """Say whether somebody does the jobs."""
    alive, last, waiting, now = connection.execute(sa.text(_WORKERS), {"silent": WORKER_SILENT.total_seconds()}).one()
    jobs = f"{counted(waiting, 'job')} waiting"
    if alive:
        yield ok("worker", f"{alive} alive, {jobs}")
    else:
        seen = f"the last one was heard {(now - last).total_seconds():.0f} s ago" if last else "none was ever heard"
        yield fail("worker", f"no worker lives ({seen}), {jobs}", "Start flask worker: no mail leaves without it")


def trail(house: House, *, deep: bool) -> Iterator[Finding]:
    """Say whether the trail is whole: its newest events, or with ``deep`` all of them."""
    with house.ledger.begin(ACTOR) as tx:
        end = audit.head(tx)
        flaws = tuple(audit.verify(tx)) if deep else audit.check_tail(tx, most=TAIL).flaws
    for flaw in flaws[:10]:
        yield fail("trail", flaw.sentence, "Run flask audit verify with your checkpoints; treat it as an incident")
    if not flaws:
        checked = "all checked" if deep else f"the newest {min(end.seq, TAIL)} checked"
        yield ok("trail", f"{counted(end.seq, 'event')}, {checked}, head {end.hash.hex()[:12]}…")


def content(house: House) -> Iterator[Finding]:
    """Say whether somebody can work: questionnaires, people for the acts of two, and secrets that open."""
    with house.ledger.begin(ACTOR) as tx:
        versions = questionnaires.versions(tx)
        admins = [each for each in identity.lab_people_with(tx, Role.PROGRAM_ADMIN) if each.is_active]
        leads = [each for each in identity.lab_people_with(tx, Role.LEAD_APPROVER) if each.is_active]
        sealed = (
            tx.session.execute(sa.select(UserAccount.totp_sealed).where(UserAccount.totp_sealed.is_not(None)))
            .scalars()
            .all()
        )
    if versions:
        yield ok("questionnaires", f"published: {counted(len(versions), 'version')}")
    else:
        yield fail("questionnaires", "none is published", "Run flask init")
    if not admins:
        yield warn("people", "there is no program admin", "Run flask users bootstrap --email … --name …")
    if len(leads) < 2:
        yield warn(
            "people",
            f"{len(leads)} lead approver can decide" if len(leads) == 1 else "no lead approver can decide",
            "Give two people the role: tier 1 decisions and the end of a pause need two",
        )
    if admins and len(leads) >= 2:
        yield ok("people", f"{counted(len(admins), 'program admin')}, {counted(len(leads), 'lead approver')}")
    closed = sum(not _opens(house, value) for value in sealed if value is not None)
    if closed:
        yield fail(
            "secrets",
            f"{closed} of {len(sealed)} authenticator secrets cannot be opened with GATEHOUSE_SECRET_KEY",
            "Add the key they were sealed with to the end of the list",
        )
    else:
        yield ok("secrets", f"{len(sealed)} authenticator secrets open with our keys")


def _opens(house: House, sealed: bytes) -> bool:
    try:
        house.keyring.open(sealed)
    except ValueError:
        return False
    return True


def _one(connection: sa.Connection, statement: str) -> Mapping[str, Any]:
    return dict(connection.execute(sa.text(statement)).mappings().one())


def cause(failure: DBAPIError) -> str:
    """Return the first line of what the driver said, without a password."""
    said = str(failure.orig).strip().splitlines() or [type(failure).__name__]
    return said[0]


def _known_revisions() -> set[str]:
    return {each.revision for each in ScriptDirectory.from_config(migrate.config()).walk_revisions()}
