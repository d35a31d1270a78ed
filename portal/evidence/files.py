"""A file of the library: fetched, described by its vendor, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from portal import policy
from portal.evidence import report, rules
from portal.evidence.dating import in_force
from portal.evidence.facts import (
    EvidenceDescribed,
    EvidenceRemoved,
)
from portal.evidence.models import Evidence
from portal.evidence.rules.prefill import Proposal, confirmed
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import N_, EvidenceState, Role

KEPT = N_("This file was relied on, so it is kept until %(day)s. Upload a new file to replace it.")
OPENABLE = frozenset({EvidenceState.ATTACHED, EvidenceState.VERIFIED, EvidenceState.REJECTED})


def get(tx: Tx, evidence_id: UUID, action: Action) -> Evidence:
    """Return a file that the actor may do this to.

    :raises NotFound: if there is none, it was removed, or the actor may not know of it. The lab knows of a file
        once its bytes have arrived.
    :raises Forbidden: if the actor may not do this.
    """
    row = tx.session.get(Evidence, evidence_id)
    if row is None or row.removed_at is not None:
        raise NotFound
    if tx.actor.is_lab and row.state in (EvidenceState.RESERVED, EvidenceState.REFUSED):
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def describe(
    tx: Tx,
    *,
    evidence: Evidence,
    kind: str,
    title: str,
    raw: Mapping[str, str],
    row_version: int,
    proposals: Sequence[Proposal] = (),
) -> None:
    """State what a file is and the dates that its validity follows from. A rejected file is judged anew.

    :param raw: the form fields that ``rules.parse_details`` reads.
    :param proposals: what was read in the file and stood in the form: what is left of it, the actor confirms.
    :raises Refused: with the problems of the fields.
    :raises Conflict: if it was verified, or somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_UPLOAD, evidence)
    problems: dict[str, str] = {}
    if kind not in rules.KINDS:
        raise Refused(problems={"kind": [said("Choose the type of evidence")]})
    wanted = rules.tidy(title)
    if len(wanted) > rules.MAX_TITLE:
        problems["title"] = said("Use at most %(most)s characters for the title", most=rules.MAX_TITLE)
    parsed = rules.parse_details(kind, raw, today=tx.now.date())
    if isinstance(parsed, rules.Problems):
        raise Refused(problems={field: [words] for field, words in {**problems, **parsed}.items()})
    details, rows = rules.split(parsed)
    if problems:
        raise Refused(problems={field: [words] for field, words in problems.items()})
    if evidence.state is EvidenceState.VERIFIED:
        raise Conflict(said("This file was verified as it is described. Upload a new file to replace it."))
    uploaded_on = (evidence.received_at or evidence.created_at).date()
    holds = rules.validity(kind, details, uploaded_on, in_force(tx))
    state = EvidenceState.ATTACHED if evidence.state is EvidenceState.REJECTED else evidence.state
    change = {
        "kind": kind,
        "title": wanted or rules.KINDS[kind].title,
        "details": details,
        **held(holds),
        "restricted": rules.restricted(kind, details),
        "sources": _sources(tx, evidence, parsed, confirmed(kind, proposals, parsed)),
        "state": state,
        "row_version": row_version + 1,
    }
    if evidence.state is EvidenceState.REJECTED:
        change |= {"taken_up_by": None, "taken_up_at": None}
    expect = {"row_version": row_version, "state": [EvidenceState.ATTACHED, EvidenceState.REJECTED]}
    if not swap(tx, evidence, expect=expect, change=change):
        raise late(evidence)
    tx.record(
        EvidenceDescribed(
            evidence_id=evidence.id,
            vendor_id=evidence.vendor_id,
            kind=kind,
            digest=digest({"title": evidence.title, "details": details}),
            valid_until=holds.valid_until.isoformat() if holds.valid_until else None,
        )
    )
    report.enter(tx, evidence=evidence, found=rows)


def _sources(
    tx: Tx, evidence: Evidence, details: Mapping[str, Any], found: Mapping[str, Proposal]
) -> dict[str, dict[str, Any]]:
    """Return of each detail where it was read and who confirmed it; who confirmed the same value before remains."""
    now = {"confirmed_by": str(tx.actor.id), "confirmed_by_name": tx.actor.name, "confirmed_at": tx.now.isoformat()}
    sources: dict[str, dict[str, Any]] = {}
    for name, proposal in found.items():
        before: dict[str, Any] = evidence.sources.get(name, {})
        same = before.get("value") == proposal.value and evidence.details.get(name) == details[name]
        sources[name] = before if same else {**proposal.stored(), **now}
    return sources


def remove(tx: Tx, *, evidence: Evidence) -> None:
    """Take a file from the library: its uploader, or a vendor admin, before anybody signed with it.

    A reaction ends its uses in open answers and refuses if it was signed with.

    :raises Forbidden: if it is a colleague's file and the actor is no vendor admin.
    :raises Conflict: if it is signed with.
    """
    policy.check(tx.actor, Action.EVIDENCE_DELETE, evidence)
    if evidence.uploaded_by != tx.actor.id and Role.VENDOR_ADMIN not in tx.actor.roles:
        raise Forbidden(said("Only the person who uploaded a file, or a vendor admin, can remove it."))
    if evidence.state is EvidenceState.VERIFIED:
        raise Conflict(said("A verified file stays. Upload a new file to replace it."))
    if evidence.retained_until is not None and evidence.retained_until >= tx.now.date():
        raise Conflict(said(KEPT, day=evidence.retained_until))
    change = {"removed_at": tx.now, "row_version": evidence.row_version + 1}
    if swap(tx, evidence, expect={"removed_at": None, "state": evidence.state}, change=change):
        tx.record(EvidenceRemoved(evidence_id=evidence.id, vendor_id=evidence.vendor_id))


def held(holds: rules.Validity) -> dict[str, Any]:
    """Return how long a file holds, as columns."""
    return {"valid_from": holds.valid_from, "valid_until": holds.valid_until, "validity_rule": holds.rule}


def late(evidence: Evidence) -> Conflict:
    """Return the refusal of a change that was made from an older page."""
    return Conflict(
        said("This file was changed since you opened the page. Yours was not saved over it. Reload and compare."),
        current={"state": evidence.state.value, "row_version": evidence.row_version},
    )
