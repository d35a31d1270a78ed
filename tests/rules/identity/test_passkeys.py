"""The name of a passkey, and the way in that nobody can take from themselves."""

from hypothesis import given
from hypothesis import strategies as st

from portal.identity.rules import MAX_PASSKEY_LABEL, is_last_way_in, passkey_label


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=10), max_size=20, unique=True))
def test_a_name_is_never_empty_nor_taken_and_stays_on_one_line(typed: str, taken: list[str]) -> None:
    name = passkey_label(typed, otherwise="Firefox on Linux", taken=taken)

    assert name.strip()
    assert name not in taken
    assert name.isprintable()
    assert len(name) <= MAX_PASSKEY_LABEL + 4


def test_the_second_of_a_name_is_numbered() -> None:
    assert passkey_label("", otherwise="Edge on Windows", taken=[]) == "Edge on Windows"
    assert passkey_label("Key", otherwise="x", taken=["Key", "Key 2"]) == "Key 3"


def test_a_passkey_is_the_last_way_in_only_without_password_and_code() -> None:
    assert not is_last_way_in(passkeys=1, password=True, code=True)
    assert is_last_way_in(passkeys=1, password=True, code=False)
    assert is_last_way_in(passkeys=1, password=False, code=True)
    assert not is_last_way_in(passkeys=2, password=False, code=False)
