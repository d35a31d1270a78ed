"""What was answered: read from a form, kept as JSON, worth some credit."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from portal.kernel.words import said, said_n
from portal.questionnaires.rules.definition import (
    CHOICE_KINDS,
    FULL_CREDIT,
    Column,
    DetailField,
    FieldKind,
    Kind,
    Length,
    Question,
    Questionnaire,
)
from portal.questionnaires.rules.forms import (
    MAX_COMMENT,
    MAX_SHORT,
    Problems,
    Raw,
    Refusal,
    Row,
    details,
    many,
    number_message,
    one,
    period,
    table,
    url_message,
)
from portal.questionnaires.rules.text import (
    date_from,
    day_words,
    number_from,
    number_text,
    period_from,
    url_from,
)

NOT_APPLICABLE: Final = "na"
_PERCENT: Final = Decimal(100)
_NO_DETAILS: Final[Mapping[str, str | tuple[Row, ...]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Period:
    """A span of days as far as it is known: a draft may lack an end."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question with what was said beside it; the empty one is blank.

    `files` counts the files that the answer names. They are kept beside the answers, so whoever knows them says how
    many there are (`with_files`); the number is not part of what was said and makes no difference to equality.
    """

    choice: str | None = None
    number: Decimal | None = None
    na: bool = False
    choices: tuple[str, ...] | None = None
    rows: tuple[Row, ...] | None = None
    day: date | None = None
    text: str = ""
    comment: str = ""
    planned_on: date | None = None
    na_reason: str = ""
    details: Mapping[str, str | tuple[Row, ...]] = field(default_factory=lambda: _NO_DETAILS)
    period: Period | None = None
    url: str = ""
    compensating: str = ""
    files: int = field(default=0, compare=False)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen or entered as the answer itself."""
        return not (
            self.na
            or self.choice is not None
            or self.number is not None
            or self.choices
            or self.rows
            or self.day is not None
            or self.text
            or self.period is not None
            or self.url
            or self.files
        )


def is_answered(question: Question, answer: Answer | None) -> bool:
    """Tell whether the answer answers the question.

    An empty table, an empty selection of earlier answers, no address or no period is an answer once a comment says
    that there is none. A request for files is answered by a file, or by a comment that says why there is none.
    """
    if answer is None:
        return False
    if not answer.is_blank:
        return True
    may_be_empty = question.kind in (Kind.TABLE, Kind.FILE, Kind.URL, Kind.RANGE) or bool(question.options_from)
    return may_be_empty and bool(answer.comment)


def with_files(
    questionnaire: Questionnaire, answers: Mapping[str, Answer], files: Mapping[str, int]
) -> dict[str, Answer]:
    """Return the answers with the number of files that each request for files has, also where nothing else was said."""
    counted = {
        question.key: replace(answers.get(question.key, Answer()), files=files[question.key])
        for question in questionnaire.questions
        if question.kind is Kind.FILE and files.get(question.key)
    }
    return {**answers, **counted}


def parse_answer(
    question: Question, raw: Raw, *, draft: bool = False, offered: Collection[str] = ()
) -> Answer | Problems:
    """Return the answer in a form, or what is wrong with it, in words for the person who filled it in.

    The fields are `choice` (also `na`), `number`, `choices`, `day`, `from` and `to`, `text`, `url`,
    `rows.<n>.<column>`, `comment`, `planned_on`, `na_reason`, `compensating`, `details.<field>`,
    `details.<field>.<n>.<column>`, and `details.<field>.from` and `.to`; others are ignored. A draft may
    be incomplete, so that typed text is kept; what it lacks is told by `lacks`. `offered` are the keys that a
    question with `options_from` takes.
    """
    refusals: list[Refusal] = []
    na = question.may_not_apply and (one(raw, "choice") == NOT_APPLICABLE or one(raw, "na") in ("1", "true", "on", "y"))
    answer = Answer(
        choice=None if na else _choice(question, raw, refusals),
        number=None if na else _number(question, raw, refusals),
        na=na,
        choices=_choices(question, raw, offered, refusals),
        rows=_rows(question, raw, refusals),
        day=_day(raw, "day", refusals) if question.kind is Kind.DATE else None,
        text=_text(question, raw, refusals),
        comment=_prose(raw, "comment", "the comment", refusals),
        planned_on=_day(raw, "planned_on", refusals),
        na_reason=_prose(raw, "na_reason", "the reason", refusals),
        details=details(raw, question.details, refusals),
        period=_period(raw, refusals) if question.kind is Kind.RANGE else None,
        url=_url(raw, refusals) if question.kind is Kind.URL else "",
        compensating=_prose(raw, "compensating", "what you do instead", refusals) if question.compensating else "",
    )
    if not draft:
        named = {refusal.field for refusal in refusals}
        refusals += [refusal for refusal in lacks(question, answer) if refusal.field not in named]
    return Problems(tuple(refusals)) if refusals else answer


