"""Pieces of a card are kept between pages: nobody is shown another's token, files or language by it."""

from __future__ import annotations

import re

import pytest

from portal.sites.vendor.section import drawn
from tests.factories.attestations import Desk
from tests.sites.conftest import Client


def section(made: Desk) -> str:
    return f"/assessments/{made.assessment_id}/s/{made.questionnaire.question('dat.transfer').section}"


def read(client: Client, made: Desk) -> str:
    return client.get(section(made)).get_data(as_text=True)


def test_every_form_carries_the_token_of_its_own_page(quillmark: Desk, priya: Client, marisol: Client) -> None:
    quillmark.file(title="The policy")
    for client in (priya, marisol, priya):
        page = read(client, quillmark)
        named = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert named is not None
        assert set(re.findall(r'name="csrf_token" value="([^"]*)"', page)) == {named[1]}
        assert drawn.TOKEN not in page


def test_a_new_file_is_offered_although_the_piece_was_kept(quillmark: Desk, priya: Client) -> None:
    quillmark.file(title="The first policy")
    assert "The first policy" in read(priya, quillmark)

    quillmark.file(title="The second policy")
    page = read(priya, quillmark)

    assert "The first policy" in page
    assert "The second policy" in page


def test_each_reads_in_the_language_of_their_own(quillmark: Desk, priya: Client, marisol: Client) -> None:
    english = read(priya, quillmark)
    marisol.post("/language", data={"language": "de", "next": "/"})
    german = read(marisol, quillmark)

    assert "Why we ask" in english
    assert "Why we ask" not in german
    assert "Why we ask" in read(priya, quillmark)


def test_what_is_kept_is_given_up_when_it_gets_too_much(
    quillmark: Desk, priya: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = drawn._Kept()
    monkeypatch.setattr(drawn, "_kept", kept)
    monkeypatch.setattr(drawn, "MOST", 1)

    first, second = read(priya, quillmark), read(priya, quillmark)

    assert len(kept) <= 2
    assert re.sub(r'value="[^"]*"|nonce="[^"]*"|content="[^"]*"', "", first) == re.sub(
        r'value="[^"]*"|nonce="[^"]*"|content="[^"]*"', "", second
    )
