"""The questionnaire files of a folder: found by name, compiled, held against the versions before them."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from portal.kernel.errors import Refused
from portal.questionnaires import service
from portal.questionnaires.rules import DefinitionError, Problem, Questionnaire, compile_yaml, lint, meaning

_NAME: Final = re.compile(r"([a-z0-9-]{1,80}):v?([1-9][0-9]{0,3})", re.ASCII)


def named(name: str, folder: Path) -> Path:
    """Return the file of `ai-contractor:2`, or of a path.

    :raises Refused: if there is none.
    """
    shape = _NAME.fullmatch(name)
    path = service.file_of(folder, shape.group(1), int(shape.group(2))) if shape else Path(name)
    if not path.is_file():
        raise Refused(f"{path} is missing. Name a version, such as ai-contractor:2, or the path of a file.")
    return path


def read(path: Path, folder: Path) -> Questionnaire:
    """Return the questionnaire in a file.

    :raises DefinitionError: if it does not compile.
    """
    return _compiled(path.read_bytes(), shown(path, folder))


def all_files(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names."""
    return sorted(folder.glob("*/v*.yaml"))


def all_versions(folder: Path) -> Iterator[tuple[Path, Questionnaire]]:
    """Yield every version of a folder that compiles."""
    for path in all_files(folder):
        try:
            yield path, read(path, folder)
        except DefinitionError:
            continue


def newest(folder: Path) -> dict[str, Questionnaire]:
    """Return the newest version of each questionnaire of a folder."""
    versions = sorted((each for _, each in all_versions(folder)), key=lambda each: (each.slug, each.version))
    return {each.slug: each for each in versions}


def before(version: Questionnaire, folder: Path) -> list[Questionnaire]:
    """Return the earlier versions of the same questionnaire, the one before it last."""
    earlier = (each for _, each in all_versions(folder) if each.slug == version.slug and each.version < version.version)
    return sorted(earlier, key=lambda each: each.version)


def is_published(version: Questionnaire, folder: Path) -> bool:
    """Tell whether a version is listed as published.

    :raises Refused: if the list cannot be read.
    """
    return (version.slug, version.version) in service.locked(folder)


def problems_of(path: Path, folder: Path) -> list[Problem]:
    """Return everything that speaks against publishing a file, alone and beside the other versions of the folder."""
    try:
        version = read(path, folder)
    except DefinitionError as failure:
        return list(failure.problems)
    found = lint(version, service.framework_ids(folder / "frameworks"))
    if service.file_of(folder, version.slug, version.version) != path:
        place = f"{version.slug}/v{version.version}.yaml"
        words = f"The file says {version.slug} v{version.version}; its place is {place}"
        found.append(Problem(version.source, 1, 1, words))
    return [*found, *across(version, folder)]


def across(version: Questionnaire, folder: Path) -> list[Problem]:
    """Return what a version owes to the one before it, and to what other published questionnaires ask."""
    earlier = before(version, folder)
    found: list[Problem] = []
    if earlier:
        found += meaning.problems(earlier[-1], version, earlier[:-1])
    elif version.version > 1:
        words = f"v{version.version - 1} is not in the folder, so nobody can tell what changed: bring its file"
        found.append(Problem(version.source, 1, 1, words))
    return [*found, *meaning.elsewhere(version, [*earlier, *_published(folder)])]


def replace(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that nobody ever reads half of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)


def shown(path: Path, folder: Path) -> str:
    """Return what problems call a file: from its folder on, or the path where it lies elsewhere."""
    return f"{folder.name}/{path.relative_to(folder)}" if path.is_relative_to(folder) else str(path)


def _published(folder: Path) -> Iterable[Questionnaire]:
    """Return the versions listed as published; a list that cannot be read is for the check of the list to report."""
    try:
        listed = service.locked(folder)
    except Refused:
        return []
    return [each for _, each in all_versions(folder) if (each.slug, each.version) in listed]


@lru_cache(maxsize=64)
def _compiled(source: bytes, name: str) -> Questionnaire:
    return compile_yaml(source, name)
