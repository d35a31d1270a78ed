"""Nonsense on every route: never a 5xx, never a trace, and what is refused has changed nothing (INV-07)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, quote_from_bytes, urlencode
from uuid import UUID
from zlib import crc32

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.attestations.models import Citation
from portal.delivery.channels import Group
from portal.delivery.unsubscribing import token_of
from portal.evidence.models import Evidence
from portal.findings.models import Finding
from portal.identity import service as identity
from portal.identity.models import Invitation
from portal.kernel.clock import FixedClock
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.queries import drafts
from portal.questionnaires.rules import Changes
from portal.questionnaires.rules.meaning import with_decisions, with_version
from portal.reviews import acceptances, accepting
from portal.reviews import remedies as judging
from portal.reviews import service as reviews
from portal.rulebook import service as rulebook
from portal.rulebook.queries import drafts as policy_drafts
from portal.scoring.policies import SCORING
from portal.scoring.queries import of_vendor as scores_of
from portal.sites.shared.door import site_of
from portal.terms import Role, Verdict
from portal.vendors.models import Vendor
from tests.factories.carrying import FACTORY, ask
from tests.factories.evidence import make_evidence, reserved
from tests.factories.identity import Person, person
from tests.factories.reviews import Bench
from tests.factories.std import Party, Std, filled, finished, judged, terms
from tests.factories.vendors import make_engagement
from tests.rules import files
from tests.sites.cases.conftest import Browser
from tests.sites.cases.forms import FoundForm, forms_of
from tests.sites.cases.test_az_01 import objects_of
from tests.sites.cases.undone import Undone, undone
from tests.sites.cases.walking import address, crawl, people_rules
from tests.sites.conftest import Client

Raw = str | bytes
NASTY: tuple[Raw, ...] = (
    b"nul\x00here",
    b"\xed\xa0\x80 lone surrogate",
    b"\xff\xfe\xfa",
    "x" * 100_000,
    "\u202eright to left\u2066\u200f\u200b",
    "../../../../etc/passwd",
    "\U0001f9ff" * 300,
    "e\u0301" * 600,
    "9" * 40,
    "-1",
    "2147483648",
    "9223372036854775808",
    "1e309",
    "nan",
    "-inf",
    "9999-12-31",
    "0000-00-00",
    "10000-01-01",
    "0001-01-01",
    "2026-02-30",
    "\u00b2",
    "\uff11\uff12",
    "\u0663",
    "'; DROP TABLE vendor; --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "%00%0d%0a",
    "a\r\nSet-Cookie: a=b",
    "   ",
    "",
    "null",
    "[object Object]",
)
TRACES = re.compile(r"Traceback \(most|File \"/|sqlalchemy\.|psycopg\.|site-packages|SELECT \w+\.|INSERT INTO|/portal/")


def encoded(pairs: Sequence[tuple[str, Raw]]) -> bytes:
    """Return a form body, also of what is no text at all."""
    return "&".join(
        f"{quote(name, safe='')}={quote_from_bytes(value if isinstance(value, bytes) else value.encode())}"
        for name, value in pairs
    ).encode()


def fine(answer: TestResponse, what: str) -> None:
    """Hold an answer to the promise."""
    text = answer.get_data().decode("utf-8", "replace")
    assert answer.status_code < 500, f"{what}: {answer.status_code}"
    if answer.mimetype in {"text/html", "application/problem+json", "application/json"}:
        found = TRACES.search(text.replace("/static/", ""))
        assert found is None or answer.status_code < 400, f"{what}: says {found and found[0]}"


def everybody(std: Std) -> dict[str, Person]:
    """Return the people in whose place forms are sent: each side's strongest, and whose review it is."""
    every = person(
        std.house,
        vendor=std.a.desk.vendor_id,
        roles=[Role.RESPONDENT, Role.VENDOR_ADMIN, Role.SIGNATORY],
        name="All Roles",
        email="all@quillmark.example",
    )
    return {"vendor": every, "r1": std.lab["r1"], "l1": std.lab["l1"], "pa": std.lab["pa"]}


def starts(std: Std) -> list[str]:
    review = objects_of(std, std.c)["review_id"][0]
    return ["/", "/lab", "/account", "/evidence", "/team", "/lab/vendors", "/lab/admin/users", f"/lab/reviews/{review}"]


def doors(std: Std, vendor: Client) -> list[str]:
    """Return where somebody who is not signed in can come from: links of mails, and a page whose session ended."""
    with std.house.ledger.begin(FACTORY) as tx:
        link = identity.link_path(identity.get_invitation(tx, std.a.own["invitation_id"]), std.house.keyring)
        groups = (Group.REPLIES, Group.OPENED)
        ends = token_of(std.house.keyring, user_id=std.a.second.id, groups=groups, on=tx.now.date())
    mark = re.findall(r'data-holder="([^"]+)"', vendor.get("/").get_data(as_text=True))[0]
    return ["/sign-in", "/reset", link, f"/unsubscribe/{ends}", f"/sign-in/panel?holder={quote(mark)}"]


