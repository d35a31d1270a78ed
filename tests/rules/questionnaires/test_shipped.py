"""The shipped questionnaires say what the catalogue says, are clean, and are pinned."""

import csv
import hashlib
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from portal.questionnaires.rules import (
    DefinitionError,
    Kind,
    Question,
    claims_only_score,
    format_lock,
    lint,
    parse_ids,
    parse_lock,
)
from tests.rules.questionnaires.samples import ROOT, SLUGS, shipped

FULL = shipped("ai-contractor")
MINIMAL = shipped("ai-contractor-minimal")
INCIDENT = shipped("incident-reattestation")

with (Path(__file__).parent / "catalogue.tsv").open(newline="") as lines:
    CATALOGUE = {row["key"]: row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}

KNOWN_IDS = {
    path.name.removesuffix(".txt"): parse_ids(path.read_text()) for path in (ROOT / "frameworks").glob("*.txt")
}
FRAMEWORKS = ("aicm", "ccm", "tsc", "iso27001", "csf")
MINIMAL_KEYS = [
    "gov.owner",
    "gov.attest",
    "dat.transfer",
    "seg.reuse",
    "seg.train",
    "wrk.nda",
    "wrk.training",
    "wrk.offboard.hours",
    "gdl.links",
    "gdl.store",
    "prv.rights",
    "syn.policy",
    "syn.noleak",
    "pii.dpa",
    "ret.days",
    "iam.mfa.workforce",
    "inf.transit",
    "inf.rest",
    "inf.logs.months",
    "inf.fix.days",
    "inf.vdp",
    "sub.list",
    "inc.notify.hours",
    "inc.contact",
    "inc.history",
]
INCIDENT_KEYS = [
    "rea.ran",
    "rea.methods",
    "rea.places",
    "rea.reach",
    "rea.secrets.share",
    "rea.ours",
    "rea.indicators",
    "rea.access",
    "rea.suppliers",
    "rea.logs",
    "rea.workers",
    "rea.forensics",
    "rea.controls",
    "rea.statements",
    "rea.officer",
]


@pytest.mark.parametrize("slug", SLUGS)
def test_it_lints_clean(slug: str) -> None:
    assert [str(problem) for problem in lint(shipped(slug), KNOWN_IDS)] == []


def test_the_whole_catalogue_is_asked_in_its_order() -> None:
    assert [question.key for question in FULL.questions] == list(CATALOGUE)
    assert [section.key for section in FULL.sections] == list(
        dict.fromkeys(row["section"] for row in CATALOGUE.values())
    )


def test_the_counts_are_those_of_the_catalogue() -> None:
    assert (len(FULL.sections), len(FULL.questions), len(FULL.scoping)) == (16, 131, 10)
    assert sum(section.weight for section in FULL.sections) == 61
    assert sum(question.weight for question in FULL.questions) == 477
    assert len(MINIMAL.questions) == 25
    assert len(INCIDENT.questions) == 15


def test_the_domain_weights_are_those_of_the_catalogue() -> None:
    weights = {3: "gov syn pii inf sub", 4: "dat wrk end gdl prv ret iam ssc inc", 5: "seg mdl"}

    for weight, keys in weights.items():
        assert {section.key for section in FULL.sections if section.weight == weight} == set(keys.split())


def said_of(question: Question) -> dict[str, str]:
    """Say a question as the catalogue's table does."""
    condition = question.when or question.requires
    knock_out = question.knock_out
    need = question.evidence
    return {
        "key": question.key,
        "section": question.section,
        "kind": question.kind.value,
        "weight": str(question.weight),
        "knock_out": "" if knock_out is None else written_knock_out(question),
        "evidence": f"{need.level}:{','.join(need.kinds)}" if need.kinds else str(need.level),
        "tiers": "".join(str(tier) for tier in sorted(question.tiers)),
        "condition": condition.source if condition else "",
        "answers": written_answers(question),
        **{framework: question.maps.get(framework, "") for framework in FRAMEWORKS},
    }


def written_knock_out(question: Question) -> str:
    knock_out = question.knock_out
    assert knock_out is not None
    code = (
        "K" if knock_out.tiers == question.tiers and not CATALOGUE[question.key]["knock_out"].startswith("K1") else "K1"
    )
    assert code == "K" or knock_out.tiers == {1}
    if knock_out.fails == "below_full":
        return code
    option = question.option(knock_out.fails) if question.kind is Kind.ONE_CHOICE else None
    return f"{code}:{option.label if option else knock_out.fails}"


def written_answers(question: Question) -> str:
    if question.kind is Kind.ONE_CHOICE:
        return "; ".join(f"{option.label} → {option.credit}" for option in question.options)
    signs = {"<=": "≤", ">=": "≥", ">": ">"}
    return "; ".join(
        f"{step.label if step.operator is None else signs[step.operator] + str(step.bound)} → {step.credit}"
        for step in question.steps
    )


