"""The folders of the embedded database: who may reach them, how long a path may be, one holder at a time."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from portal.kernel.launch.identity import Identity, Way
from portal.kernel.launch.refusal import AlreadyRunning, LaunchRefused

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107  # bytes; sockaddr_un holds 108 with its final NUL
SHARED_HOME = Path("/var/lib/gatehouse")
DISK_FULL = "The disk that holds {path} is full: make room, or choose another folder: make run VAR=/other/folder"


def make(folder: Path, *, mode: int = 0o700) -> Path:
    """Return the folder, made if it was missing.

    :raises LaunchRefused: if it cannot be made.
    """
    try:
        folder.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as problem:
        raise LaunchRefused(explain(problem, folder)) from problem
    return folder


def explain(problem: OSError, path: Path) -> str:
    """Return one sentence for what the system refused at ``path``."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return DISK_FULL.format(path=path)
    if problem.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path} may not be written by this user: give it the rights, or choose another folder with VAR="
    if problem.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"{path} is a file where a folder is needed: move it, or choose another folder with VAR="
    return f"{path} cannot be used ({os.strerror(problem.errno or 0)}): choose another folder with VAR="


def require_room(folder: Path, needed: int) -> None:
    """Check that ``needed`` bytes are free before anything is half made.

    :raises LaunchRefused: if they are not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LaunchRefused(
            f"Only {free // 2**20} MB are free where {folder} is, and a start needs {needed // 2**20} MB: "
            "make room, or choose another folder: make run VAR=/other/folder"
        )


def hold(lock_file: Path, *, busy: str) -> int:
    """Return a descriptor that holds the lock until it is closed or the process dies.

    :raises AlreadyRunning: with the sentence ``busy`` (``{holder}`` is what the holder wrote) if it is held.
    :raises LaunchRefused: if the file cannot be written.
    """
    make(lock_file.parent)
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise LaunchRefused(explain(problem, lock_file)) from problem
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(descriptor, 200).decode(errors="replace").strip()
        os.close(descriptor)
        raise AlreadyRunning(busy.format(holder=holder or "unknown")) from None
    return descriptor


def sign(descriptor: int, text: str) -> None:
    """Write into a held lock who holds it.

    :raises LaunchRefused: if the disk has no room for a line.
    """
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)
    except OSError as problem:
        raise LaunchRefused(explain(problem, Path("the folder of the data"))) from problem


def reaches(path: Path, uid: int, gid: int) -> bool:
    """Tell whether a plain account may walk down to ``path``, by the permission bits of the folders above."""
    for folder in path.absolute().parents:
        try:
            facts = folder.stat()
        except OSError:
            return False
        if facts.st_uid == uid:
            bit = stat.S_IXUSR
        elif facts.st_gid == gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if not facts.st_mode & bit:
            return False
    return True


def fingerprint(path: Path) -> str:
    """Return a short name for a folder, the same on every start."""
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]


def place_data(wanted: Path, identity: Identity) -> Path:
    """Return where the data really goes: ``wanted``, unless the account of the database cannot reach it."""
    parent = make(wanted.parent)
    if identity.way is not Way.ACCOUNT:
        return wanted
    if not reaches(wanted, identity.uid, identity.gid) and parent.stat().st_uid == os.geteuid():
        os.chown(parent, -1, identity.gid)
        parent.chmod(stat.S_IMODE(parent.stat().st_mode) | stat.S_IXGRP)
    if reaches(wanted, identity.uid, identity.gid):
        return wanted
    make(SHARED_HOME, mode=0o755).chmod(0o755)
    return SHARED_HOME / fingerprint(wanted) / "postgres"


def place_socket(data: Path, identity: Identity) -> Path:
    """Return a private folder whose socket path is short enough, beside the data if it can be.

    :raises LaunchRefused: if a folder of that name belongs to somebody else.
    """
    beside = data.with_name(data.name + ".run")
    places = [beside]
    if (runtime := os.environ.get("XDG_RUNTIME_DIR")) and identity.way is not Way.ACCOUNT:
        places.append(Path(runtime) / f"gatehouse-{fingerprint(data)}")
    places.append(Path(tempfile.gettempdir()) / f"gatehouse-{os.geteuid()}-{fingerprint(data)}")
    places.append(Path("/tmp") / f"gatehouse-{os.geteuid()}-{fingerprint(data)}")  # noqa: S108  # nosec B108 - checked below
    shutil.rmtree(beside, ignore_errors=True)  # it holds sockets only, and the lock says that nobody uses it
    for place in places:
        if fits(place) and (place.parent.is_dir() and os.access(place.parent, os.W_OK)):
            return _private(place, identity)
    raise LaunchRefused(f"No folder short enough for the database's socket was found; {places[-1]} cannot be made.")


def fits(folder: Path) -> bool:
    """Tell whether a socket in this folder has a path that the system and the client library can carry."""
    path = os.fsencode(folder.absolute() / SOCKET_NAME)
    return len(path) <= LONGEST_SOCKET_PATH and b"," not in path


def _private(folder: Path, identity: Identity) -> Path:
    make(folder)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in {os.geteuid(), identity.owner_uid}:
        raise LaunchRefused(f"{folder} belongs to somebody else: remove it, or choose another folder with VAR=")
    own(folder, identity)
    folder.chmod(0o700)
    return folder


def own(folder: Path, identity: Identity) -> None:
    """Give the folder and all in it to the identity, if it is not so yet (root changed its way of starting).

    :raises LaunchRefused: if this user may not.
    """
    if folder.stat().st_uid == identity.owner_uid:
        return
    if os.geteuid() != 0:
        raise LaunchRefused(f"{folder} belongs to another user: start as that user, or choose another folder with VAR=")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, identity.owner_uid, identity.owner_gid, follow_symlinks=False)
