"""flask questionnaires check, diff, decide, coverage, publish and list."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from portal.questionnaires.cli import questionnaires_group
from portal.terms import Role
from portal.wiring import House
from tests.factories.assessments import SHIPPED
from tests.factories.identity import person
from tests.rules.questionnaires.samples import SAMPLE

DIGEST = hashlib.sha256((SHIPPED / "incident-reattestation" / "v1.yaml").read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of one questionnaire, not published."""
    folder = tmp_path / "questionnaires"
    (folder / "incident-reattestation").mkdir(parents=True)
    shutil.copytree(SHIPPED / "frameworks", folder / "frameworks")
    shutil.copy(SHIPPED / "incident-reattestation" / "v1.yaml", folder / "incident-reattestation" / "v1.yaml")
    return folder


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """The sample in two versions: a text reworded, an option relabelled, and nothing decided."""
    folder = tmp_path / "questionnaires"
    (folder / "sample").mkdir(parents=True)
    (folder / "sample" / "v1.yaml").write_text(SAMPLE)
    second = SAMPLE.replace("version: 1\n", "version: 2\n", 1).replace("It covers all.", "It covers all sites.")
    (folder / "sample" / "v2.yaml").write_text(second.replace("label: High", "label: Highest"))
    return folder


@pytest.fixture
def people(house: House) -> list[str]:
    """The addresses of two people who may publish."""
    lead = person(house, roles=[Role.LEAD_APPROVER], email="lead@lab.example")
    return [lead.email, person(house, roles=[Role.PROGRAM_ADMIN], email="admin@lab.example").email]


def publish(house: House, folder: Path, email: str) -> tuple[int, str]:
    words = ["publish", "incident-reattestation", "1", "--folder", str(folder)]
    return run(house, *words, *(["--as", email] if email else []))


def run(house: House, *words: str) -> tuple[int, str]:
    app = Flask("commands")
    app.extensions["gatehouse"] = house
    result = CliRunner().invoke(questionnaires_group, list(words), obj=ScriptInfo(create_app=lambda: app))
    return result.exit_code, result.output


def test_check_passes_the_shipped_files(house: House) -> None:
    code, said = run(house, "check")

    assert code == 0
    assert "ai-contractor/v1.yaml: 16 sections, 131 questions, 10 scoping facts" in said


def test_check_names_file_line_and_column_of_each_problem_and_fails(house: House, folder: Path) -> None:
    path = folder / "incident-reattestation" / "v1.yaml"
    path.write_text(path.read_text().replace("version: 1", "version: none", 1))

    code, said = run(house, "check", "--folder", str(folder))

    assert code == 1
    assert "questionnaires/incident-reattestation/v1.yaml:" in said
    assert "to mend." in said


def test_check_notices_a_file_in_the_wrong_place(house: House, folder: Path) -> None:
    shutil.move(folder / "incident-reattestation" / "v1.yaml", folder / "incident-reattestation" / "v2.yaml")

    code, said = run(house, "check", "--folder", str(folder))

    assert code == 1
    assert "its place is incident-reattestation/v1.yaml" in said


def test_publish_takes_two_people_who_confirm_the_same_digest(house: House, folder: Path, people: list[str]) -> None:
    code, said = publish(house, folder, people[0])

    assert code == 0
    assert said.startswith(f"{people[0]} confirmed incident-reattestation v1, SHA-256 {DIGEST}.")
    assert not (folder / "published.lock").exists()
    assert run(house, "list")[1].startswith("No version is published yet.")

    assert publish(house, folder, people[1]) == (0, f"Published incident-reattestation v1, SHA-256 {DIGEST}.\n")
    pinned = (folder / "published.lock").read_text()
    assert f"incident-reattestation v1 {DIGEST}\n" in pinned
    assert run(house, "list")[1].startswith("incident-reattestation v1  ")
    assert publish(house, folder, people[1])[0] == 0
    assert (folder / "published.lock").read_text() == pinned


def test_one_person_does_not_publish_by_confirming_twice(house: House, folder: Path, people: list[str]) -> None:
    publish(house, folder, people[0])

    code, said = publish(house, folder, people[0])

    assert code == 1
    assert "Another person" in said
    assert not (folder / "published.lock").exists()


def test_an_edit_between_the_two_takes_the_first_confirmation_away(
    house: House, folder: Path, people: list[str]
) -> None:
    publish(house, folder, people[0])
    path = folder / "incident-reattestation" / "v1.yaml"
    path.write_bytes(path.read_bytes() + b"# one more word\n")

    code, said = publish(house, folder, people[1])

    assert (code, " confirmed incident-reattestation v1, " in said) == (0, True)
    assert not (folder / "published.lock").exists()


