"""The life of a finding beside its proof: plans, moved days, people, and risks that two people accept."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from portal.findings import planning, remedies, risks
from portal.findings.models import RiskAcceptance
from portal.findings.risks import AcceptedRisk
from portal.policy import Action
from portal.reviews import acceptances, following
from portal.reviews import remedies as judging
from tests.factories.identity import Person
from tests.factories.remedies import SYSTEM, finding
from tests.factories.reviews import Bench

REASON = "The site works in a browser room until the laptops come. Watched weekly."
UNTIL = date(2027, 1, 31)
PLANNED = date(2027, 1, 10)


def plan(
    made: Bench, *, words: str = "New laptops for the site.", by_day: date = date(2027, 1, 10), **given: Any
) -> UUID:
    """Send a plan as the vendor; return its step."""
    with made.house.ledger.begin(made.desk.respondent.actor) as tx:
        row = remedies.of_vendor(tx, finding(made).id, Action.FINDING_ANSWER)
        version = given.get("row_version", row.row_version)
        return planning.send_plan(tx, finding=row, words=words, by_day=by_day, row_version=version).id


def agree(made: Bench, step_id: UUID, *, who: Person | None = None, **given: Any) -> None:
    """Agree to a plan, as a reviewer."""
    with made.house.ledger.begin((who or made.reviewer).actor) as tx:
        row = judging.get(tx, finding(made).id, Action.FINDING_FOLLOW)
        following.agree_plan(tx, finding=row, step_id=step_id, **{"row_version": row.row_version, **given})


def return_plan(made: Bench, step_id: UUID, *, note: str = "By when?", who: Person | None = None) -> None:
    """Return a plan with words, as a reviewer."""
    with made.house.ledger.begin((who or made.reviewer).actor) as tx:
        row = judging.get(tx, finding(made).id, Action.FINDING_FOLLOW)
        following.return_plan(tx, finding=row, step_id=step_id, note=note, row_version=row.row_version)


def move_due(made: Bench, due_on: date, *, reason: str = "The supplier is late.", who: Person | None = None) -> None:
    """Move the due date of the first finding, as a reviewer."""
    with made.house.ledger.begin((who or made.reviewer).actor) as tx:
        row = judging.get(tx, finding(made).id, Action.FINDING_FOLLOW)
        following.move_due(tx, finding=row, due_on=due_on, reason=reason, row_version=row.row_version)


def propose(made: Bench, *, who: Person | None = None, **given: Any) -> UUID:
    """Propose to accept the risk of the first finding."""
    with made.house.ledger.begin((who or made.reviewer).fresh) as tx:
        row = judging.get(tx, finding(made).id, Action.RISK_PROPOSE)
        fields = {"reason": REASON, "owner_id": made.lead.id, "until": UNTIL, "row_version": row.row_version}
        return acceptances.propose(tx, finding=row, **{**fields, **given}).id


def confirm(made: Bench, acceptance_id: UUID, *, who: Person | None = None, **given: Any) -> None:
    """Confirm it, as a lead approver."""
    with made.house.ledger.begin((who or made.lead).fresh) as tx:
        row = held(tx, made, acceptance_id, Action.RISK_CONFIRM)
        acceptances.confirm(tx, acceptance=row, **{"digest_seen": row.digest, **given})


def take_back(made: Bench, acceptance_id: UUID, *, who: Person | None = None, why: str = "") -> None:
    """Let the proposal fall."""
    with made.house.ledger.begin((who or made.reviewer).actor) as tx:
        acceptances.take_back(tx, acceptance=held(tx, made, acceptance_id, Action.FINDING_FOLLOW), why=why)


def revoke(made: Bench, acceptance_id: UUID, *, who: Person | None = None, why: str = "The site was lost.") -> None:
    """Revoke it, as a reviewer."""
    with made.house.ledger.begin((who or made.other).fresh) as tx:
        row = held(tx, made, acceptance_id, Action.RISK_REVOKE)
        acceptances.revoke(tx, acceptance=row, why=why, row_version=row.row_version)


def accepted(made: Bench, **given: Any) -> UUID:
    """Return an acceptance that two people signed."""
    acceptance_id = propose(made, **given)
    confirm(made, acceptance_id)
    return acceptance_id


def held(tx: Any, made: Bench, acceptance_id: UUID, action: Action) -> RiskAcceptance:
    """Return the row of an acceptance, as a view gets it."""
    return acceptances.get(tx, judging.get(tx, finding(made).id), acceptance_id, action)


def risks_of(made: Bench) -> list[AcceptedRisk]:
    """Return every acceptance of the first finding, the newest first."""
    with made.house.ledger.begin(SYSTEM) as tx:
        return list(risks.of_finding(tx, finding(made).id))
