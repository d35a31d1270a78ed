"""Answering, citing, talking and signing: what the vendor says, until it is frozen under a name."""

from portal.attestations.answers import answers_of, history, offered, save_answer
from portal.attestations.citations import citations_of, cite, release_file, uncite
from portal.attestations.messages import messages_of, post_message, thread
from portal.attestations.queries import AnswerLine, CitationLine, EditLine, MessageLine
from portal.attestations.rules import changes_since
from portal.attestations.signing import (
    Attested,
    Incomplete,
    attested,
    attested_answer,
    baseline,
    digest_of,
    get,
    preview,
    preview_digest,
    previous,
    sign,
    statements_for,
)
from portal.attestations.standing import blockers, latest, progress, standing

__all__ = [
    "AnswerLine",
    "Attested",
    "CitationLine",
    "EditLine",
    "Incomplete",
    "MessageLine",
    "answers_of",
    "attested",
    "attested_answer",
    "baseline",
    "blockers",
    "changes_since",
    "citations_of",
    "cite",
    "digest_of",
    "get",
    "history",
    "latest",
    "messages_of",
    "offered",
    "post_message",
    "preview",
    "preview_digest",
    "previous",
    "progress",
    "release_file",
    "save_answer",
    "sign",
    "standing",
    "statements_for",
    "thread",
    "uncite",
]
