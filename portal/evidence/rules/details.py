"""Reading the metadata of a file from a form, and saying what is wrong with it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from portal.evidence.rules.cells import read_cell, read_money, tidy
from portal.evidence.rules.fields import Column, Field, FieldType, Kind
from portal.evidence.rules.kinds import KINDS, outdated
from portal.evidence.rules.kinds_assurance import NO_EXCEPTIONS, SOME_EXCEPTIONS
from portal.evidence.rules.report import ReportRows, question_keys, split
from portal.evidence.rules.validity import BRIDGED_MONTHS, add_months, as_day
from portal.kernel.words import said

MAX_TITLE: Final = 200

Details = dict[str, Any]
"""What is stored: days as ISO dates, choices as keys, multi choices as lists of keys, amounts as
``{"amount", "currency"}``, tables as lists of rows."""


class Problems(dict[str, str]):
    """What is wrong, one sentence a field; the key is the field's name in the form."""


def parse_details(
    kind: str, raw: Mapping[str, str], *, today: date | None = None, draft: bool = False
) -> Details | Problems:
    """Return the metadata of a file of this kind as it is stored, or what is wrong with it.

    :param raw: the form; fields are named ``detail-<name>``, others are left alone. A multi choice may come several
        times, where the mapping has ``getlist``, or as one text with commas.
    :param today: refuses days that must have come and have not.
    :param draft: lets required fields be missing: they can be given later, as can the rows that are kept apart.
    :raises KeyError: for a kind that is not one of ours.
    """
    asked = KINDS[kind]
    problems = Problems()
    details: Details = {}
    for field in asked.fields:
        if not _applies(field, raw) or (field.apart and draft):
            continue
        value = _read(field, raw, today, problems)
        if value is not None:
            details[field.name] = value
        elif field.required and not draft and field.id not in problems:
            problems[field.id] = _wanted(field)
    if not problems:
        _compare(asked, details, problems)
    return problems or details


