"""flask users and flask clients: what the operator does when nobody can, or before anybody is there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.identity import service as identity
from portal.kernel.actor import system
from portal.kernel.errors import GatehouseError
from portal.kernel.ledger import Tx
from portal.terms import LAB_ROLES, Role, Scope, side_of


@contextmanager
def _acting(name: str) -> Iterator[tuple[Tx, Any]]:
    """Yield a transaction of the operator and the house; a refusal becomes one sentence and exit 1."""
    house = current_app.extensions["gatehouse"]
    try:
        with house.ledger.begin(system(name)) as tx:
            yield tx, house
    except GatehouseError as refusal:
        raise click.ClickException(refusal.message) from refusal


@click.group("users")
def users_group() -> None:
    """People: the first admin's link, invitations by the operator."""


@users_group.command("bootstrap")
@click.option("--email", required=True, help="Work e-mail of the first admin.")
@click.option("--name", required=True, help="Full name.")
@with_appcontext
def bootstrap_command(email: str, name: str) -> None:
    """Print the one-time link of the first admin; it works for 24 hours. Refused once an admin has enrolled."""
    with _acting("flask users bootstrap") as (tx, house):
        invitation = identity.bootstrap(tx, email=email, full_name=name, keyring=house.keyring)
        link = house.settings.base_url + identity.link_path(invitation, house.keyring)
    click.echo(f"{name} becomes the first admin by opening this link, once, within 24 hours:\n{link}")


@users_group.command("invite")
@click.option("--email", required=True, help="Work e-mail.")
@click.option("--name", required=True, help="Full name.")
@click.option("--role", "roles", required=True, multiple=True, type=click.Choice([each.value for each in Role]))
@click.option("--vendor-id", type=click.UUID, default=None, help="For people of a vendor: its id.")
@with_appcontext
def invite_command(email: str, name: str, roles: tuple[str, ...], vendor_id: UUID | None) -> None:
    """Invite a person, mail them the link, and print it."""
    wanted = [Role(role) for role in roles]
    side = side_of(wanted[0])
    if (vendor_id is None) != (wanted[0] in LAB_ROLES):
        raise click.UsageError("Give --vendor-id for a vendor's role, and none for a role of the lab.")
    with _acting("flask users invite") as (tx, house):
        invitation = identity.invite(
            tx, email=email, full_name=name, roles=wanted, side=side, vendor_id=vendor_id, keyring=house.keyring
        )
        link = house.settings.base_url + identity.link_path(invitation, house.keyring)
    click.echo(f"{name} is invited. The link works once, for 7 days:\n{link}")


@click.group("clients")
def clients_group() -> None:
    """Service clients: the machines that ask the gate."""


@clients_group.command("create")
@click.option("--name", required=True, help="Which system it is.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=(Scope.GATE_READ.value,),
    type=click.Choice([each.value for each in Scope]),
)
@click.option("--vendor-id", "vendor_ids", multiple=True, type=click.UUID, help="Limit it to vendors; repeat it.")
@click.option("--days", default=365, show_default=True, type=click.IntRange(1, 400), help="For how long it works.")
@with_appcontext
def create_command(name: str, scopes: tuple[str, ...], vendor_ids: tuple[UUID, ...], days: int) -> None:
    """Make a service client and print its token, this once."""
    with _acting("flask clients create") as (tx, _house):
        client, token = identity.create_client(
            tx, name=name, scopes=scopes, vendor_ids=vendor_ids or None, expires_at=tx.now + timedelta(days=days)
        )
    click.echo(f"{client.name} may ask until {client.expires_at:%Y-%m-%d}. Its token, shown this once:\n{token}")


commands = (users_group, clients_group)
