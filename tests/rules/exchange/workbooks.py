"""Completed answer workbooks as rows of text: real identifiers, invented words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.exchange.rules.external import Page

HEADER = (
    "Question ID",
    "Question",
    "CSP CAIQ Answer",
    "SSRM Control Ownership",
    "CSP Implementation Description (Optional/Recommended)",
    "CSC Responsibilities (Optional/Recommended)",
    "CCM Control ID",
)

Said = tuple[str, str]
"""What stands in the answer column, and in the description beside it."""


def caiq(
    said: Mapping[str, Said],
    *,
    title: str = "An invented questionnaire (CAIQ) version 4.0.3",
    sheet: str = "CAIQv4.0.3",
) -> list[Page]:
    """A CAIQ with an introduction, a title row, a footer, and merged control cells that are filled once."""
    rows: list[Sequence[str]] = [("", title), (), HEADER]
    last = ""
    for question, (answer, words) in said.items():
        control = question.rpartition(".")[0]
        rows.append(
            (
                question,
                f"Is there a rabbit for {question}?",
                answer,
                "CSP-owned",
                words,
                "",
                "" if control == last else control,
            )
        )
        last = control
    rows += [(), ("End of the invented standard",), ("© Nobody in particular, all rabbits reserved",)]
    return [Page("Introduction", [("Read me",), ("Nothing to answer here",)]), Page(sheet, rows)]


def hecvat(said: Mapping[str, Said], *, title: str = "HECVAT 4.1.0") -> list[Page]:
    """A HECVAT whose questions stand on two sheets, without a header of identifiers."""
    rows = [(key, f"Invented question {key}", answer, words) for key, (answer, words) in said.items()]
    half = len(rows) // 2
    head = ("General information", "", "Vendor Answers", "Additional Information", "Guidance")
    return [
        Page("START HERE", [(title,), ("Begin with this page",)]),
        Page("Organization", [head, *rows[:half]]),
        Page("Case-Specific", [head, *rows[half:]]),
    ]
