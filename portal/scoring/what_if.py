"""What another scoring policy would make of every vendor's newest score, before anybody signs it. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.attestations.models import Attestation
from portal.evidence import dating
from portal.evidence import queries as evidence
from portal.evidence.rules import NEVER, Reach, reach
from portal.kernel.ledger import Tx
from portal.kernel.memo import Memo
from portal.scoring import rules
from portal.scoring.models import ScoreSnapshot
from portal.scoring.rules.written import periods_of
from portal.terms import AssessmentState
from portal.vendors.models import Engagement, Vendor

BATCH = 100
"""How many stored inputs are in memory at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A score as a policy sees it, as far as people compare it."""

    score: Fraction
    verified: Fraction
    residual: Fraction
    band: str
    tier: int
    recommendation: rules.Recommendation
    reasons: tuple[rules.Reason, ...]


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The newest score of one vendor for one engagement, today, by the policy in force and by the other one."""

    vendor_id: UUID
    slug: str
    vendor: str
    engagement: str
    questionnaire_id: UUID
    snapshot_id: UUID
    before: Seen
    after: Seen

    @property
    def by(self) -> Fraction:
        """By how much the score differs."""
        return self.after.score - self.before.score

    @property
    def recommends_otherwise(self) -> bool:
        """Whether the suggestion differs."""
        return self.before.recommendation is not self.after.recommendation

    @property
    def worse(self) -> bool:
        """Whether the suggestion is a worse one."""
        return self.after.recommendation.rank < self.before.recommendation.rank

    @property
    def changes(self) -> bool:
        """Whether anything that is compared differs."""
        return replace(self.before, reasons=()) != replace(self.after, reasons=())


@dataclass(frozen=True, slots=True)
class WhatIf:
    """All vendors, by name; ``files`` is how many files would have another last day."""

    lines: tuple[Foreseen, ...]
    files: int

    @property
    def changed(self) -> tuple[Foreseen, ...]:
        """Whoever anything differs for: other suggestions first, the worse before the better, then by the points."""
        found = [each for each in self.lines if each.changes]
        return tuple(
            sorted(
                found,
                key=lambda each: (
                    not each.recommends_otherwise,
                    not each.worse,
                    -abs(each.by),
                    each.vendor.lower(),
                    each.engagement,
                ),
            )
        )

    @property
    def moves(self) -> tuple[tuple[rules.Recommendation, rules.Recommendation, int], ...]:
        """How many suggestions become which other one, the most frequent first."""
        counted = Counter(
            (each.before.recommendation, each.after.recommendation) for each in self.lines if each.recommends_otherwise
        )
        return tuple((old, new, count) for (old, new), count in sorted(counted.items(), key=lambda i: (-i[1], i[0])))

    @property
    def totals(self) -> tuple[tuple[rules.Recommendation, int, int], ...]:
        """How many have each suggestion before and after, the best first."""
        before = Counter(each.before.recommendation for each in self.lines)
        after = Counter(each.after.recommendation for each in self.lines)
        return tuple((each, before[each], after[each]) for each in reversed(rules.Recommendation))

    @property
    def bands(self) -> int:
        """How many residual risks come to lie in another band."""
        return sum(each.before.band != each.after.band for each in self.lines)

    @property
    def tiers(self) -> int:
        """How many are weighed in another tier."""
        return sum(each.before.tier != each.after.tier for each in self.lines)

    @property
    def points(self) -> tuple[Foreseen, ...]:
        """Whose score differs, the largest difference first."""
        return tuple(sorted((each for each in self.lines if each.by), key=lambda each: (-abs(each.by), each.slug)))


def what_if(tx: Tx, old: rules.Policy, new: rules.Policy) -> WhatIf:
    """Return what every vendor's newest score is under two policies today.

    Over the newest signed revision of each vendor and engagement that was not withdrawn, with the answers and
    judgements of its newest stored score. Seven statements at most, however many vendors there are; the last few
    results are kept by everything that they depend on.
    """
    names = _newest().with_only_columns(ScoreSnapshot.id, Vendor.name, Vendor.slug, Engagement.project)
    newest = tuple(map(tuple, tx.session.execute(names)))
    moved = _moved(tx, old, new)
    name = (rules.digest(old), rules.digest(new), tx.now.date(), newest, tuple(sorted(moved.items(), key=str)))
    return _kept.of(name, lambda: _what_if(tx, old, new, moved))


_kept: Memo[WhatIf] = Memo(8)


