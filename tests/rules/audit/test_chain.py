"""LG-01, the pure part: whatever is done to a chain is found, and the place is named."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from portal.audit.rules import GENESIS, Checkpoint, Link, flaws, hash_of


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    for seq in range(1, length + 1):
        link = Link(
            seq=seq,
            at=f"2026-11-24T09:00:{seq % 60:02}.000000+00:00",
            fact="answer_saved",
            payload=f'{{"version":{seq}}}',
            actor_kind="person",
            actor_id="00000000-0000-7000-8000-000000000001",
            actor_label="",
            vendor_id=None,
            previous_hash=links[-1].hash if links else GENESIS,
        )
        links.append(replace(link, hash=hash_of(link)))
    return links


def rechained(links: list[Link]) -> list[Link]:
    """Return the links numbered and hashed anew, as somebody with the database would do to hide a change."""
    made: list[Link] = []
    for seq, link in enumerate(links, start=1):
        fresh = replace(link, seq=seq, previous_hash=made[-1].hash if made else GENESIS)
        made.append(replace(fresh, hash=hash_of(fresh)))
    return made


def end(links: list[Link]) -> Checkpoint:
    return Checkpoint(links[-1].seq, links[-1].hash)


def found(links: list[Link], head: Checkpoint, checkpoints: list[Checkpoint] | None = None) -> list[int]:
    return [flaw.seq for flaw in flaws(links, head, checkpoints or [])]


WHOLE = chain(60)
FIELDS = ["at", "fact", "payload", "actor_kind", "actor_id", "actor_label", "vendor_id"]
PLACES = st.integers(0, len(WHOLE) - 1)


def test_a_whole_chain_has_no_flaw() -> None:
    assert found(WHOLE, end(WHOLE), [Checkpoint(20, WHOLE[19].hash), end(WHOLE)]) == []


@settings(max_examples=100, deadline=None)
@given(PLACES, st.sampled_from(FIELDS))
def test_lg_01_a_changed_field_is_found_at_its_place(place: int, field: str) -> None:
    changed = [*WHOLE]
    changed[place] = replace(changed[place], **{field: "something else"})
    assert WHOLE[place].seq in found(changed, end(WHOLE))


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_lg_01_a_missing_event_is_found_at_its_place(place: int) -> None:
    left = WHOLE[:place] + WHOLE[place + 1 :]
    assert found(left, end(WHOLE))
    if place < len(WHOLE) - 1:
        assert WHOLE[place].seq in found(left, end(WHOLE))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(WHOLE) - 2))
def test_lg_01_two_that_changed_places_are_found(place: int) -> None:
    swapped = [*WHOLE]
    swapped[place], swapped[place + 1] = (
        replace(swapped[place + 1], seq=swapped[place].seq),
        replace(swapped[place], seq=swapped[place + 1].seq),
    )
    assert WHOLE[place].seq in found(swapped, end(WHOLE))


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_lg_01_an_inserted_event_is_found(place: int) -> None:
    forged = replace(WHOLE[place], payload='{"version":99}')
    assert found([*WHOLE[:place], forged, *WHOLE[place:]], end(WHOLE))


def test_lg_01_events_cut_off_at_the_end_are_found_by_the_head() -> None:
    assert found(WHOLE[:-5], end(WHOLE))


def test_lg_01_a_cut_that_also_moved_the_head_is_found_by_a_checkpoint_kept_outside() -> None:
    short = WHOLE[:-5]
    assert found(short, end(short)) == []
    assert found(short, end(short), [end(WHOLE)])


def test_lg_01_a_history_hashed_anew_is_found_by_a_checkpoint_kept_outside() -> None:
    forged = rechained([*WHOLE[:30], replace(WHOLE[30], payload='{"version":0}'), *WHOLE[31:]])
    assert found(forged, end(forged)) == []
    assert 40 in found(forged, end(forged), [Checkpoint(40, WHOLE[39].hash)])
    rewritten = rechained([*WHOLE[:40], replace(WHOLE[40], payload='{"version":0}')])
    assert found(rewritten, end(rewritten), [Checkpoint(20, WHOLE[19].hash)]) == []
    assert found(rewritten, end(rewritten), [Checkpoint(50, WHOLE[49].hash)])
