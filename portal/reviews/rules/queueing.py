"""Where a review stands in the queue, and why one should look at it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from portal.reviews.rules.timing import Stage
from portal.scoring.rules import Code
from portal.terms import AssessmentState


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that stands out. ``tone``: stop, watch or asked, the hue of the design."""

    kind: str
    words: str
    tone: str


def stage_of(state: AssessmentState, *, claimed: bool, proposed: bool) -> Stage:
    """Return where a review stands."""
    if state is AssessmentState.CHANGES_REQUESTED:
        return Stage.WITH_VENDOR
    if state is AssessmentState.RECOMMENDED:
        return Stage.TO_COSIGN if proposed else Stage.TO_DECIDE
    return Stage.REVIEWING if claimed else Stage.NEW


def signals_of(*, failed: int, still_open: int, reasons: Iterable[Mapping[str, Any]], high: int) -> tuple[Signal, ...]:
    """Return what stands out of a score and its findings, the gravest first."""
    found: list[Signal] = []
    if failed:
        found.append(Signal("knock_out_failed", _count(failed, "knock-out failed", "knock-outs failed"), "stop"))
    if high:
        found.append(Signal("finding_high", _count(high, "high finding", "high findings"), "stop"))
    if still_open:
        found.append(Signal("knock_out_open", _count(still_open, "knock-out open", "knock-outs open"), "asked"))
    for reason in reasons:
        kinds = " or ".join(reason["keys"])
        if reason["code"] == Code.EVIDENCE_MISSING:
            found.append(Signal("evidence_missing", f"No {kinds}", "watch"))
        elif reason["code"] == Code.EVIDENCE_EXPIRED:
            found.append(Signal("evidence_expired", f"{kinds} ended", "watch"))
    return tuple(found)


def _count(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"
