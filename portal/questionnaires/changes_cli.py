"""The commands about changes: read what differs between two versions, decide it, see what a framework's ids map to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from portal.kernel.errors import Refused
from portal.questionnaires import files, service
from portal.questionnaires.rules import Claim, Decision, DefinitionError, Questionnaire, meaning
from portal.questionnaires.rules.coverage import coverage
from portal.questionnaires.rules.diff import diff
from portal.questionnaires.rules.review import brackets, colours, is_about, review

SHIPPED = Path(__file__).resolve().parents[2] / "questionnaires"
folder_option = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SHIPPED,
    show_default="questionnaires/ beside the code",
    help="Where the questionnaire files lie.",
)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn what a file or a rule refuses into words and exit code 1."""
    try:
        yield
    except DefinitionError as failure:
        raise click.ClickException(str(failure)) from failure
    except Refused as refusal:
        raise click.ClickException(refusal.message) from refusal


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--propose", is_flag=True, help="Print the block of decisions to put at the end of B's file instead.")
@folder_option
def diff_command(a: str, b: str, propose: bool, folder: Path) -> None:
    """Print what changes from A to B, such as ai-contractor:1 ai-contractor:2, or two paths, like a text review.

    Each change stands with the author's decision on whether earlier answers still mean the same. Exit 1 if one is
    undecided and B says that its decisions are about the changes since A.
    """
    with refusals():
        old, new = (files.read(files.named(name, folder), folder) for name in (a, b))
    if propose:
        if old.slug != new.slug:
            raise click.ClickException("Only the versions of one questionnaire have decisions about each other.")
        click.echo("\n".join(meaning.block_of(meaning.proposed(old, new))))
        return
    for line in review(old, new, colours if _in_colour() else brackets):
        click.echo(line)
    if is_about(old, new) and meaning.undecided(old, new):
        sys.exit(1)


@click.command("decide")
@click.argument("file")
@click.argument("key")
@click.argument("part")
@click.argument("claim", type=click.Choice([claim.value for claim in Claim]))
@click.option("--note", default="", help="Why; asked for where the claim is not evident. Vendors may read it.")
@folder_option
def decide_command(file: str, key: str, part: str, claim: str, note: str, folder: Path) -> None:
    """Write the author's decision on one change into FILE (a path, or a name such as ai-contractor:2).

    PART is what changed, as diff names it: text, steps, option_relabelled:soc2. The revision of the question
    follows: one more for another claim, the earlier one for the same. A published file is never edited.
    """
    with refusals():
        path = files.named(file, folder)
        new = files.read(path, folder)
        if files.is_published(new, folder):
            raise Refused(f"{new.slug} v{new.version} is published. Put your change into v{new.version + 1}.")
        earlier = files.before(new, folder)
        if not earlier:
            raise Refused(f"There is no version before {new.slug} v{new.version}, so nothing changed.")
        decision = _decision(earlier[-1], new, key, part, Claim(claim), " ".join(note.split()))
        files.replace(path, meaning.with_decision(path.read_bytes(), earlier[-1], new, decision))
        left = len(meaning.undecided(earlier[-1], files.read(path, folder)))
    click.echo(f"{key}, {part}: {claim}. {left or 'None'} left to settle.")


@click.command("coverage")
@click.argument("framework")
@click.argument("versions", nargs=-1)
@folder_option
def coverage_command(framework: str, versions: tuple[str, ...], folder: Path) -> None:
    """Print which identifiers of FRAMEWORK (csf, or one version: csf-2.0) are mapped by which questions.

    Of the newest version of every questionnaire, or of the VERSIONS named, such as ai-contractor:1.
    """
    with refusals():
        chosen = [files.read(files.named(name, folder), folder) for name in versions]
        known = service.framework_ids(folder / "frameworks")
    chosen = chosen or list(files.newest(folder).values())
    tables = [each for each in coverage(chosen, known) if framework in (each.framework.key, each.framework.id_list)]
    if not tables:
        names = sorted({each.key for version in chosen for each in version.frameworks.values()})
        raise click.ClickException(f"No questionnaire maps to “{framework}”. Known are {', '.join(names)}.")
    for table in tables:
        known_words = f" of {len(table.known)} known" if table.known else ""
        click.echo(f"{table.framework.name} {table.framework.version}: {len(table.mapped)}{known_words} are mapped.")
        for control, questions in table.mapped.items():
            click.echo(f"  {control}  {', '.join(questions)}")
        if table.known:
            click.echo(f"Not mapped: {', '.join(table.unmapped) or 'none'}")


def _decision(old: Questionnaire, new: Questionnaire, key: str, part: str, claim: Claim, note: str) -> Decision:
    """Return the decision.

    :raises Refused: if nothing of the kind changed, or the claim or the note cannot stand.
    """
    mine = {change.part: change for change in diff(old, new) if change.key == key}
    if part not in mine:
        what = f"“{part}” of “{key}”" if mine else f"“{key}”"
        changed = f" Changed are: {', '.join(mine)}." if mine else ""
        raise Refused(f"{what} did not change since v{old.version}.{changed}")
    decision = Decision(key, part, claim, mine[part].of, note)
    if found := meaning.refusals(mine[part], decision):
        raise Refused(" ".join(f"{text}." for texts in found.values() for text in texts))
    return decision


def _in_colour() -> bool:
    """Colours are for a person at a terminal who did not refuse them."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


commands = (diff_command, decide_command, coverage_command)