def missing(kind: str, details: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the required fields that are not given."""
    return tuple(
        field
        for field in KINDS[kind].fields
        if field.required
        and (field.when is None or details.get(field.when[0]) == field.when[1])
        and not details.get(field.name)
    )


def row_numbers(field: Field, raw: Mapping[str, str]) -> Sequence[int]:
    """Return the numbers of the rows of a table that a form brings, in their order, the empty ones too."""
    shape = re.compile(rf"{re.escape(field.id)}-([0-9]{{1,3}})-({'|'.join(each.name for each in field.columns)})")
    return sorted({int(found[1]) for name in raw if (found := shape.fullmatch(name))})


def parse_rows(raw: Mapping[str, str], problems: Problems) -> ReportRows:
    """Return the rows of a report alone; what is wrong with them is put among the problems."""
    fields = [field for field in KINDS["SOC2"].fields if field.apart]
    details: Details = {field.name: _read_rows(field, raw, None, problems) for field in fields}
    if not problems:
        _check_questions(details, problems)
    return split(details)[1]


def _wanted(field: Field | Column) -> str:
    if field.type is FieldType.CHOICE:
        return said("Choose %(the)s", the=said(field.the))
    return said("Enter %(the)s", the=said(field.the))


def _applies(field: Field, raw: Mapping[str, str]) -> bool:
    return field.when is None or str(raw.get(f"detail-{field.when[0]}", "")).strip() == field.when[1]


def _read(field: Field, raw: Mapping[str, str], today: date | None, problems: Problems) -> Any:
    if field.type is FieldType.TABLE:
        return _read_rows(field, raw, today, problems) or None
    if field.type is FieldType.MULTI:
        return _read_multi(field, raw, problems) or None
    text = tidy(str(raw.get(field.id, "")))
    if field.type is FieldType.MONEY:
        amount, problem = read_money(field.the, text, tidy(str(raw.get(field.currency_id, ""))))
        if problem:
            problems[field.id] = problem
        return amount
    value, problem = read_cell(field, text, today)
    if problem:
        problems[field.id] = problem
    return value


def _read_multi(field: Field, raw: Mapping[str, str], problems: Problems) -> list[str]:
    getlist = getattr(raw, "getlist", None)
    given = getlist(field.id) if getlist is not None else str(raw.get(field.id, "")).split(",")
    chosen = {tidy(str(each)) for each in given} - {""}
    if chosen - dict(field.options).keys():
        problems[field.id] = said("Choose %(the)s among the options shown", the=said(field.the))
    return [key for key, _ in field.options if key in chosen]


def _read_rows(field: Field, raw: Mapping[str, str], today: date | None, problems: Problems) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number in row_numbers(field, raw):
        typed = {column.name: tidy(str(raw.get(field.cell_id(number, column.name), ""))) for column in field.columns}
        if not any(typed[column.name] for column in field.columns if column.type is not FieldType.ID):
            continue
        row: dict[str, Any] = {}
        for column in field.columns:
            value, problem = read_cell(column, typed[column.name], today)
            if problem:
                problems[field.cell_id(number, column.name)] = said(
                    "Row %(number)s: %(problem)s", number=number + 1, problem=problem
                )
            elif value is not None:
                row[column.name] = value
            elif column.required:
                problems[field.cell_id(number, column.name)] = said(
                    "Row %(number)s: %(problem)s", number=number + 1, problem=_wanted(column)
                )
        rows.append(row)
    if len(rows) > field.rows:
        problems[field.id] = said(
            "Use at most %(rows)s rows for %(the)s; these are %(count)s",
            rows=field.rows,
            the=said(field.the),
            count=len(rows),
        )
    return rows


def _compare(kind: Kind, details: Details, problems: Problems) -> None:
    days = {name: found for name, value in details.items() if (found := as_day(value)) is not None}
    for order in kind.orders:
        first, last = days.get(order.earlier), days.get(order.later)
        if first and last and (last < first or (order.strict and last == first)):
            problems[kind.field(order.later).id] = said("%(problem)s, %(day)s", problem=said(order.words), day=first)
    if outdated(kind.code, details):
        problems["detail-edition"] = said(
            "Upload a certificate to the 2022 edition. Certificates to the 2013 edition ended on 31 October 2025"
        )
    if kind.code == "SOC2" and not problems:
        _compare_exceptions(details, problems)
        _check_questions(details, problems)
    if kind.code == "BL" and not problems and {"report_end", "covers_from", "covers_until"} <= days.keys():
        _compare_bridge(days, problems)
    if kind.code == "TRN" and int(details.get("percent", 0)) > 100:
        problems["detail-percent"] = said("Enter the share that completed it in percent, from 0 to 100")


def _compare_exceptions(details: Details, problems: Problems) -> None:
    """That a report has none is said by a person, in so many words; a nought in the count is no such word."""
    listed, count = details.get("exceptions_listed"), details.get("exceptions")
    if listed == NO_EXCEPTIONS:
        if count or details.get("exception_rows"):
            problems["detail-exceptions_listed"] = said(
                "You say that the report lists no exceptions, and you enter some. Change one of the two"
            )
        else:
            details["exceptions"] = 0
    elif count == 0:
        words = (
            said("Enter how many, or choose “It lists no exceptions”")
            if listed == SOME_EXCEPTIONS
            else (said("Choose “It lists no exceptions” if the report has none, or leave the number empty"))
        )
        problems["detail-exceptions"] = words


def _check_questions(details: Details, problems: Problems) -> None:
    for number, row in enumerate(details.get("exception_rows", ())):
        if question_keys(str(row.get("questions", ""))) is None:
            problems["detail-exception_rows"] = said(
                "Row %(number)s: Enter the questions it touches by their numbers, for example 7.2, 7.4",
                number=number + 1,
            )


def _compare_bridge(days: Mapping[str, date], problems: Problems) -> None:
    # A letter may go on from an earlier one, so a hole after the report is no mistake of this letter alone.
    most = add_months(days["report_end"], BRIDGED_MONTHS)
    if days["covers_from"] > most:
        problems["detail-covers_from"] = said("Letters carry this report to %(day)s. Upload the next report", day=most)
