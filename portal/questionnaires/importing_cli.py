"""The commands that take questionnaires in and out: import, assemble a base with overlays, export."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.kernel.errors import GatehouseError, Refused
from portal.kernel.folder import read_folder
from portal.questionnaires import acting, files, service
from portal.questionnaires.changes_cli import folder_option, refusals
from portal.questionnaires.importing import Format, Given, Wanted, take_in
from portal.questionnaires.rules.importers import Imported
from portal.questionnaires.rules.vsaq import export_vsaq

if TYPE_CHECKING:
    from portal.kernel.ledger import Ledger

_FORMATS = [each.value for each in Format if each is not Format.OVERLAY]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OUT = click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the YAML file.")
_AS = click.option("--as", "email", default="", help="Begin a draft instead, by this person of the lab.")
_SLUG = click.option("--slug", required=True, help="The short name, such as cloud-basics.")
_VERSION = click.option("--version", type=click.IntRange(1, 9_999), default=1, show_default=True)
_TITLE = click.option("--title", default="", help="The title; else that of the source.")


@click.command("import")
@click.argument("form", metavar="FORMAT", type=click.Choice(_FORMATS))
@click.argument("file", type=click.Path(exists=True, path_type=Path), required=False)
@click.option("--base", type=_FILE, help="The VSAQ template that an extension extends.")
@click.option("--mapping", type=_FILE, help="For a folder: the file that says where each thing stands.")
@_SLUG
@_VERSION
@_TITLE
@_OUT
@_AS
@with_appcontext
def import_command(
    form: str,
    file: Path | None,
    base: Path | None,
    mapping: Path | None,
    slug: str,
    version: int,
    title: str,
    out: Path | None,
    email: str,
) -> None:
    """Make a questionnaire of ours from FILE, written to a file or begun as a draft. Nothing is published.

    FORMAT is vsaq (a template, or an extension with --base), oscal (a catalogue), mvsp (bundled; FILE only for
    another edition), table (CSV or XLSX), or folder (a folder or zip of YAML files, with --mapping). What could not be
    taken over is printed as notes.
    """
    with _refusals():
        if file is not None and file.is_dir() and form != Format.FOLDER:
            raise Refused(f"{file} is a folder. Name a file, or import it as “folder” with --mapping.")
        given = [_folder(file)] if file else []
        imported = take_in(
            Format(form),
            Wanted(slug, version, title),
            given,
            base=_given(base) if base else None,
            mapping=_given(mapping) if mapping else None,
        )
        _keep(imported, Format(form), slug, version, out, email)


@click.command("assemble")
@click.argument("base", type=_FILE)
@click.argument("overlays", type=_FILE, nargs=-1, required=True)
@_SLUG
@_VERSION
@click.option("--title", required=True, help="The title of the assembled questionnaire.")
@click.option(
    "--since",
    type=click.IntRange(1, 9_999),
    help="Keep the base's decisions on its changes, as measured against this version of SLUG.",
)
@_OUT
@_AS
@with_appcontext
def assemble_command(
    base: Path,
    overlays: tuple[Path, ...],
    slug: str,
    version: int,
    title: str,
    since: int | None,
    out: Path | None,
    email: str,
) -> None:
    """Put the questions of OVERLAYS into BASE, as a version of its own; the base and the overlays stay as they are.

    The order of the overlays means nothing. Two that collide are refused, with both places.
    """
    with _refusals():
        imported = take_in(
            Format.OVERLAY,
            Wanted(slug, version, title, since),
            [_given(path, str(path)) for path in overlays],
            base=_given(base, str(base)),
        )
        _keep(imported, Format.OVERLAY, slug, version, out, email)


@click.command("export")
@click.argument("form", metavar="FORMAT", type=click.Choice([Format.VSAQ.value]))
@click.argument("name")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write it; else it is printed.")
@folder_option
def export_command(form: str, name: str, out: Path | None, folder: Path) -> None:
    """Write the version NAME (such as ai-contractor:1, or a path) in another system's format: vsaq, a template.

    What that format cannot say is printed as notes.
    """
    with refusals():
        exported = {Format.VSAQ.value: export_vsaq}[form](files.read(files.named(name, folder), folder))
        if out is None:
            click.echo(exported.source.decode(), nl=False)
        else:
            _write(out, exported.source)
            click.echo(f"Written to {out}.")
    for note in exported.notes:
        click.echo(f"note: {note}", err=True)


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn what is refused into words and exit code 1."""
    try:
        yield
    except GatehouseError as refusal:
        raise click.ClickException(refusal.message) from refusal


def _given(path: Path, name: str = "") -> Given:
    return Given(name or path.name, path.read_bytes())


def _folder(path: Path) -> Given:
    """Return a folder as the archive that the importer takes."""
    if not path.is_dir():
        return _given(path)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in read_folder(path).items():
            archive.writestr(name, content)
    return Given(path.name, packed.getvalue())


def _keep(imported: Imported, form: Format, slug: str, version: int, out: Path | None, email: str) -> None:
    """Write the file, or begin the draft, and say what there is to look at."""
    if email and out:
        raise Refused("Say either --out FILE or --as EMAIL.")
    if email:
        ledger = cast("Ledger", current_app.extensions["gatehouse"].ledger)
        with ledger.begin(acting.person(ledger, email, command="questionnaires import")) as tx:
            draft = service.create_draft(
                tx, source=imported.source, origin=form.origin, name=f"{slug}/v{version}.yaml", notes=imported.notes
            )
            click.echo(f"Begun as a draft: {draft.slug} v{draft.version}. Read it, then two people publish it.")
    else:
        path = out or Path(f"{slug}-v{version}.yaml")
        _write(path, imported.source)
        click.echo(f"Written to {path}. Nothing is published.")
    for note in imported.notes:
        click.echo(f"note: {note}", err=True)


def _write(path: Path, content: bytes) -> None:
    """Write a new file.

    :raises Refused: if there is one already.
    """
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise Refused(f"{path} exists. Choose another place with --out, or take that file away.") from None


commands = (import_command, assemble_command, export_command)
