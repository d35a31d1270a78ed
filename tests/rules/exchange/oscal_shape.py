"""Checks what OSCAL 1.2 demands of a document: mandatory fields, identifiers, values of one line, links that lead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[45][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
LINE = re.compile(r"\S(.*\S)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
RELATIONSHIPS = {"equal-to", "equivalent-to", "subset-of", "superset-of", "intersects-with", "no-relationship"}

MANDATORY: Mapping[str, tuple[str, ...]] = {
    "catalog": ("uuid", "metadata"),
    "profile": ("uuid", "metadata", "imports"),
    "mapping-collection": ("uuid", "metadata", "provenance", "mappings"),
    "component-definition": ("uuid", "metadata"),
    "assessment-plan": ("uuid", "metadata", "import-ssp", "reviewed-controls"),
    "assessment-results": ("uuid", "metadata", "import-ap", "results"),
    "plan-of-action-and-milestones": ("uuid", "metadata", "poam-items"),
}
INSIDE: Mapping[str, tuple[str, ...]] = {
    "metadata": ("title", "last-modified", "version", "oscal-version"),
    "groups": ("title",),
    "controls": ("id", "title"),
    "parts": ("name",),
    "imports": ("href",),
    "provenance": ("method", "matching-rationale", "status", "mapping-description"),
    "mappings": ("uuid", "source-resource", "target-resource", "maps"),
    "source-resource": ("type", "href"),
    "target-resource": ("type", "href"),
    "maps": ("uuid", "relationship", "sources", "targets"),
    "sources": ("type", "id-ref"),
    "targets": ("type", "id-ref"),
    "components": ("uuid", "type", "title", "description"),
    "control-implementations": ("uuid", "source", "description", "implemented-requirements"),
    "implemented-requirements": ("uuid", "control-id", "description"),
    "import-ap": ("href",),
    "import-ssp": ("href",),
    "results": ("uuid", "title", "description", "start", "reviewed-controls"),
    "reviewed-controls": ("control-selections",),
    "observations": ("uuid", "description", "methods", "collected"),
    "findings": ("uuid", "title", "description", "target"),
    "target": ("type", "target-id", "status"),
    "status": ("state",),
    "attestations": ("parts",),
    "relevant-evidence": ("description",),
    "poam-items": ("title", "description"),
    "resources": ("uuid",),
    "rlinks": ("href",),
    "hashes": ("algorithm", "value"),
    "links": ("href",),
    "props": ("name", "value"),
}


def check(document: Mapping[str, Any]) -> None:
    """Assert that a document has the shape of its kind."""
    ((kind, body),) = document.items()
    _has(kind, body, MANDATORY[kind])
    known = {each["uuid"] for each in body.get("back-matter", {}).get("resources", [])}
    seen: set[str] = set()
    for name, value in _walk(kind, body):
        if isinstance(value, Mapping):
            _has(name, value, INSIDE.get(name, ()))
            assert value, f"an empty {name}"
        if isinstance(value, list):
            assert value, f"an empty list of {name}"
        if name == "uuid":
            assert UUID.fullmatch(value), value
            assert value not in seen, f"{value} stands twice"
            seen.add(value)
        elif name in ("id", "control-id", "target-id", "id-ref", "with-ids", "name", "type"):
            assert TOKEN.fullmatch(value), value
        elif name in ("value", "title", "version", "class"):
            assert isinstance(value, str), name
            assert LINE.fullmatch(value), value
        elif name in ("last-modified", "start", "end", "collected", "expires"):
            assert MOMENT.fullmatch(value), value
        elif name in ("description", "prose", "mapping-description"):
            assert value.strip(), name
            assert "\x00" not in value
            value.encode()
        elif name == "relationship":
            assert value in RELATIONSHIPS
        elif name == "state":
            assert value in {"satisfied", "not-satisfied"}
        elif name == "methods":
            assert value in {"EXAMINE", "INTERVIEW", "TEST"} or isinstance(value, list)
        elif name in ("href", "source") and isinstance(value, str) and value.startswith("#"):
            assert value[1:] in known, value


def _has(name: str, value: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    assert [each for each in fields if each not in value] == [], name


def _walk(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        if name != "include-all":
            yield name, value
        for key, each in value.items():
            # The identifier of a system is of the kind that it names, not a token.
            yield from _walk("identifier" if (name, key) == ("system-id", "id") else key, each)
    elif isinstance(value, list):
        if not value:
            yield name, value
        for each in value:
            yield from _walk(name, each)
    else:
        yield name, value
