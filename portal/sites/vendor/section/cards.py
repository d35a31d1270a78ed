"""A question as a card of the page: its state, what stands in its form, its files and its conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from portal.attestations.queries import AnswerLine, CitationLine, MessageLine
from portal.attestations.rules import BlockerKind, Snapshot
from portal.kernel.actor import Actor
from portal.questionnaires.rules import Answer, Question, Warning_, earns_less, parse_answer, to_json, warned
from portal.sites.shared.language import _, told
from portal.sites.vendor import wording
from portal.sites.vendor.renewal.earlier import Earlier, Sources
from portal.sites.vendor.work import Work, slug
from portal.terms import N_

STAYS = N_("This question did not come back. It stays as it was signed.")


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody was faster: their answer, and the version that the next write starts from."""

    by: str
    at: datetime | None
    ago: str
    said: wording.Said
    version: int
    differs: Sequence[wording.Change] = ()
    together: Mapping[str, str] = field(default_factory=dict)
    """Texts of both, one after the other, for the fields in which they differ: to be edited into one."""
    mine: bool = False
    """Whether the faster one was the same person, in another window."""


@dataclass(frozen=True, slots=True)
class Card:
    """One question as the page shows it. ``form`` is what stands in its fields, typed or stored."""

    question: Question
    slug: str
    word: str
    changed: bool
    came_back: bool
    version: int
    form: wording.Fields
    said: wording.Said
    by: str
    at: datetime | None
    writable: bool
    why_not: str
    proof: int
    files: Sequence[CitationLine]
    thread: Sequence[MessageLine]
    problems: Mapping[str, str] = field(default_factory=dict)
    missing: Sequence[str] = ()
    clash: Clash | None = None
    refusal: str = ""
    offered: Mapping[str, str] = field(default_factory=dict)
    reply: str = ""
    reply_problem: str = ""
    file_problems: Mapping[str, str] = field(default_factory=dict)
    file_form: Mapping[str, str] = field(default_factory=dict)
    checking: frozenset[UUID] = frozenset()
    warnings: Sequence[Warning_] = ()
    weak: bool = False
    earlier: Earlier | None = None
    waiting: bool = False
    changing: bool = False

    @property
    def waits(self) -> bool:
        """Whether it shows an earlier answer that waits for a word, in place of a form."""
        return self.waiting and not self.changing

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        return next(iter(self.form.get(name, ())), "")

    def values(self, name: str) -> Sequence[str]:
        """Return everything that is chosen in a field."""
        return self.form.get(name, ())

    def problem(self, name: str) -> list[str]:
        """Return the sentences at a field."""
        return [self.problems[name]] if name in self.problems else []

    def rows(self, prefix: str, most: int) -> range:
        """Return the rows of a table to draw."""
        return wording.row_numbers(self.form, prefix, most)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Everything that is wrong, as links to the fields."""
        found = [(f"#{self.field_id(name)}", words) for name, words in self.problems.items()]
        found += [(f"#q-{self.slug}", words) for words in self.missing]
        if self.reply_problem:
            found.append((f"#{self.slug}-reply", self.reply_problem))
        found += [
            (f"#{self.slug}-{name}" if name in ("pages", "quote") else f"#ev-{self.slug}", words)
            for name, words in self.file_problems.items()
        ]
        return found

    @property
    def details_open(self) -> bool:
        """Whether the fields under the question are unfolded: something stands in them, or is wrong with them."""
        filled = {name for name, values in self.form.items() if any(values)}
        return any(name.startswith("details.") for name in filled | set(self.problems))

    def field_id(self, name: str) -> str:
        """Return the id of the element of a field."""
        tail = "text-field" if name == "text" else name.replace(".", "-")
        if name == "choice" or (name == "choices" and (self.question.options or self.offered)):
            tail += "-0"
        return f"{self.slug}-{tail}"


@dataclass(frozen=True, slots=True)
class Said:
    """What surrounds the answers of a section: files, conversations, and what was signed before."""

    files: Mapping[str, Sequence[CitationLine]]
    threads: Mapping[str, Sequence[MessageLine]]
    signed: Snapshot | None
    offered: Mapping[str, Mapping[str, str]]
    sources: Sources
    checking: frozenset[UUID] = frozenset()


def card(work: Work, around: Said, question: Question, actor: Actor) -> Card:
    """Return the card of one question as it is stored."""
    line = work.lines.get(question.key)
    answer = line.answer if line else None
    mine = work.writable(actor, question.section)
    may_change = work.is_open and work.standing.may_change(question.key)
    offered = around.offered.get(question.key, {})
    return Card(
        question=question,
        slug=slug(question.key),
        word=work.word_of(question),
        changed=_changed(around.signed, question, line),
        came_back=question.key in (work.standing.reopened or ()),
        version=line.version if line else 0,
        form=wording.fields(answer),
        said=wording.said(question, answer, offered),
        by=line.by if line else "",
        at=line.at if line else None,
        writable=mine and may_change,
        why_not="" if may_change or not work.is_open else STAYS,
        proof=work.questionnaire.evidence_level(question.key, work.row.tier),
        files=around.files.get(question.key, ()),
        thread=around.threads.get(question.key, ()),
        checking=around.checking,
        offered=offered,
        warnings=warned(question, work.standing.answers.get(question.key)),
        weak=earns_less(question, answer),
        waiting=question in work.waiting,
        earlier=_earlier(work, around, question),
    )


def clash_of(
    question: Question,
    theirs: AnswerLine,
    raw: wording.Fields,
    offered: Mapping[str, str],
    *,
    actor_id: UUID | None,
    ago: str,
) -> Clash:
    """Return what a late writer sees: the other answer, what differs from what was typed, both texts to edit."""
    mine = parse_answer(question, raw, draft=True, offered=frozenset(offered))
    read = mine if isinstance(mine, Answer) else None
    their_form = wording.fields(theirs.answer)
    together = {}
    for name in ("text", "comment", "na_reason", "compensating"):
        typed, other = "".join(raw.get(name, ())).strip(), "".join(their_form.get(name, ())).strip()
        if typed and other and " ".join(typed.split()) != " ".join(other.split()):
            together[name] = f"{typed}\n\n{other}"
    return Clash(
        by=theirs.by,
        at=theirs.at,
        ago=ago,
        said=wording.said(question, theirs.answer, offered),
        version=theirs.version,
        differs=wording.changes(question, theirs.answer, read, offered) if read else (),
        together=together,
        mine=theirs.updated_by is not None and theirs.updated_by == actor_id,
    )


def to_change(one: Card) -> Card:
    """Return a card with its earlier answer in the form, to be changed; a card without one as it is."""
    return replace(one, changing=True, form=one.earlier.form) if one.waits and one.earlier else one


def _earlier(work: Work, around: Said, question: Question) -> Earlier | None:
    line = work.carried.get(question.key)
    return around.sources.earlier(line, question) if line else None


def _changed(signed: Snapshot | None, question: Question, line: AnswerLine | None) -> bool:
    """Whether the answer differs from what was signed for this assessment before."""
    before = signed.answers.get(question.key) if signed else None
    if before is None or line is None:
        return False
    return dict(before.content) != to_json(line.answer)


def missing_of(work: Work, question: Question) -> list[str]:
    """Return the sentences of what blocks a question, as the summary and the card say them."""
    waits = [
        _(
            "Say whether %(number)s %(label)s is still correct, or change it",
            number=question.number,
            label=question.label,
        )
    ]
    return (waits if question in work.waiting else []) + [
        told(each.sentence)
        for each in work.blockers
        if each.question_key == question.key and each.kind is not BlockerKind.SCOPING
    ]
