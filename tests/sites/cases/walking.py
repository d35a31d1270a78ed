"""Walking the application: addresses of routes, what an answer says once what differs by nature is gone, and rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from html import unescape
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from portal.sites.shared.sessions import MACHINES
from portal.wiring import House
from tests.sites.cases.unpacked import words_in
from tests.sites.conftest import Client

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
BOOKKEEPING = frozenset({"web_session", "throttle"})
"""Sessions' last sight and counters of tries: the only tables that reading may write to."""

BUT_REFUSALS = {"audit_event": " WHERE t.fact <> 'access_refused'", "audit_head": " WHERE false"}
"""A refusal changes nothing but the trail, which says that it happened (cases.md, standard outcomes)."""

_VARIES = (
    (re.compile(r'nonce="[^"]*"|nonce-[\w-]+'), "nonce"),
    (re.compile(r'name="csrf-token" content="[^"]*"'), "form token"),
    (re.compile(r'name="csrf_token"[^>]*value="[^"]*"'), "form token"),
    (re.compile(r'"X-CSRFToken": ?"[^"]*"'), "form token"),
    (re.compile(r"\b[0-9A-F]{4}-[0-9A-F]{2}\b"), "request id"),
)


def people_rules(app: Flask) -> list[Rule]:
    """Return the routes for people; machines send no cookie and are no matter of sessions."""
    return [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(MACHINES)]


def address(rule: Rule, values: Mapping[str, object]) -> str:
    """Return the address of a route with these values; KeyError names the variable that has none."""
    return re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda found: str(values[found[1]]), rule.rule)


def said(answer: TestResponse, *gone: object) -> tuple[int, str, dict[str, str]]:
    """Return status, body and headers without what differs between any two answers, and without these words."""
    text = answer.get_data().decode("utf-8", "backslashreplace")
    headers = {name: value for name, value in answer.headers if name not in {"X-Request-Id", "Date", "Set-Cookie"}}
    headers.pop("Content-Length", None)
    for word in gone:
        text = text.replace(str(word), "·")
        headers = {name: value.replace(str(word), "·") for name, value in headers.items()}
    for pattern, name in _VARIES:
        text = pattern.sub(name, text)
        headers = {key: pattern.sub(name, value) for key, value in headers.items()}
    return answer.status_code, text, headers


def whole(answer: TestResponse) -> str:
    """Return every byte of an answer as text, also what is packed or printed in it; entities undone, in one case."""
    body = words_in(answer.get_data())
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    return f"{head}\n{body}\n{unescape(body)}".casefold()


def fingerprint(name: str) -> str:
    """Return the query for the count of a table's rows and a sum over them, with who wrote each last (xmin)."""
    content = "count(*), coalesce(sum(hashtext(t::text || t.xmin)::bigint), 0)"
    return f'SELECT {content} FROM "{name}" t{BUT_REFUSALS.get(name, "")}'  # noqa: S608 - names of our own tables


def rows(house: House, but: Iterable[str] = BOOKKEEPING) -> dict[str, Any]:
    """Return a fingerprint of every row of every table, with who wrote it last (xmin)."""
    left_out = frozenset(but)
    with house.engine.connect() as connection:
        connection.execute(sa.text("SELECT set_config('gatehouse.vendor', '*', true)"))
        names = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.text(fingerprint(name))).one() for name in names if name not in left_out}


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the names of the tables that differ."""
    return {name for name in before | after if before.get(name) != after.get(name)}


_LINK = re.compile(r'(?:href|src|hx-get|action|content)="([^"]+)"')


def links(answer: TestResponse) -> Iterator[str]:
    """Yield the paths of our own that a page leads to."""
    if answer.location:
        yield answer.location.partition("#")[0]
    if answer.mimetype == "text/html":
        for found in _LINK.findall(answer.get_data(as_text=True)):
            path = unescape(found).partition("#")[0]
            if path.startswith("/") and not path.startswith(("//", "/static/")):
                yield path
            elif path.startswith("?"):
                yield answer.request.path + path


def crawl(
    browser: Client, start: Iterable[str], *, alike: int | None = None, most: int = 400
) -> dict[str, TestResponse]:
    """Return what every page within reach of a browser says, by its address; only GET is sent.

    :param alike: how many pages of one route to open at most.
    """
    router = browser.application.url_map.bind("localhost")
    found: dict[str, TestResponse] = {}
    opened: Counter[str] = Counter()
    waiting = list(dict.fromkeys(start))
    while waiting and len(found) < most:
        path = waiting.pop(0)
        if path in found:
            continue
        if alike is not None and router.test(path.partition("?")[0], method="GET"):
            endpoint = str(router.match(path.partition("?")[0], method="GET")[0])
            opened[endpoint] += 1
            if opened[endpoint] > alike:
                continue
        answer = browser.get(path)
        answer.get_data()
        found[path] = answer
        waiting += [each for each in dict.fromkeys(links(answer)) if each not in found]
    return found
