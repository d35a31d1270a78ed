"""Documents keep step with the code: settings, reason codes, proofs, links, examples."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.gate.rules import Reason
from portal.kernel.signing import Signer, SigningKey
from portal.settings import Settings

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


RIGHTS = {
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "complete_multipart_upload": {"s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "delete_object": {"s3:DeleteObjectVersion"},
    "get_bucket_cors": {"s3:GetBucketCORS"},
    "get_bucket_encryption": {"s3:GetEncryptionConfiguration"},
    "get_bucket_lifecycle_configuration": {"s3:GetLifecycleConfiguration"},
    "get_bucket_ownership_controls": {"s3:GetBucketOwnershipControls"},
    "get_bucket_policy": {"s3:GetBucketPolicy"},
    "get_bucket_versioning": {"s3:GetBucketVersioning"},
    "get_object": {"s3:GetObject", "s3:GetObjectVersion"},
    "get_object_lock_configuration": {"s3:GetBucketObjectLockConfiguration"},
    "get_object_retention": {"s3:GetObjectRetention"},
    "get_public_access_block": {"s3:GetBucketPublicAccessBlock"},
    "head_bucket": {"s3:ListBucket"},
    "head_object": {"s3:GetObject", "s3:ListBucket"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "list_object_versions": {"s3:ListBucketVersions"},
    "list_parts": {"s3:ListMultipartUploadParts"},
    "put_object": {"s3:PutObject"},
    "put_object_retention": {"s3:PutObjectRetention"},
    "upload_part": {"s3:PutObject"},
}
"""What S3 asks for each call, by its service authorisation reference; a head of a missing key asks for the list."""


def s3_policies() -> list[dict[str, Any]]:
    """Return the policies of the S3 section, in order."""
    read = [json.loads(block) for block in blocks(section(text_of("operations.md"), "S3"), "json")]
    return [each for each in read if "Statement" in each]


def test_the_rights_to_copy_are_those_that_the_code_uses_and_no_more() -> None:
    files = [*(ROOT / "portal/kernel/objects").glob("s3*.py"), ROOT / "portal/doctor/bucket.py"]
    code = "\n".join(each.read_text(encoding="utf-8") for each in files)
    called = set(re.findall(r"\bs3\.([a-z_]+)\(", code)) - {
        "get_paginator",
        "generate_presigned_url",
        "signing",
        "talking",
    }
    called |= set(re.findall(r'get_paginator\("([a-z_]+)"', code))
    called |= set(re.findall(r'generate_presigned_url\(\s*"([a-z_]+)"', code))

    granted = {
        action
        for policy in s3_policies()
        for statement in policy["Statement"]
        if statement["Effect"] == "Allow" and "Principal" not in statement
        for action in statement["Action"]
    }

    assert called == set(RIGHTS)
    assert granted == set().union(*RIGHTS.values())


def test_removal_is_granted_for_uploads_only_and_forbidden_elsewhere() -> None:
    removing = [
        statement
        for policy in s3_policies()
        for statement in policy["Statement"]
        if any("Delete" in action and action.startswith("s3:") for action in statement["Action"])
    ]

    assert [(each["Effect"], each.get("Resource"), each.get("NotResource")) for each in removing] == [
        ("Deny", None, ["arn:aws:s3:::lab-evidence", "arn:aws:s3:::lab-evidence/incoming/*"]),
        ("Allow", "arn:aws:s3:::lab-evidence/incoming/*", None),
    ]


def test_the_options_of_reconcile_are_those_of_the_document() -> None:
    from portal.evidence.cli import reconcile_command

    known = {option for each in reconcile_command.params for option in each.opts}

    assert set(re.findall(r"evidence reconcile (--[a-z-]+)", text_of("operations.md"))) == known


def test_the_default_retention_is_that_of_the_document() -> None:
    assert f"| `GATEHOUSE_EVIDENCE_RETENTION_DAYS` | `{Settings().evidence_retention_days}`" in text_of("operations.md")


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
    """Run the one file that the document names, away from the rest of our code."""
    program = tmp_path / "verify.py"
    assert "`clients/python/gatehouse_gate/verify.py`" in text_of("verify.md")
    program.write_bytes((ROOT / "clients/python/gatehouse_gate/verify.py").read_bytes())
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
    assert "not made for us" in verified(tmp_path, answer, keys, "client-2").stdout

    told = json.loads(answer.read_text())
    body = base64.b64decode(told["statement"]["payload"]).replace(b'"acme"', b'"evil"')
    told["statement"]["payload"] = base64.b64encode(body).decode()
    answer.write_text(json.dumps(told))
    assert "no signature fits" in verified(tmp_path, answer, keys, "client-1").stdout


def test_the_readme_names_people_of_the_demo_only() -> None:
    from portal.demo.cast import PASSWORD
    from portal.demo.story import sign_ins

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    known = {each.email for each in sign_ins()}

    assert PASSWORD in readme
    assert set(re.findall(r"[\w.]+@[\w.]+\.example", readme)) <= known
