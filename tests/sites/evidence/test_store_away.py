"""What the operator and the person are told while the store of files is away."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from portal.kernel.objects import StoredObject, StoreUnavailable
from portal.kernel.objects.values import Reason
from portal.wiring import House
from tests.rules import files
from tests.sites.conftest import Client
from tests.sites.evidence.conftest import announce, transfer


def test_the_log_says_what_the_store_said_and_the_person_that_nothing_was_lost(
    as_ada: Client, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = files.pdf(pages=1)
    slot = announce(as_ada, body).json
    transfer(as_ada, slot, body)

    def away(_incoming: StoredObject, _key: str) -> StoredObject:
        raise StoreUnavailable(Reason.DOWN, "IncompleteReadError")

    with monkeypatch.context() as broken, capture_logs() as said:
        broken.setattr(house.store, "promote", away)
        refused = as_ada.post(slot["finalise_url"], json={})

    assert refused.status_code == 503
    assert refused.json["detail"] == "Storage is unavailable. Nothing was lost. Try again in a minute"
    assert [line["reason"] for line in said if line["event"] == "a part is away"] == ["down: IncompleteReadError"]
    assert as_ada.post(slot["finalise_url"], json={}).status_code == 200
