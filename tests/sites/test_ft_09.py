"""FT-09: the store of files is down. Only files are affected, with a clear word; the rest goes on, nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.attestations import service as attestations
from portal.identity import service as identity
from portal.kernel import signing
from portal.kernel.actor import system
from portal.kernel.objects import ObjectStore, Reason, StoreUnavailable
from portal.terms import EvidenceState, Scope
from portal.wiring import House
from tests.conftest import NOW
from tests.factories.attestations import desk
from tests.factories.evidence import make_evidence, row_of
from tests.rules import files
from tests.sites.conftest import Client
from tests.sites.evidence.conftest import announce, transfer

WORDS = "Storage is unavailable. Nothing was lost. Try again in a minute"


class Away:
    """A store whose every call fails as a server does that is down; what names no server still answers."""

    def __init__(self, store: ObjectStore) -> None:
        """Stand before the real one."""
        self._store = store
        self.bucket, self.can_presign = store.bucket, store.can_presign

    def __getattr__(self, name: str) -> Any:
        if name in {"reserve", "presign_get"}:
            return getattr(self._store, name)

        def down(*_given: Any, **_named: Any) -> Any:
            raise StoreUnavailable(Reason.DOWN, "ConnectionClosedError")

        return down


def test_only_files_wait_while_the_store_is_down(
    house: House, app: Flask, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    signing.make_file(house.signing_keys, now=NOW)
    made = desk(house)
    priya, body = signed_in(made.respondent), files.pdf(pages=1)
    row = make_evidence(house, made.respondent)
    slot = announce(priya, body).json
    transfer(priya, slot, body)
    with house.ledger.begin(system("test")) as tx:
        _, bearer = identity.create_client(
            tx, name="data platform", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now.replace(year=2027)
        )
    question = {"vendor": "nobody-we-know", "data_class": "D3", "access_mode": "A2", "purpose": "ranking"}

    with monkeypatch.context() as outage:
        outage.setitem(house.__dict__, "store", Away(house.store))
        section = f"/assessments/{made.assessment_id}/s/gov"
        for page in ("/", section, "/evidence", f"/evidence/{row.id}"):
            assert priya.get(page).status_code == 200, page
        saved = priya.post(f"{section}/gov.owner", data={"choice": "yes", "comment": "Our CTO.", "version": "0"})
        gate = FlaskClient(app).get(
            "/api/v1/gate", query_string=question, headers={"Authorization": f"Bearer {bearer}"}
        )
        finalised = priya.post(slot["finalise_url"], json={})
        form = {"kind": "POL", "file": (io.BytesIO(body), "form.pdf")}
        by_form = priya.post("/evidence", data=form, content_type="multipart/form-data")
        original = priya.get(f"/evidence/{row.id}/file")

    assert saved.status_code == 303
    assert (gate.status_code, gate.json["decision"]) == (200, "deny")
    for refused in (finalised, by_form, original):
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "60"
        assert WORDS.partition(".")[0] in refused.get_data(as_text=True)
    assert row_of(house, row.id).state is EvidenceState.ATTACHED
    with made.at(made.respondent.actor) as (tx, assessment):
        assert attestations.answers_of(tx, assessment)["gov.owner"].comment == "Our CTO."

    assert priya.post(slot["finalise_url"], json={}).status_code == 200
    assert priya.get(f"/evidence/{row.id}/file").status_code == 200
