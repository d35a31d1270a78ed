"""Values that stand behind a label: days, numbers, names. Two that differ are left to the person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

from portal.evidence.rules.prefill.dates import Dated
from portal.evidence.rules.prefill.text import Text
from portal.evidence.rules.prefill.values import Confidence, Proposal

_REACH = 60
_BETWEEN = re.compile(
    r"[\s:.–—-]{0,6}(?:\(?(?:dd|mm|yyyy|[/.-]){3,9}\)?[\s:]{0,3})?(?:on |is |was |as |of |at |the |date ){0,3}", re.I
)


def day_after(text: Text, field: str, label: re.Pattern[str], dates: Sequence[Dated]) -> Iterable[Proposal]:
    """Propose the day that stands right after a label, if all such labels name the same."""
    found: list[tuple[date, int, int, bool]] = []
    for each in dates:
        left = max(text.start, each.start - _REACH)
        before = text.whole[left : each.start]
        labels = list(label.finditer(before))
        if labels and _BETWEEN.fullmatch(before[labels[-1].end() :]):
            found.append((each.day, left + labels[-1].start(), each.end, each.sure))
    if len({day for day, *_place in found}) != 1:
        return
    day, start, end, sure = found[0]
    page, quote = text.page_at(start), text.quote(start, end)
    yield Proposal(field, day.isoformat(), page, quote, "label", Confidence.HIGH if sure else Confidence.LOW)


def words_after(
    text: Text, field: str, label: re.Pattern[str], *, confidence: Confidence = Confidence.MEDIUM, longest: int = 160
) -> Iterable[Proposal]:
    """Propose what stands on a line after its label, or on the next line when the label has a line for itself."""
    lines = list(text.own_lines())
    found: dict[str, tuple[int, str]] = {}
    for place, line in enumerate(lines):
        match = label.match(line.text)
        if match is None:
            continue
        rest = line.text[match.end() :].strip(" :.–—-#")
        quote = line.text
        if not rest and place + 1 < len(lines):
            rest = lines[place + 1].text.strip(" :")
            quote = f"{line.text} {rest}"
        if 2 < len(rest) <= longest:
            found.setdefault(rest, (line.page, quote))
    if len(found) == 1:
        value, (page, quote) = next(iter(found.items()))
        yield Proposal(field, value, page, quote[:200], "label", confidence)


def number_in(text: Text, field: str, pattern: re.Pattern[str], method: str = "label") -> Iterable[Proposal]:
    """Propose the whole number that a pattern finds; "no" is nought. Never anything for silence."""
    found: dict[int, tuple[int, int]] = {}
    for match in text.find(pattern):
        word = next(each for each in match.groups() if each is not None).lower()
        value = _WORDS.get(word)
        if value is None and word.isdigit():
            value = int(word)
        if value is not None:
            found.setdefault(value, (match.start(), match.end()))
    if len(found) == 1:
        value, (start, end) = next(iter(found.items()))
        yield Proposal(field, value, text.page_at(start), text.quote(start, end), method, Confidence.MEDIUM)


_WORDS = {word: n for n, word in enumerate("no one two three four five six seven eight nine ten eleven twelve".split())}  # noqa: SIM905
_WORDS |= {"none": 0, "zero": 0, "nil": 0}
