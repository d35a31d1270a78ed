"""WF: transitions, double acts and separation of duties, sent as browsers send them."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.assessments import service as assessments
from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.terms import AssessmentState, Role
from portal.wiring import House
from tests.factories.attestations import ALL
from tests.factories.identity import person
from tests.factories.std import Party, Std, finished, judged, terms
from tests.sites.cases.conftest import Browser
from tests.sites.cases.forms import FoundForm, forms_of
from tests.sites.cases.test_az_01 import objects_of
from tests.sites.cases.undone import undone
from tests.sites.conftest import Client

SYSTEM = system("test")
ROUNDS = 8


def at_once(*acts: Callable[[], TestResponse]) -> list[TestResponse]:
    """Do all at the same moment."""
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], TestResponse]) -> TestResponse:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def form_to(client: Client, path: str, ending: str, **fields: str | list[str]) -> tuple[str, dict[str, list[str]]]:
    """Return where a form of a page goes, and its fields filled in."""
    forms: list[FoundForm] = [each for each in forms_of(client.get(path)) if each.action.endswith(ending)]
    assert len(forms) == 1, f"{path} has {len(forms)} forms to {ending}"
    typed = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return forms[0].action, {**forms[0].values, **typed}


def count(house: House, table: str, where: str = "true", **values: object) -> int:
    with house.ledger.begin(SYSTEM) as tx:
        return int(tx.session.execute(sa.text(f"SELECT count(*) FROM {table} WHERE {where}"), values).scalar_one())  # noqa: S608


def state_of(house: House, party: Party) -> AssessmentState:
    with house.ledger.begin(SYSTEM) as tx:
        return tx.session.get_one(assessments.Assessment, party.desk.assessment_id).state


def signing(std: Std, client: Client) -> tuple[str, dict[str, list[str]]]:
    check = f"/assessments/{std.a.desk.assessment_id}/check"
    return form_to(client, check, "/check", full_name=std.a.desk.signatory.full_name, statements=list(ALL))


def test_WF_02_of_two_signatures_sent_at_once_one_counts(std: Std, browser: Browser) -> None:
    """A double click, and two browsers of one person, round after round."""
    key = std.a.desk.visible()[0].key
    for turn in range(1, ROUNDS + 1):
        one, other = browser(std.a.desk.signatory), browser(std.a.desk.signatory)
        path, fields = signing(std, one)
        events = count(std.house, "audit_event", "fact = 'attestation_signed'")

        answers = at_once(lambda: one.post(path, data=fields), lambda: other.post(path, data=fields))  # noqa: B023

        assert sorted(each.status_code for each in answers) == [303, 409]
        assert count(std.house, "attestation", "assessment_id = :a", a=std.a.desk.assessment_id) == turn
        assert count(std.house, "audit_event", "fact = 'attestation_signed'") == events + 1
        assert count(std.house, "review", "assessment_id = :a", a=std.a.desk.assessment_id) == turn
        again = one.post(path, data=fields)
        assert again.status_code == 409
        std.a.desk.send_back(key)
        std.a.desk.reply(key)


def proposed(std: Std, party: Party) -> str:
    judged(std, party)
    finished(std, party)
    return f"/lab/reviews/{objects_of(std, party)['review_id'][0]}/decide"


def test_WF_03_of_two_decisions_sent_at_once_one_counts(app: Flask, std: Std, browser: Browser) -> None:
    """C is in tier 3, where one lead decides: l1 and l2 send at once, one approves and one rejects."""
    finished(std, std.c)
    page = f"/lab/reviews/{objects_of(std, std.c)['review_id'][0]}/decide"
    for party, outcomes in ((std.c, ("approve", "reject")),):
        acts = []
        for name, outcome in zip(("l1", "l2"), outcomes, strict=True):
            client = browser(std.lab[name])
            path, fields = form_to(
                client, page, "/decide", outcome=outcome, reason="We know them.", letter="As discussed."
            )
            fields.pop("act", None)  # the button that only shows the effect is not the one pressed
            acts.append((client, path, fields))

        answers = at_once(*(lambda c=c, p=p, f=f: c.post(p, data=f) for c, p, f in acts))

        assert sorted(each.status_code for each in answers) == [303, 409], [each.status_code for each in answers]
        where = "assessment_id = :a AND state = 'confirmed'"
        assert count(std.house, "decision", where, a=party.desk.assessment_id) == 1
        assert count(std.house, "published_outcome", "assessment_id = :a", a=party.desk.assessment_id) == 1
        assert state_of(std.house, party) is AssessmentState.DECIDED


def test_WF_06_who_reviewed_or_signed_first_is_never_the_second_signature(std: Std, browser: Browser) -> None:
    """Tier 1 through the web: the reviewer, the first signer, a reviewer's role and an admin's all get no further."""
    page = proposed(std, std.a)
    bench = std.bench(std.a)
    decision = f"/lab/decisions/{bench.propose(bench.lead, **terms())}"
    with std.house.ledger.begin(SYSTEM) as tx:
        digest = tx.session.execute(sa.text("SELECT digest FROM decision WHERE state = 'proposed'")).scalar_one()
    for name in ("r1", "r2", "l1", "pa", "au"):
        answer = browser(std.lab[name]).post(f"{decision}/sign", data={"digest_seen": digest})
        assert answer.status_code in {403, 409}, name
    assert count(std.house, "decision", "state = 'confirmed' AND assessment_id = :a", a=std.a.desk.assessment_id) == 0
    assert browser(std.lab["l2"]).post(f"{decision}/sign", data={"digest_seen": "0" * 64}).status_code == 409
    assert browser(std.lab["l2"], fresh=False).post(f"{decision}/sign", data={"digest_seen": digest}).status_code == 422

    assert browser(std.lab["l2"]).post(f"{decision}/sign", data={"digest_seen": digest}).status_code == 303

    signers = count(std.house, "decision_signature", "digest = :d", d=digest)
    assert signers == 2
    assert browser(std.lab["l2"]).get(page).status_code == 200


def verbs(std: Std, party: Party) -> dict[str, tuple[str, str, dict[str, str | list[str]]]]:
    """Return every verb as who sends what where; ids are real, versions as they stand."""
    own, key = party.desk.assessment_id, party.desk.visible()[0]
    review = (objects_of(std, party)["review_id"] or ["00000000-0000-7000-8000-0000deadbeef"])[0]
    with std.house.ledger.begin(SYSTEM) as tx:
        version = str(tx.session.get_one(assessments.Assessment, own).row_version)
        row = tx.session.execute(sa.text("SELECT row_version FROM review WHERE id = :r"), {"r": str(review)}).scalar()
        seen = str(row or 1)
    section = f"/assessments/{own}/s/{key.section}/{key.key}"
    return {
        "answer": ("vendor", section, {"choice": "no", "comment": "Changed.", "version": _answer_version(std, party)}),
        "sign": ("vendor", f"/assessments/{own}/check", {"row_version": version, "full_name": "All Roles"}),
        "withdraw": ("vendor", f"/assessments/{own}/withdraw", {"reason": "Stop.", "row_version": version}),
        "claim": ("l3", f"/lab/reviews/{review}/claim", {"row_version": seen}),
        "judge": ("r1", f"/lab/reviews/{review}/answers/{key.key}/verdict", {"verdict": "accept", "version": "0"}),
        "return": ("r1", f"/lab/reviews/{review}/return", {"row_version": seen}),
        "finish": ("r1", f"/lab/reviews/{review}/finish", {"row_version": seen, "note": "x"}),
        "back": ("l1", f"/lab/reviews/{review}/back", {"row_version": seen, "reason": "Again"}),
        "decide": ("l1", f"/lab/reviews/{review}/decide", {"row_version": seen, "outcome": "reject", "reason": "No."}),
        "cancel": (
            "pa",
            f"/lab/vendors/{party.slug}/assessments/{own}/cancel",
            {"reason": "x", "row_version": version},
        ),
    }


def seen_on(client: Client, page: str) -> dict[str, str | list[str]]:
    """Return what a page to decide on says that it was made from."""
    values = [each.values for each in forms_of(client.get(page)) if "basis_seen" in each.values]
    return {"basis_seen": values[0]["basis_seen"]} if values else {}


def _answer_version(std: Std, party: Party) -> str:
    key = party.desk.visible()[0].key
    with std.house.ledger.begin(SYSTEM) as tx:
        found = tx.session.execute(
            sa.text("SELECT version FROM answer WHERE assessment_id = :a AND question_key = :k"),
            {"a": party.desk.assessment_id, "k": key},
        ).scalar()
    return str(found or 0)


LEGAL = {
    "in_progress": {"answer", "cancel"},
    "submitted": {"withdraw", "claim"},
    "in_review": {"withdraw", "judge"},
    "recommended": {"back", "decide"},
    "decided": set(),
    "withdrawn": set(),
    "cancelled": set(),
}
"""What moves with these very forms. ``sign`` lacks the digest that was read, ``return`` and ``finish`` their work."""


def bring(std: Std, party: Party, state: str) -> None:
    bench = std.bench(party)
    if state == "submitted":
        party.desk.sign()
    if state in {"in_review", "recommended", "decided", "withdrawn"}:
        judged(std, party)
    if state in {"recommended", "decided"}:
        finished(std, party)
    if state == "decided":
        bench.sign(bench.second, bench.propose(bench.lead, **terms()))
    if state in {"withdrawn", "cancelled"}:
        with std.house.ledger.begin(SYSTEM) as tx:
            row = tx.session.get_one(assessments.Assessment, party.desk.assessment_id)
            if state == "cancelled":
                assessments.cancel(tx, assessment=row, reason="Over.", row_version=row.row_version)
            else:
                assessments.withdraw(tx, assessment=row, reason="Over.", row_version=row.row_version)


@pytest.mark.parametrize("state", sorted(LEGAL))
@pytest.mark.slow
def test_WF_01_in_each_state_only_the_documented_verbs_move_it(std: Std, browser: Browser, state: str) -> None:
    bring(std, std.a, state)
    assert state_of(std.house, std.a) == state
    every = person(
        std.house,
        vendor=std.a.desk.vendor_id,
        roles=[Role.RESPONDENT, Role.VENDOR_ADMIN, Role.SIGNATORY],
        name="All Roles",
        email="all@quillmark.example",
    )
    acts = verbs(std, std.a)
    clients = {name: browser(std.lab.get(name, every)) for name, _, _ in acts.values()}
    decide = acts["decide"]
    if clients["l1"].get(decide[1]).status_code == 200:
        # Whoever signs sends what the page was made from; where there is no page, nothing was seen.
        acts["decide"] = (*decide[:2], seen_on(clients["l1"], decide[1]) | decide[2])
    moved = set()
    with undone(clients["vendor"].application, std.house) as held:
        for verb, (who, path, fields) in acts.items():
            with held.asking():
                answer = clients[who].post(path, data=fields)
                assert answer.status_code in {303, 403, 404, 409, 422}, f"{verb}: {answer.status_code}"
                if answer.status_code == 303:
                    moved.add(verb)
                else:
                    assert held.written() == set(), f"{verb} was refused with {answer.status_code}, yet it wrote"
    assert moved == LEGAL[state]


def test_WF_10_nothing_incomplete_is_signed(std: Std, browser: Browser) -> None:
    """A blanked answer, a file that is still being checked, and one that was sent back: each is named."""
    client = browser(std.a.desk.signatory)
    path, fields = signing(std, client)
    key = std.a.desk.visible()[1].key
    std.a.desk.save(key, {})
    answer = client.post(path, data=fields)
    assert answer.status_code in {409, 422}
    assert std.a.desk.questionnaire.question(key).label in answer.get_data(as_text=True).replace("&#39;", "'")
    assert state_of(std.house, std.a) is AssessmentState.IN_PROGRESS
    assert count(std.house, "attestation", "assessment_id = :a", a=std.a.desk.assessment_id) == 0


def gate(app: Flask, std: Std, party: Party, **more: str) -> tuple[str, list[str], int]:
    query = {"vendor": party.slug, "data_class": "D3", "access_mode": "A2", "purpose": "x", **more}
    answer = FlaskClient(app).get(
        "/api/v1/gate", query_string=query, headers={"Authorization": f"Bearer {std.tokens['gAll']}"}
    )
    body = answer.get_json()
    return body["decision"], body["reasons"], body["sequence"]


def approved(std: Std) -> None:
    judged(std, std.a)
    finished(std, std.a)
    bench = std.bench(std.a)
    bench.sign(bench.second, bench.propose(bench.lead, **terms()))


def test_WF_15_a_pause_acts_at_once_and_two_people_end_it(app: Flask, std: Std, browser: Browser) -> None:
    approved(std)
    assert gate(app, std, std.a)[0] == "allow"
    page = f"/lab/vendors/{std.a.slug}"
    reviewer, l1, l2 = (browser(std.lab[name]) for name in ("r1", "l1", "l2"))

    assert reviewer.post(f"{page}/pause", data={"reason": "Breach."}).status_code == 303

    decision, reasons, sequence = gate(app, std, std.a)
    assert (decision, reasons) == ("deny", ["paused"])
    asking = {"plan": "Fixed.", "row_version": "1"}
    assert reviewer.post(f"{page}/resume", data=asking).status_code == 403
    assert l1.post(f"{page}/resume", data=asking).status_code == 303
    assert gate(app, std, std.a)[0] == "deny"
    assert l1.post(f"{page}/resume/confirm", data={"row_version": "2"}).status_code in {403, 409}
    assert gate(app, std, std.a)[0] == "deny"
    assert l2.post(f"{page}/resume/confirm", data={"row_version": "2"}).status_code == 303
    decision, _, later = gate(app, std, std.a)
    assert decision == "allow"
    assert later > sequence


def test_WF_17_an_approval_ends_without_any_worker(app: Flask, std: Std, clock: FixedClock, browser: Browser) -> None:
    approved(std)
    assert gate(app, std, std.a)[0] == "allow"

    clock.advance(days=(timedelta(days=69)).days)

    decision, reasons, _ = gate(app, std, std.a)
    assert (decision, reasons[0]) == ("deny", "expired"), reasons
    page = browser(std.lab["l1"]).get(f"/lab/vendors/{std.a.slug}").get_data(as_text=True)
    assert re.search(r'Decision D-\d+ ended on <time datetime="2027-01-31">31 January 2027</time>', page)
    home = browser(std.a.desk.admin).get("/results").get_data(as_text=True)
    assert "Access is open" not in home


def test_GW_01_whatever_is_not_cleared_is_denied_with_its_own_reason(app: Flask, std: Std) -> None:
    told = {
        "unknown": gate(app, std, std.a, vendor="nobody-at-all"),
        "in progress": gate(app, std, std.a),
        "paused": gate(app, std, std.c, data_class="D1", access_mode="A1"),
        "class beyond": gate(app, std, std.b, data_class="D5"),
        "mode beyond": gate(app, std, std.b, access_mode="A4"),
        "no class": gate(app, std, std.b, data_class=""),
    }
    assert {decision for decision, _, _ in told.values()} == {"deny"}
    assert told["unknown"][1] == ["unknown_vendor"]
    assert told["paused"][1] == ["paused"]
    assert len({tuple(reasons) for _, reasons, _ in told.values()}) == len(told)
