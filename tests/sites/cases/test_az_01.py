"""AZ-01: a foreign id on any route is an id that does not exist, for every role and every method."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.evidence import intake
from portal.identity.models import WebSession
from portal.policy import Action
from portal.questionnaires.queries import drafts
from portal.reviews import service as reviews
from portal.rulebook.queries import drafts as policy_drafts
from portal.scoring.queries import of_vendor as scores_of
from portal.sites.shared.door import action_of, site_of
from portal.vendors.models import Engagement
from tests.factories.evidence import reserved
from tests.factories.identity import FACTORY, person
from tests.factories.std import Party, Std
from tests.rules import files
from tests.sites.cases.conftest import Browser
from tests.sites.cases.walking import METHODS, address, changed, people_rules, rows, said, whole
from tests.sites.conftest import Client

pytestmark = pytest.mark.slow

NOBODYS = UUID("00000000-0000-7000-8000-0000deadbeef")
NO_OBJECTS = {"filename", "name", "token", "number", "version"}
"""Variables that name no stored object of a vendor: files of ours, pages of the footer, secrets, page numbers."""


def objects_of(std: Std, party: Party) -> dict[str, list[object]]:
    """Return what a vendor owns, by the name of the variable that routes give it."""
    first = party.desk.visible()[0]
    with std.house.ledger.begin(FACTORY) as tx:
        review = reviews.latest(tx, party.desk.assessment_id)

        def ids(table: str, otherwise: UUID | None = NOBODYS) -> list[object]:
            named = sa.table(table, sa.column("id"), sa.column("vendor_id"))
            rows = tx.session.execute(sa.select(named.c.id).where(named.c.vendor_id == party.desk.vendor_id))
            return list(rows.scalars()) or ([otherwise] if otherwise is not None else [])

        attested, conflicts = ids("attestation"), ids("conflict_of_interest")
        risks = ids("risk_acceptance", UUID("00000000-0000-7000-8000-0000acceedad"))
        revocations, records = ids("revocation"), ids("access_record")
        decisions, mails = ids("decision", None), ids("mail", None)
        views = list(tx.session.execute(sa.text("SELECT id FROM saved_view")).scalars()) or [NOBODYS]
        found: dict[str, list[object]] = {
            "decision_id": decisions,
            "mail_id": mails,
            "review_id": [review.id] if review else [],
        }
    own = party.own
    return {
        **found,
        "assessment_id": [own["assessment_id"], own.get("open_assessment_id", own["assessment_id"])],
        "citation_id": [own["citation_id"]],
        "attestation_id": attested,
        "note_id": [own["note_id"]],
        "evidence_id": [own["evidence_id"]],
        "exception_id": [own["exception_id"]],
        "control_id": [own["control_id"]],
        "number": [1],
        "outcome_id": [own["outcome_id"]] if "outcome_id" in own else [],
        # Nobody's where there is none, so that a route with two ids can be walked as that vendor.
        "second_look_id": [UUID("00000000-0000-7000-8000-0000beadbeef")],
        "finding_id": [own.get("finding_id", UUID("00000000-0000-7000-8000-0000feedbeef"))],
        "conflict_id": conflicts,
        "escalation_id": [UUID("00000000-0000-7000-8000-0000e5ca1a7e")],
        "acceptance_id": risks,
        "view_id": views,
        "revocation_id": revocations,
        "record_id": records,
        "user_id": [party.second.id, party.desk.admin.id],
        "invitation_id": [own["invitation_id"]],
        "session_id": [own["session_id"]],
        "passkey_id": [own["passkey_id"]],
        "set_id": [own["set_id"]],
        "pack_id": [own["pack_id"]],
        "import_id": [own["import_id"]],
        "what": ["csv"],
        "section": [first.section],
        "key": [first.key],
        "slug": [party.slug],
    }


@pytest.fixture
def theirs(std: Std) -> dict[str, list[object]]:
    return objects_of(std, std.b)


def with_ids(app: Flask, *sites: str) -> list[Rule]:
    return [
        rule
        for rule in people_rules(app)
        if site_of(str(rule.endpoint)) in sites and any(each.endswith("_id") for each in rule.arguments)
    ]


def combinations(
    rule: Rule, theirs: Mapping[str, list[object]], own: Mapping[str, list[object]]
) -> Iterator[tuple[dict[str, object], dict[str, object]]]:
    """Yield values with a foreign id, and the same with an id of nobody in its place.

    Each id alone is foreign with the others one's own, and all are foreign together.
    """
    ids = sorted(each for each in rule.arguments if each.endswith("_id"))
    plain = {each: theirs[each][0] for each in rule.arguments - set(ids)}
    for turn in range(max(len(theirs[each]) for each in ids)):
        foreign = {each: theirs[each][min(turn, len(theirs[each]) - 1)] for each in ids}
        yield {**plain, **foreign}, {**plain, **dict.fromkeys(ids, NOBODYS)}
        if len(ids) > 1:
            for each in ids:
                mine = {other: own[other][0] for other in ids if other != each}
                yield {**plain, **mine, each: foreign[each]}, {**plain, **mine, each: NOBODYS}


def test_AZ_01_every_variable_of_a_route_for_people_has_an_object_of_another_vendor(
    app: Flask, theirs: dict[str, list[object]]
) -> None:
    """So that a new route with an id of something new is not left out of the walk below."""
    asked = {
        name
        for rule in people_rules(app)
        if site_of(str(rule.endpoint)) in {"vendor", "shared"}
        for name in rule.arguments - NO_OBJECTS
    }
    assert {name for name in asked if not theirs.get(name)} == set()
    assert len(with_ids(app, "vendor")) >= 20


def test_AZ_01_an_id_of_another_vendor_is_no_id_at_all(
    app: Flask, std: Std, browser: Browser, theirs: dict[str, list[object]]
) -> None:
    """A foreign id and an id of nobody get one answer; a method that a route does not take, 405 for everybody."""
    own = objects_of(std, std.a)
    mine = {str(each) for values in own.values() for each in values}
    clients = [(each, browser(each)) for each in std.a.people]
    answered: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        answered.setdefault(rule.rule, set()).update(rule.methods or ())
    before = rows(std.house)
    tried = 0
    for someone, client in clients:
        first = someone is std.a.people[0]
        for rule in with_ids(app, "vendor", "shared"):
            asked = sorted(answered[rule.rule] & set(METHODS) - (set() if first else {"HEAD"}))
            twins: dict[tuple[str, str], TestResponse] = {}
            for foreign, nobodys in combinations(rule, theirs, own):
                there = address(rule, nobodys)
                for method in asked:
                    one = client.open(address(rule, foreign), method=method)
                    if (method, there) not in twins:
                        twins[method, there] = client.open(there, method=method)
                    other = twins[method, there]
                    where = f"{method} {rule.rule} as {sorted(someone.roles)}"
                    gone = [each for each in (*foreign.values(), *nobodys.values()) if str(each) not in mine]
                    assert said(one, *gone) == said(other, *gone), where
                    assert one.status_code in {404, 403}, f"{where}: {one.status_code}"
                    assert std.b.canary.casefold() not in whole(one), where
                    tried += 1
            if first:
                for method in sorted(set(METHODS) - answered[rule.rule]):
                    assert client.open(address(rule, foreign), method=method).status_code == 405, (method, rule.rule)
    assert tried > 300
    assert changed(before, rows(std.house)) == set()


def test_AZ_01_only_a_role_that_could_never_do_it_is_told_that_it_may_not(
    app: Flask, std: Std, browser: Browser, theirs: dict[str, list[object]]
) -> None:
    """403 says that this role never does this with anything; who holds every role gets 404 for each foreign id."""
    everything = person(
        std.house, vendor=std.a.desk.vendor_id, roles=["respondent", "vendor_admin", "signatory"], name="All Roles"
    )
    client = browser(everything)
    own = objects_of(std, std.a)
    for rule in with_ids(app, "vendor", "shared"):
        for foreign, _ in combinations(rule, theirs, own):
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                answer = client.open(address(rule, foreign), method=method)
                assert answer.status_code == 404, f"{method} {rule.rule}: {answer.status_code}"


def values_of_lab(std: Std, theirs: Mapping[str, list[object]]) -> dict[str, object]:
    values: dict[str, object] = {name: found[0] for name, found in theirs.items() if found}
    with std.house.ledger.begin(FACTORY) as tx:
        engagement = tx.session.get_one(Engagement, std.b.desk.engagement_id).slug
        draft_id = drafts(tx)[0].id
        policy_draft_id = policy_drafts(tx, ["scoring"])[0].id
        stored = scores_of(tx, std.b.desk.vendor_id)
    return {
        **values,
        "engagement": engagement,
        "draft_id": draft_id,
        "policy_draft_id": policy_draft_id,
        "kind": "scoring",
        "snapshot_id": stored[-1].id,
        "other_snapshot_id": stored[0].id,
        "number": 1,
        "version": 1,
        "old": 1,
        "new": 2,
        "name": "catalog",
        "client_id": NOBODYS,
        "request_id": NOBODYS,
        "other_id": NOBODYS,
        "mail_id": NOBODYS,
        "user_id": std.lab["r1"].id,
    }


def test_AZ_01_the_labs_pages_do_not_exist_for_a_vendors_people(
    app: Flask, std: Std, browser: Browser, theirs: dict[str, list[object]]
) -> None:
    values = values_of_lab(std, theirs)
    """Neither those of a stranger's assessment nor those of one's own."""
    clients = [(each, browser(each)) for each in (*std.a.people, std.b.desk.admin)]
    before = rows(std.house)
    for someone, client in clients:
        nothing = client.get("/no/such/page")
        unasked = {"OPTIONS"} if someone is std.a.desk.admin else {"OPTIONS", "HEAD"}
        for rule in people_rules(app):
            if site_of(str(rule.endpoint)) != "lab":
                continue
            for method in sorted((rule.methods or set()) - unasked):
                answer = client.open(address(rule, values), method=method)
                where = f"{method} {rule.rule} as {sorted(someone.roles)}"
                assert answer.status_code == 404, f"{where}: {answer.status_code}"
                if method != "HEAD":
                    assert said(answer)[1] == said(nothing)[1], where
    assert changed(before, rows(std.house)) == set()


def test_AZ_01_a_vendors_pages_do_not_exist_for_the_labs_people(
    app: Flask, std: Std, browser: Browser, theirs: dict[str, list[object]]
) -> None:
    values = {name: found[0] for name, found in theirs.items() if found}
    clients = [(std.lab[each], browser(std.lab[each])) for each in ("r1", "l1", "pa", "au")]
    before = rows(std.house)
    for someone, client in clients:
        for rule in people_rules(app):
            if site_of(str(rule.endpoint)) != "vendor" or rule.endpoint == "vendor_home.home":
                continue
            # The link of a mail is for whoever holds it, and a made-up one opens nothing.
            opens = {303, 404, 410, 422} if action_of(app, str(rule.endpoint)) is Action.PUBLIC else {404}
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                answer = client.open(address(rule, {**values, "token": "x"}), method=method)
                assert answer.status_code in opens, f"{method} {rule.rule} as {sorted(someone.roles)}"
                assert std.b.canary.casefold() not in whole(answer)
    assert changed(before, rows(std.house)) == set()


def test_AZ_01_a_session_of_somebody_else_is_not_ended(std: Std, browser: Browser) -> None:
    client = browser(std.a.desk.admin)
    before = rows(std.house, but=())
    assert client.post(f"/account/sessions/{std.b.own['session_id']}/end").status_code == 404
    # the tester's own session, and the count of its refusals
    assert changed(before, rows(std.house, but=())) <= {"web_session", "throttle"}
    with std.house.ledger.begin(FACTORY) as tx:
        assert tx.session.get_one(WebSession, std.b.own["session_id"]).ended_at is None


def foreign_fields(std: Std, party: Party) -> list[tuple[str, dict[str, object], dict[str, object]]]:
    """Return forms of A's own pages that name something of another vendor: address, fields, and its twin of nobody."""
    a, first = std.a, std.a.desk.visible()[0]
    here = f"/assessments/{a.desk.assessment_id}/s/{first.section}"
    own = party.own
    section = {"section": first.section}
    mine = {"assessment": a.desk.assessment_id, "person": a.second.id}
    file = {"kind": "POL", "detail-approved_on": "2026-10-01"}
    forms: list[tuple[str, dict[str, object], str]] = [
        (f"{here}/{first.key}/evidence", {"evidence": own["evidence_id"], "pages": "1"}, "evidence"),
        ("/team/sections", {**mine, **section, "assessment": own["assessment_id"]}, "assessment"),
        ("/team/sections", {**mine, **section, "person": party.second.id}, "person"),
        ("/team/sections/take-back", {**mine, **section, "assessment": own["assessment_id"]}, "assessment"),
        (
            "/team/invitations",
            {
                "assessment": own["assessment_id"],
                "email": "new@quillmark.example",
                "full_name": "New",
                "roles": "respondent",
                "sections": first.section,
            },
            "assessment",
        ),
        ("/evidence", {**file, "supersedes": own["evidence_id"]}, "supersedes"),
    ]
    return [(path, fields, {**fields, name: NOBODYS}) for path, fields, name in forms]


