"""Who may do what: one table, deny by default. Pure.

"May they?" is answered here; "is it the moment?" is the room's rule. Source: the matrix of roles and actions that
docs/threat-model.md prints, and tests/house/policy_matrix.txt pins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portal.kernel.actor import Actor, ActorKind
from portal.kernel.errors import Forbidden, NotFound, StepUpRequired
from portal.kernel.words import said
from portal.terms import LAB_ROLES, VENDOR_ROLES, Role, Scope


class Action(StrEnum):
    """Everything that somebody may do. An endpoint names one; so does every fetched row."""

    # for everybody, signed in or not
    PUBLIC = "public"
    SIGN_OUT = "sign_out"
    ACCOUNT_MANAGE = "account.manage"
    STEP_UP = "step_up"

    # the vendor's side
    HOME_READ = "home.read"
    ASSESSMENT_READ = "assessment.read"
    ASSESSMENT_WHOLE = "assessment.whole"
    SECTION_READ = "section.read"
    ANSWER_WRITE = "answer.write"
    SCOPING_CONFIRM = "scoping.confirm"
    MESSAGE_SHARED = "message.shared"
    EVIDENCE_UPLOAD = "evidence.upload"
    EVIDENCE_DELETE = "evidence.delete"
    EVIDENCE_READ = "evidence.read"
    ATTESTATION_SIGN = "attestation.sign"
    ATTESTATION_WITHDRAW = "attestation.withdraw"
    SEND_BACK = "answers.send_back"
    SENT_BACK_SETTLE = "sent_back.settle"
    SIGNATURE_ASK = "signature.ask"
    OUTCOME_READ = "outcome.read"
    FINDING_ANSWER = "finding.answer"
    SECOND_LOOK_ASK = "second_look.ask"
    TEAM_READ = "team.read"
    TEAM_MANAGE = "team.manage"
    SECTION_ASSIGN = "section.assign"
    EVERYTHING_EXPORT = "everything.export"
    MORE_TIME_ASK = "more_time.ask"

    # the lab's side
    VENDOR_READ = "vendor.read"
    VENDOR_ADD = "vendor.add"
    ENGAGEMENT_WRITE = "engagement.write"
    TIER_RAISE = "tier.raise"
    ASSESSMENT_CREATE = "assessment.create"
    ASSESSMENT_CANCEL = "assessment.cancel"
    ASSESSMENT_MIGRATE = "assessment.migrate"
    MORE_TIME_ANSWER = "more_time.answer"
    VENDOR_INVITE = "vendor.invite"
    REVIEW_READ = "review.read"
    REVIEW_CLAIM = "review.claim"
    REVIEW_ASSIGN = "review.assign"
    REVIEW_SNOOZE = "review.snooze"
    VIEW_KEEP = "view.keep"
    REVIEW_JUDGE = "review.judge"
    EVIDENCE_JUDGE = "evidence.judge"
    FLAGS_READ = "flags.read"
    FIRM_CHECK = "firm.check"
    NOTE_INTERNAL = "note.internal"
    QUESTIONS_RETURN = "questions.return"
    REMEDY_RETURN = "remedy.return"
    REMEDY_VERIFY = "remedy.verify"
    FINDING_FOLLOW = "finding.follow"
    RISK_PROPOSE = "risk.propose"
    RISK_CONFIRM = "risk.confirm"
    RISK_REVOKE = "risk.revoke"
    SECOND_LOOK_ANSWER = "second_look.answer"
    RECOMMEND = "recommend"
    DECISION_PREPARE = "decision.prepare"
    DECISION_PROPOSE = "decision.propose"
    DECISION_CONFIRM = "decision.confirm"
    SCORE_READ = "score.read"
    GATE_READ = "gate.read"
    PAUSE = "pause"
    RESUME = "resume"
    REVOKE = "revoke"
    LAB_PEOPLE_READ = "lab_people.read"
    LAB_PEOPLE_MANAGE = "lab_people.manage"
    CONFLICT_DECLARE = "conflict.declare"
    CLIENTS_READ = "clients.read"
    CLIENTS_MANAGE = "clients.manage"
    AUDIT_READ = "audit.read"
    QUESTIONNAIRE_READ = "questionnaire.read"
    QUESTIONNAIRE_DRAFT = "questionnaire.draft"
    QUESTIONNAIRE_PUBLISH = "questionnaire.publish"
    POLICY_READ = "policy.read"
    POLICY_DRAFT = "policy.draft"
    POLICY_PUBLISH = "policy.publish"
    MAIL_READ = "mail.read"

    # machines
    API_GATE_READ = "api.gate.read"
    API_DOCUMENT_READ = "api.document.read"


STEP_UP = frozenset(
    {
        Action.ATTESTATION_SIGN,
        Action.EVERYTHING_EXPORT,
        Action.DECISION_PROPOSE,
        Action.DECISION_CONFIRM,
        Action.REMEDY_VERIFY,
        Action.RISK_PROPOSE,
        Action.RISK_CONFIRM,
        Action.RISK_REVOKE,
        Action.PAUSE,
        Action.RESUME,
        Action.REVOKE,
        Action.LAB_PEOPLE_MANAGE,
        Action.CLIENTS_MANAGE,
    }
)
"""Acts that need a factor given moments ago (security.md, roles x actions, mark S; ASVS 7.5.3)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to be allowed: a name to print and a test over actor and object.

    ``anything`` answers for an endpoint, before the object is known: could the actor be allowed at all?
    """

    name: str
    anything: Callable[[Actor], bool]
    allows: Callable[[Actor, Any], bool]


def own_vendor(role: Role) -> Rule:
    """A person of the object's own vendor with this role."""

    def has(actor: Actor) -> bool:
        return actor.vendor_id is not None and role in actor.roles

    return Rule(f"own:{role}", has, lambda actor, thing: has(actor) and _vendor_of(thing) == actor.vendor_id)


