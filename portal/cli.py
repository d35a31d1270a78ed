"""The commands of the product: set up, look after, verify."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.audit import service as audit
from portal.audit.rules import Checkpoint, Link
from portal.doctor.cli import doctor_command
from portal.kernel import migrate, signing
from portal.kernel.actor import system

if TYPE_CHECKING:
    from portal.wiring import House

QUESTIONNAIRES = Path(__file__).resolve().parent.parent / "questionnaires"


def house() -> House:
    """Return the house of the application that the command runs in."""
    return cast("House", current_app.extensions["gatehouse"])


@click.command("migrate")
@with_appcontext
def migrate_command() -> None:
    """Bring the database to this version's schema."""
    migrate.upgrade(house().engine)
    click.echo(f"The database is at revision {migrate.head()}.")


@click.command("init")
@with_appcontext
def init_command() -> None:
    """Migrate, make the keys, publish the shipped questionnaires; say how the first admin gets in. Safe to repeat."""
    from portal.setup import first_steps

    for line in first_steps(house(), QUESTIONNAIRES):
        click.echo(line)


@click.group("audit")
def audit_group() -> None:
    """The trail: verify it, take it out."""


@audit_group.command("verify")
@click.option(
    "--checkpoints", type=click.Path(exists=True, path_type=Path), help="Checkpoints kept outside, JSON lines."
)
@with_appcontext
def verify_command(checkpoints: Path | None) -> None:
    """Find every edited, removed, inserted or reordered event; exit 1 if there is one."""
    kept = _read_checkpoints(checkpoints)
    with house().ledger.begin(system("audit verify")) as tx:
        end = audit.head(tx)
        found = audit.verify(tx, kept)
    for flaw in found:
        click.echo(flaw.sentence)
    if found:
        click.echo(f"The trail is broken in {len(found)} places.", err=True)
        sys.exit(1)
    click.echo(f"The trail is whole: {end.seq} events, {len(kept)} checkpoints, head {end.hash.hex()}.")


@audit_group.command("export")
@with_appcontext
def export_command() -> None:
    """Write every event as a JSON line, hashes included, so that anybody can verify them offline."""
    with house().ledger.begin(system("audit export")) as tx:
        for link in audit.links(tx):
            click.echo(json.dumps(_plain(link), sort_keys=True, ensure_ascii=False))


def _plain(link: Link) -> dict[str, object]:
    return {
        "seq": link.seq,
        "at": link.at,
        "fact": link.fact,
        "payload": link.payload,
        "actor_kind": link.actor_kind,
        "actor_id": link.actor_id,
        "actor_label": link.actor_label,
        "vendor_id": link.vendor_id,
        "previous_hash": link.previous_hash.hex(),
        "hash": link.hash.hex(),
    }


@audit_group.command("checkpoint")
@with_appcontext
def checkpoint_command() -> None:
    """Print how long the trail is and how it ends; keep the line outside, it is what proves a truncation later."""
    with house().ledger.begin(system("audit checkpoint")) as tx:
        end = audit.head(tx)
        click.echo(json.dumps({"seq": end.seq, "hash": end.hash.hex(), "at": tx.now.isoformat()}))


def _read_checkpoints(path: Path | None) -> list[Checkpoint]:
    if path is None:
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    return [Checkpoint(int(line["seq"]), bytes.fromhex(line["hash"])) for line in lines]


@click.group("keys")
def keys_group() -> None:
    """The keys that sign statements: what they are, and the next one."""


@keys_group.command("list")
@with_appcontext
def list_keys_command() -> None:
    """Say which keys there are and when each signs. Shows no secret."""
    for key in signing.load(house().signing_keys).keys:
        click.echo(f"{key.kid}  {key.not_before.isoformat()}  {key.not_after.isoformat()}")


@keys_group.command("rotate")
@click.option("--in-days", type=click.IntRange(0, 60), default=2, show_default=True, help="When it begins to sign.")
@click.option("--lasts-days", type=click.IntRange(1, 1825), default=730, show_default=True, help="For how long.")
@with_appcontext
def rotate_command(in_days: int, lasts_days: int) -> None:
    """Add the next signing key. It is published at once and signs later, when those who verify have fetched it."""
    begins = house().instant() + timedelta(days=in_days)
    try:
        kid = signing.add_key(house().signing_keys, begins=begins, life=timedelta(days=lasts_days))
    except FileNotFoundError:
        raise click.ClickException(f"There is no key file at {house().signing_keys}. Run flask init.") from None
    except ValueError as problem:
        raise click.ClickException(f"{house().signing_keys} was left as it is: {problem}.") from None
    click.echo(f"Key {kid} is published now and signs from {begins.isoformat()}. Back up {house().signing_keys}.")


commands = (migrate_command, init_command, audit_group, keys_group, doctor_command)
