"""Scores as bytes: canonical JSON of inputs and result, their digests, and the replay of one from the other.

Whole numbers are JSON integers, rationals are the text "n/d" in lowest terms, days are ISO text, keys are
sorted, and there is no float. The policy and the version travel inside the inputs, so a stored snapshot
replays without them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import Any

from portal.scoring.rules.measure import score
from portal.scoring.rules.policy import Policy, Requirement, Thresholds
from portal.scoring.rules.result import DomainScore, Loss, Measures, Reason, Score
from portal.scoring.rules.risk import InherentRisk
from portal.scoring.rules.values import (
    Answer,
    Domain,
    Exposure,
    Finding,
    Held,
    Inputs,
    NotApplicable,
    Proof,
    Question,
    State,
    Version,
)

INPUTS_FORMAT = "gatehouse.score-inputs/1"
RESULT_FORMAT = "gatehouse.score-result/1"
POLICY_FORMAT = "gatehouse.score-policy/1"


# what has a canonical form; a type that is not here (a float, say) has none
_FIELDS: dict[type[Any], tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in (
        *(Version, Domain, Question, Policy, Thresholds, Requirement),
        *(Answer, Proof, Finding, NotApplicable, Exposure, Held),
        *(Score, Measures, DomainScore, InherentRisk, Reason),
    )
}
_INPUTS_FIELDS = tuple(field.name for field in fields(Inputs))


class Unreadable(ValueError):
    """The bytes are not the canonical form of score inputs."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is stored of a score: the bytes of its inputs and of its result, and the SHA-256 of each in
    hexadecimal.
    """

    inputs: bytes
    inputs_digest: str
    result: bytes
    result_digest: str


def canonical(value: Inputs | Score | Policy) -> bytes:
    """Return the canonical JSON of inputs, a result or a policy: equal values give equal bytes everywhere."""
    if isinstance(value, Inputs):
        parts = {name: getattr(value, name) for name in _INPUTS_FIELDS}
        texts = {name: _text(_plain(part)) for name, part in parts.items() if name not in ("version", "policy")}
        texts["version"], texts["policy"] = _text_once(value.version), _text_once(value.policy)
        texts["format"] = _text(INPUTS_FORMAT)
        return ("{" + ",".join(f'"{name}":{texts[name]}' for name in sorted(texts)) + "}").encode()
    name = RESULT_FORMAT if isinstance(value, Score) else POLICY_FORMAT
    return _text({"format": name, **_plain(value)}).encode()


def digest(value: Inputs | Score | Policy | bytes) -> str:
    """Return the SHA-256, in hexadecimal, of canonical bytes or of a value's canonical bytes."""
    return hashlib.sha256(value if isinstance(value, bytes) else canonical(value)).hexdigest()


def snapshot(inputs: Inputs, result: Score | None = None) -> Snapshot:
    """Return what to store of these inputs; pass the result if a plan has made it already."""
    inputs_bytes = canonical(inputs)
    result_bytes = canonical(score(inputs) if result is None else result)
    return Snapshot(inputs_bytes, digest(inputs_bytes), result_bytes, digest(result_bytes))


def replay(inputs: bytes) -> bytes:
    """Return the canonical result of stored inputs, to be compared with the stored result.

    :raises Unreadable: if the bytes are not canonical inputs.
    """
    return canonical(score(read_inputs(inputs)))


def read_inputs(inputs: bytes) -> Inputs:
    """Return the value that these canonical bytes stand for.

    :raises Unreadable: if they are anything else than the canonical form of inputs.
    """
    try:
        value = _inputs(json.loads(inputs))
        same = canonical(value) == inputs
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as reason:
        raise Unreadable("these bytes are not score inputs") from reason
    if not same:
        raise Unreadable("these bytes are not in canonical form")
    return value


_VERSION_FROM = b',"version":{"digest":'


