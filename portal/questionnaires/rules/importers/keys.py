"""Turns the identifiers of other systems into permanent keys: legal, unique, and the same whatever the order."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from portal.questionnaires.rules.reader import MAX_KEY

_LEGAL_KEY: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+", re.ASCII)
_LEGAL_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
# Words of the condition grammar; an option of that name could not be spoken of.
_RESERVED: Final = frozenset({"and", "or", "not", "in", "ans", "answer", "field"})
_ROOM: Final = 17


def prefix_of(slug: str) -> str:
    """Return the first part of the keys of an imported questionnaire, from its slug."""
    words = _words(slug)[:30].strip("_")
    return words if words[:1].isalpha() else f"q_{words}".strip("_")


def question_keys(identifiers: Sequence[str], prefix: str) -> Mapping[str, str]:
    """Return a permanent key for each identifier; one that is a key already is kept as it is."""
    return _unique(
        identifiers,
        lambda raw: raw if _LEGAL_KEY.fullmatch(raw) and len(raw) <= MAX_KEY else f"{prefix}.{_words(raw) or 'q'}",
    )


def names(identifiers: Sequence[str], fallback: str, *, keep: bool = True) -> Mapping[str, str]:
    """Return a short key of letters, digits and underscores for each identifier, as options and sections have.

    :param keep: whether one that is such a key already is kept; words that people read are better put in lower case.
    """

    def name(raw: str) -> str:
        if keep and _LEGAL_NAME.fullmatch(raw) and len(raw) <= MAX_KEY and raw not in _RESERVED:
            return raw
        words = _words(raw)
        words = words if words[:1].isalpha() else f"{fallback}_{words}".rstrip("_")
        return f"{words}_{fallback}" if words in _RESERVED else words

    return _unique(identifiers, name)


def fingerprint(*parts: str) -> str:
    """Return an identifier for something that has none of its own, from what it says."""
    return "q_" + hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def numbered(identifiers: Iterable[str]) -> list[str]:
    """Tell equal identifiers apart by counting them."""
    seen: Counter[str] = Counter()
    found: list[str] = []
    for identifier in identifiers:
        seen[identifier] += 1
        found.append(identifier if seen[identifier] == 1 else f"{identifier} ({seen[identifier]})")
    return found


def _unique(identifiers: Sequence[str], shape: Callable[[str], str]) -> Mapping[str, str]:
    """Shape every identifier; those that fall together, or are cut, all get a part of their hash."""
    shaped = {raw: shape(raw) for raw in dict.fromkeys(identifiers)}
    counts = Counter(shaped.values())
    found: dict[str, str] = {}
    for raw, key in shaped.items():
        if counts[key] == 1 and len(key) <= MAX_KEY:
            found[raw] = key
        else:
            digest = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
            found[raw] = f"{key[: MAX_KEY - _ROOM].rstrip('_.')}_{digest[: _ROOM - 1]}"
    return found


def _words(raw: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", raw.lower()).strip("_")
