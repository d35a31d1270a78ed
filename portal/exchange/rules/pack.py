"""The answer pack: everything a vendor entered for one assessment, as documents in a zip with one manifest over them.

The loss-free format. `answers.json` holds only what was said, so that a pack taken into an empty assessment gives an
equal one again; who said it and when is in `history.json`, and what was signed in `attestations/`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from portal.kernel.words import said
from portal.questionnaires.rules import Questionnaire, from_json, to_json
from portal.terms import N_

FORMAT: Final = "gatehouse answer pack 1"
ANSWERS_FORMAT: Final = "gatehouse answers 1"
TYPE: Final = "application/vnd.gatehouse.answer-pack+json"
"""What the signature covers: the bytes of the manifest, under this name."""

MANIFEST, SIGNATURE, ANSWERS, HISTORY, QUESTIONS = (
    "manifest.json",
    "signature.json",
    "answers.json",
    "history.json",
    "questionnaire.yaml",
)
MAX_DOCUMENT: Final = 16_000_000
MAX_FILES: Final = 2_000
MAX_RATIO: Final = 200
_NAMES: Final = re.compile(
    r"(?:manifest|signature|answers|history)\.json|questionnaire\.yaml|attestations/[0-9]{1,4}\.json|evidence/[0-9a-f]{64}",
    re.ASCII,
)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Seal(StrEnum):
    """Whose signature a pack carries."""

    OURS = "ours"
    OTHER = "other"
    NONE = "none"


class NotAPack(ValueError):
    """It cannot be taken in; the words say why and what to do."""


DAMAGED: Final = said(
    "The file is no answer pack, or it was damaged on its way. Download it again and upload the new copy"
)
CHANGED: Final = N_(
    "The pack was changed after it was made: %(name)s is not the file that its manifest names. Take it again"
)


@dataclass(frozen=True, slots=True)
class Cited:
    """One use of a file by an answer: the file by its fingerprint, the pages, and the passage if one is quoted."""

    question_key: str
    sha256: str
    pages: str
    file_name: str
    title: str
    kind: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """What a pack says: the questionnaire by its digest, and answers, scoping and citations as plain JSON."""

    questionnaire: str
    digest: str
    tier: int
    answers: Mapping[str, Mapping[str, Any]]
    scoping: Mapping[str, Mapping[str, Any]]
    citations: tuple[Cited, ...]


def is_known_name(name: str) -> bool:
    """Tell whether a member of the zip is one of those that a pack consists of."""
    return _NAMES.fullmatch(name) is not None


def answers_document(
    questionnaire: Questionnaire,
    *,
    tier: int,
    states: Mapping[str, str],
    contents: Mapping[str, Mapping[str, Any]],
    scoping: Mapping[str, Mapping[str, Any]],
    citations: Sequence[Cited],
) -> dict[str, Any]:
    """Return `answers.json`: no names, no times, no ids, so that equal answers are equal bytes."""
    return {
        "format": ANSWERS_FORMAT,
        "questionnaire": {
            "slug": questionnaire.slug,
            "version": questionnaire.version,
            "digest": questionnaire.digest,
        },
        "tier": tier,
        "scoping": {key: dict(value) for key, value in sorted(scoping.items())},
        "answers": {
            each.key: {
                "revision": each.revision,
                "state": states[each.key],
                "content": dict(contents.get(each.key, {})),
            }
            for each in questionnaire.questions
        },
        "citations": [
            {
                "question_key": each.question_key,
                "sha256": each.sha256,
                "pages": each.pages,
                "file_name": each.file_name,
                "title": each.title,
                "kind": each.kind,
                **({"quote": each.quote} if each.quote else {}),
            }
            for each in sorted(citations, key=lambda each: (each.question_key, each.sha256, each.pages, each.quote))
        ],
    }


def packed(document: Any) -> Packed:
    """Return what an `answers.json` says; contents are checked for their shape and come back as they were.

    :raises NotAPack: if it is of another shape. Whoever wrote it is trusted with nothing.
    """
    top = _object(document)
    if top.get("format") != ANSWERS_FORMAT:
        raise NotAPack(
            said("The pack is of a format that we do not read. Export it again here, or from the newest version")
        )
    named = _object(top.get("questionnaire"))
    digest, tier = named.get("digest"), top.get("tier")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest) or not isinstance(tier, int):
        raise NotAPack(DAMAGED)
    answers = {}
    for key, each in _object(top.get("answers")).items():
        content = _object(_object(each).get("content"))
        try:
            answers[_text(key, 80)] = to_json(from_json(content))
        except (ValueError, TypeError, AttributeError, RecursionError) as failure:
            raise NotAPack(
                said("The answer to %(what)s cannot be read. Export the pack again", what=key[:80])
            ) from failure
    citations = top.get("citations")
    if not isinstance(citations, list) or len(citations) > MAX_FILES:
        raise NotAPack(DAMAGED)
    return Packed(
        questionnaire=f"{_text(named.get('slug'), 80)} v{_whole(named.get('version'))}",
        digest=digest,
        tier=tier,
        answers=MappingProxyType(answers),
        scoping={_text(key, 80): _object(each) for key, each in _object(top.get("scoping")).items()},
        citations=tuple(_cited(each) for each in citations),
    )


def plain(pack: Packed) -> dict[str, Any]:
    """Return a read pack as JSON to keep; `kept` reads it back."""
    return {
        "questionnaire": pack.questionnaire,
        "digest": pack.digest,
        "tier": pack.tier,
        "answers": {key: dict(each) for key, each in pack.answers.items()},
        "scoping": {key: dict(each) for key, each in pack.scoping.items()},
        "citations": [
            [each.question_key, each.sha256, each.pages, each.file_name, each.title, each.kind, each.quote]
            for each in pack.citations
        ],
    }


def kept(value: Mapping[str, Any]) -> Packed:
    """Return the pack that `plain` wrote."""
    return Packed(
        questionnaire=value["questionnaire"],
        digest=value["digest"],
        tier=value["tier"],
        answers=value["answers"],
        scoping=value["scoping"],
        citations=tuple(Cited(*each) for each in value["citations"]),
    )


class Fate(StrEnum):
    """What becomes of one answer of a pack."""

    SAME = "same"
    TAKE = "take"
    DIFFERS = "differs"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


def fates(
    pack: Packed, questionnaire: Questionnaire, *, asked: Mapping[str, bool], here: Mapping[str, Mapping[str, Any]]
) -> dict[str, Fate]:
    """Return what would become of each answer of a pack, in the order of the questionnaire; unknown keys last.

    :param asked: whether each question is put to the vendor now.
    :param here: the contents that stand now.
    """
    found: dict[str, Fate] = {}
    for question in questionnaire.questions:
        content = pack.answers.get(question.key)
        if not content:
            continue
        mine = here.get(question.key, {})
        if dict(mine) == dict(content):
            found[question.key] = Fate.SAME
        elif not asked.get(question.key):
            found[question.key] = Fate.HIDDEN
        else:
            found[question.key] = Fate.DIFFERS if mine else Fate.TAKE
    found |= {key: Fate.UNKNOWN for key, each in pack.answers.items() if each and key not in questionnaire}
    return found


def _cited(value: Any) -> Cited:
    each = _object(value)
    sha256 = each.get("sha256")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise NotAPack(DAMAGED)
    return Cited(
        question_key=_text(each.get("question_key"), 80),
        sha256=sha256,
        pages=_text(each.get("pages"), 200),
        file_name=_text(each.get("file_name"), 200),
        title=_text(each.get("title"), 400),
        kind=_text(each.get("kind"), 20),
        quote=_text(each.get("quote", ""), 2_000),
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > MAX_FILES:
        raise NotAPack(DAMAGED)
    return value


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise NotAPack(DAMAGED)
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise NotAPack(DAMAGED)
    return value
