"""Search across vendors, findings, signed answers and the texts of files: by words, of which each may be a beginning.

Words are looked up in an index of words. What is found is then read, and shown only if it still says them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import aliased

from portal import policy
from portal.assessments.models import Assessment
from portal.attestations.facts import AttestationSigned
from portal.attestations.models import Attestation, AttestedAnswer
from portal.evidence.facts import EvidenceAttached, EvidenceDescribed, EvidenceRead
from portal.evidence.models import Evidence, EvidencePageText
from portal.findings.facts import FindingChanged, FindingDrafted
from portal.findings.models import Finding
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import rules
from portal.reviews.models import Review, SearchWord
from portal.reviews.rules import Excerpt, Found
from portal.terms import EvidenceState, FindingState, Severity
from portal.vendors.facts import VendorAdded
from portal.vendors.models import Vendor

T = TypeVar("T")

MOST_LOOKED_AT: Final = 2_000
"""Of a word that stands in more places, those found first are looked at; another word narrows."""
_CANDIDATES: Final = 40
_LAST: Final = chr(0x10FFFF)
_UNSHOWN: Final = (EvidenceState.RESERVED, EvidenceState.RECEIVED, EvidenceState.REFUSED)

READERS: Final[Mapping[Found, Action]] = {
    Found.VENDOR: Action.VENDOR_READ,
    Found.FINDING: Action.REVIEW_READ,
    Found.ANSWER: Action.ASSESSMENT_READ,
    Found.EVIDENCE: Action.EVIDENCE_READ,
}
"""What one must be allowed to read, to find it."""


@dataclass(frozen=True, slots=True)
class VendorHit:
    """A vendor by one of its names."""

    id: UUID
    name: str
    legal_name: str
    slug: str


@dataclass(frozen=True, slots=True)
class FindingHit:
    """A finding that says the words."""

    id: UUID
    number: int
    vendor: str
    severity: Severity
    state: FindingState
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class AnswerHit:
    """An answer of a newest signed revision that says the words."""

    review_id: UUID
    question_key: str
    vendor: str
    title: str
    revision: int
    questionnaire_id: UUID
    excerpt: Excerpt


@dataclass(frozen=True, slots=True)
class EvidenceHit:
    """A file that says the words: in its name, or at the first of these pages. Its text itself is not in here.

    Reading it is an opening that its vendor sees, and happens in the viewer.
    """

    id: UUID
    vendor: str
    title: str
    kind: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Results:
    """What was found, by group; None for a group that the actor may not read. ``more``: groups with more than shown."""

    words: tuple[str, ...]
    vendors: Sequence[VendorHit]
    findings: Sequence[FindingHit] | None
    answers: Sequence[AnswerHit] | None
    evidence: Sequence[EvidenceHit] | None
    more: frozenset[Found]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found at all."""
        return not (self.vendors or self.findings or self.answers or self.evidence)


def search(tx: Tx, text: str, *, limit: int = 8) -> Results:
    """Return what says the words, as far as the actor may read it.

    The cost does not grow with what there is: each group looks at a bounded part of an index. At most six statements.

    :raises Forbidden: if the actor may not read vendors.
    """
    policy.check_ever(tx.actor, Action.VENDOR_READ)
    words = rules.asked_words(text)
    kinds = [each for each in Found if policy.may_ever(tx.actor, READERS[each])]
    candidates = _candidates(tx, words, kinds) if words else {}
    more: set[Found] = set()

    def read(kind: Found, get: Callable[..., Sequence[T]]) -> Sequence[T] | None:
        if kind not in kinds:
            return None
        known = candidates.get(kind, [])
        hits = get(tx, known, words) if known else []
        if len(hits) > limit:
            more.add(kind)
        return hits[:limit]

    return Results(
        words=words,
        vendors=read(Found.VENDOR, _vendors) or [],
        findings=read(Found.FINDING, _findings),
        answers=read(Found.ANSWER, _answers),
        evidence=read(Found.EVIDENCE, _evidence),
        more=frozenset(more),
    )


def _range(column: Any, word: str) -> Any:
    return sa.and_(column >= word, column < word + _LAST)


