"""The second version of the full questionnaire: a real revision, every change of it decided by its author."""

import hashlib
from collections import Counter

from portal.attestations.rules import Earlier, Fate, fate_of
from portal.questionnaires.rules import Claim, Kind, Question, compile_yaml, lint, meaning, parse_ids, parse_lock
from portal.questionnaires.rules.diff import Part, diff
from tests.rules.questionnaires.samples import ROOT, SLUGS, shipped

BYTES = (ROOT / "ai-contractor" / "v2.yaml").read_bytes()
OLD, NEW = shipped("ai-contractor"), compile_yaml(BYTES, "ai-contractor/v2.yaml")
KNOWN_IDS = {path.stem: parse_ids(path.read_text()) for path in (ROOT / "frameworks").glob("*.txt")}
CHANGES = diff(OLD, NEW)


def test_it_is_clean_and_pinned() -> None:
    assert lint(NEW, KNOWN_IDS) == []
    pinned = parse_lock((ROOT / "published.lock").read_text())
    assert pinned["ai-contractor", 2] == hashlib.sha256(BYTES).hexdigest()


def test_every_change_is_decided_and_no_key_claims_two_things() -> None:
    assert meaning.problems(OLD, NEW) == []
    assert meaning.elsewhere(NEW, [shipped(slug) for slug in SLUGS]) == []


def test_it_changes_more_than_fifteen_questions_in_every_way_there_is() -> None:
    assert len({change.key for change in CHANGES if change.key in NEW or change.key in OLD}) >= 15
    ways = Counter(change.aspect for change in CHANGES)
    assert {Part.TEXT, Part.OPTION_RELABELLED, Part.OPTION_ADDED, Part.REMOVED, Part.ADDED} <= ways.keys()
    assert {Part.WEIGHT, Part.STEPS, Part.WHEN, Part.EVIDENCE, Part.GUIDANCE, Part.TIERS} <= ways.keys()
    assert NEW.changes is not None
    assert {each.claim for each in NEW.changes.decisions} == set(Claim)


def test_a_weight_moves_no_answer_and_a_new_claim_asks_again() -> None:
    kept = [question for question in OLD.questions if question.key in NEW]
    fates = {each.key: fate_of(Earlier(each.key, each, any_answer(each)), NEW.question(each.key)).fate for each in kept}
    asked_again = {key for key, fate in fates.items() if fate is not Fate.TO_CONFIRM}
    assert asked_again == {
        "gov.assurance.level",
        "wrk.offboard.hours",
        "ret.days",
        "ssc.lookup.hours",
        "inc.exercise",
    }


def any_answer(question: Question) -> dict[str, str]:
    return {"number": "1"} if question.kind is Kind.NUMBER else {"choice": question.choices[0].key}
