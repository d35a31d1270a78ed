"""Sessions on the web: the cookie holds a token and nothing else; what it opens lies in the database.

Who is signed in has a row (portal/identity); a visitor has a short signed cookie that carries the token against forged
forms. Ids that we did not issue open nothing. Flask-Login keeps the login state on top of it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from flask import Flask, current_app, g, request
from flask import session as current
from flask.sessions import SessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from werkzeug.wrappers import Request, Response

from portal.identity import service as identity
from portal.kernel.actor import ANONYMOUS, Actor, system
from portal.kernel.errors import Unavailable
from portal.kernel.logging import logger
from portal.sites.shared.pages import house, ledger

log = logger(__name__)

COOKIE = "gatehouse"
VISITOR_COOKIE = "gatehouse-form"
VISITOR_HOURS = 4
MACHINES = ("/api/", "/access/", "/.well-known/", "/health/", "/static/", "/csp-report")
"""Paths where no cookie is looked at: a session never works there (ASVS 6.3.4), and a token never makes one."""

LEFT = "/session"
NEWS = "/news/"
"""Where a page asks how long its session lasts: to ask is not to use it."""

_LOGIN_STATE = {"_user_id", "_fresh", "_id"}
_TOKEN_LENGTH = 43


def cookie_name(name: str, *, secure: bool) -> str:
    """Return the cookie's name: over https with the prefix that binds it to this very host."""
    return f"__Host-{name}" if secure else name


@dataclass(slots=True)
class _Opened:
    values: dict[str, Any]
    live: identity.LiveSession | None


