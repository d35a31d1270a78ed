"""A SOC 2-like report of many pages and about 5 MB: text that can be read, and on each page a grey scan that weighs."""

import random

PAGES = 48
SIDE = 324
PLACE = b"q 324 0 0 324 130 120 cm /I%d Do Q"


def report(company: str) -> bytes:
    """Return the file; the same company always gets the same bytes."""
    chance = random.Random(company)  # noqa: S311 - noise for a scan
    kids = " ".join(f"{4 + 3 * page} 0 R" for page in range(PAGES))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {PAGES} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(PAGES):
        first = 4 + 3 * page
        words = _words(company, page + 1).encode()
        content = words + b"\n" + PLACE % page
        scan = chance.randbytes(SIDE * SIDE)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> "
            b"/XObject << /I%d %d 0 R >> >> /Contents %d 0 R >>" % (page, first + 2, first + 1),
            _stream(b"", content),
            _stream(
                b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 "
                % (SIDE, SIDE),
                scan,
            ),
        ]
    return _file(objects)


def _words(company: str, page: int) -> str:
    lines = [f"{company}: report on controls, page {page} of {PAGES}", ""]
    if page == 1:
        lines.append("Independent service auditor's report, Type 2, with an unqualified opinion.")
    lines += [f"Control {page}.{number}: inspected for the sampled months, no exception noted." for number in (1, 2, 3)]
    return "BT /F1 12 Tf 16 TL 56 780 Td " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"


def _stream(head: bytes, body: bytes) -> bytes:
    return b"<< %s/Length %d >>\nstream\n%s\nendstream" % (head, len(body), body)


def _file(objects: list[bytes]) -> bytes:
    made = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        made += b"%010d 00000 n \n" % place
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(made)
