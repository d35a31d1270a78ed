"""The reports that reading is measured on, and the table of right, wrong and withheld values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from portal.evidence.rules.prefill import Confidence, Proposal, propose
from tests.factories.reporting.firms import TUNED, Style
from tests.factories.reporting.further import FURTHER
from tests.factories.reporting.papers import KNOWN_STYLES, UNSEEN_STYLES, Paper, papers
from tests.factories.reporting.unseen import UNSEEN
from tests.factories.reports import ALL_TRAPS, Report, report

FIELDS = (
    "report_type",
    "period_start",
    "period_end",
    "as_of",
    "opinion",
    "opinion_on",
    "auditor",
    "licence_no",
    "assertion_entity",
    "entity",
    "system",
    "categories",
    "exceptions",
    "carved_out",
    "cuec",
)
OPINIONS = ("unqualified", "qualified", "adverse", "disclaimer")


def reports(styles: Sequence[Style], *, each: int, base: int) -> list[Report]:
    """So many reports of each firm; types, opinions, swaps, second names and traps go round."""
    made = []
    for place, style in enumerate(styles):
        for number in range(each):
            seed = base + 97 * place + number
            turn = place + number
            wishes: dict[str, object] = {
                "type": 1 if turn % 5 == 3 else 2,
                "opinion": "unqualified" if turn % 3 == 0 else OPINIONS[(turn // 2) % 4],
                "swapped": turn % 6 == 1,
                "traps": [
                    trap for index, trap in enumerate(ALL_TRAPS) if (turn + index) % 3 == 0 and trap != "numeral"
                ],
            }
            if turn % 7 == 2:
                wishes["traps"] = ["numeral"]
            if turn % 8 == 5:
                wishes["second_entity"] = "Halvard Holdings, Inc."
            made.append(report(seed, style=style, **wishes))
    return made


def tuned() -> list[Report]:
    """Reports in the 16 wordings that the patterns were written with: 6 at first, 10 later."""
    return reports(TUNED, each=5, base=1000) + reports(FURTHER, each=3, base=3000)


def unseen() -> list[Report]:
    """Reports of firms whose wording nobody tuned a pattern for."""
    return reports(UNSEEN, each=3, base=5000)


Table = Mapping[str, Counter[str]]


def matches(field: str, value: str | int, truth: str | int) -> bool:
    """Whether a proposed value is the true one; of a licence its number counts."""
    if field == "licence_no":
        return str(truth) in "".join(c for c in str(value) if c.isdigit())
    if field in {"carved_out", "cuec"}:
        return set(str(value).split("; ")) == set(str(truth).split("; "))
    return str(value).casefold().rstrip(".") == str(truth).casefold().rstrip(".")


def measure(corpus: Iterable[Report | Paper], kind: str = "SOC2", fields: Sequence[str] = FIELDS) -> Table:
    """Count for each field: right, wrong, withheld; and of the right and the wrong ones those said to be sure."""
    table: dict[str, Counter[str]] = {field: Counter() for field in fields}
    for each in corpus:
        found: dict[str, Proposal] = {}
        for proposal in propose(kind, each.text_pages):
            found.setdefault(proposal.field, proposal)
        for field in fields:
            truth, proposed = each.truth.get(field), found.get(field)
            if field == "cuec" and proposed is not None:
                listed = [str(one.value) for one in propose(kind, each.text_pages) if one.field == "cuec"]
                proposed = replace(proposed, value="; ".join(listed))
            if proposed is None:
                table[field]["withheld"] += truth is not None
                continue
            verdict = "right" if truth is not None and matches(field, proposed.value, truth) else "wrong"
            table[field][verdict] += 1
            table[field][f"{verdict} high"] += proposed.confidence is Confidence.HIGH
    return table


PAPER_KINDS = ("BL", "ISO", "INS", "PT")


def table_of(known: Table, other: Table) -> str:
    """Return both measurements as a table of the documentation."""
    head = (
        "| Field | Known: right (sure) | wrong (sure) | withheld | Unseen: right (sure) | wrong (sure) | withheld |\n"
        "|---|---|---|---|---|---|---|"
    )
    rows = []
    for field, counts in known.items():
        cells = []
        for each in (counts, other[field]):
            cells += [f"{each[verdict]} ({each[f'{verdict} high']})" for verdict in ("right", "wrong")]
            cells.append(str(each["withheld"]))
        rows.append(f"| `{field}` | {' | '.join(cells)} |")
    return "\n".join((head, *rows))


def measured() -> dict[str, str]:
    """Return every table of docs/evidence.md by the code of its kind."""
    tables = {"SOC2": table_of(measure(tuned()), measure(unseen()))}
    for kind in PAPER_KINDS:
        known, other = papers(kind, KNOWN_STYLES), papers(kind, UNSEEN_STYLES)
        fields = tuple(dict.fromkeys(field for each in known for field in each.truth))
        tables[kind] = table_of(measure(known, kind, fields), measure(other, kind, fields))
    return tables


if __name__ == "__main__":
    for code, table in measured().items():
        print(f"<!-- {code} -->\n{table}\n")
