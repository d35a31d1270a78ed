"""Real files of each kind, and hostile ones, built byte by byte."""

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import openpyxl

JPEG = (
    base64.b64decode(
        "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////"
        "////////////////wgALCAABAAEBAREA/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAAgBAQABPxA="
    )
    + b"\xff\xd9"
)


def pdf(
    *,
    pages: int = 1,
    catalog: str = "",
    extra: Mapping[int, bytes] | None = None,
    trailer: str = "",
    version: str = "1.7",
) -> bytes:
    """A small PDF with a right cross-reference table. ``extra`` objects start at number 100."""
    kids = " ".join(f"{3 + n} 0 R" for n in range(pages))
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        2: f"<< /Type /Pages /Count {pages} /Kids [{kids}] >>".encode(),
    }
    for n in range(pages):
        objects[3 + n] = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] >>"
    objects |= extra or {}
    out = io.BytesIO()
    out.write(f"%PDF-{version}\n%\xe2\xe3\xcf\xd3\n".encode("latin-1"))
    places = {}
    for number, body in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n" % number + body + b"\nendobj\n")
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    out.write(f"trailer\n<< /Size {max(places) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def packed(content: bytes, *, dictionary: str = "", squeeze: bool = True) -> bytes:
    """An object stream that holds one object, number 100."""
    plain = b"100 0 " + content
    body = zlib.compress(plain) if squeeze else plain
    flate = "/Filter /FlateDecode" if squeeze and "Filter" not in dictionary else ""
    head = f"<< /Type /ObjStm /N 1 /First 6 /Length {len(body)} {flate} {dictionary} >>"
    return head.encode() + b"\nstream\n" + body + b"\nendstream"


def png(width: int = 2, height: int = 2, *, extra: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(min(height, 4))))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    text = chunk(b"tEXt", b"Comment\x00" + extra) if extra else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def xlsx() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "Control"
    sheet["B1"] = "Held"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
)
DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
RELATIONSHIP = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOCX = {
    "[Content_Types].xml": TYPES.format(main=DOCUMENT),
    "_rels/.rels": '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    f'relationships"><Relationship Id="r1" Type="{RELATIONSHIP}/officeDocument" Target="word/document.xml"/>'
    "</Relationships>",
    "word/document.xml": '<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/'
    'wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>Policy</w:t></w:r></w:p></w:body></w:document>',
}


def zipped(members: Mapping[str, str | bytes], *, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = comment
    return out.getvalue()


def docx(members: Mapping[str, str | bytes] | None = None, **options: bytes) -> bytes:
    return zipped(DOCX | dict(members or {}), **options)


def linked(kind: str) -> str:
    return (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r9" Type="{RELATIONSHIP}/{kind}" Target="https://pull.example/x" TargetMode="External"/>'
        "</Relationships>"
    )


def added(archive: bytes, name: str) -> bytes:
    """The same archive with one more member."""
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a") as opened:
        opened.writestr(name, "x")
    return out.getvalue()


def with_symlink() -> bytes:
    out = io.BytesIO(docx())
    with zipfile.ZipFile(out, "a") as archive:
        link = zipfile.ZipInfo("word/link.xml")
        link.create_system = 3
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return out.getvalue()


def flagged_encrypted() -> bytes:
    """The same archive with the "encrypted" bit set in every directory entry and header."""
    data = bytearray(docx())
    at = 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        data[at + 8] |= 1
        at += 4
    at = 0
    while (at := data.find(b"PK\x03\x04", at)) >= 0:
        data[at + 6] |= 1
        at += 4
    return bytes(data)


def overlapping_bomb() -> bytes:
    """Two directory entries that point at the same bytes."""
    data = docx({"word/aaaa.xml": "a" * 5000, "word/bbbb.xml": "b" * 5000})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        target = archive.getinfo("word/aaaa.xml").header_offset
    changed = bytearray(data)
    entry = data.rfind(b"PK\x01\x02", 0, data.rfind(b"word/bbbb.xml"))
    changed[entry + 42 : entry + 46] = struct.pack("<I", target)
    return bytes(changed)


def encrypted_office() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 1016 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 480
