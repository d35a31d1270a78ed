"""The demo is lived, not written: each vendor goes through the product's own commands, on the days it happened."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from portal.demo.cast import COMPANIES, LAB, PASSWORD, Company, Player, Stage, address
from portal.demo.house import keep_house
from portal.demo.vendor import Way
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.identity.passwords import hasher
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import NotFound
from portal.policy import Action
from portal.terms import Side
from portal.vendors import service as vendors
from portal.vendors.rules import slug_of

if TYPE_CHECKING:
    from portal.wiring import House

DEMO = system("demo")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one person of the demo gets in."""

    name: str
    email: str
    roles: tuple[str, ...]
    organisation: str
    totp_secret: str


def secret_of(email: str) -> str:
    """Return the authenticator secret of a demo person: always the same, so that it can be printed again."""
    return base64.b32encode(hashlib.sha256(f"gatehouse demo {email}".encode()).digest()[:20]).decode()


def sign_ins() -> list[SignIn]:
    """Return everybody who can sign in, the lab's people first."""
    cast = [(player, "orrery.example", "Orrery") for player in LAB]
    for company in COMPANIES:
        if company.stage is not Stage.INVITED:
            cast += [(player, company.domain, company.name) for player in company.players]
    return [
        SignIn(
            name=player.name,
            email=address(player, domain),
            roles=tuple(role.value for role in player.roles),
            organisation=organisation,
            totp_secret=secret_of(address(player, domain)),
        )
        for player, domain, organisation in cast
    ]


class Story:
    """Tells the whole demo to an empty house."""

    def __init__(self, house: House) -> None:
        self._house = house
        with house.ledger.begin(DEMO) as tx:
            self._now = tx.now
        self._clock = FixedClock(self._now)
        # The same database and store, with a clock that can be set to the day on which something happened.
        self._then = type(house)(house.settings, database_url=house.database_url, clock=self._clock, store=house.store)
        self._actors: dict[str, Actor] = {}

    def tell(self) -> Iterator[str]:
        """Live through it; yield a word on each vendor. What is there already is not lived twice."""
        self._at(days_ago=460)
        for player in LAB:
            self._enrol(player, "orrery.example", vendor_id=None)
        for company in COMPANIES:
            if not self._knows(company):
                Way(self, company).live()
                yield f"{company.name}: {company.stage.value.replace('_', ' ')}"
        keep_house(self)
        self._then.engine.dispose()

    def _knows(self, company: Company) -> bool:
        with self._then.ledger.begin(DEMO) as tx:
            try:
                vendors.by_slug(tx, slug_of(company.name, fallback="vendor"), Action.VENDOR_READ)
            except NotFound:
                return False
        return True

    def at(self, *, days_ago: float) -> datetime:
        """Set the clock to a working hour so many days ago."""
        return self._at(days_ago=days_ago)

    def _at(self, *, days_ago: float) -> datetime:
        self._clock.instant = self._now - timedelta(days=days_ago)
        return self._clock.instant

    @property
    def then(self) -> House:
        """The house on the day that is being told."""
        return self._then

    def today(self) -> date:
        """Return the day that is being told."""
        return self._clock.instant.date()

    def lab(self, name: str) -> Actor:
        """Return one of the lab's people, with a factor given just now."""
        return self._actors[name]

    def enrol(self, player: Player, company: Company, vendor_id: UUID) -> Actor:
        """Invite and enrol a person of a vendor."""
        return self._enrol(player, company.domain, vendor_id=vendor_id)

    def _enrol(self, player: Player, domain: str, *, vendor_id: UUID | None) -> Actor:
        email = address(player, domain)
        keyring = self._house.keyring
        with self._then.ledger.begin(DEMO) as tx:
            known = people.people_of_vendor(tx, vendor_id) if vendor_id else people.lab_people(tx)
            found = next((each for each in known if each.email == email), None)
            if found is None:
                invitation = identity.invite(
                    tx,
                    email=email,
                    full_name=player.name,
                    roles=player.roles,
                    side=Side.VENDOR if vendor_id else Side.LAB,
                    vendor_id=vendor_id,
                    keyring=keyring,
                )
                secret = secret_of(email)
                user, _codes = identity.enrol(
                    tx,
                    invitation=invitation,
                    password=PASSWORD,
                    totp_secret=secret,
                    totp_code=totp.code_at(secret, totp.step_at(tx.now)),
                    keyring=keyring,
                    hasher=hasher("test"),  # everybody knows these passwords; the demo should load fast
                )
                user.title = player.title
                tx.session.flush()
                user_id = user.id
            else:
                user_id = found.id
        actor = Actor(
            ActorKind.PERSON,
            user_id,
            player.name,
            vendor_id=vendor_id,
            roles=frozenset(player.roles),
            fresh=True,
            email=email,
            address="127.0.0.1",
        )
        self._actors[player.name] = actor
        return actor
