"""The team as its pages show it: who has which section, how far it is, and how each invitation stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from portal.assessments import service as assessments
from portal.assessments.queries import AssessmentLine
from portal.assessments.service import Given, LeftBehind
from portal.attestations import service as attestations
from portal.attestations.rules import SectionProgress, Standing, progress
from portal.attestations.service import AnswerLine
from portal.identity import queries as people
from portal.identity.queries import InvitationLine, Person
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.sites.shared.invited import Trail, newest_invitations, trails
from portal.terms import Role, Side


@dataclass(frozen=True, slots=True)
class Part:
    """A section in somebody's hands: how far it is and by when it is asked for."""

    section: SectionProgress
    due_on: date
    own_due: bool
    late: bool
    invited: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team: what they were given, what they see, and how their invitation stands."""

    person: Person
    parts: tuple[Part, ...]
    invitation: InvitationLine | None
    trail: Trail | None
    roles: tuple[Role, ...]

    @property
    def word(self) -> str:
        """How far the person has come, as a word of the status vocabulary."""
        if self.person.deactivated_at is not None:
            return "Left"
        if self.person.enrolled_at is not None:
            return "Joined"
        return self.trail.word if self.trail else "Invited"

    @property
    def sees(self) -> str:
        """What the person sees of the answers, in words."""
        if Role.VENDOR_ADMIN in self.roles or Role.SIGNATORY in self.roles:
            return said("Sees every section")
        return said("Sees the given sections only") if self.person.given_only else said("Sees every section")


@dataclass(frozen=True, slots=True)
class LastChange:
    """The newest change in a section: of which answer, by whom, when."""

    key: str
    number: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SectionLine:
    """One section: how far it is, whose it is, and who changed it last."""

    section: SectionProgress
    people: tuple[tuple[Person, Part], ...]
    left: tuple[Person, datetime] | None
    last: LastChange | None


@dataclass(frozen=True, slots=True)
class Team:
    """The whole page."""

    members: tuple[Member, ...]
    gone: tuple[Member, ...]
    sections: tuple[SectionLine, ...]

    @property
    def colleagues(self) -> tuple[Member, ...]:
        """Who has joined and may be given a section."""
        return tuple(each for each in self.members if each.person.is_active)

    @property
    def admins(self) -> tuple[Member, ...]:
        """Who manages the team."""
        return tuple(each for each in self.colleagues if Role.VENDOR_ADMIN in each.person.roles)

    @property
    def left_behind(self) -> tuple[SectionLine, ...]:
        """The sections that nobody has since somebody left."""
        return tuple(each for each in self.sections if each.left is not None)


def team_of(
    tx: Tx,
    vendor_id: UUID,
    *,
    assessment: AssessmentLine | None,
    sections: Sequence[SectionProgress],
    given: Sequence[Given],
    left: Sequence[LeftBehind],
    last: Mapping[str, LastChange],
) -> Team:
    """Return a vendor's team beside one of its assessments, or without any."""
    lines = people.invitations_of(tx, vendor_id)
    newest = dict(newest_invitations(lines))
    everybody = people.people_of_vendor(tx, vendor_id)
    today = tx.now.date()
    known = {each.key: each for each in sections}
    order = {each.key: number for number, each in enumerate(sections)}

    def part(key: str, due_on: date | None, *, invited: bool = False) -> Part:
        section = known[key]
        until = due_on or (assessment.due_on if assessment else today)
        late = section.answered < section.total and until < today
        return Part(section, until, due_on is not None, late, invited)

    def parts_of(person: Person, invitation: InvitationLine | None) -> tuple[Part, ...]:
        own = [each for each in given if each.user_id == person.id and each.section in known]
        held = [part(each.section, each.due_on) for each in sorted(own, key=lambda each: order[each.section])]
        waits = invitation is not None and invitation.waits and person.enrolled_at is None
        if held or invitation is None or not waits or assessment is None or invitation.assessment_id != assessment.id:
            return tuple(held)
        return tuple(part(key, invitation.due_on, invited=True) for key in invitation.sections if key in known)

    members = []
    # An address that nobody here may know of was invited too: there is an invitation, and no account to show.
    for line in (each for each in lines if each.user_id is None and each.waits):
        everybody.append(_nobody_yet(line))
        newest[line.id] = line
    on_their_way = trails(tx, newest.values())
    for person in sorted(everybody, key=lambda each: (each.full_name.lower(), each.id)):
        invitation = newest.get(person.id)
        roles = person.roles or (frozenset(invitation.roles) if invitation and person.enrolled_at is None else ())
        members.append(
            Member(
                person=person,
                parts=parts_of(person, invitation),
                invitation=invitation,
                trail=on_their_way[invitation.id] if invitation else None,
                roles=tuple(role for role in Role if role in roles),
            )
        )
    by_id = {each.person.id: each for each in members}
    gone = {each.section: each for each in left}
    parts = tuple(
        SectionLine(
            section=section,
            people=tuple(
                (each.person, mine) for each in members for mine in each.parts if mine.section.key == section.key
            ),
            left=(by_id[gone[section.key].user_id].person, gone[section.key].since)
            if section.key in gone and gone[section.key].user_id in by_id
            else None,
            last=last.get(section.key),
        )
        for section in sections
    )
    return Team(
        members=tuple(each for each in members if each.person.deactivated_at is None and not _withdrawn(each)),
        gone=tuple(each for each in members if each.person.deactivated_at is not None or _withdrawn(each)),
        sections=parts,
    )


