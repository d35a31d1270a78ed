"""Parts through the pages: where they go, what is refused in words, and the threads that a slow store leaves free."""

from __future__ import annotations

import hashlib
import io
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from portal.kernel.clock import FixedClock
from portal.kernel.errors import Unavailable
from portal.kernel.objects import PART_BYTES, StoreUnavailable
from portal.kernel.objects.values import Reason
from portal.sites.shared.lane import Lane
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.evidence import row_of
from tests.factories.identity import Person, person
from tests.rules import files
from tests.sites.conftest import Client
from tests.sites.evidence.conftest import announce

REPORT = files.pdf(extra={100: b"<< /Length %d >>\nstream\n" % PART_BYTES + bytes(PART_BYTES) + b"\nendstream"})


def piece(number: int) -> bytes:
    return REPORT[PART_BYTES * (number - 1) : PART_BYTES * number]


def tickets(client: Client, slot: Any, *numbers: int) -> Any:
    wanted = [{"number": each, "sha256": hashlib.sha256(piece(each)).hexdigest()} for each in numbers]
    return client.post(slot["parts"]["url"], json={"parts": wanted})


def put(client: Client, ticket: Any, content: bytes) -> Any:
    return client.put(ticket["url"], data=content, headers=ticket["headers"])


@pytest.fixture
def slot(as_ada: Client) -> Any:
    """The place of the report."""
    return announce(as_ada, REPORT).json


def test_a_large_file_is_sent_in_parts_and_goes_on_where_it_stopped(as_ada: Client, slot: Any, house: House) -> None:
    parts = slot["parts"]
    assert (parts["size"], parts["count"], parts["have"], parts["at_once"]) == (8_000_000, 2, [], 2)
    told = tickets(as_ada, slot, 1, 2).json["parts"]
    assert put(as_ada, told[0], piece(1)).status_code == 204

    again = announce(as_ada, REPORT).json
    assert (again["id"], again["parts"]["have"]) == (slot["id"], [1])
    assert "data-unfinished" in as_ada.get("/evidence").get_data(as_text=True)
    early = as_ada.post(slot["finalise_url"], json={})
    assert (early.status_code, early.json["detail"]) == (409, "The file has not arrived in full. Press Resume")
    assert as_ada.post(parts["url"], json={"parts": []}).json["have"] == [1]
    assert put(as_ada, told[1], piece(2)).status_code == 204
    done = as_ada.post(slot["finalise_url"], json={})

    assert (done.status_code, done.json["state"]) == (200, "attached")
    assert as_ada.post(slot["finalise_url"], json={}).status_code == 200
    assert row_of(house, UUID(slot["id"])).sha256 == hashlib.sha256(REPORT).hexdigest()
    assert "data-unfinished" not in as_ada.get("/evidence").get_data(as_text=True)


@pytest.mark.parametrize(("change", "status"), [(b"x", 413), (b"", 422)])
def test_a_part_of_other_length_or_bytes_is_not_kept(as_ada: Client, slot: Any, change: bytes, status: int) -> None:
    ticket = tickets(as_ada, slot, 2).json["parts"][0]

    assert put(as_ada, ticket, (piece(2) + change) if change else piece(2)[:-1] + b"x").status_code == status

    assert as_ada.post(slot["parts"]["url"], json={"parts": []}).json["have"] == []


def test_a_ticket_for_a_part_lasts_two_minutes(as_ada: Client, slot: Any, clock: FixedClock) -> None:
    ticket = tickets(as_ada, slot, 2).json["parts"][0]
    clock.advance(seconds=121)

    late = put(as_ada, ticket, piece(2))

    assert (late.status_code, late.json["detail"]) == (410, "This upload is out of time. Press Resume")


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (None, 400),
        ({"parts": "1"}, 400),
        ({"parts": [1]}, 400),
        ({"parts": [{}]}, 422),
        ({"parts": [{"number": True, "sha256": "0" * 64}]}, 422),
        ({"parts": [{"number": 1, "sha256": 7}]}, 422),
        ({"parts": [{"number": 1, "sha256": "0" * 64}] * 4}, 422),
    ],
)
def test_nonsense_about_parts_is_refused_in_words(as_ada: Client, slot: Any, told: Any, status: int) -> None:
    answer = as_ada.post(slot["parts"]["url"], json=told)

    assert (answer.status_code, bool(answer.json["detail"])) == (status, True)


def test_nobody_else_sends_a_part_cancels_or_finishes(
    as_otto: Client, as_hana: Client, slot: Any, house: House, ada: Person, signed_in: Callable[..., Client]
) -> None:
    ben = signed_in(person(house, roles=["respondent"], vendor=ada.vendor_id, name="Ben Marker"))
    for path in ("parts", "cancel", "finalise"):
        address = f"/evidence/{slot['id']}/{path}"
        told = {"json": {"parts": []}, "headers": {"Accept": "application/json"}}
        assert ben.post(address, **told).status_code == 403
        strange = as_otto.post(address, **told)
        assert (strange.status_code, strange.data) == (404, as_otto.post(f"/evidence/{uuid4()}/{path}", **told).data)
        assert as_hana.post(address, **told).status_code == 404
    assert row_of(house, UUID(slot["id"])).state is EvidenceState.RESERVED


