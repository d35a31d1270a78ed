"""What they say and sign: answers, citations, conversations, frozen snapshots."""
