"""Writing an answer pack, and reading one that comes back. The rules are in rules/pack.py."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn
from uuid import UUID

import sqlalchemy as sa

from portal import policy
from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import queries
from portal.attestations import rules as attestation_rules
from portal.attestations import service as attestations
from portal.attestations.models import AnswerEdit, Attestation
from portal.exchange.facts import AnswersExported
from portal.exchange.rules import pack as rules
from portal.exchange.rules import vsaq_answers
from portal.exchange.rules.pack import NotAPack, Packed, Seal
from portal.identity.models import UserAccount
from portal.kernel.canonical import canonical_bytes
from portal.kernel.errors import Conflict, Refused, Unavailable
from portal.kernel.ledger import Tx
from portal.kernel.signing import Signer, verify
from portal.kernel.words import said
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import Questionnaire, to_json
from portal.vendors.models import Vendor

MOST_EDITS = 50_000
MOST_EVIDENCE = 1_000_000_000
MAX_UNPACKED = 200_000_000
MAX_VSAQ = 4_000_000
_PIECE = 1 << 18

Lend = Callable[[UUID], AbstractContextManager[Path]]
"""Lends a file of the library by its id, its bytes proven."""


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file that an answer cites."""

    id: UUID
    sha256: str
    size: int
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that goes into a pack but the manifest; ``answers`` is the SHA-256 of `answers.json`."""

    name: str
    head: Mapping[str, Any]
    documents: Mapping[str, bytes]
    evidence: tuple[EvidenceFile, ...]

    @property
    def answers(self) -> str:
        """What names the content: the fingerprint of the answers alone."""
        return hashlib.sha256(self.documents[rules.ANSWERS]).hexdigest()


def gather(tx: Tx, *, assessment: Assessment) -> Gathered:
    """Return everything that the vendor entered for an assessment, and record that it leaves.

    :raises Forbidden: if the actor may not read the assessment.
    """
    policy.check(tx.actor, Action.ASSESSMENT_READ, assessment)
    version = tx.session.get_one(QuestionnaireVersion, assessment.questionnaire_id)
    vendor = tx.session.get_one(Vendor, assessment.vendor_id)
    documents = {
        rules.ANSWERS: answers_json(tx, assessment),
        rules.HISTORY: canonical_bytes(history(tx, assessment)),
        rules.QUESTIONS: version.source,
    }
    documents |= {f"attestations/{number}.json": body for number, body in signed_revisions(tx, assessment)}
    evidence = _evidence(tx, assessment)
    found = Gathered(
        name=f"{vendor.slug}-{version.slug}-v{version.version}-answers.zip",
        head={
            "format": rules.FORMAT,
            "vendor": {"slug": vendor.slug, "name": vendor.name},
            "assessment": {
                "id": assessment.id,
                "title": assessment.title,
                "state": assessment.state.value,
                "revision": assessment.revision,
            },
            "questionnaire": {
                "slug": version.slug,
                "version": version.version,
                "title": version.title,
                "digest": version.digest,
            },
        },
        documents=documents,
        evidence=evidence,
    )
    tx.record(
        AnswersExported(
            assessment_id=assessment.id, vendor_id=assessment.vendor_id, what="answer pack", digest=found.answers
        )
    )
    return found


def answers_json(tx: Tx, assessment: Assessment) -> bytes:
    """Return `answers.json` of an assessment as it stands."""
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    lines = attestations.answers_of(tx, assessment)
    standing = attestations.standing(tx, assessment, questionnaire, lines=lines)
    document = rules.answers_document(
        questionnaire,
        tier=assessment.tier,
        states={key: state.value for key, state in standing.states().items()},
        contents={key: to_json(line.answer) for key, line in lines.items()},
        scoping={
            line.key: {"value": line.value, "details": dict(line.details)}
            for line in assessments.scoping_of(tx, assessment)
            if line.stated
        },
        citations=[
            rules.Cited(each.question_key, each.sha256, each.pages, each.file_name, each.title, each.kind, each.quote)
            for each in queries.citations(tx, assessment.id)
        ],
    )
    return canonical_bytes(document)


def write(gathered: Gathered, out: IO[bytes], *, signer: Signer, now: datetime, lend: Lend | None = None) -> None:
    """Write a pack. Equal content gives equal bytes; without a key in force it carries no signature.

    :param lend: gives the files that answers cite; without it only their fingerprints are in the pack.
    :raises Conflict: if a file cannot be opened, or the files are more than a pack holds.
    """
    included = gathered.evidence if lend else ()
    if sum(each.size for each in included) > MOST_EVIDENCE:
        raise Conflict(
            said("Your files are more than 1 GB. Take the pack without them, and download the files one by one.")
        )
    manifest = {
        **gathered.head,
        "files": {
            name: {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body)}
            for name, body in sorted(gathered.documents.items())
        },
        "evidence": [{**each.about, "included": bool(lend)} for each in gathered.evidence],
    }
    documents = {rules.MANIFEST: canonical_bytes(manifest)}
    with suppress(Unavailable):
        documents[rules.SIGNATURE] = canonical_bytes(signer.sign(rules.TYPE, manifest, now=now))
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in {**documents, **gathered.documents}.items():
            archive.writestr(member(name, zipfile.ZIP_DEFLATED), body, compresslevel=6)
        for each in included:
            assert lend is not None  # noqa: S101 - nothing is included without it
            with lend(each.id) as path, path.open("rb") as source:
                entry = member(f"evidence/{each.sha256}", zipfile.ZIP_STORED)
                entry.file_size = each.size
                with archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, _PIECE)


def zipped(documents: Mapping[str, bytes]) -> bytes:
    """Return a few small documents as one zip; equal documents give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, body in documents.items():
            archive.writestr(member(name, zipfile.ZIP_DEFLATED), body, compresslevel=6)
    return out.getvalue()