def test_an_upload_is_cancelled_with_and_without_scripts(as_ada: Client, slot: Any, house: House) -> None:
    ticket = tickets(as_ada, slot, 2).json["parts"][0]
    plain = as_ada.post(slot["cancel_url"])
    assert (plain.status_code, plain.location) == (303, "/evidence")
    page = as_ada.get("/evidence").get_data(as_text=True)
    assert "The upload of policy.pdf is cancelled." in page
    assert "data-unfinished" not in page

    assert as_ada.post(slot["cancel_url"], headers={"Accept": "application/json"}).status_code == 204
    assert put(as_ada, ticket, piece(2)).status_code == 410
    over = tickets(as_ada, slot, 2)
    assert (over.status_code, over.json["detail"]) == (410, "You cancelled this upload")
    assert list(house.store.unfinished("")) == []


def test_the_room_that_is_left_stands_next_to_the_button(as_ada: Client, slot: Any) -> None:
    assert slot
    assert "up to 200 MB each. No passwords on files." in as_ada.get("/evidence").get_data(as_text=True)
    assert "5.0 GB of 5.0 GB left." in as_ada.get("/evidence").get_data(as_text=True)


def test_while_the_store_is_away_pages_go_on_and_an_upload_says_that_nothing_was_lost(
    as_ada: Client, slot: Any, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable(Reason.DOWN, "refused")

    for name in ("parts", "begin_parts", "complete_parts", "abort_parts", "stat", "delete_incoming"):
        monkeypatch.setattr(house.store, name, away)

    refused = announce(as_ada, REPORT)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert refused.json["detail"] == "Storage is unavailable. Nothing was lost. Try again in a minute"
    assert as_ada.post(slot["finalise_url"], json={}).status_code == 503
    assert as_ada.get("/evidence").status_code == 200
    assert as_ada.post(slot["cancel_url"]).status_code == 303
    assert row_of(house, UUID(slot["id"])).state is EvidenceState.REFUSED


def test_a_slow_store_takes_no_thread_that_pages_need(
    as_ada: Client,
    signed_in: Callable[..., Client],
    ada: Person,
    slot: Any,
    monkeypatch: pytest.MonkeyPatch,
    house: House,
    app: Flask,
) -> None:
    app.extensions["store_lane"] = Lane(threads=2)
    other = signed_in(ada)
    reached, go_on = threading.Event(), threading.Event()
    accept = house.store.accept_part

    def slow(token: str, stream: Any) -> Any:
        reached.set()
        go_on.wait(30)
        return accept(token, stream)

    monkeypatch.setattr(house.store, "accept_part", slow)
    first, second = tickets(as_ada, slot, 1, 2).json["parts"]
    answers: list[int] = []
    sending = threading.Thread(target=lambda: answers.append(put(as_ada, first, piece(1)).status_code))
    sending.start()
    assert reached.wait(30)

    busy = put(other, second, piece(2))

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "2")
    assert busy.json["detail"].startswith("Many files are on their way at the moment. Nothing was lost.")
    assert other.get("/evidence").status_code == 200
    go_on.set()
    sending.join()
    assert answers == [204]
    assert put(other, second, piece(2)).status_code == 204


def test_sending_leaves_a_place_for_reading_where_there_are_several() -> None:
    lane = Lane(threads=4)
    with lane.place(inward=True), lane.place(inward=True):
        with pytest.raises(Unavailable), lane.place(inward=True):
            pass
        with lane.place(), pytest.raises(Unavailable), lane.place():
            pass


class Lazy(io.RawIOBase):
    """A long text that never lies in memory as a whole."""

    def __init__(self, size: int) -> None:
        self.size, self.at = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else self.size + offset
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self.size - self.at)
        buffer[:count] = b"a" * count
        self.at += count
        return count


def test_40_megabytes_come_in_and_are_put_together_in_little_memory(as_ada: Client) -> None:
    part = hashlib.sha256(b"a" * PART_BYTES).hexdigest()
    whole = hashlib.sha256(b"a" * 40_000_000).hexdigest()
    told = {"name": "record.txt", "size": 40_000_000, "sha256": whole, "kind": "LOG"}
    place = as_ada.post("/evidence/reserve", json=told).json

    tracemalloc.start()
    for number in range(1, 6):
        asked = as_ada.post(place["parts"]["url"], json={"parts": [{"number": number, "sha256": part}]})
        body = io.BufferedReader(Lazy(PART_BYTES))
        assert as_ada.put(asked.json["parts"][0]["url"], input_stream=body).status_code == 204
    done = as_ada.post(place["finalise_url"], json={})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (done.status_code, done.json["state"]) == (200, "attached")
    assert peak < 8_000_000
