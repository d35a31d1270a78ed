"""Whatever happens to a file, what is stored for the gate is what a fresh look would write down."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal import reactions
from portal.attestations import facts as attestation_facts
from portal.attestations.models import AttestedCitation
from portal.evidence import facts as evidence_facts
from portal.evidence import service as evidence
from portal.evidence.models import Evidence
from portal.gate import grounds
from portal.gate.models import ClearanceEvidence
from portal.kernel.errors import Conflict
from portal.kernel.ledger import Fact
from portal.policy import Action
from portal.reviews import service as reviews
from portal.terms import Acceptance, EvidenceState
from portal.wiring import House
from tests.factories.lapsing import LETTER, REPORT, SYSTEM, add, approved, check, file_of, judge, newer
from tests.factories.reviews import Bench

NOT_KEPT_YET = {"EvidenceReserved", "EvidenceReceived", "EvidenceRefused"}
LATER = date(2027, 5, 31)
SAYS_NOTHING_OF_ITS_REACH = {
    "EvidenceScanned",
    "EvidenceOpened",
    "OpeningsLimited",
    "EvidenceRetained",
    "EvidenceRead",
    "EvidenceTakenUp",
    "ReportEntered",
    "ReportCorrected",
    "CriteriaNamed",
    "ExceptionAssessed",
    "UserControlAssigned",
    "UserControlSettled",
    "LikenessFound",
    "FirmChecked",
}
CHANGES_NO_SIGNED_REVISION = {
    "AnswerSaved",
    "EvidenceCited",
    "CitationRemoved",
    "MessagePosted",
    "AttestationSigned",
    "AnswersCarried",
    "AnswersConfirmed",
    "AssessmentMigrated",
    "AttestationPrinted",
    "AnswersSentBack",
    "SentBackSettled",
    "SignatureAsked",
}


def facts_of(module: Any) -> set[str]:
    return {
        name
        for name, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Fact) and each.__module__ == module.__name__
    }


def test_every_fact_of_evidence_and_citations_is_followed_or_named_as_one_that_changes_nothing() -> None:
    followed = {fact.__name__ for fact, told in reactions.REACTIONS.items() if grounds.follow in told}
    harmless = NOT_KEPT_YET | SAYS_NOTHING_OF_ITS_REACH | CHANGES_NO_SIGNED_REVISION
    assert facts_of(evidence_facts) | facts_of(attestation_facts) == followed | harmless
    assert not followed & harmless


def stored(bench: Bench) -> dict[tuple[str, UUID], tuple[Any, Any]]:
    with bench.house.ledger.begin(SYSTEM) as tx:
        rows = tx.session.execute(sa.select(ClearanceEvidence)).scalars()
        return {(row.requirement, row.evidence_id): (row.pinned_until, row.holds_until) for row in rows}


def looked_at_anew(bench: Bench) -> dict[tuple[str, UUID], tuple[Any, Any]]:
    with bench.house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(Evidence, file_of(bench, "SPL"))
        grounds.follow(tx, evidence_facts.EvidenceVerified(row.id, row.vendor_id, row.sha256))
    return stored(bench)


def describe(bench: Bench, file: UUID, kind: str, details: dict[str, Any]) -> None:
    with bench.house.ledger.begin(bench.desk.respondent.actor) as tx:
        row = evidence.get(tx, file, Action.EVIDENCE_UPLOAD)
        raw = {f"detail-{name}": value for name, value in details.items()}
        evidence.describe(tx, evidence=row, kind=kind, title="", raw=raw, row_version=row.row_version)


def lose(bench: Bench, file: UUID, state: EvidenceState, fact: Callable[..., Fact], *more: Any) -> None:
    with bench.house.ledger.begin(SYSTEM) as tx:
        row = tx.session.get_one(Evidence, file)
        row.state, row.refusal = state, "Malware was found" if state is EvidenceState.REFUSED else ""
        tx.record(fact(row.id, row.vendor_id, *more))


def test_after_every_act_the_stored_days_are_those_of_a_fresh_look(house: House) -> None:
    bench = approved(house, LETTER)
    report, letter = file_of(bench, "SOC2"), file_of(bench, "BL")
    made: dict[str, UUID] = {}
    short = LETTER | {"covers_until": "2026-12-31"}
    more = LETTER | {"covers_from": "2027-01-01", "covers_until": "2027-02-28"}

    def gone() -> None:
        with house.ledger.begin(bench.desk.respondent.actor) as tx:
            evidence.remove(tx, evidence=evidence.get(tx, made["letter"], Action.EVIDENCE_DELETE))

    acts: list[Callable[[], Any]] = [
        lambda: describe(bench, letter, "BL", short),
        lambda: made.update(letter=add(house, bench.desk, "BL", more, LATER)),
        lambda: describe(bench, letter, "BL", LETTER),
        lambda: judge(bench, letter),
        gone,
        lambda: judge(bench, report, note="Pages are missing."),
        lambda: describe(bench, report, "SOC2", REPORT | {"period_end": "2026-02-28"}),
        lambda: judge(bench, report),
        lambda: made.update(new=newer(bench)),
        lambda: check(bench, made["new"], bench.reviewer.actor),
        lambda: describe(bench, made["new"], "SOC2", REPORT | {"period_end": "2026-10-31"}),
        lambda: judge(bench, made["new"]),
        lambda: lose(bench, made["new"], EvidenceState.INTEGRITY_FAILURE, evidence_facts.EvidenceIntegrityFailed, ""),
        lambda: lose(bench, report, EvidenceState.REFUSED, evidence_facts.EvidenceInfected),
    ]
    seen = [stored(bench)]
    for number, act in enumerate(acts, start=1):
        act()
        seen.append(stored(bench))
        assert looked_at_anew(bench) == seen[-1], f"act {number}"
    assert len({tuple(sorted(map(str, each.items()))) for each in seen}) > len(acts) / 2


def test_a_use_is_not_judged_any_more_once_it_was_decided_on(house: House) -> None:
    bench = approved(house)
    with pytest.raises(Conflict), bench.at(bench.reviewer.actor) as (tx, review):
        statement = sa.select(AttestedCitation.citation_id).where(
            AttestedCitation.attestation_id == review.attestation_id
        )
        first = tx.session.execute(statement.limit(1)).scalar_one()
        reviews.judge_citation(tx, review=review, citation_id=first, acceptance=Acceptance.REJECTED)
