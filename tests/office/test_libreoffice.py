"""131 answers through LibreOffice Calc and back: what was typed changes, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from portal.assessments import service as assessments
from portal.exchange import offline
from portal.exchange.rules.merge import Choice
from portal.questionnaires.rules import FactKind, Owner
from portal.wiring import House
from tests.factories import office
from tests.factories.attestations import Desk, least
from tests.factories.attestations import desk as make_desk
from tests.office.calc import SORT, typed

pytestmark = pytest.mark.office

TYPED: Mapping[str, str | float | date] = {
    "ret.days": "45",
    "wrk.offboard.hours": 2.5,
    "inf.logs.months": "1,5",
    "gov.insurance.cyber": 5,
    "gov.insurance.cyber#expiry": date(2027, 5, 31),
    "gov.policy": "No",
    "gov.risk": "nein",
    "gov.assurance.level": "SOC 2 Type 1",
    "gov.owner": "Does not apply to us",
    "seg.reuse": "n",
    "wrk.nda": "(clear)",
}
"""Cells of all kinds, as a person types them: ten answers, one of them with a field below it."""

COMMENT = "Shown to you on a call; the file may not leave us."
KEPT: Mapping[str, Mapping[str, Any]] = {
    "ret.days": {"number": "45"},
    "wrk.offboard.hours": {"number": "2.5"},
    "inf.logs.months": {"number": "1.5"},
    "gov.insurance.cyber": {"number": "5", "details": {"expiry": "2027-05-31"}},
    "gov.policy": {"choice": "no"},
    "gov.risk": {"choice": "no"},
    "gov.assurance.level": {"choice": "soc2_1"},
    "gov.owner": {"na": True},
    "seg.reuse": {"choice": "no"},
    "wrk.nda": {},
}


@pytest.fixture
def desk(house: House) -> Desk:
    """A vendor of the highest tier to which every question applies, with every question answered."""
    made = make_desk(
        house,
        slug="ai-contractor",
        services=["labelling", "preference", "expert", "synthetic", "eval", "redteam", "collection"],
        data_classes=[0, 1, 2, 3, 4, 5],
        access_modes=["A1", "A2", "A3", "A4", "A5"],
        persons=["personal", "biometrics", "health", "minors", "aitools"],
        workforce=["employees", "dedicated", "agencies", "crowd"],
        devices=["yours", "ours", "own"],
    )
    with made.at(made.admin.actor) as (tx, row):
        for line in assessments.scoping_of(tx, row):
            fact = line.definition
            if fact.owner is Owner.VENDOR:
                raw: dict[str, Any] = least(fact)
                if fact.kind is FactKind.CHOICES:
                    raw = {"choices": [option.key for option in fact.options]}
                if fact.kind is FactKind.YES_NO:
                    raw = {"choice": "yes"}
                if fact.kind is FactKind.TABLE:
                    raw = {"rows.0.country": "France", "rows.0.place": "office"}
                assessments.state_fact(tx, assessment=row, key=line.key, value=raw, version=line.version)
            elif line.needs_confirmation:
                assessments.confirm_fact(tx, assessment=row, key=line.key, version=line.version)
    made.answer()
    return made


def brought(desk: Desk, data: bytes, folder: Path) -> offline.ImportLine:
    """Bring a workbook back."""
    return office.stage(desk, office.read(data, folder))


def test_exactly_what_was_typed_changes_and_a_second_time_nothing_does(desk: Desk, tmp_path: Path) -> None:
    before = office.answers(desk)
    data = typed(tmp_path, office.exported(desk), TYPED)

    line = brought(desk, data, tmp_path)
    applied = office.apply(desk, line)
    after = office.answers(desk)

    assert len(desk.visible()) == 130
    assert (line.report.unchanged, line.report.strange) == (120, ())
    assert (set(applied.taken), applied.left) == (set(KEPT), ())
    assert {key for key in before if before[key] != after.get(key)} == set(KEPT)
    assert {key: after[key] for key in KEPT} == {key: {"comment": COMMENT, **said} for key, said in KEPT.items()}

    again = brought(desk, data, tmp_path)
    assert (again.report.lines, office.apply(desk, again).taken, office.answers(desk)) == ((), (), after)


def test_a_workbook_that_was_only_saved_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    before = office.answers(desk)

    line = brought(desk, typed(tmp_path, office.exported(desk), {}), tmp_path)

    assert (line.report.lines, line.report.strange, line.report.unchanged) == ((), (), 130)
    assert (office.apply(desk, line).taken, office.answers(desk)) == ((), before)


def test_sorting_and_deleting_rows_changes_nothing_but_what_was_typed(desk: Desk, tmp_path: Path) -> None:
    first = max(desk.visible(), key=lambda question: f"{question.number} {question.text}").key

    line = brought(desk, typed(tmp_path, office.exported(desk), {first: "(clear)"}, more=SORT), tmp_path)

    assert [(each.key, str(each.outcome)) for each in line.report.lines] == [(first, "take")]
    assert line.report.absent > 0


def test_an_edit_online_meanwhile_is_shown(desk: Desk, tmp_path: Path) -> None:
    data = typed(tmp_path, office.exported(desk), {"ret.days": "45", "gov.policy": "No"})
    desk.save("ret.days", {"number": "60"}, actor=desk.admin.actor)

    line = brought(desk, data, tmp_path)
    shown = {
        each.key: (str(each.outcome), each.mine.get("number"), each.seen.get("number")) for each in line.report.lines
    }
    office.apply(desk, line, {"ret.days": Choice.THEIRS})

    assert shown == {"ret.days": ("conflict", "45", "60"), "gov.policy": ("take", None, None)}
    assert office.answers(desk)["ret.days"] == {"number": "60"}
