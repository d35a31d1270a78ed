"""A judged revision as OSCAL JSON 1.2: assessment plan, assessment results, plan of action and milestones. Pure.

OSCAL wants a plan behind every result and a system behind every plan. Ours is a stub that says so. A partial answer
has no state there: it is not satisfied, and a prop says how far it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from portal.exchange.rules.oscal import (
    Document,
    SignedRevision,
    catalog_resource,
    line,
    metadata,
    moment,
    oscal_id,
    proof_resources,
    prop,
    prose,
    resource,
    said,
    token,
)
from portal.questionnaires.rules import Questionnaire

PLAN, RESULTS, ACTIONS = "assessment-plan.json", "assessment-results.json", "plan-of-action-and-milestones.json"


@dataclass(frozen=True, slots=True)
class Judged:
    """One answer as the lab counts it. ``evidence`` says how far the proof goes, ``verdict`` is "" before any."""

    question_key: str
    credit: int | None
    evidence: str
    verdict: str
    accepted: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Satisfied only where the whole credit was accepted, or the question was accepted not to apply."""
        return "satisfied" if self.credit in (100, None) and self.verdict == "accept" else "not-satisfied"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A finding that was shared, or a condition of the decision."""

    name: str
    text: str
    question_key: str = ""
    severity: str = ""
    due_on: date | None = None
    closes_when: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a signed revision. ``outcome`` is "" before a decision."""

    signed: SignedRevision
    judged: tuple[Judged, ...]
    findings: tuple[Shortfall, ...]
    conditions: tuple[Shortfall, ...]
    begun_at: datetime
    ended_at: datetime | None
    at: datetime
    outcome: str = ""
    decision: str = ""
    score: str = ""


def assessment_plan(questionnaire: Questionnaire, reviewed: Reviewed) -> Document:
    """Return the stub of a plan: which questions were to be judged."""
    system = resource(
        oscal_id("system", reviewed.signed.vendor_slug),
        f"The work of {reviewed.signed.vendor}; no system security plan exists",
        f"urn:gatehouse:vendor:{token(reviewed.signed.vendor_slug)}",
    )
    return {
        "assessment-plan": {
            "uuid": _plan_id(reviewed),
            "metadata": metadata(
                f"Review of {reviewed.signed.vendor}", str(reviewed.signed.revision), reviewed.begun_at
            ),
            "import-ssp": {"href": f"#{system['uuid']}"},
            "reviewed-controls": _controls(reviewed),
            "back-matter": {"resources": [system, catalog_resource(questionnaire)]},
        }
    }


def assessment_results(questionnaire: Questionnaire, reviewed: Reviewed) -> Document:
    """Return what was found: an observation and a finding for each answer, and the officer's statements."""
    signed = reviewed.signed
    files = proof_resources(signed)
    plan = resource(oscal_id("plan resource", signed.attestation_id), "The stub of the plan", PLAN)
    result: Document = {
        "uuid": oscal_id("result", signed.attestation_id),
        "title": line(f"Review of revision {signed.revision}"),
        "description": prose(f"{signed.vendor} signed with the fingerprint {signed.digest}."),
        "start": moment(reviewed.begun_at),
        **({"end": moment(reviewed.ended_at)} if reviewed.ended_at else {}),
        "props": [
            prop("attestation-digest", signed.digest),
            prop("tier", signed.tier),
            *([prop("outcome", reviewed.outcome)] if reviewed.outcome else []),
            *([prop("decision", reviewed.decision)] if reviewed.decision else []),
            *([prop("score", reviewed.score)] if reviewed.score else []),
        ],
        "reviewed-controls": _controls(reviewed),
    }
    if signed.sentences:
        result["attestations"] = [
            {
                "parts": [
                    {
                        "name": "officer-statement",
                        "ns": "urn:gatehouse:oscal:1",
                        "title": line(f"{signed.signed_name}, {signed.signer_title}".rstrip(", ")),
                        "prose": prose(each),
                    }
                    for each in signed.sentences
                ]
            }
        ]
    if reviewed.judged:
        result["observations"] = [_observation(questionnaire, reviewed, each, files) for each in reviewed.judged]
        result["findings"] = [_finding(questionnaire, reviewed, each) for each in reviewed.judged]
    return {
        "assessment-results": {
            "uuid": oscal_id("results", signed.attestation_id, moment(reviewed.at)),
            "metadata": metadata(f"Review of {signed.vendor}", str(signed.revision), reviewed.at),
            "import-ap": {"href": f"#{plan['uuid']}"},
            "results": [result],
            "back-matter": {"resources": [plan, catalog_resource(questionnaire), *files.values()]},
        }
    }


