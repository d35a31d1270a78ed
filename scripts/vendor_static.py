"""Rebuild the icon sprite and the vendored scripts from the pinned npm packages (npm ci first)."""

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
MODULES = ROOT / "node_modules"

# One file per package, so that a page asks once: htmx first, then the extension that registers with it.
VENDORED = {
    "htmx-4.0.1.js": ("htmx.org/dist/htmx.min.js", "htmx.org/dist/ext/hx-csp.min.js"),
    "js-sha256-1.0.0.js": ("js-sha256/build/sha256.min.mjs",),
}
LICENCES = {
    "htmx-LICENSE.txt": "htmx.org/LICENSE",
    "js-sha256-LICENSE.txt": "js-sha256/LICENSE.txt",
    "lucide-LICENSE.txt": "lucide-static/LICENSE",
}


def symbol(name: str, svg: str) -> str:
    """Return the drawing of one Lucide file as a symbol without its own size, colour or licence comment."""
    inner = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    inner = re.sub(r"^.*?<svg.*?>|</svg>\s*$", "", inner, flags=re.DOTALL)
    inner = re.sub(r"\s*\n\s*", "", inner).strip()
    return f'<symbol id="i-{name}" viewBox="0 0 24 24">{inner}</symbol>'


def sprite(names: list[str]) -> str:
    """Return the sprite of the icons we use, in the order of icons.txt."""
    drawings = (symbol(name, (MODULES / f"lucide-static/icons/{name}.svg").read_text("utf-8")) for name in names)
    return '<svg xmlns="http://www.w3.org/2000/svg">' + "".join(drawings) + "</svg>\n"


def vendored(parts: tuple[str, ...]) -> bytes:
    """Return the parts as one script, without the source map comments that would point nowhere."""
    scripts = (re.sub(rb"\n?//# sourceMappingURL=.*", b"", (MODULES / part).read_bytes()) for part in parts)
    return b";\n".join(script.strip() for script in scripts) + b"\n"


def digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def main() -> int:
    """Write the sprite, the vendored scripts, their licences and the lock file."""
    names = (STATIC / "icons/icons.txt").read_text("utf-8").split()
    (STATIC / "icons/sprite.svg").write_text(sprite(names), "utf-8")
    for name, source in LICENCES.items():
        (STATIC / "vendor" / name).write_bytes((MODULES / source).read_bytes())
    for name, parts in VENDORED.items():
        (STATIC / "vendor" / name).write_bytes(vendored(parts))
    files = sorted([*(STATIC / "vendor").glob("*.js"), STATIC / "icons/sprite.svg"])
    lines = (f"{hashlib.sha256(f.read_bytes()).hexdigest()}  {f.relative_to(STATIC).as_posix()}\n" for f in files)
    (STATIC / "vendor/vendored.lock").write_text("".join(lines), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
