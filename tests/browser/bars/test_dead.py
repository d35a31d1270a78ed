"""U5: what people type is dead: scripts and htmx attributes in every text of a vendor are words on its pages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from portal.settings import Settings
from portal.wiring import House, make_app
from tests.browser.gallery import serving
from tests.factories import std as factory
from tests.factories.identity import session_token

pytestmark = pytest.mark.browser

ALIVE = "<script>ran=1</script><b hx-get=/ran hx-trigger=load>dead</b><img src=/ran>"
NOT_TEXT = ("email", "slug", "digest", "sha", "hash", "token", "object_key", "to_address", "mime", "bucket")


def poisoned(house: House, canary: str) -> int:
    """Put the payload in the place of the canary in every text column of every table; return how many rows that was."""
    changed = 0
    house.engine.dispose()
    with house.engine.begin() as connection:
        connection.execute(sa.text("SELECT set_config('gatehouse.vendor', '*', true)"))
        columns = connection.execute(
            sa.text(
                "SELECT c.table_name, c.column_name, c.data_type, c.character_maximum_length"
                " FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)"
                " WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'"
                " AND c.data_type IN ('text', 'character varying', 'json', 'jsonb') ORDER BY 1, 2"
            )
        ).all()
        for table, column, kind, most in columns:
            if any(each in column for each in NOT_TEXT):
                continue
            new = f'replace("{column}"::text, :canary, :alive)'
            new = f"{new}::{kind}" if kind.startswith("json") else f"left({new}, {most})" if most else new
            connection.execute(sa.text(f'ALTER TABLE "{table}" DISABLE TRIGGER USER'))
            done = connection.execute(
                sa.text(
                    f'UPDATE "{table}" SET "{column}" = {new}'  # noqa: S608
                    f' WHERE strpos("{column}"::text, :canary) > 0'
                ),
                {"canary": canary, "alive": ALIVE},
            )
            changed += done.rowcount
            connection.execute(sa.text(f'ALTER TABLE "{table}" ENABLE TRIGGER USER'))
    return changed


def test_scripts_and_attributes_in_every_text_are_words(
    settings: Settings, house: House, new_page: Callable[..., Page]
) -> None:
    made = factory.std(house)
    shown: list[str] = []
    for party in (made.a, made.b):
        assert poisoned(house, party.canary) > 30
    app = make_app(settings, house)
    asked: list[str] = []
    with serving(app) as server:
        for party in (made.a, made.b):
            page = new_page()
            page.on("request", lambda request: asked.append(request.url))
            token = session_token(house, party.desk.admin, data={"csrf_token": "f" * 40})
            page.context.add_cookies([{"name": "gatehouse", "value": token, "url": server}])
            paths = [f"/assessments/{party.desk.assessment_id}"]
            seen: set[str] = set()
            while paths:
                path = paths.pop(0)
                answer = page.goto(server + path)
                assert answer, path
                assert answer.status < 500, path
                assert page.evaluate("() => typeof ran") == "undefined", path
                assert not page.locator("[hx-get='/ran'], img[src='/ran']").count(), path
                if ALIVE[:20] in page.inner_text("body"):
                    shown.append(path)
                seen.add(path)
                found = page.eval_on_selector_all("a[href^='/']:not([download])", "all => all.map(e => e.pathname)")
                kinds = {_kind(each) for each in (*seen, *paths)}
                for each in found:
                    if _kind(each) not in kinds and not each.endswith((".pdf", ".csv", ".xlsx", "/file", ".zip")):
                        kinds.add(_kind(each))
                        paths.append(each)
    assert not [each for each in asked if each.endswith("/ran")]
    assert app.extensions.get("csp_reports", []) == []
    assert len({_kind(each) for each in shown}) >= 30, "the walk leads to the pages that show what people type"


def _kind(path: str) -> str:
    """Return an address without what makes one of many of it."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/s/)[\w./-]+(?=/history)|(?<=/s/)\w+$", "·", path)
