"""One frozen settings object from GATEHOUSE_* variables; refuses nonsense, and anything unsafe in production."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MIN_SECRET = 32
NOBODY = "nobody:"
"""A scanner that is away for good (portal/kernel/clamd.py knows no such kind of address)."""

ALL_SITES = frozenset({"vendor", "lab", "api"})


class UnsafeSettings(ValueError):
    """The settings cannot be run with; each problem is one sentence."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that differs from one installation to the next (docs/operations.md lists each)."""

    env: str = "development"
    var_dir: Path = field(default_factory=lambda: Path("var"))
    database_url: str | None = None
    base_url: str = "http://127.0.0.1:8000"
    port: int = 8000
    secret_keys: tuple[str, ...] = ()
    signing_keys: Path | None = None
    lab_name: str = "Orrery"
    sites: frozenset[str] = ALL_SITES
    s3_bucket: str | None = None
    s3_endpoint_url: str | None = None
    s3_region: str | None = None
    s3_checksums: bool = True
    s3_kms_key: str | None = None
    evidence_retention_days: int = 1095
    evidence_dir: Path | None = None
    smtp_url: str | None = None
    mail_from: str = "gatehouse@localhost"
    scanner_url: str | None = None
    scanner_required: bool = False
    web_workers: int = 2
    web_threads: int = 4
    demo: bool = False
    argon2_profile: str = "strong"
    trusted_proxies: int = 0

    @property
    def production(self) -> bool:
        """Whether unsafe values are refused."""
        return self.env == "production"

    @property
    def secure(self) -> bool:
        """Whether links and cookies are https."""
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        """The one true host, shown beside the sign-in form."""
        return urlsplit(self.base_url).netloc

    @property
    def embedded_database(self) -> bool:
        """Whether we start our own PostgreSQL."""
        return self.database_url is None

    @property
    def evidence_path(self) -> Path:
        """Where the embedded object store keeps its files."""
        return self.evidence_dir or self.var_dir / "evidence"

    @property
    def scanner(self) -> str | None:
        """Whom to ask about malware; None: nobody, and files are attached as "not scanned".

        Where a scan is required and no scanner is named, it is an address that never answers: files wait.
        """
        return self.scanner_url or (NOBODY if self.scanner_required else None)

    @property
    def keys_dir(self) -> Path:
        """Where generated keys live (mode 0700)."""
        return self.var_dir / "keys"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read GATEHOUSE_* (and PORT, VAR of ``make run``).

        In development a secret key is made once and kept under ``var/keys``; production must be given one.

        :raises UnsafeSettings: with every problem at once.
        """
        read = dict(os.environ if environ is None else environ)
        problems: list[str] = []
        var_dir = Path(read.get("GATEHOUSE_VAR") or read.get("VAR") or "var").absolute()
        port = _number(read.get("PORT") or read.get("GATEHOUSE_PORT") or "8000", "PORT", 1, 65535, problems)
        env = read.get("GATEHOUSE_ENV") or "development"
        if env not in {"development", "production"}:
            problems.append(f"GATEHOUSE_ENV must be development or production; it is {env!r}.")
        sites = frozenset(
            part.strip() for part in (read.get("GATEHOUSE_SITES") or "vendor,lab,api").split(",") if part.strip()
        )
        if unknown := sorted(sites - ALL_SITES):
            problems.append(f"GATEHOUSE_SITES knows vendor, lab and api; not {', '.join(unknown)}.")
        keys = tuple(key.strip() for key in (read.get("GATEHOUSE_SECRET_KEY") or "").split(",") if key.strip())
        if not keys and env == "development":
            keys = (_kept_secret(var_dir / "keys" / "secret"),)
        settings = cls(
            env=env,
            var_dir=var_dir,
            port=port,
            database_url=read.get("GATEHOUSE_DATABASE_URL") or None,
            base_url=(read.get("GATEHOUSE_BASE_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            secret_keys=keys,
            signing_keys=_path(read.get("GATEHOUSE_SIGNING_KEYS")),
            lab_name=read.get("GATEHOUSE_LAB_NAME") or "Orrery",
            sites=sites,
            s3_bucket=read.get("GATEHOUSE_S3_BUCKET") or None,
            s3_endpoint_url=read.get("GATEHOUSE_S3_ENDPOINT_URL") or None,
            s3_region=read.get("GATEHOUSE_S3_REGION") or None,
            s3_checksums=_flag(read.get("GATEHOUSE_S3_CHECKSUMS"), default=True),
            s3_kms_key=read.get("GATEHOUSE_S3_KMS_KEY") or None,
            evidence_retention_days=_number(
                read.get("GATEHOUSE_EVIDENCE_RETENTION_DAYS") or "1095",
                "GATEHOUSE_EVIDENCE_RETENTION_DAYS",
                0,
                36500,
                problems,
            ),
            evidence_dir=_path(read.get("GATEHOUSE_EVIDENCE_DIR")),
            smtp_url=read.get("GATEHOUSE_SMTP_URL") or None,
            mail_from=read.get("GATEHOUSE_MAIL_FROM") or "gatehouse@localhost",
            scanner_url=read.get("GATEHOUSE_SCANNER_URL") or None,
            scanner_required=_flag(read.get("GATEHOUSE_SCANNER_REQUIRED"), default=False),
            web_workers=_number(read.get("GATEHOUSE_WEB_WORKERS") or "2", "GATEHOUSE_WEB_WORKERS", 1, 64, problems),
            web_threads=_number(read.get("GATEHOUSE_WEB_THREADS") or "4", "GATEHOUSE_WEB_THREADS", 1, 64, problems),
            demo=_flag(read.get("GATEHOUSE_DEMO"), default=False),
            trusted_proxies=_number(
                read.get("GATEHOUSE_TRUSTED_PROXIES") or "0", "GATEHOUSE_TRUSTED_PROXIES", 0, 8, problems
            ),
        )
        problems.extend(settings.problems())
        if problems:
            raise UnsafeSettings(problems)
        return settings

    def problems(self) -> list[str]:
        """Return what makes these settings unusable, one sentence each; more is refused in production."""
        found = []
        scheme = urlsplit(self.base_url)
        if scheme.scheme not in {"http", "https"} or not scheme.netloc or scheme.path or scheme.query:
            found.append("GATEHOUSE_BASE_URL must be a scheme and a host, for example https://gatehouse.example.")
        if self.database_url is not None and not self.database_url.startswith(
            ("postgresql://", "postgresql+psycopg://")
        ):
            found.append("GATEHOUSE_DATABASE_URL must start with postgresql://. Gatehouse speaks to PostgreSQL only.")
        if self.smtp_url is not None and not _is_mail_server(self.smtp_url):
            found.append(
                "GATEHOUSE_SMTP_URL must look like smtp://name:password@host:587, smtp+starttls://host:587 or "
                "smtps://host:465."
            )
        if not re.fullmatch(r"[^\s@<>,;:\"]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}", self.mail_from):
            found.append("GATEHOUSE_MAIL_FROM must be one e-mail address, for example gatehouse@lab.example.")
        if not self.production:
            return found
        if not self.secret_keys or any(len(key) < MIN_SECRET for key in self.secret_keys):
            found.append(f"GATEHOUSE_SECRET_KEY must be set, with at least {MIN_SECRET} characters a key.")
        if not self.secure:
            found.append("GATEHOUSE_BASE_URL must be https in production.")
        if self.demo:
            found.append("GATEHOUSE_DEMO loads well-known passwords and is refused in production.")
        if self.signing_keys is not None and self.signing_keys.exists() and self.signing_keys.stat().st_mode & 0o077:
            found.append("GATEHOUSE_SIGNING_KEYS must be readable by its owner only (chmod 600).")
        return found


def _is_mail_server(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"smtp", "smtp+starttls", "smtps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _path(text: str | None) -> Path | None:
    return Path(text).absolute() if text else None


def _flag(text: str | None, *, default: bool) -> bool:
    return default if text is None or text == "" else text.strip().lower() in {"1", "true", "yes", "on"}


def _number(text: str, name: str, low: int, high: int, problems: list[str]) -> int:
    if text.isascii() and text.isdigit() and low <= int(text) <= high:
        return int(text)
    problems.append(f"{name} must be a number from {low} to {high}; it is {text!r}.")
    return low


def _kept_secret(path: Path) -> str:
    """Return the development secret, made once; two processes that start at once agree on one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()
