"""The list of published versions: what is in it never changes again."""

import re
from collections.abc import Mapping
from typing import Final

from portal.questionnaires.rules.problems import DefinitionError, Problem

_LINE: Final = re.compile(r"([a-z0-9-]{1,80}) v([1-9][0-9]{0,3}) ([0-9a-f]{64})", re.ASCII)
_HEAD: Final = (
    "# Published questionnaire versions and the SHA-256 of their files. A listed file never changes;\n"
    "# a correction is a new version.\n"
)

Lock = Mapping[tuple[str, int], str]


def parse_lock(text: str, name: str = "published.lock") -> dict[tuple[str, int], str]:
    """Return the SHA-256 of each published version by slug and version.

    :raises DefinitionError: if a line is not `slug vN sha256`, or a version is listed twice.
    """
    found: dict[tuple[str, int], str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        shape = _LINE.fullmatch(line.strip())
        if shape is None:
            problems.append(Problem(name, number, 1, "A line reads “slug v1 sha256”"))
            continue
        version = (shape.group(1), int(shape.group(2)))
        if version in found:
            problems.append(Problem(name, number, 1, f"{version[0]} v{version[1]} is listed twice"))
        found[version] = shape.group(3)
    if problems:
        raise DefinitionError(problems)
    return found


def format_lock(lock: Lock) -> str:
    """Write the list in its one order."""
    return _HEAD + "".join(f"{slug} v{version} {digest}\n" for (slug, version), digest in sorted(lock.items()))


def parse_ids(text: str) -> frozenset[str]:
    """Return the identifiers of a framework's list: one a line, `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return frozenset(line for line in lines if line)