@pytest.fixture
def stage(app: Flask, std: Std, browser: Browser) -> Iterator[tuple[Undone, dict[str, Client]]]:
    clients = {name: browser(each) for name, each in everybody(std).items()}
    stranger = app.test_client()
    assert isinstance(stranger, Client)
    clients["nobody"] = stranger
    with undone(app, std.house) as held:
        yield held, clients


Forms = Mapping[tuple[str, frozenset[str]], tuple[str, FoundForm]]
_known: dict[UUID, Forms] = {}


def found_forms(app: Flask, std: Std, held: Undone, clients: Mapping[str, Client]) -> Forms:
    """Return one form of each kind: of each endpoint, with each set of fields, and in whose place it was found.

    Every test has the same fixture with the same ids, so the pages are read once.
    """
    if std.a.desk.assessment_id not in _known:
        with held.asking():
            _known[std.a.desk.assessment_id] = _found_forms(app, std, clients)
    return _known[std.a.desk.assessment_id]


def _found_forms(app: Flask, std: Std, clients: Mapping[str, Client]) -> Forms:
    router = app.url_map.bind("localhost")
    found: dict[tuple[str, frozenset[str]], tuple[str, FoundForm]] = {}
    for name, client in clients.items():
        begin = doors(std, clients["vendor"]) if name == "nobody" else starts(std)
        for answer in crawl(client, begin, alike=4).values():
            for form in forms_of(answer):
                try:
                    endpoint, _ = router.match(form.action.partition("?")[0], method="POST")
                except Exception as refusal:
                    raise AssertionError(f"{answer.request.path} has a form to {form.action}") from refusal
                shape = frozenset(re.sub(r"\.\d+\.", ".n.", each) for each in form.shape)
                found.setdefault((str(endpoint), shape), (name, form))
    return found


def pairs_of(form: FoundForm) -> list[tuple[str, Raw]]:
    return [(name, value) for name, values in form.values.items() for value in values]


def sent(client: Client, form: FoundForm, pairs: Sequence[tuple[str, Raw]], file_name: str = "a.pdf") -> TestResponse:
    """Send a form as a browser would."""
    if not form.multipart:
        return client.post(form.action, data=encoded(pairs), content_type="application/x-www-form-urlencoded")
    mark = b"----nonsense"
    body = b""
    for name, value in pairs:
        raw = value if isinstance(value, bytes) else value.encode()
        body += (
            b"--" + mark + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + raw + b"\r\n"
        )
    for name in sorted(form.files):
        head = f'\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        body += b"--" + mark + head.encode("utf-8", "surrogatepass") + b"Content-Type: application/pdf\r\n\r\n"
        body += files.pdf() + b"\r\n"
    body += b"--" + mark + b"--\r\n"
    return client.post(
        form.action, data=io.BytesIO(body), content_type=f"multipart/form-data; boundary={mark.decode()}"
    )


def attempt(held: Undone, what: str, ask: Callable[[], TestResponse]) -> TestResponse:
    """Ask, hold the answer to the promise, undo; what was refused must have changed nothing."""
    with held.asking():
        answer = ask()
        fine(answer, what)
        if answer.status_code >= 400:
            assert held.written() == set(), f"{what}: refused with {answer.status_code}, yet it wrote {held.written()}"
        answer.close()
    return answer


def short(value: Raw) -> str:
    return repr(value[:24])


@pytest.mark.slow
def test_the_pages_hold_a_form_for_every_route_that_a_form_can_reach(
    app: Flask, std: Std, stage: tuple[Undone, dict[str, Client]]
) -> None:
    held, clients = stage
    found = found_forms(app, std, held, clients)
    reached = {endpoint for endpoint, _ in found}
    posts = {
        str(rule.endpoint)
        for rule in people_rules(app)
        if "POST" in (rule.methods or ()) and site_of(str(rule.endpoint)) in {"vendor", "lab", "shared"}
    }
    assert posts - reached - LATER - SCRIPTS == set()
    described = [shape for endpoint, shape in found if endpoint == "vendor_evidence.describe"]
    assert any("detail-exception_rows-0-text" in shape for shape in described), "a report with rows is among them"


