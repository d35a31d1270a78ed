"""The kinds of evidence: what we ask of each, what a reviewer must check, how long it holds. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class FieldType(StrEnum):
    """What a field of the metadata holds."""

    TEXT = "text"
    DATE = "date"
    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``the`` is its name in a sentence ("the end of the period"); the label follows from it.

    ``when`` limits it to files whose other field has a value; ``past`` refuses days that have not come yet.
    """

    name: str
    the: str
    type: FieldType = FieldType.TEXT
    required: bool = False
    options: tuple[tuple[str, str], ...] = ()
    when: tuple[str, str] | None = None
    past: bool = False
    hint: str = ""

    @property
    def label(self) -> str:
        """The words beside the field."""
        words = self.the.removeprefix("the ")
        return words[:1].upper() + words[1:]

    @property
    def id(self) -> str:
        """The name of the form field."""
        return f"detail-{self.name}"


@dataclass(frozen=True, slots=True)
class Order:
    """Two dates in their order; ``strict`` if they must differ. ``words`` end in the earlier one's name."""

    earlier: str
    later: str
    words: str
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of evidence (spec/evidence.md)."""

    code: str
    title: str
    fields: tuple[Field, ...]
    checks: tuple[str, ...]
    holds: str
    orders: tuple[Order, ...] = ()

    def field(self, name: str) -> Field:
        """Return a field by its name.

        :raises KeyError: if the kind has no such field.
        """
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(name)


def _text(name: str, the: str, *, required: bool = False, hint: str = "") -> Field:
    return Field(name, the, required=required, hint=hint)


def _day(
    name: str, the: str, *, required: bool = False, past: bool = False, when: tuple[str, str] | None = None
) -> Field:
    return Field(name, the, FieldType.DATE, required=required, past=past, when=when)


def _number(name: str, the: str, *, hint: str = "") -> Field:
    return Field(name, the, FieldType.NUMBER, hint=hint)


def _choice(name: str, the: str, options: Mapping[str, str], *, required: bool = False) -> Field:
    return Field(name, the, FieldType.CHOICE, required=required, options=tuple(options.items()))


_YES_NO = {"yes": "Yes", "no": "No"}
_CERTIFICATE = (
    _text("certificate_no", "the certificate number"),
    _text("body", "the certification body"),
    _text("accreditation", "the accreditation body"),
    _text("scope", "the scope of the certificate"),
    _day("issued_on", "the day of issue", required=True, past=True),
    _day("expires_on", "the day it expires", required=True),
    _day("surveillance_on", "the last surveillance audit", past=True),
)
_CERTIFICATE_ORDERS = (
    Order("issued_on", "expires_on", "The day it expires must be after its issue", strict=True),
    Order("issued_on", "surveillance_on", "The last surveillance audit must not be before the issue"),
)
_TYPE_2, _TYPE_1 = ("report_type", "type2"), ("report_type", "type1")

_ALL = (
    Kind(
        "SOC2",
        "SOC 2 report",
        (
            _choice("report_type", "the type of the report", {"type2": "Type 2", "type1": "Type 1"}, required=True),
            _day("period_start", "the start of the period", required=True, past=True, when=_TYPE_2),
            _day("period_end", "the end of the period", required=True, past=True, when=_TYPE_2),
            _day("as_of", "the day it describes", required=True, past=True, when=_TYPE_1),
            _choice(
                "opinion",
                "the opinion of the auditor",
                {
                    "unqualified": "Unqualified",
                    "qualified": "Qualified",
                    "adverse": "Adverse",
                    "disclaimer": "Disclaimer",
                },
                required=True,
            ),
            _day("opinion_on", "the day of the opinion", past=True),
            _text("auditor", "the auditor"),
            _text("licence", "the auditor’s licence", hint="Number and state"),
            _text("entity", "the legal name in the report"),
            _text("system", "the system the report covers"),
            _text("categories", "the categories", hint="For example Security, Confidentiality"),
            _number("exceptions", "the number of exceptions", hint="Leave empty if you have not counted them"),
            _text("carved_out", "the subservice organisations carved out"),
        ),
        ("Scope", "Auditor", "Exceptions", "Carve-outs"),
        "Type 2: 12 months from the end of the period. Type 1: 6 months from its day",
        (
            Order("period_start", "period_end", "The end of the period must be after its start", strict=True),
            Order("period_end", "opinion_on", "The day of the opinion must not be before the end of the period"),
        ),
    ),
    Kind(
        "BL",
        "Bridge letter",
        (
            _text("issuer", "the company that wrote it"),
            _text("signer", "the officer who signed it"),
            _day("report_end", "the end of the report’s period", required=True, past=True),
            _day("covers_from", "the first day it covers", required=True),
            _day("covers_until", "the last day it covers", required=True),
            _text("changes", "the changes it states"),
        ),
        ("Signed by management", "Changes stated"),
        "Until its last day, at most 3 months after the end of the report",
        (Order("covers_from", "covers_until", "The last day it covers must not be before the first"),),
    ),
    Kind(
        "ISO",
        "ISO/IEC 27001 certificate",
        (
            _choice("edition", "the edition of the standard", {"2022": "2022", "2013": "2013"}, required=True),
            *_CERTIFICATE,
            _text("soa", "the version of the statement of applicability"),
            _text("excluded", "the excluded controls"),
        ),
        ("Accredited body (IAF member)", "Scope covers our service", "Exclusions"),
        "Until it expires, with a surveillance audit in the last 12 months",
        _CERTIFICATE_ORDERS,
    ),
    Kind(
        "ISO42",
        "ISO/IEC 42001 certificate",
        _CERTIFICATE,
        ("Scope",),
        "Until it expires, with a surveillance audit in the last 12 months",
        _CERTIFICATE_ORDERS,
    ),
    Kind(
        "STAR",
        "CSA STAR entry or CAIQ",
        (
            _text("version", "the version of the questionnaire"),
            _choice("level", "the level", {"1": "Level 1", "2": "Level 2"}),
            _text("service", "the service it describes"),
            _day("dated_on", "the day of the entry", required=True, past=True),
        ),
        ("The service is ours", "Answers consistent with ours"),
        "12 months from its day",
    ),
    Kind(
        "PT",
        "Penetration test",
        (
            _text("firm", "the firm that tested"),
            _day("tested_from", "the first day of the test", past=True),
            _day("tested_until", "the last day of the test", required=True, past=True),
            _text("scope", "the scope of the test"),
            _text("method", "the method"),
            _number("critical", "the number of critical findings"),
            _number("high", "the number of high findings"),
            _day("retested_on", "the day of the retest", past=True),
            _number("open", "the number of findings still open"),
        ),
        ("Scope is our platform", "Not a scan report", "Retest within 90 days"),
        "12 months from the end of the test",
        (
            Order("tested_from", "tested_until", "The last day of the test must not be before its first"),
            Order("tested_until", "retested_on", "The day of the retest must not be before the end of the test"),
        ),
    ),
    Kind(
        "VS",
        "Vulnerability scan",
        (
            _text("tool", "the tool"),
            _day("scanned_on", "the day of the scan", required=True, past=True),
            _choice("authenticated", "whether the scan signed in", _YES_NO),
            _text("scope", "the scope of the scan"),
            _number("critical", "the number of critical findings"),
            _day("oldest_critical_on", "the day of the oldest critical finding", past=True),
        ),
        ("Scope", "Authentication"),
        "35 days from the scan",
    ),
    Kind(
        "INS",
        "Insurance certificate",
        (
            _text("insurer", "the insurer"),
            _text("insured", "the insured company"),
            _text("policy_no", "the policy number"),
            _choice("line", "the line", {"cyber": "Cyber", "tech_eo": "Tech E&O", "both": "Cyber and tech E&O"}),
            _text("limit", "the limit per claim and in all", hint="For example 5 M USD"),
            _day("starts_on", "the first day of cover", required=True),
            _day("expires_on", "the day it expires", required=True),
            _text("exclusions", "the exclusions and endorsements", hint="AI, suppliers, war"),
        ),
        ("Named insured", "AI exclusions", "A certificate is not the policy"),
        "Until it expires",
        (Order("starts_on", "expires_on", "The day it expires must be after the first day of cover", strict=True),),
    ),
    Kind(
        "DPA",
        "Data-processing agreement",
        (
            _text("parties", "the parties"),
            _text("version", "the version"),
            _text("roles", "the roles", hint="Controller, processor"),
            _text("transfer", "the transfer tool"),
            _day("signed_on", "the day it was signed", required=True, past=True),
        ),
        ("Annexes filled",),
        "Until it is replaced",
    ),
    Kind(
        "SPL",
        "Sub-processor list",
        (
            _day("as_of", "the day of the list", required=True, past=True),
            _number("entries", "the number of entries"),
        ),
        ("Labour pools and LLM tools included",),
        "90 days from its day",
    ),
    Kind(
        "BCP",
        "Continuity or recovery test",
        (
            _day("tested_on", "the day of the test", required=True, past=True),
            _text("scenario", "the scenario"),
            _text("targets", "the recovery targets and what was reached"),
            _text("gaps", "the gaps"),
        ),
        ("Our service was in the test",),
        "12 months from the test",
    ),
    Kind(
        "IRP",
        "Incident plan and exercise",
        (
            _text("version", "the version of the plan"),
            _day("exercised_on", "the day of the exercise", required=True, past=True),
            _text("scenario", "the scenario"),
            _text("actions", "the actions that followed"),
        ),
        ("Scenario is ours",),
        "12 months from the exercise",
    ),
    Kind(
        "DEL",
        "Deletion certificate",
        (
            _text("datasets", "the data sets"),
            _text("systems", "the systems and copies"),
            _choice(
                "method",
                "the method",
                {"clear": "Clear", "purge": "Purge", "destroy": "Destroy", "crypto_erase": "Crypto-erase"},
            ),
            _day("deleted_on", "the day of deletion", required=True, past=True),
            _text("operator", "the person who deleted"),
            _text("verifier", "the person who verified"),
            _text("exceptions", "the exceptions"),
        ),
        ("Names match the inventory", "Date for the backups"),
        "A lasting record",
    ),
    Kind(
        "VER",
        "Screening and identity proofing",
        (
            _text("provider", "the provider"),
            _text("population", "the population"),
            _day("checked_from", "the first day of the checks", past=True),
            _day("checked_until", "the last day of the checks", required=True, past=True),
            _text("level", "the assurance level", hint="For example IAL2"),
            _number("failed", "the number of failed checks"),
        ),
        ("Covers freelancers",),
        "12 months from the last check",
        (Order("checked_from", "checked_until", "The last day of the checks must not be before the first"),),
    ),
    Kind(
        "TRN",
        "Training record",
        (
            _text("content", "the version of the content"),
            _text("population", "the population"),
            _number("percent", "the share that completed it", hint="In percent"),
            _day("completed_on", "the day of the record", required=True, past=True),
        ),
        ("Denominator",),
        "12 months from its day",
    ),
    Kind(
        "ARC",
        "Architecture or data-flow diagram",
        (
            _text("version", "the version"),
            _text("author", "the author"),
            _day("dated_on", "the day of the diagram", required=True, past=True),
        ),
        ("Our data paths", "Gateways", "Tenants"),
        "12 months from its day, or until a material change",
    ),
    Kind(
        "SBOM",
        "Software bill of materials",
        (
            _choice("format", "the format", {"spdx": "SPDX", "cyclonedx": "CycloneDX", "vex": "VEX"}),
            _text("tool", "the tool"),
            _number("components", "the number of components"),
            _text("release", "the version of the product"),
            _day("made_on", "the day it was made", required=True, past=True),
        ),
        ("It is the deployed build",),
        "90 days, or until the next release",
    ),
    Kind(
        "SCR",
        "Configuration export or screenshot",
        (
            _text("system", "the system"),
            _text("setting", "the setting"),
            _day("taken_on", "the day it was taken", required=True, past=True),
            _text("taken_by", "the person who took it"),
        ),
        ("Date visible", "Whole tenant"),
        "90 days from its day",
    ),
    Kind(
        "LOG",
        "Log or sample record",
        (
            _text("source", "the source"),
            _day("range_from", "the first day of the range", past=True),
            _day("range_until", "the last day of the range", required=True, past=True),
            _text("redaction", "the redactions"),
        ),
        ("Plausible",),
        "90 days from its last day",
        (Order("range_from", "range_until", "The last day of the range must not be before the first"),),
    ),
    Kind(
        "POL",
        "Policy",
        (
            _text("version", "the version"),
            _text("approved_by", "the person who approved it"),
            _day("approved_on", "the day of approval", required=True, past=True),
            _day("next_review_on", "the next review"),
        ),
        ("Applies to freelancers",),
        "Until the next review, or 12 months from approval",
        (Order("approved_on", "next_review_on", "The next review must be after the approval", strict=True),),
    ),
    Kind(
        "CON",
        "Contract excerpt",
        (
            _text("clause", "the clause"),
            _text("parties", "the parties"),
            _day("starts_on", "the first day of the contract", required=True),
            _day("ends_on", "the last day of the contract"),
        ),
        ("Matches what is claimed",),
        "For the term of the contract",
        (Order("starts_on", "ends_on", "The last day of the contract must not be before its first"),),
    ),
    Kind(
        "RPT",
        "Other report",
        (
            _text("author", "the author"),
            _day("dated_on", "the day of the report", required=True, past=True),
        ),
        ("Substance",),
        "12 months from its day",
    ),
    Kind(
        "ATT",
        "Statement by an officer",
        (
            _text("name", "the name of the officer"),
            _text("position", "the officer’s position"),
            _day("dated_on", "the day of the statement", required=True, past=True),
            _text("version", "the version of the answers"),
        ),
        ("The signer’s authority",),
        "12 months from its day, for this version of the answers only",
    ),
)

KINDS: Final[Mapping[str, Kind]] = MappingProxyType({kind.code: kind for kind in _ALL})
"""The 23 kinds by code, in the order of the list that people choose from."""
