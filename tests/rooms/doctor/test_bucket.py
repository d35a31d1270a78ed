"""A bucket as the documents set it up is fine; each thing left out is named with the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portal.doctor import bucket as checks
from portal.doctor import outside, policies
from portal.doctor.findings import Finding, Level
from portal.settings import Settings
from portal.wiring import House
from tests.s3 import servers

pytestmark = pytest.mark.slow

KEY = "arn:aws:kms:eu-central-1:111122223333:key/6e1f6f0c-0000-4000-8000-000000000000"
ORIGIN = "https://gatehouse.lab.example"
DOCUMENT = (Path(__file__).resolve().parents[3] / "docs/operations.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)]
POLICY = next(each for each in EXAMPLES if "SignaturesAreFresh" in json.dumps(each))
CORS = next(each for each in EXAMPLES if "CORSRules" in each)
LIFECYCLE = next(each for each in EXAMPLES if "Rules" in each)


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Server]:
    with servers.moto() as server:
        yield server


@pytest.fixture
def s3(moto: servers.Server) -> Any:
    return moto.client()


@pytest.fixture
def given(moto: servers.Server, s3: Any) -> Settings:
    """The settings for a bucket that is set up as documented."""
    name = moto.new_bucket(lock=True).bucket
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(checks.BLOCK, True))
    s3.put_bucket_ownership_controls(
        Bucket=name, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    encrypted(s3, name, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY})
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=LIFECYCLE)
    s3.put_bucket_cors(Bucket=name, CORSConfiguration=CORS)
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps(POLICY).replace("lab-evidence", name))
    return Settings(s3_bucket=name, s3_kms_key=KEY, base_url=ORIGIN)


def encrypted(s3: Any, name: str | None, how: dict[str, str]) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": how, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def without(sid: str, name: str | None) -> str:
    kept = [each for each in POLICY["Statement"] if each["Sid"] != sid]
    return json.dumps(POLICY | {"Statement": kept}).replace("lab-evidence", str(name))


def bad(found: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(each.level.value, each.said) for each in found if each.level is not Level.OK]


def test_a_bucket_set_up_as_documented_is_fine(s3: Any, given: Settings) -> None:
    found = list(checks.bucket(s3, given))

    assert bad(iter(found)) == []
    assert len(found) >= 10


def test_a_bare_bucket_hears_of_everything_it_lacks(
    house: House, moto: servers.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", moto.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", moto.secret_key)
    named = replace(
        house.settings, s3_bucket=moto.new_bucket().bucket, s3_endpoint_url=moto.endpoint, s3_region="us-east-1"
    )
    bare = House(named, database_url=house.database_url, clock=house.clock)

    found = list(outside.store(bare))

    words = " / ".join(each.said for each in found)
    for expected in (
        "not encrypted on the way",
        "public access is not blocked",
        "access lists are on",
        "no default encryption",
        "Object Lock is off",
        "left under incoming/",
        "parts of unfinished uploads",
        "may not send files from http://127.0.0.1:8000",
        "without TLS",
        "a key be written again",
        "versions of evidence be removed",
        "signed addresses of any age",
    ):
        assert expected in words
    assert all(each.do for each in found if each.level is not Level.OK)


@pytest.mark.parametrize(
    ("sid", "said"),
    [
        ("TlsOnly", "without TLS"),
        ("NothingIsOverwritten", "written again"),
        ("EvidenceStays", "be removed"),
        ("SignaturesAreFresh", "of any age"),
    ],
)
def test_each_statement_of_the_policy_is_missed(s3: Any, given: Settings, sid: str, said: str) -> None:
    s3.put_bucket_policy(Bucket=given.s3_bucket, Policy=without(sid, given.s3_bucket))

    [(level, words)] = bad(checks.bucket(s3, given))

    assert (level, said in words) == ("warn", True)


def test_another_key_than_the_one_of_the_settings_is_noticed(s3: Any, given: Settings) -> None:
    encrypted(s3, given.s3_bucket, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY.replace("6e1f", "7777")})
    assert "is not the key of GATEHOUSE_S3_KMS_KEY" in bad(checks.bucket(s3, given))[0][1]

    encrypted(s3, given.s3_bucket, {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY.rpartition("/")[2]})
    assert bad(checks.bucket(s3, given)) == []
    encrypted(s3, given.s3_bucket, {"SSEAlgorithm": "AES256"})
    assert "the store's own key" in bad(checks.bucket(s3, replace(given, s3_kms_key=None)))[0][1]


def test_headers_that_cors_forgets_are_named(s3: Any, given: Settings) -> None:
    [rule] = CORS["CORSRules"]
    short = rule | {"AllowedHeaders": ["Content-Type", "if-none-match", "x-amz-checksum-*"]}
    s3.put_bucket_cors(Bucket=given.s3_bucket, CORSConfiguration={"CORSRules": [short]})

    [(level, words)] = bad(checks.bucket(s3, given))

    assert level == "fail"
    assert words.count("x-amz-server-side-encryption") == 3
    assert bad(checks.bucket(s3, replace(given, s3_kms_key=None))) == []


def test_a_rule_that_would_hide_evidence_fails(s3: Any, given: Settings) -> None:
    everything = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 30}}
    rules = {"Rules": [*LIFECYCLE["Rules"], everything]}
    s3.put_bucket_lifecycle_configuration(Bucket=given.s3_bucket, LifecycleConfiguration=rules)

    assert [level for level, _ in bad(checks.bucket(s3, given))] == ["fail"]


def test_a_long_default_retention_and_none_at_all_are_looked_at(s3: Any, given: Settings) -> None:
    assert bad(checks.bucket(s3, replace(given, evidence_retention_days=0)))[0][1].startswith("Object Lock is on")

    s3.put_object_lock_configuration(
        Bucket=given.s3_bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}},
        },
    )

    [(level, words)] = bad(checks.bucket(s3, given))
    assert (level, "365 days" in words) == ("warn", True)


def test_what_may_not_be_read_is_named_and_not_guessed() -> None:
    class Closed:
        def __getattr__(self, name: str) -> Any:
            def refuse(**_: Any) -> Any:
                raise ClientError(
                    {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}},  # type: ignore[typeddict-item]
                    name,
                )

            return refuse

    found = list(checks.bucket(Closed(), Settings(s3_bucket="lab-evidence")))

    assert {each.level for each in found} == {Level.WARN}
    assert {each.said.rpartition("bucket's ")[2] for each in found} == {
        "public access",
        "object ownership",
        "versioning",
        "encryption",
        "Object Lock",
        "lifecycle",
        "CORS",
        "policy",
    }


def deny(**changed: Any) -> list[dict[str, Any]]:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"} | changed
    return policies.statements(json.dumps({"Statement": statement}))


def test_a_policy_is_read_as_it_means() -> None:
    fresh = {"NumericGreaterThan": {"s3:SignatureAge": 600000}}

    assert policies.signature_age(deny(Condition=fresh)) == 600000
    assert policies.signature_age(deny(Condition=fresh, Effect="Allow")) is None
    assert policies.signature_age(deny(Condition=fresh, Principal={"AWS": "arn:aws:iam::1:root"})) is None
    assert policies.tls_only(deny(Principal={"AWS": ["*"]}, Condition={"Bool": {"aws:SecureTransport": [False]}}))
    assert not policies.tls_only(deny(Action="s3:PutObject", Condition={"Bool": {"aws:SecureTransport": "false"}}))
    assert policies.no_overwriting(deny(Condition={"Null": {"s3:if-none-match": "true"}})) == (True, False)
    assert policies.no_overwriting(deny()) == (False, True)
    assert policies.statements("not json") == policies.statements("[]") == []


def test_a_cap_below_the_life_of_our_addresses_fails(s3: Any, given: Settings) -> None:
    short = json.dumps(POLICY).replace("lab-evidence", str(given.s3_bucket)).replace("120000", "60000")
    s3.put_bucket_policy(Bucket=given.s3_bucket, Policy=short)

    assert bad(checks.bucket(s3, given)) == [
        ("fail", "the bucket's policy refuses signed addresses after 60 seconds; ours live 120")
    ]
