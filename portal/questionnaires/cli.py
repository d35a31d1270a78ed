"""The commands of the questionnaires: check the files, publish a version, list what is published."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.kernel.actor import system
from portal.kernel.errors import Refused
from portal.questionnaires import service
from portal.questionnaires.rules import DefinitionError, Problem, compile_yaml, format_lock, lint, warnings_of

if TYPE_CHECKING:
    from portal.kernel.ledger import Ledger

SHIPPED = Path(__file__).resolve().parents[2] / "questionnaires"
_FOLDER = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SHIPPED,
    show_default="questionnaires/ beside the code",
    help="Where the questionnaire files lie.",
)


def ledger() -> Ledger:
    """Return where transactions begin, of the application that the command runs in."""
    return cast("Ledger", current_app.extensions["gatehouse"].ledger)


@click.group("questionnaires")
def questionnaires_group() -> None:
    """The questionnaire files: check them, publish a version, list what is published."""


@questionnaires_group.command("check")
@_FOLDER
def check_command(folder: Path) -> None:
    """Compile and lint every file; print each problem with file, line and column; exit 1 if there is one.

    Warnings, such as a text that reads hard, are printed as well and fail nothing.
    """
    problems: list[str] = []
    for path in _files(folder):
        found, words = check_file(path, folder)
        problems.extend(found)
        click.echo(f"{_shown(path, folder)}: {words}")
        for warning in file_warnings(path, folder):
            click.echo(f"warning: {warning}", err=True)
    problems.extend(check_lock(folder))
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        click.echo(f"{len(problems)} problem{'' if len(problems) == 1 else 's'} to mend.", err=True)
        sys.exit(1)


@questionnaires_group.command("publish")
@click.argument("slug")
@click.argument("version", type=click.IntRange(1, 9_999))
@_FOLDER
@with_appcontext
def publish_command(slug: str, version: int, folder: Path) -> None:
    """Pin a version's hash in published.lock and store the version; from then on the file never changes."""
    path = service.file_of(folder, slug, version)
    if not path.is_file():
        raise click.ClickException(f"{path} is missing. Write the version there first.")
    source = path.read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    try:
        lock = service.locked(folder)
        pinned = lock.get((slug, version))
        if pinned is not None and pinned != digest:
            raise Refused(f"{path}: {service.changed(slug, version, published=pinned, found=digest)}")
        if problems := check_file(path, folder)[0]:
            raise Refused("\n".join(problems))
        with ledger().begin(system("questionnaires publish")) as tx:
            service.publish(tx, source=source, name=str(path), known=folder / "frameworks")
            # Inside the transaction: if the list cannot be written, nothing is published either.
            if pinned is None:
                _write(folder / service.LOCK_FILE, format_lock({**lock, (slug, version): digest}))
    except Refused as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"Published {slug} v{version}, SHA-256 {digest}.")


@questionnaires_group.command("list")
@with_appcontext
def list_command() -> None:
    """Print every published version with its hash and day."""
    with ledger().begin(system("questionnaires list")) as tx:
        lines = service.list_versions(tx)
    for line in lines:
        click.echo(f"{line.name}  {line.digest}  {line.published_at:%Y-%m-%d}  {line.title}")
    if not lines:
        click.echo("No version is published yet. Run “flask init”, or “flask questionnaires publish SLUG VERSION”.")


def check_file(path: Path, folder: Path) -> tuple[list[str], str]:
    """Return the problems of one file, and a few words on what is in it."""
    shown = _shown(path, folder)
    try:
        questionnaire = compile_yaml(path.read_bytes(), shown)
    except DefinitionError as failure:
        return [str(problem) for problem in failure.problems], "does not compile"
    problems = [str(problem) for problem in lint(questionnaire, service.framework_ids(folder / "frameworks"))]
    if service.file_of(folder, questionnaire.slug, questionnaire.version) != path:
        problems.append(
            f"{shown}:1:1: The file says {questionnaire.slug} v{questionnaire.version}; "
            f"its place is {questionnaire.slug}/v{questionnaire.version}.yaml"
        )
    counts = f"{len(questionnaire.sections)} sections, {len(questionnaire.questions)} questions"
    return problems, f"{counts}, {len(questionnaire.scoping)} scoping facts"


def file_warnings(path: Path, folder: Path) -> list[Problem]:
    """Return what an author may want to mend in a file and need not; nothing if it does not compile."""
    try:
        return warnings_of(compile_yaml(path.read_bytes(), _shown(path, folder)))
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


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/v*.yaml"))


def _shown(path: Path, folder: Path) -> str:
    return f"{folder.name}/{path.relative_to(folder)}"


def _write(path: Path, text: str) -> None:
    """Replace a file in one step, so that nobody ever reads half a list."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


commands = (questionnaires_group,)