def _nobody_yet(line: InvitationLine) -> Person:
    """Return who was invited as the page shows them; there is no account to open."""
    return Person(
        id=line.id,
        full_name=line.full_name,
        title="",
        email=line.email,
        side=Side.VENDOR,
        vendor_id=None,
        roles=frozenset(),
        enrolled_at=None,
        last_sign_in_at=None,
        deactivated_at=None,
        given_only=bool(line.sections),
    )


def _withdrawn(member: Member) -> bool:
    """Whether the person never came and the invitation was taken back."""
    return member.person.enrolled_at is None and member.trail is not None and member.trail.word == "Withdrawn"


def open_assessments(tx: Tx) -> list[AssessmentLine]:
    """Return the assessments of the actor's vendor that can be answered, the current one first.

    :raises NotFound: for somebody of no vendor.
    """
    if tx.actor.vendor_id is None:
        raise NotFound
    return [each for each in assessments.of_vendor(tx, tx.actor.vendor_id) if each.is_open]


def team_beside(tx: Tx, wanted: UUID | None) -> tuple[Team, AssessmentLine | None, list[AssessmentLine]]:
    """Return the actor's team beside the wanted open assessment, or the current one; and all that are open."""
    lines = open_assessments(tx)
    current = next((each for each in lines if each.id == wanted), lines[0] if lines else None)
    row = assessments.get(tx, current.id, Action.ASSESSMENT_READ) if current else None
    said = attestations.answers_of(tx, row) if row is not None else {}
    standing = attestations.standing(tx, row, lines=said) if row is not None else None
    team = team_of(
        tx,
        tx.actor.vendor_id,  # type: ignore[arg-type]  # open_assessments looked
        assessment=current,
        sections=progress(standing) if standing is not None else (),
        given=assessments.given_of(tx, row) if row is not None else (),
        left=assessments.left_behind(tx, row) if row is not None else (),
        last=_last_changes(standing, said) if standing is not None else {},
    )
    return team, current, lines


def _last_changes(standing: Standing, said: Mapping[str, AnswerLine]) -> dict[str, LastChange]:
    found: dict[str, LastChange] = {}
    for question in standing.visible():
        line = said.get(question.key)
        if line is None or line.at is None:
            continue
        newest = found.get(question.section)
        if newest is None or line.at > newest.at:
            found[question.section] = LastChange(question.key, question.number, line.by, line.at)
    return found
