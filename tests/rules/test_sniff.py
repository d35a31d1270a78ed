"""A file is taken for what it is, or refused with words that say what to do."""

import random
import struct
import zlib
from pathlib import Path

import pytest

from portal.kernel.inspection import inspect
from portal.kernel.sniff import CONTENT_TYPES, WORDS, RefusedFile, Sniffed, display_name, kind_of, sniff, too_large
from tests.rules import files

JAVASCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"


@pytest.fixture
def sniffed(tmp_path: Path):  # type: ignore[no-untyped-def]
    def run(name: str, content: bytes, **limits: float) -> Sniffed:
        path = tmp_path / "upload"
        path.write_bytes(content)
        return sniff(path, name, **limits)  # type: ignore[arg-type]

    return run


@pytest.fixture
def refusal(sniffed):  # type: ignore[no-untyped-def]
    def run(name: str, content: bytes) -> str:
        with pytest.raises(RefusedFile) as refused:
            sniffed(name, content)
        return refused.value.code

    return run


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("report.pdf", files.pdf(), "pdf"),
        ("REPORT.PDF", files.pdf(), "pdf"),
        ("packed.pdf", files.pdf(extra={101: files.packed(b"<< /Title (Policy) >>")}), "pdf"),
        ("plain.pdf", files.pdf(extra={101: files.packed(b"<< /Title (Policy) >>", squeeze=False)}), "pdf"),
        ("shot.png", files.png(), "png"),
        ("photo.jpg", files.JPEG, "jpeg"),
        ("photo.jpeg", files.JPEG, "jpeg"),
        ("controls.xlsx", files.xlsx(), "xlsx"),
        ("policy.docx", files.docx(), "docx"),
        ("chart.docx", files.docx({"word/embeddings/Sheet.xlsx": files.xlsx()}), "docx"),
        ("weblink.docx", files.docx({"word/_rels/document.xml.rels": files.linked("hyperlink")}), "docx"),
        ("people.csv", b'name,trained\nAda,yes\n"Lovelace, A.",no\n', "csv"),
        ("people.csv", "naïve;ja\nJürgen;nein\n".encode("cp1252"), "csv"),
        ("people.csv", b"\xef\xbb\xbfname,trained\nAda,yes\n", "csv"),
        ("people.csv", "name\ttrained\nAda\tyes\n".encode("utf-16"), "csv"),
        ("log.txt", b"2026-11-01 ok: 5 < 6 & 7 > 3\n", "txt"),
        ("log.txt", b'{"event": "login"}\n{"event": "logout"}\n', "txt"),
        ("log.txt", "数据处理协议\n".encode(), "txt"),
    ],
)
def test_a_plain_file_is_taken_for_what_it_is(sniffed, name: str, content: bytes, kind: str) -> None:  # type: ignore[no-untyped-def]
    found = sniffed(name, content)

    assert (found.kind, found.content_type) == (kind, CONTENT_TYPES[kind])


def test_the_pages_of_a_pdf_are_counted(sniffed) -> None:  # type: ignore[no-untyped-def]
    assert sniffed("report.pdf", files.pdf(pages=7)).pages == 7


def test_a_file_that_is_no_pdf_has_no_pages(sniffed) -> None:  # type: ignore[no-untyped-def]
    assert sniffed("shot.png", files.png()).pages is None


@pytest.mark.parametrize(
    "name",
    ["page.html", "image.svg", "all.zip", "setup.exe", "book.xlsm", "text.docm", "old.xls", "old.doc", "pdf", "", "x."],
)
def test_other_kinds_are_refused_by_name(name: str) -> None:
    with pytest.raises(RefusedFile, match="must be PDF, DOCX, XLSX, CSV, PNG or JPG") as refused:
        kind_of(name)

    assert refused.value.code == "wrong_type"


@pytest.mark.parametrize("kind", [*CONTENT_TYPES, "jpg"])
def test_an_empty_file_is_refused(refusal, kind: str) -> None:  # type: ignore[no-untyped-def]
    assert refusal(f"file.{kind}", b"") == "empty"


