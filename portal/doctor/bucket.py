"""Whether a bucket is set up as docs/operations.md says; what may not be read is named, not guessed."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator
from typing import Any

from portal.doctor import policies
from portal.doctor.findings import Finding, fail, ok, warn
from portal.kernel.objects import MAX_TICKET_LIFE
from portal.settings import Settings

DOCUMENT = "docs/operations.md, S3"
BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
INCOMING_DAYS = 7


def bucket(s3: Any, given: Settings) -> Iterator[Finding]:
    """Say what the bucket's own settings leave open, each with the way out."""
    for check in (_public, _ownership, _versions, _encryption, _lock, _lifecycle, _cors, _policy):
        yield from check(s3, given)


def _public(s3: Any, given: Settings) -> Iterator[Finding]:
    block, said = _asked(lambda: s3.get_public_access_block(Bucket=given.s3_bucket)["PublicAccessBlockConfiguration"])
    if said == "denied":
        yield _unread("public access")
    elif block is not None and all(block.get(key) for key in BLOCK):
        yield ok("store", "public access is blocked")
    elif said == "unknown":
        yield warn(
            "store", "the store does not know Block Public Access", "Make sure that its policy names no everybody"
        )
    else:
        yield fail("store", "public access is not blocked", "Switch all four switches of Block Public Access on")


def _ownership(s3: Any, given: Settings) -> Iterator[Finding]:
    found, said = _asked(lambda: s3.get_bucket_ownership_controls(Bucket=given.s3_bucket)["OwnershipControls"]["Rules"])
    if said == "denied":
        yield _unread("object ownership")
    elif any(rule.get("ObjectOwnership") == "BucketOwnerEnforced" for rule in found or ()):
        yield ok("store", "access lists are off: the bucket's owner owns every object")
    elif said == "unknown":
        yield warn("store", "the store does not know object ownership", "Make sure that nobody sets access lists")
    else:
        yield fail(
            "store",
            "access lists are on: an object may be opened to others, whatever the policy says",
            "Set the bucket's object ownership to “bucket owner enforced”",
        )


def _versions(s3: Any, given: Settings) -> Iterator[Finding]:
    kept, said = _asked(lambda: s3.get_bucket_versioning(Bucket=given.s3_bucket).get("Status"))
    if said == "denied":
        yield _unread("versioning")
    elif kept != "Enabled":
        yield fail("store", "the bucket does not keep versions", "Enable versioning: nothing is pinned without")


