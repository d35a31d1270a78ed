"""Drafts: begun, edited, decided change by change."""

from __future__ import annotations

import json

import pytest
import yaml

from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.questionnaires import queries
from portal.questionnaires import service as questionnaires
from portal.questionnaires.facts import ChangeDecided, DraftEdited, QuestionnaireDrafted
from portal.questionnaires.rules import Claim
from portal.terms import DraftState, Role
from portal.wiring import House
from tests.factories.identity import Person, person
from tests.factories.questionnaires import (
    FACTORY,
    SMALL,
    decide,
    decide_all,
    draft_now,
    drafted,
    published,
    second,
)
from tests.factories.vendors import make_vendor


@pytest.fixture
def author(house: House) -> Person:
    """A reviewer, who writes drafts and publishes none."""
    return person(house, roles=[Role.REVIEWER], name="Ines Valdarno")


def test_a_draft_begins_with_the_bytes_of_a_file(house: House, author: Person) -> None:
    with house.ledger.begin(author.actor) as tx:
        draft = questionnaires.create_draft(
            tx, source=SMALL.encode(), origin="import:vsaq", name="mine.yaml", notes=["Question 7 had no options"]
        )
        assert [type(fact) for fact in tx.facts] == [QuestionnaireDrafted]

    assert (draft.slug, draft.version, draft.title, draft.state) == ("small", 1, "Small questionnaire", DraftState.OPEN)
    assert bytes(draft.source) == SMALL.encode()
    assert draft.notes == ["Question 7 had no options"]


def test_beginning_the_same_text_again_gives_the_draft_that_is_there(house: House, author: Person) -> None:
    first = drafted(house, author, SMALL)
    assert drafted(house, author, SMALL) == first


def test_what_does_not_compile_is_refused_with_every_place_and_leaves_nothing(house: House, author: Person) -> None:
    broken = SMALL.replace("kind: yn\n", "kind: maybe\n").replace("unit: hours\n", "unit: hours\n        tint: red\n")
    with house.ledger.begin(author.actor) as tx, pytest.raises(Refused) as refused:
        questionnaires.create_draft(tx, source=broken.encode(), origin="file", name="mine.yaml")

    first, second_ = refused.value.problems["source"]
    assert first.startswith("mine.yaml:31:15: ")
    assert "“tint”" in second_
    with house.ledger.begin(FACTORY) as tx:
        assert queries.drafts(tx) == []


def test_an_empty_or_huge_file_is_refused(house: House, author: Person) -> None:
    for source, words in ((b" \n", "empty"), (b"a" * 1_000_001, "smaller than 1 MB")):
        with house.ledger.begin(author.actor) as tx, pytest.raises(Refused, match=words):
            questionnaires.create_draft(tx, source=source, origin="file", name="mine.yaml")


def test_only_who_may_draft_begins_one(house: House) -> None:
    auditor = person(house, roles=[Role.AUDITOR])
    with house.ledger.begin(FACTORY) as tx:
        vendor = make_vendor(tx)
    stranger = person(house, roles=[Role.VENDOR_ADMIN], vendor=vendor)

    with house.ledger.begin(auditor.actor) as tx, pytest.raises(Forbidden):
        questionnaires.create_draft(tx, source=SMALL.encode(), origin="file", name="mine.yaml")
    with house.ledger.begin(stranger.actor) as tx, pytest.raises((NotFound, Forbidden)):
        questionnaires.create_draft(tx, source=SMALL.encode(), origin="file", name="mine.yaml")


def test_the_next_version_starts_from_the_published_text_with_nothing_decided(house: House, author: Person) -> None:
    version_id = published(house)
    with house.ledger.begin(author.actor) as tx:
        draft = questionnaires.draft_from(tx, questionnaire_id=version_id)
        state = questionnaires.readiness(tx, draft)

    assert (draft.version, draft.origin) == (2, "version:1")
    assert state.questionnaire.changes is not None
    assert (state.questionnaire.changes.since, state.questionnaire.changes.decisions) == (1, ())
    assert [change for change in state.changes if change.needs_decision] == []
    assert bytes(draft.source).decode().startswith(SMALL.replace("version: 1\n", "version: 2\n", 1).rstrip())


