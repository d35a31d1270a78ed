"""What is signed: one value with one fingerprint, and what changed from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from portal.attestations.rules.standing import UNSEEN
from portal.kernel.canonical import digest
from portal.questionnaires.rules import Answer, QuestionState, from_json

FORMAT: Final = "gatehouse attestation 1"
"""Names the shape of ``snapshot_value``, so that a fingerprint says how it is recomputed."""


@dataclass(frozen=True)
class SignedAnswer:
    """One question as signed. A question that was not put to the vendor has no content, whatever it once said."""

    state: QuestionState
    content: Mapping[str, Any]
    prepared_by: UUID | None

    @cached_property
    def answer(self) -> Answer:
        """The answer as a value."""
        return from_json(self.content)

    @property
    def is_asked(self) -> bool:
        """Whether the question was put to the vendor."""
        return self.state not in UNSEEN


@dataclass(frozen=True, slots=True)
class SignedCitation:
    """One use of a file as signed: the very bytes, the pages, and the passage if one was quoted."""

    citation_id: UUID
    question_key: str
    evidence_id: UUID
    sha256: str
    version_id: str
    pages: str
    quote: str = ""

    @property
    def value(self) -> dict[str, Any]:
        """What is fingerprinted of it. Without a quote it is what it was before there were quotes."""
        said = {
            "citation_id": self.citation_id,
            "question_key": self.question_key,
            "evidence_id": self.evidence_id,
            "sha256": self.sha256,
            "version_id": self.version_id,
            "pages": self.pages,
        }
        return said | ({"quote": self.quote} if self.quote else {})


@dataclass(frozen=True)
class Snapshot:
    """Everything that one revision says: answers, scoping and files, under the statement that is signed."""

    assessment_id: UUID
    vendor_id: UUID
    revision: int
    questionnaire_digest: str
    tier: int
    statement: str
    answers: Mapping[str, SignedAnswer]
    scoping: Mapping[str, Mapping[str, Any]]
    citations: tuple[SignedCitation, ...]

    @cached_property
    def digest(self) -> str:
        """The fingerprint: SHA-256 of the canonical value."""
        return digest(snapshot_value(self))

    @property
    def asked(self) -> int:
        """How many answers it freezes."""
        return sum(each.is_asked for each in self.answers.values())

    @property
    def files(self) -> int:
        """How many files it freezes; one used twice is one."""
        return len({each.evidence_id for each in self.citations})

    def citations_of(self, question_key: str) -> tuple[SignedCitation, ...]:
        """Return the files of one answer."""
        return tuple(each for each in self.citations if each.question_key == question_key)


def snapshot_value(snapshot: Snapshot) -> dict[str, Any]:
    """Return the snapshot as the value that is fingerprinted. The order in which rows came makes no difference."""
    return {
        "format": FORMAT,
        "assessment_id": snapshot.assessment_id,
        "vendor_id": snapshot.vendor_id,
        "revision": snapshot.revision,
        "questionnaire_digest": snapshot.questionnaire_digest,
        "tier": snapshot.tier,
        "statement": snapshot.statement,
        "answers": {
            key: {"state": each.state, "content": dict(each.content), "prepared_by": each.prepared_by}
            for key, each in snapshot.answers.items()
        },
        "scoping": {key: dict(value) for key, value in snapshot.scoping.items()},
        "citations": [
            each.value for each in sorted(snapshot.citations, key=lambda each: (each.question_key, each.citation_id))
        ],
    }


class Part(StrEnum):
    """Where a change is."""

    SCOPING = "scoping"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Change:
    """One key that says something else than before. ``old`` or ``new`` is None where it was not asked.

    For a scoping fact they are its stated values, for an answer the contents in the shape of
    ``questionnaires.rules.to_json``.
    """

    part: Part
    key: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    old_files: tuple[SignedCitation, ...] = ()
    new_files: tuple[SignedCitation, ...] = ()


def changes_since(previous: Snapshot | None, current: Snapshot) -> tuple[Change, ...]:
    """Return what changed from one snapshot to the next, in the order of the current one; without a previous, all.

    A file counts by its bytes, its pages and what is quoted of it: citing the same anew is no change.
    """
    scoping = [
        Change(Part.SCOPING, key, old, new)
        for key in _keys(current.scoping, previous.scoping if previous else {})
        if (old := previous.scoping.get(key) if previous else None) != (new := current.scoping.get(key))
    ]
    answers = []
    for key in _keys(current.answers, previous.answers if previous else {}):
        old, new = _content(previous, key), _content(current, key)
        old_files = previous.citations_of(key) if previous else ()
        new_files = current.citations_of(key)
        if old != new or _bytes(old_files) != _bytes(new_files):
            answers.append(Change(Part.ANSWER, key, old, new, old_files, new_files))
    return (*scoping, *answers)


def _keys(current: Mapping[str, Any], previous: Mapping[str, Any]) -> list[str]:
    return [*current, *(key for key in previous if key not in current)]


def _content(snapshot: Snapshot | None, key: str) -> Mapping[str, Any] | None:
    signed = snapshot.answers.get(key) if snapshot else None
    return signed.content if signed is not None and signed.is_asked else None


def _bytes(files: tuple[SignedCitation, ...]) -> set[tuple[str, str, str]]:
    return {(each.sha256, each.pages, each.quote) for each in files}