def lacks(question: Question, answer: Answer | None) -> tuple[Refusal, ...]:
    """Return what is still needed before the answer can be signed; nothing if it is complete."""
    if answer is None or not is_answered(question, answer):
        return (Refusal(_main_field(question), how_to_answer(question)),)
    missing: list[Refusal] = []
    if answer.na and not answer.na_reason:
        missing.append(Refusal("na_reason", said("Enter why this does not apply to you")))
    if question.kind is Kind.YES_PARTIAL_NO and answer.choice == "partial":
        if not answer.comment:
            missing.append(Refusal("comment", said("Enter what is in place and what is missing")))
        if answer.planned_on is None:
            missing.append(
                Refusal("planned_on", said("Enter the date by which the rest is planned, for example 2026-12-31"))
            )
    if question.kind is Kind.RANGE and answer.period is not None:
        if answer.period.first is None:
            missing.append(Refusal("from", said("Enter the first day of the period, for example 2025-10-01")))
        elif answer.period.last is None:
            missing.append(Refusal("to", said("Enter the last day of the period, for example 2026-09-30")))
    missing += _short_tables(question, answer)
    return tuple(missing)


def _short_tables(question: Question, answer: Answer) -> Iterator[Refusal]:
    """Yield the tables with fewer rows than they need; a comment may say why there are no more."""
    if answer.comment:
        return
    if answer.rows is not None and len(answer.rows) < question.min_rows:
        yield Refusal("rows", _more_rows(question.label, question.min_rows, len(answer.rows)))
    for each in question.details:
        rows = answer.details.get(each.key)
        if isinstance(rows, tuple) and len(rows) < each.min_rows:
            yield Refusal(f"details.{each.key}", _more_rows(each.label, each.min_rows, len(rows)))


def _more_rows(label: str, fewest: int, found: int) -> str:
    rows = said_n("%(num)s row", "%(num)s rows", found)
    return said(
        "Enter at least %(fewest)s rows for “%(label)s”, or say in the comment why there are fewer; it has %(rows)s",
        fewest=fewest,
        label=label,
        rows=rows,
    )


def how_to_answer(question: Question) -> str:
    """Return the sentence that asks for the missing answer."""
    if question.kind in CHOICE_KINDS:
        return said("Choose an answer for “%(label)s”", label=question.label)
    if question.kind is Kind.NUMBER:
        return number_message(question.unit, example_of(question))
    if question.kind is Kind.MANY_CHOICES:
        if question.options_from:
            return said(
                "Choose what applies for “%(label)s”, or say in the comment that there is none", label=question.label
            )
        return said("Choose at least one option for “%(label)s”", label=question.label)
    if question.kind is Kind.TABLE:
        return said(
            "Enter at least one row for “%(label)s”, or say in the comment that there is none", label=question.label
        )
    if question.kind is Kind.DATE:
        return said("Enter a date for “%(label)s”, for example 2026-11-30", label=question.label)
    if question.kind is Kind.RANGE:
        return said(
            "Enter the first and the last day for “%(label)s”, or say in the comment that there is none",
            label=question.label,
        )
    if question.kind is Kind.URL:
        return said(
            "Enter a web address for “%(label)s”, or say in the comment that there is none", label=question.label
        )
    if question.kind is Kind.FILE:
        return said("Attach a file for “%(label)s”, or say in the comment why you cannot", label=question.label)
    return said("Enter an answer for “%(label)s”", label=question.label)


def period_words(period: Period) -> str:
    """Return a period as sentences say it; a day that is not known is left open."""
    if period.first is None or period.last is None:
        return f"until {day_words(period.last)}" if period.last else f"from {day_words(period.first or date.min)}"
    return f"{day_words(period.first)} to {day_words(period.last)}"