LATER = {
    "auth.end_other_sessions",
    "auth.end_session",
    "auth.new_password",
    "auth.renew_invitation",
    "auth.step_up",
    "lab_appeals.answer",
    "lab_bulk.accept",
    "lab_bulk.undo",
    "lab_decision.decide",
    "lab_conflicts.end",
    "lab_decision.decline",
    "lab_decision.hand_back",
    "lab_decision.take_back",
    "lab_decision.sign",
    "lab_decision.withdraw",
    "lab_queue_acts.remove",
    "lab_queue_acts.wake",
    "lab_queue_several.claim",
    "lab_queue_several.snooze",
    "lab_exports.decision",
    "lab_findings.answer_plan",
    "lab_findings.confirm_risk",
    "lab_findings.propose_risk",
    "lab_findings.revoke_risk",
    "lab_findings.take_back_risk",
    "lab_move.move",
    "lab_policies.draft_move",
    "lab_pause.confirm_resume",
    "lab_people.confirm_role",
    "lab_people.resend",
    "lab_people.revoke",
    "lab_people.withdraw_role",
    "lab_revoke.ask",
    "lab_revoke.take_back",
    "lab_report.correct",
    "lab_report.criteria",
    "lab_report.exception",
    "lab_tasks.show",
    "lab_vendors.answer_more_time",
    "lab_workspace.give_back",
    "lab_workspace.recheck",
    "lab_workspace.reopen",
    "lab_workspace.return_questions",
    "vendor_check.withdraw",
    "vendor_exchange.as_oscal",
    "vendor_findings.name_owner",
    "vendor_findings.say",
    "vendor_findings.send",
    "vendor_findings.send_plan",
    "vendor_renewal.confirm",
    "vendor_scoping.confirm_all",
    "vendor_results.ask",
    "vendor_section.confirm",
    "vendor_section.restore",
    "vendor_send_back.ask",
    "vendor_send_back.settle",
    "vendor_team.confirm_address",
    "vendor_team.due",
    "vendor_team.take_back",
    "vendor_uploads.cancel",
}
"""Forms that pages show in a later state only; ``test_nonsense_in_the_forms_of_later_states`` brings them up."""
SCRIPTS = {
    "auth.add_passkey",
    "auth.remove_passkey",
    "auth.sign_in_passkey",
    "auth.sign_in_passkey_options",
    "auth.step_up_passkey",
    "auth.step_up_passkey_options",
    "auth.new_passkey_options",
    "auth.stay",
    "basics.csp_report",
    "vendor_findings.arrived",
    "vendor_findings.reserve",
    "vendor_uploads.reserve",
    "vendor_uploads.finalise",
    "vendor_uploads.parts",
}
"""What scripts post without a form, and forms that are shown where a browser can hold passkeys."""


def asked_again(std: Std) -> UUID:
    """Ask B once more, for a third engagement, with a newer version published meanwhile; return the assessment."""
    with std.house.ledger.begin(FACTORY) as tx:
        vendor = tx.session.get_one(Vendor, std.b.desk.vendor_id)
        engagement = make_engagement(tx, vendor, project="Third").id
        first = questionnaires.latest(tx, std.b.desk.questionnaire.slug)
        newer = with_decisions(with_version(first.source, 2), Changes(1, ()))
        questionnaires.publish(tx, source=newer)
        version_id = first.id
    return ask(std.house, std.b.desk.vendor_id, engagement, version_id)


def turned(start: int, at: int) -> Raw:
    return NASTY[(start + at) % len(NASTY)]


SHARE = 6
"""Of the nasty values one in six is sent to a field alone, another sixth to the next; ``--thorough`` sends them all."""


def alone_in(endpoint: str, at: int, *, thorough: bool) -> Sequence[Raw]:
    """Return the values to send to one field alone: the same ones in every run."""
    return NASTY if thorough else NASTY[(crc32(endpoint.encode()) + at) % SHARE :: SHARE]


def numberless(name: str) -> str:
    """Return the kind of a field: rows of a table differ by their number only, notes by their question."""
    return re.sub(r"\d+", "n", re.sub(r"^notes\..+", "notes.key", name))


@dataclass
class Met:
    """What was battered already: a kind of field gets its whole share once, and a glance in each other form."""

    thorough: bool
    endpoints: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def is_new(self, endpoint: str) -> bool:
        """Tell whether this endpoint had no form yet; forms that differ in their fields go to one view."""
        new = endpoint not in self.endpoints
        self.endpoints.add(endpoint)
        return new or self.thorough

    def is_new_field(self, endpoint: str, name: str) -> bool:
        """Tell whether no form of this endpoint had such a field yet."""
        kind = endpoint, numberless(name)
        new = kind not in self.fields
        self.fields.add(kind)
        return new or self.thorough

    def values(self, endpoint: str, at: int, name: str) -> Sequence[Raw]:
        """Return what to send to one field alone."""
        if not self.is_new_field(endpoint, name):
            return ()
        known = numberless(name) in self.names and not self.thorough
        self.names.add(numberless(name))
        if known and name == "csrf_token":
            return ()  # one check for all forms, before any view
        return alone_in(endpoint, at, thorough=self.thorough)[: GLANCE if known else None]