def _encryption(s3: Any, given: Settings) -> Iterator[Finding]:
    found, said = _asked(
        lambda: s3.get_bucket_encryption(Bucket=given.s3_bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    )
    if said == "denied":
        yield _unread("encryption")
        return
    default = (found or [{}])[0].get("ApplyServerSideEncryptionByDefault", {})
    algorithm, key = default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID", "")
    if given.s3_kms_key:
        if algorithm.startswith("aws:kms") and _same_key(key, given.s3_kms_key):
            yield ok("store", "objects are encrypted with the key of GATEHOUSE_S3_KMS_KEY, by default too")
        else:
            yield warn(
                "store",
                "the bucket's default encryption is not the key of GATEHOUSE_S3_KMS_KEY",
                "Make that key its default, so that what others write there is encrypted with it as well",
            )
    elif algorithm.startswith("aws:kms"):
        yield ok("store", "objects are encrypted by default, with a key of KMS")
    elif algorithm:
        yield warn(
            "store",
            "objects are encrypted with the store's own key, which whoever reads the bucket may use",
            "Name a KMS key of yours in GATEHOUSE_S3_KMS_KEY, and make it the bucket's default",
        )
    else:
        yield warn("store", "the bucket has no default encryption", "Set SSE-KMS (or SSE-S3) as its default")


def _same_key(kept: str, given: str) -> bool:
    return kept == given or kept.endswith((f":{given}", f"/{given}")) or given.endswith(f"/{kept}")


def _lock(s3: Any, given: Settings) -> Iterator[Finding]:
    found, said = _asked(lambda: s3.get_object_lock_configuration(Bucket=given.s3_bucket)["ObjectLockConfiguration"])
    if said == "denied":
        yield _unread("Object Lock")
        return
    if found is None or found.get("ObjectLockEnabled") != "Enabled":
        yield warn(
            "store",
            "Object Lock is off: whoever administers the bucket can delete what was decided on",
            f"Enable it; files are then locked one by one once they are relied on. {DOCUMENT}",
        )
        return
    default = found.get("Rule", {}).get("DefaultRetention", {})
    days = default.get("Days") or 365 * default.get("Years", 0)
    if days > INCOMING_DAYS:
        yield warn(
            "store",
            f"the default retention of {days} days also keeps uploads that were refused or never finished",
            f"Take it away, or make it {INCOMING_DAYS} days at most: what is relied on is locked file by file",
        )
    elif given.evidence_retention_days == 0:
        yield warn(
            "store",
            "Object Lock is on and nothing is locked: GATEHOUSE_EVIDENCE_RETENTION_DAYS is 0",
            "Set it to the days that a file is kept once somebody relied on it",
        )
    else:
        yield ok("store", f"what is relied on is locked for {given.evidence_retention_days} days")


def _lifecycle(s3: Any, given: Settings) -> Iterator[Finding]:
    found, said = _asked(lambda: s3.get_bucket_lifecycle_configuration(Bucket=given.s3_bucket)["Rules"])
    if said == "denied":
        yield _unread("lifecycle")
        return
    rules = [rule for rule in found or () if rule.get("Status") == "Enabled"]
    if any(_reaches_incoming(rule) and "Expiration" in rule for rule in rules):
        yield ok("store", "uploads that nobody finished are removed")
    else:
        yield warn("store", "no lifecycle rule removes what is left under incoming/", f"Add the rule of {DOCUMENT}")
    if any(_hides_everything(rule) for rule in rules):
        yield fail(
            "store",
            "a lifecycle rule hides every object after a while, evidence included",
            "Limit the rule to incoming/",
        )
    if any(_reaches_incoming(rule) and "AbortIncompleteMultipartUpload" in rule for rule in rules):
        yield ok("store", "parts of uploads that nobody finished are removed")
    else:
        yield warn(
            "store",
            "no lifecycle rule removes the parts of unfinished uploads, which no listing of objects shows",
            f"Add the rule of {DOCUMENT}",
        )


def _prefix(rule: dict[str, Any]) -> str:
    within = rule.get("Filter", {})
    return str(within.get("Prefix", within.get("And", {}).get("Prefix", rule.get("Prefix", ""))))


def _hides_everything(rule: dict[str, Any]) -> bool:
    within = rule.get("Filter", {})
    narrowed = _prefix(rule) or "Tag" in within or within.get("And", {}).get("Tags")
    return not narrowed and bool({"Days", "Date"} & set(rule.get("Expiration", {})))


def _reaches_incoming(rule: dict[str, Any]) -> bool:
    return "incoming/".startswith(_prefix(rule))


def needed_headers(given: Settings) -> tuple[str, ...]:
    """Return the headers that a browser sends with a ticket, as CORS has to allow them."""
    needed = ["content-type", "if-none-match"]
    if given.s3_checksums:
        needed.append("x-amz-checksum-sha256")
    if given.s3_kms_key:
        needed += [
            "x-amz-server-side-encryption",
            "x-amz-server-side-encryption-aws-kms-key-id",
            "x-amz-server-side-encryption-bucket-key-enabled",
        ]
    return tuple(needed)


def _cors(s3: Any, given: Settings) -> Iterator[Finding]:
    found, said = _asked(lambda: s3.get_bucket_cors(Bucket=given.s3_bucket)["CORSRules"])
    if said == "denied":
        yield _unread("CORS")
        return
    ours = [
        rule
        for rule in found or ()
        if "PUT" in rule.get("AllowedMethods", ()) and {"*", given.base_url} & set(rule.get("AllowedOrigins", ()))
    ]
    if not ours:
        yield fail(
            "store",
            f"browsers may not send files from {given.base_url}",
            f"Add the CORS rule of {DOCUMENT}: without it direct uploads fail",
        )
        return
    lacking = [each for each in needed_headers(given) if not any(_allows(rule, each) for rule in ours)]
    if lacking:
        yield fail(
            "store",
            f"browsers may not send the headers {', '.join(lacking)}",
            f"Add them to AllowedHeaders of the CORS rule: {DOCUMENT}",
        )
    else:
        yield ok("store", f"browsers may send files from {given.base_url}")


def _allows(rule: dict[str, Any], header: str) -> bool:
    return any(fnmatch.fnmatchcase(header, pattern.lower()) for pattern in rule.get("AllowedHeaders", ()))


def _policy(s3: Any, given: Settings) -> Iterator[Finding]:
    text, said = _asked(lambda: s3.get_bucket_policy(Bucket=given.s3_bucket)["Policy"])
    if said == "denied":
        yield _unread("policy")
        return
    if said == "unknown":
        yield warn("store", "the store does not know bucket policies", "See in its manual how writes are restricted")
        return
    denied = policies.statements(text or "{}")
    add = f"Add the statement {{}} of the bucket policy in {DOCUMENT}"
    if policies.tls_only(denied):
        yield ok("store", "the bucket is reached over TLS only")
    else:
        yield warn("store", "the bucket's policy lets requests in without TLS", add.format("TlsOnly"))
    conditional, parts_pass = policies.no_overwriting(denied)
    if not conditional:
        yield warn(
            "store",
            "the bucket's policy lets a key be written again, which hides the version before",
            add.format("NothingIsOverwritten"),
        )
    elif not parts_pass:
        yield fail(
            "store",
            "the bucket's policy turns uploads in parts away: they cannot carry If-None-Match",
            "Add the condition on s3:ObjectCreationOperation to the statement",
        )
    else:
        yield ok("store", "no key is written twice")
    if policies.evidence_stays(denied):
        yield ok("store", "no version is removed but under incoming/")
    else:
        yield warn("store", "the bucket's policy lets versions of evidence be removed", add.format("EvidenceStays"))
    yield from _signatures(policies.signature_age(denied), add)


def _signatures(cap: int | None, add: str) -> Iterator[Finding]:
    ours = int(MAX_TICKET_LIFE.total_seconds() * 1000)
    if cap is None or cap > policies.LONGEST_SIGNATURE:
        yield warn(
            "store",
            "the bucket's policy accepts signed addresses of any age"
            if cap is None
            else f"the bucket's policy accepts signed addresses that are {cap // 60000} minutes old",
            add.format("SignaturesAreFresh"),
        )
    elif cap < ours:
        yield fail(
            "store",
            f"the bucket's policy refuses signed addresses after {cap // 1000} seconds; ours live {ours // 1000}",
            f"Set s3:signatureAge to {ours}",
        )
    else:
        yield ok("store", f"a signed address is good for {cap // 1000} seconds at most")


def _unread(what: str) -> Finding:
    return warn("store", f"our credentials may not read the bucket's {what}", "Grant the reading, or check it by hand")


def _asked(call: Callable[[], Any]) -> tuple[Any, str]:
    """Return what the store answered and why it did not: absent, denied, unknown."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call(), ""
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status in {401, 403}:
            return None, "denied"
        return None, "unknown" if status in {405, 501} or code in {"MethodNotAllowed", "NotImplemented"} else "absent"
    except BotoCoreError:
        return None, "unknown"
