"""What was read in a file, as its form shows it: suggestions beside the fields, and how far the reading came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.evidence import rules
from portal.evidence.reading import Reading
from portal.evidence.rules.prefill import Confidence, Proposal, by_field, said, suggested
from portal.sites.shared.evidence_form import Values
from portal.sites.shared.language import ngettext, told
from portal.terms import N_, ReadingState

WAITING = N_("We are reading this file to suggest its details. Reload the page in a moment, or fill them in below")
FILL_IN = N_("Fill the details in below")


@dataclass(frozen=True, slots=True)
class Note:
    """What is said under a field: the page and its words. ``filled``: the value stands in the field."""

    page: int
    quote: str
    says: str
    filled: bool
    unsure: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The proposals of one file for the form of one kind."""

    kind: str
    words: tuple[str, str] | None = None
    suggested: Mapping[str, Any] = field(default_factory=dict)
    proposals: Mapping[str, tuple[Proposal, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: str, read: Reading | None) -> Found:
        """Return what a reading brings to the form of a kind; ``words`` are its tone and its sentence."""
        if read is None:
            return cls(kind)
        if read.state is ReadingState.WAITING:
            return cls(kind, ("info", told(WAITING)))
        if read.state is ReadingState.NO_TEXT:
            return cls(kind, ("warn", told(read.reason)))
        if read.state is ReadingState.FAILED:
            return cls(kind, ("warn", f"{told(read.reason)}. {told(FILL_IN)}"))
        filled = suggested(kind, read.proposals)
        if not filled:
            return cls(kind, None, {}, by_field(kind, read.proposals))
        words = ngettext(
            "We read one detail in the text of this file and filled it in below. Nothing of it counts until you save: "
            "check it against its page",
            "We read %(num)s details in the text of this file and filled them in below. Nothing of it counts until you "
            "save: check each against its page",
            len(filled),
        )
        return cls(kind, ("info", words), filled, by_field(kind, read.proposals))

    def notes(self, values: Values) -> dict[str, tuple[Note, ...]]:
        """Return what is said under each field, given what stands in the fields."""
        shown = rules.form_values(self.kind, self.suggested)
        notes = {}
        for name, own in self.proposals.items():
            asked = rules.KINDS[self.kind].field(name)
            ids = [each for each in shown if each == asked.id or each.startswith(f"{asked.id}-")]
            filled = bool(ids) and all(values.get(each) == shown[each] for each in ids)
            notes[name] = tuple(
                Note(
                    each.page,
                    each.quote,
                    said(self.kind, each),
                    filled=filled,
                    unsure=each.confidence is Confidence.LOW,
                )
                for each in own
            )
        return notes
