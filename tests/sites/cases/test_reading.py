"""IN-08, second half: GET and HEAD leave the database as it was, but for what is written down of reading itself."""

from __future__ import annotations

import pytest

from tests.factories.evidence import make_evidence
from tests.factories.std import Std
from tests.sites.cases import plain
from tests.sites.cases.conftest import Browser
from tests.sites.cases.test_az_01 import objects_of
from tests.sites.cases.walking import changed, crawl, rows

pytestmark = pytest.mark.slow

READ = frozenset({"audit_event", "audit_head", "evidence_opening", "attestation_print"})
"""Opening a file is written down, with its event: the vendor sees who opened what. What was signed is printed when it
is first asked for, and kept as it was given out."""
OPENS = ("/file", ".png", "/signed.pdf")


@pytest.mark.parametrize("who", ["respondent", "admin", "signatory", "r1", "l1", "pa", "au"])
def test_IN_08_reading_every_page_changes_nothing_but_who_opened_what(std: Std, browser: Browser, who: str) -> None:
    vendors = {"respondent": std.a.desk.respondent, "admin": std.a.desk.admin, "signatory": std.a.desk.signatory}
    client = browser(vendors.get(who) or std.lab[who])
    review, decision = objects_of(std, std.c)["review_id"][0], objects_of(std, std.b)["decision_id"][0]
    aside = ["/lab/audit", "/lab/evidence", "/lab/admin/users", "/lab/admin/clients", f"/lab/decisions/{decision}"]
    start = ["/"] if who in vendors else ["/lab", "/lab/vendors", f"/lab/reviews/{review}", *aside]
    before = rows(std.house)

    seen = crawl(client, [*start, "/account", "/account/mail", "/help"], alike=2)
    for path in seen:
        head = client.head(path)
        assert head.get_data() == b""
        assert head.status_code == seen[path].status_code, path

    after = changed(before, rows(std.house))
    assert after <= READ
    assert (after == set()) or any(path.partition("?")[0].endswith(OPENS) for path in seen)
    assert len(seen) > 8
    silent = {
        path: found
        for path, answer in seen.items()
        if answer.status_code == 200 and answer.mimetype == "text/html"
        if (found := plain.problems(answer.get_data(as_text=True)))
    }
    assert silent == {}, f"U4: a page offers what does nothing without script: {silent}"
    # An address that a form only posts to is met here too: 405; and a preview of nothing chosen, which says so.
    said = {path: answer.status_code for path, answer in seen.items() if not path.endswith("/bulk/preview")}
    assert set(said.values()) <= {200, 302, 303, 403, 404, 405}
    assert {seen[path].status_code for path in seen.keys() - said.keys()} <= {422}


def test_IN_08_a_head_without_a_form_token_removes_nothing(std: Std, browser: Browser) -> None:
    """The pages that ask before they act answer GET and POST at one address."""
    own = std.b.own["evidence_id"]
    client, lab = browser(std.b.desk.admin), browser(std.lab["pa"])
    file = make_evidence(std.house, std.a.desk.respondent, name="unused.pdf").id
    mine = browser(std.a.desk.respondent)
    before = rows(std.house)

    for one, path in [
        (mine, f"/evidence/{file}/remove"),
        (mine, f"/evidence/{file}/details?kind=POL&title=x"),
        (client, f"/evidence/{own}/remove"),
        (lab, "/lab/vendors/new?name=x"),
        (lab, f"/lab/vendors/{std.a.slug}/assessments/{std.a.desk.assessment_id}/cancel?reason=x"),
    ]:
        assert one.head(path).status_code == one.get(path).status_code, path

    assert changed(before, rows(std.house)) == set()
