"""Everything out: all that is the vendor's, nothing of the lab or of another, and every byte accounted for."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.exchange import everything
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.wiring import House
from tests.factories.identity import code_of
from tests.factories.std import DRAFT, INTERNAL, A, B, C, Party, Std
from tests.sites.cases.conftest import Browser


def taken(client: FlaskClient, **form: str) -> zipfile.ZipFile:
    answer = client.post("/everything", data={"files": "yes", **form})
    assert (answer.status_code, answer.content_type) == (200, "application/zip"), answer.get_data(as_text=True)
    return zipfile.ZipFile(io.BytesIO(answer.get_data()))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    found = json.loads(archive.read("manifest.json"))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("which", ["b", "c"])
def test_all_of_it_is_the_vendors_own(std: Std, browser: Browser, which: str) -> None:
    party: Party = getattr(std, which)

    archive = taken(browser(party.desk.admin))

    body = b"\n".join(each.encode() + archive.read(each) for each in archive.namelist())
    assert party.canary.encode() in body
    # The draft that holds its canary was published meanwhile, and B was asked again by it.
    for strange in {A, B, C, INTERNAL} - {party.canary} | ({DRAFT} if which == "c" else set()):
        assert strange.encode() not in body


def test_every_member_is_in_the_manifest_with_its_digest(std: Std, browser: Browser) -> None:
    archive = taken(browser(std.b.desk.signatory))

    members = manifest_of(archive)["members"]
    assert set(members) == set(archive.namelist()) - {"manifest.json"}
    for name, said in members.items():
        content = archive.read(name)
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (said["sha256"], said["size"])
    assert archive.testzip() is None


def test_what_was_promised_is_in_it(std: Std, browser: Browser) -> None:
    archive = taken(browser(std.b.desk.admin))

    names = archive.namelist()
    folder = names[3].rpartition("/")[0]
    expected = ["answers.json", "answers.csv", "answers.xlsx", "history.json", "carried.json", "scoping.json"]
    expected += ["messages.json", "work.json", "attestations/1.json", "attestations/1.pdf"]
    for name in expected:
        assert f"{folder}/{name}" in names
    assert any(each.startswith(f"{folder}/results/") for each in names)
    assert names[:3] == ["README.txt", "vendor.json", "team.csv"]
    assert names[-1] == "manifest.json"
    signed = json.loads(archive.read(f"{folder}/attestations/1.json"))
    assert archive.read(f"{folder}/attestations/1.pdf").startswith(b"%PDF-")
    assert len(signed["digest"]) == 64
    assert any(each.startswith("evidence/files/") for each in names)
    assert manifest_of(archive)["left_out"] == []


def test_names_lead_nowhere_and_equal_content_gives_equal_members(std: Std, browser: Browser) -> None:
    client = browser(std.c.desk.admin)
    first, second = taken(client, files="no"), taken(client, files="no")

    assert first.namelist() == second.namelist()
    for info in first.infolist():
        assert not info.filename.startswith("/")
        assert ".." not in info.filename
        assert info.filename.isascii()
        if info.filename not in {"evidence/openings.csv", "manifest.json"} and not info.filename.endswith(".xlsx"):
            assert first.read(info.filename) == second.read(info.filename), info.filename


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("C:\\x\\..\\evil.pdf", "C-x..-evil.pdf"),
        ("Bericht für Müller.pdf", "Bericht-fur-Muller.pdf"),
        ("…", "file"),
        ("a" * 300 + ".pdf", "a" * 60 + ".pdf"),
        (".htaccess", "htaccess"),
        ("con\x00trol\n.txt", "con-trol.txt"),
    ],
)
def test_file_names_are_made_safe(given: str, safe: str) -> None:
    assert everything.safe_name(given).replace("-.", ".") == safe


def test_a_file_whose_bytes_changed_is_named_and_not_given(std: Std, browser: Browser, house: House) -> None:
    for path in house.settings.evidence_path.rglob("*"):
        if path.is_file() and path.read_bytes().startswith(b"%PDF"):
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:-1] + b"X")

    archive = taken(browser(std.b.desk.admin))

    left_out = manifest_of(archive)["left_out"]
    assert left_out
    assert all("sha256" in each and each["why"] for each in left_out)
    gone = {each["sha256"] for each in left_out}
    assert not gone & {each["sha256"] for each in manifest_of(archive)["members"].values()}
    assert archive.testzip() is None


def test_without_files_only_their_description_is_in_it(std: Std, browser: Browser) -> None:
    archive = taken(browser(std.b.desk.admin), files="no")

    assert not any(each.startswith("evidence/files/") for each in archive.namelist())
    assert json.loads(archive.read("evidence/index.json"))
    assert "are not in here" in archive.read("README.txt").decode()


def test_a_respondent_is_told_who_may(std: Std, browser: Browser) -> None:
    client = browser(std.b.desk.respondent)

    body = client.get("/everything").get_data(as_text=True)

    assert "An admin or a signatory of your team can take everything out" in body
    assert client.post("/everything", data={"files": "yes"}).status_code == 403


def test_it_asks_once_more_that_it_is_you(std: Std, browser: Browser, house: House) -> None:
    client = browser(std.b.desk.admin, fresh=False)

    refused = client.post("/everything", data={"files": "no"})
    assert refused.status_code == 422
    assert "Enter the 6 digits from your authenticator app" in refused.get_data(as_text=True)
    with house.ledger.begin(system("test")) as tx:
        assert tx.session.execute(sa.text("SELECT count(*) FROM vendor_export")).scalar_one() == 0

    taken(client, files="no", code=code_of(house, std.b.desk.admin))


def test_it_is_written_down_and_the_other_admins_hear_of_it(std: Std, browser: Browser, house: House) -> None:
    taken(browser(std.b.desk.signatory), files="no")

    body = browser(std.b.desk.admin).get("/everything").get_data(as_text=True)
    assert std.b.desk.signatory.full_name in body.split("Taken out before")[-1]
    with house.engine.connect() as connection:
        told = connection.execute(
            sa.text("SELECT args->>'user_id' FROM procrastinate_jobs WHERE args->>'kind' = 'everything_taken'")
        )
        assert [row[0] for row in told] == [str(std.b.desk.admin.id)]
    with pytest.raises(sa.exc.ProgrammingError), house.ledger.begin(system("test")) as tx:
        tx.session.execute(sa.text("UPDATE vendor_export SET taken_by_name = 'nobody'"))


def test_ten_times_a_day_are_enough(std: Std, browser: Browser, house: House, clock: FixedClock) -> None:
    for _ in range(10):
        with house.ledger.begin(std.b.desk.admin.fresh) as tx:
            everything.begin(tx, with_files=False)
    client = browser(std.b.desk.admin)

    answer = client.post("/everything", data={"files": "no"})

    assert answer.status_code == 429
    assert "Try again tomorrow" in answer.get_data(as_text=True)
    assert answer.headers["Retry-After"] == "86401"
    clock.advance(hours=24)
    taken(browser(std.b.desk.admin), files="no")


def test_every_opening_is_listed_from_both_sides_and_can_be_filtered(std: Std, browser: Browser) -> None:
    evidence_id = std.b.own["evidence_id"]
    browser(std.lab["r1"]).get(f"/lab/evidence/{evidence_id}/file")
    client = browser(std.b.desk.admin)
    client.get(f"/evidence/{evidence_id}/file")

    body = client.get("/everything/openings").get_data(as_text=True)
    assert std.lab["r1"].full_name in body
    assert std.b.desk.admin.full_name in body

    ours = {"person": str(std.b.desk.admin.id), "file": str(evidence_id)}
    mine = client.get("/everything/openings.csv", query_string=ours)
    rows = list(csv.reader(io.StringIO(mine.get_data(as_text=True))))
    assert {row[4] for row in rows[1:]} == {std.b.desk.admin.full_name}
    assert {row[5] for row in rows[1:]} == {"your team"}
    nothing = client.get("/everything/openings", query_string={"person": str(std.c.desk.admin.id)})
    assert "No opening fits this filter" in nothing.get_data(as_text=True)


def test_nobody_sees_the_openings_of_anothers_files(std: Std, browser: Browser) -> None:
    browser(std.lab["r1"]).get(f"/lab/evidence/{std.b.own['evidence_id']}/file")

    for query in ({}, {"file": str(std.b.own["evidence_id"])}):
        table = browser(std.a.desk.admin).get("/everything/openings.csv", query_string=query).get_data(as_text=True)
        assert std.b.canary not in table
        assert str(std.b.own["evidence_id"]) not in table
