"""What stands inside a report: entered by its vendor, corrected and assessed by the lab; its tasks done by the lab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.evidence import rules
from portal.evidence.facts import (
    CriteriaNamed,
    ExceptionAssessed,
    ReportCorrected,
    ReportEntered,
    UserControlAssigned,
    UserControlSettled,
)
from portal.evidence.models import Evidence, ReportCarveOut, ReportControl, ReportException
from portal.evidence.rules.fields import Field
from portal.identity import queries as people
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.swap import swap
from portal.kernel.words import said
from portal.policy import Action
from portal.terms import CarveMethod, EvidenceState, UserControlState

MAX_NOTE = 2_000
_Row = TypeVar("_Row", ReportException, ReportCarveOut, ReportControl)
_Judged = TypeVar("_Judged", ReportException, ReportControl)
_JUDGEABLE = (EvidenceState.ATTACHED, EvidenceState.VERIFIED, EvidenceState.REJECTED)


def read_rows(raw: Mapping[str, str]) -> rules.ReportRows:
    """Return the rows of a report as a form brings them.

    :raises Refused: with the problems of the cells.
    """
    problems = rules.Problems()
    found = rules.parse_rows(raw, problems)
    if problems:
        raise Refused(problems={field: [words] for field, words in problems.items()})
    return found


def enter(tx: Tx, *, evidence: Evidence, found: rules.ReportRows) -> None:
    """Make the rows of a report those that were entered. Whoever calls has checked who may.

    A row that stays keeps its id, and with it what the lab did about it; an exception whose wording changed is
    assessed anew. A row that is not entered any more ends, and stays in the table.

    :raises Refused: if one organisation is entered twice.
    """
    _once_each(found)
    changes = _merge(tx, evidence, ReportException, found.exceptions, _exception)
    changes += _merge(tx, evidence, ReportCarveOut, found.carve_outs, _carve_out)
    changes += _merge(tx, evidence, ReportControl, found.controls, _control)
    if not changes:
        return
    _hand_down_tasks(tx, evidence)
    fact = ReportEntered if tx.actor.is_vendor else ReportCorrected
    tx.record(
        fact(
            evidence_id=evidence.id,
            vendor_id=evidence.vendor_id,
            exceptions=len(found.exceptions),
            carve_outs=len(found.carve_outs),
            controls=len(found.controls),
            digest=digest([[dict(row) for row in rows] for rows in _three(found)]),
        )
    )


def correct(tx: Tx, *, evidence: Evidence, raw: Mapping[str, str], row_version: int) -> None:
    """Put a reviewer's reading of a report in the place of what its vendor entered.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Refused: with the problems of the cells.
    :raises Conflict: if the file is no report that can be judged, or somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    if evidence.kind != "SOC2":
        raise Conflict(said("Only a SOC 2 report is read this way."))
    found = read_rows(raw)
    _next_version(tx, evidence, row_version, {})
    enter(tx, evidence=evidence, found=found)


def name_criteria(tx: Tx, *, evidence: Evidence, criteria: str, row_version: int) -> None:
    """Name the criteria that the opinion is qualified on; without them the report cannot be verified.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Refused: without criteria.
    :raises Conflict: if somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, evidence)
    wanted = rules.tidy(criteria)
    if not wanted:
        raise Refused(
            problems={"criteria": [said("Enter the criteria that the opinion is qualified on, for example CC6.1")]}
        )
    if len(wanted) > rules.MAX_TEXT:
        raise Refused(
            problems={"criteria": [said("Use at most %(most)s characters for the criteria", most=rules.MAX_TEXT)]}
        )
    _next_version(tx, evidence, row_version, {"criteria_hit": wanted})
    tx.record(CriteriaNamed(evidence_id=evidence.id, vendor_id=evidence.vendor_id, criteria=wanted))


def get_exception(tx: Tx, exception_id: UUID, action: Action) -> ReportException:
    """Return an exception of a report that the actor may do this to.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    return _get(tx, ReportException, exception_id, action)


