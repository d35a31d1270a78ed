"""What a score is computed from: the version's questions, a vendor's answers with their proofs, exposure,
policy, a day.

Nothing here knows the questionnaire engine: a translator makes these values from a pinned version and stored
rows. Collections are sorted when a value is made, so the order in which they were given can never matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import IntEnum, StrEnum

from portal.scoring.rules.policy import TIERS, Policy, one_of_tiers, whole


class State(StrEnum):
    """Where a question stands. NA and HIDDEN leave the denominator; BLANK, NA_CLAIMED and ZERO stay in it
    with credit 0.
    """

    OK = "ok"
    BLANK = "blank"
    NA_CLAIMED = "na_claimed"
    NA = "na"
    HIDDEN = "hidden"
    ZERO = "zero"


class Evidence(IntEnum):
    """How good the proof of an answer is, in the order of the policy's factor columns."""

    NONE = 0
    EXPIRED = 1
    ATTACHED = 2
    VERIFIED = 3


@dataclass(frozen=True, slots=True)
class Domain:
    """A section of the version and its weight."""

    key: str
    weight: int

    def __post_init__(self) -> None:
        whole("domain weight", self.weight, low=1)


@dataclass(frozen=True, slots=True)
class Question:
    """What the version says of one scored question.

    ``level`` is the evidence level as the catalogue states it (0 none expected, 1 accepted, 2 required). The
    policy lowers it in Tier 3; a version file that lowers its own levels hands in the unlowered ones, or they
    drop twice. ``knock_out_limit``: the highest credit that still fails (0, or 50 for "anything below full");
    None if it is none. In a tier outside ``tiers`` the question is not asked, and outside ``knock_out_tiers``
    it is an ordinary one.
    """

    key: str
    domain: str
    weight: int
    level: int = 0
    knock_out_limit: int | None = None
    knock_out_tiers: tuple[int, ...] = TIERS
    tiers: tuple[int, ...] = TIERS

    def __post_init__(self) -> None:
        whole("question weight", self.weight, low=1)
        whole("evidence level", self.level, high=2)
        if self.knock_out_limit is not None:
            whole("knock-out limit", self.knock_out_limit, high=99)
        object.__setattr__(self, "knock_out_tiers", _tiers(self.knock_out_tiers))
        object.__setattr__(self, "tiers", _tiers(self.tiers))

    def limit_in(self, tier: int) -> int | None:
        """Return the knock-out limit that holds in this tier, None if the question is no knock-out there."""
        return self.knock_out_limit if tier in self.knock_out_tiers else None


@dataclass(frozen=True, slots=True)
class Version:
    """The scored part of one pinned questionnaire version; ``digest`` is the hash it is pinned by."""

    digest: str
    domains: tuple[Domain, ...]
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "domains", tuple(sorted(self.domains, key=lambda domain: domain.key)))
        object.__setattr__(self, "questions", tuple(sorted(self.questions, key=lambda question: question.key)))
        _unique("domain", (domain.key for domain in self.domains))
        _unique("question", (question.key for question in self.questions))
        known = {domain.key for domain in self.domains}
        for question in self.questions:
            if question.domain not in known:
                raise ValueError(f"question {question.key} names the unknown domain {question.domain}")


@dataclass(frozen=True, slots=True)
class Proof:
    """One accepted link from an answer to a file; a rejected link is simply not handed in.

    It holds while the day is not after ``valid_until`` (None: it does not lapse), and counts as verified
    while it was verified and the day is not after ``verified_until``. A SOC 2 report under a bridge letter is
    a proof whose ``verified_until`` ends with the twelve months and whose ``valid_until`` ends with the
    bridge. There is no "valid from": a proof that starts to count by itself would let time raise a score.
    """

    key: str
    verified: bool = False
    valid_until: date | None = None
    verified_until: date | None = None

    def on(self, day: date) -> Evidence:
        """Return what the proof is worth on that day."""
        if self.valid_until is not None and day > self.valid_until:
            return Evidence.EXPIRED
        if self.verified and (self.verified_until is None or day <= self.verified_until):
            return Evidence.VERIFIED
        return Evidence.ATTACHED


