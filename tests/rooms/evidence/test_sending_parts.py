"""How a large file comes in: no part twice, places that are found again, and races that have one end."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import requests

from portal.evidence import intake, queries, service
from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.objects import PART_BYTES, ObjectStore
from portal.policy import Action
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.evidence import make_evidence, reserved, row_of
from tests.factories.identity import Person
from tests.rules import files

SYSTEM = system("test")
ZERO = "0" * 64
# One part and a little: two parts, and a test stays quick.
REPORT = files.pdf(extra={100: b"<< /Length %d >>\nstream\n" % PART_BYTES + bytes(PART_BYTES) + b"\nendstream"})


on_disk = pytest.mark.parametrize("store", ["disk"], indirect=True)
"""For what does not depend on the kind of store."""


def begin(house: House, who: Person, place: Evidence) -> intake.Way:
    return intake.begin(house.ledger, who.actor, store=house.store, evidence_id=place.id)


def send(house: House, who: Person, place: Evidence, numbers: Sequence[int], content: bytes = REPORT) -> None:
    """What the browser does with these parts."""
    for number in numbers:
        piece = content[PART_BYTES * (number - 1) : PART_BYTES * number]
        wanted = [(number, hashlib.sha256(piece).hexdigest())]
        ((_, ticket),) = intake.part_tickets(
            house.ledger, who.actor, store=house.store, evidence_id=place.id, wanted=wanted
        )
        if house.store.can_presign:
            assert requests.put(ticket.url, data=piece, headers=dict(ticket.headers), timeout=10).ok
        else:
            house.store.accept_part(ticket.url.rpartition("/")[2], io.BytesIO(piece))


def finalise(house: House, who: Person, place: Evidence) -> intake.Taken:
    return intake.finalise(house.ledger, who.actor, store=house.store, evidence_id=place.id)


def cancel(house: House, who: Person, place: Evidence) -> str:
    return intake.cancel(house.ledger, who.actor, store=house.store, evidence_id=place.id)


def nothing_is_left(store: ObjectStore) -> bool:
    return not list(store.versions("")) and not list(store.unfinished(""))


@pytest.fixture
def place(house: House, ada: Person) -> Evidence:
    """A place for the report, begun at the store."""
    made = reserved(house, ada, REPORT)
    assert begin(house, ada, made).have == ()
    return made


def instead(monkeypatch: pytest.MonkeyPatch, store: ObjectStore, name: str, first: Callable[[], Any]) -> None:
    """Let something else happen right after the store did its part, once."""
    real = getattr(store, name)

    def then(*args: Any, **kwargs: Any) -> Any:
        done = real(*args, **kwargs)
        monkeypatch.setattr(store, name, real)
        first()
        return done

    monkeypatch.setattr(store, name, then)


def test_a_cut_upload_goes_on_where_it_stopped(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [2])

    again = reserved(house, ada, REPORT)
    way = begin(house, ada, again)

    assert (again.id, way.count, way.have) == (place.id, 2, (2,))
    send(house, ada, again, [1])
    assert finalise(house, ada, again).state is EvidenceState.ATTACHED
    row = row_of(house, place.id)
    assert b"".join(house.store.open(row.object_key, row.version_id or "")) == REPORT
    assert not list(house.store.unfinished(""))


@on_disk
@pytest.mark.parametrize("changed", [{"kind": "LOG", "details": {}}, {"sha256": ZERO}, {"name": "same.csv"}])
def test_another_purpose_or_another_file_is_another_place(
    house: House, ada: Person, place: Evidence, changed: dict[str, Any]
) -> None:
    assert reserved(house, ada, REPORT, **changed).id != place.id


@on_disk
def test_a_colleague_has_a_place_of_their_own_and_none_of_this_one(
    house: House, ada: Person, ben: Person, stranger: Person, place: Evidence
) -> None:
    assert reserved(house, ben, REPORT).id != place.id
    wanted = [(1, ZERO)]
    for who, refusal in ((ben, Forbidden), (stranger, NotFound)):
        with pytest.raises(refusal):
            begin(house, who, place)
        with pytest.raises(refusal):
            intake.part_tickets(house.ledger, who.actor, store=house.store, evidence_id=place.id, wanted=wanted)
        with pytest.raises(refusal):
            cancel(house, who, place)
    with house.ledger.begin(ben.actor) as tx:
        assert [each.id for each in queries.unfinished(tx)] != [place.id]
    with house.ledger.begin(ada.actor) as tx:
        assert [each.id for each in queries.unfinished(tx)] == [place.id]


@on_disk
def test_a_file_is_put_together_only_when_every_part_is_there(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1])

    with pytest.raises(Conflict, match="has not arrived in full"):
        finalise(house, ada, place)

    assert row_of(house, place.id).state is EvidenceState.RESERVED


@on_disk
@pytest.mark.parametrize(
    "wanted",
    [[(0, "0" * 64)], [(3, "0" * 64)], [(1, "x")], [(1, "0" * 64), (1, "0" * 64), (1, "0" * 64), (2, "0" * 64)]],
)
def test_a_part_that_the_file_does_not_have_gets_no_ticket(
    house: House, ada: Person, place: Evidence, wanted: list[tuple[int, str]]
) -> None:
    with pytest.raises(Refused):
        intake.part_tickets(house.ledger, ada.actor, store=house.store, evidence_id=place.id, wanted=wanted)


@on_disk
def test_other_bytes_in_a_part_are_found_out_and_nothing_stays(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1, 2], bytes(1) + REPORT[1:])

    with pytest.raises(Refused, match="not the one that was announced"):
        finalise(house, ada, place)

    assert nothing_is_left(house.store)
    assert row_of(house, place.id).state is EvidenceState.REFUSED


def test_two_finalises_at_once_are_one(
    house: House, ada: Person, place: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(house, ada, place, [1, 2])
    inner: list[intake.Taken] = []
    instead(monkeypatch, house.store, "complete_parts", lambda: inner.append(finalise(house, ada, place)))

    outer = finalise(house, ada, place)

    assert [each.state for each in (*inner, outer)] == [EvidenceState.ATTACHED] * 2
    assert len(list(house.store.versions(""))) == 1


@on_disk
def test_a_second_finalise_during_the_checks_is_the_same_one(
    house: House, ada: Person, place: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(house, ada, place, [1, 2])
    inner: list[intake.Taken] = []
    instead(monkeypatch, house.store, "stat", lambda: inner.append(finalise(house, ada, place)))

    outer = finalise(house, ada, place)

    assert [each.state for each in (*inner, outer)] == [EvidenceState.ATTACHED] * 2


def test_it_goes_on_when_the_answer_of_the_store_was_lost(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1, 2])
    row = row_of(house, place.id)
    house.store.complete_parts(
        row.object_key, row.upload_id or "", content_type="application/pdf", size=row.size, parts=2
    )

    assert begin(house, ada, reserved(house, ada, REPORT)).have == (1, 2)
    assert finalise(house, ada, place).state is EvidenceState.ATTACHED


def test_an_upload_that_the_store_forgot_is_begun_anew(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1])
    row = row_of(house, place.id)
    house.store.abort_parts(row.object_key, row.upload_id or "")

    assert begin(house, ada, place).have == ()

    assert row_of(house, place.id).upload_id != row.upload_id
    send(house, ada, place, [1, 2])
    assert finalise(house, ada, place).state is EvidenceState.ATTACHED


@on_disk
def test_two_that_begin_at_once_send_to_one_upload(house: House, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made = reserved(house, ada, REPORT)
    instead(monkeypatch, house.store, "begin_parts", lambda: begin(house, ada, made))

    begin(house, ada, made)

    send(house, ada, made, [1, 2])
    assert len(list(house.store.unfinished(""))) == 1


@on_disk
def test_a_cancelled_upload_leaves_nothing_and_its_place_is_free(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1])

    assert cancel(house, ada, place) == cancel(house, ada, place) == "access-policy.pdf"

    assert nothing_is_left(house.store)
    assert row_of(house, place.id).refusal == "You cancelled this upload"
    with pytest.raises(Refused, match="You cancelled this upload"):
        finalise(house, ada, place)
    with house.ledger.begin(ada.actor) as tx:
        assert (queries.unfinished(tx), queries.library(tx)) == ([], [])
        assert queries.usage(tx, ada.vendor_id).size == 0  # type: ignore[arg-type]
    assert reserved(house, ada, REPORT).id != place.id


def test_cancelling_beats_a_finalise_that_is_under_way(
    house: House, ada: Person, place: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(house, ada, place, [1, 2])
    instead(monkeypatch, house.store, "complete_parts", lambda: cancel(house, ada, place))

    with pytest.raises((Conflict, Refused)):
        finalise(house, ada, place)

    assert row_of(house, place.id).state is EvidenceState.REFUSED
    assert nothing_is_left(house.store)


@on_disk
def test_what_has_arrived_cannot_be_cancelled(house: House, ada: Person, place: Evidence) -> None:
    send(house, ada, place, [1, 2])
    finalise(house, ada, place)

    with pytest.raises(Conflict, match="has arrived already"):
        cancel(house, ada, place)


def test_a_place_in_parts_waits_for_a_day_and_then_leaves_nothing(
    house: House, ada: Person, place: Evidence, clock: FixedClock
) -> None:
    send(house, ada, place, [1])
    clock.advance(hours=23)
    assert reserved(house, ada, REPORT).id == place.id, "whoever goes on has a day again"
    clock.advance(hours=23)
    assert intake.expire(house.ledger, SYSTEM, store=house.store) == 0
    clock.advance(hours=1)

    assert intake.expire(house.ledger, SYSTEM, store=house.store) == 1
    assert nothing_is_left(house.store)
    with pytest.raises(Refused, match="did not arrive in time"):
        finalise(house, ada, place)


@on_disk
def test_the_bytes_of_a_removed_file_still_count(house: House, ada: Person) -> None:
    row = make_evidence(house, ada)
    with house.ledger.begin(ada.actor) as tx:
        service.remove(tx, evidence=service.get(tx, row.id, Action.EVIDENCE_DELETE))

    with house.ledger.begin(ada.actor) as tx:
        taken = queries.usage(tx, ada.vendor_id)  # type: ignore[arg-type]

    assert (taken.files, taken.size, taken.removed) == (0, row.size, row.size)
