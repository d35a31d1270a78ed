"""Where in a file its details were read, and who confirmed each, for the reviewer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.evidence import reading, rules, service
from portal.evidence.queries import LibraryLine
from portal.evidence.rules.prefill import proposal_of, said
from portal.kernel.ledger import Tx
from portal.policy import Action


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One detail with its place in the file."""

    label: str
    value: str
    page: int
    quote: str
    confirmed_by: str
    confirmed_at: datetime | None


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_sources.html`` shows."""
    kind = rules.KINDS[line.kind]
    sources = service.get(tx, line.id, Action.EVIDENCE_READ).sources
    lines = []
    for field in kind.fields:
        source = sources.get(field.name)
        if source is not None:
            found = proposal_of(source)
            at = source.get("confirmed_at")
            lines.append(
                SourceLine(
                    field.label,
                    said(line.kind, found),
                    found.page,
                    found.quote,
                    str(source.get("confirmed_by_name") or "Somebody"),
                    datetime.fromisoformat(at) if at else None,
                )
            )
    return {"sources": lines, "reading": reading.reading_of(tx, line.id)}