def own_section(role: Role) -> Rule:
    """As own_vendor, and the section was given to the person (or to nobody, unless they keep to what is theirs)."""

    def has(actor: Actor) -> bool:
        return actor.vendor_id is not None and role in actor.roles

    def allows(actor: Actor, thing: Any) -> bool:
        if not has(actor) or _vendor_of(thing) != actor.vendor_id:
            return False
        given = getattr(thing, "assignee_ids", None)
        # What is no section at all, an assessment, is looked at section by section later.
        free = not (keeps_to_given(actor) and hasattr(thing, "assignee_ids"))
        return free if given is None else actor.id in given

    return Rule(f"own-section:{role}", has, allows)


def seen_section(role: Role) -> Rule:
    """As own_vendor, and the section was given to the person if they see only what was."""

    def has(actor: Actor) -> bool:
        return actor.vendor_id is not None and role in actor.roles

    return Rule(
        f"seen-section:{role}",
        has,
        lambda actor, thing: (
            has(actor)
            and _vendor_of(thing) == actor.vendor_id
            and (not keeps_to_given(actor) or actor.id in (getattr(thing, "assignee_ids", None) or ()))
        ),
    )


def sees_all(role: Role) -> Rule:
    """As own_vendor, and the person is not one who sees only the sections given to them."""

    def has(actor: Actor) -> bool:
        return actor.vendor_id is not None and role in actor.roles and not keeps_to_given(actor)

    return Rule(f"own-whole:{role}", has, lambda actor, thing: has(actor) and _vendor_of(thing) == actor.vendor_id)


def keeps_to_given(actor: Actor) -> bool:
    """Return whether the actor sees and answers only the sections given to them: admins and signatories see all."""
    return actor.given_only and not actor.roles & {Role.VENDOR_ADMIN, Role.SIGNATORY}


