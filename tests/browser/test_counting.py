"""The counter of presses and loads counts what a person does, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.counting import Job

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False])
def test_presses_keys_and_loads_are_counted_and_typing_is_not(
    live_server: str, new_page: Callable[..., Page], script: bool
) -> None:
    page = new_page(script=script)
    page.goto(f"{live_server}/sign-in")
    job = Job(page, script=script)

    job.press(page.get_by_label("Work e-mail"))
    page.keyboard.type("priya@quillmark.example")
    job.key("Tab")
    page.get_by_label("Password", exact=True).fill("typed")
    if script:
        page.evaluate("document.querySelector('summary').click()")
    job.costs(clicks=1, keys=1, loads=0)
    job.press("link", "Help")
    page.wait_for_url("**/help")
    # A new page is listened to as well, and a jump within it is no load.
    page.evaluate("location.hash = '#main'")
    job.key("Tab", "Tab")

    assert (len(job.presses), len(job.keys), len(job.loads)) == (2, 3, 1)
    for less in ({"clicks": 1}, {"keys": 2}, {"loads": 0}):
        with pytest.raises(AssertionError):
            job.costs(**{"clicks": 2, "keys": 3, "loads": 1, **less})
