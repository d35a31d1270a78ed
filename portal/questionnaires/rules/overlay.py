"""Puts the lab's own extra questions into a base questionnaire, as text, so that nothing of the base is lost.

An overlay is a file of its own, versioned on its own: which questions go behind which question of which base. Putting
them together gives an ordinary, self-contained version under a slug of its own; the base stays as it is. Whatever would
need a guess (two overlays at one place, a key that exists twice) is refused, with both places.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from portal.questionnaires.rules.compile import compile_yaml
from portal.questionnaires.rules.definition import Framework, Questionnaire
from portal.questionnaires.rules.problems import DefinitionError, Problem
from portal.questionnaires.rules.reader import Reader, spot
from portal.questionnaires.rules.splice import Edit, Lines, leaf_text, spliced
from portal.questionnaires.rules.tree import Record, grow
from portal.questionnaires.rules.yamltext import quoted

_TOP: Final = ("overlay", "version", "title", "base", "frameworks", "insert")


@dataclass(frozen=True, slots=True)
class Addition:
    """One question of an overlay: its key, where it stands, and its record."""

    key: str
    place: tuple[int, int]
    record: Record


@dataclass(frozen=True, slots=True)
class Insertion:
    """Questions that go behind a question of the base; `place` is where the overlay names that one."""

    after: str
    place: tuple[int, int]
    questions: tuple[Addition, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Extra questions for a base questionnaire, read from a file."""

    name: str
    slug: str
    version: int
    title: str
    base_slug: str
    base_version: int
    frameworks: Mapping[str, Framework]
    places: Mapping[str, tuple[int, int]]
    insertions: tuple[Insertion, ...]
    lines: Lines
    digest: str


def read_overlay(source: bytes, name: str) -> Overlay:
    """Read an overlay file; its questions are judged once they stand in a base.

    :raises DefinitionError: with every problem of its frame, each with file, line and column.
    """
    root = grow(source, name)
    read, what = Reader(name), "an overlay"
    read.fields(root, _TOP, what)
    base = read.record(root, "base", what, required=True)
    if base is not None:
        read.fields(base, ("slug", "version"), "base")
    frameworks, places = _frameworks(read, root)
    insertions = tuple(_insertion(read, item) for item in read.records(root, "insert", what, required=True))
    overlay = Overlay(
        name=name,
        slug=read.slug(root, "overlay", what),
        version=read.integer(root, "version", what, 1, 9_999),
        title=read.text(root, "title", what),
        base_slug=read.slug(base, "slug", "base") if base else "",
        base_version=read.integer(base, "version", "base", 1, 9_999) if base else 1,
        frameworks=frameworks,
        places=places,
        insertions=insertions,
        lines=Lines.of(source, name),
        digest=hashlib.sha256(source).hexdigest(),
    )
    if read.problems:
        raise DefinitionError(read.problems)
    return overlay


def assemble(
    base_source: bytes,
    overlays: Sequence[bytes],
    *,
    slug: str,
    version: int,
    title: str,
    since: int | None = None,
    base_name: str = "base.yaml",
    names: Sequence[str] = (),
) -> bytes:
    """Return the base with the questions of the overlays in it, as the source of a version of its own.

    The order in which the overlays are given means nothing. `names` are what problems call them. The decisions of the
    base on its changes speak of its own versions and are left out, unless `since` says which version of this slug they
    may be measured against; each still has to fit its change.

    :raises DefinitionError: naming file, line and column of both places, if the base or an overlay does not compile,
        two define the same key or insert at the same place, a key or place is not there, the slug is the base's own,
        an overlay is for another base, or a condition speaks of a later question.
    """
    return assemble_with_places(
        base_source,
        overlays,
        slug=slug,
        version=version,
        title=title,
        since=since,
        base_name=base_name,
        names=names,
    )[0]


def assemble_with_places(
    base_source: bytes,
    overlays: Sequence[bytes],
    *,
    slug: str,
    version: int,
    title: str,
    since: int | None = None,
    base_name: str = "base.yaml",
    names: Sequence[str] = (),
) -> tuple[bytes, Callable[[Problem], Problem]]:
    """Return what :func:`assemble` does, and what names the place in the base or overlay that a problem is about.

    :raises DefinitionError: as :func:`assemble` does.
    """
    names = [*names, *(f"overlay-{number}.yaml" for number in range(len(names) + 1, len(overlays) + 1))]
    base = compile_yaml(base_source, base_name)
    read = sorted(
        (read_overlay(source, name) for source, name in zip(overlays, names, strict=True)),
        key=lambda overlay: (overlay.slug, overlay.version, overlay.digest),
    )
    problems = [*_frame(base, read, slug), *_collisions(base, read), *_clashing_frameworks(base, read)]
    if problems:
        raise DefinitionError(problems)
    root, text = grow(base_source, base_name), Lines.of(base_source, base_name)
    edits = [
        *_head(text, root, base, read, slug=slug, version=version, title=title),
        *_counts(text, root, base, read),
        *_added_frameworks(text, root, base, read),
        *_decisions(text, root, since),
        *_questions(text, root, read),
    ]
    source, origins = spliced(text, edits)

    def at_home(problem: Problem) -> Problem:
        return _at_home(problem, origins)

    try:
        result = compile_yaml(source, "assembled")
    except DefinitionError as failure:
        raise DefinitionError(map(at_home, failure.problems)) from None
    if backwards := list(_forward(result, base, read)):
        raise DefinitionError(backwards)
    return source, at_home


