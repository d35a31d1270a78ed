"""Keys of statements: the next is published before it signs, the last still verifies, a missing one signs nothing."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.kernel import signing
from portal.kernel.errors import Unavailable
from tests.conftest import NOW

KIND = "application/vnd.test+json"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "signing.json"
    signing.make_file(file, now=NOW)
    return file


def kid_of(envelope: dict[str, Any]) -> str:
    return str(envelope["signatures"][0]["keyid"])


def opens(envelope: dict[str, Any], published: list[dict[str, str]]) -> bool:
    key = next(each for each in published if each["kid"] == kid_of(envelope))
    signing.verify(envelope, base64.urlsafe_b64decode(key["x"] + "="), kind=KIND)
    return True


def test_gw_02_keys_change_over_without_a_gap_and_old_statements_still_verify(path: Path) -> None:
    signer = signing.FileSigner(path)
    old = signer.sign(KIND, {"n": 1}, now=NOW)

    kid = signing.add_key(path, begins=NOW + timedelta(days=2))

    assert [key["kid"] for key in signer.published()] == [kid_of(old), kid]
    assert signer.published()[1]["not_before"] == (NOW + timedelta(days=2)).isoformat()
    moments = [timedelta(), timedelta(days=2, microseconds=-1), timedelta(days=2), timedelta(days=700)]
    signed = [signer.sign(KIND, {"n": 2}, now=NOW + each) for each in moments]
    assert [kid_of(each) for each in signed] == [kid_of(old), kid_of(old), kid, kid]
    assert all(opens(each, signer.published()) for each in [old, *signed])
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_key_that_would_never_sign_is_refused_and_the_file_left(path: Path) -> None:
    signing.add_key(path, begins=NOW + timedelta(days=2))
    before = path.read_bytes()
    with pytest.raises(ValueError, match="begins later"):
        signing.add_key(path, begins=NOW + timedelta(days=1))
    assert path.read_bytes() == before


def test_no_key_is_lost_when_several_add_at_once(path: Path) -> None:
    def add(days: int) -> str | None:
        try:
            return signing.add_key(path, begins=NOW + timedelta(days=days))
        except ValueError:
            return None

    with ThreadPoolExecutor(8) as several:
        made = [kid for kid in several.map(add, range(1, 25)) if kid]
    assert made
    assert {key.kid for key in signing.load(path).keys} >= set(made)


@pytest.mark.parametrize("harm", ["removed", "emptied", "cut", "another list", "a list of ended keys"])
def test_a_key_file_that_is_harmed_signs_nothing_from_that_moment_and_signs_again_when_it_is_back(
    path: Path, harm: str
) -> None:
    signer, good = signing.FileSigner(path), path.read_text()
    signer.sign(KIND, {"n": 1}, now=NOW)
    if harm == "removed":
        path.unlink()
    elif harm == "a list of ended keys":
        path.write_text(json.dumps([{**json.loads(good)[0], "not_after": NOW.isoformat()}]))
    else:
        path.write_text({"emptied": "", "cut": good[:40], "another list": "[1]"}[harm])
    with pytest.raises(Unavailable):
        signer.sign(KIND, {"n": 1}, now=NOW)
    path.write_text(good)
    assert signer.sign(KIND, {"n": 1}, now=NOW)["signatures"]
