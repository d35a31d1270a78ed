"""Questionnaires and signed answers as OSCAL JSON 1.2: catalog, profile, mapping collection, component definition.

Source: NIST's OSCAL metaschema 1.2; the mandatory fields stand in the tests. Every builder is a function of its values:
identifiers are made from names (UUID version 5), times are given, so that the same content is the same document. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from portal.questionnaires.rules import Answer, Question, Questionnaire, credit
from portal.questionnaires.rules.text import number_text

VERSION: Final = "1.2.1"
NS: Final = "urn:gatehouse:oscal:1"
"""The namespace of our own props."""

Document = dict[str, Any]
_ROOT: Final = uuid5(NAMESPACE_URL, NS)
_PROP_LIMIT: Final = 1_000
_NOTHING: Final = "Nothing was said."


def oscal_id(*names: object) -> str:
    """Return the identifier of something by its names; the same names are the same thing, here and everywhere."""
    return str(uuid5(_ROOT, "\x1f".join(line(each) for each in names)))


def token(text: str) -> str:
    """Return an identifier in the letters that OSCAL allows: A&A-01 is A_A-01, 8.5 is A.8.5; ours stay as they are."""
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", unicodedata.normalize("NFKD", text)) or "_"
    if plain[0].isdigit():
        return f"A.{plain}"
    return plain if plain[0].isalpha() or plain[0] == "_" else f"_{plain}"


def line(text: object) -> str:
    """Return a text as OSCAL takes it for a value: one line, trimmed, not empty, at most a thousand characters."""
    one = re.sub(r"[\s\x00-\x1f\x7f\ud800-\udfff]+", " ", str(text)).strip()
    return one[:_PROP_LIMIT].strip() or "none"


def prose(text: str) -> str:
    """Return a text as OSCAL takes it for prose: without control characters, and not empty."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]", "", text).strip() or _NOTHING


def prop(name: str, value: object) -> Document:
    """Return one of our own props."""
    return {"name": token(name), "ns": NS, "value": line(value)}