def field_words(field: Column | DetailField, value: str) -> str:
    """Return what stands in a detail field or a cell, in words."""
    if field.kind in (FieldKind.CHOICE, FieldKind.YES_NO):
        return next((option.label for option in field.choices if option.key == value), value)
    if field.kind is FieldKind.DATE and (day := date_from(value)):
        return day_words(day)
    if field.kind is FieldKind.RANGE and (days := period_from(value)):
        return period_words(Period(*days))
    return value


def example_of(question: Question) -> str:
    """Return a number that fits the question, for hints and messages."""
    bounds = [step.bound for step in question.steps if step.bound is not None]
    return number_text(bounds[0]) if bounds else ("100" if question.unit == "percent" else "24")


def credit(question: Question, answer: Answer | None) -> int | None:
    """Return the credit of the answer, 0 to 100; nothing if it is blank, claimed not to apply, or never scored."""
    if answer is None or answer.na or not question.is_scored:
        return None
    if question.kind is Kind.NUMBER:
        if answer.number is None:
            return None
        for step in question.steps:
            if step.fits(answer.number):
                return step.credit
        return 0
    option = question.option(answer.choice) if answer.choice is not None else None
    return option.credit if option is not None else None


def earns_less(question: Question, answer: Answer | None) -> bool:
    """Tell whether the answer earns less than full credit, so that what is done instead is worth saying."""
    earned = credit(question, answer)
    return earned is not None and earned < FULL_CREDIT


def value_of(answer: Answer) -> dict[str, Any]:
    """Return the answer itself as plain JSON, without what was said beside it; blank is an empty object."""
    if answer.na:
        return {"na": True}
    if answer.choice is not None:
        return {"choice": answer.choice}
    if answer.number is not None:
        return {"number": number_text(answer.number)}
    if answer.choices:
        return {"choices": list(answer.choices)}
    if answer.rows:
        return {"rows": [dict(sorted(row.items())) for row in answer.rows]}
    if answer.day is not None:
        return {"date": answer.day.isoformat()}
    if answer.period is not None:
        days = (("from", answer.period.first), ("to", answer.period.last))
        return {"range": {name: day.isoformat() for name, day in days if day is not None}}
    if answer.url:
        return {"url": answer.url}
    return {"text": answer.text} if answer.text else {}


def to_json(answer: Answer) -> dict[str, Any]:
    """Return the whole answer as plain JSON with sorted keys; what is empty is left out."""
    plain = value_of(answer)
    if answer.comment:
        plain["comment"] = answer.comment
    if answer.planned_on is not None:
        plain["planned_on"] = answer.planned_on.isoformat()
    if answer.na_reason:
        plain["na_reason"] = answer.na_reason
    if answer.compensating:
        plain["compensating"] = answer.compensating
    if answer.details:
        plain["details"] = {
            key: value if isinstance(value, str) else [dict(sorted(row.items())) for row in value]
            for key, value in sorted(answer.details.items())
        }
    return dict(sorted(plain.items()))


def from_json(plain: Mapping[str, Any]) -> Answer:
    """Return the answer that `to_json` wrote.

    :raises ValueError: if it is of another shape.
    """
    unknown = plain.keys() - _READERS.keys()
    if unknown:
        raise ValueError(f"an answer has no {sorted(unknown)[0]!r}")
    return Answer(**{_NAMES.get(key, key): _READERS[key](value) for key, value in plain.items()})


def _text_value(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")
    return value


def _number_value(value: object) -> Decimal:
    number = number_from(_text_value(value))
    if number is None:
        raise ValueError("expected a decimal number as text")
    return number


def _date_value(value: object) -> date:
    day = date_from(_text_value(value))
    if day is None:
        raise ValueError("expected a date")
    return day


def _true_value(value: object) -> bool:
    if value is not True:
        raise ValueError("expected true")
    return True


def _texts_value(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("expected a list")
    return tuple(_text_value(item) for item in value)


def _rows_value(value: object) -> tuple[Row, ...]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValueError("expected a list of rows")
    return tuple({_text_value(key): _text_value(item) for key, item in row.items()} for row in value)


def _range_value(value: object) -> Period:
    if not isinstance(value, dict) or not value or value.keys() - {"from", "to"}:
        raise ValueError("expected the days of a period")
    first, last = (_date_value(value[name]) if name in value else None for name in ("from", "to"))
    return Period(first, last)


def _details_value(value: object) -> dict[str, str | tuple[Row, ...]]:
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return {_text_value(key): item if isinstance(item, str) else _rows_value(item) for key, item in value.items()}


_READERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "choice": _text_value,
        "number": _number_value,
        "na": _true_value,
        "choices": _texts_value,
        "rows": _rows_value,
        "date": _date_value,
        "text": _text_value,
        "comment": _text_value,
        "planned_on": _date_value,
        "na_reason": _text_value,
        "details": _details_value,
        "range": _range_value,
        "url": _text_value,
        "compensating": _text_value,
    }
)
_NAMES: Final[Mapping[str, str]] = MappingProxyType({"date": "day", "range": "period"})


