"""What the author says of each change between two versions, and what is still to be said before publishing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from portal.questionnaires.rules.definition import Changes, Claim, Decision, Question, Questionnaire
from portal.questionnaires.rules.diff import Change, Part, diff
from portal.questionnaires.rules.permanence import lost_keys
from portal.questionnaires.rules.plain import plain
from portal.questionnaires.rules.problems import Problem
from portal.questionnaires.rules.rewrite import block_of, with_decisions, with_revision, with_version
from portal.questionnaires.rules.wording import about

__all__ = [
    "REAL_NOTE",
    "Undecided",
    "block_of",
    "claim_value",
    "elsewhere",
    "problems",
    "proposed",
    "refusals",
    "undecided",
    "with_decision",
    "with_decisions",
    "with_revision",
    "with_version",
]

REAL_NOTE: Final = 20
"""A weighty change is called the same claim only with a note of so many characters."""

CHANGES: Final = "changes/"
"""Where a compiled version remembers the place of its block of decisions."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A change that still keeps the version from being published, and why."""

    change: Change
    why: str


def refusals(change: Change, decision: Decision) -> dict[str, list[str]]:
    """Return what speaks against a decision on a change, by `claim` and `note`; nothing if it can stand."""
    note = " ".join(decision.note.split())
    if change.part == Part.REMOVED:
        if decision.claim is not Claim.REMOVED:
            return {"claim": ["Choose “removed”: it is not asked any more"]}
        return {} if note else {"note": ["Say why it is not asked any more, or what replaces it"]}
    if decision.claim is Claim.REMOVED:
        return {"claim": ["Choose “same” or “changed”: it is still asked"]}
    if decision.claim is Claim.SAME and change.weighty and len(note) < REAL_NOTE:
        return {"note": [f"Say in at least {REAL_NOTE} characters why earlier answers still mean the same"]}
    return {}


def undecided(old: Questionnaire, new: Questionnaire) -> tuple[Undecided, ...]:
    """Return every change that keeps the new version from being published.

    A change has no decision, or one made about another wording, or one that cannot stand; or the revision of the
    question does not follow from the decisions: one more than before for another claim, else unchanged.
    """
    changes = diff(old, new)
    decided = _decided(new)
    found = [
        Undecided(change, why)
        for change in changes
        if change.needs_decision and (why := _why_not(change, decided.get((change.key, change.part))))
    ]
    pending = {each.change.key for each in found}
    by_key: dict[str, list[Change]] = {}
    for change in changes:
        by_key.setdefault(change.key, []).append(change)
    for key, mine in by_key.items():
        if key in old and key in new:
            found += _revision(old.question(key), new.question(key), mine, decided, is_pending=key in pending)
    return tuple(found)


def problems(old: Questionnaire, new: Questionnaire, earlier: Iterable[Questionnaire] = ()) -> list[Problem]:
    """Return everything that the new version's decisions lack or say too much, with the places to mend.

    :param earlier: the versions before the old one, so that a key given up long ago is not given another meaning.
    """
    found = [*_block(old, new)]
    found += [_placed(new, each.change, each.why) for each in undecided(old, new)]
    changed = {(change.key, change.part) for change in diff(old, new)}
    for decision in new.changes.decisions if new.changes else ():
        if (decision.key, decision.part) not in changed:
            why = f"Nothing of the kind changed since v{old.version}: take this decision out, or mend its key and part"
            found.append(_at(new, why, f"changes/{decision.key}/{decision.part}"))
    found += [_at(new, why, *places) for places, why in lost_keys(old, new, earlier)]
    return sorted(found)


def proposed(old: Questionnaire, new: Questionnaire) -> Changes:
    """Return the decisions of the new version that stand, and a proposal for every other change.

    They are for a person to read. A removal is proposed without its note: why it went is for the author to say.
    """
    decided = _decided(new)
    found: list[Decision] = []
    for change in diff(old, new):
        decision = decided.get((change.key, change.part))
        if decision is not None and decision.of == change.of:
            found.append(decision)
        elif change.needs_decision:
            found.append(
                Decision(
                    change.key,
                    change.part,
                    change.proposal or Claim.CHANGED,
                    change.of,
                    decision.note if decision else "",
                )
            )
    return Changes(old.version, tuple(found))


def with_decision(source: bytes, old: Questionnaire, new: Questionnaire, decision: Decision) -> bytes:
    """Return the file of the new version with one more decision, and the revision that follows from all of them.

    What decides nothing any more is left out.

    :raises ValueError: if nothing of the kind changed.
    :raises DefinitionError: if the file is written in a way that cannot be edited.
    """
    known = {**_decided(new), (decision.key, decision.part): decision}
    changes = diff(old, new)
    kept = [known[change.key, change.part] for change in changes if (change.key, change.part) in known]
    if decision not in kept:
        raise ValueError(f"{decision.part} of {decision.key} did not change")
    if decision.key in old and decision.key in new:
        was, now = old.question(decision.key).revision, new.question(decision.key).revision
        is_other = any(each.key == decision.key and each.claim is Claim.CHANGED for each in kept)
        wanted = max(was + 1, now) if is_other else was
        if wanted != now:
            source = with_revision(source, decision.key, wanted)
            kept = [each for each in kept if (each.key, each.part) != (decision.key, Part.REVISION)]
    return with_decisions(source, Changes(old.version, tuple(kept)))


