"""The answer pack: loss-free, the same bytes again, proven on its way back, and taken only as chosen."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.evidence import viewing
from portal.exchange import packs, taking
from portal.exchange.rules.pack import Fate, Seal, is_known_name
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.signing import Signer, SigningKey
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.attestations import Desk, good_answer
from tests.factories.attestations import desk as desk_of
from tests.factories.evidence import make_evidence

KEY = SigningKey("k1", bytes(range(32)), NOW - timedelta(days=1), NOW + timedelta(days=700))
OURS = Signer([KEY])
_names = itertools.count(1)
STRANGER = Signer([SigningKey("k2", bytes(range(1, 33)), NOW - timedelta(days=1), NOW + timedelta(days=700))])


def pack_of(desk: Desk, *, signer: Signer = OURS, files: bool = False) -> bytes:
    """The pack of a desk, as bytes."""

    @contextmanager
    def lend(evidence_id: UUID) -> Iterator[Path]:
        with viewing.opened(
            desk.house.ledger, desk.respondent.actor, store=desk.house.store, evidence_id=evidence_id
        ) as lent:
            yield lent.path

    with desk.at(desk.respondent.actor) as (tx, row):
        gathered = packs.gather(tx, assessment=row)
    out = io.BytesIO()
    packs.write(gathered, out, signer=signer, now=NOW, lend=lend if files else None)
    return out.getvalue()


def members(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rebuilt(parts: dict[str, bytes], *, honest: bool = False) -> bytes:
    """A pack of these members; an honest one has a manifest that names them."""
    if honest:
        head = json.loads(parts["manifest.json"])
        head["files"] = {
            name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            for name, body in parts.items()
            if name not in ("manifest.json", "signature.json")
        }
        parts = {**parts, "manifest.json": json.dumps(head).encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def bring(desk: Desk, pack: bytes, *, signer: Signer = OURS) -> UUID:
    found, seal, sha256 = packs.open_pack(io.BytesIO(pack), signer=signer)
    with desk.at(desk.admin.actor) as (tx, row):
        return taking.keep(tx, assessment=row, pack=found, seal=seal, sha256=sha256, file_name="pack.zip").id


def plan(desk: Desk, pack_id: UUID) -> taking.Plan:
    with desk.at(desk.admin.actor) as (tx, row):
        return taking.plan(tx, assessment=row, row=taking.get(tx, pack_id))


def take(desk: Desk, pack_id: UUID, *over: str, seen: str = "", actor: Any = None) -> taking.Taken:
    shown = seen or plan(desk, pack_id).seen
    with desk.at(actor or desk.admin.actor) as (tx, row):
        return taking.take(tx, assessment=row, row=taking.get(tx, pack_id), over=over, seen=shown)


def answers_json(desk: Desk) -> bytes:
    return members(pack_of(desk))["answers.json"]


@pytest.fixture
def other(house: House) -> Desk:
    """Another company, which was asked the same."""
    return desk_of(house, name="Brightfen Data")


def test_the_same_answers_are_the_same_bytes_and_every_part_is_named(desk: Desk) -> None:
    desk.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    desk.save("gov.owner", {"choice": "no", "comment": "Not any more."})
    first, parts = pack_of(desk), members(pack_of(desk))

    assert first == pack_of(desk)
    assert all(map(is_known_name, parts))
    assert json.loads(parts["answers.json"])["answers"]["gov.owner"]["content"]["comment"] == "Not any more."
    assert [each["content"]["comment"] for each in json.loads(parts["history.json"])["edits"]["gov.owner"]] == [
        "Our CTO.",
        "Not any more.",
    ]
    assert hashlib.sha256(parts["questionnaire.yaml"]).hexdigest() == desk.questionnaire.digest


def test_what_was_signed_is_in_it_with_the_fingerprint_that_recomputes(desk: Desk) -> None:
    desk.complete()
    signed = desk.sign()
    document = json.loads(members(pack_of(desk))["attestations/1.json"])
    with desk.at(desk.admin.actor) as (tx, _):
        assert document["digest"] == attestations.attested(tx, signed).digest
    body = json.dumps(document["snapshot"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(body).hexdigest() == document["digest"]


def test_a_pack_taken_into_an_empty_assessment_gives_equal_answers_again(desk: Desk, other: Desk) -> None:
    desk.complete()
    before = answers_json(desk)
    pack_id = bring(other, pack_of(desk))

    with other.at(other.admin.actor) as (tx, row):
        for line in assessments.scoping_of(tx, row):
            if line.needs_confirmation and line.stated:
                assessments.confirm_fact(tx, assessment=row, key=line.key, version=line.version)
    taken = take(other, pack_id)

    assert taken.left == ()
    assert answers_json(other) == before


def test_taking_it_twice_changes_nothing(desk: Desk, other: Desk) -> None:
    desk.complete()
    pack_id = bring(other, pack_of(desk))
    take(other, pack_id)
    before = answers_json(other)
    with other.at(other.admin.actor) as (tx, row):
        versions = {key: line.version for key, line in attestations.answers_of(tx, row).items()}

    again = take(other, bring(other, pack_of(desk)))

    assert (again.done, again.stated, again.cited) == ((), 0, 0)
    assert answers_json(other) == before
    with other.at(other.admin.actor) as (tx, row):
        assert {key: line.version for key, line in attestations.answers_of(tx, row).items()} == versions


def test_only_blank_questions_are_taken_unless_another_is_chosen(desk: Desk, other: Desk) -> None:
    for key in ("gov.owner", "gov.attest"):
        desk.save(key, {"choice": "yes", "comment": "Theirs."})
        other.save(key, {"choice": "no", "comment": "Mine."})
    desk.save("seg.train", {"choice": "yes", "comment": "Theirs."})
    pack_id = bring(other, pack_of(desk))
    shown = {each.key: each.fate for each in plan(other, pack_id).lines}
    assert shown == {"gov.owner": Fate.DIFFERS, "gov.attest": Fate.DIFFERS, "seg.train": Fate.TAKE}

    taken = take(other, pack_id, "gov.attest")

    assert set(taken.done) == {"seg.train", "gov.attest"}
    with other.at(other.admin.actor) as (tx, row):
        said = {key: line.comment for key, line in attestations.answers_of(tx, row).items()}
        edits = attestations.history(tx, row, "gov.attest")
    assert said == {"gov.owner": "Mine.", "gov.attest": "Theirs.", "seg.train": "Theirs."}
    assert [(each.version, each.by) for each in edits] == [(2, "Marisol Dufour"), (1, "Priya Raghunath")]


def test_what_changed_since_the_page_was_shown_stops_it(desk: Desk, other: Desk) -> None:
    desk.save("gov.owner", {"choice": "yes", "comment": "Theirs."})
    pack_id = bring(other, pack_of(desk))
    seen = plan(other, pack_id).seen
    other.save("gov.owner", {"choice": "no", "comment": "Mine."})

    with pytest.raises(Conflict, match="Something changed"):
        take(other, pack_id, seen=seen)


def test_a_respondent_takes_answers_and_a_signatory_does_not(desk: Desk, other: Desk) -> None:
    desk.complete()
    pack_id = bring(other, pack_of(desk))
    taken = take(other, pack_id, actor=other.respondent.actor)
    assert taken.done
    assert taken.stated == 0
    assert all("vendor admin" in reason for _, reason in taken.left)
    with pytest.raises(Forbidden):
        take(other, pack_id, actor=other.signatory.actor)


def test_files_are_cited_where_the_library_has_them_and_named_where_not(house: House, desk: Desk, other: Desk) -> None:
    file = make_evidence(house, desk.respondent)
    desk.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    desk.cite("gov.owner", file.id, "2", "The CTO owns security.")
    pack_id = bring(other, pack_of(desk, files=True))

    assert [there for _, there in plan(other, pack_id).files] == [False]
    assert take(other, pack_id).cited == 0
    make_evidence(house, other.respondent)
    assert [there for _, there in plan(other, pack_id).files] == [True]
    assert take(other, pack_id).cited == 1
    with other.at(other.admin.actor) as (tx, row):
        assert [(each.sha256, each.pages, each.quote) for each in attestations.citations_of(tx, row)["gov.owner"]] == [
            (file.sha256, "2", "The CTO owns security.")
        ]


def test_the_files_are_in_it_if_asked_for(house: House, desk: Desk) -> None:
    file = make_evidence(house, desk.respondent)
    desk.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    desk.cite("gov.owner", file.id)
    parts = members(pack_of(desk, files=True))
    assert hashlib.sha256(parts[f"evidence/{file.sha256}"]).hexdigest() == file.sha256
    assert json.loads(parts["manifest.json"])["evidence"][0]["included"] is True
    assert f"evidence/{file.sha256}" not in members(pack_of(desk))


def test_the_seal_says_whose_it_is(desk: Desk) -> None:
    pack = pack_of(desk)
    assert packs.open_pack(io.BytesIO(pack), signer=OURS)[1] is Seal.OURS
    assert packs.open_pack(io.BytesIO(pack), signer=STRANGER)[1] is Seal.OTHER
    assert packs.open_pack(io.BytesIO(pack_of(desk, signer=Signer(()))), signer=OURS)[1] is Seal.NONE


def test_a_pack_of_other_questions_is_refused(desk: Desk, house: House) -> None:
    longer = desk_of(house, slug="ai-contractor", name="Brightfen Data")
    with pytest.raises(
        Refused, match="This pack answers ai-contractor-minimal v1, and this assessment asks ai-contractor v1"
    ):
        bring(longer, pack_of(desk))


def test_another_vendor_does_not_find_it(desk: Desk, other: Desk) -> None:
    pack_id = bring(desk, pack_of(desk))
    with pytest.raises(NotFound), other.house.ledger.begin(other.admin.actor) as tx:
        taking.get(tx, pack_id)


def test_an_answer_that_does_not_fit_is_left_with_its_reason(desk: Desk, other: Desk) -> None:
    desk.save("gov.owner", {"choice": "yes", "comment": "Our CTO."})
    parts = members(pack_of(desk))
    told = json.loads(parts["answers.json"])
    told["answers"]["gov.owner"]["content"] = {"choice": "perhaps"}
    told["answers"]["gov.attest"]["content"] = {"comment": " "}
    told["answers"]["of.another"] = {"content": {"choice": "yes"}}
    del parts["signature.json"]
    pack_id = bring(other, rebuilt({**parts, "answers.json": json.dumps(told).encode()}, honest=True))
    taken = take(other, pack_id)
    assert dict(taken.left)["gov.owner"].startswith("Choose an answer for")
    assert [each.key for each in plan(other, pack_id).of(Fate.UNKNOWN)] == ["of.another"]


def changed(parts: dict[str, bytes], how: str) -> bytes:
    unsigned = {name: body for name, body in parts.items() if name != "signature.json"}
    answers = json.loads(parts["answers.json"])
    answers["answers"]["gov.owner"]["content"] = {"choice": "yes"}
    other_answers = {**unsigned, "answers.json": json.dumps(answers).encode()}
    return {
        "no zip": b"PK not really",
        "nothing": b"",
        "another member": rebuilt({**parts, "run.sh": b"rm"}),
        "a way out": rebuilt({**parts, "../answers.json": b"{}"}),
        "no manifest": rebuilt({name: body for name, body in parts.items() if name != "manifest.json"}),
        "other answers": rebuilt({**parts, "answers.json": json.dumps(answers).encode()}),
        "another manifest": rebuilt({**parts, "manifest.json": parts["manifest.json"] + b" "}),
        "a broken seal": rebuilt({**parts, "signature.json": b'{"payload": 7}'}),
        "evidence under another name": rebuilt({**parts, "evidence/" + "0" * 64: b"something"}),
        "a bomb": rebuilt({**unsigned, "history.json": b" " * 30_000_000}, honest=True),
        "a dense bomb": rebuilt(
            {**unsigned, "evidence/" + hashlib.sha256(b" " * 9_000_000).hexdigest(): b" " * 9_000_000}
        ),
        "too deep": rebuilt({**unsigned, "answers.json": b"[" * 100_000 + b"]" * 100_000}, honest=True),
        "a number too long": rebuilt({**unsigned, "answers.json": b'{"format": ' + b"9" * 9_000 + b"}"}, honest=True),
        "no number": rebuilt({**unsigned, "answers.json": b'{"tier": NaN}'}, honest=True),
        "no text": rebuilt({**unsigned, "answers.json": b"\xff\xfe"}, honest=True),
        "a list": rebuilt({**unsigned, "answers.json": b"[]"}, honest=True),
        "another format": rebuilt({**unsigned, "answers.json": b'{"format": "x"}'}, honest=True),
        "a strange answer": rebuilt(
            {
                **other_answers,
                "answers.json": json.dumps({**answers, "answers": {"a": {"content": {"rows": 7}}}}).encode(),
            },
            honest=True,
        ),
    }[how]


@pytest.mark.parametrize(
    "how",
    [
        "no zip",
        "nothing",
        "another member",
        "a way out",
        "no manifest",
        "other answers",
        "another manifest",
        "a broken seal",
        "evidence under another name",
        "a bomb",
        "a dense bomb",
        "too deep",
        "a number too long",
        "no number",
        "no text",
        "a list",
        "another format",
        "a strange answer",
    ],
)
def test_what_is_no_pack_or_not_as_it_was_made_is_refused_in_words(desk: Desk, how: str) -> None:
    desk.save("gov.owner", {"choice": "no", "comment": "Nobody."})
    with pytest.raises(Refused) as refusal:
        packs.open_pack(io.BytesIO(changed(members(pack_of(desk)), how)), signer=OURS)
    (words,) = refusal.value.problems["file"]
    assert any(cure in words for cure in ("again", "without files"))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), cut=st.booleans())
def test_a_pack_with_a_byte_changed_or_cut_off_is_read_the_same_or_refused(
    desk: Desk, at: int, byte: int, cut: bool
) -> None:
    pack = pack_of(desk)
    place = at % len(pack)
    broken = pack[:place] if cut else pack[:place] + bytes([byte]) + pack[place + 1 :]
    try:
        found, seal, _ = packs.open_pack(io.BytesIO(broken), signer=OURS)
    except Refused:
        return
    whole, _, _ = packs.open_pack(io.BytesIO(pack), signer=OURS)
    assert found == whole
    assert seal in (Seal.OURS, Seal.NONE)


KEYS = ("gov.owner", "gov.attest", "seg.train", "wrk.training")


@settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.dictionaries(st.sampled_from(KEYS), st.text(st.characters(exclude_categories=["C"]), max_size=60)))
def test_whatever_was_said_comes_back_word_for_word(house: House, said: dict[str, str]) -> None:
    number = next(_names)
    one, two = desk_of(house, name=f"One {number}"), desk_of(house, name=f"Two {number}")
    for key, words in said.items():
        one.save(key, {**good_answer(one.questionnaire.question(key)), "comment": words})
    take(two, bring(two, pack_of(one)))
    assert json.loads(answers_json(two))["answers"] == json.loads(answers_json(one))["answers"]
