"""How the store speaks to S3: its settings, its client, and what each refusal means to a caller."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from portal.kernel.logging import logger
from portal.kernel.objects.values import (
    AlreadyExists,
    IntegrityFailure,
    ObjectMissing,
    Reason,
    StoreError,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logger(__name__)

TRIES = 2
REST = timedelta(seconds=5)
"""How long nobody asks a server that let somebody wait in vain."""

_FORBIDDEN = {"ExpiredToken", "InvalidToken", "TokenRefreshRequired", "InvalidAccessKeyId"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
_DAMAGED = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody"}
_FULL = {"InsufficientStorage", "QuotaExceeded", "XMinioStorageFull"}


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where the bucket is and how to speak to it.

    ``endpoint_url`` None is AWS. ``checksums`` False is for servers that refuse the x-amz-checksum headers;
    our own SHA-256 is compared in either case. ``kms_key`` encrypts every object with that key, None as the bucket
    does by default. ``timeout`` is how many seconds a call may wait for the server, its second try included.
    Credentials come from boto3's usual chain unless given.
    """

    bucket: str
    endpoint_url: str | None = None
    region: str | None = None
    checksums: bool = True
    timeout: float = 10
    access_key: str | None = None
    secret_key: str | None = None
    kms_key: str | None = None

    @property
    def encryption(self) -> dict[str, Any]:
        """How a new object is encrypted, as boto3 wants to be told."""
        if self.kms_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key, "BucketKeyEnabled": True}

    @property
    def encryption_headers(self) -> dict[str, str]:
        """The same as the headers of a signed address, which the sender has to send."""
        if self.kms_key is None:
            return {}
        return {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": self.kms_key,
            "x-amz-server-side-encryption-bucket-key-enabled": "true",
        }


class S3Connection:
    """One client for all threads, made when it is first needed and again when its credentials were refused.

    After a call that waited in vain the others fail at once for a while, and then one of them tries: a slow server
    must not hold every thread of a process (security.md R9).
    """

    def __init__(self, config: S3Config, *, clock: Callable[[], datetime]) -> None:
        self.config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._made: S3Client | None = None
        self._rests_until: datetime | None = None

    @contextmanager
    def talking(self, key: str, *, anew: bool = True) -> Iterator["S3Client"]:
        """Lend the client and turn what S3 says into what a caller can act on.

        :param anew: whether this begins something, which a slow server is spared.
        """
        if anew:
            self._refuse_while_slow()
        try:
            with self.signing(key) as client:
                yield client
        except StoreUnavailable as refusal:
            self._rest(refusal.reason is Reason.SLOW)
            if refusal.reason is Reason.FORBIDDEN:
                # Told apart from an outage: somebody has to renew credentials or repair a policy.
                log.error("the store refuses our credentials", bucket=self.config.bucket, code=refusal.detail)
            else:
                log.warning("the store did not serve", reason=refusal.reason.value, code=refusal.detail)
            raise
        except (StoreError, GeneratorExit):
            self._rest(False)
            raise
        else:
            self._rest(False)

    @contextmanager
    def signing(self, key: str) -> Iterator["S3Client"]:
        """Lend the client for what needs no server."""
        from botocore import exceptions as said

        try:
            yield self._client()
        except said.ClientError as error:
            raise self._understood(error, key) from error
        except (said.ConnectTimeoutError, said.ReadTimeoutError) as error:
            raise StoreUnavailable(Reason.SLOW, type(error).__name__) from error
        except (said.FlexibleChecksumError, said.ChecksumError) as error:
            raise IntegrityFailure("the server's checksum differs") from error
        except (
            said.NoCredentialsError,
            said.PartialCredentialsError,
            said.CredentialRetrievalError,
            said.UnauthorizedSSOTokenError,
        ) as error:
            self.forget()
            raise StoreUnavailable(Reason.FORBIDDEN, type(error).__name__) from error
        except (said.HTTPClientError, said.ConnectionError, said.IncompleteReadError) as error:
            raise StoreUnavailable(Reason.DOWN, type(error).__name__) from error
        except said.BotoCoreError as error:
            raise StoreUnavailable(Reason.MISCONFIGURED, type(error).__name__) from error

    def _refuse_while_slow(self) -> None:
        with self._lock:
            if self._rests_until is None:
                return
            now = self._clock()
            if now < self._rests_until:
                raise StoreUnavailable(Reason.SLOW, "it was slow a moment ago")
            # This one tries; the others go on failing at once for as long as that may take.
            self._rests_until = now + timedelta(seconds=self.config.timeout) + REST

    def _rest(self, slow: bool) -> None:
        if slow or self._rests_until is not None:
            with self._lock:
                self._rests_until = self._clock() + REST if slow else None

    def _understood(self, error: Any, key: str) -> Exception:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code == "NoSuchBucket":
            return StoreUnavailable(Reason.MISCONFIGURED, code)
        if code in _DAMAGED:
            return IntegrityFailure(code)
        if code in _TAKEN or status in {409, 412}:
            return AlreadyExists(key)
        if code in _FULL or status == 507:
            return StoreUnavailable(Reason.NO_SPACE, code)
        # A HEAD has no body to name the code: what it calls a bad request of ours is a token out of time.
        unnamed = status == 400 and error.operation_name == "HeadObject"
        if code in _FORBIDDEN or status in {401, 403} or unnamed:
            # The next call looks the credentials up again, so new ones work without a restart.
            self.forget()
            return StoreUnavailable(Reason.FORBIDDEN, code)
        if code == "NoSuchUpload":
            return ObjectMissing(key)
        if status == 404 or (code == "InvalidArgument" and error.operation_name == "GetObject"):
            return ObjectMissing(key)
        return StoreUnavailable(Reason.DOWN if status >= 500 else Reason.MISCONFIGURED, code)

    def _client(self) -> "S3Client":
        with self._lock:
            if self._made is None:
                self._made = self._make_client()
            return self._made

    def forget(self) -> None:
        """Make a new client for the next call, which looks the credentials up again."""
        with self._lock:
            self._made = None

    def _make_client(self) -> "S3Client":
        # Imported here: boto3 takes a third of a second and 24 MB, which commands and the embedded store do without.
        # A web worker with a bucket loads it beside its first request (portal/wiring.py).
        import boto3
        from botocore.config import Config

        config = self.config
        # botocore would add a CRC32 by itself, which several look-alikes reject; ours is a SHA-256.
        client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=config.endpoint_url,
            region_name=config.region or ("us-east-1" if config.endpoint_url else None),
            aws_access_key_id=config.access_key,
            aws_secret_access_key=config.secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=config.timeout / TRIES,
                read_timeout=config.timeout / TRIES,
                retries={"total_max_attempts": TRIES, "mode": "standard"},
                s3={"addressing_style": "path" if config.endpoint_url else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        return client


def base64_of(digest: bytes) -> str:
    """Return a digest as the checksum headers carry it."""
    return base64.b64encode(digest).decode("ascii")


def pinned(version: str | None) -> str:
    """Return the version id of an answer; without one nothing can be pinned."""
    if not version or version == "null":
        raise StoreUnavailable(Reason.MISCONFIGURED, "the bucket does not keep versions")
    return version
