"""External sets: walled by vendor, kept for ever, and never an answer."""

from __future__ import annotations

import hashlib
import itertools

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from portal.attestations import service as attestations
from portal.exchange import external
from portal.exchange.models import ExternalAnswer
from portal.exchange.rules.external import Answered, External, Family, Reading
from portal.kernel.actor import system
from portal.kernel.errors import Conflict, Forbidden, NotFound, Refused
from portal.policy import Action
from portal.terms import Role
from portal.wiring import House
from tests.factories.attestations import Desk
from tests.factories.attestations import desk as desk_of
from tests.factories.identity import person

_numbers = itertools.count(1)


def reading(*rows: External, family: Family = Family.CAIQ) -> Reading:
    return Reading(family, f"{family.word} 4.0.7", "4.0.7", rows or (said("GRC-06", "yes"),), ())


def said(control: str, answer: str, text: str = "As in the handbook.") -> External:
    return External(f"{control}.1", control, Answered(answer), answer, text, sheet="CAIQ", row=4)


def bring(
    desk: Desk, given_reading: Reading | None = None, *, version: str = "4.0.7", sha256: str = ""
) -> external.SetLine:
    fingerprint = sha256 or hashlib.sha256(str(next(_numbers)).encode()).hexdigest()
    with desk.house.ledger.begin(desk.respondent.actor) as tx:
        row = external.import_set(tx, reading=given_reading or reading(), file_name="caiq.xlsx", sha256=fingerprint)
        if version and not row.version:
            external.confirm(tx, row=row, framework=row.framework, version=version, row_version=row.row_version)
        return external.line_of(row)


def suggested(desk: Desk) -> dict[str, external.Suggested]:
    with desk.house.ledger.begin(desk.respondent.actor) as tx:
        return external.suggestions(tx, desk.questionnaire)


def test_the_newest_confirmed_set_speaks(desk: Desk, house: House) -> None:
    bring(desk, reading(said("GRC-06", "no")))
    newer = bring(desk, reading(said("GRC-06", "yes")))
    bring(desk, reading(said("GRC-06", "na")), version="")

    found = [each for each in suggested(desk).values() if each.suggestion.control_id == "GRC-06"]

    assert {each.set_id for each in found} == {newer.id}
    assert {each.source for each in found} == {"CAIQ 4.0.7"}


def test_answers_to_the_catalogue_for_ai_are_matched_by_its_own_version(desk: Desk) -> None:
    bring(desk, reading(said("GRC-06", "yes"), family=Family.AI_CAIQ), version="1.0")
    assert suggested(desk) == {}
    bring(desk, reading(said("GRC-06", "yes"), family=Family.AI_CAIQ), version="1.1")
    assert suggested(desk)


def test_another_vendor_and_the_lab_do_not_find_it(desk: Desk, house: House) -> None:
    line = bring(desk)
    other = desk_of(house, name="Brightfen Data")
    reviewer = person(house, roles=[Role.REVIEWER], name="Nils Reviewer")
    for someone in (other.admin.actor, reviewer.actor):
        with house.ledger.begin(someone) as tx, pytest.raises(NotFound):
            external.get(tx, line.id)
    with house.ledger.begin(other.respondent.actor) as tx:
        assert external.sets_of(tx) == []
        assert tx.session.execute(sa.select(sa.func.count()).select_from(ExternalAnswer)).scalar_one() == 0


def test_a_signatory_can_read_it_and_change_nothing(desk: Desk) -> None:
    line = bring(desk)
    with desk.house.ledger.begin(desk.signatory.actor) as tx:
        row = external.get(tx, line.id)
        with pytest.raises(Forbidden):
            external.withdraw(tx, row=row, row_version=row.row_version)
        with pytest.raises(Forbidden):
            external.import_set(tx, reading=reading(), file_name="x.xlsx", sha256="0" * 64)


def test_its_rows_are_never_changed(desk: Desk) -> None:
    bring(desk)
    with pytest.raises(DBAPIError, match="never changed"), desk.house.engine.begin() as connection:
        connection.execute(sa.text("UPDATE external_answer SET text = 'Something else'"))


def test_withdrawing_twice_is_withdrawing_once_and_the_file_can_come_again(desk: Desk) -> None:
    line = bring(desk, sha256="a" * 64)
    with desk.house.ledger.begin(desk.respondent.actor) as tx:
        row = external.get(tx, line.id, Action.EVIDENCE_UPLOAD)
        external.withdraw(tx, row=row, row_version=row.row_version)
        external.withdraw(tx, row=row, row_version=row.row_version)
        with pytest.raises(Conflict):
            external.confirm(tx, row=row, framework="ccm", version="4.0.8", row_version=row.row_version)
    assert suggested(desk) == {}
    assert bring(desk, sha256="a" * 64).id != line.id


def test_a_late_word_on_the_version_is_refused(desk: Desk) -> None:
    line = bring(desk)
    with desk.house.ledger.begin(desk.admin.actor) as tx:
        row = external.get(tx, line.id, Action.EVIDENCE_UPLOAD)
        with pytest.raises(Conflict):
            external.confirm(tx, row=row, framework="ccm", version="4.0.2", row_version=1)
        with pytest.raises(Refused):
            external.confirm(tx, row=row, framework="hecvat", version="4.0.2", row_version=row.row_version)


def test_there_is_an_end_to_how_many_are_kept(desk: Desk) -> None:
    for _ in range(external.MOST_SETS):
        bring(desk)
    with pytest.raises(Conflict, match="Withdraw one"):
        bring(desk)


def test_the_trail_says_what_came_in_and_not_what_it_said(desk: Desk) -> None:
    bring(desk)
    with desk.house.ledger.begin(system("test")) as tx:
        found = tx.session.execute(
            sa.text("SELECT fact, payload::text FROM audit_event WHERE fact LIKE 'external_set%' ORDER BY seq")
        ).all()
    assert [fact for fact, _ in found] == ["external_set_imported", "external_set_confirmed"]
    assert "handbook" not in " ".join(payload for _, payload in found)


CONTROLS = ("GRC-06", "A&A-02", "DSP-03", "DSP-16", "IAM-12", "HRS-01", "LOG-05", "STA-08", "NOT-99")
ROWS = st.lists(
    st.builds(
        said,
        st.sampled_from(CONTROLS),
        st.sampled_from([each.value for each in Answered]),
        st.sampled_from(["", "Planned for May.", "w" * 5_000, "Every spring."]),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda each: each.question_id,
)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, version=st.sampled_from(["", "4.0.7", "4.0.12"]))
def test_whatever_comes_in_no_answer_no_progress_and_no_blocker_changes(
    desk: Desk, rows: list[External], version: str
) -> None:
    def standing() -> object:
        with desk.at(desk.admin.actor) as (tx, row):
            return (
                attestations.progress(tx, row),
                attestations.blockers(tx, row),
                attestations.answers_of(tx, row),
                (row.state, row.row_version, row.first_touched_at),
            )

    before = standing()
    line = bring(desk, reading(*rows), version=version)
    found = suggested(desk)

    assert standing() == before
    assert all(each.suggestion.question_key in desk.questionnaire for each in found.values())
    with desk.house.ledger.begin(desk.respondent.actor) as tx:
        row = external.get(tx, line.id, Action.EVIDENCE_UPLOAD)
        external.withdraw(tx, row=row, row_version=row.row_version)
    assert standing() == before