def _candidates(tx: Tx, words: Sequence[str], kinds: Sequence[Found]) -> dict[Found, list[tuple[UUID, str]]]:
    """Return rows of each kind that have every word: those with the very word first, the newest first."""
    first = max(words, key=len)
    others = [each for each in words if each != first]
    parts = []
    for kind in kinds:
        exact, longer = (
            sa.select(SearchWord.kind, SearchWord.ref, SearchWord.part, sa.literal(place).label("place"))
            .where(SearchWord.kind == kind, matches)
            .order_by(SearchWord.word.desc(), SearchWord.ref.desc(), SearchWord.part.desc())
            .limit(MOST_LOOKED_AT)
            .subquery()
            for place, matches in (
                (0, SearchWord.word == first),
                (1, sa.and_(SearchWord.word > first, SearchWord.word < first + _LAST)),
            )
        )
        for found in (exact, longer):
            statement = sa.select(found.c.kind, found.c.ref, found.c.part, found.c.place)
            for word in others:
                other = aliased(SearchWord)
                statement = statement.where(
                    sa.exists().where(
                        other.kind == kind,
                        _range(other.word, word),
                        other.ref == found.c.ref,
                        other.part == found.c.part,
                    )
                )
            parts.append(statement.limit(_CANDIDATES).subquery())
    union = sa.union_all(*(sa.select(each) for each in parts)).subquery()
    rows = tx.session.execute(sa.select(union).order_by(union.c.place, union.c.ref.desc(), union.c.part))
    known: dict[Found, list[tuple[UUID, str]]] = {}
    for row in rows:
        place = known.setdefault(row.kind, [])
        if (row.ref, row.part) not in place:
            place.append((row.ref, row.part))
    return known


def _vendors(tx: Tx, known: Sequence[tuple[UUID, str]], words: Sequence[str]) -> list[VendorHit]:
    statement = sa.select(Vendor.id, Vendor.name, Vendor.legal_name, Vendor.slug).where(
        Vendor.id.in_([ref for ref, _ in known])
    )
    rows = [VendorHit(*row) for row in tx.session.execute(statement)]
    hits = [each for each in rows if rules.says(f"{each.name} {each.legal_name} {each.slug}", words)]
    return sorted(hits, key=lambda each: (not rules.says(each.name, words), each.name.casefold(), each.slug))


def _findings(tx: Tx, known: Sequence[tuple[UUID, str]], words: Sequence[str]) -> list[FindingHit]:
    statement = (
        sa.select(Finding, Vendor.name)
        .join(Vendor, Vendor.id == Finding.vendor_id)
        .where(Finding.id.in_([ref for ref, _ in known]), Finding.state != FindingState.WITHDRAWN)
    )
    rows = {finding.id: (finding, name) for finding, name in tx.session.execute(statement)}
    hits = []
    for ref, _ in known:
        if ref not in rows:
            continue
        finding, name = rows[ref]
        text = f"{finding.what} {finding.closes_when}"
        excerpt = rules.excerpt_of(text, words) if rules.says(text, words) else None
        if excerpt is not None:
            hits.append(FindingHit(finding.id, finding.number, name, finding.severity, finding.state, excerpt))
    return hits


def _answers(tx: Tx, known: Sequence[tuple[UUID, str]], words: Sequence[str]) -> list[AnswerHit]:
    later = aliased(Attestation)
    statement = (
        sa.select(
            AttestedAnswer.attestation_id,
            AttestedAnswer.question_key,
            AttestedAnswer.content,
            Vendor.name,
            Assessment.title,
            Assessment.questionnaire_id,
            Attestation.revision,
            Review.id.label("review_id"),
        )
        .join(Attestation, Attestation.id == AttestedAnswer.attestation_id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .join(Vendor, Vendor.id == Attestation.vendor_id)
        .join(
            Review,
            sa.and_(Review.assessment_id == Attestation.assessment_id, Review.revision == Attestation.revision),
        )
        .where(
            sa.tuple_(AttestedAnswer.attestation_id, AttestedAnswer.question_key).in_(list(known)),
            ~sa.exists().where(later.assessment_id == Attestation.assessment_id, later.revision > Attestation.revision),
        )
    )
    rows = {(row.attestation_id, row.question_key): row for row in tx.session.execute(statement)}
    hits = []
    for each in known:
        row = rows.get(each)
        texts = _strings(row.content) if row is not None else []
        # Shown is the text that says a word, not what was chosen beside it.
        places = (rules.excerpt_of(text, words) for text in texts)
        excerpt = next((place for place in places if place), None) if rules.says(" ".join(texts), words) else None
        if row is not None and excerpt is not None:
            hits.append(
                AnswerHit(
                    row.review_id,
                    row.question_key,
                    row.name,
                    row.title,
                    row.revision,
                    row.questionnaire_id,
                    excerpt,
                )
            )
    return hits


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key in sorted(value) for text in _strings(value[key])]
    return [text for each in value for text in _strings(each)] if isinstance(value, list) else []


