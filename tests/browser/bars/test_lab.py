"""Every page of the lab, with every standing bar held to it: found by its route, so that a new page is never left out.

The standard fixture has an object for each variable of a route; who opens a page is the first of the lab who may.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from datetime import date
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.delivery import queries as mails
from portal.evidence import likeness, reading
from portal.findings import second_look
from portal.jobs.worker import run_worker
from portal.policy import may_ever
from portal.questionnaires import service as questionnaires
from portal.reviews import service as reviews
from portal.settings import Settings
from portal.sites.shared.door import action_of, site_of
from portal.wiring import House, make_app
from tests.browser.bars import checks
from tests.browser.bars.walk import Walk
from tests.factories.evidence import make_evidence
from tests.factories.identity import FACTORY, Person
from tests.factories.questionnaires import decide_all, drafted, published, second, sign
from tests.factories.reports import report
from tests.factories.std import Std
from tests.sites.cases.conftest import database_url, house, mould, settings, std
from tests.sites.cases.test_az_01 import objects_of, values_of_lab
from tests.sites.cases.walking import address

__all__ = ["database_url", "house", "mould", "settings", "std"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ORDER = ("l1", "r1", "pa", "au")
"""In whose place a page is opened: the first whose roles could ever let them."""

NO_PAGES = (".pdf", ".png", ".json", "/file", "/html", "/export")
"""Ends of routes that give a file or a picture."""

NOT_HERE = {"lab_bulk.preview": "tests/browser/bars/test_lab_states.py::test_judging"}
"""Routes whose page needs what was chosen on another, and the test that walks there."""

FRAGMENTS = {
    "lab_queue.preview": "what stands beside the list of the queue, where it is looked at",
    "lab_queue.news": "one sentence above the queue, or nothing",
    "lab_queue.lab": "leads on to the first page that its reader may see",
}
"""Routes that give no page of their own, and what they give."""

MORE = {
    "lab_queue.queue": ("", "?tab=mine", "?q=nobody"),
    "lab_search.search": ("", "?q=quillmark", "?q=zzzz"),
}
"""What a page is opened with beside nothing: its other states."""

GROUPS = {
    "queue": ("/lab/queue", "/lab/search", "/lab/cosign", "/lab/findings", "/lab/appeals", "/lab/messages"),
    "reviews": ("/lab/reviews", "/lab/decisions", "/lab/scores", "/lab/assessments"),
    "vendors": ("/lab/vendors",),
    "evidence": ("/lab/evidence", "/lab/firms"),
    "manage": ("/lab/admin", "/lab/policies", "/lab/questionnaires", "/lab/audit", "/lab/mail", "/account"),
}


def group_of(rule: Rule) -> str:
    """Return the group that a page is walked in."""
    return next((name for name, starts in GROUPS.items() if rule.rule.startswith(starts)), "")


def pages_of(app: Flask) -> list[Rule]:
    """Return the routes of the lab that show a page."""
    return [
        rule
        for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule)
        if site_of(str(rule.endpoint)) == "lab"
        and "GET" in (rule.methods or ())
        and not rule.rule.endswith(NO_PAGES)
        and rule.endpoint not in {*FRAGMENTS, *NOT_HERE}
    ]


def values_of(std: Std) -> list[Mapping[str, object]]:
    """Return an object for each variable of a route, vendor by vendor: decided, reviewed, answering."""
    found: list[Mapping[str, object]] = []
    for party in (std.b, std.c, std.a):
        own = objects_of(std, party)
        mails = {"mail_id": own["mail_id"][0]} if own["mail_id"] else {}
        found.append({**values_of_lab(std, own), **mails})
    return found


def second_look_asked(std: Std) -> dict[str, object]:
    """A vendor asks for a second look at what was decided."""
    with std.house.ledger.begin(std.b.desk.signatory.actor) as tx:
        (told,) = assessments.outcomes_of(tx, std.b.desk.vendor_id)
        return {"second_look_id": second_look.ask(tx, outcome=told, reason="The export was of another tenant.").id}


def more_time_asked(std: Std) -> dict[str, object]:
    """A vendor asks for a later day."""
    with std.a.desk.at(std.a.desk.admin.actor) as (tx, row):
        more_time.ask_more_time(tx, assessment=row, wished_on=date(2027, 1, 15), reason="Two of us are ill.")
    return {"slug": std.a.slug, "assessment_id": std.a.desk.assessment_id}


def mail_sent(std: Std) -> dict[str, object]:
    """What waits to be sent is sent."""
    run_worker(std.house, once=True)
    with std.house.ledger.begin(FACTORY) as tx:
        return {"mail_id": mails.mails(tx, limit=1)[0].id}


def report_entered(std: Std) -> dict[str, object]:
    """A report whose opinion is qualified, as its vendor entered it."""
    return {"evidence_id": std.b.own["report_id"]}


def reports_alike(std: Std) -> dict[str, object]:
    """Two vendors send the same report under other names."""
    found: list[UUID] = []
    for party, wanted in ((std.a, report(SEED)), (std.b, report(SEED, entity="Quillfeather Robotics", short="Quill"))):
        found.append(make_evidence(std.house, party.desk.respondent, wanted.pdf(), kind="SOC2", details=SOC2).id)
        for step in (reading.read, likeness.compare):
            step(std.house.ledger, FACTORY, store=std.house.store, evidence_id=found[-1])
    return {"evidence_id": found[1], "other_id": found[0]}


def finished(std: Std) -> dict[str, object]:
    """A review is finished, and waits for a decision."""
    assessment_id = std.b.own["open_assessment_id"]
    desk = dataclasses.replace(std.b.desk, assessment_id=assessment_id)
    made = std.bench(dataclasses.replace(std.b, desk=desk))
    with std.house.ledger.begin(FACTORY) as tx:
        review = reviews.latest(tx, assessment_id)
        assert review
        values: dict[str, object] = {"review_id": review.id, "assessment_id": assessment_id}
        is_open = review.recommended_at is None
    if is_open:
        made.review()
    return values


def published_twice(std: Std) -> dict[str, object]:
    """Two versions of a questionnaire, the second signed by two people."""
    published(std.house)
    draft_id = drafted(std.house, std.lab["l1"], second())
    decide_all(std.house, std.lab["l1"], draft_id)
    for who in ("l1", "l2"):
        sign(std.house, std.lab[who], draft_id)
    return {"slug": "small", "old": 1, "new": 2}


def asked_questionnaire(std: Std) -> dict[str, object]:
    """The questionnaire that every vendor here was asked."""
    slug = std.a.desk.questionnaire.slug
    with std.house.ledger.begin(FACTORY) as tx:
        return {"slug": slug, "version": questionnaires.latest(tx, slug).version}


SOC2 = {"report_type": "type2", "period_start": "2025-01-01", "period_end": "2025-12-31", "opinion": "unqualified"}
SEED = 21

MADE: Mapping[str, Callable[[Std], dict[str, object]]] = {
    "lab_appeals.show": second_look_asked,
    "lab_vendors.answer_more_time": more_time_asked,
    "lab_mail.show": mail_sent,
    "lab_report.correct": report_entered,
    "lab_report.criteria": report_entered,
    "lab_evidence.alike": reports_alike,
    "lab_workspace.back_page": finished,
    "lab_decision.decide_page": finished,
    "lab_questionnaires.compare": published_twice,
    "lab_questionnaires.show": asked_questionnaire,
}
"""What is made just before a page is opened that has nothing to show else; gives the values of its route."""


def readers(app: Flask, std: Std, rule: Rule) -> list[Person]:
    """Return who could ever open a page, in order."""
    action = action_of(app, str(rule.endpoint))
    return [std.lab[name] for name in ORDER if action is not None and may_ever(std.lab[name].actor, action)]


def find(walk: Walk, app: Flask, std: Std, rule: Rule, values: list[Mapping[str, object]]) -> tuple[Person, str]:
    """Return who opens which address of a route: the first that is a page for them."""
    tried = []
    made = MADE[str(rule.endpoint)](std) if rule.endpoint in MADE else {}
    for given in values[:1] if made else values:
        try:
            path = address(rule, {**given, **made}) + MORE.get(str(rule.endpoint), ("",))[0]
        except KeyError:
            continue  # this vendor has no such thing
        for who in readers(app, std, rule):
            answer = walk.page_of(who, fresh=True).request.get(walk.server + path)
            if answer.status == 200 and "text/html" in answer.headers.get("content-type", ""):
                return who, path
            tried.append((path, answer.status))
    raise AssertionError(f"{rule.rule} shows nobody a page: {tried}")


@pytest.mark.parametrize("group", GROUPS)
def test_pages(walk: Walk, std: Std, settings: Settings, house: House, group: str) -> None:
    app = make_app(settings, house)
    values = values_of(std)
    walk.target, walk.brief = checks.INSIDE, True
    asked = [rule for rule in pages_of(app) if group_of(rule) == group]
    assert asked
    for rule in asked:
        who, path = find(walk, app, std, rule, values)
        for more in MORE.get(str(rule.endpoint), ("",)):
            walk.visit(f"{rule.endpoint}{more}", who, path.partition("?")[0] + more, fresh=True)
    if os.environ.get("BARS_SECONDS"):
        print(group, {bar: round(spent, 1) for bar, spent in walk.seconds.items()}, file=sys.stderr)
    walk.end()


def test_every_page_is_in_a_group(settings: Settings, house: House) -> None:
    assert [rule.rule for rule in pages_of(make_app(settings, house)) if not group_of(rule)] == []
