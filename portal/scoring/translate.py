"""From a signed revision, its proofs and the reviewers' marks to the inputs of a score. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from portal.attestations.rules import Snapshot
from portal.evidence.rules import Reach
from portal.kernel.canonical import canonical_bytes
from portal.questionnaires.rules import (
    FLAGS,
    Facts,
    Questionnaire,
    QuestionState,
    credit,
    facts_from,
    value_of,
)
from portal.scoring import rules
from portal.scoring.rules import Policy, State

CLAIM_LENGTH = 80
ASSURANCE_KEY = "gov.assurance.level"
"""The question whose credit the opinion in a SOC 2 report limits."""

_STATES = {
    QuestionState.HIDDEN: State.HIDDEN,
    QuestionState.ZERO: State.ZERO,
    QuestionState.BLANK: State.BLANK,
    QuestionState.NA_CLAIMED: State.NA_CLAIMED,
    QuestionState.ANSWERED: State.OK,
}


@dataclass(frozen=True, slots=True)
class Paper:
    """What counts of a cited file. A rejected file, or a rejected use of it, is simply not there.

    It counts through ``valid_until``, and through ``verified_until`` as verified if it is. ``cap`` is the most that a
    SOC 2 report verified by ``judged_by`` lets the level of assurance be worth. ``checked``: it is a newer revision of
    what was signed with, and a reviewer found that it proves the same; ``check_again``: a newer one waits for that.
    ``outdated``: an officer's statement on an earlier version of the answer.
    """

    citation_id: UUID
    question_key: str
    evidence_id: UUID
    sha256: str
    kind: str
    verified: bool
    verified_until: date | None
    valid_until: date | None
    cap: int | None = None
    judged_by: UUID | None = None
    checked: bool = False
    bridged_from: date | None = None
    bridged_until: date | None = None
    check_again: bool = False
    outdated: bool = False

    @property
    def reach(self) -> Reach:
        """How far this use of the file reaches."""
        return Reach(self.verified, self.verified_until, self.valid_until, self.bridged_from, self.bridged_until)


def inputs_for(
    *,
    questionnaire: Questionnaire,
    snapshot: Snapshot,
    papers: Iterable[Paper],
    findings: Mapping[str, rules.Finding],
    not_applicable: Mapping[str, rules.NotApplicable],
    policy: Policy,
    as_of: date,
) -> rules.Inputs:
    """Return everything the score of this revision is a function of, on this day."""
    counted = tuple(papers)
    facts = facts_from(snapshot.scoping, questionnaire)
    version = version_of(questionnaire, snapshot.tier)
    asked = {question.key for question in version.questions}
    proofs = _proofs(counted)
    answers = []
    for key, signed in snapshot.answers.items():
        if key not in asked:
            continue
        answer = signed.answer
        worth = credit(questionnaire.question(key), answer) if signed.state is QuestionState.ANSWERED else None
        answers.append(
            rules.Answer(
                key=key,
                state=_state(signed.state, accepted=key in not_applicable),
                credit=worth or 0,
                proofs=tuple(proofs.get(key, ())),
                claim=canonical_bytes(value_of(answer)).decode()[:CLAIM_LENGTH],
                finding=capped(key, worth or 0, findings.get(key), counted),
                not_applicable=not_applicable.get(key),
            )
        )
    held: dict[str, rules.Held] = {}
    for paper in sorted(counted, key=lambda each: _last(each.valid_until)):
        held[str(paper.evidence_id)] = rules.Held(str(paper.evidence_id), paper.kind, paper.valid_until)
    return rules.Inputs(
        version=version,
        policy=policy,
        answers=tuple(answers),
        exposure=exposure_of(facts),
        as_of=as_of,
        held=tuple(held.values()),
        facts=tuple(name for name in FLAGS if facts.flag(name)),
        raised_tier=snapshot.tier,
        hashes=(
            ("attestation", snapshot.digest),
            ("policy", rules.digest(policy)),
            ("questionnaire", questionnaire.digest),
            *((f"evidence:{key}", digest) for key, digest in sorted({(str(p.evidence_id), p.sha256) for p in counted})),
        ),
    )


def capped(key: str, credit: int, finding: rules.Finding | None, papers: Iterable[Paper]) -> rules.Finding | None:
    """Return the finding that limits an answer: a reviewer's own, or that of a verified SOC 2 report's opinion.

    A qualified opinion leaves at most 60 to the answer about the level of assurance, an adverse one or a disclaimer
    nothing. The best opinion among the reports that the answer names counts, and only what a reviewer verified says
    anything, so that attaching a bad report costs nobody points.
    """
    if key != ASSURANCE_KEY:
        return finding
    judged = [paper for paper in papers if paper.question_key == key and paper.cap is not None and paper.judged_by]
    if not judged:
        return finding
    best = max(judged, key=lambda paper: (paper.cap or 0, str(paper.evidence_id)))
    cap = best.cap or 0
    if cap >= (credit if finding is None else finding.credit):
        return finding
    return rules.Finding(
        credit=cap, author=str(best.judged_by), reason=_CAP_WORDS[cap], evidence=(str(best.evidence_id),)
    )


_CAP_WORDS = {
    60: "The opinion in the verified SOC 2 report is qualified: at most 60 of 100",
    0: "The opinion in the verified SOC 2 report is adverse or a disclaimer: no credit",
}


def _proofs(papers: Iterable[Paper]) -> dict[str, list[rules.Proof]]:
    """Return the proofs of each question; a file that an answer names twice is one proof, the better of the two."""
    found: dict[str, dict[str, rules.Proof]] = {}
    for paper in sorted(papers, key=lambda each: (each.verified, _last(each.valid_until))):
        proof = rules.Proof(
            str(paper.evidence_id),
            verified=paper.verified,
            valid_until=paper.valid_until,
            verified_until=paper.verified_until if paper.verified else None,
        )
        found.setdefault(paper.question_key, {})[proof.key] = proof
    return {key: list(proofs.values()) for key, proofs in found.items()}


def _last(day: date | None) -> date:
    return day or date.max


def _state(state: QuestionState, *, accepted: bool) -> State:
    """Return how an answer is scored: a claim not to apply leaves the score only once a reviewer accepted it."""
    return State.NA if accepted and state is QuestionState.NA_CLAIMED else _STATES[state]


def exposure_of(facts: Facts) -> rules.Exposure:
    """Return what the vendor can touch, from the scoping facts as they were signed."""
    return rules.Exposure(
        data_classes=(facts.dmax,),
        access_modes=tuple(int(mode[1:]) for mode in facts.modes),
        open_crowd=facts.crowd,
        own_devices=facts.byod,
        subcontracted=facts.subs,
        people=facts.people,
    )


_versions: dict[tuple[str, int], rules.Version] = {}


def version_of(questionnaire: Questionnaire, tier: int) -> rules.Version:
    """Return the scored part of a questionnaire version, made once a process: the digest names it for ever."""
    name = (questionnaire.digest, tier)
    if name not in _versions:
        _versions[name] = _version(questionnaire, tier)
    return _versions[name]


def _version(questionnaire: Questionnaire, tier: int) -> rules.Version:
    """Return the scored part of a questionnaire version.

    The policy lowers evidence levels in tier 3 by itself; the level handed in is the file's, lowered by the version's
    own offset only where the policy does not do it.
    """
    scored = [question for question in questionnaire.questions if question.is_scored]
    offset = 0 if tier == 3 else questionnaire.evidence_offset
    used = {question.section for question in scored}
    return rules.Version(
        digest=questionnaire.digest,
        domains=tuple(
            rules.Domain(section.key, section.weight) for section in questionnaire.sections if section.key in used
        ),
        questions=tuple(
            rules.Question(
                key=question.key,
                domain=question.section,
                weight=question.weight,
                level=max(0, question.evidence.level + offset),
                knock_out_limit=question.knock_out.limit if question.knock_out else None,
                knock_out_tiers=tuple(sorted(question.knock_out.tiers)) if question.knock_out else (1, 2, 3),
                tiers=tuple(sorted(question.tiers)),
            )
            for question in scored
        ),
    )
