"""Answering, citing, talking and signing: what the vendor says, until it is frozen under a name."""

from portal.attestations.answers import answers_of, history, offered, save_answer
from portal.attestations.carry import CarriedFile, CarriedLine, carried_of, carry_over, plan_for, plan_of
from portal.attestations.citations import citations_of, cite, release_file, uncite
from portal.attestations.confirming import Confirmed, confirm, settle_answered
from portal.attestations.messages import messages_of, post_message, thread
from portal.attestations.migrating import MigrationPreview, migrate, migration_preview, migrations_of
from portal.attestations.queries import AnswerLine, CitationLine, EditLine, MessageLine
from portal.attestations.revisions import check_again_of, recheck
from portal.attestations.rules import Cause, Fate, Plan, changes_since
from portal.attestations.signing import (
    Attested,
    Incomplete,
    attested,
    attested_answer,
    baseline,
    digest_of,
    get,
    is_renewal,
    preview,
    preview_digest,
    previous,
    sign,
    statements_for,
)
from portal.attestations.standing import blockers, latest, progress, standing
from portal.attestations.suggesting import Offer, Tried, Wanted, attach_to_many, offers

__all__ = [
    "AnswerLine",
    "Attested",
    "CarriedFile",
    "CarriedLine",
    "Cause",
    "CitationLine",
    "Confirmed",
    "EditLine",
    "Fate",
    "Incomplete",
    "MessageLine",
    "MigrationPreview",
    "Offer",
    "Plan",
    "Tried",
    "Wanted",
    "answers_of",
    "attach_to_many",
    "attested",
    "attested_answer",
    "baseline",
    "blockers",
    "carried_of",
    "carry_over",
    "changes_since",
    "check_again_of",
    "citations_of",
    "cite",
    "confirm",
    "digest_of",
    "get",
    "history",
    "is_renewal",
    "latest",
    "messages_of",
    "migrate",
    "migration_preview",
    "migrations_of",
    "offered",
    "offers",
    "plan_for",
    "plan_of",
    "post_message",
    "preview",
    "preview_digest",
    "previous",
    "progress",
    "recheck",
    "release_file",
    "save_answer",
    "settle_answered",
    "sign",
    "standing",
    "statements_for",
    "thread",
    "uncite",
]
