"""What publishing a version would do: who is asked what again, and what their scores could become."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from statistics import median_low
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.assessments.models import Assessment
from portal.attestations.foreseen import Foreseen, foreseen
from portal.attestations.models import Attestation
from portal.attestations.rules import waiting_answers
from portal.kernel.ledger import Tx
from portal.kernel.memo import Memo
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.queries import VersionLine
from portal.questionnaires.rules import Questionnaire
from portal.scoring import rules
from portal.scoring.forecast import Forecast, forecast
from portal.scoring.models import ScoreSnapshot
from portal.scoring.rules.policy import TIERS
from portal.scoring.translate import version_of
from portal.terms import AssessmentState
from portal.vendors.models import Engagement, Vendor


@dataclass(frozen=True, slots=True)
class VendorImpact:
    """What one vendor's renewal for one engagement would ask, in keys, and its scores if it ever had one."""

    vendor_id: UUID
    slug: str
    vendor: str
    engagement_id: UUID
    engagement: str
    tier: int
    signed_on: int
    carries: tuple[str, ...]
    again: tuple[str, ...]
    new: tuple[str, ...]
    archived: tuple[str, ...]
    scores: Forecast | None

    @property
    def asked(self) -> int:
        """How many questions it has to answer: again or for the first time."""
        return len(self.again) + len(self.new)

    @property
    def by_rules(self) -> Fraction:
        """What the new weights alone do to its score."""
        return self.scores.by_rules if self.scores else Fraction()


@dataclass(frozen=True, slots=True)
class Impact:
    """What publishing would do, over the newest signed revision of every vendor and engagement."""

    vendors: tuple[VendorImpact, ...]

    @property
    def carries(self) -> int:
        """How many answers carry over, to be confirmed, in all."""
        return sum(len(each.carries) for each in self.vendors)

    @property
    def again(self) -> int:
        """How many answers are asked for again, in all."""
        return sum(len(each.again) for each in self.vendors)

    @property
    def new(self) -> int:
        """How many answers are asked for the first time, in all."""
        return sum(len(each.new) for each in self.vendors)

    @property
    def archived(self) -> int:
        """How many answers are kept and not asked for any more, in all."""
        return sum(len(each.archived) for each in self.vendors)

    @property
    def questions_again(self) -> tuple[str, ...]:
        """The questions that anybody answers again, each once."""
        return tuple(dict.fromkeys(key for each in self.vendors for key in each.again))

    @property
    def questions_new(self) -> tuple[str, ...]:
        """The questions that anybody answers for the first time, each once."""
        return tuple(dict.fromkeys(key for each in self.vendors for key in each.new))

    @property
    def asked(self) -> tuple[VendorImpact, ...]:
        """Those who have anything to answer."""
        return tuple(each for each in self.vendors if each.asked)

    @property
    def reweighed(self) -> tuple[VendorImpact, ...]:
        """Those whose score the new weights alone change, the largest change first."""
        changed = [each for each in self.vendors if each.by_rules]
        return tuple(sorted(changed, key=lambda each: (-abs(each.by_rules), each.slug, each.engagement)))

    @property
    def span(self) -> tuple[int, int, int]:
        """The fewest, the middle and the most questions that anybody of the asked has to answer."""
        counts = [each.asked for each in self.asked]
        return (min(counts), median_low(counts), max(counts)) if counts else (0, 0, 0)

    @property
    def firms(self) -> int:
        """How many vendors have anything to answer; one with two engagements is one."""
        return len({each.vendor_id for each in self.asked})


def impact_of(tx: Tx, questionnaire: Questionnaire, previous: VersionLine) -> Impact:
    """Return what publishing this version would do, in a number of statements that does not grow with the vendors.

    Over the newest signed revision of each vendor and engagement on any version of the questionnaire; a withdrawn
    assessment does not count. The scores are of the answers as they were judged last, with today's dates of proof.
    """
    signed = _newest_signed(tx, previous.slug)
    name = (questionnaire.digest, tx.now.date(), tuple(map(tuple, signed)), _depends_on(tx, signed))
    return _impacts.of(name, lambda: _impact_of(tx, questionnaire, signed))


_impacts: Memo[Impact] = Memo(8)
"""The last few, by everything that they depend on: whoever reads the page again, or signs, need not wait again."""