def member(name: str, how: int) -> zipfile.ZipInfo:
    """Return an entry that says nothing of this machine or moment."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = how
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def open_pack(file: BinaryIO, *, signer: Signer) -> tuple[Packed, Seal, str]:
    """Return what an uploaded pack says, whose seal it carries, and the SHA-256 of its bytes. Nothing is stored.

    :raises Refused: with the problem of file: no pack, damaged, changed since it was made, or too much.
    """
    try:
        return _opened(file, signer)
    except NotAPack as refusal:
        raise Refused(problems={"file": [refusal.args[0]]}) from refusal
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,
        ValueError,
        RuntimeError,
        OverflowError,
        RecursionError,
        KeyError,
    ) as failure:
        raise Refused(problems={"file": [rules.DAMAGED]}) from failure


def open_vsaq(file: BinaryIO, *, questionnaire: Questionnaire) -> tuple[Packed, Seal, str, tuple[str, ...]]:
    """Return what a map of VSAQ answers says to a version, as a pack without a seal; and what of it was not read.

    :raises Refused: with the problem of file, if it is no such map or answers nothing of this version.
    """
    file.seek(0)
    body = file.read(MAX_VSAQ + 1)
    words = said("The file is no map of VSAQ answers. Save the answers in VSAQ again and upload the new file")
    try:
        if len(body) > MAX_VSAQ:
            raise NotAPack(said("The file holds more than the answers to one questionnaire. Upload the answers alone"))
        found = _loaded(body)
        if not all(isinstance(each, str) for each in found.values()):
            raise NotAPack(words)
        read = vsaq_answers.from_vsaq(questionnaire, found)
        if not read.contents:
            named = f"{questionnaire.slug} v{questionnaire.version}"
            raise NotAPack(
                said(
                    "The file answers no question of %(named)s. Upload answers to the template of this version",
                    named=named,
                )
            )
    except NotAPack as refusal:
        raise Refused(problems={"file": [refusal.args[0] if str(refusal) != rules.DAMAGED else words]}) from refusal
    except (ValueError, RecursionError) as failure:
        raise Refused(problems={"file": [words]}) from failure
    pack = Packed(
        questionnaire=f"{questionnaire.slug} v{questionnaire.version}",
        digest=questionnaire.digest,
        tier=0,
        answers=read.contents,
        scoping={},
        citations=(),
    )
    return pack, Seal.NONE, hashlib.sha256(body).hexdigest(), read.unread


def vsaq_json(tx: Tx, *, assessment: Assessment) -> bytes:
    """Return the answers as VSAQ keeps them, and record that they leave.

    :raises Forbidden: if the actor may not read the assessment.
    """
    policy.check(tx.actor, Action.ASSESSMENT_READ, assessment)
    questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
    contents = {key: to_json(line.answer) for key, line in attestations.answers_of(tx, assessment).items()}
    body = canonical_bytes(vsaq_answers.to_vsaq(questionnaire, contents))
    tx.record(
        AnswersExported(
            assessment_id=assessment.id,
            vendor_id=assessment.vendor_id,
            what="VSAQ answers",
            digest=hashlib.sha256(body).hexdigest(),
        )
    )
    return body


def _opened(file: BinaryIO, signer: Signer) -> tuple[Packed, Seal, str]:
    digest = hashlib.sha256()
    file.seek(0)
    while piece := file.read(_PIECE):
        digest.update(piece)
    with zipfile.ZipFile(file) as archive:
        members = _checked(archive)
        manifest = _document(archive, members, rules.MANIFEST)
        head = _loaded(manifest)
        if head.get("format") != rules.FORMAT or not isinstance(head.get("files"), dict):
            raise NotAPack(rules.DAMAGED)
        seal = _seal(archive, members, manifest, signer)
        for name in members:
            if name not in (rules.MANIFEST, rules.SIGNATURE):
                _prove(archive, members[name], head["files"])
        if missing := sorted(set(head["files"]) - set(members)):
            raise NotAPack(said(rules.CHANGED, name=str(missing[0])[:80]))
        found = rules.packed(_loaded(_document(archive, members, rules.ANSWERS)))
        return found, seal, digest.hexdigest()


def _checked(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Judge by the directory alone: nothing has been unpacked yet."""
    listed = archive.infolist()
    members = {each.filename: each for each in listed}
    if len(listed) > rules.MAX_FILES or sum(each.file_size for each in listed) > MAX_UNPACKED:
        raise NotAPack(said("The pack unpacks to more than a pack holds. Export it again without files"))
    if len(members) != len(listed) or not all(map(rules.is_known_name, members)):
        raise NotAPack(rules.DAMAGED)
    if not {rules.MANIFEST, rules.ANSWERS, rules.QUESTIONS} <= set(members):
        raise NotAPack(rules.DAMAGED)
    for each in listed:
        if each.flag_bits & 0x1:
            raise NotAPack(said("The pack is password-protected. Export it again and upload it as it is"))
        too_dense = each.file_size > 1_000_000 and each.file_size > rules.MAX_RATIO * max(each.compress_size, 1)
        if too_dense or (each.file_size > rules.MAX_DOCUMENT and not each.filename.startswith("evidence/")):
            raise NotAPack(said("The pack unpacks to more than a pack holds. Export it again without files"))
    return members


