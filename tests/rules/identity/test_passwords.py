"""What is accepted as a password, and how codes count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from portal.identity import passwords, totp
from portal.identity.rules import in_domains, invitation_state, is_fresh, session_lives

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HERE = totp.step_at(NOW)
ABOUT = ("Orrery", "Quillmark Annotation", "Priya Raghunath", "priya.raghunath", "quillmark")


@pytest.mark.parametrize(
    "password",
    [
        "mountain bread violin seven",
        "aB3$" + "kq" * 30 + "zzx!",
        "eleven plus ₂ ñandúes",
        "my orrery has nine brass planets",
        "x7" * 6 + "q9vL2mZ",
        "correct horse battery",
        "  spaces count as they are  ",
    ],
)
def test_long_unusual_passwords_are_taken_whatever_they_are_made_of(password: str) -> None:
    assert passwords.problem(password, about=ABOUT) is None


@pytest.mark.parametrize(
    "password",
    [
        "",
        "elevenchars",
        "a" * 201,
        "passwordpassword",
        "Password12345!",
        "P@ssw0rd1234",
        "qwertyuiop123",
        "1234567890123",
        "9876543210987",
        "abcdefghijklmnop",
        "aaaaaaaaaaaaaa",
        "trustno1trustno1",
        "liverpool1234",
        "orrery2026!!!",
        "Orrery-Gatehouse-1",
        "quillmark.annotation",
        "priya-raghunath-77",
    ],
)
def test_short_common_and_local_passwords_are_not(password: str) -> None:
    assert passwords.problem(password, about=ABOUT)


def test_two_hundred_characters_are_compared_to_the_last() -> None:
    hasher = passwords.hasher("test")
    stored = hasher.hash("é" * 199 + "a")

    assert hasher.verify(stored, "é" * 199 + "a")
    assert not hasher.verify(stored, "é" * 199 + "b")
    assert not hasher.verify(None, "nobody's password")
    assert not hasher.verify("not a hash", "x")


def test_the_strong_profile_is_argon2id_with_nineteen_mebibytes_and_two_passes() -> None:
    assert passwords.hasher().hash("x").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.hasher().outdated(passwords.hasher("test").hash("x"))


@pytest.mark.parametrize(("offset", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_one_step_early_or_late(offset: int, right: bool) -> None:
    found = totp.matching_step(SECRET, totp.code_at(SECRET, HERE + offset), now=NOW, after=0)

    assert found == (HERE + offset if right else None)


def test_a_step_that_was_used_counts_no_more_nor_one_before_it() -> None:
    assert totp.matching_step(SECRET, totp.code_at(SECRET, HERE), now=NOW, after=HERE) is None
    assert totp.matching_step(SECRET, totp.code_at(SECRET, HERE - 1), now=NOW, after=HERE) is None
    assert totp.matching_step(SECRET, totp.code_at(SECRET, HERE + 1), now=NOW, after=HERE) == HERE + 1


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"])
def test_what_is_not_six_digits_is_no_code(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, now=NOW, after=0) is None


def test_recovery_codes_are_read_in_any_spelling() -> None:
    code = totp.new_recovery_code()

    assert totp.as_recovery_code(code.lower().replace("-", " ")) == code.replace("-", "")
    assert totp.as_recovery_code("1234-5678") is None
    assert totp.as_recovery_code("0O1I-0O1I-0O1I-0O1I") is None


def test_a_session_dies_idle_old_or_ended() -> None:
    def lives(*, seen: int = 0, left: int = 60, ended: bool = False) -> bool:
        return session_lives(
            last_seen_at=NOW - timedelta(minutes=seen),
            expires_at=NOW + timedelta(minutes=left),
            ended_at=NOW if ended else None,
            now=NOW,
        )

    assert lives()
    assert lives(seen=29)
    assert not lives(seen=30)
    assert not lives(left=0)
    assert not lives(ended=True)


def test_a_factor_is_fresh_for_five_minutes() -> None:
    assert is_fresh(NOW - timedelta(minutes=4, seconds=59), NOW)
    assert not is_fresh(NOW - timedelta(minutes=5), NOW)
    assert not is_fresh(None, NOW)


def test_a_link_is_used_before_it_is_anything_else() -> None:
    past = NOW - timedelta(days=1)

    assert invitation_state(expires_at=past, redeemed_at=past, revoked_at=None, now=NOW) == "used"
    assert invitation_state(expires_at=past, redeemed_at=None, revoked_at=past, now=NOW) == "withdrawn"
    assert invitation_state(expires_at=NOW, redeemed_at=None, revoked_at=None, now=NOW) == "expired"
    assert invitation_state(expires_at=NOW + timedelta(1), redeemed_at=None, revoked_at=None, now=NOW) == "open"


def test_a_domain_is_the_whole_part_after_the_sign() -> None:
    assert in_domains("a@quillmark.example", ("Quillmark.example",))
    assert not in_domains("a@evil-quillmark.example", ("quillmark.example",))
    assert not in_domains("a@quillmark.example.evil.example", ("quillmark.example",))
    assert in_domains("a@anywhere.example", ())
