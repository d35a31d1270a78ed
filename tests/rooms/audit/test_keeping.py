"""What is kept of a vendor ends with the next event about it, and with nothing less."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

import pytest

from portal.audit import keeping
from portal.kernel.ledger import Fact, Tx
from portal.kernel.memo import Memo
from portal.vendors.facts import EngagementChanged, VendorEngaged
from portal.vendors.models import Vendor
from portal.wiring import House
from tests.factories.identity import FACTORY
from tests.factories.vendors import make_engagement, make_vendor

QUIET: frozenset[type[Fact]] = frozenset({VendorEngaged})


@dataclass
class Scene:
    """Two vendors, and a count of how often something was worked out."""

    house: House
    vendors: tuple[Vendor, Vendor]

    def __post_init__(self) -> None:
        self.numbers = count(1)

    def ask(self, which: int = 0, *, but: frozenset[type[Fact]] = frozenset(), name: str = "x") -> int:
        with self.house.ledger.begin(FACTORY) as tx:
            return keeping.keeper(tx, self.vendors[which].id, but=but).of(name, lambda: next(self.numbers))

    def engage(self, which: int = 0) -> None:
        with self.house.ledger.begin(FACTORY) as tx:
            make_engagement(tx, self.vendors[which])


@pytest.fixture
def scene(house: House, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Keep as the program does, without the look that every other test takes at what is kept."""
    monkeypatch.setattr(keeping, "_kept", Memo(8))
    with house.ledger.begin(FACTORY) as tx:
        return Scene(house, (make_vendor(tx), make_vendor(tx, name="Tern Data Works")))


def test_it_is_worked_out_once_until_something_happens_to_the_vendor(scene: Scene) -> None:
    assert (scene.ask(), scene.ask(), scene.ask(1), scene.ask(name="y")) == (1, 1, 2, 3)
    scene.engage(1)
    assert (scene.ask(), scene.ask(1)) == (1, 4), "what happened to another vendor is nothing to this one"
    scene.engage()
    assert (scene.ask(), scene.ask()) == (5, 5)


def test_a_fact_that_does_not_touch_it_ends_nothing(scene: Scene) -> None:
    assert (scene.ask(but=QUIET), scene.ask()) == (1, 1)
    scene.engage()
    assert (scene.ask(but=QUIET), scene.ask()) == (1, 2)
    assert scene.ask(but=frozenset({EngagementChanged})) == scene.ask(), "the very same event ends both"


def test_what_a_transaction_changed_itself_is_worked_out_in_it_and_kept_for_nobody(scene: Scene) -> None:
    assert scene.ask() == 1

    def of(tx: Tx) -> int:
        return keeping.keeper(tx, scene.vendors[0].id).of("x", lambda: next(scene.numbers))

    with pytest.raises(RuntimeError), scene.house.ledger.begin(FACTORY) as tx:
        assert of(tx) == 1
        make_engagement(tx, scene.vendors[0])
        assert (of(tx), of(tx)) == (2, 3)
        raise RuntimeError
    assert scene.ask() == 1, "and nothing of it stays when it is rolled back"


def test_another_history_with_the_same_numbers_is_another_state(scene: Scene) -> None:
    """The stamp is the hash of a chain, not a count: a database made anew does not find what was kept of the old."""
    with scene.house.ledger.begin(FACTORY) as tx:
        first = keeping.keeper(tx, scene.vendors[0].id).stamp
        other = keeping.keeper(tx, scene.vendors[1].id).stamp
    assert first
    assert len(first) == 32
    assert first != other
