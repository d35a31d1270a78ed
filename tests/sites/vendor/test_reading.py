"""Every page of the contractor opens in every state, and says what it should."""

from __future__ import annotations

from tests.factories.attestations import Desk
from tests.sites.conftest import Client


def text(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code, answer.get_data(as_text=True)[:500])
    return answer.get_data(as_text=True)


def test_the_home_says_what_is_left_and_where_to_go_on(quillmark: Desk, priya: Client) -> None:
    page = text(priya, "/")

    assert "<small>of " in page
    assert "Start: 1.1" in page


def test_every_page_of_a_fresh_assessment_opens(
    quillmark: Desk, priya: Client, marisol: Client, daniel: Client
) -> None:
    here = f"/assessments/{quillmark.assessment_id}"
    for client in (priya, marisol, daniel):
        for path in ("/", here, f"{here}/read", f"{here}/scoping", f"{here}/check", "/results", "/team"):
            text(client, path)
        for section in quillmark.questionnaire.sections:
            text(client, f"{here}/s/{section.key}")
