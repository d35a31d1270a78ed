"""Taking everything out, and taking answers in after reading what would change."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.attestations import service as attestations
from portal.exchange import packs
from portal.kernel import signing
from portal.kernel.actor import system
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.attestations import Desk, desk
from tests.factories.evidence import make_evidence
from tests.sites.conftest import Client


@pytest.fixture(autouse=True)
def keys(house: House) -> None:
    """A key that signs."""
    signing.make_file(house.signing_keys, now=NOW)


@pytest.fixture
def brightfen(house: House) -> Desk:
    """Another company that was asked the same, and has answered two questions."""
    made = desk(house, name="Brightfen Data")
    made.save("gov.owner", {"choice": "yes", "comment": "Their CTO."})
    made.save("seg.train", {"choice": "yes", "comment": "They never do."})
    return made


def taken_out(client: Client, made: Desk, **form: str) -> bytes:
    answer = client.post(f"/exchange/pack/{made.assessment_id}", data=form)
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.get_data())
    return answer.get_data()


def bring(client: Client, made: Desk, pack: bytes, name: str = "pack.zip") -> Any:
    return client.post(
        f"/exchange/pack/{made.assessment_id}/read",
        data={"file": (io.BytesIO(pack), name)},
        content_type="multipart/form-data",
    )


def take(client: Client, where: str, **chosen: Any) -> Any:
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', client.get(where).get_data(as_text=True))
    assert seen
    return client.post(where, data={"seen": seen[1], **chosen})


def comments(made: Desk) -> dict[str, str]:
    with made.at(made.admin.actor) as (tx, row):
        return {key: line.comment for key, line in attestations.answers_of(tx, row).items()}


def test_everything_that_was_entered_leaves_as_a_signed_pack(
    house: House, quillmark: Desk, priya: Client, daniel: Client
) -> None:
    quillmark.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    file = make_evidence(house, quillmark.respondent)
    quillmark.cite("gov.owner", file.id, "1")
    page = priya.get(f"/exchange/pack/{quillmark.assessment_id}").get_data(as_text=True)
    assert "Download the pack" in page

    plain, whole = taken_out(priya, quillmark), taken_out(daniel, quillmark, files="yes")

    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        names = archive.namelist()
        assert len(archive.read(f"evidence/{file.sha256}")) == file.size
        envelope = json.loads(archive.read("signature.json"))
    assert names[:2] == ["manifest.json", "signature.json"]
    assert signing.verify(envelope, house.signer.keys[0].public, kind="application/vnd.gatehouse.answer-pack+json")
    assert len(plain) < len(whole)


def test_the_trail_says_that_answers_left(house: House, quillmark: Desk, priya: Client) -> None:
    taken_out(priya, quillmark)
    with house.ledger.begin(system("test")) as tx:
        payload = tx.session.execute(
            sa.text("SELECT payload FROM audit_event WHERE fact = 'answers_exported'")
        ).scalar_one()
    payload = json.loads(payload)
    assert payload["what"] == "answer pack"
    assert re.fullmatch(r"[0-9a-f]{64}", payload["digest"])


def test_a_pack_is_read_first_and_taken_as_chosen(
    quillmark: Desk, priya: Client, brightfen: Desk, signed_in: Callable[..., Client]
) -> None:
    quillmark.save("gov.owner", {"choice": "no", "comment": "Nobody yet."})
    where = bring(priya, quillmark, taken_out(signed_in(brightfen.admin), brightfen)).location

    page = priya.get(where).get_data(as_text=True)
    assert "Made here, and unchanged since." in page
    assert "1 answer that you have not given here" in page
    assert "1 answer that you gave differently" in page
    assert "Nobody yet." in page
    assert "Their CTO." in page
    assert comments(quillmark) == {"gov.owner": "Nobody yet."}

    answer = take(priya, where)
    assert answer.status_code == 303
    assert "Taken: 1 answer." in priya.get(answer.location).get_data(as_text=True)
    assert comments(quillmark) == {"gov.owner": "Nobody yet.", "seg.train": "They never do."}

    take(priya, where, over=["gov.owner"])
    assert comments(quillmark)["gov.owner"] == "Their CTO."
    assert "2 answers are the same here already." in priya.get(where).get_data(as_text=True)


def test_who_was_overtaken_reads_again_before_anything_is_taken(
    quillmark: Desk, priya: Client, brightfen: Desk, signed_in: Callable[..., Client]
) -> None:
    where = bring(priya, quillmark, taken_out(signed_in(brightfen.admin), brightfen)).location
    answer = priya.post(where, data={"seen": "0" * 64})
    assert answer.status_code == 409
    assert "Nothing was taken" in answer.get_data(as_text=True)
    assert comments(quillmark) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "Choose a file"), (b"PK no zip", "The file is no answer pack, or it was damaged on its way")],
)
def test_what_is_no_pack_is_refused_with_the_way_to_mend_it(
    quillmark: Desk, priya: Client, content: bytes, words: str
) -> None:
    answer = bring(priya, quillmark, content, "pack.zip" if content else "")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_a_text_that_cannot_be_stored_is_refused(quillmark: Desk, priya: Client) -> None:
    quillmark.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    with zipfile.ZipFile(io.BytesIO(taken_out(priya, quillmark))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for bad in (b"\\u0000", b"\\ud800"):
        body = parts["answers.json"].replace(b"Our CTO.", bad)
        head = json.loads(parts["manifest.json"])
        head["files"]["answers.json"]["sha256"] = hashlib.sha256(body).hexdigest()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, part in {**parts, "answers.json": body, "manifest.json": json.dumps(head).encode()}.items():
                if name != "signature.json":
                    archive.writestr(name, part)
        answer = bring(priya, quillmark, out.getvalue())
        assert answer.status_code == 422
        assert "cannot be stored" in answer.get_data(as_text=True)


def test_after_signing_a_pack_can_be_taken_out_and_none_in(quillmark: Desk, priya: Client) -> None:
    quillmark.complete()
    where = bring(priya, quillmark, taken_out(priya, quillmark)).location
    quillmark.sign()

    assert "attestations/1.json" in zipfile.ZipFile(io.BytesIO(taken_out(priya, quillmark))).namelist()
    assert "Take answers in" not in priya.get(f"/exchange/pack/{quillmark.assessment_id}").get_data(as_text=True)
    assert "Nothing can be taken now." in priya.get(where).get_data(as_text=True)


def test_the_list_leads_to_the_pack_of_each_assessment(quillmark: Desk, priya: Client) -> None:
    assert f"/exchange/pack/{quillmark.assessment_id}" in priya.get("/exchange").get_data(as_text=True)


def test_answers_go_to_vsaq_and_come_back_as_chosen(quillmark: Desk, priya: Client, brightfen: Desk) -> None:
    with brightfen.at(brightfen.admin.actor) as (tx, row):
        body = packs.vsaq_json(tx, assessment=row)
    assert json.loads(body) == {"gov_owner_yes": "checked", "seg_train": "yes"}
    flat = {**json.loads(body), "somebody_elses": "checked"}

    answer = bring(priya, quillmark, json.dumps(flat).encode(), "answers.json")

    page = priya.get(answer.location).get_data(as_text=True)
    assert "Not read: somebody_elses." in page
    assert "2 answers that you have not given here" in page
    take(priya, answer.location)
    assert set(comments(quillmark)) == {"gov.owner", "seg.train"}
    back = priya.post(f"/exchange/vsaq/{quillmark.assessment_id}")
    assert back.get_json() == json.loads(body)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "The file is no map of VSAQ answers"),
        (b"[]", "The file is no map of VSAQ answers"),
        (b'{"gov_owner_yes": true}', "The file is no map of VSAQ answers"),
        (b'{"gov_owner_yes": "\\u0000"}', "cannot be stored"),
        (b'{"x": "y"}', "The file answers no question of ai-contractor-minimal v1"),
        (b'{"x": "' + b"y" * 4_000_001 + b'"}', "Upload the answers alone"),
    ],
)
def test_what_is_no_map_of_answers_is_refused(quillmark: Desk, priya: Client, content: bytes, words: str) -> None:
    answer = bring(priya, quillmark, content, "answers.json")
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
