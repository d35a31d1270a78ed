"""Laws of the doors: every endpoint says what it does, and who may do what is written down and pinned."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask, request

from portal.kernel.actor import Actor, ActorKind
from portal.policy import GRANTS, STEP_UP, Action, may_ever
from portal.settings import Settings
from portal.sites.shared.door import action_of, does
from portal.terms import LAB_ROLES, VENDOR_ROLES, Role
from portal.wiring import House, make_app

MATRIX = Path(__file__).parent / "policy_matrix.txt"


@pytest.fixture
def app(settings: Settings, house: House) -> Flask:
    return make_app(settings, house)


def test_every_endpoint_says_what_it_does(app: Flask) -> None:
    unmarked = [rule.endpoint for rule in app.url_map.iter_rules() if action_of(app, rule.endpoint) is None]
    assert unmarked == []


def test_an_unmarked_endpoint_does_not_answer(app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    answer = app.test_client().get("/forgotten")
    assert answer.status_code == 404
    assert b"secret" not in answer.data


def test_no_view_can_take_a_head_for_a_post(app: Flask) -> None:
    seen: list[str] = []
    view = does(Action.PUBLIC)(lambda: seen.append(request.method) or "body")
    app.add_url_rule("/both", "both", view, methods=["GET", "POST"])
    answer = app.test_client().head("/both")
    assert (answer.status_code, answer.data, seen) == (200, b"", ["GET"])


def test_no_endpoint_of_people_answers_a_stranger(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if (
            action_of(app, rule.endpoint) is Action.PUBLIC
            or rule.arguments
            or rule.rule.startswith(("/api", "/access"))
        ):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
            answer = client.open(rule.rule, method=method)
            assert answer.status_code in {302, 400, 401, 403}, (rule.rule, method, answer.status_code)
            if answer.status_code == 302:
                assert answer.location.startswith("/sign-in")


def matrix() -> str:
    """Return who may do what, one action a line, roles and scopes as the policy names its rules."""
    lines = []
    for action in Action:
        rules = ", ".join(sorted(rule.name for rule in GRANTS.get(action, ())))
        lines.append(f"{action.value:24} {'S' if action in STEP_UP else ' '} {rules or '-'}")
    return "\n".join(lines) + "\n"


def test_the_policy_matrix_is_the_one_that_was_agreed() -> None:
    assert MATRIX.read_text() == matrix()


def test_no_role_of_one_side_may_do_what_is_the_other_sides() -> None:
    def person(role: Role) -> Actor:
        vendor = UUID(int=1) if role in VENDOR_ROLES else None
        return Actor(ActorKind.PERSON, UUID(int=9), "somebody", vendor_id=vendor, roles=frozenset({role}))

    shared = {
        Action.PUBLIC,
        Action.SIGN_OUT,
        Action.ACCOUNT_MANAGE,
        Action.STEP_UP,
        Action.API_DOCUMENT_READ,
        Action.ASSESSMENT_READ,
        Action.ASSESSMENT_WHOLE,
        Action.SECTION_READ,
        Action.MESSAGE_SHARED,
        Action.EVIDENCE_READ,
    }
    vendors = {action for action in Action for role in VENDOR_ROLES if may_ever(person(role), action)}
    labs = {action for action in Action for role in LAB_ROLES if may_ever(person(role), action)}
    assert vendors & labs == shared


def test_machines_and_people_share_no_action() -> None:
    for action in Action:
        kinds = {rule.name.split(":")[0] for rule in GRANTS[action]}
        assert kinds == {"scope"} or "scope" not in kinds
