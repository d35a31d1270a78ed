"""What can be read in the text of a file: proposals for its metadata, which a person confirms. Pure."""

from portal.evidence.rules.prefill.propose import READ_KINDS, propose
from portal.evidence.rules.prefill.suggest import by_field, confirmed, said, suggested
from portal.evidence.rules.prefill.values import MAX_QUOTE, Confidence, Proposal, proposal_of

__all__ = [
    "MAX_QUOTE",
    "READ_KINDS",
    "Confidence",
    "Proposal",
    "by_field",
    "confirmed",
    "proposal_of",
    "propose",
    "said",
    "suggested",
]