def _depends_on(tx: Tx, signed: Sequence[Signed]) -> Hashable:
    """Return what names all that an impact depends on beside the version: signed revisions, engagements, scores."""
    revisions = (
        sa.select(Attestation.id)
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .where(
            Attestation.vendor_id.in_({row.vendor_id for row in signed}),
            Assessment.state != AssessmentState.WITHDRAWN,
        )
        .order_by(Attestation.id)
    )
    engaged = (
        sa.select(sa.cast(sa.func.to_jsonb(sa.literal_column("engagement")), sa.Text))
        .select_from(Engagement)
        .where(Engagement.id.in_([row.engagement_id for row in signed]))
        .order_by(Engagement.id)
    )
    scores = (
        sa.select(sa.func.max(ScoreSnapshot.made_at), sa.func.count())
        .where(ScoreSnapshot.attestation_id.in_([row.attestation_id for row in signed]))
        .group_by(ScoreSnapshot.attestation_id)
        .order_by(ScoreSnapshot.attestation_id)
    )
    return (
        tuple(tx.session.execute(revisions).scalars()),
        tuple(tx.session.execute(engaged).scalars()),
        tuple(map(tuple, tx.session.execute(scores))),
    )


def _impact_of(tx: Tx, questionnaire: Questionnaire, signed: Sequence[Signed]) -> Impact:
    ahead = foreseen(tx, engagement_ids=[row.engagement_id for row in signed], questionnaire=questionnaire)
    scored = _inputs(tx, [row.attestation_id for row in signed]) if _can_be_scored(questionnaire) else {}
    return Impact(
        tuple(
            _line(row, ahead[row.engagement_id], scored.get(row.attestation_id), questionnaire, tx.now.date())
            for row in signed
        )
    )


def _can_be_scored(questionnaire: Questionnaire) -> bool:
    """Whether a draft can be scored at all: one that the lint refuses may weigh a section 0 whose questions count."""
    try:
        return bool([version_of(questionnaire, tier) for tier in TIERS])
    except ValueError:
        return False


def _line(
    row: Signed, renewal: Foreseen, inputs: rules.Inputs | None, questionnaire: Questionnaire, on: date
) -> VendorImpact:
    scores = (
        forecast(
            replace(inputs, as_of=on),
            questionnaire=questionnaire,
            tier=renewal.tier,
            facts=renewal.facts,
            carried=waiting_answers(renewal.carried),
        )
        if inputs is not None
        else None
    )
    return VendorImpact(
        vendor_id=row.vendor_id,
        slug=row.slug,
        vendor=row.name,
        engagement_id=row.engagement_id,
        engagement=row.project,
        tier=renewal.tier,
        signed_on=row.questionnaire,
        carries=renewal.plan.to_confirm,
        again=renewal.plan.re_attest,
        new=renewal.plan.new,
        archived=renewal.plan.archived,
        scores=scores,
    )


Signed = sa.Row[tuple[UUID, UUID, str, str, UUID, str, int]]


def _newest_signed(tx: Tx, slug: str) -> list[Signed]:
    """Return the newest signed revision of each vendor and engagement, by vendor's name."""
    newest = (
        sa.select(
            Attestation.id.label("attestation_id"),
            Assessment.vendor_id,
            Assessment.engagement_id,
            Assessment.questionnaire_id,
        )
        .join(Assessment, Assessment.id == Attestation.assessment_id)
        .where(Assessment.questionnaire_slug == slug, Assessment.state != AssessmentState.WITHDRAWN)
        .ext(postgresql.distinct_on(Assessment.engagement_id))
        .order_by(
            Assessment.engagement_id,
            Attestation.signed_at.desc(),
            Attestation.revision.desc(),
            Attestation.id.desc(),
        )
        .subquery()
    )
    statement = (
        sa.select(
            newest.c.attestation_id,
            Vendor.id.label("vendor_id"),
            Vendor.slug,
            Vendor.name,
            newest.c.engagement_id,
            Engagement.project,
            QuestionnaireVersion.version.label("questionnaire"),
        )
        .select_from(newest)
        .join(Vendor, Vendor.id == newest.c.vendor_id)
        .join(Engagement, Engagement.id == newest.c.engagement_id)
        .join(QuestionnaireVersion, QuestionnaireVersion.id == newest.c.questionnaire_id)
        .order_by(sa.func.lower(Vendor.name), Vendor.id, Engagement.project, Engagement.id)
    )
    return list(tx.session.execute(statement))


def _inputs(tx: Tx, attestation_ids: Collection[UUID]) -> dict[UUID, rules.Inputs]:
    """Return the inputs of the newest stored score of each signed revision."""
    statement = (
        sa.select(ScoreSnapshot.attestation_id, ScoreSnapshot.inputs)
        .where(ScoreSnapshot.attestation_id.in_(list(attestation_ids)))
        .ext(postgresql.distinct_on(ScoreSnapshot.attestation_id))
        .order_by(ScoreSnapshot.attestation_id, ScoreSnapshot.made_at.desc(), ScoreSnapshot.id.desc())
    )
    return {each: rules.read_inputs(inputs.encode()) for each, inputs in tx.session.execute(statement)}
