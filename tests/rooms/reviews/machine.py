"""The two state machines of security.md as a model in plain Python: who may do what, when, and what comes of it.

The model knows nothing of the portal: it is written from the tables of security.md. ``Model.expect_…`` says how an act
ends, ``Model.do_…`` what it changes. The machine in ``test_machine.py`` does the real thing beside it and compares.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

DONE, NOT_FOUND, FORBIDDEN, STEP_UP, CONFLICT, REFUSED = (
    "done",
    "NotFound",
    "Forbidden",
    "StepUpRequired",
    "Conflict",
    "Refused",
)
ANSWERABLE: Final = frozenset({"draft", "in_progress", "changes_requested"})
FINAL: Final = frozenset({"decided", "cancelled", "withdrawn"})
HOLDS: Final = timedelta(days=14)
"""How long a proposal waits for a second signature."""

MFA, KEYS, LOGS = "acc.mfa", "acc.keys", "acc.logs"
LAB: Final = ("r1", "r2", "l1", "l2", "l3", "lr", "pa", "au")
VENDORS: Final = ("a", "b")
TIERS: Final = (1, 2, 3)

MOVES: Final = frozenset(
    {
        # An assessment.
        ("none", "draft"),
        ("draft", "in_progress"),
        ("in_progress", "submitted"),
        ("submitted", "in_review"),
        ("submitted", "withdrawn"),
        ("in_review", "withdrawn"),
        ("in_review", "changes_requested"),
        ("changes_requested", "submitted"),
        ("in_review", "recommended"),
        ("recommended", "in_review"),
        ("recommended", "decided"),
        ("draft", "cancelled"),
        ("in_progress", "cancelled"),
        ("changes_requested", "cancelled"),
        # A clearance.
        ("none", "approve"),
        ("none", "approve_with_conditions"),
        ("none", "reject"),
        ("approve", "paused"),
        ("approve_with_conditions", "paused"),
        ("paused", "approve"),
        ("paused", "approve_with_conditions"),
        ("approve", "expired"),
        ("approve_with_conditions", "expired"),
        ("expired", "approve"),
        ("reject", "approve"),
        ("approve", "revoke"),
        ("approve_with_conditions", "revoke"),
        ("paused", "revoke"),
        ("revoke", "approve"),
    }
)
"""Every way from one state to another that the two tables name."""
DAILY: Final = frozenset(
    {
        ("in_progress", "submitted"),
        ("submitted", "in_review"),
        ("in_review", "changes_requested"),
        ("changes_requested", "submitted"),
        ("in_review", "recommended"),
        ("recommended", "decided"),
        ("none", "approve"),
    }
)
"""Those that must be gone in the few examples of every day."""

Slot = tuple[str, int]
"""A vendor and a tier: what it is engaged for once."""
Said = tuple[str, str] | None
"""A choice with a comment; None for a blank answer."""


@dataclass
class Review:
    """The judging of one revision: who has it, and who said what of which answer."""

    revision: int
    asked: frozenset[str]
    reviewer: str | None = None
    verdicts: dict[str, tuple[str | None, str, bool]] = field(default_factory=dict)
    closed: bool = False
    id: UUID | None = None


@dataclass
class Proposal:
    """A decision that waits for signatures, or that counts."""

    id: UUID
    by: str
    outcome: str
    exception: bool
    needed: int
    valid_until: date | None
    at: datetime
    signed: list[str] = field(default_factory=list)
    state: str = "proposed"


@dataclass
class Assessment:
    """One assessment as it must stand."""

    id: UUID
    slot: Slot
    state: str = "draft"
    revision: int = 1
    answers: dict[str, Said] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    signed: dict[str, Said] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()
    reopened: frozenset[str] = frozenset()
    waits: set[str] = field(default_factory=set)
    reviews: list[Review] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every question that its tier can ask."""
        return (MFA, KEYS, LOGS) if self.slot[1] == 1 else (MFA, KEYS)

    @property
    def visible(self) -> frozenset[str]:
        """The questions asked now: hardware keys only of those who have a second factor."""
        first = self.answers.get(MFA) or ((self.carried[MFA], "") if MFA in self.carried else None)
        return frozenset(key for key in self.keys if key != KEYS or (first is not None and first[0] == "yes"))

    @property
    def review(self) -> Review | None:
        """The judging of the newest revision."""
        return self.reviews[-1] if self.reviews else None

    @property
    def proposal(self) -> Proposal | None:
        """What waits for a signature."""
        return next((each for each in self.proposals if each.state == "proposed"), None)

    def is_open(self, key: str) -> bool:
        """Whether an answer may change: all before the first signature, then what came back or was never asked."""
        if self.state not in ANSWERABLE:
            return False
        return self.state != "changes_requested" or key in self.reopened or key in self.unseen

    @property
    def complete(self) -> bool:
        """Whether it can be signed."""
        lacking = any(_lacks(self.answers.get(key)) for key in self.visible)
        return not lacking and not self.visible & (set(self.carried) | self.waits)

    @property
    def working(self) -> bool:
        """Whether the newest revision is being judged."""
        return self.state == "in_review" and self.review is not None and not self.review.closed

    @property
    def takeable(self) -> bool:
        """Whether somebody can take its review."""
        return self.state in {"submitted", "in_review"} and self.review is not None and not self.review.closed

    def judges(self) -> set[str]:
        """Everybody who reviewed any revision, or said something of an answer that was not carried."""
        found = {each.reviewer for each in self.reviews if each.reviewer}
        return found | {by for each in self.reviews for _, by, carried in each.verdicts.values() if not carried}