class Visit(SessionMixin):
    """What Flask calls the session; it asks the database only when somebody looks into it."""

    def __init__(self, opening: Callable[[], _Opened]) -> None:
        """Take the function that opens it, at most once."""
        self._opening = opening
        self._opened: _Opened | None = None
        self.modified = False
        self.accessed = False
        self.started: identity.NewSession | None = None
        self.ended = False

    def _open(self) -> _Opened:
        self.accessed = True
        if self._opened is None:
            try:
                self._opened = self._opening()
            except Unavailable:
                # The page that says so looks into the session too, and must be able to.
                self._opened = _Opened({}, None)
                raise
        return self._opened

    @property
    def looked_at(self) -> bool:
        """Whether anybody looked into it."""
        return self._opened is not None

    @property
    def live(self) -> identity.LiveSession | None:
        """The signed-in session, None for a visitor."""
        return self._open().live

    def start(self, new: identity.NewSession) -> None:
        """Go on as the person who has just come in; nothing of the visit before is taken along."""
        self._open().values = {"csrf_token": secrets.token_hex(20)}
        self.started, self.ended, self.modified = new, False, True

    def renew(self, new: identity.NewSession) -> None:
        """Go on with a new token."""
        self.started = new
        self.modified = True

    def end(self) -> None:
        """Forget everything."""
        self._opened = _Opened({}, None)
        self.started, self.ended, self.modified = None, True, True

    def kept(self) -> dict[str, Any]:
        """Return what is to be kept for the next request."""
        return {key: value for key, value in self._open().values.items() if key not in _LOGIN_STATE}

    def __getitem__(self, key: str) -> Any:
        return self._open().values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._open().values[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._open().values[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._open().values)

    def __len__(self) -> int:
        return len(self._open().values)


class DatabaseSessions(SessionInterface):
    """Opens and saves visits."""

    def open_session(self, app: Flask, request: Request) -> Visit:
        """Return the visit of a request, not yet opened."""
        if request.path.startswith(MACHINES):
            return Visit(lambda: _Opened({}, None))
        secure = house().settings.secure
        token = request.cookies.get(cookie_name(COOKIE, secure=secure), "")
        form = request.cookies.get(cookie_name(VISITOR_COOKIE, secure=secure), "")
        asks_only = request.method == "GET" and (request.path == LEFT or request.path.startswith(NEWS))

        def opening() -> _Opened:
            if len(token) == _TOKEN_LENGTH:
                with ledger().begin(system("session")) as tx:
                    live = identity.open_session(tx, token=token, used=not asks_only)
                if live is not None:
                    return _Opened({**live.data, "_user_id": str(live.actor.id)}, live)
            return _Opened(_read(app, form), None)

        return Visit(opening)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep what changed and set the cookies that changed, no others."""
        visit = cast("Visit", session)
        if visit.accessed and not request.path.startswith(MACHINES):
            response.vary.add("Cookie")
        if not visit.modified or not visit.looked_at:
            return
        secure = house().settings.secure
        name, form_name = cookie_name(COOKIE, secure=secure), cookie_name(VISITOR_COOKIE, secure=secure)

        def put(cookie: str, value: str) -> None:
            response.set_cookie(cookie, value, path="/", secure=secure, httponly=True, samesite="Lax")

        def drop(cookie: str) -> None:
            response.delete_cookie(cookie, path="/", secure=secure, httponly=True, samesite="Lax")

        if visit.started is not None:
            put(name, visit.started.token)
            if form_name in request.cookies:
                drop(form_name)
        elif visit.ended:
            drop(name)
        session_id = visit.started.session_id if visit.started else visit.live.id if visit.live else None
        if session_id is None:
            if kept := visit.kept():
                put(form_name, _signer(app).dumps(kept))
            else:
                drop(form_name)
            return
        try:
            with ledger().begin(system("session")) as tx:
                identity.keep(tx, session_id=session_id, data=visit.kept())
        except Unavailable:
            log.warning("a session was not kept", session_id=str(session_id))


def _keys(app: Flask) -> list[Any]:
    return [*app.config.get("SECRET_KEY_FALLBACKS", []), app.secret_key]  # itsdangerous signs with the last


def _signer(app: Flask) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_keys(app), salt="gatehouse visitor")


def holder_mark(user_id: UUID | None) -> str:
    """Return the mark by which a page knows whose it is: the same for one person, and only we can make it."""
    return str(URLSafeSerializer(_keys(current_app), salt="gatehouse holder").dumps(str(user_id)))


def holder_of(mark: str) -> UUID | None:
    """Return whose page a mark is of, None if we did not make it."""
    try:
        return UUID(URLSafeSerializer(_keys(current_app), salt="gatehouse holder").loads(mark))
    except (BadSignature, ValueError, TypeError, AttributeError):
        return None


def _read(app: Flask, cookie: str) -> dict[str, Any]:
    try:
        values = _signer(app).loads(cookie, max_age=VISITOR_HOURS * 3600)
    except BadSignature:
        return {}
    return values if isinstance(values, dict) else {}


class Visitor(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Flask-Login's view of the one who is signed in."""

    def __init__(self, actor_id: object, actor: Actor) -> None:
        """Take the person's id and the actor."""
        self.id = actor_id
        self.actor = actor


def visit() -> Visit:
    """Return the visit of this request."""
    return cast("Visit", current._get_current_object())  # type: ignore[attr-defined]


def come_in(new: identity.NewSession) -> None:
    """Sign the person of a session that has just begun in, in this browser."""
    visit().start(new)
    login_user(Visitor(new.user_id, ANONYMOUS))


def leave() -> None:
    """End this browser's session for good (AU-01)."""
    if g.actor.session_id is not None:
        with ledger().begin(g.actor) as tx:
            identity.sign_out(tx, session_id=g.actor.session_id)
    logout_user()
    visit().end()
    g.actor = ANONYMOUS


def _left(live: identity.LiveSession | None) -> int:
    """Return how many seconds the session of this page lasts, as far as nobody uses it again."""
    if live is None:
        return 0
    return max(0, int((live.ends_at - live.seen_at).total_seconds()))


def register(app: Flask) -> None:
    """Give the application our sessions, the login state, ``g.actor``, and what every page says of the actor."""
    app.session_interface = DatabaseSessions()
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(user_id: str) -> Visitor | None:
        live = visit().live
        if live is None or str(live.actor.id) != user_id:
            return None
        return Visitor(live.actor.id, live.actor)

    @app.before_request
    def know() -> None:
        g.actor = ANONYMOUS
        if request.path.startswith(MACHINES):
            return
        if current_user.is_authenticated:
            g.actor = replace(current_user.actor, address=request.remote_addr or "")

    @app.context_processor
    def about() -> dict[str, Any]:
        actor = g.get("actor", ANONYMOUS)
        live = visit().live if actor.id is not None else None
        return {
            "actor": actor if actor.id is not None else None,
            "vendor_name": live.vendor_name if live else "",
            "session_ends_at": live.ends_at if live else None,
            "holder": holder_mark(actor.id) if actor.id is not None else "",
            "session_left": _left(live),
            "theme": request.cookies.get("theme", "auto"),
        }
