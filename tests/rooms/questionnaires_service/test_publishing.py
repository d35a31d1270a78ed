"""Publishing questionnaire versions and handing out compiled ones."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from portal.kernel.actor import system
from portal.kernel.errors import NotFound, Refused
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Questionnaire
from portal.wiring import House
from tests.factories.assessments import SHIPPED, make_questionnaire

SYSTEM = system("test")
SMALL = SHIPPED / "incident-reattestation" / "v1.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one shipped questionnaire in it, published."""
    folder = tmp_path / "questionnaires"
    (folder / "incident-reattestation").mkdir(parents=True)
    shutil.copy(SMALL, folder / "incident-reattestation" / "v1.yaml")
    lines = (SHIPPED / "published.lock").read_text().splitlines()
    (folder / "published.lock").write_text("\n".join(line for line in lines if line.startswith("incident-")) + "\n")
    return folder


def test_the_shipped_versions_are_loaded_and_loading_again_changes_nothing(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        first = [(row.slug, row.version, row.digest) for row in questionnaires.load_locked(tx, SHIPPED)]
    with house.ledger.begin(SYSTEM) as tx:
        again = [(row.slug, row.version, row.digest) for row in questionnaires.load_locked(tx, SHIPPED)]
        assert tx.facts == []

    assert first == again
    assert [(slug, version) for slug, version, _ in first] == [
        ("ai-contractor", 1),
        ("ai-contractor", 2),
        ("ai-contractor-minimal", 1),
        ("incident-reattestation", 1),
    ]


def test_a_changed_published_file_is_refused(house: House, folder: Path) -> None:
    path = folder / "incident-reattestation" / "v1.yaml"
    path.write_bytes(path.read_bytes() + b"# one more word\n")

    with house.ledger.begin(SYSTEM) as tx, pytest.raises(Refused, match="never changes: put your change into v2"):
        questionnaires.load_locked(tx, folder)


def test_another_text_under_a_stored_version_is_refused(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        make_questionnaire(tx, "incident-reattestation")
        with pytest.raises(Refused, match="is published with SHA-256"):
            questionnaires.publish(tx, source=SMALL.read_bytes() + b"# one more word\n")


def test_a_missing_published_file_is_named(house: House, folder: Path) -> None:
    (folder / "incident-reattestation" / "v1.yaml").unlink()

    with house.ledger.begin(SYSTEM) as tx, pytest.raises(Refused, match=r"is missing\. Bring the file back"):
        questionnaires.load_locked(tx, folder)


def test_what_does_not_compile_is_refused_with_its_place(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx, pytest.raises(Refused, match=r"mine:\d+:\d+: "):
        questionnaires.publish(tx, source=b"slug: mine\nversion: one\n", name="mine")


def test_the_newest_version_is_the_latest(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        first = make_questionnaire(tx, "incident-reattestation")
        source = SMALL.read_bytes().replace(b"\nversion: 1\n", b"\nversion: 2\n")
        second = questionnaires.publish(tx, source=source)

        assert questionnaires.latest(tx, "incident-reattestation").id == second.id
        assert [line.name for line in questionnaires.list_versions(tx)] == [
            "incident-reattestation v2",
            "incident-reattestation v1",
        ]
        assert questionnaires.get(tx, first.id).version == 1
        with pytest.raises(NotFound):
            questionnaires.latest(tx, "no-such-questionnaire")


def test_a_version_is_compiled_once_a_process_also_by_many_threads(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        version_id = make_questionnaire(tx, "incident-reattestation").id
    found: list[Questionnaire] = []

    def read() -> None:
        with house.ledger.begin(SYSTEM) as tx:
            found.append(questionnaires.compiled(tx, version_id))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(found) == 4
    assert all(each is found[0] for each in found)


def test_a_version_that_is_not_there_is_not_found(house: House) -> None:
    with house.ledger.begin(SYSTEM) as tx, pytest.raises(NotFound):
        questionnaires.compiled(tx, uuid4())