def get_control(tx: Tx, control_id: UUID, action: Action) -> ReportControl:
    """Return a control that a report leaves to its users, if the actor may do this to it.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not do this.
    """
    return _get(tx, ReportControl, control_id, action)


def assess(tx: Tx, *, exception: ReportException, acceptable: bool, note: str, row_version: int) -> None:
    """Say whether an exception is one that we can live with, and why.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Refused: without a note.
    :raises Conflict: if somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, exception)
    words = _noted(note, said("Say why the exception is acceptable, or why not"))
    change = {
        "acceptable": acceptable,
        "assessment": words,
        "assessed_by": tx.actor.id,
        "assessed_at": tx.now,
        "row_version": row_version + 1,
    }
    if not swap(tx, exception, expect={"row_version": row_version, "removed_at": None}, change=change):
        raise _late()
    tx.record(
        ExceptionAssessed(
            exception_id=exception.id,
            evidence_id=exception.evidence_id,
            vendor_id=exception.vendor_id,
            control=exception.control,
            acceptable=acceptable,
        )
    )


def work_on(
    tx: Tx,
    *,
    control: ReportControl,
    owner_id: UUID | None,
    due_on: date | None,
    state: UserControlState,
    note: str,
    row_version: int,
) -> None:
    """Give a control that is left to us to somebody by a day, or say that it is in place or not needed.

    :raises Forbidden: if the actor may not judge evidence.
    :raises Refused: if the owner is nobody of the lab, or it is said not to be needed without a reason.
    :raises Conflict: if somebody was faster.
    """
    policy.check(tx.actor, Action.EVIDENCE_JUDGE, control)
    if owner_id is not None and owner_id not in {each.id for each in people.lab_people(tx, active_only=True)}:
        raise Refused(problems={"owner": [said("Choose somebody of the lab who can sign in")]})
    needs_words = state is UserControlState.NOT_NEEDED
    words = _noted(note, said("Say why the control is not needed") if needs_words else "")
    settled = state is not UserControlState.OPEN
    was = (control.owner_id, control.due_on, control.state)
    stays = settled and control.state is state
    change = {
        "owner_id": owner_id,
        "due_on": due_on,
        "state": state,
        "note": words,
        "settled_by": (control.settled_by if stays else tx.actor.id) if settled else None,
        "settled_at": (control.settled_at if stays else tx.now) if settled else None,
        "row_version": row_version + 1,
    }
    if not swap(tx, control, expect={"row_version": row_version, "removed_at": None}, change=change):
        raise _late()
    about = {"control_id": control.id, "evidence_id": control.evidence_id, "vendor_id": control.vendor_id}
    if was[:2] != (owner_id, due_on):
        day = due_on.isoformat() if due_on else None
        tx.record(UserControlAssigned(**about, owner_id=owner_id, due_on=day))
    if was[2] is not state:
        tx.record(UserControlSettled(**about, state=state))


def _get(tx: Tx, model: type[_Judged], wanted: UUID, action: Action) -> _Judged:
    row = tx.session.get(model, wanted)
    if row is None or row.removed_at is not None:
        raise NotFound
    file = tx.session.get(Evidence, row.evidence_id)
    if file is None or file.removed_at is not None:
        raise NotFound
    policy.check(tx.actor, action, row)
    return row


def _next_version(tx: Tx, evidence: Evidence, row_version: int, change: Mapping[str, Any]) -> None:
    expect = {"row_version": row_version, "state": list(_JUDGEABLE), "removed_at": None}
    if not swap(tx, evidence, expect=expect, change={**change, "row_version": row_version + 1}):
        raise _late()


def _noted(note: str, without: str) -> str:
    words = note.strip()
    if without and not words:
        raise Refused(problems={"note": [without]})
    if len(words) > MAX_NOTE:
        raise Refused(problems={"note": [said("Use at most %(most)s characters", most=MAX_NOTE)]})
    return words


def _late() -> Conflict:
    return Conflict(
        said("This was changed since you opened the page. Yours was not saved over it. Reload and compare.")
    )


def _three(found: rules.ReportRows) -> Iterable[Iterable[Mapping[str, Any]]]:
    return (found.exceptions, found.carve_outs, found.controls)


def _once_each(found: rules.ReportRows) -> None:
    field: Field = rules.KINDS["SOC2"].field("carve_out_rows")
    seen: set[str] = set()
    for number, row in enumerate(found.carve_outs):
        key = rules.organisation_key(row["organisation"])
        if key in seen:
            words = said(
                "Row %(number)s: %(what)s is entered twice. Keep one row for each organisation",
                number=number + 1,
                what=row["organisation"],
            )
            raise Refused(problems={field.id: [words]})
        seen.add(key)


def _exception(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "control": row["control"],
        "criterion": row.get("criterion", ""),
        "text": row["text"],
        "rate": row.get("rate", ""),
        "response": row.get("response", ""),
        "questions": list(rules.question_keys(row.get("questions", "")) or ()),
    }


def _carve_out(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "organisation": row["organisation"],
        "organisation_key": rules.organisation_key(row["organisation"]),
        "purpose": row.get("purpose", ""),
        "method": CarveMethod(row["method"]),
    }


def _control(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"text": row["text"], "criterion": row.get("criterion", "")}


def _merge(
    tx: Tx,
    evidence: Evidence,
    model: type[_Row],
    rows: Iterable[Mapping[str, Any]],
    columns: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> int:
    """Return how many rows began, changed or ended."""
    statement = sa.select(model).where(model.evidence_id == evidence.id, model.removed_at.is_(None))
    standing = {str(row.id): row for row in tx.session.execute(statement).scalars()}
    wanted = [(standing.pop(str(row.get("id", "")), None), columns(row)) for row in rows]
    for gone in standing.values():
        gone.removed_at = tx.now
    # Ended first: another row may take the name of one that ended.
    tx.session.flush()
    changed = len(standing)
    for position, (known, values) in enumerate(wanted):
        if known is None:
            tx.session.add(_new(tx, evidence, model, position, values))
            changed += 1
        else:
            changed += _change(known, position, values)
    tx.session.flush()
    return changed


def _new(tx: Tx, evidence: Evidence, model: type[_Row], position: int, values: Mapping[str, Any]) -> _Row:
    return model(
        id=tx.new_id(),
        vendor_id=evidence.vendor_id,
        evidence_id=evidence.id,
        position=position,
        entered_by=tx.actor.id,
        entered_at=tx.now,
        **values,
    )


def _change(row: ReportException | ReportCarveOut | ReportControl, position: int, values: Mapping[str, Any]) -> int:
    differing = {name for name, value in values.items() if getattr(row, name) != value}
    for name in differing:
        setattr(row, name, values[name])
    if differing - {"questions"} and isinstance(row, ReportException):
        # What was assessed is what stood there.
        row.acceptable, row.assessment, row.assessed_by, row.assessed_at = None, "", None, None
    if differing and isinstance(row, ReportException | ReportControl):
        row.row_version += 1
    row.position = position
    return bool(differing)


def _hand_down_tasks(tx: Tx, evidence: Evidence) -> None:
    """A newer report that leaves the same control to us leaves it to the person who had it."""
    if evidence.supersedes_id is None:
        return
    older = {
        rules.organisation_key(row.text): row.owner_id
        for row in tx.session.execute(
            sa.select(ReportControl).where(
                ReportControl.evidence_id == evidence.supersedes_id,
                ReportControl.removed_at.is_(None),
                ReportControl.owner_id.is_not(None),
            )
        ).scalars()
    }
    if not older:
        return
    statement = sa.select(ReportControl).where(
        ReportControl.evidence_id == evidence.id,
        ReportControl.removed_at.is_(None),
        ReportControl.owner_id.is_(None),
        ReportControl.entered_at == tx.now,
    )
    for row in tx.session.execute(statement).scalars():
        if owner_id := older.get(rules.organisation_key(row.text)):
            row.owner_id = owner_id
            tx.record(
                UserControlAssigned(
                    control_id=row.id,
                    evidence_id=evidence.id,
                    vendor_id=evidence.vendor_id,
                    owner_id=owner_id,
                    due_on=None,
                )
            )
    tx.session.flush()
