"""Which answers a file would settle, and in which order; when a citation is to be checked again."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from portal.attestations.rules import MAX_QUOTE, Ask, SignedCitation, needs_check, suggest, tidy_quote
from portal.kernel.errors import Refused

A, B, C = (UUID(int=number) for number in (1, 2, 3))
ASK = Ask(
    assessment_id=A,
    key="acc.mfa",
    number="7.1",
    label="Sign-in",
    section="acc",
    kinds=("POL", "SOC2"),
    level=1,
    weight=3,
    knock_out=False,
    proven=False,
    worth=True,
    open=True,
)


def test_what_needs_proof_comes_before_what_takes_it_and_the_best_proof_before_another() -> None:
    asks = [
        replace(ASK, key="accepted"),
        replace(ASK, key="heavier", weight=5),
        replace(ASK, key="best", kinds=("SOC2", "POL")),
        replace(ASK, key="needed", level=2),
        replace(ASK, key="knock-out", level=2, knock_out=True),
    ]
    assert [each.key for each in suggest("SOC2", asks)] == ["knock-out", "needed", "best", "heavier", "accepted"]


def test_equals_stay_in_the_order_of_the_questionnaire() -> None:
    asks = [replace(ASK, key=key) for key in "zxy"]
    assert [each.key for each in suggest("SOC2", asks)] == ["z", "x", "y"]


@pytest.mark.parametrize(
    "changed", [{"proven": True}, {"worth": False}, {"open": False}, {"kinds": ("POL",)}, {"kinds": ()}]
)
def test_what_the_file_would_not_settle_is_not_suggested(changed: dict[str, object]) -> None:
    assert suggest("SOC2", [replace(ASK, **changed)]) == ()  # type: ignore[arg-type]


def test_a_citation_is_checked_again_until_its_newest_revision_was() -> None:
    assert not needs_check(A, None, A)
    assert needs_check(A, None, B)
    assert not needs_check(A, B, B)
    assert needs_check(A, B, C)


def test_a_quote_is_one_line_of_what_can_be_seen() -> None:
    assert tidy_quote("  Access is\r\n removed\u202e within\t4 hours. ") == "Access is removed within 4 hours."
    assert tidy_quote("x" * MAX_QUOTE) == "x" * MAX_QUOTE
    with pytest.raises(Refused, match="Quote at most 500 characters; this has 501") as refusal:
        tidy_quote("x" * (MAX_QUOTE + 1))
    assert list(refusal.value.problems) == ["quote"]


def test_what_was_signed_without_a_quote_keeps_its_fingerprint() -> None:
    plain = SignedCitation(A, "acc.mfa", B, "ab" * 32, "v1", "3")
    assert sorted(plain.value) == ["citation_id", "evidence_id", "pages", "question_key", "sha256", "version_id"]
    assert replace(plain, quote="Within 4 hours.").value == plain.value | {"quote": "Within 4 hours."}
