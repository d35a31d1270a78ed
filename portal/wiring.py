"""The composition root: one object that holds what a process needs, and the application built on it."""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import FileSystemLoader, StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

import portal.models
from portal.audit import service as audit
from portal.gate.counting import CallCounter
from portal.identity import invitations
from portal.identity.rules import InvitationState
from portal.kernel import logging
from portal.kernel.actor import system
from portal.kernel.clock import Clock, DatabaseClock
from portal.kernel.database import engine_for
from portal.kernel.embedded import running
from portal.kernel.errors import NotFound
from portal.kernel.ids import NewId, uuid7
from portal.kernel.ledger import Ledger
from portal.kernel.objects import ObjectStore
from portal.kernel.objects.disk import DiskStore
from portal.kernel.objects.s3 import S3Config, S3Store
from portal.kernel.secrets import Keyring
from portal.kernel.signing import FileSigner, Signer
from portal.reactions import REACTIONS
from portal.settings import Settings
from portal.sites.shared import door, errors, headers, language, packed, sessions, timed, ui

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ROOT = Path(__file__).resolve().parent.parent

SITES: dict[str, tuple[str, ...]] = {
    "shared": (
        "portal.sites.shared.basics",
        "portal.sites.shared.reading",
        "portal.sites.shared.auth.views",
        "portal.sites.shared.auth.preferences",
    ),
    "vendor": (
        "portal.sites.vendor.home.views",
        "portal.sites.vendor.messages.views",
        "portal.sites.vendor.home.more_time",
        "portal.sites.vendor.scoping.views",
        "portal.sites.vendor.section.views",
        "portal.sites.vendor.renewal.views",
        "portal.sites.vendor.check.views",
        "portal.sites.vendor.check.sending_back",
        "portal.sites.vendor.check.signed",
        "portal.sites.vendor.evidence.views",
        "portal.sites.vendor.evidence.attach",
        "portal.sites.vendor.evidence.uploads",
        "portal.sites.vendor.evidence.viewer",
        "portal.sites.vendor.exchange.views",
        "portal.sites.vendor.results.views",
        "portal.sites.vendor.findings.views",
        "portal.sites.vendor.team.views",
        "portal.sites.vendor.offline.views",
        "portal.sites.vendor.everything.views",
    ),
    "lab": (
        "portal.sites.lab.queue.views",
        "portal.sites.lab.queue.acts",
        "portal.sites.lab.queue.several",
        "portal.sites.lab.search.views",
        "portal.sites.lab.workspace.views",
        "portal.sites.lab.bulk.views",
        "portal.sites.lab.messages.views",
        "portal.sites.lab.signed.views",
        "portal.sites.lab.decision.views",
        "portal.sites.lab.findings.views",
        "portal.sites.lab.appeals.views",
        "portal.sites.lab.vendors.views",
        "portal.sites.lab.vendors.tabs",
        "portal.sites.lab.move.views",
        "portal.sites.lab.evidence.views",
        "portal.sites.lab.evidence.uses",
        "portal.sites.lab.evidence.structure",
        "portal.sites.lab.evidence.tasks",
        "portal.sites.lab.questionnaires.views",
        "portal.sites.lab.policies.views",
        "portal.sites.lab.scores.views",
        "portal.sites.lab.exports.views",
        "portal.sites.lab.people.views",
        "portal.sites.lab.people.conflicts",
        "portal.sites.lab.clients.views",
        "portal.sites.lab.mail.views",
        "portal.sites.lab.pause.views",
        "portal.sites.lab.revoke.views",
        "portal.sites.lab.audit.views",
    ),
    "api": ("portal.sites.api.gate.views",),
}
"""The modules with a blueprint (``bp``) of each site, in the order of the navigation."""

TEMPLATES = ("shared", "vendor", "lab")
"""The folders of templates; each names its site again inside (``vendor/home.html``), so that none shadows another."""

COMMANDS: tuple[str, ...] = (
    "portal.cli",
    "portal.identity.cli",
    "portal.delivery.cli",
    "portal.jobs.cli",
    "portal.evidence.cli",
    "portal.questionnaires.cli",
    "portal.scoring.cli",
    "portal.demo.cli",
)
"""The modules whose ``commands`` are added to the flask command."""

MAX_FORM_BYTES = 33_000_000
"""A plain form post carries a file of 32 MB at most (ux.md); the browser's direct upload is not a form post."""


