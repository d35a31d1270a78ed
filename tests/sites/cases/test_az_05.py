"""AZ-05 and INV-02: a vendor sees its own and, once published, exactly its outcome; nothing internal, nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.delivery import queries as mail_queries
from portal.delivery.render import render
from portal.delivery.rules import Frame
from portal.jobs.worker import run_worker
from portal.kernel.actor import system
from portal.scoring import service as scoring
from portal.wiring import House
from tests.factories.identity import Person
from tests.factories.std import DRAFT, INTERNAL, Party, Std, finished, judged, terms
from tests.sites.cases.conftest import Browser
from tests.sites.cases.walking import crawl, whole

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


def everything_sent(std: Std, party: Party, browser: Browser, *people: Person) -> dict[str, str]:
    """Return every byte that a vendor's people can make the portal say, pages, refusals, files and mails."""
    found = {f"mail {name}": text for name, text in mails_to(std.house, party).items()}
    for someone in people or party.people:
        client = browser(someone)
        foreign = [
            f"/lab/reviews/{party.desk.assessment_id}",
            f"/lab/vendors/{party.slug}",
            f"/lab/vendors/{std.b.slug}",
        ]
        start = [
            *ASIDE,
            *foreign,
            f"/assessments/{party.desk.assessment_id}",
            f"/evidence/{party.own['evidence_id']}/file",
        ]
        for path, answer in crawl(client, start, alike=4).items():
            assert answer.status_code < 500, path
            found[f"{path} as {someone.full_name}"] = whole(answer)
    return found


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
        finished(std, party)
    if at >= 4:
        bench = std.bench(party)
        bench.propose(bench.lead, **terms())


@pytest.mark.parametrize("stage", [pytest.param("judged", marks=pytest.mark.slow), "proposed"])
def test_AZ_05_before_publication_nothing_of_the_labs_side_is_seen(std: Std, browser: Browser, stage: str) -> None:
    bring(std, std.a, stage)

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
    "answers": {"label", "number", "possible", "section", "steps"},
    "findings": {
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


def test_INV_02_no_vendor_is_sent_anything_of_another(std: Std, browser: Browser) -> None:
    for party in (std.b, std.c):
        sent = everything_sent(std, party, browser, party.desk.admin)
        assert holding(sent, party.canary)
        assert holding(sent, INTERNAL) == []
        assert party is std.b or holding(sent, DRAFT) == []
        for other in (each for each in (std.a, std.b, std.c) if each is not party):
            assert holding(sent, other.canary) == []