def test_an_edit_needs_the_version_that_was_read(house: House, author: Person) -> None:
    draft_id = drafted(house, author, SMALL)
    other = person(house, roles=[Role.REVIEWER], name="Tomasz Okoro")
    with house.ledger.begin(other.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.edit_draft(tx, draft=draft, source=SMALL.encode() + b"# other\n", row_version=1)
        assert [type(fact) for fact in tx.facts] == [DraftEdited]

    with house.ledger.begin(author.actor) as tx, pytest.raises(Conflict, match="Tomasz Okoro edited this draft"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.edit_draft(tx, draft=draft, source=SMALL.encode() + b"# mine\n", row_version=1)
    assert bytes(draft_now(house, draft_id).source).endswith(b"# other\n")


def test_a_draft_stays_of_its_questionnaire(house: House, author: Person) -> None:
    draft_id = drafted(house, author, SMALL)
    with house.ledger.begin(author.actor) as tx, pytest.raises(Refused, match="Start another draft for “other”"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        text = SMALL.replace("slug: small", "slug: other")
        questionnaires.edit_draft(tx, draft=draft, source=text.encode(), row_version=draft.row_version)


def test_a_decision_is_written_into_the_text_and_leaves_the_rest_alone(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, second())

    decide(house, author, draft_id, "acc.reviews", "text", Claim.SAME)

    text = bytes(draft_now(house, draft_id).source).decode()
    assert text.startswith(second())
    assert "claim: same" in text
    assert text.count("revision: 1") == 4


def test_a_changed_claim_gives_the_question_its_next_revision_and_a_same_one_takes_it_back(
    house: House, author: Person
) -> None:
    published(house)
    draft_id = drafted(house, author, second())

    decide(house, author, draft_id, "acc.leavers", "steps", Claim.CHANGED, "A day became half a day")
    with house.ledger.begin(FACTORY) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
        changed = questionnaires.compiled_draft(draft)
    decide(house, author, draft_id, "acc.leavers", "steps", Claim.SAME, "Only the best step moved, not the question")
    with house.ledger.begin(FACTORY) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ)
        same = questionnaires.compiled_draft(draft)

    assert (changed.question("acc.leavers").revision, same.question("acc.leavers").revision) == (2, 1)


def test_a_weighty_change_is_not_called_the_same_without_a_reason(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, second())
    with pytest.raises(Refused) as refused:
        decide(house, author, draft_id, "acc.leavers", "steps", Claim.SAME, "As before")
    assert "20 characters" in refused.value.problems["note"][0]


def test_a_decision_about_an_edited_change_is_refused(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, second())
    with house.ledger.begin(author.actor) as tx, pytest.raises(Conflict, match="edited meanwhile"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.decide_change(
            tx,
            draft=draft,
            key="acc.leavers",
            part="steps",
            of="0" * 12,
            claim=Claim.CHANGED,
            note="",
            row_version=draft.row_version,
        )


def test_accepting_the_proposals_takes_presentation_alone(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, second())
    with house.ledger.begin(author.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        assert questionnaires.accept_proposals(tx, draft=draft, row_version=draft.row_version) == 1
        assert [(fact.key, fact.claim) for fact in tx.facts if isinstance(fact, ChangeDecided)] == [
            ("acc.reviews", "same")
        ]
        left = [each.change.key for each in questionnaires.readiness(tx, draft).undecided]
    assert left == ["acc.leavers"]


def test_everything_decided_is_ready(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, second(weight=4))
    decide_all(house, author, draft_id)
    with house.ledger.begin(FACTORY) as tx:
        state = questionnaires.readiness(tx, questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ))
    assert (state.problems, state.is_ready) == ((), True)


def test_a_discarded_draft_takes_nothing_more(house: House, author: Person) -> None:
    draft_id = drafted(house, author, SMALL)
    with house.ledger.begin(author.actor) as tx:
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.discard_draft(tx, draft=draft, row_version=draft.row_version)
    with house.ledger.begin(author.actor) as tx, pytest.raises(Conflict, match="was discarded"):
        draft = questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_DRAFT)
        questionnaires.edit_draft(tx, draft=draft, source=SMALL.encode() + b"#\n", row_version=draft.row_version)


def test_a_version_that_is_published_already_is_a_problem_of_the_draft(house: House, author: Person) -> None:
    published(house)
    draft_id = drafted(house, author, SMALL + "# again\n")
    with house.ledger.begin(FACTORY) as tx:
        state = questionnaires.readiness(tx, questionnaires.get_draft(tx, draft_id, Action.QUESTIONNAIRE_READ))
    assert any("put your change into v2" in str(problem) for problem in state.problems)


def test_a_draft_in_braces_is_read_and_its_decisions_are_refused_with_what_to_do(house: House, author: Person) -> None:
    published(house)
    as_json = json.dumps(yaml.load(second(), Loader=yaml.BaseLoader))  # noqa: S506 - the loader that knows text alone
    draft = drafted(house, author, as_json)

    with pytest.raises(Refused, match="Write the top of the file as one key a line, without braces"):
        decide(house, author, draft, "acc.leavers", "steps", Claim.CHANGED)
    assert bytes(draft_now(house, draft).source) == as_json.encode()
