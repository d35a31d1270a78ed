"""What a review is made of besides what its reviewer does, kept from one verdict to the next."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from portal.attestations.facts import MessagePosted
from portal.audit import keeping
from portal.audit.keeping import Keeper
from portal.evidence.facts import EvidenceOpened
from portal.findings.facts import FindingChanged, FindingDrafted, FindingDropped
from portal.kernel.ledger import Fact, Tx
from portal.reviews.facts import (
    AcceptedTogetherUndone,
    AnswerJudged,
    AnswersAccepted,
    AnswersAcceptedByRule,
    NoteWritten,
    ReviewAssigned,
    ReviewClaimed,
    ReviewReleased,
    ReviewSnoozed,
    SnoozeEnded,
    VerdictTakenBack,
)

JUDGING: Final[frozenset[type[Fact]]] = frozenset(
    {
        AcceptedTogetherUndone,
        AnswerJudged,
        AnswersAccepted,
        AnswersAcceptedByRule,
        EvidenceOpened,
        FindingChanged,
        FindingDrafted,
        FindingDropped,
        MessagePosted,
        NoteWritten,
        ReviewAssigned,
        ReviewClaimed,
        ReviewReleased,
        ReviewSnoozed,
        SnoozeEnded,
        VerdictTakenBack,
    }
)
"""What a reviewer does all day. It changes verdicts, drafts of findings, notes and talk: no answer, file or report."""


def unchanged(tx: Tx, vendor_id: UUID) -> Keeper:
    """Return what keeps results that are made of signed answers, files, reports and engagements alone.

    Nothing that it keeps may be made of verdicts, findings, notes or messages: they change and it stays (``JUDGING``).
    """
    return keeping.keeper(tx, vendor_id, but=JUDGING)