@pytest.mark.parametrize("key", CATALOGUE)
def test_each_question_has_the_facts_of_the_catalogue(key: str) -> None:
    found, wanted = said_of(FULL.question(key)), dict(CATALOGUE[key])

    # Labels begin with a capital, the catalogue's do not.
    for part in ("answers", "knock_out"):
        assert found.pop(part).lower() == wanted.pop(part).lower()
    assert found == wanted


def test_conditions_stand_where_they_belong() -> None:
    for question in FULL.questions:
        assert (question.requires is not None) == ("ans(" in CATALOGUE[question.key]["condition"])


def test_there_are_as_many_knock_outs_as_in_the_catalogue() -> None:
    wanted = Counter(row["knock_out"].partition(":")[0] for row in CATALOGUE.values())

    assert sum(question.is_knock_out_in(1) for question in FULL.questions) == wanted["K"] + wanted["K1"]
    assert all(question.is_knock_out_in(1) for question in FULL.questions if question.knock_out)


def test_words_alone_stay_below_the_threshold_of_tier_1() -> None:
    score = claims_only_score(FULL)

    assert score is not None
    assert score < 65


@pytest.mark.parametrize("question", FULL.questions, ids=lambda question: question.key)
def test_every_question_has_all_its_texts(question: Question) -> None:
    texts = (question.label, question.text, question.guidance, question.why, question.strong, question.good_evidence)

    assert all(texts)
    assert all(text == " ".join(text.split()) for text in texts)
    assert not re.search(r"\b(invalid|please|TODO|TBD|lorem)\b", " ".join(texts), re.IGNORECASE)


@pytest.mark.parametrize("question", INCIDENT.questions, ids=lambda question: question.key)
def test_every_question_about_an_incident_explains_itself(question: Question) -> None:
    assert all((question.label, question.text, question.guidance, question.why))
    assert not question.is_scored


@pytest.mark.parametrize(
    "key",
    [
        "dat.inventory",
        "dat.flow",
        "sub.list",
        "gov.assurance.level",
        "gov.assurance.scope",
        "gov.assurance.auditor",
        "gov.assurance.exceptions",
        "gov.insurance.cyber",
        "gov.insurance.ai",
        "inf.pentest",
        "inc.history",
        "inc.contact",
    ],
)
def test_structured_answers_have_their_fields(key: str) -> None:
    assert FULL.question(key).details


def test_the_minimal_one_asks_a_part_in_the_same_words() -> None:
    assert [question.key for question in MINIMAL.questions] == MINIMAL_KEYS
    for question in MINIMAL.questions:
        same = FULL.question(question.key)
        for part in ("revision", "text", "label", "kind", "weight", "tiers", "evidence", "maps", "options", "steps"):
            assert getattr(question, part) == getattr(same, part), (question.key, part)
        assert (question.when, question.requires, question.details) == (same.when, same.requires, same.details)


def test_the_minimal_one_is_what_tier_3_is_asked() -> None:
    assert [question.key for question in FULL.questions if 3 in question.tiers] == MINIMAL_KEYS


def test_the_minimal_one_needs_one_level_of_proof_less() -> None:
    assert {MINIMAL.evidence_level(key, 3) for key in MINIMAL_KEYS} == {0, 1}
    assert all(MINIMAL.evidence_level(key, 3) == FULL.evidence_level(key, 3) for key in MINIMAL_KEYS)


def test_the_incident_one_asks_its_fifteen_questions() -> None:
    assert [question.key for question in INCIDENT.questions] == INCIDENT_KEYS


def test_every_number_earns_something_definite() -> None:
    for question in FULL.questions:
        if question.kind is Kind.NUMBER:
            for number in ("0", "0.5", "24", "999999999"):
                assert any(step.fits(Decimal(number)) for step in question.steps)


def test_the_lists_of_identifiers_hold_what_is_used_and_nothing_else() -> None:
    used = {FULL.frameworks[key].id_list: {row[key] for row in CATALOGUE.values()} - {""} for key in FRAMEWORKS}

    assert used == KNOWN_IDS


def test_the_lock_pins_every_shipped_file() -> None:
    lock = parse_lock((ROOT / "published.lock").read_text())

    for slug in SLUGS:
        assert lock[(slug, 1)] == hashlib.sha256((ROOT / slug / "v1.yaml").read_bytes()).hexdigest()
        assert lock[(slug, 1)] == shipped(slug).digest
    for slug, version in lock:
        assert (ROOT / slug / f"v{version}.yaml").is_file()


def test_the_lock_is_written_in_one_form() -> None:
    text = (ROOT / "published.lock").read_text()

    assert format_lock(parse_lock(text)) == text


@pytest.mark.parametrize("line", ["sample v0 " + "a" * 64, "sample v1 abc", "v1 " + "a" * 64, "Sample v1 " + "a" * 64])
def test_a_lock_line_of_another_shape_is_refused(line: str) -> None:
    with pytest.raises(DefinitionError, match=r"published.lock:2:1"):
        parse_lock(f"# head\n{line}\n")


def test_a_version_is_locked_once() -> None:
    line = "sample v1 " + "a" * 64 + "\n"

    with pytest.raises(DefinitionError, match="listed twice"):
        parse_lock(line + line)
