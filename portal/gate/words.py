"""What the gate's reasons mean, in the words of every page that shows an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from portal.gate.rules import Answer, Reason

REASON_WORDS = {
    Reason.CLEARED: "Approved",
    Reason.CLEARED_WITH_CONDITIONS: "Approved with conditions",
    Reason.UNKNOWN_VENDOR: "We do not know this vendor",
    Reason.VENDOR_DISABLED: "The vendor is switched off",
    Reason.UNKNOWN_DATA_CLASS: "There is no such data class",
    Reason.UNKNOWN_ACCESS_MODE: "There is no such access mode",
    Reason.PURPOSE_MISSING: "The purpose is missing",
    Reason.PAUSED: "Paused",
    Reason.PAUSED_EVERYWHERE: "Every vendor is paused",
    Reason.NOT_ENGAGED: "There is no such engagement",
    Reason.ENGAGEMENT_NOT_STARTED: "The engagement has not started",
    Reason.ENGAGEMENT_ENDED: "The engagement has ended",
    Reason.NOT_DECIDED: "Nobody has decided yet",
    Reason.REJECTED: "Not approved",
    Reason.REVOKED: "The approval was revoked",
    Reason.EXPIRED: "The approval has ended",
    Reason.DATA_CLASS_NOT_COVERED: "The approval does not cover this data class",
    Reason.ACCESS_MODE_NOT_COVERED: "The approval does not cover this access mode",
    Reason.TIER_TOO_LOW: "The tier is stricter now than when it was decided",
    Reason.CONDITION_CLOSES: "Closed until a condition is met",
    Reason.CONDITION_OVERDUE: "A condition is overdue",
    Reason.EVIDENCE_EXPIRED: "Evidence that the approval rests on has lapsed",
    Reason.RISK_ACCEPTED: "A risk is accepted",
}


def because(reasons: Sequence[Reason]) -> str:
    """Return the reasons of an answer as one line: the first with a capital letter, the others after it."""
    said = [REASON_WORDS[reason] for reason in reasons]
    return "; ".join([said[0], *(words[0].lower() + words[1:] for words in said[1:])]) if said else ""


def reason_of(answer: Answer) -> str:
    """Return why an answer is what it is, with the open conditions named where they are what it hangs on."""
    words = because(answer.reasons)
    if named := findings_of(answer):
        words = f"{words} ({named})"
    texts = "; ".join(condition.text for condition in answer.conditions)
    return f"{words}: {texts}" if texts else words


def findings_of(answer: Answer) -> str:
    """Return the findings that an answer hangs on, with the last day of a risk that is accepted; empty for none."""
    said: dict[str, None] = {}
    for each in answer.details:
        if each.finding is not None:
            until = each.accepted_until
            said[f"{each.finding} until {until.day} {until:%B %Y}" if until else each.finding] = None
    return ", ".join(said)