GLANCE = 1


def batter(held: Undone, client: Client, form: FoundForm, endpoint: str, met: Met) -> None:
    """Put nasty values into all fields together, each another one, and some into each field alone."""
    pairs = pairs_of(form)
    for start in range(0, len(NASTY), 4 if met.is_new(endpoint) else 16):
        mixed = [(name, turned(start, at)) for at, (name, _) in enumerate(pairs)]
        attempt(held, f"{endpoint}: {short(mixed[0][1] if mixed else '')} on", lambda p=mixed: sent(client, form, p))
    for at, name in enumerate(form.values):
        for value in met.values(endpoint, at, name):
            one = [(other, value if other == name else given) for other, given in pairs]
            attempt(held, f"{endpoint}: {name}={short(value)}", lambda p=one: sent(client, form, p))


@pytest.mark.slow
def test_nonsense_in_any_field_of_any_form_is_refused_in_words(
    app: Flask, std: Std, stage: tuple[Undone, dict[str, Client]], thorough: bool
) -> None:
    """Each value in all fields together; then in each kind of field alone (slow: many hundred requests)."""
    held, clients = stage
    met = Met(thorough)
    for (endpoint, _), (name, form) in found_forms(app, std, held, clients).items():
        batter(held, clients[name], form, endpoint, met)


