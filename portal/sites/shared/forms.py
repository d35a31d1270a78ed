"""The form every page starts from: it says what is wrong and how to fix it, in our words."""

from __future__ import annotations

from collections.abc import Mapping

from flask_wtf import FlaskForm

# The sentences WTForms says by itself, and what we say instead. A field's own message is better still.
WORDS: Mapping[str, str] = {
    "This field is required.": "Fill this in",
    "Not a valid integer value.": "Enter a whole number, for example 12",
    "Not a valid decimal value.": "Enter a number, for example 2.5",
    "Not a valid float value.": "Enter a number, for example 2.5",
    "Not a valid date value.": "Enter a date, for example 2026-12-18",
    "Not a valid datetime value.": "Enter a date and a time, for example 2026-12-18 14:32",
    "Not a valid time value.": "Enter a time, for example 14:32",
    "Not a valid choice.": "Choose one of the options shown",
    "Invalid Choice: could not coerce.": "Choose one of the options shown",
    "Invalid email address.": "Enter an e-mail address, for example name@company.example",
    "Invalid URL.": "Enter a web address with its https:// in front",
    "Invalid input.": "Use only the characters the hint names",
    "Invalid UUID.": "Choose one of the options shown",
    "Invalid value, must be one of: %(values)s.": "Enter one of: %(values)s",
    "Number must be at least %(min)s.": "Enter %(min)s or more",
    "Number must be at most %(max)s.": "Enter %(max)s or less",
    "Number must be between %(min)s and %(max)s.": "Enter a number from %(min)s to %(max)s",
    "Field must be equal to %(other_name)s.": "Enter the same in both fields",
}
PLURALS: Mapping[str, str] = {
    "Field must be at least %(min)d character long.": "Enter at least %(min)d character",
    "Field cannot be longer than %(max)d character.": "Use at most %(max)d character",
    "Field must be exactly %(max)d character long.": "Enter exactly %(max)d character",
    "'%(value)s' is not a valid choice for this field.": "Choose one of the options shown",
    "'%(value)s' are not valid choices for this field.": "Choose among the options shown",
}


class OurWords:
    """Stands where WTForms expects its translations."""

    def gettext(self, words: str) -> str:
        """Return our sentence for one of WTForms', or its own when there is none."""
        return WORDS.get(words, words)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return our sentence for one of WTForms' counted ones."""
        ours = PLURALS.get(one)
        if ours is None:
            return one if count == 1 else many
        return ours if count == 1 else ours.replace("character", "characters")


class Form(FlaskForm):  # type: ignore[misc]
    """A form with a token against forgery and errors in our words."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Where WTForms looks for its sentences."""

        def get_translations(self, _form: object) -> OurWords:
            """Return our words."""
            return OurWords()