HTML = b"<html><body><script>alert(1)</script></body></html>"
CONTENT = {
    "pdf": files.pdf(),
    "png": files.png(),
    "jpeg": files.JPEG,
    "xlsx": files.xlsx(),
    "docx": files.docx(),
    "html": HTML,
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "zip": files.zipped({"a.txt": "a"}),
    "elf": b"\x7fELF\x02\x01\x01" + b"\x00" * 100,
    "exe": b"MZ\x90\x00" + b"\x00" * 100,
    "gif": b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!",
    "rtf": b"{\\rtf1 hello}",
    "mhtml": b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n" + HTML,
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "old office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 1500,
}


@pytest.mark.parametrize("kind", CONTENT_TYPES)
@pytest.mark.parametrize("content", CONTENT)
@pytest.mark.slow
def test_a_name_that_differs_from_the_content_is_refused(refusal, kind: str, content: str) -> None:  # type: ignore[no-untyped-def]
    if kind == content:
        # The one pair that agrees is the previous tests' affair; here it stands for a renamed stranger.
        assert refusal(f"file.{kind}", b"\x00\x01" + CONTENT[content]) == "mismatch"
    else:
        assert refusal(f"file.{kind}", CONTENT[content]) == "mismatch"


@pytest.mark.parametrize(
    "content",
    [
        files.pdf() + files.zipped({"a": "b"}),
        files.pdf() + HTML,
        files.pdf() + files.zipped({"a": "b"}, comment=b"\n%%EOF"),
        b"%PDF-1.7\n" + HTML + files.pdf(),
        b"GIF89a" + files.pdf(),
    ],
    ids=["archive behind", "page behind", "archive whose comment ends like a PDF", "page in front", "picture in front"],
)
def test_a_pdf_that_is_something_else_too_is_refused(refusal, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal("report.pdf", content) == "mismatch"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", files.png() + files.zipped({"a": "b"})),
        ("a.png", files.png() + HTML),
        ("a.png", files.png(extra=HTML)),
        ("a.png", files.png(extra=b"%PDF-1.7")),
        ("a.jpg", files.JPEG + files.zipped({"a": "b"})),
        ("a.jpg", files.JPEG[:2] + b"\xff\xfe\x00\x20<script>alert(1)</script>     " + files.JPEG[2:]),
        ("a.docx", b"#!/bin/sh\n" + files.docx()),
        ("a.docx", files.docx(comment=b"<html>")),
        ("a.docx", files.docx() + b"<html>"),
        ("a.docx", files.xlsx()),
        ("a.xlsx", files.docx()),
        ("a.docx", files.zipped({"word/document.xml": "x"})),
        ("a.docx", files.with_symlink()),
        ("a.docx", files.docx({"../../etc/cron.d/x": "x"})),
        ("a.docx", files.docx({"/etc/passwd": "x"})),
    ],
)
def test_pictures_and_documents_that_are_something_else_too_are_refused(refusal, name: str, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal(name, content) == "mismatch"


@pytest.mark.parametrize(
    "content",
    [
        files.pdf(catalog="/OpenAction 100 0 R", extra={100: JAVASCRIPT}),
        files.pdf(catalog="/OpenAction 100 0 R", extra={100: b"<< /S /J#61v#61Script /JS (x) >>"}),
        files.pdf(catalog="/OpenAction 100 0 R", extra={100: b"<< /S /Launch /F (cmd.exe) >>"}),
        files.pdf(catalog="/AA << /WC 100 0 R >>", extra={100: b"<< /S /SubmitForm /F (https://x.example) >>"}),
        files.pdf(catalog="/Names << /EmbeddedFiles << /Names [] >> >>"),
        files.pdf(extra={100: b"<< /Type /EmbeddedFile /Length 1 >>\nstream\nx\nendstream"}),
        files.pdf(extra={101: files.packed(JAVASCRIPT)}),
        files.pdf(extra={101: files.packed(JAVASCRIPT, squeeze=False)}),
        files.pdf(extra={101: files.packed(JAVASCRIPT, dictionary="/Filter [/FlateDecode /FlateDecode]")}),
        files.pdf(extra={101: files.packed(JAVASCRIPT, dictionary="/Filter /ASCIIHexDecode")}),
        files.pdf(extra={101: files.packed(JAVASCRIPT, dictionary="/Filter 102 0 R")}),
        files.pdf(extra={101: files.packed(JAVASCRIPT, dictionary="/DecodeParms << /Predictor 12 >>")}),
        files.pdf(extra={101: files.packed(JAVASCRIPT).replace(b"/ObjStm", b"/#4fbjStm")}),
    ],
)
def test_a_pdf_that_acts_by_itself_is_refused(refusal, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal("report.pdf", content) == "active"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", files.pdf(trailer="/Encrypt 100 0 R", extra={100: b"<< /Filter /Standard /V 1 /R 2 >>"})),
        ("a.docx", files.flagged_encrypted()),
        ("a.docx", files.encrypted_office()),
        ("a.xlsx", files.encrypted_office()),
    ],
)
def test_a_locked_file_is_refused_with_the_way_out(sniffed, name: str, content: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RefusedFile, match=r"password-protected\. Remove the password") as refused:
        sniffed(name, content)

    assert refused.value.code == "encrypted"


