"""Who may judge and who may sign: separation of duties S1 to S9 as one function over facts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from portal.terms import LAB_ROLES, Outcome, Role

RULES_SETTLE: Final = timedelta(days=7)
"""How long the author of a questionnaire or policy does not decide alone with it (S5)."""

ROLE_SETTLES: Final = timedelta(hours=24)
"""How long who made somebody an approver does not sign beside them (S6)."""


class Duty(StrEnum):
    """Which rule speaks (security.md, separation of duties)."""

    ROLE = "role"
    REVIEWER = "S1"
    TWICE = "S2"
    INTEREST = "S3"
    PROPOSER = "S4"
    AUTHOR = "S5"
    GRANTER = "S6"
    LOST_ROLE = "S7"
    MACHINE = "S8"


@dataclass(frozen=True, slots=True)
class Bar:
    """One reason why a person does not act here, in words that follow the person's name.

    ``brief`` says the same in brackets behind the name, where the words would be long.
    """

    duty: Duty
    words: str
    brief: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words

    @property
    def in_brief(self) -> str:
        """The reason as it stands in brackets: "Jonas Weil (worked at Quillmark until March)"."""
        return self.brief or self.words


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person as far as separation of duties needs it.

    ``made_approver_by``: who asked for and who confirmed an approver role that is younger than a day. ``conflicts``:
    the declared ones that have not ended. ``belonged``: an account or an invitation of the vendor had their address.
    ``earlier``: addresses that they had before.
    """

    id: UUID | None
    name: str
    email: str = ""
    roles: frozenset[Role] = frozenset()
    is_active: bool = True
    is_person: bool = True
    belonged: bool = False
    conflicts: tuple[str, ...] = ()
    made_approver_by: frozenset[UUID] = frozenset()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Authored:
    """What a score is made with, and who last changed it when."""

    what: str
    by: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be decided, as far as separation of duties needs it.

    ``judges``: who judged which revision. ``signed``: who signed the proposal already. ``proposer``: who proposed it;
    None while nothing is proposed. ``needed``: how many signatures it takes.
    """

    vendor: str
    domains: tuple[str, ...]
    tier: int
    revision: int
    assigned: UUID | None
    judges: Mapping[int, frozenset[UUID]]
    now: datetime
    authored: tuple[Authored, ...] = ()
    outcome: Outcome = Outcome.APPROVE
    exception: bool = False
    needed: int = 1
    proposer: UUID | None = None
    signed: tuple[Candidate, ...] = field(default=())


def in_domain(email: str, domains: Collection[str]) -> bool:
    """Whether an address is in one of these mail domains or below it."""
    host = email.rpartition("@")[2].lower()
    return bool(host) and any(host == each.lower() or host.endswith(f".{each.lower()}") for each in domains)


def interests(person: Candidate, vendor: str, domains: Collection[str]) -> tuple[Bar, ...]:
    """Return what ties a person to a vendor, so that they neither review nor decide it (S3)."""
    found = []
    if person.belonged or any(in_domain(each, domains) for each in (person.email, *person.earlier)):
        found.append(Bar(Duty.INTEREST, f"works or worked at {vendor}"))
    found.extend(
        Bar(Duty.INTEREST, f"declared a conflict of interest: {reason}", f"{reason[:1].lower()}{reason[1:]}")
        for reason in person.conflicts
    )
    return tuple(found)


def bars_to_review(person: Candidate, vendor: str, domains: Collection[str]) -> tuple[Bar, ...]:
    """Return why a person does not review a vendor; nothing if they may."""
    if not person.is_person:
        return (Bar(Duty.MACHINE, "is a service account, and a person judges"),)
    found: list[Bar] = []
    if not person.is_active:
        found.append(Bar(Duty.LOST_ROLE, "no longer works here"))
    elif not {Role.REVIEWER, Role.LEAD_APPROVER} & person.roles:
        found.append(Bar(Duty.ROLE, "is neither a reviewer nor a lead approver"))
    return (*found, *interests(person, vendor, domains))


def signatures_needed(tier: int, outcome: Outcome = Outcome.APPROVE, *, exception: bool = False) -> int:
    """Return how many people sign: two in tier 1 and for an exception, one otherwise; one is enough to say no.

    Source: security.md, roles x actions (approve tier 1 to 3, reject, grant exception).
    """
    if outcome is Outcome.REJECT:
        return 1
    return 2 if tier == 1 or exception else 1


def bars_to_sign(person: Candidate, case: Case) -> tuple[Bar, ...]:
    """Return every reason why a person does not sign this decision; nothing if they may (S1 to S8).

    S9, the same digest for all, is not about people: it is checked where the signature is taken.
    """
    if not person.is_person or person.id is None or not person.roles <= LAB_ROLES:
        return (Bar(Duty.MACHINE, "is not a person of the lab, and only people decide"),)
    found: list[Bar] = []
    lead = Role.LEAD_APPROVER in person.roles
    reviewer_may = case.tier == 3 or case.outcome is Outcome.REJECT
    if not person.is_active:
        found.append(Bar(Duty.LOST_ROLE, "no longer works here"))
    elif not lead and not (reviewer_may and Role.REVIEWER in person.roles and person.id == case.assigned):
        found.append(Bar(Duty.ROLE, "did not review it and is not a lead approver" if reviewer_may else _NO_LEAD))
    if case.tier < 3 and case.outcome is not Outcome.REJECT:
        found.extend(_judged(person.id, case))
    if any(each.id == person.id for each in case.signed):
        found.append(Bar(Duty.TWICE, "has signed already, and a second person confirms"))
    elif case.exception and person.id == case.proposer and case.signed:
        found.append(Bar(Duty.PROPOSER, "proposed this exception, and somebody else confirms it"))
    found.extend(interests(person, case.vendor, case.domains))
    if case.needed == 1:
        found.extend(_authored(person.id, case))
    found.extend(_granted(person, case))
    return tuple(found)


_NO_LEAD: Final = "is not a lead approver"


def _judged(person_id: UUID, case: Case) -> tuple[Bar, ...]:
    # Verdicts of an earlier revision are carried into this one, so who gave them judged this one too.
    revisions = sorted(revision for revision, people in case.judges.items() if person_id in people)
    if case.revision in revisions or (case.assigned == person_id):
        return (Bar(Duty.REVIEWER, "reviewed this revision", "reviewer"),)
    return (Bar(Duty.REVIEWER, f"reviewed revision {revisions[-1]}"),) if revisions else ()


def _authored(person_id: UUID, case: Case) -> tuple[Bar, ...]:
    return tuple(
        Bar(Duty.AUTHOR, f"changed {each.what} less than 7 days ago")
        for each in case.authored
        if each.by == person_id and case.now - each.at < RULES_SETTLE
    )


def _granted(person: Candidate, case: Case) -> tuple[Bar, ...]:
    found = []
    for other in case.signed:
        if other.id == person.id:
            continue
        if other.id in person.made_approver_by:
            found.append(Bar(Duty.GRANTER, f"was made lead approver by {other.name} less than 24 hours ago"))
        if person.id in other.made_approver_by:
            found.append(Bar(Duty.GRANTER, f"made {other.name} lead approver less than 24 hours ago"))
    return tuple(found)


def sentence(bars: Collection[Bar]) -> str:
    """Return the bars as one clause: "reviewed this revision, and works or worked at Quillmark"."""
    words = [each.words for each in bars]
    return ", and ".join(words)


def in_brief(bars: Collection[Bar]) -> str:
    """Return the bars as they stand in brackets behind a name: what is worst of all first, one reason a bar.

    That somebody holds another role goes without saying where there is another reason.
    """
    told = [each for each in bars if each.duty is not Duty.ROLE] or list(bars)
    return ", ".join(each.in_brief for each in told)