def moment(at: datetime) -> str:
    """Return a moment with its zone."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def metadata(title: str, version: str, at: datetime, **more: Any) -> Document:
    """Return the head of a document."""
    return {
        "title": line(title),
        "last-modified": moment(at),
        "version": line(version),
        "oscal-version": VERSION,
        **{key.replace("_", "-"): value for key, value in more.items() if value},
    }


def resource(identifier: str, title: str, href: str, *, sha256: str = "", props: Sequence[Document] = ()) -> Document:
    """Return a thing that documents point at by its identifier."""
    link: Document = {"href": href}
    if sha256:
        link["hashes"] = [{"algorithm": "SHA-256", "value": sha256}]
    return {"uuid": identifier, "title": line(title), **({"props": list(props)} if props else {}), "rlinks": [link]}


def catalog_id(questionnaire: Questionnaire) -> str:
    """Return the identifier of the catalog of a version; its digest is in it, so other bytes are another catalog."""
    return oscal_id("catalog", questionnaire.slug, questionnaire.version, questionnaire.digest)


def catalog_resource(questionnaire: Questionnaire) -> Document:
    """Return the resource by which other documents point at the catalog of a version."""
    return resource(
        oscal_id("catalog resource", questionnaire.digest),
        f"{questionnaire.title}, version {questionnaire.version}",
        f"{questionnaire.slug}-v{questionnaire.version}-catalog.json",
        props=[prop("catalog-uuid", catalog_id(questionnaire)), prop("questionnaire-digest", questionnaire.digest)],
    )


def catalog(questionnaire: Questionnaire, *, at: datetime) -> Document:
    """Return a questionnaire version: a group for each section, a control for each question."""
    return {
        "catalog": {
            "uuid": catalog_id(questionnaire),
            "metadata": metadata(
                questionnaire.title,
                str(questionnaire.version),
                at,
                props=[prop("slug", questionnaire.slug), prop("questionnaire-digest", questionnaire.digest)],
            ),
            "groups": [
                {
                    "id": token(section.key),
                    "class": "section",
                    "title": line(section.title),
                    "props": [prop("weight", section.weight)],
                    "controls": [_control(question) for question in section.questions],
                }
                for section in questionnaire.sections
                if section.questions
            ],
        }
    }


def _control(question: Question) -> Document:
    name = token(question.key)
    props = [
        prop("number", question.number),
        prop("kind", question.kind),
        prop("question-revision", question.revision),
        prop("weight", question.weight),
        prop("evidence-level", question.evidence.level),
        *(prop("tier", tier) for tier in sorted(question.tiers)),
        *(prop("evidence-kind", kind) for kind in question.evidence.kinds),
    ]
    if question.unit:
        props.append(prop("unit", question.unit))
    if question.knock_out:
        props += [prop("knock-out-tier", tier) for tier in sorted(question.knock_out.tiers)]
    statement: Document = {"id": f"{name}_smt", "name": "statement", "prose": prose(question.text)}
    if question.choices:
        statement["parts"] = [
            {
                "id": token(f"{name}_opt.{option.key}"),
                "name": "item",
                "prose": prose(option.label),
                "props": [prop("option", option.key)]
                + ([prop("credit", option.credit)] if option.credit is not None else []),
            }
            for option in question.choices
        ]
    beside = (("gdn", "guidance"), ("why", "why"), ("strong", "strong"), ("proof", "good_evidence"))
    more = [
        {
            "id": f"{name}_{end}",
            "name": "guidance",
            "class": end,
            "prose": prose(text),
        }
        for end, field in beside
        if (text := getattr(question, field))
    ]
    return {
        "id": name,
        "class": "question",
        "title": line(question.label),
        "props": props,
        "parts": [statement, *more],
    }


def profile(questionnaire: Questionnaire, tier: int, *, at: datetime) -> Document:
    """Return the questions that are put in one tier, before what is known of an engagement hides any."""
    source = catalog_resource(questionnaire)
    asked = [token(each.key) for each in questionnaire.questions if tier in each.tiers]
    imported: Document = {"href": f"#{source['uuid']}"}
    # An empty selection cannot be said; nothing asked is nothing imported by that name.
    imported["include-controls"] = [{"with-ids": asked or ["none"]}]
    return {
        "profile": {
            "uuid": oscal_id("profile", questionnaire.digest, tier),
            "metadata": metadata(
                f"{questionnaire.title}, tier {tier}", str(questionnaire.version), at, props=[prop("tier", tier)]
            ),
            "imports": [imported],
            "merge": {"as-is": True},
            "back-matter": {"resources": [source]},
        }
    }


def mapping_collection(questionnaire: Questionnaire, *, at: datetime) -> Document | None:
    """Return the crosswalk, one mapping for each catalogue version; nothing if no question names a control.

    The relation is *intersects-with*: that two controls ask the very same is never claimed.
    """
    source = catalog_resource(questionnaire)
    mappings, resources = [], [source]
    for key, framework in questionnaire.frameworks.items():
        pairs = [
            (question, control)
            for question in questionnaire.questions
            if key in question.maps
            for control in _controls(question.maps[key])
        ]
        if not pairs:
            continue
        target = resource(
            oscal_id("framework", framework.key, framework.version),
            f"{framework.name} {framework.version}",
            f"urn:gatehouse:framework:{token(framework.key)}:{token(framework.version)}",
        )
        resources.append(target)
        mappings.append(
            {
                "uuid": oscal_id("mapping", questionnaire.digest, key),
                "source-resource": {"type": "catalog", "href": f"#{source['uuid']}"},
                "target-resource": {"type": "catalog", "href": f"#{target['uuid']}"},
                "maps": [
                    {
                        "uuid": oscal_id("map", questionnaire.digest, key, question.key, control),
                        "relationship": "intersects-with",
                        "sources": [{"type": "control", "id-ref": token(question.key)}],
                        "targets": [
                            {
                                "type": "control",
                                "id-ref": token(control),
                                "props": [prop("identifier", control)],
                            }
                        ],
                    }
                    for question, control in pairs
                ],
            }
        )
    if not mappings:
        return None
    return {
        "mapping-collection": {
            "uuid": oscal_id("mappings", questionnaire.digest),
            "metadata": metadata(f"{questionnaire.title}: crosswalk", str(questionnaire.version), at),
            "provenance": {
                "method": "human",
                "matching-rationale": "semantic",
                "status": "complete",
                "mapping-description": "Which controls of other catalogues a question is about, by identifier only.",
            },
            "mappings": mappings,
            "back-matter": {"resources": resources},
        }
    }


def _controls(mapped: str | Iterable[str]) -> tuple[str, ...]:
    return (mapped,) if isinstance(mapped, str) else tuple(mapped)


@dataclass(frozen=True, slots=True)
class Proof:
    """A file as it was signed with; ``where`` says in words what of it proves the answer."""

    question_key: str
    sha256: str
    pages: str
    file_name: str
    title: str
    kind: str
    valid_until: str
    quote: str = ""

    @property
    def where(self) -> str:
        """The pages, and the passage if one is quoted."""
        pages = f"pages {self.pages}" if self.pages else ""
        return ": ".join(each for each in (pages, f"“{self.quote}”" if self.quote else "") if each)


@dataclass(frozen=True, slots=True)
class SignedRevision:
    """What a vendor signed, as plain values. ``answers`` are those put to it, with their state."""

    attestation_id: UUID
    digest: str
    vendor: str
    vendor_slug: str
    revision: int
    tier: int
    signed_at: datetime
    signed_name: str
    signer_title: str
    sentences: tuple[str, ...]
    answers: Mapping[str, tuple[str, Answer]]
    proofs: tuple[Proof, ...]


def component_definition(questionnaire: Questionnaire, signed: SignedRevision) -> Document:
    """Return what a vendor signed: one component, one implemented requirement for each question that was put to it."""
    source = catalog_resource(questionnaire)
    files = proof_resources(signed)
    answered = [each for each in questionnaire.questions if each.key in signed.answers]
    component: Document = {
        "uuid": oscal_id("component", signed.vendor_slug),
        "type": "service",
        "title": line(signed.vendor),
        "description": prose(f"The work of {signed.vendor} for the lab, as attested."),
        "props": [
            prop("vendor", signed.vendor_slug),
            prop("tier", signed.tier),
            prop("revision", signed.revision),
            prop("attestation-digest", signed.digest),
            prop("signed-by", f"{signed.signed_name}, {signed.signer_title}".rstrip(", ")),
            prop("signed-at", moment(signed.signed_at)),
        ],
    }
    if answered:
        component["control-implementations"] = [
            {
                "uuid": oscal_id("implementation", signed.attestation_id),
                "source": f"#{source['uuid']}",
                "description": prose(
                    f"Signed on {moment(signed.signed_at)}. " + " ".join(signed.sentences or ("Signed as shown.",))
                ),
                "implemented-requirements": [_requirement(question, signed, files) for question in answered],
            }
        ]
    return {
        "component-definition": {
            "uuid": oscal_id("component definition", signed.attestation_id, signed.digest),
            "metadata": metadata(
                f"{signed.vendor}: signed answers to {questionnaire.title}", f"{signed.revision}", signed.signed_at
            ),
            "components": [component],
            "back-matter": {"resources": [source, *files.values()]},
        }
    }


def _requirement(question: Question, signed: SignedRevision, files: Mapping[str, Document]) -> Document:
    state, answer = signed.answers[question.key]
    proofs = [each for each in signed.proofs if each.question_key == question.key]
    earned = credit(question, answer)
    props = [
        prop("answer", said(question, answer)),
        prop("answer-state", state),
        prop("question-revision", question.revision),
        prop("evidence-state", "attached" if proofs else "claimed"),
    ]
    if earned is not None:
        props.append(prop("credit", earned))
    if answer.planned_on is not None:
        props.append(prop("planned-on", answer.planned_on.isoformat()))
    found: Document = {
        "uuid": oscal_id("requirement", signed.attestation_id, question.key),
        "control-id": token(question.key),
        "description": prose(answer.na_reason or answer.comment or answer.text or said(question, answer)),
        "props": props,
    }
    if proofs:
        found["links"] = [
            {
                "href": f"#{files[each.sha256]['uuid']}",
                "rel": "evidence",
                **({"text": line(each.where)} if each.where else {}),
            }
            for each in proofs
        ]
    return found


def proof_resources(signed: SignedRevision) -> dict[str, Document]:
    """Return each file once, by its fingerprint; the file itself is in the answer pack under that name."""
    return {
        each.sha256: resource(
            oscal_id("evidence", each.sha256),
            each.title or each.file_name,
            f"evidence/{each.sha256}",
            sha256=each.sha256,
            props=[
                prop("file-name", each.file_name),
                prop("evidence-kind", each.kind),
                *([prop("valid-until", each.valid_until)] if each.valid_until else []),
            ],
        )
        for each in signed.proofs
    }


def said(question: Question, answer: Answer) -> str:
    """Return an answer as one short value, by its permanent keys."""
    if answer.na:
        return "na"
    if answer.choice is not None:
        return answer.choice
    if answer.number is not None:
        return f"{number_text(answer.number)} {question.unit}".strip()
    if answer.choices:
        return ", ".join(answer.choices)
    if answer.rows:
        return f"{len(answer.rows)} rows"
    if answer.day is not None:
        return answer.day.isoformat()
    return "text" if answer.text else "other"
