"""Mails to a vendor about its access to the lab's data. Pure."""

from __future__ import annotations

from datetime import datetime

import msgspec

from portal.delivery.rules import Button, Frame, Parts, moment


class AccessPaused(msgspec.Struct, frozen=True, kw_only=True):
    """The lab paused a vendor."""

    vendor_name: str
    at: datetime


def access_paused(this: AccessPaused, frame: Frame) -> Parts:
    """Since when, and that no data may be touched (ux.md, e-mail 15)."""
    return Parts(
        subject=f"Stop work on {frame.lab_name}'s data: access is paused",
        paragraphs=(
            f"{frame.lab_name} has paused the access of {this.vendor_name} to its data.",
            "Stop work on it now and keep everything as it is: delete nothing, send nothing on.",
        ),
        details=(("Since", moment(this.at)),),
        button=Button("See your access", "/"),
        closing=("A pause is not a decision on your assessment. Your answers and files stay as they are.",),
        why=f"You get this because you work on {frame.lab_name}'s assessment of {this.vendor_name}. "
        "It cannot be switched off.",
    )


class AccessRestored(msgspec.Struct, frozen=True, kw_only=True):
    """A pause ended."""

    vendor_name: str
    at: datetime


def access_restored(this: AccessRestored, frame: Frame) -> Parts:
    """Since when, and where to see for which data (ux.md, e-mail 15)."""
    return Parts(
        subject=f"See your access to {frame.lab_name}'s data: pause ended",
        paragraphs=(
            f"{frame.lab_name} has ended the pause of {this.vendor_name}.",
            "What you may work with is what was decided before, for as long as that is valid.",
        ),
        details=(("Since", moment(this.at)),),
        button=Button("See your access", "/"),
        why=f"You get this because you work on {frame.lab_name}'s assessment of {this.vendor_name}. "
        "It cannot be switched off.",
    )