def role(role: Role) -> Rule:
    """A person of the lab with this role."""

    def has(actor: Actor) -> bool:
        return actor.is_lab and actor.id is not None and role in actor.roles

    return Rule(f"lab:{role}", has, lambda actor, _thing: has(actor))


def assigned(role: Role) -> Rule:
    """A person of the lab with this role, on a review that is theirs, or on one that nobody has yet."""

    def has(actor: Actor) -> bool:
        return actor.is_lab and actor.id is not None and role in actor.roles

    return Rule(
        f"assigned:{role}",
        has,
        lambda actor, thing: has(actor) and getattr(thing, "reviewer_id", None) == actor.id,
    )


def unless_anothers(role: Role) -> Rule:
    """A person of the lab with this role, on a review that is theirs or nobody's."""

    def has(actor: Actor) -> bool:
        return actor.is_lab and actor.id is not None and role in actor.roles

    return Rule(
        f"unless-anothers:{role}",
        has,
        lambda actor, thing: has(actor) and getattr(thing, "reviewer_id", None) in {None, actor.id},
    )


def scope(scope: Scope) -> Rule:
    """A service client with this scope, for the vendors it was given."""

    def has(actor: Actor) -> bool:
        return actor.kind is ActorKind.CLIENT and scope in actor.scopes

    return Rule(
        f"scope:{scope}",
        has,
        lambda actor, thing: has(actor) and (actor.vendor_ids is None or _vendor_of(thing) in actor.vendor_ids),
    )


def _vendor_of(thing: Any) -> object:
    return getattr(thing, "vendor_id", None)


SIGNED_IN = Rule("signed-in", lambda a: a.id is not None, lambda a, _t: a.id is not None)
ANYBODY = Rule("anybody", lambda _a: True, lambda _a, _t: True)

_VENDOR_PEOPLE = tuple(own_vendor(each) for each in sorted(VENDOR_ROLES))
_LAB_PEOPLE = tuple(role(each) for each in sorted(LAB_ROLES))
_REVIEWER, _LEAD = role(Role.REVIEWER), role(Role.LEAD_APPROVER)
_ADMIN, _AUDITOR = role(Role.PROGRAM_ADMIN), role(Role.AUDITOR)
_MINE = assigned(Role.REVIEWER)

