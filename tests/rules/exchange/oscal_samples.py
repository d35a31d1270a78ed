"""A signed and judged revision with invented people and words, hostile ones among them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from portal.exchange.rules.oscal import Proof, SignedRevision
from portal.exchange.rules.oscal_review import Judged, Reviewed, Shortfall
from portal.questionnaires.rules import Answer, Kind, Question, compile_yaml

FULL = compile_yaml(
    (Path(__file__).parents[3] / "questionnaires" / "ai-contractor" / "v1.yaml").read_bytes(), "ai-contractor v1"
)
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SHA = "ab" * 32
HOSTILE = "  \x00Two\nlines\t\ud800 <b>& “quoted”\r\n" + "w" * 3_000


def answer_to(question: Question, number: int) -> Answer:
    """Some answer of the right kind."""
    if number % 7 == 0 and question.may_not_apply:
        return Answer(na=True, na_reason="We hold none.")
    if question.kind is Kind.NUMBER:
        return Answer(number=Decimal(number))
    if question.choices:
        option = question.choices[number % len(question.choices)]
        return Answer(choice=option.key, comment=HOSTILE if number % 5 == 0 else "", planned_on=date(2027, 1, 31))
    return Answer(text="As agreed.")


def signed() -> SignedRevision:
    """What an invented vendor signed."""
    return SignedRevision(
        attestation_id=UUID(int=7),
        digest="cd" * 32,
        vendor="Quillmark Annotation",
        vendor_slug="quillmark",
        revision=2,
        tier=1,
        signed_at=AT,
        signed_name="Daniel Osei",
        signer_title="",
        sentences=("I have authority to sign.", "It is true."),
        answers={each.key: ("answered", answer_to(each, n)) for n, each in enumerate(FULL.questions)},
        proofs=(
            Proof("gov.owner", SHA, "3, 5–7", "policy\u202e.pdf", HOSTILE, "POL", "2027-09-30"),
            Proof("gov.attest", SHA, "", "policy.pdf", "", "POL", ""),
        ),
    )


def reviewed() -> Reviewed:
    """What an invented reviewer made of it."""
    return Reviewed(
        signed=signed(),
        judged=tuple(
            Judged(
                each.key,
                (None, 0, 50, 100)[n % 4],
                "verified",
                ("accept", "flag", "")[n % 3],
                (SHA,) if each.key == "gov.owner" else (),
            )
            for n, each in enumerate(FULL.questions)
        ),
        findings=(Shortfall("F-1", HOSTILE, "gov.owner", "high", date(2027, 1, 31), "An export shows it."),),
        conditions=(Shortfall("Condition 1", "Show the export.", due_on=date(2027, 2, 1)),),
        begun_at=AT,
        ended_at=AT,
        at=AT,
        outcome="approve_with_conditions",
        decision="D-101",
        score="81.2",
    )
