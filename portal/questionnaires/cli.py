"""The commands of the questionnaires: check the files, publish a version, list what is published."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.kernel.actor import Actor, system
from portal.kernel.errors import GatehouseError, Refused
from portal.questionnaires import acting, changes_cli, files, importing_cli, overlays, service
from portal.questionnaires.changes_cli import folder_option
from portal.questionnaires.rules import DefinitionError, Problem, format_lock, warnings_of

if TYPE_CHECKING:
    from portal.kernel.ledger import Ledger


def ledger() -> Ledger:
    """Return where transactions begin, of the application that the command runs in."""
    return cast("Ledger", current_app.extensions["gatehouse"].ledger)


@click.group("questionnaires")
def questionnaires_group() -> None:
    """The questionnaire files: check them, publish a version, list what is published."""


@questionnaires_group.command("check")
@folder_option
def check_command(folder: Path) -> None:
    """Compile and lint every file; print each problem with file, line and column; exit 1 if there is one.

    Warnings, such as a text that reads hard, are printed as well and fail nothing.
    """
    problems: list[str] = []
    for path in files.all_files(folder):
        problems.extend(map(str, files.problems_of(path, folder)))
        click.echo(f"{files.shown(path, folder)}: {_counted(path, folder)}")
        for warning in _warnings(path, folder):
            click.echo(f"warning: {warning}", err=True)
    for path in overlays.overlay_files(folder):
        problems.extend(overlays.overlay_problems(path, folder))
        click.echo(f"{files.shown(path, folder)}: tried in its base")
    problems.extend(check_lock(folder))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} to mend.", err=True)
        sys.exit(1)


@questionnaires_group.command("publish")
@click.argument("slug")
@click.argument("version", type=click.IntRange(1, 9_999))
@click.option("--as", "email", default="", help="Who confirms it: the e-mail of a lead approver or program admin.")
@folder_option
@with_appcontext
def publish_command(slug: str, version: int, email: str, folder: Path) -> None:
    """Publish a version from its file: two people confirm the same digest, each by running this command.

    The first run prints the digest, the second one, by another person, stores the version and pins its hash in
    published.lock; from then on the file never changes. What is pinned already is stored without a person, as
    “flask init” does. This command takes the operator's word for who is at the keyboard.
    """
    path = service.file_of(folder, slug, version)
    if not path.is_file():
        raise click.ClickException(f"{path} is missing. Write the version there first.")
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    try:
        is_pinned = _is_pinned(folder, slug, version, digest)
        if problems := files.problems_of(path, folder):
            raise Refused("\n".join(map(str, problems)))
        if is_pinned:
            with ledger().begin(system("questionnaires publish")) as tx:
                service.publish(tx, source=source, name=str(path), known=folder / "frameworks")
        elif not _signed(_person(email), source, path, folder):
            click.echo(
                f"{email} confirmed {slug} v{version}, SHA-256 {digest}. "
                "Another person publishes it by confirming the same digest with this command."
            )
            return
    except GatehouseError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"Published {slug} v{version}, SHA-256 {digest}.")


def _is_pinned(folder: Path, slug: str, version: int, digest: str) -> bool:
    """Tell whether these bytes are listed as published.

    :raises Refused: if others are, or the list cannot be read.
    """
    pinned = service.locked(folder).get((slug, version))
    if pinned is not None and pinned != digest:
        path = service.file_of(folder, slug, version)
        raise Refused(f"{path}: {service.changed(slug, version, published=pinned, found=digest)}")
    return pinned is not None


def _person(email: str) -> Actor:
    """Return the person of the lab with this address, acting.

    :raises Refused: if nobody was named, or there is no such person.
    """
    if not email:
        raise Refused("Say who confirms it: --as EMAIL, of a lead approver or a program admin.")
    return acting.person(ledger(), email, command="questionnaires publish")


def _signed(actor: Actor, source: bytes, path: Path, folder: Path) -> bool:
    """Sign the bytes as a draft's text; tell whether that published them, and list them if it did."""
    named = files.read(path, folder)
    with ledger().begin(actor) as tx:
        if all(line.digest != named.digest for line in service.list_versions(tx)):
            draft = service.create_draft(tx, source=source, origin="file", name=named.source)
            if service.sign_draft(tx, draft=draft, digest_seen=named.digest, row_version=draft.row_version) is None:
                return False
        # Inside the transaction: if the list cannot be written, nothing is published either.
        lock = {**service.locked(folder), (named.slug, named.version): named.digest}
        files.replace(folder / service.LOCK_FILE, format_lock(lock).encode())
    return True


@questionnaires_group.command("list")
@with_appcontext
def list_command() -> None:
    """Print every published version with its hash and day."""
    with ledger().begin(system("questionnaires list")) as tx:
        lines = service.list_versions(tx)
    for line in lines:
        click.echo(f"{line.name}  {line.digest}  {line.published_at:%Y-%m-%d}  {line.title}")
    if not lines:
        click.echo(
            "No version is published yet. Run “flask init”, or “flask questionnaires publish SLUG VERSION --as EMAIL”."
        )


def _counted(path: Path, folder: Path) -> str:
    """Return a few words on what is in a file."""
    try:
        version = files.read(path, folder)
    except DefinitionError:
        return "does not compile"
    counts = (("section", version.sections), ("question", version.questions), ("scoping fact", version.scoping))
    return ", ".join(f"{len(each)} {what}{'' if len(each) == 1 else 's'}" for what, each in counts)


def _warnings(path: Path, folder: Path) -> list[Problem]:
    """Return what an author may want to mend in a file and need not; nothing if it does not compile."""
    try:
        return warnings_of(files.read(path, folder))
    except DefinitionError:
        return []


def check_lock(folder: Path) -> Iterator[str]:
    """Yield every listed version whose file is missing or was changed."""
    try:
        listed = service.locked(folder)
    except Refused as refusal:
        yield from refusal.message.splitlines()
        return
    for (slug, version), digest in sorted(listed.items()):
        try:
            service.locked_source(folder, slug, version, digest)
        except Refused as refusal:
            yield refusal.message


for command in (*changes_cli.commands, *importing_cli.commands):
    questionnaires_group.add_command(command)

commands = (questionnaires_group,)
