"""Mails to those who run the house: something that somebody has to look at now. Pure."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from portal.delivery.rules import Button, Frame, Parts, count, day, moment


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


class KeyFailing(msgspec.Struct, frozen=True, kw_only=True):
    """A key that ends soon or has ended, or a key file that cannot be read.

    ``client``: the system whose token it is; empty for the keys that sign what the gate says. ``ends_on`` is None where
    nothing signs at all, and ``reason`` says why.
    """

    ends_on: date | None
    days_left: int = 0
    client: str = ""
    reason: str = ""


def key_failing(this: KeyFailing, frame: Frame) -> Parts:
    """Which key, and what stops with it (ux.md, e-mail 26)."""
    if this.client:
        ended = this.days_left < 0
        subject = "Replace a token that has ended" if ended else "Replace a token before it ends"
        said = (
            f"The token with which {this.client} asks the gate {'has ended' if ended else 'ends soon'}. "
            f"{'The system is' if ended else 'From then on the system is'} turned away, and treats it as a no.",
        )
        button = Button("Open API and webhooks", "/lab/admin/clients")
    elif this.ends_on is None:
        subject = "Put the signing keys right: nothing can be signed"
        said = (
            "No key is in force that signs what the gate says. Systems get no answer until there is one, and no "
            f"decision can be sealed. {this.reason}".strip(),
        )
        button = Button("Open API and webhooks", "/lab/admin/clients")
    else:
        subject = "Make the next signing key before this one ends"
        said = (
            "The last key that signs what the gate says ends soon, and no other follows it. Without a key systems get "
            "no answer.",
        )
        button = Button("Open API and webhooks", "/lab/admin/clients")
    return Parts(
        subject=subject,
        paragraphs=said,
        details=(("Ends on" if this.days_left >= 0 else "Ended on", day(this.ends_on)),) if this.ends_on else (),
        button=button,
        why=f"You get this because you administer {frame.lab_name}'s Gatehouse.",
    )


class ChainBroken(msgspec.Struct, frozen=True, kw_only=True):
    """The check of the trail found flaws. ``first`` is the number of the first event that is not as it was written."""

    at: datetime
    flaws: int
    first: int = 0
    events: int = 0


def chain_broken(this: ChainBroken, frame: Frame) -> Parts:
    """How much is wrong and where it begins; the rest is for those who hold the checkpoints (ux.md, e-mail 27)."""
    return Parts(
        subject="Find out who changed the audit trail",
        paragraphs=(
            f"The nightly check of the trail failed in {count(this.flaws, 'place')}. Events were changed, removed or "
            "put in after they were written. Nothing in Gatehouse can do that: somebody wrote to the database.",
            "Keep the database as it is, and compare it with the checkpoints that you keep elsewhere.",
        ),
        details=(
            ("Checked", moment(this.at)),
            ("Events", f"{this.events:,}"),
            ("First flaw at event", f"{this.first:,}"),
        ),
        button=Button("Open the audit log", "/lab/audit"),
        why=f"You get this because you answer for {frame.lab_name}'s Gatehouse. It cannot be switched off.",
    )
