"""A form says what is wrong and how to fix it, never that something is invalid."""

import re

import pytest
from flask import Flask
from wtforms import DateField, DecimalField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from portal.sites.shared.forms import PLURALS, WORDS, Form


class Sample(Form):
    name = StringField("Name", [InputRequired(), Length(max=5)])
    count = IntegerField("Count", [NumberRange(min=1, max=9)])
    hours = DecimalField("Hours")
    ends = DateField("Ends")


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "Fill this in"),
        ("name", "too long", "Use at most 5 characters"),
        ("count", "many", "Enter a whole number, for example 12"),
        ("count", "12", "Enter a number from 1 to 9"),
        ("hours", "about three", "Enter a number, for example 2.5"),
        ("ends", "soon", "Enter a date, for example 2026-12-18"),
    ],
)
def test_errors_name_the_cure(field: str, typed: str, words: str) -> None:
    with Flask("forms").test_request_context("/", method="POST", data={field: typed}):
        form = Sample(meta={"csrf": False})
        form.validate()

        assert form[field].errors[0] == words


def test_no_sentence_blames_or_begs() -> None:
    assert not [
        words for words in [*WORDS.values(), *PLURALS.values()] if re.search(r"(?i)invalid|please|error", words)
    ]
