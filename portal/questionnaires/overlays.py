"""The overlay files of a folder, tried on the bases that they were written for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from portal.questionnaires import files, service
from portal.questionnaires.rules import DefinitionError, compile_yaml, lint
from portal.questionnaires.rules.overlay import assemble_with_places, read_overlay


def overlay_files(folder: Path) -> list[Path]:
    """Return the overlay files of a folder in the order of their names."""
    return sorted(folder.glob("overlays/*/v*.yaml"))


def overlay_problems(path: Path, folder: Path) -> Iterator[str]:
    """Yield what is wrong with an overlay: by itself, in its base, and in what comes of the two."""
    name = files.shown(path, folder)
    source = path.read_bytes()
    try:
        overlay = read_overlay(source, name)
    except DefinitionError as failure:
        yield from map(str, failure.problems)
        return
    if (path.parent.name, path.name) != (overlay.slug, f"v{overlay.version}.yaml"):
        place = f"overlays/{overlay.slug}/v{overlay.version}.yaml"
        yield f"{name}:1:1: The file says {overlay.slug} v{overlay.version}; its place is {place}"
    base = service.file_of(folder, overlay.base_slug, overlay.base_version)
    if not base.is_file():
        yield f"{name}:1:1: Its base {overlay.base_slug} v{overlay.base_version} is missing"
        return
    base_name = files.shown(base, folder)
    try:
        assembled, at_home = assemble_with_places(
            base.read_bytes(),
            [source],
            slug=f"{overlay.base_slug}-with-{overlay.slug}",
            version=1,
            title=overlay.title,
            base_name=base_name,
            names=[name],
        )
    except DefinitionError as failure:
        yield from map(str, failure.problems)
        return
    known = service.framework_ids(folder / "frameworks")
    # What the base has by itself is told at the base.
    own = {problem.message for problem in lint(compile_yaml(base.read_bytes(), base_name), known)}
    for problem in map(at_home, lint(compile_yaml(assembled, name), known)):
        if problem.file == name or problem.message not in own:
            yield str(problem)
