"""What a questionnaire version is, as immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from portal.questionnaires.rules.conditions import Condition
from portal.questionnaires.rules.nodes import holds

FULL_CREDIT: Final = 100
# scoring.md, "Knock-outs": the limit of "anything below full" is 50 even where a reviewer replaced the credit.
BELOW_FULL_LIMIT: Final = 50


class Kind(StrEnum):
    """How a question is answered."""

    YES_PARTIAL_NO = "ynp"
    YES_NO = "yn"
    YES_NO_STRICT = "yn!"
    ONE_CHOICE = "c1"
    NUMBER = "num"
    # The following are never scored.
    MANY_CHOICES = "multi"
    TABLE = "table"
    DATE = "date"
    RANGE = "range"
    TEXT = "text"
    URL = "url"
    FILE = "file"


SCORED_KINDS: Final = frozenset({Kind.YES_PARTIAL_NO, Kind.YES_NO, Kind.YES_NO_STRICT, Kind.ONE_CHOICE, Kind.NUMBER})
CHOICE_KINDS: Final = SCORED_KINDS - {Kind.NUMBER}
MAY_NOT_APPLY: Final = frozenset({Kind.YES_PARTIAL_NO, Kind.YES_NO, Kind.ONE_CHOICE, Kind.NUMBER})


class FieldKind(StrEnum):
    """How a detail field or a column of a table is filled in."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yesno"
    URL = "url"
    RANGE = "range"
    TABLE = "table"


class Length(StrEnum):
    """How much room a text has."""

    SHORT = "short"
    LONG = "long"


class Severity(StrEnum):
    """How loudly a weak answer is remarked on; none of them blocks."""

    INFO = "info"
    WATCH = "watch"
    STOP = "stop"


class FactKind(StrEnum):
    """How a scoping fact is stated."""

    CHOICES = "choices"
    NUMBER = "number"
    YES_NO = "yesno"
    TABLE = "table"


class Owner(StrEnum):
    """Who states a scoping fact."""

    LAB = "lab"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True)
class Option:
    """One of the answers on offer; the key is permanent, the label may be reworded."""

    key: str
    label: str
    credit: int | None = None
    sets: tuple[str, ...] = ()
    description: str = ""


YES: Final = Option("yes", "Yes", 100)
PARTIAL: Final = Option("partial", "Partly", 50)
NO: Final = Option("no", "No", 0)

YES_OR_NO: Final = (Option("yes", "Yes"), Option("no", "No"))
"""What a detail field or a column of kind yesno offers."""

