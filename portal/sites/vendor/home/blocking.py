"""What blocks signing, as the home says it: one line a kind, each with the way to where it is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flask import url_for

from portal.attestations.rules import Blocker, BlockerKind
from portal.attestations.service import MessageLine
from portal.sites.shared import timed
from portal.sites.shared.language import _, ngettext
from portal.sites.vendor.renewal.earlier import Left
from portal.sites.vendor.work import Work, link_of
from portal.terms import Side

SHOWN: Final = 6
"""How many blockers of a kind are named one by one; more are counted by section. The check page names all."""

_KINDS: Final = (
    ("scoping", "list-checks", (BlockerKind.SCOPING,)),
    ("confirm", "history", (BlockerKind.CONFIRM,)),
    ("answer", "circle-dashed", (BlockerKind.ANSWER,)),
    ("rule", "git-compare", (BlockerKind.RULE,)),
    ("evidence", "paperclip", (BlockerKind.EVIDENCE, BlockerKind.EVIDENCE_REFUSED)),
    ("checking", "loader-circle", (BlockerKind.EVIDENCE_CHECKING,)),
    ("reply", "message-circle-question-mark", (BlockerKind.REPLY,)),
)


@dataclass(frozen=True, slots=True)
class Thing:
    """Blockers of one kind: what to do, in how many words, and where each is."""

    kind: str
    icon: str
    title: str
    words: str
    links: Sequence[tuple[str, str]]
    button: str
    href: str


def things_of(work: Work, left: Left | None, threads: Mapping[str, Sequence[MessageLine]]) -> list[Thing]:
    """Return what is to be done before signing.

    :param left: what became of earlier answers, where there are any.
    :param threads: the conversations, by question.
    """
    found = []
    for name, icon, kinds in _KINDS:
        own = [each for each in work.blockers if each.kind in kinds]
        count = len(work.waiting) if name == "confirm" else len(own)
        if own and count:
            found.append(
                Thing(
                    kind=name,
                    icon=icon,
                    title=_title(name, count, work.lab),
                    words=_words(name, left),
                    links=() if name == "confirm" else _named(work, own, threads),
                    button=_button(name, count),
                    href=_check(work) if name == "answer" and count > SHOWN else link_of(work, own[0]),
                )
            )
    return found


def _title(kind: str, count: int, lab: str) -> str:
    match kind:
        case "scoping":
            return ngettext("Settle %(num)s fact about the work", "Settle %(num)s facts about the work", count)
        case "confirm":
            return ngettext("Confirm %(num)s answer", "Confirm %(num)s answers", count)
        case "answer":
            return ngettext("Answer %(num)s question", "Answer %(num)s questions", count)
        case "rule":
            return ngettext(
                "Settle %(num)s answer that disagrees with another",
                "Settle %(num)s answers that disagree with another",
                count,
            )
        case "evidence":
            return ngettext("Add evidence to %(num)s answer", "Add evidence to %(num)s answers", count)
        case "checking":
            return ngettext("Wait for %(num)s file being checked", "Wait for %(num)s files being checked", count)
        case _:
            return ngettext(
                "Reply to %(num)s question from %(lab)s", "Reply to %(num)s questions from %(lab)s", count, lab=lab
            )


def _words(kind: str, left: Left | None) -> str:
    if left is None:
        return ""
    if kind == "confirm":
        return _("From what you signed before, about %(time)s", time=left.takes)
    if kind != "answer":
        return ""
    changed = ngettext("%(num)s question changed", "%(num)s questions changed", left.again)
    if left.again and left.new:
        return ngettext("%(changed)s, %(num)s is new.", "%(changed)s, %(num)s are new.", left.new, changed=changed)
    if left.again:
        return f"{changed}."
    return ngettext("%(num)s question is new.", "%(num)s questions are new.", left.new) if left.new else ""


def _button(kind: str, count: int) -> str:
    match kind:
        case "scoping":
            return _("Settle them")
        case "confirm":
            return _("Check them")
        case "answer":
            return _("Answer") if count <= SHOWN else _("List all %(num)s", num=count)
        case "evidence":
            return _("Add evidence")
        case "reply":
            return _("Reply")
        case _:
            return _("Look")


def _named(
    work: Work, blockers: Sequence[Blocker], threads: Mapping[str, Sequence[MessageLine]]
) -> list[tuple[str, str]]:
    """Return a few blockers by name; of many, how many each section has; each with the way to the first."""
    if len(blockers) <= SHOWN or not all(each.section for each in blockers):
        return [(_one(each, threads.get(each.question_key, ())), link_of(work, each)) for each in blockers]
    by_section: dict[str, list[Blocker]] = {}
    for each in blockers:
        by_section.setdefault(each.section, []).append(each)
    named = [
        (
            _("%(num)s in %(section)s", num=len(own), section=work.questionnaire.section(section).title),
            link_of(work, own[0]),
        )
        for section, own in by_section.items()
    ]
    if len(named) <= SHOWN:
        return named
    more = len(named) - SHOWN + 1
    rest = ngettext("and %(num)s more section", "and %(num)s more sections", more)
    return [*named[: SHOWN - 1], (rest, _check(work))]


def _one(blocker: Blocker, thread: Sequence[MessageLine]) -> str:
    name = f"{blocker.number} {blocker.label}".strip()
    asked = next((each for each in reversed(thread) if each.side is Side.LAB), None)
    if blocker.kind is not BlockerKind.REPLY or asked is None:
        return name
    words = _("%(question)s, asked by %(name)s on %(day)s")
    return timed.sentence(words, question=name, name=asked.author_name, day=timed.on(asked.at.date()))


def _check(work: Work) -> str:
    return f"{url_for('vendor_check.show', assessment_id=work.id)}#blockers"
