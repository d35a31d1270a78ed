"""AZ-05 and INV-02: a vendor sees its own and, once published, exactly its outcome; nothing internal, nobody else's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.delivery import queries as mail_queries
from portal.delivery.channels import Group
from portal.delivery.render import render
from portal.delivery.rules import Frame
from portal.delivery.unsubscribing import token_of
from portal.identity import service as identity
from portal.jobs.digests import gather_digests
from portal.jobs.ends import tell_ends
from portal.jobs.remind import remind_due
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.scoring import service as scoring
from portal.sites.shared.door import site_of
from portal.wiring import House
from tests.factories.identity import Person
from tests.factories.std import DRAFT, INTERNAL, A, B, C, Party, Std, in_section, judged, prepared, risk_accepted, terms
from tests.sites.cases.conftest import Browser
from tests.sites.cases.forms import FoundForm, forms_of
from tests.sites.cases.test_az_01 import objects_of
from tests.sites.cases.walking import address, crawl, people_rules, whole

pytestmark = pytest.mark.slow

ASIDE = ("/", "/account", "/evidence", "/results", "/team", "/help", "/no/such/page", "/check", "/results/nonsense")


def mails_to(house: House, party: Party) -> dict[str, str]:
    """Work off what waits; return the mails to a vendor's people as they leave, by subject."""
    run_worker(house, once=True)
    domain = party.desk.admin.email.partition("@")[2]
    found = {}
    with house.ledger.begin(system("test")) as tx:
        bodies = [mail_queries.mail(tx, line.id) for line in mail_queries.mails(tx, limit=500)]
    frame = Frame(lab_name=house.settings.lab_name, base_url=house.settings.base_url)
    for body in bodies:
        if body.line.to_address.endswith(domain):
            sent = render(
                body.line.kind, body.context, to_name=body.line.to_name, frame=frame, link_token=lambda _: "token"
            )
            found[f"{sent.subject} to {body.line.to_address}"] = f"{sent.subject}\n{sent.text}\n{sent.html}".casefold()
    return found


EXPORTS = frozenset(
    {"vendor_everything.take_out", "vendor_exchange.take_out", "vendor_exchange.as_oscal", "vendor_exchange.as_vsaq"}
)
"""Forms that give a file, and change nothing but the note of who took it."""


@dataclass
class Walk:
    """What people were sent, by where; and the endpoints that gave it."""

    app: Flask
    sent: dict[str, str] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def endpoint(self, path: str, method: str) -> str:
        """Return what answers at an address."""
        return str(self.app.url_map.bind("localhost").match(path.partition("?")[0], method=method)[0])

    def note(self, where: str, answer: TestResponse, someone: Person) -> None:
        """Keep one answer."""
        assert answer.status_code < 500, where
        self.sent[f"{where} as {someone.full_name}"] = whole(answer)
        if answer.status_code < 400:
            self.reached.add(self.endpoint(answer.request.path, answer.request.method))

    def pages(self, std: Std, party: Party, someone: Person, browser: Browser) -> None:
        """Keep every page within reach of a person, every file that they may take out, and what waits at the door."""
        client = browser(someone)
        foreign = [
            f"/lab/reviews/{party.desk.assessment_id}",
            f"/lab/vendors/{party.slug}",
            f"/lab/vendors/{std.b.slug}",
        ]
        seen = crawl(client, [*ASIDE, *foreign, *own_pages(self.app, std, party)], alike=4)
        for path, answer in seen.items():
            self.note(path, answer, someone)
        taken: dict[tuple[str, str], FoundForm] = {}
        for answer in seen.values():
            for form in forms_of(answer):
                endpoint = self.endpoint(form.action, "POST")
                if endpoint in EXPORTS:
                    taken.setdefault((endpoint, form.action), form)
        for (endpoint, action), form in taken.items():
            self.note(f"{endpoint} {action}", client.post(action, data=form.values), someone)
        self.door(std.house, party, someone, mark=_MARK.findall(seen["/"].get_data(as_text=True))[0])

    def door(self, house: House, party: Party, someone: Person, *, mark: str) -> None:
        """Keep what links and the way back in say to whoever holds them, who is not signed in."""
        stranger = self.app.test_client()
        with house.ledger.begin(system("test")) as tx:
            invited = identity.get_invitation(tx, party.own["invitation_id"])
            link = identity.link_path(invited, house.keyring)
            ends = token_of(house.keyring, user_id=someone.id, groups=(Group.REPLIES, Group.OPENED), on=tx.now.date())
        for path in (
            f"/sign-in/panel?holder={quote(mark)}",
            f"/unsubscribe/{ends}",
            link,
            "/session",
            "/reset",
            "/sign-in",
        ):
            self.note(path, stranger.get(path), someone)
        self.note("/invitation", stranger.get("/invitation"), someone)


