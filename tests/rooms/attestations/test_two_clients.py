"""Two people answer at once over a bad line: a thousand random ways, and no word that was typed is lost.

Each client is what ``static/js/autosave.js`` is: it keeps what was typed until the server said that it has it, sends
one write of an answer at a time, gives up a write that stays away and sends again, and asks its person when a colleague
was faster. The line delays, drops and repeats requests and their answers. The service and the database are real;
each example is rolled back. The trail of the facts is left out: it knows no words.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.attestations import service as attestations
from portal.attestations.rules import Standing
from portal.kernel.actor import Actor
from portal.kernel.errors import Conflict
from portal.wiring import House
from tests.factories.attestations import Desk, desk, good_answer

KEYS: Final = ("gov.owner", "gov.attest")
CHOICES: Final = ("mine", "theirs", "both")
PARTS: Final = {"save": ("type", "send", "arrive", "answer"), "write": ("type", "send"), "reach": ("arrive", "answer")}
OFTEN: Final = ("save",) * 5 + ("write",) * 3 + ("reach",) * 3 + CHOICES * 2
ACTS: Final = (*OFTEN, "type", "send", "arrive", "answer", "give up", "repeat", "lose", "reload")
HISTORY: Final = """
    SELECT question_key, content ->> 'comment' FROM answer_edit
    WHERE assessment_id = %s AND question_key = ANY(%s) ORDER BY question_key, version
"""
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 1), st.sampled_from((KEYS[0], *KEYS)), st.integers(0, 2)),
    min_size=3,
    max_size=9,
)


@dataclass(frozen=True, eq=False)
class Sent:
    """One request on the line."""

    key: str
    text: str
    version: int
    page: UUID
    turn: int


@dataclass
class Card:
    """One answer on one client's page. A draft that was put back keeps its page and turn until it is acknowledged."""

    page: UUID
    text: str = ""
    dirty: bool = False
    version: int = 0
    turn: int = 0
    waits_for: Sent | None = None
    clash: tuple[str, int] | None = None


@dataclass
class Client:
    """One browser: who sits at it, its page, and what is on its line."""

    actor: Actor
    page: UUID
    cards: dict[str, Card]
    requests: list[Sent] = field(default_factory=list)
    answers: list[tuple[Sent, str, Any]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)