def _lacks(said: Said) -> bool:
    return said is None or (said[0] == "partial" and not said[1])


@dataclass
class Pause:
    """A stop that is in force."""

    id: UUID
    by: str
    asked: str | None = None
    version: int = 1


@dataclass
class Revocation:
    """That somebody asked to take an approval back, and nobody confirmed it."""

    id: UUID
    by: str


@dataclass
class Clearance:
    """The newest step of one engagement."""

    act: str
    valid_until: date | None
    due: date | None = None
    closes: bool = False


@dataclass
class Model:
    """Everything that the real thing must agree with."""

    today: date
    roles: dict[str, set[str]] = field(default_factory=dict)
    assessments: dict[Slot, list[Assessment]] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    cleared: dict[Slot, Clearance] = field(default_factory=dict)
    revocations: dict[Slot, Revocation] = field(default_factory=dict)
    conflicts: set[tuple[str, str]] = field(default_factory=set)

    def newest(self, slot: Slot) -> Assessment | None:
        """Return the newest assessment of a slot."""
        return self.assessments[slot][-1] if self.assessments.get(slot) else None

    # Who may: the matrix of security.md.

    def has(self, who: str, *wanted: str) -> bool:
        """Whether somebody holds one of these roles now."""
        return bool(self.roles.get(who, set()) & set(wanted))

    def at_lab(self, who: str, wanted: Collection[str], vendor: str) -> str | None:
        """Return how a page of the lab's refuses somebody; None if it does not."""
        if who[0] in VENDORS and "." in who:
            return NOT_FOUND
        return None if self.has(who, *wanted) else FORBIDDEN

    def knows(self, who: str, wanted: Collection[str], vendor: str) -> str | None:
        """Return how a thing of a vendor refuses somebody: strangers do not know of it; None if it does not."""
        if "." in who and not who.startswith(f"{vendor}."):
            return NOT_FOUND
        return None if self.has(who, *wanted) else FORBIDDEN

    def reads(self, who: str, vendor: str) -> str | None:
        """Return how an assessment refuses to be read."""
        return self.knows(
            who, ("respondent", "vendor_admin", "signatory", "reviewer", "lead_approver", "auditor"), vendor
        )

    def tied(self, who: str, vendor: str) -> bool:
        """Whether somebody declared a conflict of interest (S3)."""
        return (who, vendor) in self.conflicts

    # The vendor's side.

    def expect_request(self, who: str, slot: Slot) -> str:
        if no := self.knows(who, ("reviewer", "lead_approver", "program_admin"), slot[0]):
            return no
        newest = self.newest(slot)
        return CONFLICT if newest is not None and newest.state not in FINAL else DONE

    def expect_save(self, who: str, row: Assessment, key: str, said: Said, *, stale: bool) -> str:
        if no := self.reads(who, row.slot[0]):
            return no
        if key not in row.keys:
            return NOT_FOUND
        if not self.has(who, "respondent", "vendor_admin"):
            return FORBIDDEN
        if row.answers.get(key) == said:
            return DONE if row.is_open(key) else CONFLICT
        return DONE if not stale and key in row.visible and row.is_open(key) else CONFLICT

    def do_save(self, row: Assessment, key: str, said: Said) -> None:
        if row.answers.get(key) == said:
            return
        row.answers[key] = said
        row.carried.pop(key, None)
        if row.state == "draft":
            row.state = "in_progress"

    def expect_sign(self, who: str, row: Assessment, *, fresh: bool, stale: bool) -> str:
        if no := self.reads(who, row.slot[0]):
            return no
        if not self.has(who, "signatory"):
            return FORBIDDEN
        if not fresh:
            return STEP_UP
        if row.state not in {"draft", "in_progress", "changes_requested"} or stale:
            return CONFLICT
        return DONE if row.complete else REFUSED

    def do_sign(self, row: Assessment) -> None:
        before = row.review
        if row.state == "changes_requested":
            row.revision += 1
        now = {key: row.answers.get(key) for key in row.visible}
        fresh = Review(row.revision, row.visible)
        if before is not None:
            for key, (verdict, by, _) in before.verdicts.items():
                same = key in now and key not in row.unseen and row.signed.get(key) == now[key]
                if same and key not in row.reopened and verdict in {"accept", "flag"}:
                    fresh.verdicts[key] = (verdict, by, True)
        row.signed, row.unseen = now, frozenset(row.keys) - row.visible
        row.state = "submitted"
        row.reviews.append(fresh)

    def expect_withdraw(self, who: str, row: Assessment) -> str:
        if no := self.reads(who, row.slot[0]):
            return no
        if not self.has(who, "signatory", "vendor_admin"):
            return FORBIDDEN
        return DONE if row.state in {"submitted", "in_review"} else CONFLICT

    def do_withdraw(self, row: Assessment) -> None:
        row.state = "withdrawn"
        if row.review:
            row.review.closed = True

    def expect_reply(self, who: str, row: Assessment, key: str) -> str:
        if no := self.reads(who, row.slot[0]):
            return no
        if key not in row.keys:
            return NOT_FOUND
        mine = row.review is not None and row.review.reviewer == who and self.has(who, "reviewer")
        if not mine and not self.has(who, "respondent", "vendor_admin", "signatory", "lead_approver"):
            return FORBIDDEN
        return CONFLICT if row.state in {"cancelled", "withdrawn"} else DONE

    def do_reply(self, who: str, row: Assessment, key: str) -> None:
        (row.waits.discard if "." in who else row.waits.add)(key)

    # The lab's side.

    def expect_cancel(self, who: str, row: Assessment) -> str:
        if no := self.knows(who, ("lead_approver", "program_admin"), row.slot[0]):
            return no
        return DONE if row.state in ANSWERABLE else CONFLICT

    def expect_claim(self, who: str, row: Assessment) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver"), row.slot[0]):
            return no
        if self.tied(who, row.slot[0]):
            return FORBIDDEN
        return DONE if row.takeable and row.review is not None and row.review.reviewer is None else CONFLICT

    def do_take(self, row: Assessment, who: str) -> None:
        assert row.review is not None
        row.review.reviewer = who
        row.state = "in_review"

    def expect_assign(self, who: str, row: Assessment, to: str) -> str:
        if no := self.at_lab(who, ("lead_approver", "program_admin"), row.slot[0]):
            return no
        if not self.has(to, "reviewer", "lead_approver") or self.tied(to, row.slot[0]):
            return REFUSED
        return DONE if row.takeable else CONFLICT

    def expect_release(self, who: str, row: Assessment) -> str:
        assert row.review is not None
        wanted = ("lead_approver", "program_admin")
        if row.review.reviewer == who:
            wanted = ("reviewer", "lead_approver")
        if no := self.at_lab(who, wanted, row.slot[0]):
            return no
        return DONE if row.takeable and row.review.reviewer is not None else CONFLICT

    def mine(self, who: str, row: Assessment) -> str | None:
        """Return how what only its reviewer does refuses somebody."""
        if no := self.at_lab(who, ("reviewer", "lead_approver"), row.slot[0]):
            return no
        has = row.review is not None and row.review.reviewer == who
        return None if has and not self.tied(who, row.slot[0]) else FORBIDDEN

    def expect_judge(self, who: str, row: Assessment, key: str) -> str:
        if no := self.mine(who, row):
            return no
        assert row.review is not None
        if not row.working:
            return CONFLICT
        verdict, _, carried = row.review.verdicts.get(key, (None, "", False))
        if carried and verdict == "accept":
            return CONFLICT
        return DONE if key in row.review.asked else NOT_FOUND

    def expect_return_questions(self, who: str, row: Assessment) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver"), row.slot[0]):
            return no
        if self.tied(who, row.slot[0]) or (not self.has(who, "lead_approver") and self.mine(who, row)):
            return FORBIDDEN
        if not row.working:
            return CONFLICT
        return DONE if self.asks(row) else REFUSED

    def asks(self, row: Assessment) -> frozenset[str]:
        """Return the answers that the reviewer asks about."""
        assert row.review is not None
        return frozenset(key for key, (verdict, _, _) in row.review.verdicts.items() if verdict == "ask")

    def do_return_questions(self, row: Assessment) -> None:
        assert row.review is not None
        row.reopened = self.asks(row)
        row.waits |= row.reopened
        row.review.closed = True
        row.state = "changes_requested"

    def expect_recommend(self, who: str, row: Assessment) -> str:
        if no := self.mine(who, row):
            return no
        assert row.review is not None
        if not row.working:
            return CONFLICT
        judged = {key for key, (verdict, _, _) in row.review.verdicts.items() if verdict is not None}
        return DONE if row.review.asked <= judged and not self.asks(row) else REFUSED

    def expect_return_to_review(self, who: str, row: Assessment) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver"), row.slot[0]):
            return no
        if not self.has(who, "lead_approver") or self.tied(who, row.slot[0]):
            return FORBIDDEN
        return DONE if row.state == "recommended" else CONFLICT

    def do_return_to_review(self, row: Assessment) -> None:
        row.state = "in_review"
        if row.proposal:
            row.proposal.state = "voided"

    # Deciding: separation of duties.

    def may_sign(self, who: str, row: Assessment, proposal: Proposal) -> bool:
        """Whether separation of duties lets somebody sign (S1 to S4, S8)."""
        approves, tier = proposal.outcome != "reject", row.slot[1]
        reviewer = row.review.reviewer if row.review else None
        lead = self.has(who, "lead_approver")
        if not lead and not ((tier == 3 or not approves) and who == reviewer and self.has(who, "reviewer")):
            return False
        if approves and tier < 3 and who in row.judges():
            return False
        return who not in proposal.signed and not self.tied(who, row.slot[0])

    def expect_propose(self, who: str, row: Assessment, *, fresh: bool, valid: bool, now: datetime) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver"), row.slot[0]):
            return no
        if not self.has(who, "lead_approver") and self.mine(who, row):
            return FORBIDDEN
        if not fresh:
            return STEP_UP
        if self.tied(who, row.slot[0]):
            return FORBIDDEN
        if row.state != "recommended" or (row.proposal is not None and now < row.proposal.at + HOLDS):
            return CONFLICT
        return DONE if valid else REFUSED

    def do_propose(self, who: str, row: Assessment, proposal: Proposal, step: Clearance) -> None:
        if row.proposal is not None:
            row.proposal.state = "voided"
        row.proposals.append(proposal)
        if self.may_sign(who, row, proposal):
            self.do_sign_decision(who, row, proposal, step)

    def expect_sign_decision(
        self, who: str, row: Assessment, proposal: Proposal, *, fresh: bool, stale: bool, now: datetime, rescored: bool
    ) -> str:
        if no := self.at_lab(who, ("lead_approver",), row.slot[0]):
            return no
        if not fresh:
            return STEP_UP
        if proposal.state != "proposed" or now >= proposal.at + HOLDS or stale:
            return CONFLICT
        if not self.may_sign(who, row, proposal):
            return FORBIDDEN
        over = proposal.valid_until is not None and proposal.valid_until < now.date()
        return CONFLICT if over or rescored else DONE

    def do_sign_decision(self, who: str, row: Assessment, proposal: Proposal, step: Clearance) -> None:
        proposal.signed.append(who)
        if len(proposal.signed) >= proposal.needed:
            proposal.state = "confirmed"
            row.state = "decided"
            assert row.review is not None
            row.review.closed = True
            self.cleared[row.slot] = step
            self.revocations.pop(row.slot, None)

    def expect_take_back(self, who: str, row: Assessment, proposal: Proposal) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver", "auditor"), row.slot[0]):
            return no
        if proposal.by != who:
            return FORBIDDEN
        return DONE if proposal.state == "proposed" else CONFLICT

    def expect_decline(self, who: str, row: Assessment, proposal: Proposal) -> str:
        if no := self.at_lab(who, ("reviewer", "lead_approver", "auditor"), row.slot[0]):
            return no
        if not self.may_sign(who, row, proposal):
            return FORBIDDEN
        return DONE if proposal.state == "proposed" else CONFLICT

    # People and vendors.

    def expect_conflict(self, who: str, vendor: str) -> str:
        return self.knows(who, ("reviewer", "lead_approver", "program_admin", "auditor"), vendor) or DONE

    def do_conflict(self, who: str, vendor: str) -> None:
        self.conflicts.add((who, vendor))
        for slot, rows in self.assessments.items():
            for row in rows if slot[0] == vendor else ():
                if row.state == "in_review" and row.review is not None and row.review.reviewer == who:
                    row.review.reviewer = None
                self.void_behind(who, row)
        self.void_asked(who, vendor)

    def void_asked(self, who: str, *vendors: str) -> None:
        """Let fall what somebody asked about the access of these vendors and nobody confirmed (S7)."""
        for vendor, pause in self.pauses.items():
            if vendor in vendors and pause.asked == who:
                pause.asked, pause.version = None, pause.version + 1
        for slot, asked in list(self.revocations.items()):
            if slot[0] in vendors and asked.by == who:
                del self.revocations[slot]

    def void_behind(self, who: str, row: Assessment) -> None:
        """Let fall what somebody proposed or signed of an assessment and nobody confirmed."""
        proposal = row.proposal
        if proposal is not None and who in {proposal.by, *proposal.signed}:
            proposal.state = "voided"

    def do_lose_role(self, who: str, role: str) -> None:
        self.roles[who].discard(role)
        for rows in self.assessments.values():
            for row in rows:
                self.void_behind(who, row)
        if role == "lead_approver":
            self.void_asked(who, *VENDORS, "*")

    def expect_pause(self, who: str, vendor: str, *, fresh: bool) -> str:
        roles = ("reviewer", "lead_approver", "program_admin")
        if "." in who:
            return FORBIDDEN if who.startswith(f"{vendor}.") else NOT_FOUND
        if not self.has(who, *roles):
            return FORBIDDEN
        if not fresh:
            return STEP_UP
        if vendor == "*" and not self.has(who, "lead_approver", "program_admin"):
            return FORBIDDEN
        return CONFLICT if vendor in self.pauses else DONE

    def expect_ask_resume(self, who: str, vendor: str, *, fresh: bool) -> str:
        if "." in who:
            return FORBIDDEN if who.startswith(f"{vendor}.") else NOT_FOUND
        if not self.has(who, "lead_approver"):
            return FORBIDDEN
        if not fresh:
            return STEP_UP
        if self.tied(who, vendor):
            return FORBIDDEN
        return CONFLICT if self.pauses[vendor].asked else DONE

    def expect_confirm_resume(self, who: str, vendor: str, *, fresh: bool) -> str:
        if "." in who:
            return FORBIDDEN if who.startswith(f"{vendor}.") else NOT_FOUND
        if not self.has(who, "lead_approver"):
            return FORBIDDEN
        if not fresh:
            return STEP_UP
        asked = self.pauses[vendor].asked
        return CONFLICT if asked is None else FORBIDDEN if asked == who or self.tied(who, vendor) else DONE

    def revoking(self, who: str, vendor: str, *, fresh: bool) -> str | None:
        """Return how either half of a revocation refuses somebody; None if it does not."""
        if "." in who:
            return FORBIDDEN if who.startswith(f"{vendor}.") else NOT_FOUND
        if not self.has(who, "lead_approver"):
            return FORBIDDEN
        return None if fresh else STEP_UP

    def in_force(self, slot: Slot) -> bool:
        """Whether the newest step of a slot is an approval whose last day is not over."""
        step = self.cleared[slot]
        return step.act.startswith("approve") and step.valid_until is not None and self.today <= step.valid_until

    def expect_ask_revoke(self, who: str, slot: Slot, *, fresh: bool) -> str:
        if no := self.revoking(who, slot[0], fresh=fresh):
            return no
        if self.tied(who, slot[0]):
            return FORBIDDEN
        return DONE if self.in_force(slot) and slot not in self.revocations else CONFLICT

    def expect_confirm_revoke(self, who: str, slot: Slot, *, fresh: bool) -> str:
        if no := self.revoking(who, slot[0], fresh=fresh):
            return no
        if self.revocations[slot].by == who or self.tied(who, slot[0]):
            return FORBIDDEN
        return DONE if self.in_force(slot) else CONFLICT

    def do_confirm_revoke(self, slot: Slot) -> None:
        self.cleared[slot] = Clearance("revoke", None)
        del self.revocations[slot]

    def clearance(self, slot: Slot) -> str:
        """Return where the clearance of a slot stands, as the table calls it."""
        step = self.cleared.get(slot)
        if step is None:
            return "none"
        if not step.act.startswith("approve"):
            return step.act
        if {"*", slot[0]} & self.pauses.keys():
            return "paused"
        over = step.valid_until is None or self.today > step.valid_until
        late = step.due is not None and self.today > step.due
        return "expired" if over or late else step.act

    def opens(self, slot: Slot) -> bool:
        """Whether the gate is open for what a slot is engaged for, were its evidence to last for ever."""
        step = self.cleared.get(slot)
        if step is None or not step.act.startswith("approve") or {"*", slot[0]} & self.pauses.keys():
            return False
        if step.valid_until is None or self.today > step.valid_until or step.closes:
            return False
        return step.due is None or self.today <= step.due


def people() -> dict[str, set[str]]:
    """Return everybody with their roles, as the world makes them; ``bot`` is a machine."""
    return {
        "r1": {"reviewer"},
        "r2": {"reviewer"},
        "l1": {"lead_approver"},
        "l2": {"lead_approver"},
        "l3": {"lead_approver"},
        "lr": {"lead_approver", "reviewer"},
        "pa": {"program_admin"},
        "au": {"auditor"},
        "bot": set(),
        **{
            f"{vendor}.{name}": {role}
            for vendor in VENDORS
            for name, role in (("resp", "respondent"), ("adm", "vendor_admin"), ("sig", "signatory"))
        },
    }


def told(kind: Any) -> str:
    """Return a refusal by the name of its kind."""
    from portal.kernel import errors

    for each in (errors.NotFound, errors.Forbidden, errors.StepUpRequired, errors.Conflict, errors.Refused):
        if isinstance(kind, each):
            return each.__name__
    raise AssertionError(f"nobody foresaw {kind!r}")
