"""Static files are packed for who takes it, and pages never."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

SHEET = "/static/css/gatehouse.css"


@pytest.mark.parametrize("path", [SHEET, "/static/js/page.js", "/static/icons/sprite.svg"])
def test_a_versioned_file_is_packed_and_unpacks_to_the_same(app: Any, path: str) -> None:
    client = app.test_client()
    plain = client.get(f"{path}?v=1")
    packed = client.get(f"{path}?v=1", headers={"Accept-Encoding": "br, gzip"})
    again = client.get(f"{path}?v=1", headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert packed.data == again.data
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert {plain.headers["Vary"], packed.headers["Vary"]} == {"Accept-Encoding"}
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert "immutable" in packed.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (SHEET, {"Accept-Encoding": "gzip"}),
        (f"{SHEET}?v=1", {"Accept-Encoding": "gzip;q=0"}),
        (f"{SHEET}?v=1", {"Accept-Encoding": "gzip", "Range": "bytes=0-9"}),
        ("/static/fonts/plex-sans-latin.woff2?v=1", {"Accept-Encoding": "gzip"}),
        ("/sign-in", {"Accept-Encoding": "gzip"}),
        ("/static/nothing.css?v=1", {"Accept-Encoding": "gzip"}),
    ],
)
def test_nothing_else_is(app: Any, path: str, headers: dict[str, str]) -> None:
    assert "Content-Encoding" not in app.test_client().get(path, headers=headers).headers