def _document(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], name: str) -> bytes:
    with archive.open(members[name]) as content:
        return content.read(rules.MAX_DOCUMENT + 1)


def _prove(archive: zipfile.ZipFile, member: zipfile.ZipInfo, files: Mapping[str, Any]) -> None:
    """Hold a member against the manifest; a file of evidence is named by its own fingerprint."""
    digest = hashlib.sha256()
    with archive.open(member) as content:
        while piece := content.read(_PIECE):
            digest.update(piece)
    name = member.filename
    if name.startswith("evidence/"):
        expected: object = name.removeprefix("evidence/")
    else:
        told = files.get(name)
        expected = told.get("sha256") if isinstance(told, dict) else None
    if digest.hexdigest() != expected:
        raise NotAPack(said(rules.CHANGED, name=name))


def _seal(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], manifest: bytes, signer: Signer) -> Seal:
    """Return whose signature the manifest carries.

    :raises NotAPack: if it is signed and is not what was signed.
    """
    if rules.SIGNATURE not in members:
        return Seal.NONE
    envelope = _loaded(_document(archive, members, rules.SIGNATURE))
    try:
        if base64.b64decode(envelope["payload"], validate=True) != manifest:
            raise NotAPack(said(rules.CHANGED, name=rules.MANIFEST))
        for key in signer.keys:
            try:
                verify(envelope, key.public, kind=rules.TYPE)
            except ValueError:
                continue
            return Seal.OURS
    except (KeyError, TypeError, AttributeError, binascii.Error) as failure:
        raise NotAPack(rules.DAMAGED) from failure
    return Seal.OTHER


