"""Taking an answer pack into an assessment: first what would happen, then what somebody chose, answer by answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import rules as attestation_rules
from portal.attestations import service as attestations
from portal.evidence.models import Evidence
from portal.exchange.facts import AnswerPackRead, AnswerPackTaken
from portal.exchange.models import AnswerPack
from portal.exchange.rules import pack as rules
from portal.exchange.rules.fields import fields_of, rows_as_fields
from portal.exchange.rules.pack import Cited, Fate, Packed, Seal
from portal.kernel.canonical import digest
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.kernel.sniff import display_name
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import FactKind, Owner, Question, Questionnaire, ScopingFact, to_json

_PROBLEM = said("It cannot be read as an answer here")
Content = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One answer of a pack and what would become of it. ``question`` is None where this questionnaire has none."""

    key: str
    question: Question | None
    fate: Fate
    mine: Content
    theirs: Content


@dataclass(frozen=True, slots=True)
class Plan:
    """What taking a pack would do. ``seen`` is the digest that the page gives back with the choice.

    ``scoping`` are the facts that the vendor has not stated and the pack states; ``files`` says of each file that the
    pack cites whether the library has it.
    """

    lines: tuple[PlanLine, ...]
    scoping: tuple[ScopingFact, ...]
    files: tuple[tuple[Cited, bool], ...]

    @property
    def seen(self) -> str:
        """The fingerprint of everything that the page shows."""
        return digest([[each.key, each.fate, each.mine, each.theirs] for each in self.lines])

    def of(self, fate: Fate) -> tuple[PlanLine, ...]:
        """Return the answers with one fate."""
        return tuple(each for each in self.lines if each.fate is fate)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken, and what was left with the reason."""

    done: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    cited: int
    stated: int


def keep(tx: Tx, *, assessment: Assessment, pack: Packed, seal: Seal, sha256: str, file_name: str) -> AnswerPack:
    """Keep a pack that was read until somebody says what of it to take. The same bytes twice are one.

    :raises Forbidden: if the actor may not answer.
    :raises Refused: if the pack answers another questionnaire than the assessment asks.
    """
    policy.check(tx.actor, Action.ANSWER_WRITE, assessment)
    if tx.actor.id is None:
        raise Forbidden(said("Only the vendor’s own people bring in answers."))
    asked = questionnaires.compiled(tx, assessment.questionnaire_id)
    if pack.digest != asked.digest:
        raise Refused(
            problems={
                "file": [
                    said(
                        "This pack answers %(questionnaire)s, and this assessment asks %(slug)s v%(version)s. "
                        "Upload a pack of the same version",
                        questionnaire=pack.questionnaire,
                        slug=asked.slug,
                        version=asked.version,
                    )
                ]
            }
        )
    if there := _kept(tx, assessment, sha256):
        return there
    row = AnswerPack(
        id=tx.new_id(),
        vendor_id=assessment.vendor_id,
        assessment_id=assessment.id,
        file_name=display_name(file_name),
        sha256=sha256,
        seal=seal.value,
        content=rules.plain(pack),
        uploaded_by=tx.actor.id,
        uploaded_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        if there := _kept(tx, assessment, sha256):
            return there
        raise
    tx.record(
        AnswerPackRead(
            pack_id=row.id, assessment_id=assessment.id, vendor_id=row.vendor_id, sha256=sha256, seal=row.seal
        )
    )
    return row


def get(tx: Tx, pack_id: UUID) -> AnswerPack:
    """Return a kept pack that the actor may take answers from.

    :raises NotFound: if there is none, or the actor may not know of it.
    :raises Forbidden: if the actor may not answer.
    """
    row = tx.session.get(AnswerPack, pack_id)
    if row is None or tx.actor.is_lab:
        raise NotFound
    policy.check(tx.actor, Action.ANSWER_WRITE, row)
    return row


@dataclass(frozen=True, slots=True)
class PackLine:
    """A pack that was read and can be taken."""

    id: UUID
    file_name: str
    read_at: datetime


def packs_of(tx: Tx, assessment: Assessment) -> list[PackLine]:
    """Return the packs that were read for an assessment, the newest first (at most 10)."""
    statement = (
        sa.select(AnswerPack.id, AnswerPack.file_name, AnswerPack.uploaded_at)
        .where(AnswerPack.assessment_id == assessment.id)
        .order_by(AnswerPack.uploaded_at.desc(), AnswerPack.id.desc())
        .limit(10)
    )
    return [PackLine(*row) for row in tx.session.execute(statement)]


def plan(tx: Tx, *, assessment: Assessment, row: AnswerPack) -> Plan:
    """Return what taking a pack would do now."""
    pack = rules.kept(row.content)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    return _plan(tx, assessment, questionnaire, pack)


def take(tx: Tx, *, assessment: Assessment, row: AnswerPack, over: Collection[str], seen: str) -> Taken:
    """Take the answers that are blank here, and those of ``over`` in the place of what stands. One transaction.

    Each is an answer of the actor's like any other, with its own history. Repeating it changes nothing.

    :param over: keys of answers that differ and that the actor chose to replace.
    :param seen: the digest of the plan that the page showed.
    :raises Conflict: if anything changed since the page was shown; nothing is taken.
    """
    policy.check(tx.actor, Action.ANSWER_WRITE, row)
    if row.assessment_id != assessment.id:
        raise NotFound
    pack = rules.kept(row.content)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    first = _plan(tx, assessment, questionnaire, pack)
    if first.seen != seen:
        raise Conflict(
            said("Something changed since you opened this page. Nothing was taken. Look again, then take them.")
        )
    chosen = set(over)
    left: dict[str, str] = {}
    stated = _state(tx, assessment, first.scoping, pack, left)
    done: list[str] = []
    # An answer can bring up other questions, so look again until nothing more is to be had.
    while todo := [
        each
        for each in _lines(tx, assessment, questionnaire, pack)
        if each.key not in left
        and each.key not in done
        and (each.fate is Fate.TAKE or (each.fate is Fate.DIFFERS and each.key in chosen))
    ]:
        for each in todo:
            if reason := _save(tx, assessment, questionnaire, each):
                left[each.key] = reason
            else:
                done.append(each.key)
    for each in _lines(tx, assessment, questionnaire, pack):
        if each.fate is Fate.HIDDEN:
            left.setdefault(each.key, said("This question is not put to you now, so its answer was not taken"))
    cited = _cite(tx, assessment, pack, left)
    if done:
        tx.record(
            AnswerPackTaken(
                pack_id=row.id, assessment_id=assessment.id, vendor_id=assessment.vendor_id, answers=len(done)
            )
        )
    return Taken(tuple(done), tuple(left.items()), cited, stated)


def _plan(tx: Tx, assessment: Assessment, questionnaire: Questionnaire, pack: Packed) -> Plan:
    library = _library(tx, assessment, pack)
    unstated = {line.key for line in assessments.scoping_of(tx, assessment) if not line.stated}
    return Plan(
        lines=_lines(tx, assessment, questionnaire, pack),
        scoping=tuple(
            fact
            for fact in questionnaire.scoping
            if fact.owner is Owner.VENDOR and fact.key in unstated and fact.key in pack.scoping
        ),
        files=tuple((each, each.sha256 in library) for each in _each_once(pack)),
    )


def _each_once(pack: Packed) -> list[Cited]:
    return list({each.sha256: each for each in reversed(pack.citations)}.values())[::-1]


def _lines(tx: Tx, assessment: Assessment, questionnaire: Questionnaire, pack: Packed) -> tuple[PlanLine, ...]:
    standing = attestations.standing(tx, assessment, questionnaire)
    here = {key: to_json(each) for key, each in standing.answers.items()}
    asked = {key: state not in attestation_rules.UNSEEN for key, state in standing.states().items()}
    return tuple(
        PlanLine(
            key,
            questionnaire.question(key) if key in questionnaire else None,
            fate,
            pack.answers[key],
            here.get(key, {}),
        )
        for key, fate in rules.fates(pack, questionnaire, asked=asked, here=here).items()
    )


def _save(tx: Tx, assessment: Assessment, questionnaire: Questionnaire, each: PlanLine) -> str:
    """Save one answer; return why it was left, nothing if it was taken."""
    assert each.question is not None  # noqa: S101 - an unknown key is never to be taken
    try:
        line = attestations.answers_of(tx, assessment).get(each.key)
        attestations.save_answer(
            tx,
            assessment=assessment,
            question_key=each.key,
            raw=fields_of(each.question, each.mine),
            version=line.version if line else 0,
            questionnaire=questionnaire,
        )
    except (Refused, Conflict, Forbidden) as refusal:
        return refusal.message or said("Your role does not allow this")
    except NotFound:
        return said("This question is not asked in your tier")
    except (ValueError, TypeError, AttributeError):
        return _PROBLEM
    return ""


def _state(tx: Tx, assessment: Assessment, facts: Collection[ScopingFact], pack: Packed, left: dict[str, str]) -> int:
    """State the vendor's own facts that are not stated yet; return how many were."""
    stated = 0
    for fact in facts:
        try:
            raw = _fact_fields(fact, pack.scoping[fact.key])
            assessments.state_fact(tx, assessment=assessment, key=fact.key, value=raw, version=0)
        except Forbidden:
            left[fact.label] = said("A vendor admin of your team states the facts about the work")
        except (Refused, Conflict) as refusal:
            left[fact.label] = refusal.message
        except (NotFound, ValueError, TypeError, AttributeError):
            left[fact.label] = _PROBLEM
        else:
            stated += 1
    return stated