def trusted_inputs(inputs: bytes) -> Inputs:
    """Return the value of stored canonical bytes without proving that they are canonical, for looks over many scores.

    Versions are read once: in canonical inputs the version stands last, and many scores share it.

    :raises Unreadable: if the bytes are no inputs at all.
    """
    at = inputs.rfind(_VERSION_FROM)
    try:
        if at < 0:
            return _inputs(json.loads(inputs))
        return _inputs(json.loads(inputs[:at] + b"}"), _version_once(inputs[at + 1 : -1]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as reason:
        raise Unreadable("these bytes are not score inputs") from reason


@lru_cache(maxsize=64)
def _version_once(text: bytes) -> Version:
    return _version(json.loads(b"{" + text + b"}")["version"])


def read_policy(document: bytes) -> Policy:
    """Return the policy that these canonical bytes stand for.

    :raises Unreadable: if they are anything else than the canonical form of a policy.
    """
    try:
        value = _policy(json.loads(document))
        same = canonical(value) == document
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as reason:
        raise Unreadable("these bytes are not a scoring policy") from reason
    if not same:
        raise Unreadable("these bytes are not in canonical form")
    return value


def _text(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@lru_cache(maxsize=64)
def _text_once(value: Version | Policy) -> str:
    """Return the text of what many inputs share; writing it anew would cost more than the score."""
    return _text(_plain(value))


def _plain(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is int or kind is bool:
        return value
    if kind is tuple:
        return [_plain(part) for part in value]
    if kind is Fraction:
        return f"{value.numerator}/{value.denominator}"
    if kind is Loss:
        return {"key": value.key, "domain": value.domain, "value": f"{value.numerator}/{value.denominator}"}
    if isinstance(value, StrEnum):
        return value.value
    if kind is date:
        return value.isoformat()
    plain = {name: _plain(getattr(value, name)) for name in _FIELDS[kind]}
    if kind is Policy and not value.periods:
        # Policies of before the field have no word of it in their bytes, and mean the first periods.
        del plain["periods"]
    return plain


def _version(raw: dict[str, Any]) -> Version:
    return Version(
        raw["digest"],
        tuple(Domain(**domain) for domain in raw["domains"]),
        tuple(_question(question) for question in raw["questions"]),
    )


def _inputs(raw: dict[str, Any], version: Version | None = None) -> Inputs:
    return Inputs(
        version=_version(raw["version"]) if version is None else version,
        policy=_policy(raw["policy"]),
        answers=tuple(_answer(answer) for answer in raw["answers"]),
        exposure=Exposure(
            **raw["exposure"] | {name: tuple(raw["exposure"][name]) for name in ("data_classes", "access_modes")}
        ),
        as_of=date.fromisoformat(raw["as_of"]),
        held=tuple(Held(h["key"], h["kind"], _day(h["valid_until"])) for h in raw["held"]),
        facts=tuple(raw["facts"]),
        raised_tier=raw["raised_tier"],
        hashes=tuple((name, value) for name, value in raw["hashes"]),
    )


def _question(raw: dict[str, Any]) -> Question:
    return Question(**raw | {"knock_out_tiers": tuple(raw["knock_out_tiers"]), "tiers": tuple(raw["tiers"])})


def _answer(raw: dict[str, Any]) -> Answer:
    finding, not_applicable = raw["finding"], raw["not_applicable"]
    return Answer(
        key=raw["key"],
        state=State(raw["state"]),
        credit=raw["credit"],
        proofs=tuple(
            Proof(p["key"], p["verified"], _day(p["valid_until"]), _day(p["verified_until"])) for p in raw["proofs"]
        ),
        claim=raw["claim"],
        finding=finding and Finding(**finding | {"evidence": tuple(finding["evidence"])}),
        contradicted=raw["contradicted"],
        not_applicable=not_applicable and NotApplicable(**not_applicable | {"until": _day(not_applicable["until"])}),
    )


def _policy(raw: dict[str, Any]) -> Policy:
    plain = {name: _tuples(value) for name, value in raw.items() if name != "format"}
    return Policy(
        **plain
        | {
            "thresholds": tuple(Thresholds(**tier) for tier in raw["thresholds"]),
            "required": tuple(
                tuple(Requirement(tuple(r["any_of"]), r["fact"]) for r in tier) for tier in raw["required"]
            ),
        }
    )


def _tuples(value: Any) -> Any:
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