class World:
    """Two clients, the server between them, and what must hold at every step."""

    def __init__(self, made: Desk, standing: Standing, connection: sa.Connection) -> None:
        self.desk = made
        self.standing = standing
        """The facts and what came over from earlier: no answer here moves them, and the page's view has them too."""
        self.connection = connection
        self.words = self.pages = self.conflicts = 0
        self.acknowledged: set[tuple[str, str]] = set()
        self.typed: dict[tuple[int, str], set[str]] = {}
        self.kept: dict[str, list[str]] = {key: [] for key in KEYS}
        self.clients = [self._client(each.actor) for each in (made.respondent, made.admin)]

    def _client(self, actor: Actor) -> Client:
        page = self.page()
        return Client(actor, page, {key: Card(page) for key in KEYS})

    def page(self) -> UUID:
        self.pages += 1
        return UUID(int=self.pages)

    def step(self, act: str, who: int, key: str, nth: int = 0) -> None:
        client = self.clients[who]
        card = client.cards[key]
        if act in PARTS:
            for each in PARTS[act]:
                self.step(each, who, key, nth)
        elif act == "type":
            self.words += 1
            word = f"w{self.words}"
            card.text, card.dirty = f"{card.text} {word}".strip(), True
            self.typed.setdefault((who, key), set()).add(word)
            client.seen.add((key, card.text))
        elif act == "send" and card.dirty and card.waits_for is None and card.clash is None:
            card.turn += 1
            card.waits_for = Sent(key, card.text, card.version, card.page, card.turn)
            client.requests.append(card.waits_for)
        elif act == "give up":
            card.waits_for = None
        elif act in ("arrive", "repeat") and client.requests:
            place = nth % len(client.requests)
            sent = client.requests[place] if act == "repeat" else client.requests.pop(place)
            client.answers.append((sent, *self.serve(client, sent)))
        elif act == "answer" and client.answers:
            self.told(client, *client.answers.pop(nth % len(client.answers)))
        elif act == "lose" and client.answers:
            client.answers.pop(nth % len(client.answers))
        elif act in CHOICES and card.clash:
            self.choose(who, key, act)
        elif act == "reload":
            self.reload(client)

    def serve(self, client: Client, sent: Sent) -> tuple[str, Any]:
        """Answer a request as the page's view does."""
        before = self.kept[sent.key]
        try:
            with self.desk.at(client.actor) as (tx, row):
                line = attestations.save_answer(
                    tx,
                    assessment=row,
                    question_key=sent.key,
                    raw={"choice": "yes", "comment": sent.text},
                    version=sent.version,
                    questionnaire=self.standing.questionnaire,
                    turn=attestations.Turn(sent.page, sent.turn),
                    now=self.standing,
                )
        except Conflict as late:
            theirs = late.current["theirs"]
            assert self.history() == self.kept
            waits = client.cards[sent.key].waits_for is sent
            assert not waits or theirs.updated_by != client.actor.id, "a page was in conflict with itself"
            return "conflict", (theirs.comment, theirs.version)
        there = self.history()
        after = there[sent.key]
        assert {**there, sent.key: before} == self.kept, "a write of one answer changed another"
        assert after[: len(before)] == before, "the history was changed"
        assert after[-1] == line.comment == sent.text
        if len(after) > len(before) and before:
            assert (sent.key, before[-1]) in client.seen, "words were written over by somebody who had not seen them"
        self.kept = there
        return "saved", line.version

    def told(self, client: Client, sent: Sent, how: str, what: Any) -> None:
        """Take an answer, if the page still waits for it."""
        card = client.cards[sent.key]
        if card.waits_for is not sent:
            return
        card.waits_for = None
        if how == "saved":
            self.acknowledged.add((sent.key, sent.text))
            card.version, card.page, card.dirty = what, client.page, card.text != sent.text
        else:
            card.clash = what
            client.seen.add((sent.key, what[0]))
            self.conflicts += 1

    def choose(self, who: int, key: str, act: str) -> None:
        """Decide between two texts as the person at the page does."""
        client = self.clients[who]
        card = client.cards[key]
        assert card.clash
        theirs, version = card.clash
        if act == "theirs":
            self.typed[who, key] = set()  # put away by their own choice
            card.text, card.dirty = theirs, False
        elif act == "both":
            card.text = f"{card.text}\n\n{theirs}"
            client.seen.add((key, card.text))
        card.version, card.clash = version, None

    def reload(self, client: Client) -> None:
        """Open the page again: what is stored, and over it the drafts that this browser kept."""
        client.page = self.page()
        with self.desk.at(client.actor) as (tx, row):
            lines = attestations.answers_of(tx, row)
        for key, card in client.cards.items():
            card.waits_for = card.clash = None
            line = lines.get(key)
            if card.dirty and (line is None or line.comment != card.text):
                continue
            text, version = (line.comment, line.version) if line else ("", 0)
            client.cards[key] = Card(client.page, text, version=version)
            client.seen.add((key, text))

    def history(self) -> dict[str, list[str]]:
        """Return every version of each answer, read past the service."""
        found: dict[str, list[str]] = {key: [] for key in KEYS}
        for key, text in self.connection.exec_driver_sql(HISTORY, (self.desk.assessment_id, list(KEYS))):
            found[key].append(text)
        return found

    def check(self) -> None:
        """What was acknowledged is in the history; what was not is still where it was typed."""
        assert self.history() == self.kept, "the history changed without a write"
        for key, kept in self.kept.items():
            assert {text for at, text in self.acknowledged if at == key} <= set(kept)
            stored = {word for text in kept for word in text.split()}
            for who, client in enumerate(self.clients):
                at_hand = set(client.cards[key].text.split())
                assert self.typed.get((who, key), set()) <= stored | at_hand, "typed words are nowhere"

    def calm(self) -> None:
        """The line is good again: both send what waits, and each keeps their own words where they are asked."""
        for client in self.clients:
            client.requests.clear()
            client.answers.clear()
            for card in client.cards.values():
                card.waits_for = None
        for _, who, key in itertools.product(range(3), (0, 1), KEYS):
            if self.clients[who].cards[key].dirty:
                for act in ("mine", "send", "arrive", "answer"):
                    self.step(act, who, key)
        assert not any(card.dirty for client in self.clients for card in client.cards.values())


@contextmanager
def rolled_back(house: House) -> Iterator[sa.Connection]:
    """Let everything happen inside one transaction that leaves nothing."""
    engine = house.ledger.engine
    with engine.connect() as connection, connection.begin() as outer:
        nested = connection.begin_nested()
        house.ledger.engine = connection  # type: ignore[assignment]
        try:
            yield connection
        finally:
            house.ledger.engine = engine
            if nested.is_active:
                nested.rollback()
            outer.rollback()


@pytest.mark.slow
def test_no_word_is_lost_in_a_thousand_interleavings_of_two_clients(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk(house)
    other = next(each for each in made.visible() if each.key not in KEYS)
    made.save(other.key, good_answer(other))  # it is being answered: its first touch is not what this is about
    with made.at(made.admin.actor) as (tx, row):
        standing = attestations.standing(tx, row)
    monkeypatch.setattr(house.ledger, "_trail", lambda _tx, _facts: None)
    conflicts = 0

    @settings(max_examples=1000, deadline=None, database=None, derandomize=True)
    @given(STEPS)
    def interleave(steps: list[tuple[str, int, str, int]]) -> None:
        nonlocal conflicts
        with rolled_back(house) as connection:
            world = World(made, standing, connection)
            for step in steps:
                world.step(*step)
            conflicts += world.conflicts
            world.check()
            world.calm()
            world.check()

    interleave()
    assert conflicts > 50, "hardly an example had a conflict in it"
