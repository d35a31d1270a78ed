"""A folder of text files is read from disk or from an archive, within limits, and nothing outside of it."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kernel.errors import Refused
from portal.kernel.folder import read_folder, read_zip


def packed(**files: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def test_only_files_that_end_so_are_read_in_the_order_of_their_paths() -> None:
    data = packed(**{"q/b.yml": "b", "q/a.YAML": "a", "readme.md": "no", "q/": ""})

    assert read_zip(data) == {"q/a.YAML": b"a", "q/b.yml": b"b"}
    assert list(read_zip(data)) == ["q/a.YAML", "q/b.yml"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not an archive", "The file is not a zip archive"),
        (packed(**{"../a.yml": "x"}), "A path of the archive leads out of it"),
        (packed(**{"/a.yml": "x"}), "A path of the archive leads out of it"),
        (packed(**{"a\\b.yml": "x", "c:/a.yml": "x"}), "A path of the archive leads out of it"),
        (packed(**{"a.yml": "x", "A.yml": "y"}), "A.yml is a link, or is there twice"),
        (packed(**{"a.yml": b" " * 30_000_000}), "The archive unpacks to far more than it seems"),
        (packed(**{f"{n}.yml": b"x" for n in range(2001)}), "more than 2,000 files"),
    ],
)
def test_hostile_archives_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_zip(data)


def test_a_link_in_an_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("a.yml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")

    with pytest.raises(Refused, match=r"a\.yml is a link"):
        read_zip(out.getvalue())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.data())
def test_a_mutated_archive_is_read_or_refused(data: st.DataObject) -> None:
    whole = packed(**{"a.yml": "a: b", "b.yml": "c: d"})
    at = data.draw(st.integers(0, len(whole)))
    mutated = whole[:at] + data.draw(st.binary(max_size=6)) + whole[at + data.draw(st.integers(0, 6)) :]

    try:
        found = read_zip(mutated)
    except Refused as refused:
        found = {"": refused.message.encode()}

    assert all(isinstance(content, bytes) for content in found.values())


def test_a_folder_on_disk_is_read_without_following_links(tmp_path: Path) -> None:
    (tmp_path / "q").mkdir()
    (tmp_path / "q" / "a.yml").write_text("a")
    (tmp_path / "b.txt").write_text("no")
    (tmp_path / "link.yml").symlink_to("/etc/hostname")

    assert read_folder(tmp_path) == {"q/a.yml": b"a"}