@pytest.mark.slow
def test_nonsense_in_the_forms_of_later_states_is_refused_in_words(
    app: Flask, std: Std, browser: Browser, clock: FixedClock, thorough: bool
) -> None:
    router = app.url_map.bind("localhost")
    seen: set[str] = set()
    met = Met(thorough)

    def look(client: Client, *paths: str) -> None:
        with undone(app, std.house) as held:
            for path in paths:
                with held.asking():
                    forms = forms_of(client.get(path))
                for form in forms:
                    endpoint = str(router.match(form.action.partition("?")[0], method="POST")[0])
                    if endpoint in LATER - seen:
                        seen.add(endpoint)
                        batter(held, client, form, endpoint, met)

    a, lab = std.a, {name: browser(each) for name, each in std.lab.items()}
    first, bench = a.desk.visible()[0], std.bench(a)
    section = first.section
    a.desk.save(first.key, {**filled(first, a.canary), "comment": "As before, and by two people."})
    look(browser(a.desk.respondent), f"/assessments/{a.desk.assessment_id}/s/{section}/{first.key}/history")
    browser(a.second)
    look(browser(a.second), "/account")
    look(browser(a.second, fresh=False), "/step-up")
    admin = browser(a.desk.admin)
    given = {"assessment": str(a.desk.assessment_id), "person": str(a.second.id), "section": section}
    assert admin.post("/team/sections", data=given).status_code == 303
    look(admin, "/team", f"/team/{a.second.id}")
    admin.post("/team/sections/take-back", data=given)
    with std.house.ledger.begin(a.desk.admin.fresh) as tx:
        user = identity.get_person_or_self(tx, a.desk.admin.id)
        new = "another@quillmark.example"
        identity.ask_address(tx, user=user, email=new, again=new, keyring=std.house.keyring)
        asked = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "address")).one()
        link = identity.link_path(asked, std.house.keyring)
    admin.get(link)
    look(admin, "/team/address")
    forgot = app.test_client()
    assert isinstance(forgot, Client)
    assert forgot.post("/reset", data={"email": a.desk.admin.email}).status_code < 400
    with std.house.ledger.begin(FACTORY) as tx:
        asked = tx.session.scalars(sa.select(Invitation).where(Invitation.purpose == "reset")).one()
        link = identity.link_path(asked, std.house.keyring)
    forgot.get(link)
    look(forgot, "/new-password")
    guest = {"email": "guest@orrery.example", "full_name": "Guest", "roles": "auditor"}
    assert lab["pa"].post("/lab/admin/users/invite", data=guest).status_code == 303
    roles = {"roles": ["reviewer", "lead_approver"]}
    assert lab["pa"].post(f"/lab/admin/users/{std.lab['r2'].id}/roles", data=roles).status_code == 303
    look(lab["pb"], "/lab/admin/users")
    pause = f"/lab/vendors/{std.c.slug}/resume"
    assert lab["l1"].post(pause, data={"plan": "Fixed.", "row_version": "1"}).status_code == 303
    look(lab["l2"], pause)
    with std.house.ledger.begin(FACTORY) as tx:
        waiting = tx.session.execute(sa.text("SELECT id FROM review WHERE closed_at IS NULL")).scalars().all()
    several = "/lab/queue/several?" + "&".join(f"review={each}" for each in waiting)
    look(lab["r2"], several)
    look(lab["l1"], several)
    revoke = f"/lab/vendors/{std.b.slug}/revoke"
    look(lab["l2"], revoke)
    with std.house.ledger.begin(FACTORY) as tx:
        revocation_id = tx.session.execute(sa.text("SELECT id FROM revocation")).scalar_one()
    assert lab["l2"].post(f"{revoke}/{revocation_id}/take-back", data={"row_version": "1"}).status_code == 303
    look(lab["l1"], revoke)

    told = f"/results/{std.b.own['outcome_id']}"
    look(browser(std.b.desk.admin), f"/findings/{std.b.own['finding_id']}", f"{told}/second-look")
    wish = {"reason": "The export was of another tenant."}
    assert browser(std.b.desk.admin).post(f"{told}/second-look", data=wish).status_code == 303
    with std.house.ledger.begin(FACTORY) as tx:
        look_id = tx.session.execute(sa.text("SELECT id FROM second_look")).scalar_one()
    look(lab["l3"], f"/lab/appeals/{look_id}")
    found = f"/findings/{std.b.own['finding_id']}"
    proof_returned(std, std.b)
    look(browser(std.b.desk.admin), found)
    said = {"words": "New laptops.", "by_day": "2027-01-10", "row_version": str(finding_of(std, std.b).row_version)}
    assert browser(std.b.desk.admin).post(f"{found}/plan", data=said).status_code == 303
    look(lab["r1"], f"/lab{found}")
    risk = risk_proposed(std, std.b)
    look(lab["l1"], f"/lab{found}")
    look(lab["l2"], f"/lab{found}")
    risk_confirmed(std, std.b, risk)
    look(lab["r1"], f"/lab{found}")

    paper, exception, control = (a.own[name] for name in ("report_id", "exception_id", "control_id"))
    look(lab["r1"], f"/lab/evidence/{paper}/report", f"/lab/evidence/{paper}/criteria")
    look(lab["r1"], f"/lab/evidence/exceptions/{exception}", f"/lab/evidence/tasks/{control}")
    reserved(std.house, a.desk.admin, files.pdf(pages=3))
    look(admin, "/evidence")

    again = asked_again(std)
    look(browser(std.b.desk.admin), f"/assessments/{again}/renewal", f"/assessments/{again}/s/{section}")
    look(browser(std.b.desk.admin), f"/assessments/{again}/scoping")
    look(lab["r1"], f"/lab/assessments/{again}/move")
    longer = f"/assessments/{again}/more-time"
    wish = {"wished_on": "2027-02-01", "reason": "Two of us are ill."}
    assert browser(std.b.desk.admin).post(longer, data=wish).status_code == 303
    look(lab["r1"], f"/lab/vendors/{std.b.slug}{longer}")

    signed = a.desk.assessment_id
    look(browser(a.desk.respondent), f"/assessments/{signed}/check")
    look(browser(a.desk.signatory), f"/assessments/{signed}")
    judged(std, a)
    look(browser(a.desk.signatory), f"/assessments/{signed}/withdraw", f"/exchange/pack/{signed}")
    review = f"/lab/reviews/{objects_of(std, a)['review_id'][0]}"
    key = bench.open_keys()[0]
    bench.judge(key, Verdict.ASK, note="Which?")
    look(lab["r1"], f"{review}/return")
    with bench.at(bench.reviewer.actor) as (tx, row):
        reviews.snooze(tx, review=row, until=tx.now.date() + timedelta(days=7), reason="Until the report is here.")
        reviews.save_view(tx, name="Tier 1, worse", wanted=reviews.Wanted(tier=1))
    look(lab["r1"], f"/lab/queue?tab=snoozed&show={review.rpartition('/')[2]}", "/lab/queue/views")
    other = bench.open_keys()[0]
    look(lab["r1"], f"{review}/bulk/preview?key={other}")
    look(lab["r1"], f"{review}/bulk?act={accepted_together(bench, other)}")
    with std.house.ledger.begin(FACTORY) as tx:
        cited = tx.session.get_one(Citation, a.own["citation_id"])
        older = tx.session.get_one(Evidence, cited.evidence_id)
    make_evidence(std.house, a.desk.respondent, files.pdf(pages=5), supersedes=older)
    look(lab["r1"], f"{review}?q={cited.question_key}")
    bench.judge(key, Verdict.ACCEPT)
    finished(std, a)
    look(lab["l1"], f"{review}/decide", f"{review}/back")
    escalated(std, bench)
    look(lab["l2"], f"{review}/decide")
    look(lab["l1"], f"{review}/decide")
    look(lab["pa"], f"/lab/admin/users/{tied(std)}")
    decision = f"/lab/decisions/{bench.propose(bench.lead, **terms())}"
    look(lab["l2"], decision)
    look(lab["l1"], decision)
    with std.house.ledger.begin(FACTORY) as tx:
        link = identity.link_path(identity.get_invitation(tx, a.own["invitation_id"]), std.house.keyring)
    look(lab["l1"], f"/lab/policies/drafts/{overtaken(std)}")
    clock.advance(days=30)
    forgot.get(link)
    look(forgot, "/invitation")

    assert seen == LATER - {"lab_workspace.reopen"}


