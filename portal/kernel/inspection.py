"""Read a hostile file and say why it is refused, if it is. Runs only inside the sandbox."""

import codecs
import csv
import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

MAX_PIXELS = 50_000_000
_TEXT_KINDS = {"csv", "txt"}
_MAGIC = {
    "pdf": {"application/pdf"},
    "png": {"image/png"},
    "jpeg": {"image/jpeg"},
    "xlsx": {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/zip",
        "application/octet-stream",
    },
    "docx": {
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
        "application/octet-stream",
    },
}
# What libmagic may call a text that is more than a text: it would be code or mark-up to whoever opens it.
_ACTIVE_TEXT = {
    "text/html",
    "text/xml",
    "text/rtf",
    "image/svg+xml",
    "text/x-php",
    "text/x-shellscript",
    "text/x-msdos-batch",
    "message/rfc822",
    "application/postscript",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKUP = re.compile(rb"<\s*(?:!doctype|!--|\?xml|\?php|html|head|body|script|svg|iframe|x:)", re.IGNORECASE)


class Refusal(Exception):
    """A key of ``sniff.WORDS``."""


def inspect(path: str, kind: str) -> dict[str, object]:
    """Return ``{"refused": code}``, or what the file turned out to hold."""
    try:
        return {"refused": None} | _inspect(Path(path), kind)
    except Refusal as refusal:
        return {"refused": str(refusal)}


def _inspect(path: Path, kind: str) -> dict[str, object]:
    if path.stat().st_size == 0:
        raise Refusal("empty")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:8] == _OLE:
            # Office encrypts by wrapping the whole document into its old container format.
            raise Refusal("encrypted" if data.find("EncryptedPackage".encode("utf-16-le")) >= 0 else "mismatch")
        found = _libmagic(path)
        if kind in _TEXT_KINDS:
            _text(data, found)
            if kind == "csv":
                _csv(path, data)
            return {}
        if found not in _MAGIC[kind]:
            raise Refusal("mismatch")
        if kind == "pdf":
            return {"pages": _pdf(path, data)}
        if kind == "png":
            _png(data)
        elif kind == "jpeg":
            _jpeg(data)
        elif data[:4] != b"PK\x03\x04":
            raise Refusal("mismatch")
        else:
            from portal.kernel.ooxml import check

            problem = check(path, kind)
            if problem:
                raise Refusal(problem)
        return {}


def _libmagic(path: Path) -> str:
    import magic

    return str(magic.from_file(str(path), mime=True))


# --- text


def _encoding(data: mmap.mmap) -> str:
    start = data[:4]
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(data):
            decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"  # what spreadsheet programs of the West write when nobody asks
    return "utf-8"


def _text(data: mmap.mmap, found: str) -> None:
    if found in _ACTIVE_TEXT or not (
        found.startswith(("text/", "application/csv", "application/json")) or _is_plain(data)
    ):
        raise Refusal("mismatch")
    encoding = _encoding(data)
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    try:
        for piece in _pieces(data):
            text = decoder.decode(piece)
            if first and _opens_like_code(text[:4096]):
                raise Refusal("mismatch")
            first = False
            if re.search(r"[\x00-\x08\x0b\x0e-\x1f\x7f]", text):
                raise Refusal("mismatch")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise Refusal("mismatch") from error


def _is_plain(data: mmap.mmap) -> bool:
    return b"\x00" not in data[:65536] and not data[:4].startswith(
        (b"PK", b"%PDF", b"\x7fELF", b"MZ", b"GIF8", b"Rar!")
    )


def _opens_like_code(text: str) -> bool:
    start = text.lstrip().encode("utf-8", "replace")
    mail = re.match(rb"(?:MIME-Version|From|Received|Content-Type):", start, re.IGNORECASE)
    return bool(_MARKUP.match(start) or mail or start.startswith((b"%PDF-", b"{\\rtf", b"#!", b"PK\x03\x04")))


def _csv(path: Path, data: mmap.mmap) -> None:
    csv.field_size_limit(1_000_000)
    try:
        with path.open(encoding=_encoding(data), newline="") as lines:
            for _ in csv.reader(lines):
                pass
    except (csv.Error, UnicodeError) as error:
        raise Refusal("damaged") from error


def _pieces(data: mmap.mmap) -> Iterator[bytes]:
    for start in range(0, len(data), 1 << 20):
        yield data[start : start + (1 << 20)]


# --- pictures


def _png(data: mmap.mmap) -> None:
    """Walk all chunks: header first, sums right, nothing after the end."""
    at, first = 8, True
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != struct.unpack(">I", data[end - 4 : end])[0]:
            raise Refusal("damaged")
        if first:
            if kind != b"IHDR" or length != 13:
                raise Refusal("damaged")
            _pixels(*struct.unpack(">II", data[at + 8 : at + 16]))
            first = False
        if kind == b"IEND":
            if end != len(data):
                raise Refusal("mismatch")
            _no_second_nature(data)
            return
        at = end
    raise Refusal("damaged")


def _jpeg(data: mmap.mmap) -> None:
    """Walk the segments up to the picture data, and look for the end where it belongs."""
    end = len(data)
    while end and data[end - 1] == 0:
        end -= 1
    if data[end - 2 : end] != b"\xff\xd9":
        raise Refusal("mismatch" if data.rfind(b"\xff\xd9") > 0 else "damaged")
    at, sized = 2, False
    while at + 4 <= end:
        if data[at] != 0xFF:
            raise Refusal("damaged")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        length = struct.unpack(">H", data[at + 2 : at + 4])[0]
        if length < 2:
            raise Refusal("damaged")
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            _pixels(width, height)
            sized = True
        if marker == 0xDA:
            break
        at += 2 + length
    if not sized:
        raise Refusal("damaged")
    _no_second_nature(data)