GRANTS: dict[Action, tuple[Rule, ...]] = {
    Action.PUBLIC: (ANYBODY,),
    Action.SIGN_OUT: (SIGNED_IN,),
    Action.ACCOUNT_MANAGE: (SIGNED_IN,),
    Action.STEP_UP: (SIGNED_IN,),
    Action.HOME_READ: _VENDOR_PEOPLE,
    Action.ASSESSMENT_READ: (*_VENDOR_PEOPLE, _REVIEWER, _LEAD, _AUDITOR),
    Action.ASSESSMENT_WHOLE: (
        sees_all(Role.RESPONDENT),
        own_vendor(Role.SIGNATORY),
        own_vendor(Role.VENDOR_ADMIN),
        _REVIEWER,
        _LEAD,
        _AUDITOR,
    ),
    Action.SECTION_READ: (
        seen_section(Role.RESPONDENT),
        own_vendor(Role.SIGNATORY),
        own_vendor(Role.VENDOR_ADMIN),
        _REVIEWER,
        _LEAD,
        _AUDITOR,
    ),
    Action.ANSWER_WRITE: (own_section(Role.RESPONDENT), own_vendor(Role.VENDOR_ADMIN)),
    Action.SCOPING_CONFIRM: (own_vendor(Role.VENDOR_ADMIN),),
    Action.MESSAGE_SHARED: (*_VENDOR_PEOPLE, _MINE, _LEAD),
    Action.EVIDENCE_UPLOAD: (own_vendor(Role.RESPONDENT), own_vendor(Role.VENDOR_ADMIN)),
    Action.EVIDENCE_DELETE: (own_vendor(Role.RESPONDENT), own_vendor(Role.VENDOR_ADMIN)),
    Action.EVIDENCE_READ: (*_VENDOR_PEOPLE, _REVIEWER, _LEAD, _AUDITOR),
    Action.ATTESTATION_SIGN: (own_vendor(Role.SIGNATORY),),
    Action.ATTESTATION_WITHDRAW: (own_vendor(Role.SIGNATORY), own_vendor(Role.VENDOR_ADMIN)),
    Action.SEND_BACK: (own_vendor(Role.SIGNATORY), own_vendor(Role.VENDOR_ADMIN)),
    Action.SENT_BACK_SETTLE: _VENDOR_PEOPLE,
    Action.SIGNATURE_ASK: (own_vendor(Role.RESPONDENT), own_vendor(Role.VENDOR_ADMIN)),
    Action.OUTCOME_READ: _VENDOR_PEOPLE,
    Action.FINDING_ANSWER: _VENDOR_PEOPLE,
    Action.SECOND_LOOK_ASK: (own_vendor(Role.VENDOR_ADMIN), own_vendor(Role.SIGNATORY)),
    Action.TEAM_READ: _VENDOR_PEOPLE,
    Action.TEAM_MANAGE: (own_vendor(Role.VENDOR_ADMIN),),
    Action.SECTION_ASSIGN: (own_vendor(Role.VENDOR_ADMIN),),
    Action.EVERYTHING_EXPORT: (own_vendor(Role.VENDOR_ADMIN), own_vendor(Role.SIGNATORY)),
    Action.MORE_TIME_ASK: _VENDOR_PEOPLE,
    Action.VENDOR_READ: _LAB_PEOPLE,
    Action.VENDOR_ADD: (_REVIEWER, _LEAD, _ADMIN),
    Action.ENGAGEMENT_WRITE: (_REVIEWER, _LEAD, _ADMIN),
    Action.TIER_RAISE: (_REVIEWER, _LEAD, _ADMIN),
    Action.ASSESSMENT_CREATE: (_REVIEWER, _LEAD, _ADMIN),
    Action.ASSESSMENT_CANCEL: (_LEAD, _ADMIN),
    Action.ASSESSMENT_MIGRATE: (_REVIEWER, _LEAD, _ADMIN),
    Action.MORE_TIME_ANSWER: (_REVIEWER, _LEAD, _ADMIN),
    Action.VENDOR_INVITE: (_REVIEWER, _LEAD, _ADMIN),
    Action.REVIEW_READ: (_REVIEWER, _LEAD, _AUDITOR),
    Action.REVIEW_CLAIM: (_REVIEWER, _LEAD),
    Action.REVIEW_ASSIGN: (_LEAD, _ADMIN),
    Action.REVIEW_SNOOZE: (unless_anothers(Role.REVIEWER), _LEAD),
    Action.VIEW_KEEP: (_REVIEWER, _LEAD, _AUDITOR),
    Action.REVIEW_JUDGE: (_MINE, assigned(Role.LEAD_APPROVER)),
    Action.EVIDENCE_JUDGE: (_REVIEWER, _LEAD),
    Action.FLAGS_READ: (_REVIEWER, _LEAD, _AUDITOR),
    Action.FIRM_CHECK: (_REVIEWER, _LEAD),
    Action.NOTE_INTERNAL: (_MINE, _LEAD),
    Action.QUESTIONS_RETURN: (_MINE, _LEAD),
    Action.REMEDY_RETURN: (_REVIEWER, _LEAD),
    Action.REMEDY_VERIFY: (_REVIEWER, _LEAD),
    Action.FINDING_FOLLOW: (_REVIEWER, _LEAD),
    Action.RISK_PROPOSE: (_REVIEWER, _LEAD),
    Action.RISK_CONFIRM: (_LEAD,),
    Action.RISK_REVOKE: (_REVIEWER, _LEAD),
    Action.SECOND_LOOK_ANSWER: (_REVIEWER, _LEAD),
    Action.RECOMMEND: (_MINE, assigned(Role.LEAD_APPROVER)),
    Action.DECISION_PREPARE: (_MINE, _LEAD),
    Action.DECISION_PROPOSE: (_MINE, _LEAD),
    Action.DECISION_CONFIRM: (_LEAD,),
    Action.SCORE_READ: (_REVIEWER, _LEAD, _ADMIN, _AUDITOR),
    Action.GATE_READ: _LAB_PEOPLE,
    Action.PAUSE: (_REVIEWER, _LEAD, _ADMIN),
    Action.RESUME: (_LEAD,),
    Action.REVOKE: (_LEAD,),
    Action.LAB_PEOPLE_READ: (_ADMIN, _AUDITOR),
    Action.LAB_PEOPLE_MANAGE: (_ADMIN,),
    Action.CONFLICT_DECLARE: _LAB_PEOPLE,
    Action.CLIENTS_READ: (_ADMIN, _AUDITOR),
    Action.CLIENTS_MANAGE: (_ADMIN,),
    Action.AUDIT_READ: (_LEAD, _ADMIN, _AUDITOR),
    Action.QUESTIONNAIRE_READ: _LAB_PEOPLE,
    Action.QUESTIONNAIRE_DRAFT: (_REVIEWER, _LEAD, _ADMIN),
    Action.QUESTIONNAIRE_PUBLISH: (_LEAD, _ADMIN),
    Action.POLICY_READ: _LAB_PEOPLE,
    Action.POLICY_DRAFT: (_REVIEWER, _LEAD, _ADMIN),
    Action.POLICY_PUBLISH: (_LEAD, _ADMIN),
    Action.MAIL_READ: (_ADMIN,),
    Action.API_GATE_READ: (scope(Scope.GATE_READ),),
    Action.API_DOCUMENT_READ: (ANYBODY,),
}


