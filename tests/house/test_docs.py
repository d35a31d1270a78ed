"""Documents keep step with the code: settings, reason codes, proofs, links, examples."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.gate.rules import Reason
from portal.kernel.signing import Signer, SigningKey

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
TYPE = "application/vnd.gatehouse.gate+json"


def text_of(name: str) -> str:
    """Return a document."""
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """Return what stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no section {title}"
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_every_setting_is_documented_and_nothing_else() -> None:
    read = set(re.findall(r'read\.get\("(GATEHOUSE_[A-Z0-9_]+)"\)', (ROOT / "portal/settings.py").read_text()))
    documented = re.findall(
        r"^\| `(GATEHOUSE_[A-Z0-9_]+)` \|", section(text_of("operations.md"), "Settings"), re.MULTILINE
    )

    assert len(read) > 20
    assert sorted(documented) == sorted(read)


def test_every_reason_of_the_gate_is_documented_once_and_nothing_else() -> None:
    documented = re.findall(r"^\| `([a-z_]+)` \|", section(text_of("gate.md"), "Reasons"), re.MULTILINE)

    assert documented == [reason.value for reason in Reason]


@pytest.mark.parametrize("page", ["asvs.md", "threat-model.md"])
def test_every_test_that_is_named_as_a_proof_exists(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py): (test_\w+)`", text_of(page))
    gone = [
        f"{path}: {name}"
        for path, name in named
        if not (ROOT / path).is_file() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]

    assert len(named) >= 30
    assert gone == []


def test_every_item_of_the_asvs_has_one_state_and_the_sums_are_right() -> None:
    text = text_of("asvs.md")
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| [123] \| .+? \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    sums = {state: int(count) for state, count in re.findall(r"^\| (\w+) \| [^|]+ \| (\d+) \|$", text, re.MULTILINE)}
    states = [state for _, state, _ in rows]

    assert len({item for item, _, _ in rows}) == len(rows) == 269
    assert {state: states.count(state) for state in sums} == sums
    assert sum(sums.values()) == len(rows)
    assert [item for item, state, proof in rows if state != "open" and not proof] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))

    assert [each for each in targets if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:portal|tests|migrations|scripts|static|questionnaires)/[\w./-]+\.(?:py|json|js|sh|txt|md|lock))",
        page.read_text(encoding="utf-8"),
    )

    assert [each for each in named if not (ROOT / each).exists()] == []


def test_pictures_are_small() -> None:
    assert [each.name for each in (DOCS / "images").iterdir() if each.stat().st_size > 300_000] == []


def test_json_examples_can_be_read() -> None:
    for page in PAGES:
        for block in blocks(page.read_text(encoding="utf-8"), "json"):
            json.loads(block)


@pytest.fixture
def stated(tmp_path: Path) -> tuple[Path, Path]:
    """An answer of the gate and its keys, as files, signed now."""
    now = datetime.now(UTC)
    private = Ed25519PrivateKey.generate().private_bytes_raw()
    signer = Signer([SigningKey("k1", private, now - timedelta(days=1), now + timedelta(days=1))])
    statement = {
        "type": TYPE,
        "audience": "client-1",
        "decision": "allow",
        "question": {"vendor": "acme"},
        "issued_at": now - timedelta(seconds=1),
        "expires_at": now + timedelta(minutes=5),
    }
    answer, keys = tmp_path / "answer.json", tmp_path / "keys.json"
    answer.write_text(json.dumps({"statement": signer.sign(TYPE, statement, now=now)}))
    keys.write_text(json.dumps({"keys": signer.published()}))
    return answer, keys


def verified(tmp_path: Path, answer: Path, keys: Path, audience: str) -> subprocess.CompletedProcess[str]:
    """Run the example of the document, away from our code."""
    program = tmp_path / "verify.py"
    program.write_text(blocks(text_of("gate.md"), "python")[0])
    return subprocess.run(
        [sys.executable, "-I", str(program), str(answer), str(keys), audience],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_verifies_a_statement_and_nothing_that_was_changed(
    tmp_path: Path, stated: tuple[Path, Path]
) -> None:
    answer, keys = stated
    assert verified(tmp_path, answer, keys, "client-1").stdout.startswith("allow")
    assert "not made for us" in verified(tmp_path, answer, keys, "client-2").stderr

    told = json.loads(answer.read_text())
    body = base64.b64decode(told["statement"]["payload"]).replace(b'"acme"', b'"evil"')
    told["statement"]["payload"] = base64.b64encode(body).decode()
    answer.write_text(json.dumps(told))
    assert "no signature fits" in verified(tmp_path, answer, keys, "client-1").stderr


def test_the_readme_names_people_of_the_demo_only() -> None:
    from portal.demo.cast import PASSWORD
    from portal.demo.story import sign_ins

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {each.email for each in sign_ins()}

    assert PASSWORD in readme
    assert set(re.findall(r"[\w.]+@[\w.]+\.example", readme)) <= known
