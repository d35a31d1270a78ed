"""The vendor's page says where a vendor stands: score, findings, files, the current assessment, each role its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews.service import Condition
from portal.terms import EvidenceState, Outcome, Role, Severity
from portal.wiring import House
from tests.factories.attestations import desk, make_file
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench
from tests.sites.conftest import Client

PAGE = "/lab/vendors/quillmark-annotation"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)))


def card(answer: Any, name: str) -> str:
    """Return the words of one card of the page."""
    found = re.search(rf'<section class="card" id="{name}".*?</section>', answer.get_data(as_text=True), re.DOTALL)
    assert found, f"no card {name}"
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0])).strip()


def decided(made: Bench, *flags: tuple[Severity, date]) -> None:
    """Bring a signed revision to a published decision with findings."""
    made.claim()
    for severity, due_on in flags:
        made.flag(made.open_keys()[0], severity=severity, due_on=due_on, credit=80)
    made.accept_rest()
    made.recommend()
    given = {"outcome": Outcome.APPROVE_WITH_CONDITIONS, "reason": "The gaps are small.", "conditions": CONDITIONS}
    made.propose(made.lead, **given)


CONDITIONS = (Condition(text="Close the gaps", due_on=date(2027, 1, 15)),)


@pytest.fixture
def made(house: House) -> Bench:
    return bench(house)


@pytest.fixture
def lead(made: Bench, signed_in: Callable[..., Client]) -> Client:
    return signed_in(made.lead)


def test_before_a_signature_there_is_no_score_and_the_page_says_when(
    house: House, signed_in: Callable[..., Client]
) -> None:
    desk(house)
    page = signed_in(person(house, roles=[Role.LEAD_APPROVER])).get(PAGE)

    assert "No score yet. It is worked out when the vendor signs." in card(page, "score")
    assert "The vendor was told of none." in card(page, "findings")
    assert "The vendor uploaded nothing yet." in card(page, "evidence")
    assert "Not started" in text(page)
    assert "Open the review" not in text(page)


def test_the_score_is_shown_in_three_lenses_with_the_tiers_zones(made: Bench, lead: Client) -> None:
    page = lead.get(PAGE)

    said = card(page, "score")
    assert "95 of 100" in said
    assert "Approve" in said
    assert "Tier 2: conditions from 55, approval from 70" in said
    assert "Verified 95.9" in said
    assert "If every claim holds 95.9" in said
    assert "The vendor signed, 24 Nov 2026, 09:00 : Lark preferences, revision 1." in said
    with made.at(made.lead.actor) as (_, review):
        assert f'href="/lab/reviews/{review.id}/score"' in page.get_data(as_text=True)


def test_one_stored_score_is_no_line_and_two_are_with_a_table(
    made: Bench, lead: Client, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    assert "stored scores" not in card(lead.get(PAGE), "score")
    made.claim()
    made.flag(made.open_keys()[0], credit=0)
    made.accept_rest()
    clock.advance(days=2)
    made.recommend()

    page = signed_in(made.lead).get(PAGE)

    assert "2 stored scores as a table" in card(page, "score")
    drawn = re.search(r'aria-label="(2 stored scores[^"]+)"', page.get_data(as_text=True))
    assert drawn
    assert drawn[1].startswith("2 stored scores, from 95.9 on 24 November 2026 to ")
    assert drawn[1].endswith("; approval needs 70")
    assert "The review ended, revision 1" in card(page, "score")


def test_drafts_of_findings_stay_in_the_review(made: Bench, lead: Client) -> None:
    made.claim()
    made.flag(made.open_keys()[0], what="Sixty-five laptops are open.")

    page = lead.get(PAGE)

    assert "The vendor was told of none." in card(page, "findings")
    assert "Sixty-five laptops" not in text(page)


def test_findings_stand_late_first_then_by_severity(
    made: Bench, signed_in: Callable[..., Client], clock: FixedClock
) -> None:
    decided(
        made,
        (Severity.LOW, date(2026, 12, 20)),
        (Severity.MEDIUM, date(2027, 1, 15)),
        (Severity.HIGH, date(2027, 1, 20)),
    )
    clock.advance(days=28)

    page = signed_in(made.lead).get(PAGE)

    said = card(page, "findings")
    assert "3 open" in said
    assert "1 overdue" in said
    assert re.findall(r"F-\d", said) == ["F-1", "F-3", "F-2"]
    assert re.search(r"F-1 \d+\.\d", said), "the number of the question"
    assert "Due 20 Dec 2026 , 2 days ago, no proof yet" in said
    assert re.search(r'href="/lab/findings/[0-9a-f-]{36}"', page.get_data(as_text=True))
    whole = text(signed_in(made.lead).get(f"{PAGE}/findings"))
    assert "An export shows every laptop encrypted." in whole
    assert re.findall(r"F-\d", whole) == ["F-1", "F-3", "F-2"]


def test_files_stand_by_their_end_and_say_how_long_they_hold(house: House, made: Bench, lead: Client) -> None:
    with house.ledger.begin(system("test")) as tx:
        for kind, name, until in (
            ("PT", "old-test.pdf", date(2026, 11, 20)),
            ("INS", "cover.pdf", date(2026, 12, 7)),
        ):
            make_file(
                tx,
                vendor_id=made.desk.vendor_id,
                uploaded_by=made.desk.respondent.id,
                kind=kind,
                file_name=name,
                state=EvidenceState.VERIFIED,
                judged_by=made.reviewer.id,
                judged_at=tx.now,
                valid_from=date(2026, 1, 1),
                valid_until=until,
            )

    assert "ended 4 days ago" in card(lead.get(PAGE), "evidence")
    page = lead.get(f"{PAGE}/evidence")

    said = card(page, "evidence")
    assert "1 ended, 1 ends within 90 days" in said
    assert "ended 4 days ago" in said
    assert "13 days left" in said
    assert said.index("old-test.pdf") < said.index("cover.pdf") < said.index("access-policy")
    assert 'href="/lab/evidence?vendor=quillmark-annotation&amp;state=all"' in page.get_data(as_text=True)
    assert re.search(r'href="/lab/evidence/[0-9a-f-]{36}"', page.get_data(as_text=True))


def test_the_current_assessment_is_one_line_with_the_way_to_its_review(made: Bench, lead: Client) -> None:
    assert "no reviewer yet" in text(lead.get(PAGE))
    made.claim()

    page = lead.get(PAGE)

    said = text(page)
    assert re.search(
        r"Revision 1, due 22 Dec 2026 , review due [^,]+ , in \d+ days, reviewer Ines Valdarno",
        said,
    )
    with made.at(made.lead.actor) as (_, review):
        assert f'href="/lab/reviews/{review.id}">Open the review' in page.get_data(as_text=True)


def test_each_role_reads_its_own_part(house: House, made: Bench, signed_in: Callable[..., Client]) -> None:
    decided(made, (Severity.HIGH, date(2027, 1, 20)))
    made.desk.file(file_name="secret-plan.pdf")
    auditor = signed_in(person(house, roles=[Role.AUDITOR])).get(PAGE)
    admin = signed_in(made.admin).get(PAGE)

    assert "F-1" in card(auditor, "findings")
    assert "Breakdown" in card(auditor, "score")
    assert admin.status_code == 200
    said = admin.get_data(as_text=True)
    assert "of 100" in card(admin, "score"), "a program admin reads the score"
    for hidden in ("Breakdown", "65 laptops", "secret-plan.pdf", 'id="findings"', 'id="evidence"', "/lab/reviews/"):
        assert hidden not in said.replace('href="/lab/reviews"', ""), hidden
    theirs = signed_in(made.admin)
    barred, open_to = ("findings", "evidence", "fourth-parties"), ("history", "access", "assessments")
    for tab, status in (*((each, 403) for each in barred), *((each, 200) for each in open_to)):
        answer = theirs.get(f"{PAGE}/{tab}")
        assert answer.status_code == status, tab
        assert "65 laptops" not in answer.get_data(as_text=True)
        assert "decision D-" not in answer.get_data(as_text=True)
    assert "Knock-out" not in card(admin, "score"), "why it is so tells what was answered"


def test_a_program_admin_reads_the_score_without_what_was_answered(
    house: House, signed_in: Callable[..., Client]
) -> None:
    made = bench(house, proven=False)

    assert "What is verified comes to less than 25" in card(signed_in(made.lead).get(PAGE), "score")
    theirs = card(signed_in(made.admin).get(PAGE), "score")
    assert "Hold" in theirs
    assert "What is verified" not in theirs


def test_what_a_vendor_or_reviewer_wrote_never_becomes_markup(house: House, made: Bench, lead: Client) -> None:
    planted = "<img src=x onerror=alert(1)>"
    made.claim()
    made.flag(made.open_keys()[0], what=planted, closes_when=planted, credit=80)
    made.accept_rest()
    made.recommend()
    made.propose(
        made.lead, outcome=Outcome.APPROVE_WITH_CONDITIONS, reason="The gaps are small.", conditions=CONDITIONS
    )
    made.desk.file(file_name=planted, valid_until=date(2026, 11, 25))

    for path, times in ((PAGE, 2), (f"{PAGE}/findings", 2), (f"{PAGE}/evidence", 1)):
        page = lead.get(path).get_data(as_text=True)
        assert planted not in page
        assert page.count("&lt;img src=x") >= times, path


def test_the_number_of_statements_does_not_grow_with_what_the_vendor_has(
    house: House, made: Bench, lead: Client
) -> None:
    decided(made, (Severity.HIGH, date(2027, 1, 20)))
    lead.get(PAGE)
    with counted(house) as few:
        assert lead.get(PAGE).status_code == 200
    more = bench(house, name="Northpier Labelling")
    more.reviewer, more.lead = made.reviewer, made.lead
    decided(more, *((Severity.MEDIUM, date(2027, 1, 20)),) * 6)
    for _ in range(12):
        more.desk.file()
    with counted(house) as many:
        assert lead.get("/lab/vendors/northpier-labelling").status_code == 200

    assert len(many) == len(few)
    assert len(few) <= 44


@contextmanager
def counted(house: House) -> Iterator[list[str]]:
    """Collect the statements sent to the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa.event.listen(house.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(house.engine, "before_cursor_execute", note)