def plan_of_action(reviewed: Reviewed) -> Document | None:
    """Return what is left to do: shared findings and the decision's conditions; nothing if there is nothing."""
    signed = reviewed.signed
    items = [_item(signed, "finding", each) for each in reviewed.findings]
    items += [_item(signed, "condition", each) for each in reviewed.conditions]
    if not items:
        return None
    return {
        "plan-of-action-and-milestones": {
            "uuid": oscal_id("actions", signed.attestation_id, moment(reviewed.at)),
            "metadata": metadata(f"What {signed.vendor} has to do", str(signed.revision), reviewed.at),
            "system-id": {
                "identifier-type": "https://ietf.org/rfc/rfc4122",
                "id": oscal_id("system", signed.vendor_slug),
            },
            "poam-items": items,
        }
    }


def _plan_id(reviewed: Reviewed) -> str:
    return oscal_id("plan", reviewed.signed.attestation_id)


def _controls(reviewed: Reviewed) -> Document:
    asked = [{"control-id": token(each.question_key)} for each in reviewed.judged]
    selection: Document = {"include-controls": asked} if asked else {"include-all": {}}
    return {"control-selections": [selection]}


def _observation(
    questionnaire: Questionnaire, reviewed: Reviewed, judged: Judged, files: dict[str, Document]
) -> Document:
    signed = reviewed.signed
    question = questionnaire.question(judged.question_key)
    _, answer = signed.answers[judged.question_key]
    proofs = [each for each in signed.proofs if each.question_key == judged.question_key]
    ends = sorted(each.valid_until for each in proofs if each.valid_until and each.sha256 in judged.accepted)
    found: Document = {
        "uuid": oscal_id("observation", signed.attestation_id, judged.question_key),
        "title": line(question.label),
        "description": prose(
            f"Answered {said(question, answer)}; {len(proofs)} {'file' if len(proofs) == 1 else 'files'} attached."
        ),
        "props": [prop("evidence-state", judged.evidence)],
        "methods": ["EXAMINE"] if proofs else ["INTERVIEW"],
        "collected": moment(signed.signed_at),
    }
    if proofs:
        found["relevant-evidence"] = [
            {
                "href": f"#{files[each.sha256]['uuid']}",
                "description": prose(", ".join(word for word in (each.file_name, each.where) if word)),
                "props": [prop("accepted", "yes" if each.sha256 in judged.accepted else "no")],
            }
            for each in proofs
        ]
    if ends:
        # An answer stands as long as the first of the files that prove it: to the end of its last day.
        found["expires"] = moment(datetime.combine(date.fromisoformat(ends[0]), time(23, 59, 59), UTC))
    return found


def _finding(questionnaire: Questionnaire, reviewed: Reviewed, judged: Judged) -> Document:
    signed = reviewed.signed
    question = questionnaire.question(judged.question_key)
    wrong: Sequence[Shortfall] = [each for each in reviewed.findings if each.question_key == judged.question_key]
    props = [prop("verdict", judged.verdict or "none"), prop("evidence-state", judged.evidence)]
    if judged.credit is not None:
        props.append(prop("credit", judged.credit))
        if 0 < judged.credit < 100:
            props.append(prop("partial", f"{judged.credit} of 100"))
    words = " ".join(f"{each.name}: {each.text}" for each in wrong)
    return {
        "uuid": oscal_id("finding", signed.attestation_id, judged.question_key),
        "title": line(f"{question.number} {question.label}"),
        "description": prose(words or question.text),
        "props": props,
        "target": {
            "type": "statement-id",
            "target-id": f"{token(judged.question_key)}_smt",
            "status": {"state": judged.state},
        },
        "related-observations": [
            {"observation-uuid": oscal_id("observation", signed.attestation_id, judged.question_key)}
        ],
    }


def _item(signed: SignedRevision, kind: str, each: Shortfall) -> Document:
    props = [prop("kind", kind)]
    props += [prop("control-id", token(each.question_key))] if each.question_key else []
    props += [prop("severity", each.severity)] if each.severity else []
    props += [prop("due-on", each.due_on.isoformat())] if each.due_on else []
    found: Document = {
        "uuid": oscal_id("action", signed.attestation_id, kind, each.name, each.text),
        "title": line(each.name),
        "description": prose(each.text + (f"\n\nCloses when: {each.closes_when}" if each.closes_when else "")),
        "props": props,
    }
    if kind == "finding" and each.question_key:
        found["related-findings"] = [{"finding-uuid": oscal_id("finding", signed.attestation_id, each.question_key)}]
    return found
