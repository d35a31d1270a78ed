"""flask questionnaires check, publish and list."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from portal.questionnaires.cli import questionnaires_group
from portal.wiring import House
from tests.factories.assessments import SHIPPED


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of one questionnaire, not published."""
    folder = tmp_path / "questionnaires"
    (folder / "incident-reattestation").mkdir(parents=True)
    shutil.copytree(SHIPPED / "frameworks", folder / "frameworks")
    shutil.copy(SHIPPED / "incident-reattestation" / "v1.yaml", folder / "incident-reattestation" / "v1.yaml")
    return folder


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


def test_publish_pins_the_hash_and_stores_the_version(house: House, folder: Path) -> None:
    code, said = run(house, "publish", "incident-reattestation", "1", "--folder", str(folder))

    assert code == 0
    assert said.startswith("Published incident-reattestation v1, SHA-256 ")
    pinned = (folder / "published.lock").read_text()
    shipped = [line for line in (SHIPPED / "published.lock").read_text().splitlines() if line.startswith("incident")]
    assert shipped[0] in pinned
    assert run(house, "publish", "incident-reattestation", "1", "--folder", str(folder))[0] == 0
    assert (folder / "published.lock").read_text() == pinned
    assert run(house, "list")[1].startswith("incident-reattestation v1  ")


def test_publish_refuses_a_file_that_changed_after_it_was_published(house: House, folder: Path) -> None:
    run(house, "publish", "incident-reattestation", "1", "--folder", str(folder))
    path = folder / "incident-reattestation" / "v1.yaml"
    path.write_bytes(path.read_bytes() + b"# one more word\n")
    pinned = (folder / "published.lock").read_text()

    code, said = run(house, "publish", "incident-reattestation", "1", "--folder", str(folder))

    assert code == 1
    assert "A published version never changes" in said
    assert (folder / "published.lock").read_text() == pinned
    assert run(house, "check", "--folder", str(folder))[0] == 1


def test_publish_names_a_missing_file(house: House, folder: Path) -> None:
    code, said = run(house, "publish", "incident-reattestation", "7", "--folder", str(folder))

    assert code == 1
    assert "v7.yaml is missing" in said


def test_list_says_what_to_do_while_nothing_is_published(house: House) -> None:
    assert run(house, "list") == (
        0,
        "No version is published yet. Run “flask init”, or “flask questionnaires publish SLUG VERSION”.\n",
    )
