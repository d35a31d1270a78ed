"""Find a Chromium for the browser tests: the CHROMIUM variable, the system's, else the npm package's."""

import io
import os
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

import brotli

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "node_modules/@sparticuz/chromium"
INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
"""


class NoChromium(Exception):
    """No browser was found; the message says how to get one."""


@dataclass(frozen=True, slots=True)
class Chromium:
    """A browser to launch: its path, and what its process needs around it."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()


def find() -> Chromium:
    """Return the Chromium to use.

    :raises NoChromium: if there is none.
    """
    if chosen := os.environ.get("CHROMIUM"):
        return Chromium(Path(chosen))
    for name in INSTALLED:
        if found := shutil.which(name):
            return Chromium(Path(found))
    if PACKAGE.is_dir():
        return _unpacked(PACKAGE)
    raise NoChromium("No Chromium here. Run npm ci, install Debian's chromium, or set CHROMIUM to its path")


def _unpacked(package: Path) -> Chromium:
    """Inflate the npm package's build once, beside the package, and return it ready to launch."""
    home = package / ".unpacked"
    binary = home / "chromium"
    if not (home / "complete").is_file():
        # Another test process may be doing the same: work in a folder of our own, then move it into place.
        work = package / f".unpacking-{os.getpid()}"
        _inflate(package / "bin", work)
        try:
            work.rename(home)
        except OSError:
            shutil.rmtree(work)
    (home / "fonts.conf").write_text(
        FONTS_CONF.format(fonts=home / "fonts", cache=home / "font-cache"), encoding="utf-8"
    )
    libraries = [str(home / "lib"), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    env = {"LD_LIBRARY_PATH": os.pathsep.join(libraries), "FONTCONFIG_FILE": str(home / "fonts.conf")}
    # Drawn by the processor: making up a graphics card costs two seconds for each new window.
    return Chromium(binary, env, ("--disable-gpu", "--disable-gpu-compositing", "--in-process-gpu"))


def _inflate(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for name in ("al2023", "fonts", "swiftshader"):
        packed = brotli.decompress((source / f"{name}.tar.br").read_bytes())
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(target, filter="data")
    binary = target / "chromium"
    binary.write_bytes(brotli.decompress((source / "chromium.br").read_bytes()))
    binary.chmod(0o755)
    (target / "complete").touch()