def _what_if(tx: Tx, old: rules.Policy, new: rules.Policy, moved: Mapping[str, tuple[Reach, Reach]]) -> WhatIf:
    today = tx.now.date()
    rows = tx.session.execute(_newest().execution_options(yield_per=BATCH))
    lines = []
    for row in rows:
        given = replace(rules.trusted_inputs(row.inputs.encode()), as_of=today)
        lines.append(
            Foreseen(
                vendor_id=row.vendor_id,
                slug=row.slug,
                vendor=row.name,
                engagement=row.project,
                questionnaire_id=row.questionnaire_id,
                snapshot_id=row.id,
                before=_seen(replace(given, policy=old)),
                after=_seen(replace(_redated(given, moved), policy=new)),
            )
        )
    lines.sort(key=lambda each: (each.vendor.lower(), each.slug, each.engagement))
    return WhatIf(tuple(lines), len(moved))


def _newest() -> sa.Select[UUID, str, UUID, str, str, str, UUID]:
    """Return the newest stored score of the newest signed revision of each vendor and engagement."""
    signed = (
        sa.select(Attestation.id, Assessment.vendor_id, Assessment.engagement_id, Assessment.questionnaire_id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .where(Assessment.state != AssessmentState.WITHDRAWN)
        .ext(postgresql.distinct_on(Assessment.engagement_id))
        .order_by(
            Assessment.engagement_id, Attestation.signed_at.desc(), Attestation.revision.desc(), Attestation.id.desc()
        )
        .subquery()
    )
    return (
        sa.select(
            ScoreSnapshot.id,
            ScoreSnapshot.inputs,
            Vendor.id.label("vendor_id"),
            Vendor.slug,
            Vendor.name,
            Engagement.project,
            signed.c.questionnaire_id,
        )
        .join(signed, signed.c.id == ScoreSnapshot.attestation_id)
        .join(Vendor, Vendor.id == signed.c.vendor_id)
        .join(Engagement, Engagement.id == signed.c.engagement_id)
        .ext(postgresql.distinct_on(ScoreSnapshot.attestation_id))
        .order_by(ScoreSnapshot.attestation_id, ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
    )


def _moved(tx: Tx, old: rules.Policy, new: rules.Policy) -> dict[str, tuple[Reach, Reach]]:
    """Return how far each file reaches before and after, of those that would reach another day."""
    was, now = periods_of(old), periods_of(new)
    dates = {each.evidence_id: each.holds for each in dating.dates_under(tx, dating.kinds_between(was, now), now)}
    found = {}
    for evidence_id, record in evidence.records(tx, evidence_ids=list(dates)).items():
        holds = dates[evidence_id]
        after = reach(replace(record, valid_from=holds.valid_from, valid_until=holds.valid_until, periods=now))
        if (before := reach(record)) != after:
            found[str(evidence_id)] = (before, after)
    return found


def _redated(given: rules.Inputs, moved: Mapping[str, tuple[Reach, Reach]]) -> rules.Inputs:
    """Return the inputs with the days that the files would have; a day that is not the file's own stays."""
    if not any(each.key in moved for each in given.held):
        return given

    def day(key: str, until: date | None) -> date | None:
        before, after = moved[key]
        return after.valid_until if until == before.valid_until and until != NEVER else until

    def proof(each: rules.Proof) -> rules.Proof:
        if each.key not in moved:
            return each
        before, after = moved[each.key]
        same = each.verified and each.verified_until == before.verified_until
        return replace(
            each,
            valid_until=day(each.key, each.valid_until),
            verified_until=after.verified_until if same else each.verified_until,
        )

    return replace(
        given,
        answers=tuple(
            replace(each, proofs=tuple(map(proof, each.proofs))) if any(p.key in moved for p in each.proofs) else each
            for each in given.answers
        ),
        held=tuple(
            replace(each, valid_until=day(each.key, each.valid_until)) if each.key in moved else each
            for each in given.held
        ),
    )


def _seen(given: rules.Inputs) -> Seen:
    result = _plan(given.version, given.policy).score(given)
    return Seen(
        score=result.measures.score,
        verified=result.measures.verified,
        residual=result.residual,
        band=result.residual_band,
        tier=result.tier,
        recommendation=result.recommendation,
        reasons=result.reasons,
    )


@lru_cache(maxsize=64)
def _plan(version: rules.Version, policy: rules.Policy) -> rules.Plan:
    return rules.compile_plan(version, policy)
