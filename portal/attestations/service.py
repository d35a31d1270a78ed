"""Answering, citing, talking and signing: what the vendor says, until it is frozen under a name."""

from portal.attestations.answers import answers_of, history, offered, save_answer
from portal.attestations.standing import blockers, latest, progress, standing

__all__ = [
    "answers_of",
    "blockers",
    "history",
    "latest",
    "offered",
    "progress",
    "save_answer",
    "standing",
]
