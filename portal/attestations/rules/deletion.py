"""What a deletion certificate does not name of the register of data that its vendor keeps. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

INVENTORY_KEY: Final = "dat.inventory"
REGISTER_FIELD: Final = "register"
_NOTHING: Final = frozenset({"", "none", "no", "no copies", "no copy", "nil", "0"})


@dataclass(frozen=True, slots=True)
class Unnamed:
    """One thing of the register that the certificate does not name. ``what`` is dataset, place or copy."""

    dataset: str
    what: str
    name: str


def unnamed(register: Sequence[Mapping[str, Any]], certificate: Sequence[Mapping[str, Any]]) -> tuple[Unnamed, ...]:
    """Return what the rows of a certificate do not name, in the order of the register.

    A name counts when its words stand in the certificate in their order, whatever their case and marks: a longer name
    around it is fine, a shorter one is not. Of a place only the system counts, which stands before the first comma;
    each copy counts.

    :param register: rows of ``dat.inventory``: dataset, owner, place, copies.
    :param certificate: rows of the certificate: dataset, systems, copies.
    """
    found: list[Unnamed] = []
    for held in register:
        dataset = str(held.get("dataset", "")).strip()
        if not _words(dataset):
            continue
        rows = [row for row in certificate if _names(str(row.get("dataset", "")), dataset)]
        if not rows:
            found.append(Unnamed(dataset, "dataset", dataset))
            continue
        places = " ; ".join(f"{row.get('systems', '')} ; {row.get('copies', '')}" for row in rows)
        wanted = [("place", part) for part in _parts(str(held.get("place", "")))[:1]]
        wanted += [("copy", part) for part in _parts(str(held.get("copies", "")))]
        found += [Unnamed(dataset, what, part) for what, part in wanted if not _names(places, part)]
    return tuple(found)


def _parts(text: str) -> list[str]:
    parts = [each.strip() for each in re.split(r"[,;/\n]|\band\b", text)]
    return [each for each in parts if " ".join(_words(each)) not in _NOTHING]


def _names(text: str, name: str) -> bool:
    said, wanted = _words(text), _words(name)
    return any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())
