"""The queue: what waits, whose it is, and who may take it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from portal.kernel.actor import system
from portal.kernel.clock import FixedClock
from portal.reviews import service as reviews
from portal.terms import Role, Verdict
from portal.wiring import House
from tests.factories.identity import person
from tests.factories.reviews import Bench, bench


@pytest.fixture
def made(house: House) -> Bench:
    return bench(house)


def review_id(made: Bench) -> str:
    with made.at(system("test")) as (_, review):
        return str(review.id)


def test_a_signed_revision_waits_with_its_score_and_time(made: Bench, signed_in: Callable[..., Any]) -> None:
    text = signed_in(made.reviewer).get("/lab/queue").get_data(as_text=True)

    assert "Quillmark Annotation" in text
    assert "First review" in text
    assert "Claim and open" in text
    assert "8 d" in text or "10 d" in text


def test_lab_leads_to_the_queue_and_the_rail_counts(made: Bench, signed_in: Callable[..., Any]) -> None:
    client = signed_in(made.reviewer)

    assert client.get("/lab").location == "/lab/queue"
    text = client.get("/lab/queue").get_data(as_text=True)
    rail = text.partition('id="nav"')[2].partition("</nav>")[0]
    assert 'Review queue<span class="n">1</span>' in rail
    assert "Audit log" not in rail
    assert "Reviewer" in text


def test_who_claims_gets_the_workspace_and_the_next_is_told_who(made: Bench, signed_in: Callable[..., Any]) -> None:
    path = f"/lab/reviews/{review_id(made)}"

    first = signed_in(made.reviewer).post(f"{path}/claim", data={"row_version": "1"})
    second = signed_in(made.other).post(f"{path}/claim", data={"row_version": "1"})

    assert (first.status_code, first.location) == (303, path)
    assert second.status_code == 409
    assert "Ines Valdarno has this review already" in second.get_data(as_text=True)


def test_tabs_and_filters_are_in_the_address(made: Bench, signed_in: Callable[..., Any]) -> None:
    client = signed_in(made.reviewer)

    assert "Quillmark" in client.get("/lab/queue?tier=2").get_data(as_text=True).partition("<main")[2]
    other = client.get("/lab/queue?tier=1").get_data(as_text=True).partition("<main")[2]
    assert "No review matches" in other
    assert "Filtered by tier 1" in other
    assert "You have no review" in client.get("/lab/queue?tab=mine").get_data(as_text=True)
    assert "You have no review" in client.get("/lab/reviews").get_data(as_text=True)
    assert client.get("/lab/queue?tab=nonsense&tier=x&state=y&show=z").status_code == 200


def test_what_is_back_with_the_vendor_is_said_so(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    made.judge(made.open_keys()[0], Verdict.ASK, note="Which sites?")
    client = signed_in(made.reviewer)
    path = f"/lab/reviews/{review_id(made)}"
    page = client.get(f"{path}/return").get_data(as_text=True)
    assert "Which sites?" in page
    version = page.partition('name="row_version" value="')[2].partition('"')[0]

    sent = client.post(f"{path}/return", data={"row_version": version})

    assert sent.status_code == 303
    assert "Quillmark" in client.get("/lab/queue?tab=vendor").get_data(as_text=True).partition("<main")[2]


def test_time_over_is_said_in_words(made: Bench, signed_in: Callable[..., Any], clock: FixedClock) -> None:
    clock.advance(days=20)

    text = signed_in(made.reviewer).get("/lab/queue").get_data(as_text=True)

    assert "over</span>" in text
    assert "1 open, 1 overdue" in text


def test_a_lead_gives_a_review_and_somebody_tied_to_the_vendor_is_refused(
    house: House, made: Bench, signed_in: Callable[..., Any]
) -> None:
    tied = person(house, roles=[Role.REVIEWER], name="Jonas Weil", email="jonas@quillmark.example")
    client = signed_in(made.lead)
    path = f"/lab/reviews/{review_id(made)}/assign"
    assert "Jonas Weil" in client.get(path).get_data(as_text=True)

    refused = client.post(path, data={"reviewer_id": str(tied.id), "row_version": "1"})
    given = client.post(path, data={"reviewer_id": str(made.reviewer.id), "row_version": "1"})

    assert refused.status_code == 422
    assert "works or worked at Quillmark Annotation" in refused.get_data(as_text=True)
    assert given.status_code == 303


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.REVIEWER, 200), (Role.LEAD_APPROVER, 200), (Role.AUDITOR, 200), (Role.PROGRAM_ADMIN, 403)],
)
def test_who_reads_the_queue(house: House, signed_in: Callable[..., Any], role: Role, status: int) -> None:
    assert signed_in(person(house, roles=[role])).get("/lab/queue").status_code == status


def test_a_person_switches_single_keys_off_for_every_browser(made: Bench, signed_in: Callable[..., Any]) -> None:
    one, other = signed_in(made.reviewer), signed_in(made.reviewer)
    assert 'class="shell"' in one.get("/lab/queue").get_data(as_text=True)

    answer = one.post("/lab/keys", data={"keys": "off"})

    assert (answer.status_code, answer.location) == (303, "/account#keys-card")
    assert 'class="shell no-keys"' in other.get("/lab/queue").get_data(as_text=True)
    one.post("/lab/keys", data={"keys": "on"})
    assert 'class="shell"' in other.get("/lab/queue").get_data(as_text=True)


def main_of(answer: Any) -> str:
    return str(answer.get_data(as_text=True).partition("<main")[2])


def test_a_review_is_snoozed_with_a_reason_stands_under_snoozed_and_is_brought_back(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    client = signed_in(made.reviewer)
    path = f"/lab/reviews/{review_id(made)}"
    assert f'href="{path}/snooze"' in main_of(client.get("/lab/queue"))
    assert "The time to the service level goes on" in main_of(client.get(f"{path}/snooze"))

    refused = client.post(f"{path}/snooze", data={"until": "soon", "reason": "Later", "row_version": "1"})
    assert refused.status_code == 422
    assert "Enter a date, for example 2026-12-18" in main_of(refused)
    assert 'value="soon"' in main_of(refused)
    sent = {"until": "2026-12-01", "reason": "The report comes on Monday.", "row_version": "1"}
    assert client.post(f"{path}/snooze", data=sent).status_code == 303

    empty = main_of(client.get("/lab/queue"))
    assert "Quillmark Annotation comes back on" in empty
    other = signed_in(made.other)
    aside = main_of(other.get("/lab/queue?tab=snoozed"))
    assert "Ines Valdarno: The report comes on Monday." in aside
    assert other.post(f"{path}/wake").status_code == 303
    assert "Claim and open" in main_of(client.get("/lab/queue"))
    assert "not snoozed any more" in main_of(client.get(client.post(f"{path}/wake").location))


def test_a_page_of_before_snoozes_nothing(made: Bench, signed_in: Callable[..., Any]) -> None:
    made.claim()
    sent = {"until": "2026-12-01", "reason": "Later.", "row_version": "1"}

    late = signed_in(made.reviewer).post(f"/lab/reviews/{review_id(made)}/snooze", data=sent)

    assert late.status_code == 409
    assert "Nothing was changed" in main_of(late)
    assert "Later." in main_of(late)
    assert signed_in(made.other).get(f"/lab/reviews/{review_id(made)}/snooze").status_code == 403


def test_a_view_of_ones_own_is_a_link_with_a_count_and_can_be_removed(
    made: Bench, signed_in: Callable[..., Any]
) -> None:
    client = signed_in(made.reviewer)
    form = main_of(client.get("/lab/queue/views?tier=2&kind=first"))
    assert "By time left, tier 2, kind first review" in form

    assert client.post("/lab/queue/views?tier=2&kind=first", data={"name": ""}).status_code == 422
    kept = client.post("/lab/queue/views?tier=2&kind=first", data={"name": "My <b>own</b>"})

    assert (kept.status_code, kept.location) == (303, "/lab/queue?tier=2&kind=first")
    tabs = main_of(client.get(kept.location)).partition('aria-label="Saved views"')[2].partition("</nav>")[0]
    assert 'aria-current="page">My &lt;b&gt;own&lt;/b&gt; <span class="c">1</span>' in tabs
    assert "own" not in main_of(signed_in(made.other).get("/lab/queue")).partition("</nav>")[0]
    page = main_of(client.get("/lab/queue/views"))
    remove = page.partition('action="/lab/queue/views/')[2].partition('"')[0]
    assert signed_in(made.other).post(f"/lab/queue/views/{remove}").status_code == 404
    assert client.post(f"/lab/queue/views/{remove}").status_code == 303
    assert "No view of yours yet" in main_of(client.get("/lab/queue/views"))


def test_the_preview_and_the_news_are_parts_of_the_page(made: Bench, signed_in: Callable[..., Any]) -> None:
    client = signed_in(made.reviewer)

    preview = client.get(f"/lab/queue/preview/{review_id(made)}").get_data(as_text=True)
    news = client.get("/news/queue?tier=2").get_data(as_text=True)

    assert preview.lstrip().startswith('<section class="card" id="preview"')
    for words in ("answers to read.", "threshold", "Confidential (D3)", "the gate denies until this is decided", "Due"):
        assert words in preview
    assert news.count("data-row=") == 1
    assert "<html" not in news
    assert "data-row=" not in client.get("/news/queue?tier=1").get_data(as_text=True)


def test_a_decided_review_has_no_preview_any_more(made: Bench, signed_in: Callable[..., Any]) -> None:
    path = f"/lab/queue/preview/{review_id(made)}"
    made.review()
    made.propose(made.lead)

    assert "Not in the queue any more" in signed_in(made.reviewer).get(path).get_data(as_text=True)


def test_a_list_takes_few_statements_however_many_views_there_are(made: Bench, house: House) -> None:
    seen: list[str] = []
    with house.ledger.begin(made.reviewer.actor) as tx:
        for number in range(5):
            reviews.save_view(tx, name=f"View {number}", wanted=reviews.Wanted(tier=2))
        sa.event.listen(house.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
        own = reviews.own_views(tx)
        reviews.count(tx, [each.wanted for each in own])
        reviews.page(tx, reviews.Wanted())
    assert 0 < len([each for each in seen if each.startswith("SELECT")]) <= 6