def _evidence(tx: Tx, known: Sequence[tuple[UUID, str]], words: Sequence[str]) -> list[EvidenceHit]:
    """Return files that say the words. The pages are looked for in the files that are shown, and in no other."""
    ids = [ref for ref, _ in known]
    statement = (
        sa.select(Evidence.id, Vendor.name, Evidence.title, Evidence.file_name, Evidence.kind)
        .join(Vendor, Vendor.id == Evidence.vendor_id)
        .where(Evidence.id.in_(ids), Evidence.state.not_in(_UNSHOWN), Evidence.removed_at.is_(None))
    )
    rows = {row.id: row for row in tx.session.execute(statement)}
    shown = [each for each in ids if each in rows][:_SHOWN]
    longest = max(words, key=len)
    pages = (
        sa.select(EvidencePageText.evidence_id, EvidencePageText.page)
        .ext(postgresql.distinct_on(EvidencePageText.evidence_id))
        .where(EvidencePageText.evidence_id.in_(shown), EvidencePageText.text.icontains(longest, autoescape=True))
        .order_by(EvidencePageText.evidence_id, EvidencePageText.page)
    )
    first: dict[UUID, int] = {row.evidence_id: row.page for row in tx.session.execute(pages)} if shown else {}
    hits = []
    for each in dict.fromkeys(shown):
        row = rows[each]
        if each in first or rules.says(f"{row.title} {row.file_name}", words):
            hits.append(EvidenceHit(each, row.name, row.title or row.file_name, row.kind, first.get(each)))
    return hits


_SHOWN: Final = 9


def keep_vendor(tx: Tx, fact: VendorAdded) -> None:
    """VendorAdded: it is found by its names."""
    text = Vendor.name + " " + Vendor.legal_name + " " + Vendor.slug
    _keep(tx, Found.VENDOR, sa.select(Vendor.id, _NOTHING, Vendor.id, text).where(Vendor.id == fact.vendor_id))


def keep_finding(tx: Tx, fact: FindingDrafted | FindingChanged) -> None:
    """FindingDrafted, FindingChanged: it is found by what it says."""
    text = Finding.what + " " + Finding.closes_when
    statement = sa.select(Finding.id, _NOTHING, Finding.vendor_id, text).where(Finding.id == fact.finding_id)
    _keep(tx, Found.FINDING, statement)


def keep_answers(tx: Tx, fact: AttestationSigned) -> None:
    """AttestationSigned: its answers are found by what they say."""
    each = sa.func.jsonb_path_query(AttestedAnswer.content, _STRINGS).column_valued("each")
    text = sa.select(sa.func.string_agg(each.op("#>>")(sa.literal_column("'{}'")), " ")).scalar_subquery()
    statement = sa.select(
        AttestedAnswer.attestation_id, AttestedAnswer.question_key, AttestedAnswer.vendor_id, text
    ).where(AttestedAnswer.attestation_id == fact.attestation_id)
    _keep(tx, Found.ANSWER, statement)


def keep_evidence(tx: Tx, fact: EvidenceAttached | EvidenceDescribed) -> None:
    """EvidenceAttached, EvidenceDescribed: it is found by its names."""
    text = Evidence.title + " " + Evidence.file_name
    statement = sa.select(Evidence.id, _NOTHING, Evidence.vendor_id, text).where(Evidence.id == fact.evidence_id)
    _keep(tx, Found.EVIDENCE, statement)


def keep_pages(tx: Tx, fact: EvidenceRead) -> None:
    """EvidenceRead: it is found by what its pages say."""
    statement = sa.select(
        EvidencePageText.evidence_id, _NOTHING, EvidencePageText.vendor_id, EvidencePageText.text
    ).where(EvidencePageText.evidence_id == fact.evidence_id)
    _keep(tx, Found.EVIDENCE, statement)


_NOTHING: Final[sa.Label[str]] = sa.literal_column("''").label("part")
_STRINGS: Final = sa.cast(sa.literal('strict $.** ? (@.type() == "string")'), postgresql.JSONPATH)


def _keep(tx: Tx, kind: Found, texts: Any) -> None:
    """Write down the words of some texts, in the database itself: they are many, and nobody else needs them here."""
    tx.session.flush()
    rows = texts.subquery("texts")
    ref, part, vendor_id, text = rows.c
    word = sa.func.regexp_split_to_table(sa.func.lower(text), "[^[:alnum:]]+").label("word")
    words = sa.select(word, ref.label("ref"), part.label("part"), vendor_id.label("vendor_id")).subquery("words")
    cut = sa.func.left(words.c.word, rules.LONGEST_WORD)
    chosen = (
        sa.select(sa.literal(kind.value), cut, words.c.ref, words.c.part, words.c.vendor_id)
        .where(sa.func.length(words.c.word) >= rules.SHORTEST_WORD)
        .distinct()
    )
    tx.session.execute(
        postgresql.insert(SearchWord)
        .from_select(["kind", "word", "ref", "part", "vendor_id"], chosen)
        .on_conflict_do_nothing()
    )
