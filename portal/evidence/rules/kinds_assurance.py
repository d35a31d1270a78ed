"""The kinds that somebody outside stands behind: reports, letters, certificates, tests, insurance. Pure."""

from __future__ import annotations

from typing import Final

from portal.evidence.rules.fields import (
    Column,
    FieldType,
    Kind,
    Order,
    choice,
    day,
    long,
    money,
    multi,
    number,
    table,
    text,
)

YES_NO: Final = {"yes": "Yes", "no": "No"}
METHODS: Final = {"carve_out": "Carved out", "inclusive": "Included"}
CATEGORIES: Final = {
    "security": "Security",
    "availability": "Availability",
    "confidentiality": "Confidentiality",
    "processing_integrity": "Processing integrity",
    "privacy": "Privacy",
}
OPINIONS: Final = {
    "unqualified": "Unqualified",
    "qualified": "Qualified",
    "adverse": "Adverse",
    "disclaimer": "Disclaimer",
}
NO_EXCEPTIONS, SOME_EXCEPTIONS = "none", "some"
_TYPE_2, _TYPE_1 = ("report_type", "type2"), ("report_type", "type1")
_ROW = Column("id", "the row", FieldType.ID)

EXCEPTION_ROWS: Final = table(
    "exception_rows",
    "the exceptions, one by one",
    (
        _ROW,
        Column("control", "the control", required=True, hint="As the report numbers it"),
        Column("criterion", "the criterion", hint="For example CC6.2"),
        Column("text", "what the auditor found", FieldType.LONG, required=True),
        Column("rate", "the deviation", hint="For example 2 of 25"),
        Column("response", "the management’s response", FieldType.LONG),
        Column("questions", "the questions it touches", hint="Their numbers, for example 7.2, 7.4"),
    ),
    hint="One row for each exception in the tests of controls",
    apart=True,
)
CARVE_OUT_ROWS: Final = table(
    "carve_out_rows",
    "the subservice organisations",
    (
        _ROW,
        Column("organisation", "the organisation", required=True),
        Column("purpose", "what it is used for"),
        Column("method", "how the report treats it", FieldType.CHOICE, required=True, options=tuple(METHODS.items())),
    ),
    hint="Each company that the system leans on. Carved out: the report leaves its controls out",
    apart=True,
)
CONTROL_ROWS: Final = table(
    "user_control_rows",
    "the complementary user entity controls",
    (
        _ROW,
        Column("text", "what the report leaves to its users", FieldType.LONG, required=True),
        Column("criterion", "the criterion"),
    ),
    hint="One row for each control that the report expects of its readers",
    apart=True,
)

_CERTIFICATE: Final = (
    text("certificate_no", "the certificate number"),
    text("body", "the certification body"),
    text("accreditation", "the accreditation body", hint="A member of the IAF"),
    text("entity", "the certified company"),
    long("scope", "the scope of the certificate", hint="As it is printed on the certificate"),
    long("sites", "the sites"),
    day("issued_on", "the day of issue", required=True, past=True),
    day("expires_on", "the day it expires", required=True),
    day("surveillance_on", "the last surveillance audit", past=True),
)
_CERTIFICATE_ORDERS: Final = (
    Order("issued_on", "expires_on", "The day it expires must be after its issue", strict=True),
    Order("issued_on", "surveillance_on", "The last surveillance audit must not be before the issue"),
)
_APPLICABILITY: Final = (
    text("soa", "the version of the statement of applicability"),
    table(
        "excluded_controls",
        "the excluded controls",
        (
            Column("control", "the control", required=True, hint="For example A.7.4"),
            Column("reason", "the reason", FieldType.LONG),
        ),
    ),
)

