"""flask questionnaires check warns of what reads hard, and fails nothing for it."""

from __future__ import annotations

from pathlib import Path

from portal.wiring import House
from tests.rooms.questionnaires_service.test_commands import run
from tests.rules.questionnaires.samples import SAMPLE

HARD = "Comprehensive organisational accountability considerations necessitate documentation of responsibilities"


def test_what_reads_hard_is_a_warning_with_its_place(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "questionnaires"
    (folder / "sample").mkdir(parents=True)
    guidance = f"{HARD} regarding confidentiality and availability obligations throughout every relationship."
    hard = SAMPLE.replace("guidance: How to answer.", f"guidance: {guidance}", 1)
    (folder / "sample" / "v1.yaml").write_text(hard)
    line = hard[: hard.index("- key: one.level")].count("\n") + 1

    code, said = run(house, "check", "--folder", str(folder))

    assert f"warning: questionnaires/sample/v1.yaml:{line}:9: It reads hard: Flesch " in said
    assert code == 0
    assert "to mend" not in said
