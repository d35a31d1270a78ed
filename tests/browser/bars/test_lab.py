"""Every page of the lab, with every standing bar held to it: found by its route, so that a new page is never left out.

The standard fixture has an object for each variable of a route; who opens a page is the first of the lab who may.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from flask import Flask
from werkzeug.routing import Rule

from portal.policy import may_ever
from portal.settings import Settings
from portal.sites.shared.door import action_of, site_of
from portal.wiring import House, make_app
from tests.browser.bars import checks
from tests.browser.bars.walk import Walk
from tests.factories.identity import Person
from tests.factories.std import Std
from tests.sites.cases.conftest import database_url, house, mould, settings, std
from tests.sites.cases.test_az_01 import objects_of, values_of_lab
from tests.sites.cases.walking import address

__all__ = ["database_url", "house", "mould", "settings", "std"]

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ORDER = ("l1", "r1", "pa", "au")
"""In whose place a page is opened: the first whose roles could ever let them."""

SHIPPED = "ai-contractor"

NO_PAGES = (".pdf", ".png", ".json", "/file", "/html", "/export", "/lab")
"""Ends of routes that give a file, a picture, or lead elsewhere."""

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
    "manage": ("/lab/admin", "/lab/policies", "/lab/questionnaires", "/lab/audit", "/lab/mail", "/lab/account"),
}


def group_of(rule: Rule) -> str:
    """Return the group that a page is walked in."""
    return next((name for name, starts in GROUPS.items() if rule.rule.startswith(starts)), "")


def pages_of(app: Flask) -> list[Rule]:
    """Return the routes of the lab that show a page."""
    return [
        rule
        for rule in sorted(app.url_map.iter_rules(), key=lambda each: each.rule)
        if site_of(str(rule.endpoint)) == "lab" and "GET" in (rule.methods or ()) and not rule.rule.endswith(NO_PAGES)
    ]


def values_of(std: Std) -> list[Mapping[str, object]]:
    """Return an object for each variable of a route, vendor by vendor: decided, reviewed, answering."""
    found = []
    for party in (std.b, std.c, std.a):
        own = objects_of(std, party)
        mails = {"mail_id": own["mail_id"][0]} if own["mail_id"] else {}
        found.append({**values_of_lab(std, own), **mails})
    return found


def readers(app: Flask, std: Std, rule: Rule) -> list[Person]:
    """Return who could ever open a page, in order."""
    action = action_of(app, str(rule.endpoint))
    return [std.lab[name] for name in ORDER if action is not None and may_ever(std.lab[name].actor, action)]


def find(walk: Walk, app: Flask, std: Std, rule: Rule, values: list[Mapping[str, object]]) -> tuple[Person, str]:
    """Return who opens which address of a route: the first that is a page for them."""
    tried = []
    for given in values:
        # A questionnaire and a vendor are both named by a slug.
        known = {**given, "slug": SHIPPED} if "questionnaires" in rule.rule else given
        path = address(rule, known)
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
    walk.target = checks.INSIDE
    asked = [rule for rule in pages_of(app) if group_of(rule) == group]
    assert asked
    for rule in asked:
        try:
            who, path = find(walk, app, std, rule, values)
        except (AssertionError, KeyError) as e:
            walk.problems.append(f"NOPAGE {e}")
            continue
        for more in MORE.get(str(rule.endpoint), ("",)):
            walk.visit(f"{rule.endpoint}{more}", who, path + more, fresh=True)
    walk.end()


def test_every_page_is_in_a_group(settings: Settings, house: House) -> None:
    assert [rule.rule for rule in pages_of(make_app(settings, house)) if not group_of(rule)] == []
