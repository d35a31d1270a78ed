"""What the doctor found, and how it is written down. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: fine, to be looked at, or to be repaired before anybody relies on this installation."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: which part, what was seen, and what to do about it."""

    level: Level
    part: str
    said: str
    do: str = ""


def ok(part: str, said: str) -> Finding:
    """Return that this is fine."""
    return Finding(Level.OK, part, said)


def warn(part: str, said: str, do: str) -> Finding:
    """Return that somebody should look at this."""
    return Finding(Level.WARN, part, said, do)


def fail(part: str, said: str, do: str) -> Finding:
    """Return that this must be repaired."""
    return Finding(Level.FAIL, part, said, do)


def counted(number: int, thing: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def worst(findings: Sequence[Finding]) -> Level:
    """Return the worst level among the findings; nothing found is fine."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.FAIL, Level.WARN) if level in levels), Level.OK)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings for people: one line each, what to do below it, and a last line that counts."""
    width = max((len(finding.part) for finding in findings), default=0)
    for finding in findings:
        yield f"{finding.level.upper():<4}  {finding.part:<{width}}  {finding.said}"
        if finding.do:
            yield f"{'':<{8 + width}}-> {finding.do}"
    counted = {level: sum(finding.level is level for finding in findings) for level in Level}
    yield f"{counted[Level.OK]} fine, {counted[Level.WARN]} to look at, {counted[Level.FAIL]} to repair."


def as_json(findings: Sequence[Finding]) -> str:
    """Return the findings for machines."""
    return json.dumps(
        {"level": worst(findings), "findings": [asdict(finding) for finding in findings]}, indent=1, ensure_ascii=False
    )
