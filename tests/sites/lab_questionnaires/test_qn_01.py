"""QN-01, G12 and P14: publishing a version while people answer the older one loses nothing and changes nothing."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.attestations.models import AnswerEdit
from portal.questionnaires import queries
from portal.questionnaires.models import QuestionnaireVersion
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.terms import Role
from portal.wiring import House
from tests.factories import renewing
from tests.factories.attestations import Desk
from tests.factories.identity import person
from tests.factories.questionnaires import FACTORY, decide_all, draft_now, drafted, sign
from tests.factories.vendors import make_engagement, make_vendor
from tests.sites.conftest import Client
from tests.sites.lab_questionnaires.test_drafts import Browser

RESPONDENTS = 20
KEYS = ("acc.mfa", "acc.leavers", "acc.reviews", "acc.guests", "dat.copies", "dat.region", "dat.tapes")
CHOICES = {"acc.reviews": "yearly", "acc.guests": "no", "dat.copies": "no"}


def desks(house: House, like: Desk) -> list[Desk]:
    """Ask twenty vendors the first version; each has one respondent."""
    found = []
    for number in range(RESPONDENTS):
        with house.ledger.begin(FACTORY) as tx:
            vendor = make_vendor(tx, f"Contractor {number}")
            engagement = make_engagement(tx, vendor)
            version = tx.session.execute(sa.select(QuestionnaireVersion)).scalar_one()
            row = assessments.request(
                tx,
                vendor=vendor,
                engagement=engagement,
                questionnaire_version=version,
                due_on=(tx.now + timedelta(days=28)).date(),
            )
            ids = {"vendor_id": vendor.id, "engagement_id": engagement.id, "assessment_id": row.id}
        someone = person(house, roles=[Role.RESPONDENT, Role.VENDOR_ADMIN], vendor=ids["vendor_id"])
        found.append(replace(like, **ids, respondent=someone, admin=someone))
    return found


def saying(key: str, words: str) -> dict[str, str]:
    value = {"number": "20"} if key == "acc.leavers" else {"choice": CHOICES.get(key, "yes")}
    return {**value, "comment": words}


def page_bytes(browser: Client, path: str) -> bytes:
    """Return a page without what is new in every response: the nonce and the form token."""
    answer = browser.get(path)
    assert answer.status_code == 200
    return re.sub(rb'(nonce="|csrf[_-]token" (?:value|content)=")[^"]*', rb"\1", answer.get_data())


def snapshots(house: House) -> dict[UUID, tuple[str, str, str, str]]:
    with house.ledger.begin(FACTORY) as tx:
        rows = tx.session.execute(sa.select(ScoreSnapshot)).scalars().all()
        assert rows
        assert all(scoring.replays(row) for row in rows)
        return {row.id: (row.inputs, row.inputs_digest, row.result, row.result_digest) for row in rows}


@pytest.fixture
def signed(house: House) -> Desk:
    """A vendor that signed the first version, and was scored."""
    return renewing.signed_first(house)[0]


def test_qn_01_publishing_beside_twenty_respondents_loses_and_changes_nothing(
    house: House, signed: Desk, signed_in: Browser
) -> None:
    hana = person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")
    theo = person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")
    asked = desks(house, signed)
    (reader,) = asked[:1]
    reader.save("acc.mfa", saying("acc.mfa", "Half done"))
    draft_id = drafted(house, hana, renewing.text(2).decode())
    decide_all(house, hana, draft_id)
    digest = draft_now(house, draft_id).digest
    browser, path = signed_in(reader.respondent), f"/assessments/{reader.assessment_id}/s/acc"
    before, scores = page_bytes(browser, path), snapshots(house)
    halfway = threading.Barrier(RESPONDENTS)
    said: dict[int, dict[str, str]] = {}
    failures: list[Exception] = []

    def answer(number: int, desk: Desk) -> None:
        mine = said.setdefault(number, {})
        try:
            for round_, keys in enumerate((KEYS[:4], KEYS[2:])):
                for key in keys:
                    words = f"Respondent {number}, round {round_}"
                    desk.save(key, saying(key, words))
                    mine[key] = words
                if not round_:
                    halfway.wait(20)
        except Exception as failure:
            failures.append(failure)
            halfway.abort()

    def publish() -> None:
        try:
            halfway.wait(20)
            sign(house, hana, draft_id)
            assert sign(house, theo, draft_id) is not None
        except Exception as failure:
            failures.append(failure)

    # The first desk is the reader, whose page is compared: its place in the barrier is the publisher's.
    workers = [threading.Thread(target=answer, args=each) for each in enumerate(asked) if each[0]]
    workers.append(threading.Thread(target=publish))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert failures == []
    with house.ledger.begin(FACTORY) as tx:
        first, second = (queries.version_named(tx, "small-renewal", number) for number in (1, 2))
        assert first
        assert second
        assert second.digest == digest
        pinned = tx.session.execute(sa.select(Assessment.questionnaire_id)).scalars().all()
        edits = tx.session.execute(sa.select(sa.func.count()).select_from(AnswerEdit)).scalar_one()
    assert set(pinned) == {first.id}
    assert edits == len(renewing.TO_CONFIRM + renewing.RE_ATTEST + renewing.ARCHIVED) + 1 + (RESPONDENTS - 1) * 9
    for number, desk in enumerate(asked[1:], 1):
        with desk.at(desk.respondent.actor) as (tx, row):
            lines = attestations.answers_of(tx, row)
        assert {key: line.comment for key, line in lines.items()} == said[number]
        assert said[number].keys() == set(KEYS)
    assert page_bytes(browser, path) == before
    assert snapshots(house) == scores


def test_qn_01_moving_is_an_act_of_its_own_and_keeps_what_means_the_same(house: House, signed: Desk) -> None:
    (desk, *_) = desks(house, signed)[:1]
    for key in KEYS:
        desk.save(key, saying(key, "As it is"))
    lead = person(house, roles=[Role.LEAD_APPROVER], name="Hana Kobayashi")
    other = person(house, roles=[Role.LEAD_APPROVER], name="Theo Brandvold")
    draft_id = drafted(house, lead, renewing.text(2).decode())
    decide_all(house, lead, draft_id)
    sign(house, lead, draft_id)
    version = sign(house, other, draft_id)
    assert version

    with desk.at(lead.actor) as (tx, row):
        preview = attestations.migration_preview(tx, row, version.id)

    assert set(preview.kept) == {"acc.mfa", "acc.reviews", "acc.guests", "dat.region"}
    assert set(preview.re_attest) == {"acc.leavers", "dat.copies"}
    assert set(preview.archived) == {"dat.tapes"}
    with desk.at(lead.actor) as (tx, row):
        moved = attestations.migrate(
            tx, assessment=row, version_id=version.id, row_version=row.row_version, seen_digest=preview.digest
        )
        first = queries.version_named(tx, "small-renewal", 1)
    assert first
    assert (moved.from_digest, moved.to_digest) == (first.digest, version.digest)
    with desk.at(lead.actor) as (tx, row):
        answers = attestations.answers_of(tx, row)
        assert {key for key, line in answers.items() if line.value} >= set(preview.kept)
