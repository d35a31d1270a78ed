"""Who is let into an endpoint of the API, tried on a blueprint that does nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Blueprint, Flask, g
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue

from portal.identity import service as identity
from portal.kernel.actor import system
from portal.policy import Action
from portal.sites.api import bearer
from portal.sites.api.limits import Rates
from portal.sites.shared.door import does
from portal.terms import Scope
from portal.wiring import House


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    bp = Blueprint("api_tried", __name__, url_prefix="/api/v1/tried")
    bearer.knows(bp)

    @bp.get("/gate")
    @does(Action.API_GATE_READ)
    def asked() -> ResponseReturnValue:
        return {"client": g.actor.name}

    @bp.get("/lab")
    @does(Action.CLIENTS_MANAGE)
    def of_the_lab() -> ResponseReturnValue:
        return {}

    @bp.get("/open")
    @does(Action.PUBLIC)
    def for_everybody() -> ResponseReturnValue:
        return {}

    app.register_blueprint(bp)
    return app.test_client()


@pytest.fixture
def known(house: House) -> dict[str, str]:
    with house.ledger.begin(system("test")) as tx:
        _client, shown = identity.create_client(
            tx,
            name="data platform",
            scopes=[Scope.GATE_READ],
            vendor_ids=None,
            expires_at=tx.now + timedelta(days=1),
        )
    return {"Authorization": f"Bearer {shown}"}


def test_a_known_client_is_let_in_and_told_what_is_left(client: FlaskClient, known: dict[str, str]) -> None:
    answer = client.get("/api/v1/tried/gate", headers=known)

    assert (answer.status_code, answer.get_json()) == (200, {"client": "data platform"})
    assert answer.headers["RateLimit"].startswith('"client";r=')


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ghs_nothing", "Basic YTpi", "Bearer \x7f"])
def test_a_stranger_is_asked_for_a_token(client: FlaskClient, sent: str) -> None:
    answer = client.get("/api/v1/tried/gate", headers={"Authorization": sent})

    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="gatehouse"'
    assert answer.get_json()["type"].endswith("/problems/not-authenticated")


def test_a_client_does_only_what_its_scopes_say(client: FlaskClient, known: dict[str, str]) -> None:
    answer = client.get("/api/v1/tried/lab", headers=known)

    assert answer.status_code == 403
    assert answer.get_json()["type"].endswith("/problems/not-allowed")


def test_what_is_public_needs_no_token(client: FlaskClient) -> None:
    assert client.get("/api/v1/tried/open").status_code == 200


def test_who_asks_too_often_is_told_when_to_come_back(app: Flask, client: FlaskClient, known: dict[str, str]) -> None:
    app.extensions["api_rates"] = Rates(workers=600)
    client.get("/api/v1/tried/gate", headers=known)

    answer = client.get("/api/v1/tried/gate", headers=known)

    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.get_json()["type"].endswith("/problems/too-many-requests")
