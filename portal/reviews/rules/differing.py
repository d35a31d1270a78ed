"""What changed between what a person read and how it stands now, in words: the old value beside the new. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from portal.questionnaires.rules.text import date_from
from portal.terms import OUTCOME_WORDS, Outcome, Recommendation


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was. Either side is empty where there was, or is, nothing."""

    part: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.part}: {self.before or 'nothing'} → {self.after or 'nothing'}"


SUGGESTION_WORDS: Final[Mapping[str, str]] = {
    Recommendation.INCOMPLETE.value: "Incomplete",
    Recommendation.REJECT.value: "Do not approve",
    Recommendation.HOLD.value: "Hold",
    Recommendation.CONDITIONAL.value: "Approve with conditions",
    Recommendation.APPROVE.value: "Approve",
}
_SHORT: Final = 12


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what differs between two documents, or two things that a page was made from; both as plain JSON.

    Nothing that differs is left out: what has no words of its own is named by its part.
    """
    found = [
        *_engagement(before.get("engagement") or {}, after.get("engagement") or {}),
        *_judged(before.get("judged") or {}, after.get("judged") or {}),
        *_plain("The score", before.get("score"), after.get("score")),
        *_findings(before.get("findings") or (), after.get("findings") or ()),
        *_decided(before, after),
    ]
    known = _PARTS | {"engagement", "judged", "score", "findings"}
    others = sorted(key for key in (before.keys() | after.keys()) - known if before.get(key) != after.get(key))
    return (*found, *(Difference(f"The document ({key.replace('_', ' ')})", "as it was", "changed") for key in others))


def _engagement(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    yield from _plain("The tier of the engagement", before.get("tier"), after.get("tier"))
    yield from _plain("Data classes of the engagement", _classes(before), _classes(after))
    yield from _plain("Access of the engagement", _list(before, "access_modes"), _list(after, "access_modes"))
    yield from _plain("The engagement", before.get("slug"), after.get("slug"))


def _classes(engagement: Mapping[str, Any]) -> str:
    return ", ".join(f"D{each}" for each in engagement.get("data_classes") or ())


def _list(thing: Mapping[str, Any], key: str) -> str:
    return ", ".join(str(each) for each in thing.get(key) or ())


def _judged(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    if before.get("revision") != after.get("revision"):
        yield Difference(
            "The signed answers", f"revision {before.get('revision')}", f"revision {after.get('revision')}"
        )
    elif before.get("attestation_digest") != after.get("attestation_digest"):
        yield Difference("The signed answers", *_digests(before, after, "attestation_digest"))
    yield from _plain("The tier of the assessment", before.get("tier"), after.get("tier"))
    yield from _plain(
        "What the policy suggests",
        SUGGESTION_WORDS.get(str(before.get("recommendation")), ""),
        SUGGESTION_WORDS.get(str(after.get("recommendation")), ""),
    )
    for key, words in (
        ("questionnaire_digest", "The questionnaire"),
        ("policy_digest", "The scoring policy"),
        ("inputs_digest", "What the score is computed from"),
        ("result_digest", "How the score is made up"),
    ):
        if before.get(key) != after.get(key):
            yield Difference(words, *_digests(before, after, key))


def _digests(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> tuple[str, str]:
    return str(before.get(key) or "")[:_SHORT], str(after.get(key) or "")[:_SHORT]


_OF_A_FINDING: Final = (
    ("severity", "severity"),
    ("what", "what is wrong"),
    ("closes_when", "closes when"),
    ("due_on", "due"),
    ("credit", "points left"),
)


def _findings(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> Iterator[Difference]:
    was, now = ({each["number"]: each for each in side} for side in (before, after))
    for number in sorted(was.keys() | now.keys()):
        old, new = was.get(number), now.get(number)
        if old is None or new is None:
            yield Difference(f"F-{number}", str((old or {}).get("what") or ""), str((new or {}).get("what") or ""))
            continue
        rest = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        for key, words in _OF_A_FINDING:
            if key in rest:
                yield Difference(f"F-{number}, {words}", _words(old.get(key)), _words(new.get(key)))
        if rest - {key for key, _ in _OF_A_FINDING}:
            yield Difference(f"F-{number}", "as it was", "changed")


_PARTS: Final = frozenset({"outcome", "conditions", "valid_until", "reason", "letter", "signatures_needed"})


def _decided(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    words = [OUTCOME_WORDS[Outcome(side["outcome"])] if side.get("outcome") else "" for side in (before, after)]
    yield from _plain("The outcome", *words)
    yield from _plain("The last day", before.get("valid_until"), after.get("valid_until"))
    yield from _plain("Signatures", before.get("signatures_needed"), after.get("signatures_needed"))
    yield from _plain("The reason", before.get("reason"), after.get("reason"))
    yield from _plain("The letter", before.get("letter"), after.get("letter"))
    old, new = before.get("conditions") or [], after.get("conditions") or []
    for each in old:
        if each not in new:
            yield Difference("A condition", _condition(each), "")
    for each in new:
        if each not in old:
            yield Difference("A condition", "", _condition(each))


def _condition(stored: Mapping[str, Any]) -> str:
    parts = [str(stored.get("text") or "")]
    if stored.get("due_on"):
        parts.append(f"due {_words(stored['due_on'])}")
    if stored.get("closes_at") is not None:
        parts.append(f"keeps D{stored['closes_at']} closed")
    if stored.get("access_mode"):
        parts.append(str(stored["access_mode"]))
    if stored.get("consequence") == "all":
        parts.append("overdue, everything closes")
    return ", ".join(parts)


def _plain(part: str, before: Any, after: Any) -> Iterable[Difference]:
    return () if before == after else (Difference(part, _words(before), _words(after)),)


def _words(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    day = date_from(text) if len(text) == _DATE else None
    return _day(day) if day is not None else text


_DATE: Final = 10


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
