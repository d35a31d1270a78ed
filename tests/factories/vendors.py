"""Vendors and engagements, made through the service."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.kernel.ledger import Tx
from portal.vendors import service as vendors
from portal.vendors.models import Engagement, Vendor


def make_vendor(tx: Tx, name: str = "Quillmark Annotation", **fields: Any) -> Vendor:
    """Take a vendor onto the list, with a mail domain of its own."""
    given = {"legal_name": f"{name} Ltd", "mail_domains": [f"{name.split()[0].lower()}.example"], **fields}
    return vendors.add(tx, name=name, **given)


def make_engagement(tx: Tx, vendor: Vendor, **fields: Any) -> Engagement:
    """Engage a vendor: by default D3 data, access inside our environment, a small vetted workforce (tier 2)."""
    given: dict[str, Any] = {
        "project": "Lark preferences",
        "purpose": "Preference rankings for the assistant",
        "services": ["preference"],
        "data_classes": [3],
        "access_modes": ["A2"],
        "persons": [],
        "people": 40,
        "workforce": ["employees"],
        "devices": ["yours"],
        "starts_on": date(2026, 11, 1),
        "ends_on": None,
    }
    return vendors.engage(tx, vendor=vendor, **{**given, **fields})