def finding_of(std: Std, party: Party) -> Finding:
    """Return the finding that a vendor sent proof for, as stored."""
    with std.house.ledger.begin(FACTORY) as tx:
        return tx.session.get_one(Finding, party.own["finding_id"])


def proof_returned(std: Std, party: Party) -> None:
    """Return its proof, so that a plan can follow."""
    with std.house.ledger.begin(std.lab["r1"].actor) as tx:
        row = judging.get(tx, party.own["finding_id"], Action.REMEDY_RETURN)
        step = judging.steps_of(tx, row)[-1].id
        judging.give_back(tx, finding=row, remedy_id=step, note="Which site?", row_version=row.row_version)


def escalated(std: Std, bench: Bench) -> None:
    """Put the review before another lead approver."""
    with bench.at(std.lab["l1"].actor) as (tx, review):
        due = tx.now.date() + timedelta(days=3)
        reviews.escalate(tx, review=review, to=[std.lab["l2"].id], reason="Two reports disagree.", due_on=due)


def tied(std: Std) -> UUID:
    """Return somebody who declared a conflict of interest."""
    with std.house.ledger.begin(FACTORY) as tx:
        found: UUID = tx.session.execute(sa.text("SELECT user_id FROM conflict_of_interest LIMIT 1")).scalar_one()
        return found


def risk_proposed(std: Std, party: Party) -> UUID:
    """Propose to live with the finding, as a lead approver."""
    with std.house.ledger.begin(std.lab["l1"].fresh) as tx:
        row = judging.get(tx, party.own["finding_id"], Action.RISK_PROPOSE)
        until = tx.now.date() + timedelta(days=60)
        return acceptances.propose(
            tx,
            finding=row,
            reason="Watched weekly.",
            owner_id=std.lab["l1"].id,
            until=until,
            row_version=row.row_version,
        ).id


def risk_confirmed(std: Std, party: Party, acceptance_id: UUID) -> None:
    """Confirm it, as the second person."""
    with std.house.ledger.begin(std.lab["l2"].fresh) as tx:
        row = judging.get(tx, party.own["finding_id"])
        risk = acceptances.get(tx, row, acceptance_id, Action.RISK_CONFIRM)
        acceptances.confirm(tx, acceptance=risk, digest_seen=risk.digest)


def accepted_together(bench: Bench, key: str) -> UUID:
    """Accept an answer by an act of its own; return the act."""
    with bench.at(bench.reviewer.actor) as (tx, review):
        seen = accepting.digest_seen(accepting.open_answers(tx, review).chosen([key]))
        return accepting.accept_together(tx, review=review, keys=[key], seen=seen)


def overtaken(std: Std) -> UUID:
    """Return the draft of the scoring policy, after two people put another text into force."""
    with std.house.ledger.begin(std.lab["l1"].actor) as tx:
        waiting = policy_drafts(tx, ["scoring"])[0].id
        text = SCORING.first.replace("PT: 12", "PT: 11", 1)
        draft_id = rulebook.create_draft(tx, kind=SCORING, text=text).id
    for name in ("l1", "pa"):
        with std.house.ledger.begin(std.lab[name].actor) as tx:
            draft = rulebook.get_draft(tx, draft_id, Action.POLICY_PUBLISH)
            rulebook.sign_draft(tx, draft=draft, kind=SCORING, digest_seen=draft.digest, row_version=draft.row_version)
    return waiting


BODIES = 3
"""Of the misshapen bodies, which are read before any view sees them, one in three is sent to each view."""


