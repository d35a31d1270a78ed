"""INV-01, INV-05, INV-08, INV-09, INV-11 and INV-13 on the standard fixture, from the stored rows alone."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from portal.attestations import service as attestations
from portal.attestations.models import Attestation
from portal.audit import service as audit
from portal.identity import service as identity
from portal.identity.models import ServiceClient, UserAccount
from portal.kernel.actor import system
from portal.kernel.database import Base
from portal.wiring import House
from tests.factories import invariants
from tests.factories.identity import Person, session_token
from tests.factories.std import INTERNAL, Std
from tests.sites.cases.conftest import Browser

SYSTEM = system("test")

PLAIN_IDS = {
    "assessment_id",
    "attestation_id",
    "engagement_id",
    "evidence_id",
    "finding_id",
    "decision_id",
    "review_id",
    "snapshot_id",
    "supersedes_id",
    "carried_from",
    "replaced_by",
}
"""Columns that name a row of a vendor, wherever a key does not say so."""


def walled() -> list[sa.Table]:
    return [table for table in Base.metadata.sorted_tables if "vendor_id" in table.c]


def test_INV_01_no_row_refers_to_a_row_of_another_vendor(house: House, std: Std) -> None:
    """By every foreign key there is, and by every column that names a vendor's row without one."""
    looked = 0
    with house.ledger.begin(SYSTEM) as tx:
        for table in walled():
            for key in table.foreign_key_constraints:
                other = key.referred_table
                if "vendor_id" not in other.c or _named(table, key) in ACROSS:
                    continue
                theirs = other.alias("theirs")
                joined = [table.c[mine.parent.name] == theirs.c[mine.column.name] for mine in key.elements]
                looked += 1
                strangers = (
                    sa.select(sa.func.count())
                    .select_from(table.join(theirs, sa.and_(*joined)))
                    .where(table.c.vendor_id != theirs.c.vendor_id)
                )
                assert tx.session.execute(strangers).scalar_one() == 0, f"{table.name} {key.name}"
        owned = _owners(tx.session)
        for table in walled():
            for name in PLAIN_IDS & {column.name for column in table.c}:
                found = tx.session.execute(
                    sa.select(table.c.vendor_id, table.c[name]).where(table.c[name].is_not(None))
                ).all()
                for vendor_id, wanted in found:
                    owners = owned[wanted]
                    looked += 1
                    assert owners <= {vendor_id}, f"{table.name}.{name} = {wanted}"
                    assert owners, f"{table.name}.{name} = {wanted} is nobody's"
    assert looked > 100


