"""A questionnaire with every kind of question, from the vendor's form to what is signed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from portal.attestations import service as attestations
from portal.attestations.rules import BlockerKind
from portal.questionnaires.rules import to_json
from portal.wiring import House
from tests.factories.attestations import LAB, Desk, desk
from tests.rules.questionnaires.every_kind import EVERY_KIND
from tests.sites.conftest import Client

HX = {"HX-Request": "true"}


@pytest.fixture
def made(house: House) -> Desk:
    """A vendor that was asked every kind of question, with its facts settled."""
    ready = desk(house, slug="every-kind", source=EVERY_KIND.encode())
    ready.settle_scoping()
    return ready


@pytest.fixture
def priya(made: Desk, signed_in: Callable[..., Client]) -> Client:
    return signed_in(made.respondent)


def url(made: Desk, key: str) -> str:
    return f"/assessments/{made.assessment_id}/s/{made.questionnaire.question(key).section}"


def save(client: Client, made: Desk, key: str, data: dict[str, Any], *, script: bool = False) -> Any:
    version = {"version": str(stored_version(made, key)), **data}
    return client.post(f"{url(made, key)}/{key}", data=version, headers=HX if script else {})


def stored_version(made: Desk, key: str) -> int:
    with made.at(made.respondent.actor) as (tx, row):
        line = attestations.answers_of(tx, row).get(key)
        return line.version if line else 0


def content(made: Desk, key: str) -> dict[str, Any]:
    with made.at(made.respondent.actor) as (tx, row):
        return to_json(attestations.answers_of(tx, row)[key].answer)


def blockers(made: Desk) -> list[tuple[BlockerKind, str]]:
    with made.at(made.respondent.actor) as (tx, row):
        return [(each.kind, each.sentence) for each in attestations.blockers(tx, row)]


def page(client: Client, made: Desk, key: str) -> str:
    text: str = client.get(url(made, key)).get_data(as_text=True)
    return text


def test_every_kind_is_drawn_as_a_form(made: Desk, priya: Client) -> None:
    scored, facts = page(priya, made, "sco.owner"), page(priya, made, "fac.page")

    assert 'name="details.period.from" type="date"' in scored
    assert '<select class="select" id="sco-level-details-exceptions"' in scored
    assert 'id="sco-level-details-notes" name="details.notes" rows="4"' in scored
    assert "At least 2 rows." in scored
    assert "What do you do instead?" in scored
    assert "How do you find out instead?" not in scored  # hidden: the vendor has no platform of its own
    assert 'name="from" type="date"' in facts
    assert 'name="url" type="url"' in facts
    assert 'id="fac-contact-text-field" name="text" type="text"' in facts
    assert "Attach a file to 2.7 below." in facts
    assert 'id="fac-suppliers-rows-0-page"' in facts


def test_the_page_to_read_ahead_says_what_each_wants(made: Desk, priya: Client) -> None:
    text = priya.get(f"/assessments/{made.assessment_id}/read").get_data(as_text=True)

    for words in ("A table: Name, Staff, Since,", "A day. ", "A first and a last day. "):
        assert words in text
    assert "A web address. " in text
    assert "A file. " in text


@pytest.mark.parametrize(
    ("key", "form", "plain", "shown"),
    [
        (
            "fac.period",
            {"from": "2025-10-01", "to": "2026-09-30"},
            {"range": {"from": "2025-10-01", "to": "2026-09-30"}},
            'value="2026-09-30"',
        ),
        ("fac.page", {"url": "https://a.example/x"}, {"url": "https://a.example/x"}, 'value="https://a.example/x"'),
        ("fac.contact", {"text": "Ada, 555"}, {"text": "Ada, 555"}, 'value="Ada, 555"'),
        (
            "sco.level",
            {"choice": "type2", "details.period.from": "2025-01-01", "details.exceptions": "no"},
            {"choice": "type2", "details": {"exceptions": "no", "period": "2025-01-01/"}},
            'value="2025-01-01"',
        ),
    ],
)
def test_what_is_saved_stands_in_the_form_again(
    made: Desk, priya: Client, key: str, form: dict[str, str], plain: dict[str, Any], shown: str
) -> None:
    assert save(priya, made, key, form).status_code == 303
    assert content(made, key) == plain
    assert shown in page(priya, made, key)


def test_a_period_that_ends_before_it_starts_is_refused_in_words(made: Desk, priya: Client) -> None:
    answer = save(priya, made, "fac.period", {"from": "2025-10-01", "to": "2025-09-01"})

    assert answer.status_code == 422
    assert "The end of the period must be after its start, 1 October 2025" in answer.get_data(as_text=True)


def test_an_address_is_a_link_that_leads_nowhere_by_itself(
    made: Desk, priya: Client, signed_in: Callable[..., Client]
) -> None:
    save(priya, made, "fac.page", {"url": "https://a.example/x?q=%22&b=1"})
    check = signed_in(made.signatory).get(f"/assessments/{made.assessment_id}/check").get_data(as_text=True)

    link = 'href="https://a.example/x?q=%22&amp;b=1" rel="noopener noreferrer nofollow"'
    assert link in check
    refused = save(priya, made, "fac.page", {"url": "javascript:alert(1)"})
    assert refused.status_code == 422
    assert 'href="javascript' not in refused.get_data(as_text=True)


def test_a_weak_answer_is_remarked_on_at_once_and_blocks_nothing(made: Desk, priya: Client) -> None:
    save(priya, made, "sco.level", {"choice": "type2"})
    fragment = save(priya, made, "sco.hours", {"number": "80"}, script=True).get_data(as_text=True)

    assert "<b>A serious gap.</b> <span>Three days are long for somebody who left in anger.</span>" in fragment
    assert 'id="warn-sco-hours" class="is-weak" data-swap role="status"' in fragment
    # Without script the page says the same after saving.
    assert "Three days are long" in page(priya, made, "sco.hours")
    assert not any("Leavers" in sentence for kind, sentence in blockers(made) if kind is BlockerKind.ANSWER)
    better = save(priya, made, "sco.hours", {"number": "8"}, script=True).get_data(as_text=True)
    assert "Three days are long" not in better


def test_what_is_done_instead_is_offered_kept_and_signed(made: Desk, priya: Client) -> None:
    assert 'class="if-weak mt-20" id="instead-sco-owner"' in page(priya, made, "sco.owner")

    told = {"choice": "no", "compensating": "The board decides every week."}
    fragment = save(priya, made, "sco.owner", told, script=True).get_data(as_text=True)

    assert 'id="warn-sco-owner" class="is-weak" data-swap' in fragment
    assert 'class="if-weak mt-20 on" id="instead-sco-owner"' in fragment
    assert content(made, "sco.owner") == told
    with made.at(made.signatory.fresh) as (tx, row):
        signed = attestations.preview(tx, row, lab_name=LAB).answers["sco.owner"]
    assert dict(signed.content) == told


def test_a_request_for_a_file_is_settled_by_a_file(made: Desk) -> None:
    asked = (BlockerKind.ANSWER, "Attach a file for 2.7 Diagram, or say in the comment why you cannot")
    assert asked in blockers(made)

    made.cite("fac.diagram", made.file())

    assert asked not in blockers(made)
    with made.at(made.signatory.fresh) as (tx, row):
        snapshot = attestations.preview(tx, row, lab_name=LAB)
        assert snapshot.answers["fac.diagram"].state == "answered"
        assert len(snapshot.citations_of("fac.diagram")) == 1
        assert any(each.key == "facts" and each.answered == 1 for each in attestations.progress(tx, row))


def test_a_request_for_a_file_is_settled_by_saying_why_there_is_none(made: Desk, priya: Client) -> None:
    save(priya, made, "fac.diagram", {"comment": "It hangs on a wall; we show it on a call."})

    assert not any("Diagram" in sentence for _, sentence in blockers(made))


def test_answers_that_disagree_hold_the_signature_until_one_is_mended(
    made: Desk, priya: Client, signed_in: Callable[..., Client]
) -> None:
    made.answer(leave=["fac.since"])
    save(priya, made, "fac.since", {"day": "2024-01-01", "comment": "x"})
    save(priya, made, "sco.level", {"choice": "type2", "comment": "x", "details.issued": "2020-01-01"})

    sentence = "2.3 Start: the report was issued before you started. Mend one of the two dates"
    assert blockers(made) == [(BlockerKind.RULE, sentence)]
    check = signed_in(made.signatory).get(f"/assessments/{made.assessment_id}/check").get_data(as_text=True)
    assert sentence in check
    home = priya.get(f"/assessments/{made.assessment_id}").get_data(as_text=True)
    assert "Settle 1 answer that disagrees with another" in home
    assert "In progress" in page(priya, made, "fac.since")

    save(priya, made, "sco.level", {"choice": "type2", "comment": "x", "details.issued": "2025-01-01"})

    assert blockers(made) == []
    assert made.sign()


def test_a_signed_questionnaire_of_every_kind_reads_back_as_it_was(made: Desk) -> None:
    made.answer()
    signed = made.sign()

    with made.at(made.signatory.actor) as (tx, _row):
        assert attestations.digest_of(tx, signed) == attestations.attested(tx, signed).digest