def may(actor: Actor, action: Action, thing: Any) -> bool:
    """Return whether the actor may do this to this thing. What is not granted is nobody's."""
    return any(rule.allows(actor, thing) for rule in GRANTS.get(action, ()))


def may_ever(actor: Actor, action: Action) -> bool:
    """Return whether any thing exists to which the actor could do this (for endpoints and navigation)."""
    return any(rule.anything(actor) for rule in GRANTS.get(action, ()))


def sees(actor: Actor, thing: Any) -> bool:
    """Return whether the actor may know that the thing exists: its own vendor's, or anything for the lab."""
    vendor_id = _vendor_of(thing)
    if actor.kind is ActorKind.SYSTEM:
        return True
    if actor.is_vendor:
        return vendor_id == actor.vendor_id
    if actor.kind is ActorKind.CLIENT:
        return actor.vendor_ids is None or vendor_id in actor.vendor_ids
    return actor.id is not None


def check(actor: Actor, action: Action, thing: Any) -> None:
    """Refuse unless the actor may do this to this thing, with a fresh factor where the act needs one.

    The system itself passes: its commands are our own code, named in the trail.

    :raises NotFound: if the actor may not know of it.
    :raises Forbidden: if it may know, but not do this.
    :raises StepUpRequired: if only the fresh factor is missing.
    """
    if actor.kind is ActorKind.SYSTEM:
        return
    if not sees(actor, thing):
        raise NotFound
    if not may(actor, action, thing):
        raise Forbidden(said("Your role does not allow this."))
    if action in STEP_UP and not actor.fresh:
        raise StepUpRequired("Confirm that it is you.")


def check_ever(actor: Actor, action: Action) -> None:
    """Refuse an actor whom no thing could ever let do this.

    :raises Forbidden: if none could.
    """
    if actor.kind is not ActorKind.SYSTEM and not may_ever(actor, action):
        raise Forbidden(said("Your role does not allow this."))
