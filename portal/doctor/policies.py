"""What a bucket's policy forbids, read from its JSON as far as we rely on it. Pure."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

LONGEST_SIGNATURE = 10 * 60 * 1000
"""Our addresses live two minutes; a cap far above says little (in milliseconds, as ``s3:signatureAge`` counts)."""


def statements(text: str) -> list[dict[str, Any]]:
    """Return the statements that forbid something to everybody; an unreadable policy forbids nothing."""
    try:
        found = json.loads(text).get("Statement", [])
    except (ValueError, AttributeError):
        return []
    listed = found if isinstance(found, list) else [found]
    return [each for each in listed if each.get("Effect") == "Deny" and _everybody(each.get("Principal"))]


def tls_only(denied: list[dict[str, Any]]) -> bool:
    """Tell whether every request without TLS is refused."""
    return any(_covers(each, "s3:GetObject") and _asks(each, "Bool", "aws:securetransport", "false") for each in denied)


def no_overwriting(denied: list[dict[str, Any]]) -> tuple[bool, bool]:
    """Tell whether writes without ``If-None-Match`` are refused, and whether uploads in parts still pass."""
    found = [
        each
        for each in denied
        if _covers(each, "s3:PutObject")
        and _asks(each, "Null", "s3:if-none-match", "true")
        and "NotResource" not in each
    ]
    return bool(found), all(_asks(each, "Bool", "s3:objectcreationoperation", "true") for each in found)


def signature_age(denied: list[dict[str, Any]]) -> int | None:
    """Return how old a signature may be, in milliseconds; None if nothing caps it."""
    caps = (
        value
        for each in denied
        for operator in ("numericgreaterthan", "numericgreaterthanequals")
        for value in _values(each, operator, "s3:signatureage")
    )
    return min((int(value) for value in caps if value.isdigit()), default=None)


def evidence_stays(denied: list[dict[str, Any]]) -> bool:
    """Tell whether no version may be removed, but for uploads."""
    return any(
        _covers(each, "s3:DeleteObjectVersion")
        and "Condition" not in each
        and any("/incoming/" in resource for resource in _listed(each.get("NotResource")))
        for each in denied
    )


def _everybody(principal: Any) -> bool:
    return principal == "*" or (isinstance(principal, dict) and "*" in _listed(principal.get("AWS")))


def _covers(statement: dict[str, Any], action: str) -> bool:
    wanted = action.lower()
    return any(fnmatch.fnmatchcase(wanted, pattern.lower()) for pattern in _listed(statement.get("Action")))


def _asks(statement: dict[str, Any], operator: str, key: str, value: str) -> bool:
    return value in _values(statement, operator.lower(), key)


def _values(statement: dict[str, Any], operator: str, key: str) -> Iterator[str]:
    for said, keys in statement.get("Condition", {}).items():
        if said.lower() == operator:
            for name, value in keys.items():
                if name.lower() == key:
                    yield from (str(each).lower() for each in _listed(value))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
