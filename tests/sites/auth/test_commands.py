"""What the operator does at the command line."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from portal.identity import service as identity
from portal.kernel.actor import system
from portal.wiring import House
from tests.factories.identity import person


def test_bootstrap_prints_a_link_that_makes_the_first_admin(app: Flask, client: FlaskClient) -> None:
    done = app.test_cli_runner().invoke(args=["users", "bootstrap", "--email", "a@orrery.example", "--name", "Ada"])

    link = re.search(r"http://127\.0\.0\.1:8000(/invitation/\S+)", done.output)
    assert done.exit_code == 0
    assert link
    assert "first admin of Gatehouse" in client.get(link[1], follow_redirects=True).text


def test_bootstrap_is_refused_in_one_sentence_once_there_is_an_admin(app: Flask, house: House) -> None:
    person(house, roles=["program_admin"], name="Ines Adeyemi")

    done = app.test_cli_runner().invoke(args=["users", "bootstrap", "--email", "b@orrery.example", "--name", "Bo"])

    assert done.exit_code == 1
    assert "There is an admin already: Ines Adeyemi can invite people." in done.output


def test_inviting_refuses_a_role_on_the_wrong_side_and_a_bad_address(app: Flask) -> None:
    run = app.test_cli_runner()

    for arguments in (
        ["--email", "x@orrery.example", "--role", "signatory"],
        ["--email", "x@orrery.example", "--role", "reviewer", "--role", "signatory"],
        ["--email", "nowhere", "--role", "reviewer"],
    ):
        assert run.invoke(args=["users", "invite", "--name", "X", *arguments]).exit_code != 0
    assert (
        run.invoke(
            args=["users", "invite", "--name", "X", "--email", "x@orrery.example", "--role", "reviewer"]
        ).exit_code
        == 0
    )


def test_a_client_is_made_and_its_token_printed_once(app: Flask, house: House) -> None:
    done = app.test_cli_runner().invoke(args=["clients", "create", "--name", "Data platform"])

    token = done.output.strip().splitlines()[-1]
    with house.ledger.begin(system("test")) as tx:
        actor = identity.client_of(tx, token=token)
    assert actor is not None
    assert actor.name == "Data platform"
