"""The commands of this room in one place: reviewing, judging, sending, deciding, and declared conflicts of interest."""

from portal.findings.service import Wrong
from portal.reviews.duties import (
    ConflictLine,
    Signer,
    conflicts,
    declare_conflict,
    end_conflict,
)
from portal.reviews.reviewing import (
    Live,
    assign,
    attested_of,
    claim,
    end_withdrawn,
    get,
    latest,
    open_review,
    release,
    score_now,
    set_aside,
)
from portal.reviews.sending import recommend, return_questions, return_to_review
from portal.reviews.verdicts import (
    NoteLine,
    VerdictLine,
    clear_verdict,
    judge,
    judge_citation,
    note_internal,
    notes_of,
    post_message,
    reopen_verdict,
    verdict_lines,
)

__all__ = [
    "ConflictLine",
    "Live",
    "NoteLine",
    "Signer",
    "VerdictLine",
    "Wrong",
    "assign",
    "attested_of",
    "claim",
    "clear_verdict",
    "conflicts",
    "declare_conflict",
    "end_conflict",
    "end_withdrawn",
    "get",
    "judge",
    "judge_citation",
    "latest",
    "note_internal",
    "notes_of",
    "open_review",
    "post_message",
    "recommend",
    "release",
    "reopen_verdict",
    "return_questions",
    "return_to_review",
    "score_now",
    "set_aside",
    "verdict_lines",
]