SOC2: Final = Kind(
    "SOC2",
    "SOC 2 report",
    (
        choice("report_type", "the type of the report", {"type2": "Type 2", "type1": "Type 1"}, required=True),
        day("period_start", "the start of the period", required=True, past=True, when=_TYPE_2),
        day("period_end", "the end of the period", required=True, past=True, when=_TYPE_2),
        day("as_of", "the day it describes", required=True, past=True, when=_TYPE_1),
        day("promised_on", "the day the Type 2 report is promised for", when=_TYPE_1),
        choice("opinion", "the opinion of the auditor", OPINIONS, required=True),
        day("opinion_on", "the day of the opinion", past=True),
        text("auditor", "the auditor"),
        text("licence_no", "the auditor’s licence number"),
        text("licence_state", "the state or body of the licence", hint="For example Oregon"),
        text("standard", "the standard of the report", hint="For example AT-C 105 and AT-C 205"),
        text("entity", "the legal name in the report"),
        choice("assertion", "whether the management’s assertion is in the report", YES_NO),
        text("assertion_entity", "the legal name in the management’s assertion"),
        text("assertion_signer", "the person who signed the assertion"),
        text("system", "the system the report covers"),
        long("locations", "the locations"),
        multi("categories", "the categories", CATEGORIES),
        text("criteria", "the criteria in scope", hint="For example CC1.1 to CC9.2, C1.1, C1.2"),
        choice(
            "subservice_method",
            "how subservice organisations are treated",
            {"carve_out": "Carved out", "inclusive": "Included", "both": "Some carved out, some included"},
        ),
        CARVE_OUT_ROWS,
        choice(
            "exceptions_listed",
            "whether the report lists exceptions",
            {NO_EXCEPTIONS: "It lists no exceptions", SOME_EXCEPTIONS: "It lists exceptions"},
            hint="Leave open until somebody has read the tests of controls",
        ),
        number("exceptions", "the number of exceptions", hint="Leave empty if you have not counted them"),
        EXCEPTION_ROWS,
        CONTROL_ROWS,
        long("incidents", "the incidents it discloses"),
        choice("other_information", "whether it has a part that is not audited", YES_NO, hint="Often Section V"),
    ),
    ("Scope", "Auditor", "Exceptions", "Carve-outs"),
    "Type 2: 12 months from the end of the period. Type 1: 6 months from its day, or until the promised Type 2",
    (
        Order("period_start", "period_end", "The end of the period must be after its start", strict=True),
        Order("period_end", "opinion_on", "The day of the opinion must not be before the end of the period"),
        Order("as_of", "opinion_on", "The day of the opinion must not be before the day it describes"),
        Order("as_of", "promised_on", "The promised day must be after the day it describes", strict=True),
    ),
    (
        ("report_type", "Type, time and opinion"),
        ("auditor", "The auditor"),
        ("entity", "Company and scope"),
        ("subservice_method", "Who else stands behind it"),
        ("exceptions_listed", "Exceptions"),
        ("user_control_rows", "What it leaves to its readers"),
        ("incidents", "The rest of the report"),
        ("distribution", "Who may read it"),
    ),
)

BRIDGE: Final = Kind(
    "BL",
    "Bridge letter",
    (
        text("issuer", "the company that wrote it"),
        text("signer", "the officer who signed it"),
        day("signed_on", "the day it was signed", past=True),
        day("report_end", "the end of the report’s period", required=True, past=True),
        day(
            "covers_from",
            "the first day it covers",
            required=True,
            hint="The day after the end of the report, or of the letter before this one",
        ),
        day("covers_until", "the last day it covers", required=True),
        day("next_start", "the start of the next period", hint="Without it the letter does not bridge"),
        text("next_auditor", "the auditor of the next period", hint="Without it the letter does not bridge"),
        long("changes", "the changes it states"),
    ),
    ("Signed by management", "Changes stated"),
    "Until its last day, at most 3 months after it takes over",
    (
        Order("covers_from", "covers_until", "The last day it covers must not be before the first"),
        Order("report_end", "next_start", "The start of the next period must be after the report’s end", strict=True),
    ),
)

ISO: Final = Kind(
    "ISO",
    "ISO/IEC 27001 certificate",
    (
        choice("edition", "the edition of the standard", {"2022": "2022", "2013": "2013"}, required=True),
        *_CERTIFICATE,
        *_APPLICABILITY,
    ),
    ("Accredited body (IAF member)", "Scope covers our service", "Exclusions"),
    "Until it expires, with a surveillance audit in the last 12 months; only the 2022 edition holds",
    _CERTIFICATE_ORDERS,
)

