"""Asking the gate: one question, many at once, or how it would answer at a coming moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.gate import queries
from portal.gate.rules import Answer, Question, World, decide
from portal.kernel.actor import ActorKind
from portal.kernel.ledger import Tx


class Past(ValueError):
    """A moment that is over: what is stored says what holds from now on, not what held then."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How the gate would answer at a coming moment if nothing happened until then. Nothing is ever signed over it.

    :param known_at: when the vendor was looked at. A pause or a new decision after that is not in it.
    """

    answer: Answer
    known_at: datetime


def answer(tx: Tx, question: Question) -> Answer:
    """Answer a machine's question, within the vendors it may ask about.

    A vendor outside its scope is answered exactly like one that does not exist.
    """
    return answers(tx, [question])[0]


def answers(tx: Tx, questions: Sequence[Question]) -> list[Answer]:
    """Answer many questions at the one instant of the transaction, in their order, each as if it were asked alone.

    However many there are, the vendors are read in eight statements at most.
    """
    found = _known(tx, questions)
    return [decide(found.get(each.vendor), each, tx.now) for each in questions]


def answer_at(tx: Tx, question: Question, at: datetime) -> Foreseen:
    """Answer what the gate would say at ``at``, from what is known now.

    :raises Past: if the moment is over.
    """
    if at < tx.now:
        raise Past("Only moments to come can be foreseen.")
    # In the zone of the database's clock: the last days of an approval are days of that zone.
    moment = at.astimezone(tx.now.tzinfo)
    return Foreseen(decide(_known(tx, [question]).get(question.vendor), question, moment), tx.now)


def _known(tx: Tx, questions: Sequence[Question]) -> dict[str, World]:
    """Return by slug the worlds that the one who asks may hear of."""
    found = queries.worlds_by_slug(tx, {each.vendor for each in questions})
    limit = tx.actor.vendor_ids if tx.actor.kind is ActorKind.CLIENT else None
    return {world.vendor: world for vendor_id, world in found.items() if limit is None or vendor_id in limit}
