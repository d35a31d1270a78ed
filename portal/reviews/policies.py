"""The policy document of this room: which answers a rule accepts, and which checks are on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from portal.kernel.ledger import Tx
from portal.reviews.rules import acceptance as document
from portal.reviews.rules.acceptance import Rules
from portal.rulebook import service as rulebook
from portal.rulebook.rules import Kind

ACCEPTANCE: Final = Kind(
    name=document.KIND,
    title="Acceptance by rule",
    check=document.problems_of,
    first=document.FIRST,
    about="Which unchanged answers a rule accepts, how many of them stay for a glance, and which contradictions are "
    "looked for",
)


@dataclass(frozen=True, slots=True)
class InForce:
    """The rules in force, and the version and fingerprint of their document."""

    version: int
    digest: str
    rules: Rules


def acceptance(tx: Tx) -> InForce:
    """Return the rules in force."""
    published = rulebook.current(tx, ACCEPTANCE)
    return InForce(published.version, published.digest, _read(published.text))


@lru_cache(maxsize=32)
def _read(text: str) -> Rules:
    return document.read(text)
