"""Published versions: storing one for ever, and handing out compiled ones."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer

from portal.kernel.actor import ActorKind
from portal.kernel.errors import Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx, get_one
from portal.questionnaires import queries
from portal.questionnaires.facts import QuestionnairePublished
from portal.questionnaires.models import QuestionnaireVersion
from portal.questionnaires.rules import DefinitionError, Questionnaire, compile_yaml, lint, parse_ids, parse_lock

LOCK_FILE = "published.lock"

_compiled: dict[str, Questionnaire] = {}
_compiling = threading.Lock()


def publish(tx: Tx, *, source: bytes, name: str = "questionnaire", known: Path | None = None) -> QuestionnaireVersion:
    """Store a version for ever. Publishing the same bytes again gives the version that is there.

    The system alone publishes like this, what is pinned in ``published.lock``; people sign a draft, two of them.

    :param name: what problems call the file.
    :param known: the folder of the frameworks' identifiers, to hold the crosswalk against.
    :raises Forbidden: for a person.
    :raises Refused: if the file does not compile, fails the lint, or is another text under a published version.
    """
    if tx.actor.kind is not ActorKind.SYSTEM:
        raise Forbidden("Two people publish a questionnaire, by signing the same draft.")
    digest = hashlib.sha256(source).hexdigest()
    if stored := get_one(tx, _versions().where(QuestionnaireVersion.digest == digest)):
        return stored
    questionnaire = _compile(source, digest, name)
    if found := lint(questionnaire, framework_ids(known)):
        raise Refused("\n".join(map(str, found)))
    return store(tx, questionnaire=questionnaire, source=source)


def hold_shelf(tx: Tx) -> None:
    """Let one transaction at a time publish, so that what was checked against the published versions stays true."""
    tx.session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('questionnaire_version', 0))"))


def store(tx: Tx, *, questionnaire: Questionnaire, source: bytes) -> QuestionnaireVersion:
    """Store a checked version for ever; the caller knows that it may, and that the file is sound.

    :raises Refused: if another text is published under this version.
    """
    hold_shelf(tx)
    if stored := get_one(tx, _versions().where(QuestionnaireVersion.digest == questionnaire.digest)):
        return stored
    slug, version = questionnaire.slug, questionnaire.version
    if other := queries.version_named(tx, slug, version):
        raise Refused(changed(slug, version, published=other.digest, found=questionnaire.digest))
    row = QuestionnaireVersion(
        id=tx.new_id(),
        slug=slug,
        version=version,
        title=questionnaire.title,
        digest=questionnaire.digest,
        source=source,
        published_by=tx.actor.id,
        published_at=tx.now,
    )
    try:
        with tx.session.begin_nested():
            tx.session.add(row)
            tx.session.flush()
    except IntegrityError:
        # A process of yesterday's code does not hold the shelf: its bytes are the version, ours only if they are equal.
        rival = get_one(tx, _versions().where(QuestionnaireVersion.digest == questionnaire.digest))
        if rival is None:
            raise Refused(f"{slug} v{version} was published by somebody else with another text.") from None
        return rival
    tx.record(QuestionnairePublished(questionnaire_id=row.id, slug=slug, version=version, digest=row.digest))
    return row


def changed(slug: str, version: int, *, published: str, found: str) -> str:
    """Return the refusal of a published file whose bytes are not the published ones."""
    return (
        f"{slug} v{version} is published with SHA-256 {published[:12]}…; this file has {found[:12]}…. "
        f"A published version never changes: put your change into v{version + 1}."
    )


def load_locked(tx: Tx, folder: Path) -> list[QuestionnaireVersion]:
    """Publish every version listed in ``published.lock`` of a folder; what is stored already stays as it is.

    :raises Refused: if a listed file is missing or its bytes are not those that were listed.
    """
    return [
        publish(tx, source=locked_source(folder, slug, version, digest), name=str(file_of(folder, slug, version)))
        for (slug, version), digest in sorted(locked(folder).items())
    ]


def file_of(folder: Path, slug: str, version: int) -> Path:
    """Return where the file of a version lives."""
    return folder / slug / f"v{version}.yaml"


def locked(folder: Path) -> dict[tuple[str, int], str]:
    """Return the SHA-256 of each version that a folder lists as published.

    :raises Refused: if the list cannot be read.
    """
    path = folder / LOCK_FILE
    try:
        return parse_lock(path.read_text("utf-8") if path.exists() else "", str(path))
    except DefinitionError as failure:
        raise Refused(str(failure)) from failure


def locked_source(folder: Path, slug: str, version: int, digest: str) -> bytes:
    """Return the bytes of a listed version.

    :raises Refused: if the file is missing or was changed after it was published.
    """
    path = file_of(folder, slug, version)
    if not path.is_file():
        raise Refused(f"{path} is listed in {LOCK_FILE} and is missing. Bring the file back.")
    source = path.read_bytes()
    if (found := hashlib.sha256(source).hexdigest()) != digest:
        raise Refused(f"{path}: {changed(slug, version, published=digest, found=found)}")
    return source


def framework_ids(folder: Path | None) -> dict[str, frozenset[str]]:
    """Return the identifiers of each framework version by its name, such as ``csf-2.0``."""
    if folder is None or not folder.is_dir():
        return {}
    return {path.stem: parse_ids(path.read_text("utf-8")) for path in sorted(folder.glob("*.txt"))}


def compiled(tx: Tx, questionnaire_id: UUID) -> Questionnaire:
    """Return a published version, compiled. Each process compiles each version once.

    :raises NotFound: if there is none.
    """
    memo: dict[UUID, Questionnaire] = tx.session.info.setdefault("compiled questionnaires", {})
    if questionnaire_id in memo:
        return memo[questionnaire_id]
    digest = tx.session.execute(
        sa.select(QuestionnaireVersion.digest).where(QuestionnaireVersion.id == questionnaire_id)
    ).scalar_one_or_none()
    if digest is None:
        raise NotFound
    if digest not in _compiled:
        source = tx.session.execute(
            sa.select(QuestionnaireVersion.source).where(QuestionnaireVersion.id == questionnaire_id)
        ).scalar_one()
        _compile(source, digest, str(questionnaire_id))
    memo[questionnaire_id] = _compiled[digest]
    return _compiled[digest]


def _compile(source: bytes, digest: str, name: str) -> Questionnaire:
    """Compile, or take what was compiled. One thread at a time: the others wait and find it done.

    :raises Refused: if the file does not compile.
    """
    if found := _compiled.get(digest):
        return found
    with _compiling:
        if digest not in _compiled:
            try:
                _compiled[digest] = compile_yaml(source, name)
            except DefinitionError as failure:
                raise Refused(str(failure)) from failure
        return _compiled[digest]


def get(tx: Tx, questionnaire_id: UUID) -> QuestionnaireVersion:
    """Return a published version by its id.

    :raises NotFound: if there is none.
    """
    if row := get_one(tx, _versions().where(QuestionnaireVersion.id == questionnaire_id)):
        return row
    raise NotFound


def source_of(tx: Tx, questionnaire_id: UUID) -> bytes:
    """Return the bytes of a published version.

    :raises NotFound: if there is none.
    """
    source = tx.session.execute(
        sa.select(QuestionnaireVersion.source).where(QuestionnaireVersion.id == questionnaire_id)
    ).scalar_one_or_none()
    if source is None:
        raise NotFound
    return source


def latest(tx: Tx, slug: str) -> QuestionnaireVersion:
    """Return the newest published version of a questionnaire.

    :raises NotFound: if none is published.
    """
    newest = _versions().where(QuestionnaireVersion.slug == slug).order_by(QuestionnaireVersion.version.desc()).limit(1)
    if row := get_one(tx, newest):
        return row
    raise NotFound


def named(tx: Tx, slug: str, version: int) -> QuestionnaireVersion:
    """Return a published version by its name.

    :raises NotFound: if it is not published.
    """
    wanted = _versions().where(QuestionnaireVersion.slug == slug, QuestionnaireVersion.version == version)
    if row := get_one(tx, wanted):
        return row
    raise NotFound


def list_versions(tx: Tx) -> Sequence[queries.VersionLine]:
    """Return every published version: by slug, the newest first."""
    return queries.versions(tx)


def _versions() -> sa.Select[QuestionnaireVersion]:
    return sa.select(QuestionnaireVersion).options(defer(QuestionnaireVersion.source))
