"""The mail page in a real browser: the mail drawn in its frame, nothing of it run."""

from __future__ import annotations

import pytest

from portal.jobs.worker import run_worker
from portal.terms import Role
from tests.factories.identity import person
from tests.rooms.delivery.world import mails, queue_mail

pytestmark = pytest.mark.browser


def test_a_mail_is_drawn_in_a_frame_that_runs_nothing(house, visit, axe, shot, no_sideways) -> None:
    admin = person(house, roles=[Role.PROGRAM_ADMIN], name="Ines Vidal")
    queue_mail(house, to_name="<script>document.title='run'</script>")
    queue_mail(
        house,
        dedupe_key="questions",
        kind="questions",
        context={
            "assessment_id": "00000000-0000-7000-8000-00000000ffff",
            "vendor_name": "Marigold Labelling",
            "title": "AI contractor assessment",
            "questions": 5,
            "due_on": "2026-12-18",
        },
    )
    run_worker(house, once=True)

    page = visit(admin, "/lab/mail")
    axe(page)
    no_sideways(page)
    shot(page, "mail-list")
    page.get_by_role("link", name="Questions").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Answer 5 questions from Orrery by 18 December"
    frame = page.frame_locator("iframe")
    button = frame.get_by_role("link", name="Read the questions")
    assert button.evaluate("link => getComputedStyle(link).backgroundColor") == "rgb(44, 91, 134)"
    assert "run" not in page.title()
    axe(page, within="main")
    no_sideways(page)
    shot(page, "mail-one")
    assert len(mails(house)) == 2


def test_it_fits_a_telephone_in_the_dark(house, visit, shot, no_sideways) -> None:
    admin = person(house, roles=[Role.PROGRAM_ADMIN], name="Ines Vidal")
    queue_mail(house)
    (mail,) = [each for each in mails(house) if each.kind == "new_sign_in"]

    page = visit(admin, f"/lab/mail/{mail.id}", width=390, height=844, theme="dark")

    page.locator("iframe").scroll_into_view_if_needed()
    page.frame_locator("iframe").get_by_role("link", name="Look at your account").hover()
    no_sideways(page)
    shot(page, "mail-one-narrow-dark", full=False)
