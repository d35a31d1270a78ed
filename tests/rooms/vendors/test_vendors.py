"""Taking vendors onto the list and engaging them."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.vendors import queries
from portal.vendors import service as vendors
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.factories.vendors import make_engagement, make_vendor

ADMIN = Actor(ActorKind.PERSON, UUID(int=1), "Mara Ilves", roles=frozenset({"program_admin"}))
AUDITOR = Actor(ActorKind.PERSON, UUID(int=2), "Olu Adeyemi", roles=frozenset({"auditor"}))


def trail(tx: Tx) -> list[str]:
    return list(tx.session.execute(sa.select(AuditEvent.fact).order_by(AuditEvent.seq)).scalars())


def test_a_vendor_is_found_by_its_slug(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        made = make_vendor(tx, "Quillmark Annotation")

    with house.ledger.begin(AUDITOR) as tx:
        found = vendors.by_slug(tx, "quillmark-annotation", Action.VENDOR_READ)
        assert found.id == made.id
        assert found.mail_domains == ["quillmark.example"]
        assert trail(tx) == ["vendor_added"]


def test_two_names_with_one_slug_get_two_slugs(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        slugs = [make_vendor(tx, name).slug for name in ("Café Data", "Cafe Data", "CAFE-DATA")]

    assert slugs == ["cafe-data", "cafe-data-2", "cafe-data-3"]


def test_the_same_name_is_not_taken_twice(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        make_vendor(tx, "Quillmark Annotation")

    with pytest.raises(Refused) as refusal, house.ledger.begin(ADMIN) as tx:
        make_vendor(tx, "QUILLMARK annotation")
    assert refusal.value.problems["name"][0].startswith("Quillmark Annotation is on the list already")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"name": " \u200b\x00 "}, "name", "Enter the vendor's name"),
        ({"name": "x" * 121}, "name", "Shorten the name to 120 characters; this has 121"),
        ({"mail_domains": ["not a domain"]}, "mail_domains", "“not a domain” is not a mail domain"),
        ({"slug": "Über"}, "slug", "Use small letters, digits and single hyphens"),
    ],
)
def test_what_cannot_be_stored_is_refused_at_its_field(
    house: House, fields: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Refused) as refusal, house.ledger.begin(ADMIN) as tx:
        vendors.add(tx, **{"name": "Quillmark", **fields})

    assert refusal.value.problems[field][0].startswith(words)


def test_an_auditor_adds_nobody(house: House) -> None:
    with pytest.raises(Forbidden), house.ledger.begin(AUDITOR) as tx:
        make_vendor(tx)


def test_a_vendor_cannot_tell_that_another_exists(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        own, other = make_vendor(tx, "Quillmark"), make_vendor(tx, "Northpier")
        engagement = make_engagement(tx, other)
    person = Actor(ActorKind.PERSON, UUID(int=9), "Marisol", vendor_id=own.id, roles=frozenset({"vendor_admin"}))

    for unseen in (other.slug, "nobody-of-that-name"):
        with pytest.raises(NotFound), house.ledger.begin(person) as tx:
            vendors.by_slug(tx, unseen, Action.VENDOR_READ)
    with pytest.raises(NotFound), house.ledger.begin(person) as tx:
        vendors.engagement(tx, engagement.id, Action.VENDOR_READ)
    with house.ledger.begin(person) as tx:
        assert tx.session.execute(sa.select(Vendor.slug)).scalars().all() == ["quillmark"]


def test_the_risk_and_the_tier_follow_from_what_is_stated(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        engagement = make_engagement(tx, vendor, data_classes=[4, 2, 4], access_modes=["A3"], workforce=["crowd"])

        assert (engagement.inherent_risk, engagement.computed_tier, engagement.tier) == (20, 1, 1)
        assert engagement.data_classes == [2, 4]
        assert engagement.slug == "lark-preferences"


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"project": ""}, "project", "Enter the name of the project"),
        ({"services": []}, "services", "Choose at least one service"),
        ({"services": ["spying"]}, "services", "Choose only what is on the list"),
        ({"data_classes": []}, "data_classes", "Choose at least one data class"),
        ({"data_classes": [6]}, "data_classes", "Choose only what is on the list"),
        ({"access_modes": ["A9"]}, "access_modes", "Choose only what is on the list"),
        ({"people": -1}, "people", "Enter how many people have access at the busiest time"),
        ({"ends_on": date(2026, 10, 31)}, "ends_on", "The end must not be before the start"),
        ({"starts_on": date(1, 1, 1)}, "starts_on", "Enter the day the work begins"),
    ],
)
def test_an_engagement_that_makes_no_sense_is_refused_at_its_field(
    house: House, fields: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(Refused) as refusal, house.ledger.begin(ADMIN) as tx:
        make_engagement(tx, make_vendor(tx), **fields)

    assert refusal.value.problems[field][0].startswith(words)


def test_a_vendor_that_is_switched_off_is_not_engaged(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        vendor = make_vendor(tx)
        vendor.disabled_at = tx.now

    with pytest.raises(Conflict, match="is switched off"), house.ledger.begin(ADMIN) as tx:
        make_engagement(tx, vendor)


def test_changing_the_facts_changes_the_tier(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        engagement = make_engagement(tx, make_vendor(tx))
        assert engagement.tier == 2

    with house.ledger.begin(ADMIN) as tx:
        engagement = vendors.engagement(tx, engagement.id, Action.ENGAGEMENT_WRITE)
        vendors.change_engagement(tx, engagement=engagement, row_version=1, data_classes=[5])
        assert (engagement.inherent_risk, engagement.tier, engagement.row_version) == (10, 1, 2)
        assert engagement.project == "Lark preferences", "what is not given stays"

    with house.ledger.begin(ADMIN) as tx:
        engagement = vendors.engagement(tx, engagement.id, Action.ENGAGEMENT_WRITE)
        with pytest.raises(Conflict, match="since you opened it") as refusal:
            vendors.change_engagement(tx, engagement=engagement, row_version=1, people=3)
    assert refusal.value.current == {"row_version": 2}


def test_a_person_may_only_raise_the_tier_and_says_why(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        engagement_id = make_engagement(tx, make_vendor(tx)).id

    for tier, reason, field in (
        (2, "Because", "tier"),
        (3, "Because", "tier"),
        (0, "Because", "tier"),
        (1, " ", "reason"),
    ):
        with house.ledger.begin(ADMIN) as tx:
            engagement = vendors.engagement(tx, engagement_id, Action.TIER_RAISE)
            with pytest.raises(Refused) as refusal:
                vendors.raise_tier(tx, engagement=engagement, tier=tier, reason=reason)
        assert field in refusal.value.problems

    with house.ledger.begin(ADMIN) as tx:
        engagement = vendors.engagement(tx, engagement_id, Action.TIER_RAISE)
        vendors.raise_tier(tx, engagement=engagement, tier=1, reason="Sole vendor for this data", row_version=1)
        assert (engagement.computed_tier, engagement.tier, engagement.raised_by) == (2, 1, ADMIN.id)
    with house.ledger.begin(system("test")) as tx:
        assert trail(tx)[-1] == "tier_raised"


def test_a_raise_is_dropped_when_the_facts_demand_as_much(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        engagement = make_engagement(tx, make_vendor(tx), data_classes=[1])
        assert engagement.tier == 3
        vendors.raise_tier(tx, engagement=engagement, tier=2, reason="First project with them")
        vendors.change_engagement(tx, engagement=engagement, row_version=engagement.row_version, data_classes=[3])

        assert (engagement.computed_tier, engagement.raised_tier, engagement.raised_reason) == (2, None, "")


def test_the_list_is_searched_by_words_and_read_page_by_page(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        for name in ("Quillmark Annotation", "Northpier Labelling", "Alder 100% Data", "Brightwell Experts"):
            make_vendor(tx, name)
        make_engagement(tx, vendors.by_slug(tx, "brightwell-experts", Action.VENDOR_READ), data_classes=[5])

        assert [line.name for line in queries.vendors(tx, q="label north").lines] == ["Northpier Labelling"]
        assert [line.name for line in queries.vendors(tx, q="100%").lines] == ["Alder 100% Data"]
        assert [(line.name, line.tier, line.engagements) for line in queries.vendors(tx, tier=1).lines] == [
            ("Brightwell Experts", 1, 1)
        ]
        first = queries.vendors(tx, limit=3)
        rest = queries.vendors(tx, limit=3, after=first.next)

    assert [line.slug for line in first.lines] == ["alder-100-data", "brightwell-experts", "northpier-labelling"]
    assert first.total == 4
    assert [line.slug for line in rest.lines] == ["quillmark-annotation"]
    assert rest.next == ""


def test_the_schema_itself_refuses_a_tier_that_was_lowered(house: House) -> None:
    with house.ledger.begin(ADMIN) as tx:
        engagement = make_engagement(tx, make_vendor(tx))
        statement = sa.update(Engagement).where(Engagement.id == engagement.id)
        with pytest.raises(sa.exc.IntegrityError, match="only_raised"), tx.session.begin_nested():
            tx.session.execute(statement.values(raised_tier=3, raised_reason="Cheaper"))