def elsewhere(new: Questionnaire, others: Iterable[Questionnaire]) -> list[Problem]:
    """Return the questions that claim something else in another questionnaire under the same key and revision.

    Answers carry over by key and revision, from one questionnaire to another as well. Within one questionnaire a
    revision may have had several wordings, which its author called the same claim; one of them must be common to both.

    :param others: every published version, those of this questionnaire as well.
    """
    wordings: dict[tuple[str, int], dict[str, list[Any]]] = {}
    for version in (new, *others):
        for question in version.questions:
            by_slug = wordings.setdefault((question.key, question.revision), {})
            by_slug.setdefault(version.slug, []).append(claim_value(question))
    found: list[Problem] = []
    for question in new.questions:
        by_slug = wordings[question.key, question.revision]
        for slug, theirs in by_slug.items():
            if slug != new.slug and not any(mine in theirs for mine in by_slug[new.slug]):
                why = (
                    f"“{question.key}” claims something else in {slug}, at the same revision {question.revision}: "
                    "use the same words, or a higher revision"
                )
                found.append(_at(new, why, f"{question.key}/revision", question.key))
    return sorted(found)


def claim_value(question: Question) -> Mapping[str, Any]:
    """Return what an answer to the question claims, as plain data in one canonical form."""
    conditions = (question.when, question.requires)
    return {
        "kind": question.kind.value,
        "text": " ".join(question.text.split()),
        "options": [[option.key, option.label] for option in question.choices],
        "unit": question.unit,
        "steps": [step.when for step in question.steps],
        "columns": plain(question.columns),
        "when": None if conditions[0] is None else " ".join(conditions[0].source.split()),
        "requires": None if conditions[1] is None else " ".join(conditions[1].source.split()),
    }


Decided = Mapping[tuple[str, str], Decision]


def _decided(version: Questionnaire) -> Decided:
    return {(each.key, each.part): each for each in version.changes.decisions} if version.changes else {}


def _why_not(change: Change, decision: Decision | None) -> str:
    """Return why a change is not decided; nothing if it is."""
    if decision is None:
        ask = "say why in a note." if change.part == Part.REMOVED else "do earlier answers still say the same?"
        return f"No decision yet about {about(change.part)}: {ask} “{change.proposal}” is proposed"
    if decision.of != change.of:
        return f"Decide again about {about(change.part)}, edited after this decision; it is now of: {change.of}"
    return " ".join(text for texts in refusals(change, decision).values() for text in texts)


def _revision(
    old: Question, new: Question, changes: Iterable[Change], decided: Decided, *, is_pending: bool
) -> Iterator[Undecided]:
    """Hold the revision against the decisions: it is what tells whether an answer carries over."""
    other_claims: list[Change] = []
    revised: Change | None = None
    for change in changes:
        decision = decided.get((change.key, change.part))
        if decision is not None and decision.claim is Claim.CHANGED and decision.of == change.of:
            other_claims.append(change)
        if change.part == Part.REVISION:
            revised = change
    if other_claims and new.revision <= old.revision:
        yield Undecided(
            other_claims[0], f"The claim changed, so its revision becomes {old.revision + 1}; it is {new.revision}"
        )
    elif revised is not None and new.revision < old.revision:
        yield Undecided(revised, f"A revision never goes back; it was {old.revision} in the version before")
    elif revised is not None and not other_claims and not is_pending:
        yield Undecided(revised, f"No change of it is decided as another claim, so its revision stays {old.revision}")


def _block(old: Questionnaire, new: Questionnaire) -> Iterator[Problem]:
    if new.changes is None:
        names = f"{new.slug}:{old.version} {new.slug}:{new.version}"
        yield _at(
            new,
            f"Nothing says what changed since v{old.version}: add the block “changes” that "
            f"“flask questionnaires diff {names} --propose” prints",
        )
    elif new.changes.since != old.version:
        yield _at(new, f"“changes” must say “since: {old.version}”, the version before this one", CHANGES)


def _placed(new: Questionnaire, change: Change, why: str) -> Problem:
    """Place a problem at its decision, else at what changed, else where the decisions stand."""
    name = "options" if change.aspect.startswith("option_") else change.aspect
    words = why if change.key in new or change.key in new.positions else f"{change.key}: {why}"
    return _at(new, words, f"changes/{change.key}/{change.part}", f"{change.key}/{name}", change.key, CHANGES)


def _at(version: Questionnaire, message: str, *places: str) -> Problem:
    spots = (version.positions[place] for place in places if place in version.positions)
    return Problem(version.source, *next(spots, (1, 1)), message)
