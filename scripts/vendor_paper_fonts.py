"""Rebuild the fonts of printed documents from their pinned npm packages, and the list of letters that they have.

Only needed when a font changes; what it writes is kept in the repository. In an empty folder::

    npm pack @ibm/plex-sans@1.1.0 @ibm/plex-mono@2.5.0
    for each in *.tgz; do tar xzf $each; done
    uv run --with fonttools==4.60.1 --with brotli python <repository>/scripts/vendor_paper_fonts.py package

The press reads TrueType and not WOFF2, and the fonts of the pages have Latin letters only: so these are the complete
fonts of the same family, unpacked and otherwise unchanged.
"""

import hashlib
import sys
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent.parent / "portal/kernel/paper/fonts"
NAMES = ("IBMPlexSans-Regular", "IBMPlexSans-SemiBold", "IBMPlexSans-Italic", "IBMPlexMono-Regular")


def ranges(points: set[int]) -> list[str]:
    """Return code points as lines "first-last", in hexadecimal."""
    found: list[list[int]] = []
    for point in sorted(points):
        if found and point == found[-1][1] + 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return [f"{first:04x}-{last:04x}" for first, last in found]


def main(package: Path) -> None:
    """Write the fonts, their fingerprints, and the letters that every text font has."""
    letters: set[int] | None = None
    for name in NAMES:
        font = TTFont(package / f"fonts/complete/woff2/{name}.woff2", recalcTimestamp=False)
        font.flavor = None
        font.save(FONTS / f"{name}.ttf")
        if "Sans" in name:
            has = set(font.getBestCmap())
            letters = has if letters is None else letters & has
    (FONTS / "letters.txt").write_text("\n".join(ranges(letters or set())) + "\n", "utf-8")
    lines = (f"{hashlib.sha256(each.read_bytes()).hexdigest()}  {each.name}\n" for each in sorted(FONTS.glob("*.ttf")))
    (FONTS / "fonts.lock").write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
