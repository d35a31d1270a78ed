"""Assessments, asked through the service on a published questionnaire."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.kernel.actor import system
from portal.kernel.ledger import Tx
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.vendors.models import Engagement, Vendor
from tests.factories.vendors import make_engagement, make_vendor

SHIPPED = Path(__file__).parents[2] / "questionnaires"


def make_questionnaire(
    tx: Tx, slug: str = "ai-contractor-minimal", source: bytes | None = None
) -> QuestionnaireVersion:
    """Publish a shipped questionnaire, or one of the test's own; publishing it twice is publishing it once."""
    installing = replace(tx, actor=system("test"))
    return questionnaires.publish(installing, source=source or (SHIPPED / slug / "v1.yaml").read_bytes(), name=slug)


def make_assessment(
    tx: Tx,
    *,
    vendor: Vendor | None = None,
    engagement: Engagement | None = None,
    slug: str = "ai-contractor-minimal",
    source: bytes | None = None,
    due_on: date | None = None,
    **fields: Any,
) -> Assessment:
    """Ask a vendor to attest, in 28 days unless said otherwise."""
    vendor = vendor or make_vendor(tx)
    return assessments.request(
        tx,
        vendor=vendor,
        engagement=engagement or make_engagement(tx, vendor),
        questionnaire_version=make_questionnaire(tx, slug, source),
        due_on=due_on or (tx.now + timedelta(days=28)).date(),
        **fields,
    )