@pytest.mark.slow
def test_missing_doubled_and_misshapen_forms_are_refused_in_words(
    app: Flask, std: Std, stage: tuple[Undone, dict[str, Client]], thorough: bool
) -> None:
    """Misshapen bodies for each view that takes a form; then each third field missing alone, or each if thorough."""
    held, clients = stage
    met = Met(thorough)
    for (endpoint, _), (name, form) in found_forms(app, std, held, clients).items():
        client = clients[name]
        new = met.is_new(endpoint)
        pairs = pairs_of(form)
        attempt(held, f"{endpoint}: nothing", lambda c=client, f=form: sent(c, f, []))
        attempt(held, f"{endpoint}: doubled", lambda c=client, f=form, p=pairs: sent(c, f, [*p, *p]))
        extra = [*pairs, ("vendor_id", "1"), ("roles", "lead_approver"), ("state", "decided"), ("side", "lab")]
        attempt(held, f"{endpoint}: more", lambda c=client, f=form, p=extra: sent(c, f, p))
        for each in list(form.values)[:: 1 if thorough else 3]:
            if met.is_new_field(endpoint, each):
                left = [(other, value) for other, value in pairs if other != each]
                attempt(held, f"{endpoint}: without {each}", lambda c=client, f=form, p=left: sent(c, f, p))
        if not new:
            continue
        bodies = [
            (b'{"a": 1}', "application/json"),
            (b"[[[[", "application/json"),
            (b"\xff\xfe", "text/plain"),
            (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
            (b"a=1", "multipart/form-data"),
            (b"a=%&%=%ZZ&&&=", "application/x-www-form-urlencoded"),
            (b"<a/>", "application/xml"),
            (b"&".join(b"f%d=1" % n for n in range(3_000)), "application/x-www-form-urlencoded"),
        ]
        turn = 0 if thorough else crc32(endpoint.encode()) % BODIES
        for body, kind in bodies[turn :: 1 if thorough else BODIES]:
            attempt(
                held,
                f"{endpoint}: {kind}",
                lambda c=client, f=form, b=body, k=kind: c.post(f.action, data=b, content_type=k),
            )
        if form.files:
            for file_name in (
                "",
                "../../x.pdf",
                "a\u202efdp.exe",
                "x" * 5_000 + ".pdf",
                "nul\x00.pdf",
                "con.pdf",
                ".pdf",
                "a.PDF ",
                "\ud800.pdf",
            ):
                attempt(
                    held,
                    f"{endpoint}: file {file_name[:20]!r}",
                    lambda c=client, f=form, p=pairs, n=file_name: sent(c, f, p, n),
                )


ELSEWHERE = ("client_id", "request_id", "outcome_id", "decision_id", "other_id", "second_look_id")
"""Variables of which the standard fixture holds no object: an id of something else stands for them."""
PARAMETERS = tuple(
    "q tier after state kind page vendor show tab file who what from to before next assessment question section "  # noqa: SIM905
    "engagement replace supersedes pages code token theme person version".split()
)


@pytest.mark.slow
def test_nonsense_in_addresses_is_refused_in_words(
    app: Flask, std: Std, stage: tuple[Undone, dict[str, Client]], thorough: bool
) -> None:
    """A few values a route; then all in each kind of place once, and some where it comes again, or all if thorough."""
    held, clients = stage
    step = 1 if thorough else 8
    met: set[str] = set()
    with held.asking():
        objects = {**objects_of(std, std.c), **objects_of(std, std.a), "review_id": objects_of(std, std.c)["review_id"]}
        with std.house.ledger.begin(FACTORY) as tx:
            objects["draft_id"] = [each.id for each in drafts(tx)]
            stored = [each.id for each in scores_of(tx, std.b.desk.vendor_id)]
            objects |= {"snapshot_id": stored[-1:], "other_snapshot_id": stored[:1]}
            objects["policy_draft_id"] = [each.id for each in policy_drafts(tx, ["scoring"])]
    values = {name: found[0] for name, found in objects.items() if found}
    values |= {"engagement": "x", "number": 1, "version": 1, "mail_id": values["user_id"], "token": "x", "name": "help"}
    values |= {"old": 1, "new": 2, "kind": "scoring"}
    values = {**dict.fromkeys(ELSEWHERE, values["user_id"]), **values}
    for rule in people_rules(app):
        if "GET" not in (rule.methods or ()):
            continue
        endpoint = str(rule.endpoint)
        side = {"vendor": ["vendor"], "lab": ["l1", "pa"]}.get(site_of(endpoint), ["vendor"])
        path = address(rule, {**values, "evidence_id": std.a.own["evidence_id"]})
        for start in range(0, len(NASTY), step):
            value = NASTY[start]
            query = encoded([(name, turned(start, at)[:3_000]) for at, name in enumerate(PARAMETERS)]).decode()
            attempt(
                held,
                f"{endpoint}?{short(value)}",
                lambda c=clients[side[-1]], p=f"{path}?{query}": c.get(
                    p, headers={"HX-Request": "true"} if "section" in p else {}
                ),
            )
        for name in sorted(each for each in rule.arguments if not each.endswith("_id") and each != "filename"):
            some = NASTY if thorough or name not in met else NASTY[crc32(endpoint.encode()) % step :: step]
            met.add(name)
            for value in (*some, NASTY[0], "0", "99999999999999999999999", "a/b", "..", "."):
                raw = value if isinstance(value, bytes) else value.encode()
                if not raw or len(raw) > 10_000:
                    continue
                odd = address(rule, {**values, name: "NASTY"}).replace("NASTY", quote_from_bytes(raw, safe=""))
                for client in side:
                    attempt(held, f"{odd[:80]}", lambda c=clients[client], p=odd: c.get(p))


def test_nonsense_in_headers_is_refused_in_words(std: Std, stage: tuple[Undone, dict[str, Client]]) -> None:
    held, clients = stage
    for name, value in [
        ("Cookie", "gatehouse=" + "x" * 43),
        ("Cookie", "gatehouse=\xff\xfe; gatehouse-form=x.y.z; theme=<script>"),
        ("User-Agent", "\xff" * 2_000),
        ("Referer", "javascript:alert(1)"),
        ("Range", "bytes=0-99999999999999999999"),
        ("If-None-Match", "*"),
        ("If-Modified-Since", "nan"),
        ("Content-Length", "-1"),
        ("Accept-Language", "x" * 5_000),
        ("X-Forwarded-Host", "evil.example"),
        ("HX-Request", "\xff"),
        ("Authorization", "Bearer \xff\xfe"),
    ]:
        for path in ("/", "/lab/queue", "/help", "/static/css/gatehouse.css"):
            attempt(
                held,
                f"{name}: {value[:20]!r}",
                lambda p=path, n=name, v=value: clients["vendor"].get(p, headers={n: v}),
            )
        attempt(
            held,
            f"sign-in {name}",
            lambda n=name, v=value: clients["vendor"].post(
                "/sign-in", data={"email": "a@b.example", "password": "x", "code": "1"}, headers={n: v}
            ),
        )


ANNOUNCED = {
    "name": "a.pdf",
    "size": 10,
    "sha256": "0" * 64,
    "kind": "POL",
    "title": "x",
    "detail-approved_on": "2026-10-01",
}


def test_nonsense_announced_by_a_script_is_refused_in_words(std: Std, stage: tuple[Undone, dict[str, Client]]) -> None:
    held, clients = stage
    vendor = clients["vendor"]
    odd = [None, True, [], {}, [1], {"a": 1}, -1, 0, 2**31, 2**63, 10**40, 1.5, "nan", "\x00", "\ud800", "x" * 100_000]
    odd += ["\u202e", "../../a.pdf", "9999-12-31", "0000-00-00"]
    for name in [*ANNOUNCED, "supersedes", "assessment", "question", "pages"]:
        for value in odd:
            attempt(
                held,
                f"reserve {name}={value!r:.30}",
                lambda n=name, v=value: vendor.post("/evidence/reserve", json={**ANNOUNCED, n: v}),
            )
    for body in (b"", b"null", b"[]", b"3", b'"x"', b"{", b"\xff", b'{"size": NaN}', b'{"size": 1e999}', b"[" * 50_000):
        attempt(
            held,
            f"reserve {body[:20]!r}",
            lambda b=body: vendor.post("/evidence/reserve", data=b, content_type="application/json"),
        )
    for body in (b"", b"\xff", b"{" * 100_000, b'{"csp-report": 1}'):
        attempt(held, f"csp {body[:9]!r}", lambda b=body: vendor.post("/csp-report", data=b))
    for value in NASTY:
        pairs = [(name, value[:3_000]) for name in ("assessment", "question", "pages")]
        query = encoded(pairs).decode()
        where = f"/evidence/{std.a.own['evidence_id']}/finalise?{query}"
        attempt(held, f"finalise {short(value)}", lambda p=where: vendor.post(p))


def test_nonsense_asked_of_the_gate_is_a_deny_or_a_refusal(app: Flask, std: Std) -> None:
    client = app.test_client()
    bearer = {"Authorization": f"Bearer {std.tokens['gAll']}"}
    plain = {"vendor": std.b.slug, "data_class": "D3", "access_mode": "A2", "purpose": "x", "engagement": ""}
    for name in plain:
        for value in NASTY:
            raw = value[:4_000]
            query = encoded([(key, raw if key == name else given) for key, given in plain.items()]).decode()
            answer = client.get(f"/api/v1/gate?{query}", headers=bearer)
            fine(answer, f"gate {name}={short(value)}")
            if answer.status_code == 200 and name != "purpose":
                allowed = answer.get_json()["decision"] == "allow"
                assert not allowed or (name == "engagement" and not raw.strip()), f"{name}={short(value)}"
    for query in ("", "vendor", "vendor=a&vendor=b", urlencode({"vendor": [1, 2]})):
        answer = client.get(f"/api/v1/gate?{query}", headers=bearer)
        assert answer.get_json()["decision"] == "deny"
