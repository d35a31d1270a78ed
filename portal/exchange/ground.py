"""An assessment as it stands, and what a person may change of it: what exports and comparisons are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.assessments.rules import scope_of_section
from portal.attestations import service as attestations
from portal.attestations.models import Citation
from portal.attestations.rules import Fate, Standing
from portal.evidence import queries as evidence_queries
from portal.evidence.models import Evidence
from portal.evidence.queries import LibraryLine
from portal.exchange.rules.merge import Content
from portal.exchange.rules.typed import word
from portal.identity import queries as people
from portal.kernel.actor import Actor
from portal.kernel.ledger import Tx
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Question, Questionnaire, QuestionState, to_json
from portal.terms import N_

NOT_BACK: Final = said("This question did not come back to you, so it stays as it was signed")
GIVEN: Final = N_("This section belongs to %(names)s. You can read it")
NO_ROLE: Final = said("Your account does not answer questions. Ask a vendor admin")


@dataclass(frozen=True, slots=True)
class Ground:
    """An assessment as it stands, and what a person may change of it.

    ``uncited`` are the files, by name and id, that were taken from each answer since an export.
    """

    actor: Actor
    vendor_id: UUID
    questionnaire: Questionnaire
    tier: int
    lines: Mapping[str, attestations.AnswerLine]
    standing: Standing
    states: Mapping[str, QuestionState]
    carried: Mapping[str, attestations.CarriedLine]
    cited: Mapping[str, Sequence[attestations.CitationLine]]
    uncited: Mapping[str, frozenset[str]]
    assignees: Mapping[str, Sequence[UUID]]
    names: Mapping[UUID, str]
    library: Sequence[LibraryLine]
    offered: Callable[[Question], frozenset[str]]
    unseen: frozenset[str] = frozenset()

    def content(self, key: str) -> Content:
        """Return the answer to a question as it stands."""
        line = self.lines.get(key)
        return to_json(line.answer) if line else {}

    def earlier(self, key: str) -> Content | None:
        """Return the answer that was carried over to be confirmed, if there is one."""
        line = self.carried.get(key)
        return line.content if line and line.fate is Fate.TO_CONFIRM else None

    def asked(self) -> tuple[Question, ...]:
        """Return the questions of the tier that the person sees, also those that other answers hide now."""
        asked = (each for each in self.questionnaire.questions if self.tier in each.tiers)
        return tuple(each for each in asked if each.section not in self.unseen)

    def is_exported(self, question: Question) -> bool:
        """Whether a question stands in an export made now: also what other answers rule out, if its reader sees it."""
        if question.section in self.unseen:
            return False
        return self.states[question.key] is not QuestionState.HIDDEN

    def closed(self, question: Question) -> str:
        """Return why the person cannot change a question, nothing if it is theirs to change."""
        people = self.assignees.get(question.section, ())
        scope = scope_of_section(self.vendor_id, question.section, people)
        if not policy.may(self.actor, Action.ANSWER_WRITE, scope):
            names = " and ".join(self.names[each] for each in people if each in self.names)
            return said(GIVEN, names=names) if names else NO_ROLE
        return "" if self.standing.may_change(question.key) else NOT_BACK


def ground_of(tx: Tx, assessment: Assessment, *, since: datetime | None = None) -> Ground:
    """Return an assessment as it stands for the person who asks.

    :param since: when the export was made that it is compared with.
    """
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    lines = attestations.answers_of(tx, assessment)
    given = assessments.assignees(tx, assessment)
    named = people.people(tx, _everybody(given))
    standing = attestations.standing(tx, assessment, questionnaire, lines=lines)
    return Ground(
        actor=tx.actor,
        vendor_id=assessment.vendor_id,
        questionnaire=questionnaire,
        tier=assessment.tier,
        lines=lines,
        standing=standing,
        states=standing.states(),
        carried=attestations.carried_of(tx, assessment),
        cited=attestations.citations_of(tx, assessment),
        uncited=_uncited(tx, assessment, since) if since is not None else {},
        assignees=given,
        names={person_id: person.full_name for person_id, person in named.items()},
        library=evidence_queries.library(tx, vendor_id=assessment.vendor_id),
        offered=lambda question: attestations.offered(tx, assessment, question),
        unseen=assessments.unseen_sections(tx, assessment),
    )


def _everybody(given: Mapping[str, Sequence[UUID]]) -> Iterator[UUID]:
    for owners in given.values():
        yield from owners


def _uncited(tx: Tx, assessment: Assessment, since: datetime) -> dict[str, frozenset[str]]:
    statement = (
        sa.select(Citation.question_key, Citation.evidence_id, Evidence.file_name)
        .join(Evidence, Evidence.id == Citation.evidence_id)
        .where(Citation.assessment_id == assessment.id, Citation.removed_at > since)
    )
    found: dict[str, frozenset[str]] = {}
    for key, evidence_id, name in tx.session.execute(statement):
        found[key] = found.get(key, frozenset()) | {word(name), str(evidence_id)}
    return found