_FIXED_OPTIONS: Final[Mapping[Kind, tuple[Option, ...]]] = MappingProxyType(
    {
        Kind.YES_PARTIAL_NO: (YES, PARTIAL, NO),
        Kind.YES_NO: (YES, NO),
        Kind.YES_NO_STRICT: (YES, NO),
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """What a number earns when it stands in the given relation to the bound; without a bound, always."""

    operator: str | None
    bound: Decimal | None
    credit: int
    label: str = ""

    def fits(self, number: Decimal) -> bool:
        """Tell whether the number falls into this step."""
        if self.operator is None or self.bound is None:
            return True
        return holds(number, self.operator, self.bound)

    @property
    def when(self) -> str:
        """The step as the file writes it, such as `<=24`."""
        return "else" if self.operator is None else f"{self.operator}{self.bound}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    key: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    options: tuple[Option, ...] = ()

    @property
    def choices(self) -> tuple[Option, ...]:
        """What can be chosen in it, also for yes/no, which the file does not spell out."""
        return YES_OR_NO if self.kind is FieldKind.YES_NO else self.options


@dataclass(frozen=True, slots=True)
class DetailField:
    """An unscored field under a question."""

    key: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    help: str = ""
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    min_rows: int = 0
    length: str = ""

    @property
    def choices(self) -> tuple[Option, ...]:
        """What can be chosen in it, also for yes/no, which the file does not spell out."""
        return YES_OR_NO if self.kind is FieldKind.YES_NO else self.options


@dataclass(frozen=True, slots=True)
class Warning_:
    """A remark that appears beside an answer as soon as it is weak; it never blocks."""

    when: Condition
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True)
class CrossRule:
    """What answers must say together: when the condition is broken, the message blocks at one question.

    It is broken when it holds, or, for a rule written with `unless`, when it does not.
    """

    key: str
    at: str
    condition: Condition
    unless: bool
    message: str


@dataclass(frozen=True, slots=True)
class KnockOut:
    """The answer that sinks a vendor in some tiers.

    `limit` is the highest credit that still fails; `fails` says it as the file does.
    """

    tiers: frozenset[int]
    limit: int
    fails: str


@dataclass(frozen=True, slots=True)
class EvidenceNeed:
    """How much proof is expected (0 none, 1 accepted, 2 required) and of which kinds."""

    level: int = 0
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A catalogue of controls that questions are mapped to, by identifiers only."""

    key: str
    name: str
    version: str

    @property
    def id_list(self) -> str:
        """The name of its list of identifiers, such as `csf-2.0`."""
        return f"{self.key}-{self.version}"


@dataclass(frozen=True, slots=True)
class ScopingFact:
    """A fact about the engagement that decides which questions apply."""

    key: str
    label: str
    text: str
    owner: Owner
    kind: FactKind
    help: str = ""
    vendor_confirms: bool = False
    drives: str = ""
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    unit: str = ""
    details: tuple[DetailField, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One question with everything a page, a score or a reviewer needs to know about it."""

    key: str
    revision: int
    section: str
    number: str
    label: str
    text: str
    kind: Kind
    weight: int
    tiers: frozenset[int]
    when: Condition | None = None
    requires: Condition | None = None
    knock_out: KnockOut | None = None
    evidence: EvidenceNeed = field(default_factory=EvidenceNeed)
    maps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    options: tuple[Option, ...] = ()
    options_from: str = ""
    unit: str = ""
    steps: tuple[Step, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    details: tuple[DetailField, ...] = ()
    guidance: str = ""
    why: str = ""
    strong: str = ""
    good_evidence: str = ""
    warnings: tuple[Warning_, ...] = ()
    compensating: str = ""
    length: str = ""
    min_rows: int = 0

    @property
    def choices(self) -> tuple[Option, ...]:
        """The answers on offer, also for the yes/no kinds that the file does not spell out."""
        return _FIXED_OPTIONS.get(self.kind, self.options)

    @property
    def may_not_apply(self) -> bool:
        """Whether a vendor may claim that it does not apply; what is not scored offers its own way out instead."""
        return self.is_scored and self.kind in MAY_NOT_APPLY

    @property
    def is_scored(self) -> bool:
        """Whether the answer can earn anything."""
        return self.weight > 0

    def option(self, key: str) -> Option | None:
        """Return the option with this key, if it is on offer."""
        return next((option for option in self.choices if option.key == key), None)

    def is_knock_out_in(self, tier: int) -> bool:
        """Tell whether failing this question sinks a vendor of the tier."""
        return self.knock_out is not None and tier in self.knock_out.tiers


@dataclass(frozen=True, slots=True)
class Section:
    """A domain: one page of questions and one line of the score."""

    key: str
    number: int
    title: str
    group: str
    summary: str
    intro: str
    weight: int
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """The counts that the author promises, so that a lost line is noticed."""

    sections: int
    questions: int
    scoping: int
    domain_weight: int
    question_weight: int


class Claim(StrEnum):
    """What the author says of a change: the same claim in other words, another claim, or a question given up."""

    SAME = "same"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Decision:
    """The author's word on one change of one question.

    `part` names what changed, `of` the very change (its fingerprint), so that a decision does not outlive an edit.
    """

    key: str
    part: str
    claim: Claim
    of: str
    note: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What the author decided about every change since an earlier version of the same questionnaire."""

    since: int
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file that an assembled version was made from: its slug and version, and the SHA-256 of its bytes."""

    slug: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """Which base and which overlays an assembled version was made from; the overlays by their slugs."""

    base: Source
    overlays: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One version of one questionnaire, compiled from a file and pinned by the file's SHA-256."""

    slug: str
    version: int
    title: str
    language: str
    frameworks: Mapping[str, Framework]
    evidence_offset: int
    expects: Expectation
    scoping: tuple[ScopingFact, ...]
    sections: tuple[Section, ...]
    digest: str
    source: str = field(compare=False)
    positions: Mapping[str, tuple[int, int]] = field(compare=False, repr=False)
    changes: Changes | None = None
    rules: tuple[CrossRule, ...] = ()
    assembled: Assembled | None = None
    questions: tuple[Question, ...] = field(init=False, compare=False, repr=False)
    _questions: Mapping[str, Question] = field(init=False, compare=False, repr=False)
    _sections: Mapping[str, Section] = field(init=False, compare=False, repr=False)
    _facts: Mapping[str, ScopingFact] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        questions = tuple(question for section in self.sections for question in section.questions)
        object.__setattr__(self, "questions", questions)
        object.__setattr__(self, "_questions", {question.key: question for question in questions})
        object.__setattr__(self, "_sections", {section.key: section for section in self.sections})
        object.__setattr__(self, "_facts", {fact.key: fact for fact in self.scoping})

    def question(self, key: str) -> Question:
        """Return the question with this key.

        :raises KeyError: if this version does not ask it.
        """
        return self._questions[key]

    def section(self, key: str) -> Section:
        """Return the section with this key.

        :raises KeyError: if this version does not have it.
        """
        return self._sections[key]

    def fact(self, key: str) -> ScopingFact:
        """Return the scoping fact with this key.

        :raises KeyError: if this version does not ask for it.
        """
        return self._facts[key]

    def __contains__(self, key: object) -> bool:
        """Tell whether this version asks the question with this key."""
        return key in self._questions

    def number_of(self, key: str) -> str:
        """Return the number people use for a question, such as 7.2; it does not depend on what is hidden.

        :raises KeyError: if this version does not ask it.
        """
        return self._questions[key].number

    def evidence_level(self, key: str, tier: int) -> int:
        """Return how much proof the question needs in a tier (scoring.md: one level less in tier 3, never below 0).

        :raises KeyError: if this version does not ask it.
        """
        lowered = min(self.evidence_offset, -1 if tier == 3 else 0)
        return max(0, self._questions[key].evidence.level + lowered)
