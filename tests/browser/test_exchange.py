"""A respondent starts from a completed CAIQ: brings it in, confirms its version, uses an answer, and saves it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from portal.attestations import service as attestations
from portal.exchange import packs
from portal.kernel.signing import Signer
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.attestations import desk
from tests.rules.exchange.workbooks import caiq
from tests.sites.vendor.test_exchange import SAID, workbook

pytestmark = pytest.mark.browser


def test_an_answer_given_elsewhere_is_used_and_saved(
    house: House, visit: Callable[..., Page], axe: Callable[..., None], tmp_path: Path
) -> None:
    made = desk(house)
    key = next(each.key for each in made.visible() if each.maps.get("ccm") == "GRC-06")
    question = made.questionnaire.question(key)
    file = tmp_path / "our-caiq.xlsx"
    file.write_bytes(workbook(caiq(SAID)))
    page = visit(made.respondent, "/exchange", theme="dark", width=390)

    page.get_by_label("Your completed workbook").set_input_files(file)
    page.get_by_role("button", name="Read the workbook").click()
    expect(page.get_by_text("Confirm the version first.")).to_be_visible()
    page.get_by_label("Version", exact=True).fill("4.0.7")
    page.get_by_role("button", name="Confirm the version").click()

    page.goto(page.url.split("/exchange")[0] + f"/assessments/{made.assessment_id}/s/{question.section}")
    card = page.get_by_role("article", name=f"Question {question.number}")
    expect(card.get_by_text("You said in your CAIQ 4.0.7, GRC-06.1")).to_be_visible()
    card.get_by_role("link", name=f"Use as my answer to {question.number}").click()
    expect(card.get_by_text("not saved yet")).to_be_visible()
    expect(card.get_by_label("How do you know?")).to_have_value("Named in the handbook.")
    axe(page)
    with made.at(made.admin.actor) as (tx, row):
        assert attestations.answers_of(tx, row) == {}
    card.get_by_role("button", name="Save this answer").click()
    page.wait_for_url("**/s/*")
    with made.at(made.admin.actor) as (tx, row):
        assert attestations.answers_of(tx, row)[key].comment == "Named in the handbook."


def test_a_pack_is_read_before_it_is_taken(
    house: House,
    visit: Callable[..., Page],
    axe: Callable[..., None],
    no_sideways: Callable[..., None],
    shot: Callable[..., None],
    tmp_path: Path,
) -> None:
    other, made = desk(house, name="Brightfen Data"), desk(house)
    for key in ("gov.owner", "seg.train", "gov.attest"):
        other.save(key, {"choice": "yes", "comment": "As our policy says."})
    made.save("gov.owner", {"choice": "no", "comment": "Nobody yet."})
    out = io.BytesIO()
    with other.at(other.admin.actor) as (tx, row):
        gathered = packs.gather(tx, assessment=row)
    packs.write(gathered, out, signer=Signer(()), now=NOW)
    file = tmp_path / "answers.zip"
    file.write_bytes(out.getvalue())
    page = visit(made.respondent, f"/exchange/pack/{made.assessment_id}")
    axe(page)
    shot(page, "exchange-pack-light-1440")

    page.get_by_label("The answer pack").set_input_files(file)
    page.get_by_role("button", name="Read the pack").click()
    expect(page.get_by_role("heading", name="2 answers that you have not given here")).to_be_visible()
    axe(page)
    no_sideways(page)
    shot(page, "exchange-plan-light-1440")
    page.set_viewport_size({"width": 390, "height": 844})
    no_sideways(page)
    shot(page, "exchange-plan-light-390")
    page.get_by_role("button", name="Take the answers").click()

    expect(page.get_by_text("Taken: 2 answers.")).to_be_visible()