# --- reading


def _frameworks(read: Reader, root: Record) -> tuple[dict[str, Framework], dict[str, tuple[int, int]]]:
    found: dict[str, Framework] = {}
    places: dict[str, tuple[int, int]] = {}
    record = read.record(root, "frameworks", "an overlay")
    for key, node in record.items.items() if record else ():
        if not isinstance(node, Record):
            read.problem(spot(node), "A framework needs a name and a version")
            continue
        what = f"framework {key}"
        read.fields(node, ("name", "version"), what)
        found[key] = Framework(key, read.text(node, "name", what), read.text(node, "version", what))
        places[key] = record.places[key] if record else spot(node)
    return found, places


def _insertion(read: Reader, item: Record) -> Insertion:
    what = "an insertion"
    read.fields(item, ("after", "questions"), what)
    after = read.dotted(item, "after", what)
    place = spot(item.items["after"]) if "after" in item.items else spot(item)
    found: list[Addition] = []
    for record in read.records(item, "questions", what, required=True):
        key = read.dotted(record, "key", "a question")
        found.append(Addition(key, record.places.get("key", spot(record)), record))
    return Insertion(after, place, tuple(found))


# --- what does not go together


def _at(name: str, place: tuple[int, int]) -> str:
    return f"{name}:{place[0]}:{place[1]}"


def _frame(base: Questionnaire, overlays: Sequence[Overlay], slug: str) -> Iterable[Problem]:
    if base.assembled is not None:
        place = base.positions["assembled"]
        yield Problem(base.source, *place, "This file is assembled already; assemble its base with all overlays")
    if slug == base.slug:
        yield Problem(base.source, 1, 1, f"The assembled version needs a slug other than “{slug}”, its base's own")
    seen: dict[str, Overlay] = {}
    for overlay in overlays:
        if overlay.base_slug != base.slug:
            message = f"This overlay is for “{overlay.base_slug}”, and the base is “{base.slug}”"
            yield Problem(overlay.name, 1, 1, message)
        twin = seen.setdefault(overlay.slug, overlay)
        if twin is not overlay:
            yield Problem(overlay.name, 1, 1, f"The overlay “{overlay.slug}” is given twice, also as {twin.name}")


def _collisions(base: Questionnaire, overlays: Sequence[Overlay]) -> Iterable[Problem]:
    """Find keys that exist twice, places that are taken twice, and places that are not there."""
    keys: dict[str, tuple[str, tuple[int, int]]] = {
        key: (base.source, place) for key, place in base.positions.items() if key and "/" not in key
    }
    anchors: dict[str, tuple[str, tuple[int, int]]] = {}
    for overlay in overlays:
        for insertion in overlay.insertions:
            if insertion.after not in base:
                message = f"“{insertion.after}” is not a question of {base.slug} v{base.version} ({base.source})"
                yield Problem(overlay.name, *insertion.place, message)
            mine = (overlay.name, insertion.place)
            other = anchors.setdefault(insertion.after, mine)
            if other is not mine:
                words = f"Two insertions come after “{insertion.after}”, so their order would be a guess; the other is"
                yield Problem(*other[:1], *other[1], f"{words} {_at(*mine)}")
                yield Problem(*mine[:1], *mine[1], f"{words} {_at(*other)}")
            for question in insertion.questions:
                here = (overlay.name, question.place)
                there = keys.setdefault(question.key, here)
                if there is not here:
                    yield Problem(here[0], *here[1], f"The key “{question.key}” is also defined in {_at(*there)}")
                    yield Problem(there[0], *there[1], f"The key “{question.key}” is also defined in {_at(*here)}")


def _clashing_frameworks(base: Questionnaire, overlays: Sequence[Overlay]) -> Iterable[Problem]:
    known: dict[str, tuple[str, tuple[int, int], Framework]] = {
        key: (base.source, base.positions[f"frameworks/{key}"], framework) for key, framework in base.frameworks.items()
    }
    for overlay in overlays:
        for key, framework in overlay.frameworks.items():
            here = (overlay.name, overlay.places[key], framework)
            there = known.setdefault(key, here)
            if there[2] != framework:
                words = f"The framework “{key}” is {framework.name} {framework.version} here and"
                other = f"{there[2].name} {there[2].version} in {_at(there[0], there[1])}"
                yield Problem(here[0], *here[1], f"{words} {other}")
                words = f"The framework “{key}” is {there[2].name} {there[2].version} here and"
                other = f"{framework.name} {framework.version} in {_at(here[0], here[1])}"
                yield Problem(there[0], *there[1], f"{words} {other}")


