"""What an uploaded file really is: name, first bytes and inner structure have to agree, or it is refused.

:func:`sniff` is for callers and runs :func:`inspect` in a process of its own, because it reads hostile bytes.
"""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from portal.kernel.errors import Refused, Unavailable
from portal.kernel.sandbox import Failing, SandboxFailure, run_limited
from portal.kernel.words import said
from portal.terms import N_

CONTENT_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "csv": "text/csv",
    "txt": "text/plain",
}
_KINDS = {kind: kind for kind in CONTENT_TYPES} | {"jpg": "jpeg"}

# One sentence per refusal: what is wrong, and how to put it right.
WORDS = {
    "wrong_type": N_("The file must be PDF, DOCX, XLSX, CSV, PNG or JPG"),
    "empty": N_("The file is empty"),
    "encrypted": N_("The file is password-protected. Remove the password and upload it again"),
    "mismatch": N_(
        "The name of the file says %(named)s, but its content is something else. "
        "Save it as %(named)s again and upload the new copy"
    ),
    "macros": N_("The file contains macros. Save it as %(named)s without macros and upload it again"),
    "active": N_("The file contains scripts, actions or attached files. Print it to a new PDF and upload that one"),
    "linked": N_("The file loads parts from elsewhere. Save it as PDF and upload that one"),
    "too_much": N_("The file unpacks to far more than it seems. Save it as PDF and upload that one"),
    "pixels": N_("The picture must have at most 50 megapixels. Make it smaller and upload it again"),
    "damaged": N_("The file could not be read. Save it again and upload the new copy"),
}


class RefusedFile(Refused):
    """The file is not kept; ``message`` is for the person, ``code`` (a key of WORDS) for the record."""

    def __init__(self, code: str, *, named: str = "") -> None:
        super().__init__(said(WORDS[code], named=named.upper()))
        self.code = code


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the file is; ``pages`` is set for a PDF."""

    kind: str
    content_type: str
    pages: int | None = None


def sniff(path: Path, name: str, *, timeout: float = 30, memory: int = 768 * 1024 * 1024) -> Sniffed:
    """Return what the file is, by its content, after checking it inside a limited process.

    :raises RefusedFile: with words for the person, also when the parser died of the file.
    """
    kind = kind_of(name)
    try:
        found = run_limited(
            "portal.kernel.inspection:inspect", path, timeout=timeout, memory=memory, arguments={"kind": kind}
        )
    except SandboxFailure as failure:
        code = "damaged" if failure.failing is Failing.CRASH else "too_much"
        raise RefusedFile(code, named=kind) from failure
    if not isinstance(found, dict):
        raise Unavailable(said("The file could not be checked. Nothing was lost. Try again in a minute"))
    if found.get("refused"):
        raise RefusedFile(str(found["refused"]), named=kind)
    return Sniffed(kind, CONTENT_TYPES[kind], found.get("pages"))


def kind_of(name: str) -> str:
    """Return the kind that a file name claims.

    :raises RefusedFile: if that kind is not taken.
    """
    kind = _KINDS.get(name.rpartition(".")[2].lower()) if "." in name else None
    if kind is None:
        raise RefusedFile("wrong_type")
    return kind


def too_large(size: int, limit: int) -> str:
    """Return the sentence for a file over the limit, in megabytes of 1,000,000 bytes."""
    return said(
        "The file must be smaller than %(most)s MB; this one is %(size)s MB",
        most=limit // 1_000_000,
        size=-(-size // 1_000_000),
    )


def display_name(given: str) -> str:
    """Return a file name that is safe to show: no folders, nothing invisible, at most 200 characters.

    It is only ever shown; keys in the store are our own.
    """
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    # Cc, Cf: control characters and the marks that turn the reading direction ("gpj.exe" shown as "exe.jpg").
    # Cs, Co, Cn: half characters and code points without a meaning.
    name = "".join(c if unicodedata.category(c)[0] != "Z" else " " for c in name)
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    name = re.sub(r" +", " ", name).strip(" .")
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    extension = extension[:20]
    room = 200 - len(dot + extension)
    return (stem[:room].rstrip(" .") + dot + extension) or "file"
