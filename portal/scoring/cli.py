"""flask scores: whether every stored score is still what its inputs say."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, cast
from uuid import UUID

import click
from flask import current_app
from flask.cli import AppGroup

from portal.kernel.actor import system
from portal.scoring import replaying

if TYPE_CHECKING:
    from portal.wiring import House

scores = AppGroup("scores", help="Stored scores.")
ACTOR = system("scores replay")
SAY_EVERY = 1_000


@scores.command("replay")
@click.option("--all", "every", is_flag=True, help="Every stored score.")
@click.option("--assessment", type=click.UUID, help="The stored scores of one assessment.")
@click.option("--quiet", is_flag=True, help="Say only what differs, and the last sentence.")
def replay(every: bool, assessment: UUID | None, quiet: bool) -> None:
    """Compute stored scores again from their stored inputs and compare byte for byte; exit 1 if one differs."""
    if every == (assessment is not None):
        raise click.UsageError("Say --all, or --assessment and its id.")
    house = cast("House", current_app.extensions["gatehouse"])
    started = time.monotonic()
    count = differ = 0
    for each in replaying.replay_all(house.ledger, ACTOR, assessment_id=assessment):
        count += 1
        if not each.is_equal:
            differ += 1
            click.echo(f"{each.snapshot_id} differs:")
            for place in each.places:
                click.echo(f"  {place.path}: stored {place.stored or 'nothing'}, computed {place.anew or 'nothing'}")
        elif not quiet and count % SAY_EVERY == 0:
            click.echo(f"{count:,} replayed.", err=True)
    took = time.monotonic() - started
    if differ:
        click.echo(f"{differ:,} of {_scores(count)} differ from what their inputs give. Decide nothing on them.")
        sys.exit(1)
    if not count:
        click.echo("There is no stored score.")
        return
    which = "The stored score gives" if count == 1 else f"All {count:,} stored scores give"
    click.echo(f"{which} the same bytes again ({took:.1f} s).")


def _scores(count: int) -> str:
    return f"{count:,} stored score{'' if count == 1 else 's'}"


commands = (scores,)