class House:
    """What one process stands on. The sites reach it as ``current_app.extensions["gatehouse"]``."""

    def __init__(
        self,
        settings: Settings,
        *,
        database_url: str | None = None,
        clock: Clock | None = None,
        new_id: NewId = uuid7,
        store: ObjectStore | None = None,
    ) -> None:
        """Take the settings; tests also bring a database, a clock, ids or a store of their own."""
        assert portal.models.ALL_MODELS  # noqa: S101 - imported so that keys between rooms resolve
        self.settings = settings
        self.clock: Clock = clock or DatabaseClock()
        self.new_id = new_id
        self._given_url = database_url
        self._given_store = store

    @cached_property
    def database_url(self) -> str:
        """The database: the one given, else the embedded one that runs, else our own until this process ends."""
        if url := self._given_url or self.settings.database_url:
            return url.replace("postgresql://", "postgresql+psycopg://", 1)
        stack = ExitStack()
        atexit.register(stack.close)
        return stack.enter_context(running(self.settings.var_dir / "postgres"))

    @cached_property
    def engine(self) -> sa.Engine:
        """The pool of database connections of this process."""
        return engine_for(self.database_url, pool_size=self.settings.web_threads + 2)

    @cached_property
    def ledger(self) -> Ledger:
        """Where transactions begin."""
        return Ledger(self.engine, reactions=REACTIONS, trail=audit.append, clock=self.clock, new_id=self.new_id)

    @cached_property
    def keyring(self) -> Keyring:
        """What seals secrets and derives one-time tokens."""
        return Keyring(self.settings.secret_keys)

    @cached_property
    def gate_calls(self) -> CallCounter:
        """Where calls of the gate are counted; written down by itself every few seconds."""
        return CallCounter(self.ledger)

    @property
    def signing_keys(self) -> Path:
        """The file of the keys that sign statements."""
        return self.settings.signing_keys or self.settings.keys_dir / "signing.json"

    @cached_property
    def signer(self) -> Signer:
        """What signs statements; without a key in force it refuses."""
        return FileSigner(self.signing_keys)

    @cached_property
    def store(self) -> ObjectStore:
        """Where evidence lies: S3 if a bucket is named, else the folder of this machine."""
        if self._given_store is not None:
            return self._given_store
        settings = self.settings
        if settings.s3_bucket:
            config = S3Config(
                bucket=settings.s3_bucket,
                endpoint_url=settings.s3_endpoint_url,
                region=settings.s3_region,
                checksums=settings.s3_checksums,
                kms_key=settings.s3_kms_key,
            )
            return S3Store(config, clock=self.instant)
        return DiskStore(
            settings.evidence_path,
            secret_keys=settings.secret_keys,
            clock=self.instant,
            upload_path="/uploads",
        )

    def link_token(self, invitation_id: UUID) -> str | None:
        """Return the one-time token of an invitation, None if it is not open any more (for mail that leaves)."""
        with self.ledger.begin(system("link_token")) as tx:
            try:
                invitation = invitations.get(tx, invitation_id)
            except NotFound:
                return None
            if invitations.state_of(tx, invitation) is not InvitationState.OPEN:
                return None
            return invitations.link_token(invitation, self.keyring)

    def instant(self) -> datetime:
        """Return now by the house's clock, without a transaction (for signed upload tickets)."""
        return self.clock.read(datetime.now(UTC))


def make_app(settings: Settings, house: House | None = None) -> Flask:
    """Return the application for these settings: the sites it serves, the door, the headers, the commands."""
    logging.configure(json_lines=settings.production)
    built = house or House(settings)
    app = Flask("portal", root_path=str(ROOT / "portal"), static_folder=str(ROOT / "static"))
    app.request_class = door.Asked
    app.extensions["gatehouse"] = built
    if settings.trusted_proxies:
        # The visitor's address is what our own proxies wrote, counted from the last one (ASVS 15.3.4). Host and
        # scheme come from GATEHOUSE_BASE_URL and are read from nobody.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0
        )
    app.config.update(
        SECRET_KEY=settings.secret_keys[0] if settings.secret_keys else None,
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=2_000_000,
        MAX_FORM_PARTS=2_000,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.url_map.strict_slashes = False
    app.jinja_loader = FileSystemLoader([ROOT / "portal" / "sites" / site / "templates" for site in TEMPLATES])
    app.jinja_env.undefined = StrictUndefined
    origin = _upload_origin(settings)
    headers.register(app, settings, upload_origin=origin)
    sessions.register(app)
    # The door comes first: who was signed out meanwhile is told so (401), not that the page is too old (400).
    app.before_request(door.guard)
    csrf = app.extensions["csrf"] = CSRFProtect(app)
    # A mail program posts here with nothing but the signed link (RFC 8058).
    csrf.exempt("portal.sites.shared.auth.preferences.unsubscribe_now")
    errors.register(app)
    language.register(app)
    ui.register(app, now=lambda: built.instant())
    timed.register(app)
    packed.register(app)
    app.context_processor(lambda: {"lab_name": settings.lab_name, "site_host": settings.host})
    _serve(app, settings)
    door.mark_static(app)
    for name in COMMANDS:
        for command in import_module(name).commands:
            app.cli.add_command(command)
    if settings.s3_bucket and isinstance(built.store, S3Store):
        _warm_with_first_request(app, built.store)
    return app


def _warm_with_first_request(app: Flask, store: S3Store) -> None:
    """Load what speaks to S3 beside the first request: commands do not pay for it, and no upload waits for it."""
    serve = app.wsgi_app

    def first(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        app.wsgi_app = serve  # type: ignore[method-assign]
        Thread(target=store.warm, name="warm-store", daemon=True).start()
        return serve(environ, start_response)

    app.wsgi_app = first  # type: ignore[method-assign]


def _serve(app: Flask, settings: Settings) -> None:
    for site, modules in SITES.items():
        if site != "shared" and site not in settings.sites:
            continue
        for name in modules:
            app.register_blueprint(import_module(name).bp)


def _upload_origin(settings: Settings) -> str | None:
    if not settings.s3_bucket:
        return None
    if settings.s3_endpoint_url:
        return settings.s3_endpoint_url.rstrip("/")
    return f"https://{settings.s3_bucket}.s3.{settings.s3_region or 'us-east-1'}.amazonaws.com"
