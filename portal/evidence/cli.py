"""flask evidence."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.evidence import reconciling
from portal.evidence.reconciling import Difference, Kind
from portal.kernel.actor import system
from portal.kernel.objects import StoreUnavailable

if TYPE_CHECKING:
    from portal.wiring import House


@click.group("evidence")
def evidence_group() -> None:
    """The files: whether rows and bytes agree."""


@evidence_group.command("reconcile")
@click.option("--quick", is_flag=True, help="Compare listings only; do not read the files again.")
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each difference, and one that counts.")
@click.option("--remove-incoming", is_flag=True, help="Remove what nobody waits for under incoming/.")
@with_appcontext
def reconcile_command(quick: bool, as_json: bool, remove_incoming: bool) -> None:
    """List files that are missing, altered or without a row; exit 1 if one is missing or altered, 2 if cut short."""
    house = cast("House", current_app.extensions["gatehouse"])
    counts: Counter[Kind] = Counter()
    found = reconciling.reconcile(
        house.ledger,
        system("evidence reconcile"),
        store=house.store,
        quick=quick,
        remove_incoming=remove_incoming,
    )
    try:
        for each in found:
            counts[each.kind] += 1
            click.echo(_as_json(each) if as_json else _as_line(each))
    except StoreUnavailable as refusal:
        click.echo(f"The store is unavailable ({refusal}). This list is not complete.", err=True)
        sys.exit(2)
    if as_json:
        click.echo(json.dumps({"counts": {kind.value: counts[kind] for kind in Kind}, "quick": quick}))
    elif counts:
        click.echo(", ".join(f"{counts[kind]:,} {kind.value}" for kind in Kind if counts[kind]) + ".")
    else:
        click.echo("Every file is there, with " + ("its length." if quick else "its fingerprint."))
    if any(counts[kind] for kind in reconciling.GRAVE):
        sys.exit(1)


def _as_line(each: Difference) -> str:
    what = f"{each.kind.value:<8} {each.key} {each.said}"
    return what + (f" (evidence {each.evidence_id})" if each.evidence_id else "") + (f": {each.done}" * bool(each.done))


def _as_json(each: Difference) -> str:
    return json.dumps(
        {
            "kind": each.kind.value,
            "key": each.key,
            "version_id": each.version_id,
            "evidence_id": str(each.evidence_id) if each.evidence_id else None,
            "said": each.said,
            "done": each.done,
        }
    )


commands = (evidence_group,)
