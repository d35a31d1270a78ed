"""Mails to the lab's program admins: something about evidence that somebody has to look at now. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from portal.delivery.rules import Button, Frame, Parts, moment


class EvidenceAlert(msgspec.Struct, frozen=True, kw_only=True):
    """Stored bytes changed, malware was found (``infected``), or ``person_name`` asked for more files than one may."""

    vendor_name: str
    at: datetime
    person_name: str = ""
    files: int = 0
    pages: int = 0
    infected: bool = False


def evidence_alert(this: EvidenceAlert, frame: Frame) -> Parts:
    """What happened and to whose evidence; no name of a file (ux.md, e-mails)."""
    if this.person_name:
        subject = "Check who opens much evidence"
        said = (
            f"{this.person_name} opened {this.files} files and {this.pages} pages within an hour and was given no "
            "more. Ask whether that is their work, and deactivate the account if it is not.",
        )
    elif this.infected:
        subject = "Malware in a file of a vendor"
        said = (
            "A scan found malware in a file that was taken in before there was a scanner. Nobody is given it any more, "
            "and it proves nothing. Find out who opened it, and tell the vendor.",
        )
    else:
        subject = "Check a file whose bytes changed"
        said = (
            "A stored file no longer matches its fingerprint. Nobody is given it, and no decision can rest on it. "
            "Find out who can write to the store, and ask the vendor to upload the file again.",
        )
    return Parts(
        subject=subject,
        paragraphs=said,
        details=(("Vendor", this.vendor_name), ("When", moment(this.at))),
        button=Button("Read the trail", "/lab/audit")
        if this.person_name
        else Button("See the quarantined files", "/lab/evidence?state=failed"),
        why=f"You get this because you administer {frame.lab_name}'s Gatehouse. It cannot be switched off.",
    )
