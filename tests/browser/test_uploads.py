"""Uploads in a real browser: cut off and gone on with, paused, cancelled, offline, refused; each state as a person sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from portal.evidence.models import Evidence
from portal.kernel.actor import system
from portal.kernel.objects import Part
from portal.terms import EvidenceState
from portal.wiring import House
from tests.factories.identity import FACTORY, Person, person
from tests.factories.vendors import make_vendor
from tests.rules import files

pytestmark = pytest.mark.browser

PART = 8_000_000
BLOCK = bytes(range(1, 251)) * 4_000


@pytest.fixture
def priya(house: House) -> Person:
    with house.ledger.begin(FACTORY) as tx:
        vendor_id = make_vendor(tx).id
    return person(house, roles=["respondent", "vendor_admin"], vendor=vendor_id, name="Priya Raghunath")


def report(folder: Path, size: int, name: str = "soc2-type2-2026-ashgrove-pell.pdf") -> Path:
    """A PDF of about this size, nearly all of it one picture."""
    path = folder / name
    path.write_bytes(files.pdf(pages=2, extra={100: b"<< /Length %d >>\nstream\n" % size + BLOCK * (size // 1_000_000)}))
    return path


class Counted:
    """The store of the test, which counts the parts that arrive and holds back those after a number."""

    def __init__(self, accept: Callable[..., Part]) -> None:
        self._accept = accept
        self._lock = Lock()
        self.arrived: Counter[int] = Counter()
        self.hold_after = 1_000
        self.reached, self.go_on = Event(), Event()

    def __call__(self, token: str, stream: Any) -> Part:
        if len(self.arrived) >= self.hold_after:
            self.reached.set()
            self.go_on.wait(30)
        part = self._accept(token, stream)
        with self._lock:
            self.arrived[part.number] += 1
        return part


@pytest.fixture
def store(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    counted = Counted(house.store.accept_part)
    monkeypatch.setattr(house.store, "accept_part", counted)
    yield counted
    counted.go_on.set()


def rows(house: House) -> list[Evidence]:
    with house.ledger.begin(system("test")) as tx:
        return list(tx.session.query(Evidence).order_by(Evidence.created_at))


def choose(page: Page, *paths: Path, kind: str = "SOC2") -> None:
    page.get_by_label("Type of evidence").select_option(kind)
    page.locator("#upload-file").set_input_files(list(paths))


@contextmanager
def picking(page: Page, button: str, path: Path) -> Iterator[None]:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=button).click()
    chooser.value.set_files(path)
    yield


def test_200_megabytes_go_on_after_a_reload_where_they_stopped(
    visit: Callable[..., Page],
    house: House,
    priya: Person,
    store: Counted,
    tmp_path: Path,
    shot: Callable[..., Path],
    axe: Callable[..., None],
) -> None:
    path = report(tmp_path, 199_000_000)
    store.hold_after = 12
    page = visit(priya, "/evidence")
    choose(page, path)
    assert store.reached.wait(60)
    row = page.locator("[data-upload-rows] .evrow")
    expect(row).to_contain_text(" of 199.0 MB, about")
    expect(row.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_role("link", name="Help").first.focus()
    axe(page)
    shot(page, "upload-sending-light-1440")

    page.reload()
    store.go_on.set()
    waiting = page.get_by_role("region", name="Unfinished uploads")
    expect(waiting).to_contain_text("of 199.0 MB arrived. Choose the file again to go on")
    axe(page)
    shot(page, "upload-unfinished-light-1440")
    with picking(page, "Choose the file again", path):
        expect(page.locator("#arrived")).to_contain_text(path.name, timeout=60_000)

    (kept,) = rows(house)
    assert (kept.state, kept.size, kept.page_count) == (EvidenceState.ATTACHED, path.stat().st_size, 2)
    assert sorted(store.arrived) == list(range(1, 26))
    assert sum(store.arrived.values()) <= 26
    expect(waiting).to_have_text("")