def send(client: Client, path: str, fields: Mapping[str, object]) -> TestResponse:
    data: dict[str, object] = {name: str(value) for name, value in fields.items()}
    if path == "/evidence":
        data["file"] = (io.BytesIO(files.pdf()), "a.pdf")
    return client.post(path, data=data)


def test_AZ_01_a_foreign_id_in_a_form_is_no_id_either(std: Std, browser: Browser) -> None:
    clients = [browser(each) for each in (std.a.desk.respondent, std.a.desk.admin)]
    before = rows(std.house)
    for client in clients:
        for path, foreign, nobodys in foreign_fields(std, std.b):
            one, other = send(client, path, foreign), send(client, path, nobodys)
            gone = [each for each in (*foreign.values(), *nobodys.values()) if isinstance(each, UUID)]
            gone = [each for each in gone if each not in (std.a.desk.assessment_id, std.a.second.id)]
            assert said(one, *gone) == said(other, *gone), f"{path} {foreign}"
            assert one.status_code in {403, 404, 422}, f"{path}: {one.status_code}"
            assert std.b.canary.casefold() not in whole(one)
    assert changed(before, rows(std.house)) == set()


def test_AZ_01_an_upload_of_another_vendor_is_neither_sent_nor_finished(std: Std, browser: Browser) -> None:
    content = files.pdf()
    place = reserved(std.house, std.b.desk.respondent, content)
    owner = std.b.desk.respondent.actor
    ticket = intake.begin(std.house.ledger, owner, store=std.house.store, evidence_id=place.id).ticket
    assert ticket is not None
    client = browser(std.a.desk.respondent)
    before = rows(std.house)

    finished = client.post(f"/evidence/{place.id}/finalise")

    assert finished.status_code == 404
    assert said(finished, place.id) == said(client.post(f"/evidence/{NOBODYS}/finalise"), NOBODYS)
    sent = client.put(ticket.url, data=content, headers=dict(ticket.headers))
    assert sent.status_code in {404, 204}, "a signed ticket is worth its two minutes to who holds it, and no more"
    assert changed(before, rows(std.house)) == set()