def test_who_may_not_publish_confirms_nothing(house: House, folder: Path) -> None:
    reviewer = person(house, roles=[Role.REVIEWER], email="ines@lab.example").email

    assert publish(house, folder, reviewer)[0] == 1
    assert publish(house, folder, "nobody@lab.example") == (
        1,
        "Error: Nobody of the lab has the address nobody@lab.example.\n",
    )
    assert publish(house, folder, "")[1].startswith("Error: Say who confirms it: --as EMAIL")


def test_what_is_pinned_already_is_stored_without_a_person(house: House, folder: Path) -> None:
    (folder / "published.lock").write_text(f"incident-reattestation v1 {DIGEST}\n")

    assert publish(house, folder, "") == (0, f"Published incident-reattestation v1, SHA-256 {DIGEST}.\n")
    assert run(house, "list")[1].startswith("incident-reattestation v1  ")


def test_publish_refuses_a_file_that_changed_after_it_was_published(house: House, folder: Path) -> None:
    (folder / "published.lock").write_text(f"incident-reattestation v1 {DIGEST}\n")
    path = folder / "incident-reattestation" / "v1.yaml"
    path.write_bytes(path.read_bytes() + b"# one more word\n")
    pinned = (folder / "published.lock").read_text()

    code, said = publish(house, folder, "")

    assert code == 1
    assert "A published version never changes" in said
    assert (folder / "published.lock").read_text() == pinned
    assert run(house, "check", "--folder", str(folder))[0] == 1


def test_publish_refuses_a_version_with_undecided_changes(house: House, changed: Path, people: list[str]) -> None:
    code, said = run(house, "publish", "sample", "2", "--as", people[0], "--folder", str(changed))

    assert code == 1
    assert "Nothing says what changed since v1" in said


def test_publish_names_a_missing_file(house: House, folder: Path) -> None:
    code, said = run(house, "publish", "incident-reattestation", "7", "--folder", str(folder))

    assert code == 1
    assert "v7.yaml is missing" in said


def test_list_says_what_to_do_while_nothing_is_published(house: House) -> None:
    assert run(house, "list") == (
        0,
        "No version is published yet. Run “flask init”, or “flask questionnaires publish SLUG VERSION --as EMAIL”.\n",
    )


def test_check_holds_a_version_against_the_one_before_it(house: House, changed: Path) -> None:
    code, said = run(house, "check", "--folder", str(changed))

    assert code == 1
    assert "questionnaires/sample/v2.yaml:1:1: Nothing says what changed since v1: add the block “changes”" in said
    assert "No decision yet about the text: do earlier answers still say the same? “changed” is proposed" in said


def test_check_holds_a_key_against_the_published_questionnaires(house: House, changed: Path) -> None:
    (changed / "other").mkdir()
    other = SAMPLE.replace("slug: sample", "slug: other").replace("It covers all.", "It covers some.")
    (changed / "other" / "v1.yaml").write_text(other)
    (changed / "sample" / "v2.yaml").unlink()
    digest = hashlib.sha256(SAMPLE.encode()).hexdigest()
    (changed / "published.lock").write_text(f"sample v1 {digest}\n")

    code, said = run(house, "check", "--folder", str(changed))

    assert code == 1
    line = other[: other.index("key: one.scope")].count("\n") + 2
    assert f"other/v1.yaml:{line}:9: “one.scope” claims something else in sample, at the same revision 1" in said


def test_check_misses_the_version_before(house: House, changed: Path) -> None:
    (changed / "sample" / "v1.yaml").unlink()

    assert (
        "v1 is not in the folder, so nobody can tell what changed" in run(house, "check", "--folder", str(changed))[1]
    )


def test_diff_reads_like_the_review_of_a_text(house: House, changed: Path) -> None:
    code, said = run(house, "diff", "sample:1", "sample:2", "--folder", str(changed))

    assert code == 0
    assert (
        said
        == """\
sample v1 → sample v2: 2 changed.
2 changes need a decision; v2 has none about them.

1. One (one)
  ~ 1.1 one.level: Which level?
      The label of the option “high”: [-High-]{+Highest+}
        ⇒ undecided, proposal: changed claim
  ~ 1.2 one.scope: It covers all sites.
      The text: It covers all{+ sites+}.
        ⇒ undecided, proposal: changed claim
"""
    )


