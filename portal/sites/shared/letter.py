"""The letter of a decision: the published outcome in print, in the words of its page, and the same bytes every time."""

from __future__ import annotations

from typing import Any

from portal.assessments.queries import OutcomeLine
from portal.findings.second_look import last_day
from portal.kernel.paper import render
from portal.sites.shared.language import _, language, told
from portal.sites.shared.outcome import Access, Finding, Result, result_of
from portal.sites.shared.ui import day

PREVIEW = "preview"


def letter_of(outcome: OutcomeLine, *, lab_name: str, vendor_name: str) -> bytes:
    """Return the letter as a PDF, from the published outcome alone. Call it outside a transaction.

    An outcome without a number is one that nobody decided: its letter says that it is a preview.

    :raises TooLong: if it is too long to print.
    :raises Unavailable: if the press failed.
    """
    return render("letter", letter_data(outcome, lab_name=lab_name, vendor_name=vendor_name))


def letter_data(outcome: OutcomeLine, *, lab_name: str, vendor_name: str) -> dict[str, Any]:
    """Return what the letter says, in the language of the reader."""
    result = result_of(outcome.body)
    number = f"D-{outcome.number}" if outcome.number else PREVIEW
    return {
        "title": _("Decision %(number)s", number=number),
        "language": language(),
        "lab": lab_name,
        "made_at": outcome.published_at,
        "reference": number,
        "about": [
            [_("Vendor"), vendor_name],
            [_("Assessment"), outcome.title],
            [_("Decided on"), day(result.decided_on) if result.decided_on else ""],
            [_("Approval holds until"), day(result.valid_until) if result.valid_until else ""],
            [_("Tier"), str(result.tier or "")],
        ],
        "decision": told(result.word),
        "lead": lead_of(result, lab_name),
        "letter": result.letter,
        "score": _score(result),
        "findings": [_finding(each) for each in result.findings],
        "conditions": [
            {
                "text": str(each.get("text") or ""),
                "facts": [
                    [_("By"), day(each["due"]) if each["due"] else ""],
                    [_("Until it is met, this stays closed"), ", ".join(told(part) for part in each["closes"] if part)],
                    [_("Met by proof for"), str(each.get("finding") or "")],
                ],
            }
            for each in result.conditions
        ],
        "access": [
            [told(each.label), told(each.mode), _("Open") if each.open else _("Closed"), _because(each)]
            for each in result.access
        ],
        "domains": [
            [
                each.title,
                str(each.score) if each.score is not None else "–",
                str(each.threshold) if each.threshold is not None else "",
            ]
            for each in result.domains
        ],
        "signed": _(
            "Signed by %(names)s of %(lab)s.",
            names=_(" and ").join(result.signed_by),
            lab=lab_name,
        )
        if result.signed_by
        else "",
        "on": _("Decided on revision %(number)s as you signed it. Its fingerprint:", number=result.revision)
        if result.digest
        else "",
        "digest": result.digest,
        "words": {
            "page": _("Page {page} of {pages}"),
            "score": _("Score"),
            "fix": _("What to fix"),
            "nothing": _("Nothing. There is no open finding."),
            "conditions": _("Conditions"),
            "access": _("Your access"),
            "access-columns": [_("Data"), _("Access"), _("As decided"), _("Because")],
            "domains": _("How the score was computed"),
            "domain-columns": [_("Section"), _("Score"), _("Level for the tier")],
            "who": _("Who decided"),
            "second": _(
                "You can ask for a second look until %(day)s. Someone who did not take part in this decision answers "
                "within 5 working days.",
                day=day(last_day(outcome.published_at)),
            ),
        },
    }


def lead_of(result: Result, lab_name: str) -> str:
    """Return what the decision means, as one or two sentences."""
    until = day(result.valid_until) if result.valid_until else ""
    if not result.approved:
        return _(
            "%(lab)s does not approve this work as it stands. Below is why, and what would change it.", lab=lab_name
        )
    if result.conditions:
        if until:
            return _("You can work within the conditions below until %(day)s.", day=until)
        return _("You can work within the conditions below.")
    if until:
        return _("You can work until %(day)s. Nothing else is needed before then.", day=until)
    return _("You can work. Nothing else is needed.")


def _score(result: Result) -> list[list[str]]:
    if result.score is None:
        return []
    facts = [[_("Score"), _("%(score)s of 100", score=result.score)]]
    if result.threshold is not None:
        facts.append([_("Full approval from"), str(result.threshold)])
    if result.zones is not None and result.zones.fixed is not None:
        facts.append([_("With everything fixed"), str(result.zones.fixed)])
    return facts


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "title": f"{finding.name} {finding.number} {finding.label}".replace("  ", " "),
        "severity": told(finding.severity),
        "what": finding.what,
        "facts": [
            [_("Due"), day(finding.due_on) if finding.due_on else ""],
            [_("Closes when"), finding.closes_when],
            [_("Gains"), _("%(points)s points", points=finding.gain) if finding.gain else ""],
        ],
    }


def _because(access: Access) -> str:
    return told(access.because)