def _main_field(question: Question) -> str:
    if question.kind in CHOICE_KINDS:
        return "choice"
    return {
        Kind.NUMBER: "number",
        Kind.MANY_CHOICES: "choices",
        Kind.TABLE: "rows",
        Kind.DATE: "day",
        Kind.RANGE: "from",
        Kind.URL: "url",
        Kind.FILE: "files",
    }.get(question.kind, "text")


def _choice(question: Question, raw: Raw, refusals: list[Refusal]) -> str | None:
    if question.kind not in CHOICE_KINDS:
        return None
    value = one(raw, "choice")
    if not value:
        return None
    if question.option(value) is None:
        refusals.append(Refusal("choice", how_to_answer(question)))
        return None
    return value


def _number(question: Question, raw: Raw, refusals: list[Refusal]) -> Decimal | None:
    if question.kind is not Kind.NUMBER:
        return None
    value = one(raw, "number")
    if not value:
        return None
    number = number_from(value)
    if number is None:
        refusals.append(Refusal("number", how_to_answer(question)))
    elif question.unit == "percent" and number > _PERCENT:
        refusals.append(Refusal("number", said("Enter a percentage from 0 to 100")))
    return number


def _choices(question: Question, raw: Raw, offered: Collection[str], refusals: list[Refusal]) -> tuple[str, ...] | None:
    if question.kind is not Kind.MANY_CHOICES:
        return None
    values = many(raw, "choices")
    on_offer = {option.key for option in question.options}.union(offered if question.options_from else ())
    if not on_offer.issuperset(values):
        refusals.append(
            Refusal("choices", said("Choose only options that are listed for “%(label)s”", label=question.label))
        )
    return tuple(sorted(values)) or None


def _rows(question: Question, raw: Raw, refusals: list[Refusal]) -> tuple[Row, ...] | None:
    if question.kind is not Kind.TABLE:
        return None
    return table(raw, "rows", question.columns, question.rows, question.label, refusals) or None


def _day(raw: Raw, name: str, refusals: list[Refusal]) -> date | None:
    value = one(raw, name)
    if not value:
        return None
    day = date_from(value)
    if day is None:
        refusals.append(Refusal(name, said("Enter the date as year-month-day, for example 2026-12-31")))
    return day


def _period(raw: Raw, refusals: list[Refusal]) -> Period | None:
    first, last = period(raw, "from", "to", "", refusals)
    return None if first is None and last is None else Period(first, last)


def _text(question: Question, raw: Raw, refusals: list[Refusal]) -> str:
    if question.kind is not Kind.TEXT:
        return ""
    if question.length != Length.SHORT:
        return _prose(raw, "text", "the answer", refusals)
    value = " ".join(one(raw, "text").split())
    if len(value) > MAX_SHORT:
        refusals.append(
            Refusal(
                "text",
                said("Shorten the answer to %(most)s characters; it has %(count)s", most=MAX_SHORT, count=len(value)),
            )
        )
    return value


def _url(raw: Raw, refusals: list[Refusal]) -> str:
    value = one(raw, "url")
    if value and url_from(value) is None:
        refusals.append(Refusal("url", url_message(value)))
    return value


def _prose(raw: Raw, name: str, what: str, refusals: list[Refusal]) -> str:
    value = one(raw, name)
    if len(value) > MAX_COMMENT:
        refusals.append(
            Refusal(
                name,
                said(
                    "Shorten %(what)s to %(most)s characters, or attach a file; it has %(count)s",
                    what=what,
                    most=MAX_COMMENT,
                    count=len(value),
                ),
            )
        )
    return value
