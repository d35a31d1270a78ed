"""The answers that were signed with a file, on its page: judged one by one or many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal import policy
from portal.attestations import library
from portal.evidence import service as evidence
from portal.evidence.queries import LibraryLine
from portal.kernel.errors import NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.reviews import service as reviews
from portal.reviews.service import Judged, Proof
from portal.sites.lab.workspace.wording import AnswerShown, answer_shown
from portal.sites.shared import does, page
from portal.sites.shared.pages import begin
from portal.terms import Acceptance

bp = Blueprint("lab_uses", __name__)


@dataclass(frozen=True, slots=True)
class ProofLine:
    """One signed use as the page shows it, with the answer in words."""

    proof: Proof
    said: AnswerShown | None

    @property
    def ticked(self) -> bool:
        """Whether it waits for a word that the reader can give, so that its box is ticked."""
        waits = self.proof.check_again if self.proof.older else self.proof.acceptance is Acceptance.UNJUDGED
        return self.proof.open and waits


def panel(tx: Tx, line: LibraryLine) -> dict[str, object]:
    """Return what ``_uses.html`` shows: signed uses to judge, those of an older revision to check, and drafts."""
    proofs: Sequence[Proof] = ()
    if policy.may(tx.actor, Action.REVIEW_READ, line):
        proofs = reviews.proofs_of(tx, evidence.get(tx, line.id, Action.EVIDENCE_READ))
    lines = [ProofLine(each, answer_shown(each.question, each.answer)) for each in proofs]
    shown = {each.citation_id for each in proofs}
    uses = library.uses_of(tx, line.vendor_id, evidence_id=line.id).get(line.id, ())
    return {
        "proofs": [each for each in lines if not each.proof.older],
        "rechecks": [each for each in lines if each.proof.older],
        "uses": [each for each in uses if each.citation_id not in shown],
    }


@bp.post("/lab/evidence/<uuid:evidence_id>/uses")
@does(Action.EVIDENCE_JUDGE)
def judge(evidence_id: UUID) -> ResponseReturnValue:
    """Let a file prove the ticked answers, or not; or say that this revision proves them as the older one did.

    A conflict only if nothing was judged: what is refused has changed nothing.
    """
    ticked = request.form.getlist("cite")
    does_what, reason = request.form.get("do", ""), request.form.get("reason")
    problem = ""
    with begin() as tx:
        file = evidence.get(tx, evidence_id, Action.EVIDENCE_JUDGE)
        name = file.file_name
        try:
            if does_what == "recheck":
                said = reviews.recheck_many(tx, evidence=file, citation_ids=_seen(ticked))
            elif does_what == "reject" and ticked:
                said = reviews.reject_many(tx, evidence=file, seen=_seen(ticked), reason=reason or "")
            elif does_what in {"accept", "reject"}:
                said = reviews.accept_many(tx, evidence=file, seen=_seen(ticked))
            else:
                raise Refused("Choose what the file does for these answers.")
        except Refused as refusal:
            if "reason" not in refusal.problems:
                raise
            problem = refusal.problems["reason"][0]
    if problem:
        shown = {"evidence_id": evidence_id, "name": name, "ticked": ticked}
        asked_before = reason is not None
        answer = page("lab/evidence/why_not.html", **shown, problems=[problem] if asked_before else [])
        return answer, 422 if asked_before else 200
    left = [each for each in said if each.why]
    words = _words(does_what, said)
    if not left:
        flash(words)
        return redirect(f"{url_for('lab_evidence.show', evidence_id=evidence_id)}#uses", 303)
    status = 409 if len(left) == len(said) else 200
    return page("lab/evidence/judged.html", evidence_id=evidence_id, name=name, said=words, left=left), status


def _seen(ticked: Sequence[str]) -> Mapping[UUID, Acceptance]:
    """Return the ticked uses, each with the acceptance that stood beside it."""
    try:
        pairs = [each.partition(":") for each in ticked]
        return {UUID(first): Acceptance(last) for first, _, last in pairs}
    except ValueError:
        raise NotFound from None


def _words(does_what: str, said: Sequence[Judged]) -> str:
    done = sum(not each.why for each in said)
    answers = f"{done} {'answer' if done == 1 else 'answers'}"
    return {
        "accept": f"Accepted for {answers}.",
        "reject": f"Not accepted for {answers}.",
        "recheck": f"The new revision proves {answers} too.",
    }[does_what]