def _owners(session: Session) -> dict[UUID, set[UUID]]:
    """Return whose each id is."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for table in walled():
        if "id" in table.c:
            for wanted, vendor_id in session.execute(sa.select(table.c.id, table.c.vendor_id)):
                found[wanted].add(vendor_id)
    return found


def test_INV_01_every_key_between_rows_of_a_vendor_is_bound_to_the_vendor() -> None:
    """The schema itself refuses a stranger, wherever both tables belong to vendors."""
    loose = {
        _named(table, key)
        for table in walled()
        for key in table.foreign_key_constraints
        if "vendor_id" in key.referred_table.c and "vendor_id" not in {each.parent.name for each in key.elements}
    }
    assert loose == LOOSE | ACROSS, loose ^ (LOOSE | ACROSS)


def _named(table: sa.Table, key: sa.ForeignKeyConstraint) -> str:
    return f"{table.name}.{next(iter(key.elements)).parent.name}"


LOOSE = {
    "invitation.assessment_id",
    "invitation.user_id",
    "invitation.takes_over_from",
    "earlier_link.invitation_id",
    "section_assignment.user_id",
    "review.reviewer_id",
    "finding.owner_id",
    "finding.follower_id",
    "risk_acceptance.owner_id",
    "revocation.asked_by",
    "revocation.ended_by",
    "decision_signature.signer_id",
    "decision.asked_id",
    "decision_draft.person_id",
    "escalation.raised_by",
    "escalation_person.person_id",
    "snooze.ended_by",
    "snooze.snoozed_by",
    "conflict_of_interest.user_id",
    "attested_citation.citation_id",
    "mail_preference.user_id",
    "digest_item.user_id",
    "digest_item.mail_id",
    "vendor_export.taken_by",
}
"""Keys to accounts, invitations and mails (the lab's have no vendor), and two that INV-01 checks in the rows."""
ACROSS = {"evidence_likeness.other_vendor_id"}
"""What two vendors' reports have in common: its second key is bound to the other vendor; only the lab sees the row."""


def test_INV_01_the_wall_shows_a_vendor_no_row_of_another(house: House, std: Std) -> None:
    """In every table that names a vendor, whatever is asked."""
    with house.ledger.begin(std.a.desk.admin.actor) as tx:
        seen = {
            table.name: set(tx.session.execute(sa.select(table.c.vendor_id).distinct()).scalars()) for table in walled()
        }
    assert {name: found for name, found in seen.items() if found - {std.a.desk.vendor_id}} == {}
    assert sum(1 for found in seen.values() if found) > 20


def test_INV_05_every_signed_digest_recomputes_from_the_stored_rows(house: House, std: Std) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        signed = tx.session.execute(sa.select(Attestation)).scalars().all()
        assert len(signed) == 3
        for each in signed:
            assert attestations.digest_of(tx, each.id) == each.digest


def test_INV_04_the_trail_verifies(house: House, std: Std) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        assert audit.check_tail(tx).flaws == ()


def secrets_of(std: Std, house: House) -> dict[str, str]:
    """Return what was handed to people and machines in confidence."""
    found = {f"token {name}": token for name, token in std.tokens.items()}
    for someone in [*std.lab.values(), *(each for party in (std.a, std.b, std.c) for each in party.people)]:
        found[f"password of {someone.full_name}"] = someone.password
        found[f"seed of {someone.full_name}"] = someone.totp_secret
        found |= {f"code {n} of {someone.full_name}": code for n, code in enumerate(someone.recovery_codes)}
    found["session"] = session_token(house, std.a.desk.admin)
    for party in (std.a, std.b, std.c):
        with house.ledger.begin(SYSTEM) as tx:
            invitation = identity.get_invitation(tx, party.own["invitation_id"])
            found[f"link of {invitation.email}"] = identity.link_token(invitation, house.keyring)
    for name, secret in enumerate(house.settings.secret_keys):
        found[f"secret key {name}"] = secret
    return found


def test_INV_11_no_secret_lies_in_the_clear_in_any_row(house: House, std: Std) -> None:
    handed = secrets_of(std, house)
    with house.engine.connect() as connection:
        connection.execute(sa.text("SELECT set_config('gatehouse.vendor', '*', true)"))
        names = sa.inspect(connection).get_table_names()
        dump = "\n".join(
            str(row[0])
            for name in names
            for row in connection.execute(sa.text(f'SELECT t::text FROM "{name}" t'))  # noqa: S608
        )
    assert INTERNAL in dump, "the dump holds what is stored"
    folded = dump.casefold()
    for name, secret in handed.items():
        for form in {secret, secret.replace("-", ""), secret.encode().hex()}:
            assert form.casefold() not in folded, name


def opened_by(app: Flask, bearer: str) -> int:
    return FlaskClient(app).get("/api/v1/gate", headers={"Authorization": f"Bearer {bearer}"}).status_code


def test_INV_13_who_is_switched_off_is_refused_at_once(app: Flask, house: House, std: Std, browser: Browser) -> None:
    """AZ-11, AU-01: the cookie, the second browser, and the tokens that the person made."""
    two = [(std.a.desk.signatory, "/", std.a.desk.admin), (std.lab["r1"], "/lab/queue", std.lab["pa"])]
    for someone, page, admin in two:
        here, there = browser(someone), browser(someone)
        assert (here.get(page).status_code, there.get(page).status_code) == (200, 200)
        with house.ledger.begin(admin.fresh) as tx:
            identity.deactivate(tx, user=identity.get_person(tx, someone.id))
        for client in (here, there):
            answer = client.get(page)
            assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in")
            assert client.post("/sign-out").status_code == 401
    assert opened_by(app, std.tokens["gAll"]) == 200
    with house.ledger.begin(std.lab["pb"].fresh) as tx:
        identity.deactivate(tx, user=tx.session.get_one(UserAccount, std.lab["pa"].id))
    assert opened_by(app, std.tokens["gAll"]) == 401


def test_AU_01_signing_out_kills_the_session_on_the_server(std: Std, browser: Browser) -> None:
    for someone, page in ((std.a.desk.respondent, "/"), (std.lab["l1"], "/lab/queue")):
        client = browser(someone)
        cookie = client.get_cookie("gatehouse")
        assert cookie is not None
        assert client.post("/sign-out").status_code == 303

        client.set_cookie("gatehouse", cookie.value)

        assert client.get(page).status_code == 302
        assert client.get(page, headers={"HX-Request": "true"}).status_code == 401
        assert client.post("/account/sessions/end-others").status_code == 401


def test_GW_06_a_token_opens_its_vendors_at_the_gate_and_nothing_else(app: Flask, house: House, std: Std) -> None:
    def ask(token: str, slug: str, **more: str) -> tuple[int, list[str]]:
        query = {"vendor": slug, "data_class": "D3", "access_mode": "A2", "purpose": "x"}
        answer = FlaskClient(app).get(
            "/api/v1/gate", query_string=query, headers={"Authorization": f"Bearer {token}", **more}
        )
        body = answer.get_json()
        return answer.status_code, body.get("reasons", [])

    assert ask(std.tokens["gAll"], std.b.slug)[1] != ["unknown_vendor"]
    assert ask(std.tokens["gA"], std.a.slug)[1] != ["unknown_vendor"]
    assert ask(std.tokens["gA"], std.b.slug) == ask(std.tokens["gA"], "nobody-at-all") == (200, ["unknown_vendor"])
    machine = FlaskClient(app)
    for rule in app.url_map.iter_rules():
        if rule.arguments or "GET" not in (rule.methods or ()) or rule.endpoint in {"static"}:
            continue
        if rule.rule.startswith(("/api/v1/gate", "/health", "/lab", "/account")) or rule.rule in {"/", "/evidence"}:
            answer = machine.get(rule.rule, headers={"Authorization": f"Bearer {std.tokens['gAll']}"})
            assert "Set-Cookie" not in answer.headers or "gatehouse=" not in answer.headers["Set-Cookie"]
            if rule.rule.startswith(("/lab", "/account")) or rule.rule in {"/", "/evidence"}:
                assert answer.status_code == 302, rule.rule
    with house.ledger.begin(std.lab["pa"].fresh) as tx:
        client = tx.session.execute(sa.select(ServiceClient).where(ServiceClient.name.startswith("gA "))).scalar_one()
        identity.disable_client(tx, client=client)
    assert ask(std.tokens["gA"], std.a.slug)[0] == 401
    assert ask("ghs_" + "x" * 43, std.a.slug)[0] == 401
    assert ask("", std.a.slug)[0] == 401
    assert ask(str(session_of(house, std.lab["l1"])), std.a.slug)[0] == 401


def session_of(house: House, someone: Person) -> str:
    return session_token(house, someone)


def test_every_stored_score_gives_the_same_bytes_again(house: House, std: Std) -> None:
    with house.ledger.begin(SYSTEM) as tx:
        assert invariants.scores_replay(tx) >= 3
