"""flask demo: load the demo once, print who can sign in every time."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.demo.cast import PASSWORD
from portal.demo.story import DEMO, Story, secret_of, sign_ins
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.terms import Scope

if TYPE_CHECKING:
    from portal.wiring import House

CLIENT = "Demo data platform"


@click.command("demo")
@with_appcontext
def demo_command() -> None:
    """Load invented vendors in every state, and print the sign-ins and a token. Safe to repeat."""
    house = cast("House", current_app.extensions["gatehouse"])
    if house.settings.production:
        raise click.ClickException("The demo has well-known passwords. It is refused in production.")
    for line in Story(house).tell():
        click.echo(f"Demo: {line}")
    path = house.settings.var_dir / "demo.json"
    told = {
        "url": house.settings.base_url,
        "password": PASSWORD,
        "people": [asdict(each) for each in sign_ins()],
        "service_client": {"name": CLIENT, "token": _token(house, path)},
    }
    _write(path, told)
    for line in _page(told, path):
        click.echo(line)


def _token(house: House, path: Path) -> str:
    """Return the token of the demo's service client: the one written down, as long as it still opens the gate."""
    kept = ""
    if path.exists():
        try:
            kept = str(json.loads(path.read_text())["service_client"]["token"])
        except (ValueError, KeyError, TypeError):
            kept = ""
    with house.ledger.begin(DEMO) as tx:
        if kept and identity.client_of(tx, token=kept) is not None:
            return kept
        for line in people.clients(tx):
            if line.name == CLIENT and line.disabled_at is None:
                identity.disable_client(tx, client=identity.get_client(tx, line.id))
        _client, token = identity.create_client(
            tx, name=CLIENT, scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now + timedelta(days=90)
        )
    return token


def _write(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(told, file, indent=1, ensure_ascii=False)
    fresh.replace(path)


def _page(told: dict[str, Any], path: Path) -> list[str]:
    lines = [
        "",
        f"The demo is at {told['url']}. Everybody's password: {told['password']}",
        "A code comes from an authenticator app with the person's secret, or from: flask demo-code <e-mail>",
        "",
        f"  {'e-mail':38} {'organisation':26} {'roles':34} TOTP secret",
    ]
    lines += [
        f"  {person['email']:38} {person['organisation']:26} {', '.join(person['roles']):34} {person['totp_secret']}"
        for person in told["people"]
    ]
    lines += [
        "",
        f"Service token of {told['service_client']['name']}: {told['service_client']['token']}",
        f"  curl -H 'Authorization: Bearer {told['service_client']['token']}' \\",
        f"    '{told['url']}/api/v1/gate?vendor=hollowbrook-linguistics&data_class=D3&access_mode=A2&purpose=rubrics'",
        f"All of this is in {path}.",
        "",
    ]
    return lines


@click.command("demo-code")
@click.argument("email")
def demo_code_command(email: str) -> None:
    """Print the code that a demo person's authenticator shows now."""
    known = {each.email for each in sign_ins()}
    if email not in known:
        raise click.ClickException("Nobody of the demo has this address.")
    house = cast("House", current_app.extensions["gatehouse"])
    with house.ledger.begin(DEMO) as tx:
        click.echo(totp.code_at(secret_of(email), totp.step_at(tx.now)))


commands = (demo_command, demo_code_command)
