"""Signing: what you see is what you sign, all of it or nothing."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.attestations.models import AttestedAnswer
from portal.attestations.rules import BlockerKind, Part
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, Refused, StepUpRequired
from portal.terms import AssessmentState, EvidenceState, ScanState
from tests.factories.attestations import ALL, LAB, Desk


def state_of(desk: Desk) -> AssessmentState:
    with desk.at(desk.admin.actor) as (_, row):
        return row.state


def blocked(desk: Desk) -> list[tuple[BlockerKind, str]]:
    """What a signature is refused for now, after checking that nothing moved."""
    with pytest.raises(attestations.Incomplete) as refusal:
        desk.sign()
    assert state_of(desk) in (AssessmentState.DRAFT, AssessmentState.IN_PROGRESS, AssessmentState.CHANGES_REQUESTED)
    return [(each.kind, each.question_key) for each in refusal.value.blockers]


def test_a_signature_freezes_everything_and_hands_it_in(desk: Desk) -> None:
    desk.complete()
    shown = desk.form()["digest_seen"]

    signed = desk.sign()

    assert state_of(desk) is AssessmentState.SUBMITTED
    with desk.at(desk.signatory.actor) as (tx, row):
        frozen = attestations.attested(tx, signed)
        assert frozen.digest == shown == frozen.snapshot.digest
        assert (frozen.signed_name, frozen.snapshot.revision) == ("Daniel Osei", row.revision)
        assert frozen.sentences[0] == "I have authority to sign for Quillmark Annotation Ltd."
        assert frozen.sentences[1].endswith("are true and complete on 24 November 2026.")
        assert "tell Orrery within 10 working days" in frozen.sentences[2]
        assert frozen.snapshot.asked == len(desk.visible())
        assert set(frozen.snapshot.answers) == {each.key for each in desk.questionnaire.questions}


def test_the_fingerprint_recomputes_from_the_stored_rows_after_later_edits(desk: Desk) -> None:
    """INV-05."""
    desk.complete()
    key = desk.visible()[0].key
    desk.cite(key, desk.file(), "3")
    signed = desk.sign()
    desk.send_back(key)
    desk.save(key, {"choice": "no"})

    with desk.at(desk.signatory.actor) as (tx, _):
        assert attestations.digest_of(tx, signed) == attestations.attested(tx, signed).digest


def test_a_touched_row_no_longer_fits_the_fingerprint(desk: Desk) -> None:
    desk.complete()
    signed = desk.sign()
    with desk.house.engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE attested_answer DISABLE TRIGGER USER"))
        connection.execute(sa.text("SELECT set_config('gatehouse.vendor', '*', true)"))
        changed = connection.execute(
            sa.text("""UPDATE attested_answer SET content = '{"choice": "no"}' WHERE question_key = :key"""),
            {"key": desk.visible()[0].key},
        )
        assert changed.rowcount == 1

    with desk.at(desk.signatory.actor) as (tx, _):
        assert attestations.digest_of(tx, signed) != attestations.attested(tx, signed).digest


def test_nobody_but_a_signatory_with_a_fresh_factor_signs(desk: Desk) -> None:
    desk.complete()
    form = desk.form()

    for actor, refusal in (
        (desk.admin.fresh, Forbidden),
        (desk.respondent.fresh, Forbidden),
        (desk.signatory.actor, StepUpRequired),
    ):
        with pytest.raises(refusal), desk.at(actor) as (tx, row):
            attestations.sign(tx, assessment=row, **form)
    assert state_of(desk) is AssessmentState.IN_PROGRESS


@pytest.mark.parametrize("typed", ["daniel osei", "  Daniel   OSEI ", "Ｄaniel Osei"])
def test_case_and_spacing_of_the_typed_name_do_not_matter(desk: Desk, typed: str) -> None:
    desk.complete()
    desk.sign(full_name=typed)
    assert state_of(desk) is AssessmentState.SUBMITTED


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"full_name": "Priya Raghunath"}, "full_name"),
        ({"full_name": ""}, "full_name"),
        ({"statements": ALL[:2]}, "statements"),
        ({"statements": ()}, "statements"),
    ],
)
def test_a_wrong_name_or_a_missing_tick_is_told_at_its_field(desk: Desk, given: dict[str, Any], field: str) -> None:
    desk.complete()
    with pytest.raises(Refused) as refusal:
        desk.sign(**given)
    assert list(refusal.value.problems) == [field]
    assert state_of(desk) is AssessmentState.IN_PROGRESS


def test_an_answer_changed_after_the_page_was_shown_is_not_signed_unread(desk: Desk) -> None:
    desk.complete()
    form = desk.form()
    desk.save(desk.visible()[0].key, {"choice": "no"})

    with pytest.raises(Conflict, match="Something changed since you opened this page"):
        desk.sign(**form)
    assert state_of(desk) is AssessmentState.IN_PROGRESS


def test_a_file_attached_after_the_page_was_shown_is_not_signed_unread(desk: Desk) -> None:
    desk.complete()
    form = desk.form()
    desk.cite(desk.visible()[0].key, desk.file())

    with pytest.raises(Conflict):
        desk.sign(**form)


def test_signing_again_names_the_state_it_is_in(desk: Desk) -> None:
    desk.complete()
    form = desk.form()
    desk.sign(**form)

    with pytest.raises(Conflict) as refusal:
        desk.sign(**form)
    assert refusal.value.current["state"] == "submitted"


def test_nothing_is_signed_while_an_answer_is_missing(desk: Desk) -> None:
    """WF-10, first gap."""
    desk.complete()
    key = desk.visible()[0].key
    desk.save(key, {})
    assert blocked(desk) == [(BlockerKind.ANSWER, key)]


def test_nothing_is_signed_while_the_scoping_is_open(desk: Desk) -> None:
    desk.answer()
    kinds = blocked(desk)
    assert kinds
    assert {kind for kind, _ in kinds} == {BlockerKind.SCOPING}


def required(desk: Desk) -> str:
    """A question whose best answer needs proof in this tier."""
    return next(each.key for each in desk.visible() if desk.questionnaire.evidence_level(each.key, 2) == 2)


def test_nothing_is_signed_while_required_proof_is_missing(long_desk: Desk) -> None:
    """WF-10, second gap."""
    long_desk.complete()
    key = required(long_desk)
    question = long_desk.questionnaire.question(key)
    best = max(question.choices, key=lambda option: option.credit or 0).key
    long_desk.save(key, {"choice": best})
    assert blocked(long_desk) == [(BlockerKind.EVIDENCE, key)]

    long_desk.cite(key, long_desk.file())
    long_desk.sign()
    assert state_of(long_desk) is AssessmentState.SUBMITTED


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"scan": ScanState.PENDING}, BlockerKind.EVIDENCE_CHECKING),
        ({"state": EvidenceState.RECEIVED, "scan": ScanState.PENDING}, BlockerKind.EVIDENCE_CHECKING),
    ],
)
def test_nothing_is_signed_while_a_file_is_being_checked(desk: Desk, fields: dict[str, Any], kind: BlockerKind) -> None:
    """WF-10, third gap."""
    desk.complete()
    key = desk.visible()[0].key
    desk.cite(key, desk.file(**fields))
    assert blocked(desk) == [(kind, key)]


def test_nothing_is_signed_with_an_infected_file(desk: Desk) -> None:
    """WF-10, fourth gap."""
    desk.complete()
    key = desk.visible()[0].key
    evidence_id = desk.file(scan=ScanState.PENDING)
    desk.cite(key, evidence_id)
    with desk.house.ledger.begin(system("scanner")) as tx:
        tx.session.execute(sa.text("UPDATE evidence SET scan = 'infected' WHERE id = :id"), {"id": evidence_id})
    assert blocked(desk) == [(BlockerKind.EVIDENCE_REFUSED, key)]


def test_nothing_is_signed_while_a_newly_visible_question_is_blank(long_desk: Desk) -> None:
    """WF-10, fifth gap: an answer brings a question up."""
    long_desk.settle_scoping()
    parent, child = dependent(long_desk)
    long_desk.answer()
    long_desk.save(parent, {"choice": worst(long_desk, parent), "comment": "None yet."})
    long_desk.save(parent, {"choice": best(long_desk, parent), "comment": "It is there now."})
    with long_desk.at(long_desk.admin.actor) as (tx, row):
        line = attestations.answers_of(tx, row)[child]
    long_desk.save(child, {}, version=line.version)
    assert blocked(long_desk) == [(BlockerKind.ANSWER, child)]


def dependent(desk: Desk) -> tuple[str, str]:
    """A question, and one that is asked only after a good answer to it and counts as zero otherwise."""
    parents = {each.key: each for each in desk.visible()}
    return next(
        (key, each.key)
        for each in desk.questionnaire.questions
        if each.requires is not None and 2 in each.tiers
        for key in each.requires.keys
        if key in parents and parents[key].choices
    )


def best(desk: Desk, key: str) -> str:
    return max(desk.questionnaire.question(key).choices, key=lambda option: option.credit or 0).key


def worst(desk: Desk, key: str) -> str:
    return min(desk.questionnaire.question(key).choices, key=lambda option: option.credit or 0).key


def test_a_hidden_answer_is_kept_but_not_signed(long_desk: Desk) -> None:
    long_desk.settle_scoping()
    parent, child = dependent(long_desk)
    long_desk.answer()
    long_desk.save(parent, {"choice": worst(long_desk, parent), "comment": "None yet."})

    signed = long_desk.sign()

    with long_desk.at(long_desk.admin.actor) as (tx, row):
        frozen = attestations.attested(tx, signed).snapshot.answers[child]
        assert (frozen.state.value, dict(frozen.content), frozen.prepared_by) == ("zero", {}, None)
        assert not attestations.answers_of(tx, row)[child].answer.is_blank


def test_the_next_revision_changes_what_came_back_and_no_more(desk: Desk) -> None:
    desk.complete()
    first = desk.sign()
    key, other = desk.visible()[0].key, desk.visible()[1].key
    desk.send_back(key)

    assert blocked(desk) == [(BlockerKind.REPLY, key)]
    with pytest.raises(Conflict, match="did not come back"):
        desk.save(other, {"choice": "no"})
    with pytest.raises(Conflict, match="did not come back"):
        desk.cite(other, desk.file())
    desk.reply(key)
    desk.save(key, {"choice": "no"})
    second = desk.sign()

    with desk.at(desk.admin.actor) as (tx, row):
        before, after = attestations.attested(tx, first), attestations.attested(tx, second)
        assert (row.state, row.revision) == (AssessmentState.SUBMITTED, 2)
        assert [(each.part, each.key) for each in attestations.changes_since(before.snapshot, after.snapshot)] == [
            (Part.ANSWER, key)
        ]
        assert attestations.previous(tx, attestations.latest(tx, row.id)).id == first


def test_a_question_that_an_answer_brings_up_can_be_answered_though_it_did_not_come_back(long_desk: Desk) -> None:
    long_desk.settle_scoping()
    parent, child = dependent(long_desk)
    long_desk.answer()
    long_desk.save(parent, {"choice": worst(long_desk, parent), "comment": "None yet."})
    with long_desk.at(long_desk.admin.actor) as (tx, row):
        kept = attestations.answers_of(tx, row)[child].version
    long_desk.sign()
    long_desk.send_back(parent)
    long_desk.reply(parent)
    long_desk.save(parent, {"choice": best(long_desk, parent), "comment": "It is there now."})

    line = long_desk.save(child, {"choice": worst(long_desk, child), "comment": "Not yet."}, version=kept)

    assert line.version == kept + 1
    long_desk.sign()
    assert state_of(long_desk) is AssessmentState.SUBMITTED


def test_files_are_frozen_by_their_bytes_and_pages(desk: Desk) -> None:
    desk.complete()
    key = desk.visible()[0].key
    evidence_id = desk.file()
    citation_id = desk.cite(key, evidence_id, "3, 5-7")
    gone = desk.cite(key, desk.file())
    with desk.at(desk.respondent.actor) as (tx, row):
        attestations.uncite(tx, assessment=row, citation_id=gone)

    signed = desk.sign()

    with desk.at(desk.admin.actor) as (tx, _):
        (frozen,) = attestations.attested(tx, signed).snapshot.citations
        assert (frozen.citation_id, frozen.evidence_id, frozen.pages) == (citation_id, evidence_id, "3, 5–7")
        assert len(frozen.sha256) == 64


def test_a_refused_signature_leaves_no_frozen_row(desk: Desk) -> None:
    desk.complete()
    with pytest.raises(Conflict):
        desk.sign(digest_seen="0" * 64)
    with desk.at(desk.admin.actor) as (tx, row):
        assert attestations.latest(tx, row.id) is None
        assert tx.session.execute(sa.select(AttestedAnswer)).first() is None


def test_the_trail_names_the_revision_and_its_fingerprint(desk: Desk) -> None:
    desk.complete()
    signed = desk.sign()
    with desk.house.ledger.begin(system("test")) as tx:
        statement = sa.text("SELECT payload FROM audit_event WHERE fact = 'attestation_signed'")
        (payload,) = tx.session.execute(statement).scalars()
        digest = attestations.attested(tx, signed).digest
    assert digest in payload
    assert str(signed) in payload


def test_a_withdrawn_revision_stays_frozen_and_cannot_be_answered(desk: Desk) -> None:
    desk.complete()
    signed = desk.sign()
    with desk.at(desk.signatory.actor) as (tx, row):
        assessments.withdraw(tx, assessment=row, reason="We signed for the wrong project.")

    with pytest.raises(Conflict):
        desk.save(desk.questionnaire.questions[0].key, {"choice": "no"})
    with desk.at(desk.signatory.actor) as (tx, _):
        assert attestations.digest_of(tx, signed) == attestations.attested(tx, signed).digest


def test_the_statement_names_the_lab_and_the_vendor(desk: Desk) -> None:
    with desk.at(desk.signatory.actor) as (tx, row):
        keys = [each.key for each in attestations.statements_for(tx, row, lab_name=LAB)]
    assert tuple(keys) == ALL