def test_diff_takes_paths_and_other_questionnaires(house: House, changed: Path) -> None:
    paths = [str(changed / "sample" / "v1.yaml"), str(SHIPPED / "incident-reattestation" / "v1.yaml")]

    code, said = run(house, "diff", *paths)

    assert code == 0
    assert said.startswith("sample v1 → incident-reattestation v1: ")
    assert "proposal" not in said


def test_diff_names_a_version_that_is_missing(house: House, changed: Path) -> None:
    code, said = run(house, "diff", "sample:1", "sample:9", "--folder", str(changed))

    assert code == 1
    assert "v9.yaml is missing. Name a version, such as ai-contractor:2, or the path of a file." in said


def test_what_diff_proposes_can_be_pasted_and_fails_until_it_is_settled(house: House, changed: Path) -> None:
    path = changed / "sample" / "v2.yaml"
    block = run(house, "diff", "sample:1", "sample:2", "--propose", "--folder", str(changed))[1]
    path.write_text(path.read_text() + block)

    code, said = run(house, "diff", "sample:1", "sample:2", "--folder", str(changed))

    assert code == 1
    assert "2 changes need a decision; 2 left to settle." in said
    assert "⇒ changed claim. To settle: The claim changed, so its revision becomes 2; it is 1" in said


def test_decide_writes_decisions_and_revisions_until_the_version_is_ready(
    house: House, changed: Path, people: list[str]
) -> None:
    path = changed / "sample" / "v2.yaml"
    before = path.read_text()

    first = decide(house, changed, "one.scope", "text", "changed", "--note", "All sites now.")
    refused = decide(house, changed, "one.level", "option_relabelled:high", "same")
    last = decide(house, changed, "one.level", "option_relabelled:high", "same", "--note", "It was always the highest.")

    assert first == (0, "one.scope, text: changed. 1 left to settle.\n")
    assert refused == (1, "Error: Say in at least 20 characters why earlier answers still mean the same.\n")
    assert last == (0, "one.level, option_relabelled:high: same. None left to settle.\n")
    head, _, block = path.read_text().partition("\nchanges:\n")
    old_scope, new_scope = (text[text.index("key: one.scope") :] for text in (before, head))
    assert new_scope == old_scope.replace("revision: 1", "revision: 2", 1)
    assert block.count("- {key: ") == 2
    assert run(house, "check", "--folder", str(changed))[0] == 0
    assert run(house, "diff", "sample:1", "sample:2", "--folder", str(changed))[0] == 0


def test_another_decision_takes_the_revision_back(house: House, changed: Path) -> None:
    decide(house, changed, "one.scope", "text", "changed")
    decide(house, changed, "one.scope", "text", "same")

    head = (changed / "sample" / "v2.yaml").read_text().partition("\nchanges:\n")[0]
    assert "revision: 2" not in head


def test_decide_names_what_changed_when_the_part_did_not(house: House, changed: Path) -> None:
    assert decide(house, changed, "one.scope", "steps", "same") == (
        1,
        "Error: “steps” of “one.scope” did not change since v1. Changed are: text.\n",
    )
    assert "“one.other” did not change since v1." in decide(house, changed, "one.other", "text", "same")[1]


def test_decide_never_edits_a_published_file(house: House, changed: Path) -> None:
    source = (changed / "sample" / "v2.yaml").read_bytes()
    (changed / "published.lock").write_text(f"sample v2 {hashlib.sha256(source).hexdigest()}\n")

    code, said = decide(house, changed, "one.scope", "text", "same")

    assert (code, said) == (1, "Error: sample v2 is published. Put your change into v3.\n")
    assert (changed / "sample" / "v2.yaml").read_bytes() == source


def test_coverage_prints_what_is_mapped_and_what_is_not(house: House, changed: Path) -> None:
    (changed / "frameworks").mkdir()
    (changed / "frameworks" / "csf-2.0.txt").write_text("GV.OV-03\nGV.OV-01\n")

    code, said = run(house, "coverage", "csf", "--folder", str(changed))

    assert code == 0
    assert said == "NIST CSF 2.0: 1 of 2 known are mapped.\n  GV.OV-03  sample:2/one.level\nNot mapped: GV.OV-01\n"
    assert "sample:1/one.level" in run(house, "coverage", "csf-2.0", "sample:1", "--folder", str(changed))[1]


def test_coverage_names_the_known_frameworks(house: House, changed: Path) -> None:
    assert run(house, "coverage", "csf-9", "--folder", str(changed)) == (
        1,
        "Error: No questionnaire maps to “csf-9”. Known are csf.\n",
    )


def decide(house: House, folder: Path, *words: str) -> tuple[int, str]:
    return run(house, "decide", "sample:2", *words, "--folder", str(folder))