def _forward(result: Questionnaire, base: Questionnaire, overlays: Sequence[Overlay]) -> Iterable[Problem]:
    """Find conditions of the added questions that speak of a question that comes later, or nowhere."""
    order = {question.key: number for number, question in enumerate(result.questions)}
    homes = {key: (base.source, base.positions[key]) for key in order if key in base}
    added = {
        addition.key: (overlay, addition)
        for overlay in overlays
        for insertion in overlay.insertions
        for addition in insertion.questions
    }
    homes.update({key: (overlay.name, addition.place) for key, (overlay, addition) in added.items()})
    for key, (overlay, addition) in added.items():
        condition = result.question(key).requires
        place = addition.record.places.get("requires", addition.place)
        for earlier in condition.keys if condition else ():
            if earlier not in order:
                yield Problem(overlay.name, *place, f"“{earlier}” is not a question of this version")
            elif order[earlier] >= order[key]:
                message = f"“{earlier}” is not asked before this question; it stands in {_at(*homes[earlier])}"
                yield Problem(overlay.name, *place, message)


# --- writing


def _head(
    text: Lines, root: Record, base: Questionnaire, overlays: Sequence[Overlay], *, slug: str, version: int, title: str
) -> Iterable[Edit]:
    for key, value in (("slug", slug), ("version", str(version)), ("title", quoted(title))):
        yield text.value(root, key, value)
    record = [
        "# Put together by “flask questionnaires assemble”: to change it, change the base or an overlay instead.",
        "assembled:",
        f"  base: {{slug: {base.slug}, version: {base.version}, sha256: {base.digest}}}",
        "  overlays:",
        *(f"    - {{slug: {each.slug}, version: {each.version}, sha256: {each.digest}}}" for each in overlays),
    ]
    yield text.before(root, "expects", record)


def _counts(text: Lines, root: Record, base: Questionnaire, overlays: Sequence[Overlay]) -> Iterable[Edit]:
    """Raise the counts by what is added, whatever they said before."""
    expects = root.items["expects"]
    added = [each.record for overlay in overlays for insertion in overlay.insertions for each in insertion.questions]
    weights = [leaf_text(record, "weight") for record in added]
    weight = sum(int(each) for each in weights if each.isascii() and each.isdigit())
    if isinstance(expects, Record):
        yield text.value(expects, "questions", str(base.expects.questions + len(added)))
        yield text.value(expects, "question_weight", str(base.expects.question_weight + weight))


def _added_frameworks(text: Lines, root: Record, base: Questionnaire, overlays: Sequence[Overlay]) -> Iterable[Edit]:
    needed = {
        key: each for overlay in overlays for key, each in overlay.frameworks.items() if key not in base.frameworks
    }
    lines = [
        f"{key}: {{name: {quoted(each.name)}, version: {quoted(each.version)}}}" for key, each in sorted(needed.items())
    ]
    if not lines:
        return
    node = root.items.get("frameworks")
    if isinstance(node, Record) and node.items:
        yield text.behind(node, list(node.items)[-1], lines)
    else:
        yield text.before(root, "expects", ["frameworks:", *(f"  {line}" for line in lines)], rank=1)


def _decisions(text: Lines, root: Record, since: int | None) -> Iterable[Edit]:
    changes = root.items.get("changes")
    if isinstance(changes, Record):
        yield text.without(root, "changes") if since is None else text.value(changes, "since", str(since))


def _questions(text: Lines, root: Record, overlays: Sequence[Overlay]) -> Iterable[Edit]:
    anchors = {
        leaf_text(record, "key"): record
        for section in _records(root, "sections")
        for record in _records(section, "questions")
    }
    for overlay in overlays:
        for insertion in overlay.insertions:
            yield text.items_behind(
                anchors[insertion.after],
                overlay.lines,
                [question.record for question in insertion.questions],
                remark=f"# From the overlay {overlay.slug} v{overlay.version}:",
            )


def _records(record: Record, key: str) -> list[Record]:
    node = record.items.get(key)
    return [item for item in getattr(node, "items", ()) if isinstance(item, Record)]


def _at_home(problem: Problem, origins: Sequence[tuple[str, int, int]]) -> Problem:
    """Name the place in the file that a line of the assembled text came from."""
    if not 1 <= problem.line <= len(origins):
        return problem
    name, line, shift = origins[problem.line - 1]
    return Problem(name, line, max(1, problem.column - shift), problem.message)
