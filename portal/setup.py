"""First steps on a new or an updated installation: schema, keys, questionnaires, and the way in for the first admin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from portal.identity import queries as identity
from portal.kernel import migrate, signing
from portal.kernel.actor import system
from portal.questionnaires import service as questionnaires
from portal.terms import Role

if TYPE_CHECKING:
    from portal.wiring import House

ACTOR = system("init")


def first_steps(house: House, folder: Path) -> Iterator[str]:
    """Do what is not done yet and yield a sentence for each thing done; a second run changes nothing.

    :param folder: where the shipped questionnaires and their lock lie.
    """
    with house.engine.connect() as connection:
        revision = migrate.current(connection)
    if revision != migrate.head():
        migrate.upgrade(house.engine)
        yield f"The database is at revision {migrate.head()}."
    with house.ledger.begin(ACTOR) as tx:
        now = tx.now
    if signing.make_file(house.signing_keys, now=now):
        yield f"A signing key was made: {house.signing_keys}. Back it up; old statements verify with it."
    with house.ledger.begin(ACTOR) as tx:
        before = {line.digest for line in questionnaires.list_versions(tx)}
        published = questionnaires.load_locked(tx, folder)
    for version in published:
        if version.digest in before:
            continue
        yield f"Published {version.slug} v{version.version} ({version.digest[:12]}…)."
    if house.settings.demo:
        return
    with house.ledger.begin(ACTOR) as tx:
        admins = identity.lab_people_with(tx, Role.PROGRAM_ADMIN)
    if not admins:
        yield "Nobody can sign in yet. Make the first admin: flask users bootstrap --help"
