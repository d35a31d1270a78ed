"""Sessions on the web: who is known, and what a cookie opens."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, g
from flask.testing import FlaskClient

from portal.policy import Action
from portal.sites.shared import does
from portal.wiring import House
from tests.factories.identity import person


def with_mirror(app: Flask) -> None:
    """Add a page that says who asks."""

    @app.get("/mirror")
    @does(Action.PUBLIC)
    def mirror() -> dict[str, object]:
        return {"name": g.actor.name, "roles": sorted(g.actor.roles), "fresh": g.actor.fresh}


def test_a_session_says_who_acts_and_what_they_may_be(
    app: Flask, house: House, signed_in: Callable[..., FlaskClient]
) -> None:
    with_mirror(app)
    ada = person(house, roles=["reviewer", "auditor"], name="Ada Byron")

    assert signed_in(ada).get("/mirror").json == {"name": "Ada Byron", "roles": ["auditor", "reviewer"], "fresh": False}
    assert signed_in(ada, fresh=True).get("/mirror").json["fresh"] is True


def test_an_id_that_we_did_not_issue_opens_nothing_and_is_not_adopted(app: Flask, client: FlaskClient) -> None:
    with_mirror(app)
    client.set_cookie("gatehouse", "x" * 43)

    answer = client.get("/mirror")

    assert answer.json["name"] == "anonymous"
    assert not [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("gatehouse=")]