ISO42: Final = Kind(
    "ISO42",
    "ISO/IEC 42001 certificate",
    (choice("edition", "the edition of the standard", {"2023": "2023"}), *_CERTIFICATE, *_APPLICABILITY),
    ("Scope",),
    "Until it expires, with a surveillance audit in the last 12 months",
    _CERTIFICATE_ORDERS,
)

STAR: Final = Kind(
    "STAR",
    "CSA STAR entry or CAIQ",
    (
        text("version", "the version of the questionnaire"),
        choice("level", "the level", {"1": "Level 1", "2": "Level 2"}),
        text("service", "the service it describes"),
        day("dated_on", "the day of the entry", required=True, past=True),
    ),
    ("The service is ours", "Answers consistent with ours"),
    "12 months from its day",
)

PENETRATION: Final = Kind(
    "PT",
    "Penetration test",
    (
        text("firm", "the firm that tested"),
        text("tester", "the person who led the test"),
        day("tested_from", "the first day of the test", past=True),
        day("tested_until", "the last day of the test", required=True, past=True),
        multi("covered", "what was tested", {"hosts": "Hosts", "app": "Application", "isolation": "Tenant isolation"}),
        long("scope", "the scope of the test"),
        text("method", "the method"),
        number("critical", "the number of critical findings"),
        number("high", "the number of high findings"),
        number("medium", "the number of medium findings"),
        number("low", "the number of low findings"),
        day("retested_on", "the day of the retest", past=True),
        number("open", "the number of findings still open"),
    ),
    ("Scope is our platform", "Not a scan report", "Retest within 90 days"),
    "12 months from the end of the test",
    (
        Order("tested_from", "tested_until", "The last day of the test must not be before its first"),
        Order("tested_until", "retested_on", "The day of the retest must not be before the end of the test"),
    ),
)

SCAN: Final = Kind(
    "VS",
    "Vulnerability scan",
    (
        text("tool", "the tool"),
        day("scanned_on", "the day of the scan", required=True, past=True),
        choice("authenticated", "whether the scan signed in", YES_NO),
        long("scope", "the scope of the scan"),
        number("critical", "the number of critical findings"),
        number("high", "the number of high findings"),
        number("medium", "the number of medium findings"),
        number("low", "the number of low findings"),
        day("oldest_critical_on", "the day of the oldest critical finding", past=True),
    ),
    ("Scope", "Authentication"),
    "35 days from the scan",
    (Order("oldest_critical_on", "scanned_on", "The day of the scan must not be before its oldest critical finding"),),
)

INSURANCE: Final = Kind(
    "INS",
    "Insurance certificate",
    (
        text("insurer", "the insurer"),
        text("insured", "the insured company"),
        text("policy_no", "the policy number"),
        choice("line", "the line", {"cyber": "Cyber", "tech_eo": "Tech E&O", "both": "Cyber and tech E&O"}),
        money("limit_claim", "the limit per claim", hint="For example 5,000,000 or 5 M"),
        money("limit_aggregate", "the limit in all"),
        money("retention", "the retention", hint="What the insured company bears itself"),
        day("starts_on", "the first day of cover", required=True),
        day("expires_on", "the day it expires", required=True),
        table(
            "exclusion_rows",
            "the exclusions and endorsements",
            (
                Column(
                    "about",
                    "what it is about",
                    FieldType.CHOICE,
                    required=True,
                    options=(("ai", "AI"), ("supplier", "Suppliers"), ("war", "War"), ("other", "Something else")),
                ),
                Column(
                    "effect",
                    "its effect",
                    FieldType.CHOICE,
                    required=True,
                    options=(("excludes", "Excludes"), ("limits", "Limits"), ("includes", "Covers expressly")),
                ),
                Column("text", "the wording", FieldType.LONG),
            ),
            hint="AI, suppliers and war first: those decide whether the cover is worth its limit",
        ),
        choice("additional_insured", "whether we are an additional insured", YES_NO),
    ),
    ("Named insured", "AI exclusions", "A certificate is not the policy"),
    "Until it expires",
    (Order("starts_on", "expires_on", "The day it expires must be after the first day of cover", strict=True),),
)

ASSURANCE: Final = (SOC2, BRIDGE, ISO, ISO42, STAR, PENETRATION, SCAN, INSURANCE)
"""In the order of the list that people choose from."""