def _pixels(width: int, height: int) -> None:
    if not width or not height:
        raise Refusal("damaged")
    if width * height > MAX_PIXELS:
        raise Refusal("pixels")


def _no_second_nature(data: mmap.mmap) -> None:
    """Refuse bytes that another program would take for a page, a program or an archive."""
    if (
        b"%PDF-" in data[:2048]
        or _ends_as_archive(data)
        or re.search(rb"<(?:script|html|\?php|svg)\b", data, re.IGNORECASE)
    ):
        raise Refusal("mismatch")


def _ends_as_archive(data: mmap.mmap) -> bool:
    """Zip archives are found from their end: is there a directory that the file's length confirms?"""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65557))
    if at < 0 or at + 22 > len(data):
        return False
    size, offset, comment = struct.unpack("<IIH", data[at + 12 : at + 22])
    confirmed = at + 22 + comment <= len(data) and size + offset <= at
    return confirmed and (size == 0 or data[at - size : at - size + 4] == b"PK\x01\x02")


# --- PDF


def _name(plain: str, *, prefix: bool = False) -> bytes:
    """Match a PDF name however its letters are written: each may be given as #xx."""
    letters = b"".join(
        b"(?:%s|#%02x|#%02X)" % (re.escape(bytes([c])), c, c) if c < 0x80 else b"" for c in plain.encode()
    )
    return b"/" + letters + (b"" if prefix else rb"(?=[\x00\t\n\f\r ()<>\[\]{}/%])")


_ACTIVE_PDF = re.compile(
    b"|".join(
        [
            _name("JavaScript"),
            _name("Launch"),
            _name("EmbeddedFile", prefix=True),
            _name("RichMedia", prefix=True),
            _name("SubmitForm"),
            _name("ImportData"),
            _name("GoToE"),
        ]
    )
)
_ENCRYPT = re.compile(_name("Encrypt"))
_OBJECT_STREAM = re.compile(_name("ObjStm"))
_UNUSUAL = re.compile(
    b"|".join(map(_name, ["LZWDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode", "DecodeParms", "Crypt"]))
)
_FLATE = re.compile(_name("FlateDecode"))
_FILTER = re.compile(_name("Filter"))
_UNPACKED = 64 * 1024 * 1024


def _pdf(path: Path, data: mmap.mmap) -> int:
    """Return the number of pages of a PDF that is nothing else and does nothing by itself."""
    if data[:5] != b"%PDF-":
        raise Refusal("mismatch")
    end = data.rfind(b"%%EOF")
    if end < 0:
        raise Refusal("damaged")
    if data[end + 5 :].strip(b"\x00\t\n\f\r "):
        raise Refusal("mismatch")
    if re.search(rb"<(?:script|html|\?php|svg)\b", data[:2048], re.IGNORECASE) or _ends_as_archive(data):
        raise Refusal("mismatch")
    if _ENCRYPT.search(data):
        raise Refusal("encrypted")
    # The whole file is searched, not what a parser of ours takes for its objects: readers differ in that.
    # The names are long enough not to turn up by chance in picture data.
    if _ACTIVE_PDF.search(data):
        raise Refusal("active")
    left = _UNPACKED
    for found in _OBJECT_STREAM.finditer(data):
        left -= _object_stream(data, found.start(), left)
    return _pages(path)


def _object_stream(data: mmap.mmap, at: int, room: int) -> int:
    """Search one compressed bundle of objects; return how much it unpacked to."""
    begin = data.find(b"stream", at, at + 4096)
    if begin < 0:
        raise Refusal("damaged")
    nearby = max(0, at - 4096)
    head = data[max(data.rfind(b"obj", nearby, at), nearby) : begin]
    flate = len(_FLATE.findall(head))
    if _UNUSUAL.search(head) or flate > 1 or (not flate and _FILTER.search(head)):
        # No writer that we know of packs object bundles so; to us it would be unreadable.
        raise Refusal("active")
    if not flate:
        return 0  # plain, and so searched already
    begin += len(b"stream")
    begin += 2 if data[begin : begin + 2] == b"\r\n" else 1
    unpacker, body = zlib.decompressobj(), b""
    try:
        while not unpacker.eof and begin < len(data):
            body += unpacker.decompress(data[begin : begin + 65536], room + 1 - len(body))
            if len(body) > room:
                raise Refusal("too_much")
            begin += 65536
    except zlib.error as error:
        raise Refusal("damaged") from error
    if _ACTIVE_PDF.search(body):
        raise Refusal("active")
    return len(body)


def _pages(path: Path) -> int:
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise Refusal("encrypted" if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD else "damaged") from error
    if raw.FPDF_GetSecurityHandlerRevision(document) != -1:
        raise Refusal("encrypted")
    # 2 and 3 are XFA forms, which carry scripts of their own.
    if (
        raw.FPDFDoc_GetJavaScriptActionCount(document) > 0
        or raw.FPDFDoc_GetAttachmentCount(document) > 0
        or raw.FPDF_GetFormType(document) in {2, 3}
    ):
        raise Refusal("active")
    pages = len(document)
    if pages < 1:
        raise Refusal("damaged")
    try:
        document[0].close()
    except pdfium.PdfiumError as error:
        raise Refusal("damaged") from error
    return pages
