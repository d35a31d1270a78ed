"""The gate's answer as JSON: what is said, and what is signed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from portal.gate import service as gate
from portal.gate.rules import Answer, Question
from portal.kernel.actor import Actor

STATEMENT_TYPE: Final = "application/vnd.gatehouse.gate+json"
STATEMENT_LIFE: Final = timedelta(minutes=5)
"""A statement is never older than this when it is relied on, and never outlives the approval it tells of."""


def body_of(given: Answer) -> dict[str, Any]:
    """Return what is said, without a signature."""
    return {
        "decision": "allow" if given.allow else "deny",
        "reasons": [reason.value for reason in given.reasons],
        "vendor": given.vendor,
        "engagement": given.engagement,
        "sequence": given.sequence,
        "as_of": given.as_of.isoformat(),
        "valid_until": given.valid_until.isoformat() if given.valid_until else None,
        "conditions": [gate.condition_body(condition) for condition in given.conditions],
        "details": [gate.detail_body(detail) for detail in given.details],
    }


def statement_of(given: Answer, question: Question, actor: Actor) -> dict[str, Any]:
    """Return what is signed: the answer, for whom it is, what was asked, and until when it may be relied on.

    Only what the gate answers now is signed, never what it would answer later.
    """
    return {
        **body_of(given),
        "type": STATEMENT_TYPE,
        "audience": str(actor.id),
        "question": {
            "vendor": question.vendor,
            "data_class": question.data_class,
            "access_mode": question.access_mode,
            "purpose": question.purpose,
            "engagement": question.engagement,
        },
        "issued_at": given.as_of,
        "expires_at": stated_until(given),
    }


def stated_until(given: Answer) -> datetime:
    """Return when a statement of this answer ends: after five minutes, or with the approval if that is sooner."""
    end = given.as_of + STATEMENT_LIFE
    return min(end, given.valid_until) if given.valid_until else end