def own_pages(app: Flask, std: Std, party: Party) -> list[str]:
    """Return an address of every page that there is, with what the vendor owns in it."""
    values = {name: found[0] for name, found in objects_of(std, party).items() if found}
    return [
        address(rule, values)
        for rule in people_rules(app)
        if "GET" in (rule.methods or ())
        and site_of(str(rule.endpoint)) in {"vendor", "shared"}
        and rule.arguments <= set(values)
    ]


_MARK = re.compile(r'data-holder="([^"]+)"')


def everything_sent(
    std: Std, party: Party, browser: Browser, *people: Person, walk: Walk | None = None
) -> dict[str, str]:
    """Return every byte that a vendor's people can make the portal say, pages, refusals, files and mails."""
    walk = Walk(browser(party.desk.admin).application) if walk is None else walk
    walk.sent = {f"mail {name}": text for name, text in mails_to(std.house, party).items()}
    for someone in people or party.people:
        walk.pages(std, party, someone, browser)
    return walk.sent


def holding(sent: dict[str, str], word: str) -> list[str]:
    return [where for where, text in sent.items() if word.casefold() in text]


def internal_numbers(std: Std, party: Party) -> tuple[str, str]:
    """Return the score and the recommendation as they are stored, to look for."""
    with std.house.ledger.begin(system("test")) as tx:
        stored = scoring.latest(tx, party.desk.assessment_id)
        assert stored is not None
        return stored.result_digest, stored.inputs_digest


def check_nothing_internal(std: Std, sent: dict[str, str]) -> None:
    assert holding(sent, INTERNAL) == []
    for other in (std.b, std.c):
        assert holding(sent, other.canary) == []


STAGES = ("in progress", "signed", "judged", "recommended", "proposed")


def bring(std: Std, party: Party, stage: str) -> None:
    """Bring an assessment to a stage before publication."""
    at = STAGES.index(stage)
    if at == 1:
        party.desk.sign()
    if at >= 2:
        judged(std, party)
    if at >= 3:
        prepared(std, party)
    if at >= 4:
        bench = std.bench(party)
        bench.propose(bench.lead, **terms())


def test_AZ_05_before_publication_nothing_of_the_labs_side_is_seen(std: Std, browser: Browser) -> None:
    bring(std, std.a, "proposed")

    sent = everything_sent(std, std.a, browser)

    assert len(sent) > 30
    assert holding(sent, std.a.canary), "the walk sees the vendor's own words, so it would see others"
    check_nothing_internal(std, sent)
    assert holding(sent, DRAFT) == []
    for digest in internal_numbers(std, std.a):
        assert holding(sent, digest) == []
    pages = {where: text for where, text in sent.items() if "/assessments/" in where or where.startswith("/ ")}
    for word in ("recommendation", "f-1<", "points of 100", "ines valdarno"):
        assert holding(pages, word) == [], word
    with std.house.ledger.begin(std.a.desk.admin.actor) as tx:
        assert not assessments.outcomes_of(tx, std.a.desk.vendor_id)


def test_AZ_05_afterwards_exactly_the_published_outcome(std: Std, browser: Browser) -> None:
    bring(std, std.a, "proposed")
    bench = std.bench(std.a)
    with std.house.ledger.begin(system("test")) as tx:
        decision_id = tx.session.execute(
            sa.text("SELECT id FROM decision WHERE assessment_id = :a"), {"a": std.a.desk.assessment_id}
        ).scalar_one()
    bench.sign(bench.second, decision_id)

    sent = everything_sent(std, std.a, browser)

    check_nothing_internal(std, sent)
    for digest in internal_numbers(std, std.a):
        assert holding(sent, digest) == []
    with std.house.ledger.begin(std.a.desk.admin.actor) as tx:
        (line,) = assessments.outcomes_of(tx, std.a.desk.vendor_id)
        outcome = assessments.outcome(tx, line.id)
        standing = assessments.standing_of(tx, outcome)
    assert set(outcome.body) == PUBLISHED
    assert {each: known_parts(value) for each, value in standing.items()} == STANDING
    where = [each for each in sent if each.startswith(f"/results/{outcome.id} as")]
    assert len(where) == 3
    for page in where:
        for word in (*published_words(outcome.body), "Hana Kobayashi", "Theo Brandvold"):
            assert word.casefold() in sent[page], word
    told = [each for each in sent if each.startswith("mail") and str(outcome.id) in sent[each]]
    assert told, "the vendor is told by mail"


PUBLISHED = {
    "access",
    "attestation_digest",
    "conditions",
    "decided_on",
    "decision",
    "domains",
    "findings",
    "letter",
    "number",
    "revision",
    "score",
    "score_whole",
    "signed_by",
    "threshold",
    "tier",
    "valid_until",
    "zones",
}
"""All that a published outcome says; a new field is a decision about what a vendor may know."""


STANDING = {
    "answers": {"label", "number", "possible", "replaced", "section", "steps"},
    "findings": {
        "accepted_until",
        "blocks",
        "closed_on",
        "closes_when",
        "due_on",
        "gain",
        "id",
        "label",
        "name",
        "number",
        "owner",
        "plan",
        "said",
        "severity",
        "since",
        "state",
        "what",
    },
    "met": set(),
    "steps": {"counted", "domains", "fixed", "from", "proofs", "score", "score_whole"},
}
"""All that is published of how it stands since."""