@dataclass(frozen=True, slots=True)
class Finding:
    """A reviewer's judgement; its credit replaces the answer's."""

    credit: int
    author: str
    reason: str
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        whole("finding credit", self.credit, high=100)
        if not self.author.strip() or not self.reason.strip():
            raise ValueError("a finding needs an author and a reason")
        object.__setattr__(self, "evidence", tuple(sorted(set(self.evidence))))


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """A reviewer's acceptance that a question does not apply, as long as ``until`` (None: no end).

    A knock-out needs a signed risk acceptance as well, named here by its id or digest.
    """

    author: str
    reason: str
    risk_acceptance: str | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if not self.author.strip() or not self.reason.strip():
            raise ValueError("accepting that a question does not apply needs an author and a reason")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the vendor said to one question, what proves it and what reviewers made of it.

    ``credit`` is the pinned version's worth of the answer and means something in state OK only. ``claim`` is
    the answer itself as short text (option key, number); it lets a comparison tell a changed answer from a
    changed rule. ``contradicted`` (by a re-attestation or a reviewer) makes the credit 0 whatever else is
    said.
    """

    key: str
    state: State = State.OK
    credit: int = 0
    proofs: tuple[Proof, ...] = ()
    claim: str = ""
    finding: Finding | None = None
    contradicted: bool = False
    not_applicable: NotApplicable | None = None

    def __post_init__(self) -> None:
        if type(self.credit) is not int or not 0 <= self.credit <= 100:
            whole("credit", self.credit, high=100)
        if len(self.proofs) > 1:
            _unique("proof", (proof.key for proof in self.proofs))
            object.__setattr__(self, "proofs", tuple(sorted(self.proofs, key=lambda proof: proof.key)))


@dataclass(frozen=True, slots=True)
class Held:
    """A piece of evidence of a kind that the vendor holds (attached or verified, not rejected), and until
    when it is valid.
    """

    key: str
    kind: str
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the vendor can touch and how: the inputs of inherent risk. Data classes 0–5, access modes 1–5."""

    data_classes: tuple[int, ...]
    access_modes: tuple[int, ...]
    open_crowd: bool = False
    own_devices: bool = False
    subcontracted: bool = False
    people: int = 0

    def __post_init__(self) -> None:
        for data_class in self.data_classes:
            whole("data class", data_class, high=5)
        for mode in self.access_modes:
            whole("access mode", mode, low=1, high=5)
        whole("number of people", self.people)
        object.__setattr__(self, "data_classes", tuple(sorted(set(self.data_classes))))
        object.__setattr__(self, "access_modes", tuple(sorted(set(self.access_modes))))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a score is a function of.

    ``facts`` are the scoping flags that are true (such as ``pii``), ``raised_tier`` the tier a person asked
    for, ``hashes`` names of stored things and their digests, kept for the record and never computed with. A
    question of the version without an answer is blank. Raises ValueError for an answer to an unknown
    question.
    """

    version: Version
    policy: Policy
    answers: tuple[Answer, ...]
    exposure: Exposure
    as_of: date
    held: tuple[Held, ...] = ()
    facts: tuple[str, ...] = ()
    raised_tier: int | None = None
    hashes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "answers", tuple(sorted(self.answers, key=lambda answer: answer.key)))
        object.__setattr__(self, "held", tuple(sorted(self.held, key=lambda held: held.key)))
        object.__setattr__(self, "facts", tuple(sorted(set(self.facts))))
        object.__setattr__(self, "hashes", tuple(sorted(self.hashes)))
        _unique("answer", (answer.key for answer in self.answers))
        _unique("evidence", (held.key for held in self.held))
        _unique("hash", (name for name, _ in self.hashes))
        if unknown := {a.key for a in self.answers} - {q.key for q in self.version.questions}:
            raise ValueError(f"answers to questions that the version does not ask: {', '.join(sorted(unknown))}")
        if self.raised_tier is not None:
            one_of_tiers(self.raised_tier)


def _tiers(tiers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({one_of_tiers(tier) for tier in tiers}))


def _unique(thing: str, keys: Iterable[str]) -> None:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise ValueError(f"the {thing} {key} is there twice")
        seen.add(key)