def test_AZ_01_at_the_lab_an_id_of_one_vendor_under_the_address_of_another_finds_nothing(
    std: Std, browser: Browser
) -> None:
    b, c = objects_of(std, std.b), objects_of(std, std.c)
    (review_c,) = c["review_id"]
    key = c["key"][0]
    lead, admin, reviewer = browser(std.lab["l1"]), browser(std.lab["pa"]), browser(std.lab["r1"])
    before = rows(std.house)
    for client, path, fields in [
        (lead, f"/lab/vendors/{std.b.slug}/assessments/{std.c.own['assessment_id']}/cancel", {"reason": "x"}),
        (admin, f"/lab/vendors/{std.b.slug}/assessments/{std.c.own['assessment_id']}/cancel", {"reason": "x"}),
        (admin, f"/lab/vendors/{std.b.slug}/people/{std.c.own['invitation_id']}/resend", {}),
        (admin, f"/lab/vendors/{std.b.slug}/people/{std.c.own['invitation_id']}/withdraw", {}),
        (admin, f"/lab/vendors/{std.b.slug}/people/{NOBODYS}/withdraw", {}),
        (reviewer, f"/lab/reviews/{review_c}/citations/{b['citation_id'][0]}", {"acceptance": "accepted"}),
        (
            reviewer,
            f"/lab/reviews/{review_c}/citations/{b['citation_id'][0]}/recheck",
            {"seen": str(b["evidence_id"][0])},
        ),
        (
            reviewer,
            f"/lab/evidence/{std.c.own['evidence_id']}/uses",
            {"cite": f"{b['citation_id'][0]}:unjudged", "do": "accept"},
        ),
        (reviewer, f"/lab/reviews/{review_c}/files/{b['evidence_id'][0]}?q={key}", {"judgement": "verify"}),
    ]:
        answer = client.post(path, data={**fields, "row_version": "1", "version": "1"})
        assert answer.status_code in {404, 403}, f"{path}: {answer.status_code}"
    assert changed(before, rows(std.house)) == set()
