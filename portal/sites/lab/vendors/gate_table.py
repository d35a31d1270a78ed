"""What systems are told of a vendor: each answer with what it hangs on, until when, and how often it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal.gate import counting, tracing
from portal.gate.rules import World
from portal.kernel.ledger import Tx
from portal.sites.lab.vendors.head import Head
from portal.sites.lab.vendors.why import Links, Told, class_words, explain, mode_words, questions_of, told

MOST_ROWS = 6
MOST_SYSTEMS = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Modes of one class that get one answer for one reason."""

    data_class: str
    class_words: str
    modes: tuple[tuple[str, str], ...]
    told: Told


@dataclass(frozen=True, slots=True)
class SystemRow:
    """One system and what it is told for a group of questions; nobody's row where no system asked."""

    system: str
    group: Group
    calls: int


@dataclass(frozen=True, slots=True)
class SystemTold:
    """A system by itself: whether it may ask about this vendor, and what it is told."""

    name: str
    knows: bool
    rows: tuple[tuple[Group, int], ...]
    calls: int


@dataclass(frozen=True, slots=True)
class GateTable:
    """The gate's table of one vendor at one moment."""

    as_of: datetime
    sequence: int
    rows: tuple[SystemRow, ...]
    more: int
    systems: tuple[SystemTold, ...]
    nonsense: int


def links_of(head: Head) -> Links:
    """Return what the reader may open."""
    return Links(head.vendor.slug, decisions=head.may["REVIEW_READ"], files=head.may["EVIDENCE_READ"])


def gate_table(tx: Tx, head: Head, *, whole: bool = False) -> GateTable:
    """Return what is told now. Five statements, however much is asked.

    :param whole: every system with every answer, and not what was asked in the last 24 hours alone.
    """
    world = head.world
    groups = _groups(tx, head, world) if world is not None else []
    asked = counting.calls(tx, head.vendor.id, counting.last_day(tx.now))
    systems = tracing.systems(tx, head.vendor.id)
    names = {each.id: each.name for each in systems}
    rows = []
    for group in groups:
        here: dict[UUID, int] = {}
        for each in asked:
            if each.data_class == group.data_class and each.access_mode in {mode for mode, _ in group.modes}:
                here[each.client_id] = here.get(each.client_id, 0) + each.calls
        rows += [SystemRow(names.get(key, "A system that is gone"), group, number) for key, number in here.items()]
        if not here:
            rows.append(SystemRow("", group, 0))
    shown = rows if whole else rows[:MOST_ROWS]
    return GateTable(
        as_of=tx.now,
        sequence=world.sequence if world else 0,
        rows=tuple(shown),
        more=len(rows) - len(shown),
        systems=_systems(systems, groups, asked) if whole else (),
        nonsense=sum(each.calls for each in asked if not each.data_class or not each.access_mode),
    )


def _groups(tx: Tx, head: Head, world: World) -> list[Group]:
    found: dict[tuple[str, Told], list[str]] = {}
    traces = tracing.traces(tx, head.vendor.id, world)
    projects = {str(key): name for key, name in head.projects.items()}
    for question in questions_of(world):
        why = explain(world, question, tx.now, traces, projects, links_of(head))
        found.setdefault((question.data_class, told(why, tx.now)), []).append(question.access_mode)
    return [
        Group(data, class_words(data), tuple((mode, mode_words(mode)) for mode in modes), answer)
        for (data, answer), modes in found.items()
    ]


def _systems(
    systems: Sequence[tracing.SystemLine], groups: Sequence[Group], asked: Sequence[counting.CallLine]
) -> tuple[SystemTold, ...]:
    found = []
    for each in [system for system in systems if system.works][:MOST_SYSTEMS]:
        mine = [line for line in asked if line.client_id == each.id]
        rows = tuple(
            (
                group,
                sum(
                    line.calls
                    for line in mine
                    if line.data_class == group.data_class and line.access_mode in {mode for mode, _ in group.modes}
                ),
            )
            for group in groups
        )
        found.append(SystemTold(each.name, each.knows, rows if each.knows else (), sum(line.calls for line in mine)))
    return tuple(found)
