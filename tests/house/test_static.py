"""The static files are the ones we vendored, name no other host, and stay small."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest

from portal.sites.shared.ui import LAB_NAV, STATUS

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
ICONS = (STATIC / "icons/icons.txt").read_text("utf-8").split()


SITES = ROOT / "portal/sites"


def scripts_of(template: str) -> set[str]:
    """The scripts of ours that a template asks for, and htmx with what ties it to our pages."""
    ours = re.findall(r"\bscript\(\W([a-z]+)|js/([a-z]+)\.js", template)
    return {one or other for one, other in ours} | ({"htmx", "swaps"} if "htmx(csp_nonce" in template else set())


def zipped(pattern: str) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.glob(pattern))


def test_vendored_files_are_the_ones_in_the_lock() -> None:
    lines = (STATIC / "vendor/vendored.lock").read_text("utf-8").splitlines()
    locked = {name: digest for digest, name in (line.split("  ") for line in lines)}

    found = {name: hashlib.sha256((STATIC / name).read_bytes()).hexdigest() for name in locked}

    assert found == locked
    assert {f"vendor/{path.name}" for path in (STATIC / "vendor").glob("*.js")} < set(locked)


def test_the_sprite_holds_the_listed_icons_in_order() -> None:
    sprite = (STATIC / "icons/sprite.svg").read_text("utf-8")

    assert re.findall(r'<symbol id="i-([a-z0-9-]+)"', sprite) == ICONS
    assert sorted(ICONS) == ICONS


def test_every_status_and_destination_has_an_icon_of_the_sprite() -> None:
    used = {look.icon for look in STATUS.values()} | {item.icon for items in LAB_NAV.values() for item in items}

    assert used <= set(ICONS)


@pytest.mark.parametrize(("pattern", "most"), [("css/*.css", 16_000), ("icons/sprite.svg", 6_000)])
def test_files_stay_within_their_budget(pattern: str, most: int) -> None:
    assert 0 < zipped(pattern) <= most


def test_no_page_loads_more_script_than_its_budget() -> None:
    always = scripts_of((SITES / "shared/templates/shared/page.html").read_text("utf-8"))
    assert "page" in always
    sender, passkeys = zipped("vendor/js-sha256-*.js") + zipped("js/upload.js"), zipped("js/passkey.js")
    for path in SITES.rglob("*.html"):
        own = always | scripts_of(path.read_text("utf-8"))
        ours = sum(zipped(f"js/{name}.js") for name in own - {"htmx", "upload"})
        theirs = (zipped("vendor/htmx-*.js") if "htmx" in own else 0) + (sender if "upload" in own else 0)
        # Signing in again in place and what keeps every answer are on the section page; the 28 kB of U6 hold,
        # also with what a page fetches later: what sends and hashes a file, passkeys when a session has ended.
        assert 0 < ours <= 12_000, path
        assert ours + theirs + (0 if "passkey" in own else passkeys) <= 28_000, path


def test_our_scripts_use_no_sink_the_policy_forbids() -> None:
    for path in (STATIC / "js").glob("*.js"):
        text = path.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            path
        )
        assert not re.search(r"https?://", text), path
        assert "localStorage" not in text, path


def test_npm_packages_are_pinned_exactly_and_the_lock_names_no_registry() -> None:
    package = json.loads((ROOT / "package.json").read_text("utf-8"))
    lock = (ROOT / "package-lock.json").read_text("utf-8")

    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    assert '"resolved"' not in lock
    assert set(re.findall(r"https?://[^/\"]+", lock)) <= {
        url for url in re.findall(r"https?://[^/\"]+", lock) if "registry" not in url
    }
