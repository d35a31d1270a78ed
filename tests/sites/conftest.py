"""The whole application in memory, and browsers of signed-in people that send their form token by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from portal.settings import Settings
from portal.wiring import House
from tests.factories.identity import Person, session_token
from tests.sites.shelf import Shelf

FORM_TOKEN = "f" * 40


class Client(FlaskClient):
    """A browser without scripts. A post carries the token against forged forms, unless ``csrf=False``."""

    form_token: str | None = None

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        """Send a request."""
        method = kwargs.get("method", "GET")
        if csrf and method in {"POST", "PUT", "PATCH", "DELETE"}:
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "X-CSRFToken": self.token()}
        return super().open(*args, **kwargs)

    def token(self) -> str:
        """Return the token of this browser's forms."""
        if self.form_token is not None:
            signer = URLSafeTimedSerializer(self.application.secret_key, salt="wtf-csrf-token")
            return str(signer.dumps(self.form_token))
        page = super().open("/help").get_data(as_text=True)
        found = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert found, "the page has no form token"
        return found[1]


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """The applications that may be used again."""
    return Shelf()


@pytest.fixture
def app(settings: Settings, house: House, shelf: Shelf) -> Iterator[Flask]:
    """The application on the test's own house."""
    made = shelf.take(settings, house)
    made.config["TESTING"] = True
    made.config["PROPAGATE_EXCEPTIONS"] = False
    made.test_client_class = Client
    yield made
    shelf.put_back(settings, made)


@pytest.fixture
def client(app: Flask) -> Client:
    """The browser of a stranger."""
    made = app.test_client()
    assert isinstance(made, Client)
    return made


@pytest.fixture
def signed_in(app: Flask, house: House) -> Callable[..., Client]:
    """A factory of browsers: ``signed_in(person)``; with ``fresh=True`` a factor was given moments ago."""

    def make(someone: Person, *, fresh: bool = False) -> Client:
        made = app.test_client()
        assert isinstance(made, Client)
        token = session_token(house, someone, fresh=fresh, data={"csrf_token": FORM_TOKEN})
        made.set_cookie("gatehouse", token)
        made.form_token = FORM_TOKEN
        return made

    return make