def _fact_fields(fact: ScopingFact, told: Content) -> dict[str, list[str]]:
    """Return the form of a stated fact; whoever wrote the pack is trusted with nothing, so the form is read again."""
    value, details = told.get("value"), told.get("details") or {}
    found: dict[str, list[str]] = {}
    if fact.kind is FactKind.CHOICES:
        found["choices"] = [str(each) for each in value or ()]
    elif fact.kind is FactKind.TABLE:
        found |= rows_as_fields("rows", [{str(k): str(v) for k, v in row.items()} for row in value or ()])
    else:
        found["choice" if fact.kind is FactKind.YES_NO else "number"] = [str(value)]
    for key, each in details.items():
        if isinstance(each, str):
            found[f"details.{key}"] = [each]
        else:
            found |= rows_as_fields(f"details.{key}", [{str(k): str(v) for k, v in row.items()} for row in each])
    return found


def _cite(tx: Tx, assessment: Assessment, pack: Packed, left: dict[str, str]) -> int:
    """Cite the files that the library has under the answers that are the pack's now; return how many were."""
    library = _library(tx, assessment, pack)
    there = {
        (key, each.sha256, each.pages, each.quote)
        for key, cited in attestations.citations_of(tx, assessment).items()
        for each in cited
    }
    answers = {key: to_json(line.answer) for key, line in attestations.answers_of(tx, assessment).items()}
    cited = 0
    for each in pack.citations:
        wanted = (each.question_key, each.sha256, each.pages, each.quote)
        mine = pack.answers.get(each.question_key)
        if wanted in there or each.sha256 not in library or not mine or answers.get(each.question_key) != dict(mine):
            continue
        try:
            attestations.cite(
                tx,
                assessment=assessment,
                question_key=each.question_key,
                evidence=library[each.sha256],
                pages=each.pages,
                quote=each.quote,
            )
        except (Refused, Conflict, Forbidden, NotFound) as refusal:
            left[said("%(file)s for %(question)s", file=each.file_name, question=each.question_key)] = (
                refusal.message or said("This file cannot be used here")
            )
        else:
            cited += 1
    return cited


def _library(tx: Tx, assessment: Assessment, pack: Packed) -> dict[str, Evidence]:
    wanted = {each.sha256 for each in pack.citations}
    if not wanted:
        return {}
    statement = (
        sa.select(Evidence)
        .where(
            Evidence.vendor_id == assessment.vendor_id,
            Evidence.sha256.in_(sorted(wanted)),
            Evidence.removed_at.is_(None),
        )
        .order_by(Evidence.created_at, Evidence.id)
    )
    return {
        each.sha256: each
        for each in tx.session.execute(statement).scalars()
        if attestation_rules.use_of(each.state, each.scan, removed=False) is not attestation_rules.Use.REFUSED
    }


def _kept(tx: Tx, assessment: Assessment, sha256: str) -> AnswerPack | None:
    return get_one(
        tx, sa.select(AnswerPack).where(AnswerPack.assessment_id == assessment.id, AnswerPack.sha256 == sha256)
    )
