"""The kinds of evidence: what we ask of each, what a reviewer must check, how long it holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from portal.evidence.rules.fields import (
    Column,
    FieldType,
    Kind,
    Order,
    choice,
    day,
    long,
    multi,
    number,
    table,
    text,
)
from portal.evidence.rules.kinds_assurance import ASSURANCE

_DISTRIBUTION: Final = choice(
    "distribution",
    "who may read it",
    {
        "restricted": "Named readers only",
        "nda": "Readers who signed a confidentiality agreement",
        "customers": "Any customer",
        "public": "Anybody",
    },
    hint="Its author’s limit on who may read it",
)

_OTHERS = (
    Kind(
        "DPA",
        "Data-processing agreement",
        (
            text("parties", "the parties"),
            text("version", "the version"),
            text("roles", "the roles", hint="Controller, processor"),
            text("transfer", "the transfer tool", hint="For example standard contractual clauses, module 3"),
            day("signed_on", "the day it was signed", required=True, past=True),
            multi(
                "annexes",
                "the annexes that are filled",
                {
                    "processing": "Description of the processing",
                    "measures": "Technical and organisational measures",
                    "subprocessors": "Sub-processors",
                },
            ),
        ),
        ("Annexes filled",),
        "Until it is replaced",
    ),
    Kind(
        "SPL",
        "Sub-processor list",
        (
            day("as_of", "the day of the list", required=True, past=True),
            number("entries", "the number of entries"),
            table(
                "rows",
                "the sub-processors",
                (
                    Column("name", "the company", required=True),
                    Column("purpose", "the purpose"),
                    Column("country", "the country"),
                    Column("data", "the data it gets", hint="For example D2"),
                    Column("rank", "its place in the chain", FieldType.NUMBER, hint="1: yours; 2: theirs"),
                ),
                hint="With agencies and crowds that lend people, and with LLM tools",
            ),
        ),
        ("Labour pools and LLM tools included",),
        "90 days from its day",
    ),
    Kind(
        "BCP",
        "Continuity or recovery test",
        (
            day("tested_on", "the day of the test", required=True, past=True),
            text("scenario", "the scenario"),
            text("rto_target", "the target for the recovery time", hint="For example 4 hours"),
            text("rto_reached", "the recovery time reached"),
            text("rpo_target", "the target for lost data", hint="For example 15 minutes"),
            text("rpo_reached", "the lost data reached"),
            long("gaps", "the gaps"),
        ),
        ("Our service was in the test",),
        "12 months from the test",
    ),
    Kind(
        "IRP",
        "Incident plan and exercise",
        (
            text("version", "the version of the plan"),
            day("exercised_on", "the day of the exercise", required=True, past=True),
            text("scenario", "the scenario"),
            long("actions", "the actions that followed"),
        ),
        ("Scenario is ours",),
        "12 months from the exercise",
    ),
    Kind(
        "DEL",
        "Deletion certificate",
        (
            table(
                "deleted_rows",
                "what was deleted",
                (
                    Column("dataset", "the data set", required=True, hint="As in your data register"),
                    Column("systems", "the systems", hint="Every place it was kept in"),
                    Column("copies", "the copies", hint="Backups, exports, local copies"),
                    Column("deleted_on", "the day", FieldType.DATE, past=True),
                ),
                hint="Each data set of your register by its name there",
            ),
            choice(
                "method",
                "the method",
                {"clear": "Clear", "purge": "Purge", "destroy": "Destroy", "crypto_erase": "Crypto-erase"},
            ),
            day("deleted_on", "the day of deletion", required=True, past=True),
            day("backups_on", "the day the last backup is gone"),
            text("operator", "the person who deleted"),
            text("verifier", "the person who verified"),
            long("exceptions", "what was left out, and why"),
        ),
        ("Names match the inventory", "Date for the backups"),
        "A lasting record",
        (Order("deleted_on", "backups_on", "The day the last backup is gone must not be before the deletion"),),
    ),
    Kind(
        "VER",
        "Screening and identity proofing",
        (
            text("provider", "the provider"),
            text("population", "the population", hint="Who was checked, freelancers and agency staff too"),
            day("checked_from", "the first day of the checks", past=True),
            day("checked_until", "the last day of the checks", required=True, past=True),
            text("level", "the assurance level", hint="For example IAL2"),
            text("checks", "the checks", hint="For example identity document, sanctions, criminal record"),
            number("checked", "the number of people checked"),
            number("failed", "the number of failed checks"),
        ),
        ("Covers freelancers",),
        "12 months from the last check",
        (Order("checked_from", "checked_until", "The last day of the checks must not be before the first"),),
    ),
    Kind(
        "TRN",
        "Training record",
        (
            text("content", "the version of the content"),
            text("population", "the population", hint="Of whom the share is"),
            number("people", "the number of people in it"),
            number("percent", "the share that completed it", hint="In percent"),
            day("completed_on", "the day of the record", required=True, past=True),
        ),
        ("Denominator",),
        "12 months from its day",
    ),
    Kind(
        "ARC",
        "Architecture or data-flow diagram",
        (
            text("version", "the version"),
            text("author", "the author"),
            day("dated_on", "the day of the diagram", required=True, past=True),
        ),
        ("Our data paths", "Gateways", "Tenants"),
        "12 months from its day, or until a material change",
    ),
    Kind(
        "SBOM",
        "Software bill of materials",
        (
            choice("format", "the format", {"spdx": "SPDX", "cyclonedx": "CycloneDX", "vex": "VEX"}),
            text("tool", "the tool"),
            number("components", "the number of components"),
            text("release", "the version of the product"),
            day("made_on", "the day it was made", required=True, past=True),
        ),
        ("It is the deployed build",),
        "90 days, or until the next release",
    ),
    Kind(
        "SCR",
        "Configuration export or screenshot",
        (
            text("system", "the system"),
            text("setting", "the setting"),
            day("taken_on", "the day it was taken", required=True, past=True),
            text("taken_by", "the person who took it"),
        ),
        ("Date visible", "Whole tenant"),
        "90 days from its day",
    ),
    Kind(
        "LOG",
        "Log or sample record",
        (
            text("source", "the source"),
            day("range_from", "the first day of the range", past=True),
            day("range_until", "the last day of the range", required=True, past=True),
            text("redaction", "the redactions"),
        ),
        ("Plausible",),
        "90 days from its last day",
        (Order("range_from", "range_until", "The last day of the range must not be before the first"),),
    ),
    Kind(
        "POL",
        "Policy",
        (
            text("version", "the version"),
            text("approved_by", "the person who approved it"),
            day("approved_on", "the day of approval", required=True, past=True),
            day("next_review_on", "the next review"),
        ),
        ("Applies to freelancers",),
        "Until the next review, or 12 months from approval",
        (Order("approved_on", "next_review_on", "The next review must be after the approval", strict=True),),
    ),
    Kind(
        "CON",
        "Contract excerpt",
        (
            text("clause", "the clause"),
            text("parties", "the parties"),
            day("starts_on", "the first day of the contract", required=True),
            day("ends_on", "the last day of the contract"),
        ),
        ("Matches what is claimed",),
        "For the term of the contract",
        (Order("starts_on", "ends_on", "The last day of the contract must not be before its first"),),
    ),
    Kind(
        "RPT",
        "Other report",
        (
            text("author", "the author"),
            day("dated_on", "the day of the report", required=True, past=True),
        ),
        ("Substance",),
        "12 months from its day",
    ),
    Kind(
        "ATT",
        "Statement by an officer",
        (
            text("name", "the name of the officer"),
            text("position", "the officer’s position"),
            day("dated_on", "the day of the statement", required=True, past=True),
            text("version", "the version of the answers"),
            text("text_sha256", "the fingerprint of the text", hint="SHA-256, 64 characters"),
        ),
        ("The signer’s authority",),
        "12 months from its day, for this version of the answers only",
    ),
)


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {kind.code: replace(kind, fields=(*kind.fields, _DISTRIBUTION)) for kind in (*ASSURANCE, *_OTHERS)}
)
"""The 23 kinds by code, in the order of the list that people choose from."""

RESTRICTED_KINDS: Final = frozenset({"SOC2", "PT"})
"""Reports whose authors limit their readers, whatever is said of them (AT-C 205 for SOC 2)."""

EDITIONS: Final[Mapping[str, str]] = MappingProxyType({"ISO": "2022"})
"""The only edition of a standard to which a certificate can hold; those to ISO/IEC 27001:2013 ended in October 2025."""


def restricted(kind: str, details: Mapping[str, Any]) -> bool:
    """Return whether a file is for few readers: by its kind, or by the limit its author set."""
    return kind in RESTRICTED_KINDS or details.get("distribution") in ("restricted", "nda")


def outdated(kind: str, details: Mapping[str, Any]) -> bool:
    """Return whether a certificate is to an edition that does not hold any more, so that it never counts."""
    edition = details.get("edition")
    return kind in EDITIONS and bool(edition) and str(edition) != EDITIONS[kind]
