"""What answers, citations and signatures mean. Pure."""

from portal.attestations.rules.standing import (
    UNSEEN,
    Blocker,
    BlockerKind,
    Cited,
    SectionProgress,
    SectionState,
    Standing,
    Unsettled,
    Use,
    blockers,
    may_change,
    needs_evidence,
    progress,
    use_of,
)

__all__ = [
    "UNSEEN",
    "Blocker",
    "BlockerKind",
    "Cited",
    "SectionProgress",
    "SectionState",
    "Standing",
    "Unsettled",
    "Use",
    "blockers",
    "may_change",
    "needs_evidence",
    "progress",
    "use_of",
]