def _loaded(body: bytes) -> dict[str, Any]:
    def refuse(_number: str) -> NoReturn:
        raise NotAPack(rules.DAMAGED)

    found = json.loads(body.decode("utf-8"), parse_float=refuse, parse_constant=refuse)
    if not isinstance(found, dict):
        raise NotAPack(rules.DAMAGED)
    if not all(map(_is_text, _texts(found))):
        raise NotAPack(said("The pack holds a character that cannot be stored. Remove it and export the pack again"))
    return found


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value, names of fields too."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each


def _is_text(text: str) -> bool:
    """Tell whether it can be written down: JSON can spell NUL and half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def history(tx: Tx, assessment: Assessment) -> dict[str, Any]:
    statement = (
        sa.select(
            AnswerEdit.question_key, AnswerEdit.version, AnswerEdit.content, AnswerEdit.edited_at, UserAccount.full_name
        )
        .outerjoin(UserAccount, UserAccount.id == AnswerEdit.edited_by)
        .where(AnswerEdit.assessment_id == assessment.id)
        .order_by(AnswerEdit.question_key, AnswerEdit.version)
        .limit(MOST_EDITS)
    )
    edits: dict[str, list[dict[str, Any]]] = {}
    rows = tx.session.execute(statement).all()
    for key, version, content, at, name in rows:
        edits.setdefault(key, []).append({"version": version, "content": content, "at": at, "by": name or ""})
    return {"format": "gatehouse answer history 1", "edits": edits, "complete": len(rows) < MOST_EDITS}


def signed_revisions(tx: Tx, assessment: Assessment) -> list[tuple[int, bytes]]:
    """Return every signed revision exactly as it was frozen, with the fingerprint that recomputes from it."""
    statement = sa.select(Attestation.id).where(Attestation.assessment_id == assessment.id)
    found = []
    for attestation_id in tx.session.execute(statement.order_by(Attestation.revision)).scalars():
        each = attestations.attested(tx, attestation_id)
        document = {
            "format": "gatehouse signed revision 1",
            "digest": each.digest,
            "signed_name": each.signed_name,
            "signer_title": each.signer_title,
            "signed_at": each.signed_at,
            "snapshot": attestation_rules.snapshot_value(each.snapshot),
        }
        found.append((each.snapshot.revision, canonical_bytes(document)))
    return found


def _evidence(tx: Tx, assessment: Assessment) -> tuple[EvidenceFile, ...]:
    """Return the files that answers cite now, each once; what cannot be opened is not among them."""
    found: dict[str, EvidenceFile] = {}
    for each in queries.citations(tx, assessment.id):
        if each.use is attestation_rules.Use.REFUSED:
            continue
        about = {
            "sha256": each.sha256,
            "size": each.size,
            "file_name": each.file_name,
            "title": each.title,
            "kind": each.kind,
            "valid_until": each.valid_until,
        }
        found.setdefault(each.sha256, EvidenceFile(each.evidence_id, each.sha256, each.size, about))
    return tuple(found[sha256] for sha256 in sorted(found))