@pytest.mark.parametrize(
    "content",
    [
        files.docx({"word/vbaProject.bin": b"x"}),
        files.docx({"word/VBAPROJECT.BIN": b"x"}),
        files.docx({"word/activeX/activeX1.xml": "<x/>"}),
        files.docx(
            {"[Content_Types].xml": files.TYPES.format(main="application/vnd.ms-word.document.macroEnabled.main+xml")}
        ),
        files.docx({"word/embeddings/Sheet.xlsx": files.added(files.xlsx(), "xl/vbaProject.bin")}),
    ],
)
def test_macros_are_refused_under_an_innocent_name(refusal, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal("policy.docx", content) == "macros"


@pytest.mark.parametrize("kind", ["attachedTemplate", "oleObject", "frame", "subDocument", "image"])
def test_a_document_that_loads_parts_from_elsewhere_is_refused(refusal, kind: str) -> None:  # type: ignore[no-untyped-def]
    assert refusal("a.docx", files.docx({"word/_rels/settings.xml.rels": files.linked(kind)})) == "linked"


def test_a_spreadsheet_that_starts_programs_is_refused(refusal) -> None:  # type: ignore[no-untyped-def]
    dde = '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'

    assert refusal("a.docx", files.docx({"xl/externalLinks/externalLink1.xml": dde})) == "linked"


def test_an_embedded_program_is_refused(refusal) -> None:  # type: ignore[no-untyped-def]
    assert refusal("a.docx", files.docx({"word/embeddings/oleObject1.bin": b"x"})) == "active"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.docx", files.docx({"word/big.xml": b"\x00" * 50_000_000})),
        ("a.docx", files.docx({f"word/{n}.xml": b"" for n in range(5001)})),
        ("a.docx", files.overlapping_bomb()),
        ("a.pdf", files.pdf(extra={101: files.packed(b" " * 80_000_000)})),
    ],
    ids=["ratio", "members", "overlap", "packed objects"],
)
def test_bombs_are_refused_before_they_go_off(refusal, name: str, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal(name, content) == "too_much"


def test_a_document_that_lies_about_its_length_is_damaged(refusal) -> None:  # type: ignore[no-untyped-def]
    data = bytearray(files.docx({"word/zzzz.xml": "a" * 100_000}))
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(b"word/zzzz.xml"))
    data[entry + 24 : entry + 28] = struct.pack("<I", 10)

    assert refusal("a.docx", bytes(data)) == "damaged"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"%PDF-1.7\nnot really\n%%EOF\n"),
        ("a.pdf", files.pdf()[:200]),
        ("a.png", files.png()[:-8]),
        ("a.png", files.png().replace(b"IDAT", b"IDAX")),
        ("a.jpg", files.JPEG[:40]),
        ("a.docx", files.docx({"word/_rels/document.xml.rels": "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"})),
        ("a.csv", b'name\n"' + b"x" * 1_100_000 + b'"\n'),
    ],
)
def test_a_broken_file_is_refused_as_such(refusal, name: str, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refusal(name, content) == "damaged"


def test_a_picture_of_too_many_pixels_is_refused(refusal) -> None:  # type: ignore[no-untyped-def]
    assert refusal("a.png", files.png(10_000, 10_000)) == "pixels"


def test_a_file_that_the_parser_cannot_finish_is_refused_in_words(sniffed) -> None:  # type: ignore[no-untyped-def]
    slow = b"".join(b"%d,%d\n" % (n, n) for n in range(2_000_000))

    with pytest.raises(RefusedFile) as refused:
        sniffed("a.csv", slow, timeout=0.3)

    assert refused.value.code == "too_much"


def test_a_text_with_control_characters_is_no_text(refusal) -> None:  # type: ignore[no-untyped-def]
    assert refusal("a.txt", b"plain \x1b[31m red") == "mismatch"


def test_noise_is_refused_and_never_crashes(refusal) -> None:  # type: ignore[no-untyped-def]
    noise = zlib.compress(bytes(range(256)) * 40)

    assert {refusal(f"a.{kind}", noise) for kind in CONTENT_TYPES} == {"mismatch"}


@pytest.mark.parametrize("code", WORDS)
def test_every_refusal_says_what_to_do_in_our_words(code: str) -> None:
    words = RefusedFile(code, named="pdf").message

    assert words[0].isupper()
    assert not words.endswith((".", "!"))
    assert "{" not in words
    assert not any(shunned in words.lower() for shunned in ("invalid", "error", "please"))


def test_the_size_sentence_names_both_sizes() -> None:
    assert too_large(213_400_000, 200_000_000) == "The file must be smaller than 200 MB; this one is 214 MB"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\report.pdf", "report.pdf"),
        ("a\x00b\r\nc\t.pdf", "abc.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth.pdf", "zerowidth.pdf"),
        ("  spaced \u00a0  out .pdf ", "spaced out.pdf"),
        ("cafe\u0301.pdf", "café.pdf"),
        ("...", "file"),
        ("", "file"),
        ("/", "file"),
        (".pdf", "pdf"),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("数据.pdf", "数据.pdf"),
    ],
)
def test_a_file_name_is_made_safe_to_show(given: str, shown: str) -> None:
    assert display_name(given) == shown


SEEDS = {
    "pdf": [files.pdf(pages=3), files.pdf(extra={101: files.packed(b"<< /Title (Policy) >>")})],
    "png": [files.png()],
    "jpeg": [files.JPEG],
    "docx": [files.docx()],
    "xlsx": [files.xlsx()],
    "csv": [b"name,trained\nAda,yes\n"],
    "txt": [b"plain words"],
}


@pytest.mark.parametrize("kind", SEEDS)
def test_whatever_is_broken_in_a_file_it_is_judged_and_not_stumbled_over(tmp_path: Path, kind: str) -> None:
    chance = random.Random(kind)  # noqa: S311 - the same damage in every run
    path = tmp_path / "broken"
    for _ in range(150):
        content = bytearray(chance.choice(SEEDS[kind]))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(content) + 1)
            match chance.choice(["change", "change", "cut", "insert"]):
                case "change" if at < len(content):
                    content[at] = chance.randrange(256)
                case "cut":
                    del content[at:]
                case _:
                    content[at:at] = chance.randbytes(chance.randint(1, 9))
        path.write_bytes(content)

        verdict = inspect(str(path), kind)["refused"]

        assert verdict is None or verdict in WORDS
