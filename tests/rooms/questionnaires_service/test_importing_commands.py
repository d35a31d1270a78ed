"""flask questionnaires import, assemble and export."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from portal.kernel.actor import system
from portal.questionnaires import queries
from portal.questionnaires.cli import questionnaires_group
from portal.questionnaires.overlays import overlay_files, overlay_problems
from portal.questionnaires.rules import compile_yaml
from portal.terms import Role
from portal.wiring import House
from tests.factories.assessments import SHIPPED
from tests.factories.identity import person
from tests.rules.questionnaires.importers.test_mapped import FILES, MAPPING
from tests.rules.questionnaires.importers.test_vsaq import EXTENSION, TEMPLATE
from tests.rules.questionnaires.samples import SAMPLE
from tests.rules.questionnaires.test_overlay import overlay


def run(house: House | None, *words: object) -> tuple[int, str]:
    app = Flask("commands")
    app.extensions["gatehouse"] = house
    result = CliRunner().invoke(
        questionnaires_group, [str(word) for word in words], obj=ScriptInfo(create_app=lambda: app)
    )
    return result.exit_code, result.output


def test_the_bundled_mvsp_is_written_to_a_file_once(tmp_path: Path) -> None:
    out = tmp_path / "mvsp.yaml"

    code, said = run(None, "import", "mvsp", "--slug", "mvsp", "--out", out)

    assert code == 0
    assert "Nothing is published." in said
    assert "note: 25 questions without a weight" in said
    questionnaire = compile_yaml(out.read_bytes(), "v1")
    assert (len(questionnaire.sections), len(questionnaire.questions)) == (4, 25)
    assert questionnaire.question("mvsp.2_1").text.startswith("Implement single sign-on")
    code, said = run(None, "import", "mvsp", "--slug", "mvsp", "--out", out)
    assert (code, "exists. Choose another place" in said) == (1, True)


def test_an_extension_is_put_into_its_base(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(TEMPLATE)
    (tmp_path / "more.json").write_text(EXTENSION)
    words = ("import", "vsaq", tmp_path / "more.json", "--slug", "web-app", "--out", tmp_path / "out.yaml")

    assert run(None, *words)[0] == 1
    assert run(None, *words, "--base", tmp_path / "base.json")[0] == 0
    assert "web_app.mine_q" in compile_yaml((tmp_path / "out.yaml").read_bytes(), "v1")


def test_a_folder_is_read_by_its_mapping(tmp_path: Path) -> None:
    for path, content in FILES.items():
        (tmp_path / "given" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "given" / path).write_bytes(content)
    (tmp_path / "mapping.yaml").write_bytes(MAPPING)
    out = tmp_path / "out.yaml"

    code, _ = run(
        None,
        "import",
        "folder",
        tmp_path / "given",
        "--mapping",
        tmp_path / "mapping.yaml",
        "--slug",
        "o",
        "--out",
        out,
    )

    assert code == 0
    assert "o.long_name" in compile_yaml(out.read_bytes(), "v1")


def test_what_cannot_be_read_is_told_with_its_place_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"questionnaire": [\n {"type": oops}]}')

    code, said = run(None, "import", "vsaq", tmp_path / "t.json", "--slug", "x", "--out", tmp_path / "out.yaml")

    assert code == 1
    assert "t.json:2:11: Expected a value" in said
    assert not (tmp_path / "out.yaml").exists()


def test_a_person_begins_a_draft(house: House, tmp_path: Path) -> None:
    reviewer = person(house, roles=[Role.REVIEWER], email="ines@lab.example")

    code, said = run(house, "import", "mvsp", "--slug", "mvsp", "--as", reviewer.email)

    assert code == 0
    assert "Begun as a draft: mvsp v1." in said
    with house.ledger.begin(system("test")) as tx:
        assert [(line.slug, line.origin) for line in queries.drafts(tx)] == [("mvsp", "import:mvsp")]


@pytest.mark.parametrize(
    ("email", "words"),
    [("nobody@lab.example", "Nobody of the lab has the address"), ("una@lab.example", "Your role does not allow this")],
)
def test_who_may_not_draft_begins_none(house: House, email: str, words: str) -> None:
    person(house, roles=[Role.AUDITOR], email="una@lab.example")

    code, said = run(house, "import", "mvsp", "--slug", "mvsp", "--as", email)

    assert code == 1
    assert words in said
    with house.ledger.begin(system("test")) as tx:
        assert queries.drafts(tx) == []


def test_overlays_are_assembled_with_the_shipped_questionnaire(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(overlay("a", ("gov.owner", ("x.a",)), base="ai-contractor"))
    (tmp_path / "b.yaml").write_bytes(overlay("b", ("ret.days", ("x.b",)), base="ai-contractor"))
    base = SHIPPED / "ai-contractor" / "v1.yaml"
    words = ("--slug", "orrery-contractor", "--title", "Orrery", "--out")

    assert run(None, "assemble", base, tmp_path / "a.yaml", tmp_path / "b.yaml", *words, tmp_path / "1.yaml")[0] == 0
    assert run(None, "assemble", base, tmp_path / "b.yaml", tmp_path / "a.yaml", *words, tmp_path / "2.yaml")[0] == 0

    assert (tmp_path / "1.yaml").read_bytes() == (tmp_path / "2.yaml").read_bytes()
    assert len(compile_yaml((tmp_path / "1.yaml").read_bytes(), "v1").questions) == 133


def test_overlays_that_collide_are_refused_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(overlay("a", ("gov.owner", ("x.a",)), base="ai-contractor"))
    (tmp_path / "b.yaml").write_bytes(overlay("b", ("gov.owner", ("x.b",)), base="ai-contractor"))
    base = SHIPPED / "ai-contractor" / "v1.yaml"

    code, said = run(
        None, "assemble", base, tmp_path / "a.yaml", tmp_path / "b.yaml", "--slug", "o-c", "--title", "O", "--out", "x"
    )

    assert code == 1
    assert f"{tmp_path}/a.yaml:6:10: Two insertions come after" in said
    assert f"{tmp_path}/b.yaml:6:10: Two insertions come after" in said


def test_a_version_goes_out_as_a_template_and_comes_back(tmp_path: Path) -> None:
    template, out = tmp_path / "t.json", tmp_path / "out.yaml"

    code, said = run(None, "export", "vsaq", "incident-reattestation:1", "--out", template)

    assert (code, f"Written to {template}." in said) == (0, True)
    assert run(None, "import", "vsaq", template, "--slug", "again", "--out", out)[0] == 0
    assert len(compile_yaml(out.read_bytes(), "v1").questions) == 15


def test_check_tries_every_overlay_in_its_base(tmp_path: Path) -> None:
    folder = tmp_path / "questionnaires"
    (folder / "sample").mkdir(parents=True)
    (folder / "sample" / "v1.yaml").write_text(SAMPLE)
    path = folder / "overlays" / "a" / "v2.yaml"
    path.parent.mkdir(parents=True)
    good = overlay("a", ("two.hours", ("x.a",)), extra="strong: S\n    good_evidence: G")
    path.write_bytes(good)

    assert run(None, "check", "--folder", folder)[0] == 0
    path.write_bytes(good.replace(b"title: Extra a", b"title: Extra a\nhue: red").replace(b"    strong: S\n", b""))
    assert (
        "questionnaires/overlays/a/v2.yaml:4:1: “hue” is not a key of an overlay"
        in run(None, "check", "--folder", folder)[1]
    )
    path.write_bytes(good.replace(b"    strong: S\n", b"").replace(b"overlay: a", b"overlay: b"))
    code, said = run(None, "check", "--folder", folder)
    assert code == 1
    assert "questionnaires/overlays/a/v2.yaml:9:5: A scored question needs “strong”" in said
    assert "its place is overlays/b/v2.yaml" in said
    path.write_bytes(good.replace(b"version: 1}", b"version: 7}"))
    assert "Its base sample v7 is missing" in run(None, "check", "--folder", folder)[1]


def test_the_shipped_overlay_is_without_problems() -> None:
    assert [str(path.relative_to(SHIPPED)) for path in overlay_files(SHIPPED)] == ["overlays/orrery-extra/v1.yaml"]
    assert list(overlay_problems(overlay_files(SHIPPED)[0], SHIPPED)) == []