def known_parts(value: list[Any]) -> set[str]:
    """Return the names of the parts of every value in a list."""
    return set().union(*(set(each) for each in value if isinstance(each, dict)))


def published_words(body: dict[str, Any]) -> list[str]:
    findings = [each[part] for each in body["findings"] for part in ("name", "what", "closes_when")]
    return [str(body["number"]), body["letter"], *findings, *(each["text"] for each in body["conditions"])]


NOT_PAGES = frozenset({"static", "basics.live", "basics.ready"})
"""What is for browsers and machines: no word of a person is in it."""
LATER_PAGES = frozenset({"auth.new_password", "auth.take_reset", "vendor_team.address", "vendor_team.take_address"})
"""Pages that are there in a later state only; their own tests hold canaries against them."""


def test_INV_02_no_vendor_is_sent_anything_of_another(app: Flask, std: Std, browser: Browser) -> None:
    """Three vendors in three states: answering, decided and published, under review. Every page is reached."""
    risk_accepted(std, std.b)
    reached: set[str] = set()
    for party, someone in ((std.a, std.a.desk.admin), (std.b, std.b.desk.admin), (std.c, std.c.desk.signatory)):
        walk = Walk(app)
        sent = everything_sent(std, party, browser, someone, walk=walk)
        reached |= walk.reached
        assert holding(sent, party.canary)
        assert holding(sent, INTERNAL) == []
        # What B was told is published; its draft of that time is not secret any more.
        assert party is std.b or holding(sent, DRAFT) == []
        for other in (each for each in (std.a, std.b, std.c) if each is not party):
            assert holding(sent, other.canary) == []
    pages = {
        str(rule.endpoint)
        for rule in people_rules(app)
        if "GET" in (rule.methods or ()) and site_of(str(rule.endpoint)) in {"vendor", "shared"}
    }
    assert pages - reached - NOT_PAGES == LATER_PAGES
    assert EXPORTS - reached == set()


def test_INV_02_who_was_given_a_section_is_sent_no_word_of_another_section(std: Std, browser: Browser) -> None:
    """Before the signature and after the decision; what was never given is on no page, in no file and in no mail."""
    for party in (std.a, std.b):
        sections = list(dict.fromkeys(each.section for each in party.desk.visible()))
        mine = sections[-1] if party is std.a else None
        if mine is not None:
            with party.desk.at(party.desk.admin.actor) as (tx, row):
                assessments.assign_section(tx, assessment=row, section=mine, user_id=party.second.id)
        else:
            answer = browser(party.desk.admin).post(f"/team/{party.second.id}/reach", data={"sees": "given"})
            assert answer.status_code == 303

        sent = everything_sent(std, party, browser, party.second)

        for section in sections:
            where = [each for each in holding(sent, in_section(party.canary, section)) if not each.startswith("mail ")]
            assert (where != []) == (section == mine), (section, where)


def test_INV_02_mails_hold_no_answer_and_nothing_of_another_vendor_or_of_the_lab(
    std: Std, browser: Browser, clock: FixedClock
) -> None:
    """Everything that the standard fixture has queued, and what the schedule says in two months."""
    a, house, first = std.a, std.house, std.a.desk.visible()[0]
    with a.desk.at(a.desk.admin.actor) as (tx, row):
        assessments.assign_section(tx, assessment=row, section=first.section, user_id=a.second.id)
    with a.desk.at(system("test")) as (tx, row):
        body = in_section("Which do you mean", first.section)
        attestations.post_message(tx, assessment=row, question_key=first.key, body=body)
    assert browser(std.lab["r1"]).get(f"/lab/evidence/{std.b.own['evidence_id']}/file").status_code == 200
    assert browser(std.b.desk.signatory).post("/everything", data={"files": "no"}).status_code == 200
    for days in (0, 5, 2, 7, 7, 7, 7, 14, 14):
        clock.advance(days=days)
        for job in (remind_due, tell_ends, gather_digests):
            job(house)
        run_worker(house, once=True)
    mails = {party.canary: mails_to(house, party) for party in (std.a, std.b, std.c)}

    with house.ledger.begin(system("test")) as tx:
        kinds = {line.kind for line in mail_queries.mails(tx, limit=500)}
    assert kinds >= TOLD
    for canary, sent in mails.items():
        assert holding(sent, INTERNAL) == holding(sent, "-in-") == []
        assert holding(sent, canary)
        for other in {A, B, C} - {canary}:
            assert holding(sent, other) == []


TOLD = {
    "approval_ends",
    "decision",
    "digest",
    "everything_taken",
    "evidence_opened",
    "invitation",
    "invitation_ending",
    "receipt",
    "reminder",
    "section_given",
    "sent_back",
}
"""The kinds of mail that the fixture and its schedule bring up; every kind is written in tests/rules/delivery."""
