"""The changes between two versions as lines to read in a terminal, like the review of a text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from portal.questionnaires.rules import meaning
from portal.questionnaires.rules.definition import Claim, Decision, Questionnaire
from portal.questionnaires.rules.diff import TOP, Change, Part, diff
from portal.questionnaires.rules.plain import Plain
from portal.questionnaires.rules.wording import Piece, about, words

Mark = Callable[[Piece], str]

_CLAIMS: Final[Mapping[Claim, str]] = {
    Claim.SAME: "same claim",
    Claim.CHANGED: "changed claim",
    Claim.REMOVED: "removed",
}


def brackets(piece: Piece) -> str:
    """Mark what went and what came by signs: [-old-]{+new+}."""
    return {"same": "{}", "out": "[-{}-]", "in": "{{+{}+}}"}[piece.kind].format(piece.text)


def colours(piece: Piece) -> str:
    """Mark what went in red and struck through, what came in green and underlined, for a terminal."""
    return {"same": "{}", "out": "\x1b[9;31m{}\x1b[0m", "in": "\x1b[4;32m{}\x1b[0m"}[piece.kind].format(piece.text)


def is_about(old: Questionnaire, new: Questionnaire) -> bool:
    """Tell whether the decisions in the new version are about the changes since the old one."""
    return new.changes is not None and new.changes.since == old.version and new.slug == old.slug


def review(old: Questionnaire, new: Questionnaire, mark: Mark = brackets) -> Iterator[str]:
    """Yield the lines: how many changes, then section by section and question by question, each with its decision."""
    changes = diff(old, new)
    decided = _verdicts(old, new)
    yield f"{old.slug} v{old.version} → {new.slug} v{new.version}: {summary(changes)}."
    yield from _verdict_counts(old, new, changes)
    section = ""
    for key, mine in groupby(changes, key=lambda change: change.key):
        found = list(mine)
        heading = _heading(new, found[0])
        if heading != section:
            section = heading
            yield ""
            yield heading
        yield from _of_key(old, new, key, found, decided, mark)


def summary(changes: Sequence[Change]) -> str:
    """Return how many keys were added, removed and changed, such as `2 added, 1 removed, 14 changed`."""
    kinds: dict[str, str] = {}
    for change in changes:
        kinds[change.key] = change.part if change.part in (Part.ADDED, Part.REMOVED) else "changed"
    counts = [(name, list(kinds.values()).count(name)) for name in ("added", "removed", "changed")]
    return ", ".join(f"{count} {name}" for name, count in counts if count) or "nothing changed"


def readable(value: Plain) -> str:
    """Return plain data as a person would write it in a line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if "option" in value:
            return readable(value["option"])
        if "operator" in value and "credit" in value:
            return _step(value)
        if "key" in value and "label" in value:
            return _labelled(value)
        return " ".join(f"{name} {readable(item)}" for name, item in value.items() if item is not None)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(readable(item) for item in value)
    return str(value)


def _step(step: Mapping[str, Any]) -> str:
    bound = "else" if step["operator"] is None else f"{step['operator']}{step['bound']}"
    label = f" ({step['label']})" if step.get("label") else ""
    return f"{bound} → {step['credit']}{label}"


def _labelled(item: Mapping[str, Any]) -> str:
    rest = {name: each for name, each in item.items() if name not in ("key", "label")}
    return f"{item['key']} “{item['label']}”" + (f" ({readable(rest)})" if rest else "")


def _verdicts(old: Questionnaire, new: Questionnaire) -> Mapping[tuple[str, str], str]:
    """Return what was decided, or why it was not, by key and part."""
    if not is_about(old, new):
        return {}
    decisions = new.changes.decisions if new.changes else ()
    found = {(each.key, each.part): _said(each) for each in decisions}
    for each in meaning.undecided(old, new):
        place = (each.change.key, each.change.part)
        if place in found:
            found[place] += f". To settle: {each.why}"
        else:
            found[place] = _undecided(each.change) if each.change.needs_decision else f"to settle: {each.why}"
    return found


def _said(decision: Decision) -> str:
    return _CLAIMS[decision.claim] + (f": {decision.note}" if decision.note else "")


def _undecided(change: Change) -> str:
    return f"undecided, proposal: {_CLAIMS[change.proposal or Claim.CHANGED]}"


def _verdict_counts(old: Questionnaire, new: Questionnaire, changes: Sequence[Change]) -> Iterator[str]:
    needed = sum(change.needs_decision for change in changes)
    if not needed:
        return
    if is_about(old, new):
        left = len(meaning.undecided(old, new))
        yield f"{_counted(needed, 'change needs', 'changes need')} a decision; {left or 'none'} left to settle."
    elif new.slug == old.slug:
        yield f"{_counted(needed, 'change needs', 'changes need')} a decision; v{new.version} has none about them."


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _heading(new: Questionnaire, change: Change) -> str:
    if change.part == Part.REMOVED:
        return "Removed"
    if change.key == TOP:
        return "The questionnaire"
    if any(fact.key == change.key for fact in new.scoping):
        return "Scoping facts"
    key = new.question(change.key).section if change.key in new else change.key
    section = new.section(key)
    return f"{section.number}. {section.title} ({section.key})"


def _of_key(
    old: Questionnaire,
    new: Questionnaire,
    key: str,
    changes: Sequence[Change],
    decided: Mapping[tuple[str, str], str],
    mark: Mark,
) -> Iterator[str]:
    yield f"  {_title(old, new, key, changes[0])}"
    if changes[0].part == Part.ADDED and key in new:
        question = new.question(key)
        yield f"      Kind {question.kind}, weight {question.weight}, tiers {readable(sorted(question.tiers))}"
    for change in changes:
        if change.part not in (Part.ADDED, Part.REMOVED, Part.REVISION):
            yield f"      {_line(change, mark)}"
        verdict = decided.get((change.key, change.part))
        if verdict is None and change.needs_decision and old.slug == new.slug:
            verdict = _undecided(change)
        if verdict:
            yield f"        ⇒ {verdict}"


def _title(old: Questionnaire, new: Questionnaire, key: str, change: Change) -> str:
    sign = {Part.ADDED.value: "+", Part.REMOVED.value: "-"}.get(change.part, "~")
    version = old if change.part == Part.REMOVED else new
    if key in version:
        question = version.question(key)
        revised = key in old and key in new and old.question(key).revision != new.question(key).revision
        note = f", revision {old.question(key).revision} → {question.revision}" if revised else ""
        return f"{sign} {question.number} {key}{note}: {question.text}"
    if key == TOP:
        return f"{sign} {new.slug}"
    facts = [fact.text for fact in version.scoping if fact.key == key]
    return f"{sign} {key}: {facts[0]}" if facts else f"{sign} section {key}: {version.section(key).title}"


def _line(change: Change, mark: Mark) -> str:
    name = about(change.part)
    name = f"{name[0].upper()}{name[1:]}"
    if change.part == Part.MOVED:
        return f"{name}: {_place(change.old)} → {_place(change.new)}"
    return f"{name}: " + "".join(mark(piece) for piece in words(readable(change.old), readable(change.new)))


def _place(value: Plain) -> str:
    place = value if isinstance(value, Mapping) else {}
    after = f"after {place['after']}" if place.get("after") else "first"
    return f"{after} in {place['section']}" if "section" in place else after
