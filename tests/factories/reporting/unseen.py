"""Wordings that nobody looks at when patterns are changed: they say how well unknown reports are read."""
# ruff: noqa: E501 - texts are kept whole

from __future__ import annotations

from tests.factories.reporting.facts import NUMBER_WORDS, iso, listed, months_of, ordinal, short_us, uk, us
from tests.factories.reporting.firms import Style, carves, over
from tests.factories.reporting.further import opinions

UNSEEN = (
    Style(
        firm="Kittredge Lowe LLP",
        state="Pennsylvania",
        cover=lambda f: f"SOC 2 Type {f.type} Report\n{f.entity}\n{f.system}\n" + over(f, us, two="{} to {}", one="{}"),
        auditor=lambda f: (
            f"Independent Service Auditor’s Report\nTo the Board of {f.entity}\nScope. We have examined the description {f.entity} gives of its {f.system} "
            + over(f, us, two="throughout the period from {} to {}", one="as of {}")
            + f" and the controls relevant to the {f.named} trust services categories.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion. In our opinion, in all material respects, the controls stated in the description were suitably designed.",
            "Qualified Opinion. In our opinion, except for the matters described in the Basis for Qualified Opinion paragraph, the controls stated in the description were suitably designed.",
            "Adverse Opinion. In our opinion, because of the matters described in the Basis for Adverse Opinion paragraph, the controls were not suitably designed.",
            "Disclaimer of Opinion. Because of the scope limitation described above we do not express an opinion on the description.",
        ),
        signature=lambda f: (
            f"Kittredge Lowe LLP\nPhiladelphia, Pennsylvania\n{us(f.opinion_on)}\nPA Firm License No. AF{f.licence}"
        ),
        assertion=lambda f: f"Assertion of {f.in_two} Management\nThe description meets the criteria.",
        description=lambda f: f"{f.entity}’s Description of the {f.system}",
        tests=lambda f: "Tests of Controls",
    ),
    Style(
        firm="Lomax & Partners",
        state="Manchester",
        cover=lambda f: (
            f"{f.entity}: report on controls (SOC 2, type {'II' if f.type == 2 else 'I'})\n"
            + over(f, uk, two="Covering the period from {} to {}", one="Controls as designed on {}")
        ),
        auditor=lambda f: (
            f"Service auditor’s report\nTo the members of the board of {f.entity}\nOur work related to {f.system} and "
            + over(f, uk, two="the twelve months or less between {} and {}", one="the position on {}")
            + f". Security and other categories examined: {', '.join(f.categories)}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion given: controls were, in all material respects, suitably designed, in our opinion.",
            "Opinion given (qualified): in our opinion and except for the points raised in our basis paragraph, controls were suitably designed.",
            "Opinion given (adverse): in our opinion controls were not suitably designed.",
            "No opinion is given: we could not obtain what we needed.",
        ),
        signature=lambda f: f"Lomax & Partners, Manchester, {uk(f.opinion_on)}\nICAEW registration {f.licence}",
        assertion=lambda f: f"Statement of {f.in_two}\nWe stand by our description.",
        description=lambda f: f"What {f.entity} does and how",
        tests=lambda f: "What was tested, and results",
        passed="No exceptions noted.",
        failed="Exception noted: {}.",
    ),
    Style(
        firm="Marsh Okafor CPAs, LLC",
        state="Maryland",
        cover=lambda f: (
            f"{f.entity}\nReport on Controls at a Service Organization Relevant to {listed(f.categories)}\nSOC 2 Type {'2' if f.type == 2 else '1'}\n"
            + over(f, us, two="For the Period of {} to {}", one="As of {}")
        ),
        auditor=lambda f: (
            f"INDEPENDENT SERVICE AUDITOR’S REPORT\nTo: {f.entity}\nScope\nWe have examined the attached description of the {f.system} "
            + over(f, us, two="for the period of {} to {}", one="as of {}")
            + f" (the Description), relating to {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nIn our opinion, in all material respects, the Description presents the system that was designed and implemented.",
            "Qualified Opinion\nIn our opinion, except for the effects of the matter discussed in the preceding section, in all material respects, the Description presents the system.",
            "Adverse Opinion\nIn our opinion, because of the significance of the matter discussed in the preceding section, the Description does not present the system.",
            "Disclaimer of Opinion\nBecause of the significance of the matter discussed in the preceding section, we do not express an opinion.",
        ),
        signature=lambda f: (
            f"Marsh Okafor CPAs, LLC\nBaltimore, Maryland\nMaryland license number {f.licence}\n{us(f.opinion_on)}"
        ),
        assertion=lambda f: f"ASSERTION OF {f.in_two.upper()}\n{f.in_two} has prepared the Description.",
        description=lambda f: f"DESCRIPTION OF {f.entity.upper()}’S SYSTEM",
        tests=lambda f: "TRUST SERVICES CRITERIA AND TEST RESULTS",
    ),
    Style(
        firm="Nettleton Risk Assurance, LLP",
        state="Virginia",
        cover=lambda f: (
            f"SOC 2® Report\nType {f.type}\n{f.entity}\n"
            + over(f, us, two=f"{NUMBER_WORDS.get(months_of(f), 'Twelve').capitalize()} Months Ended {{1}}", one="{}")
        ),
        auditor=lambda f: (
            f"Report of Independent Service Auditor\n{f.entity} Management\nWe have examined {f.short}’s {f.system}; its controls were assessed "
            + over(f, us, two="over the period commencing {} and terminating {}", one="as of {}")
            + f". Categories: {'; '.join(f.categories)}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion: The description and controls are, in our opinion, in keeping with the criteria in all material respects.",
            "Qualified opinion: The description and controls are, in our opinion, in keeping with the criteria, except for what is stated in the basis for our qualified opinion.",
            "Adverse opinion: The description and controls are, in our opinion, not in keeping with the criteria.",
            "Disclaimer of opinion: We were unable to obtain sufficient evidence, and we express no opinion.",
        ),
        signature=lambda f: (
            f"Nettleton Risk Assurance, LLP\nRichmond, Virginia\n{short_us(f.opinion_on)}\nVirginia CPA License {f.licence}"
        ),
        assertion=lambda f: f"Management’s Assertion — {f.in_two}\nControls were in place.",
        description=lambda f: f"Overview of {f.system}",
        tests=lambda f: "Controls and Test Results",
        passed="No deviations noted.",
        failed="Deviation noted: {}.",
    ),
    Style(
        firm="Oakhurst Attest Group, P.A.",
        state="North Carolina",
        cover=lambda f: (
            f"{f.system}\nA service of {f.entity}\nType {f.type} SOC 2 Report\n"
            + over(f, iso, two="{} through {}", one="{}")
        ),
        auditor=lambda f: (
            f"SECTION I\nINDEPENDENT SERVICE AUDITOR’S REPORT\nTo the Stakeholders of {f.entity}\nWe have performed an examination of {f.system} "
            + over(f, iso, two="for the period {} through {}", one="as of {}")
            + f". Trust services categories: {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "OPINION\nIn our opinion, in all material respects, controls were in place and effective.",
            "QUALIFIED OPINION\nIn our opinion, except for the matter described in the prior paragraph, controls were in place and effective.",
            "ADVERSE OPINION\nIn our opinion, controls were neither in place nor effective.",
            "DISCLAIMER OF OPINION\nWe do not express an opinion on the controls.",
        ),
        signature=lambda f: (
            f"Oakhurst Attest Group, P.A.\nRaleigh, North Carolina\n{iso(f.opinion_on)}\nFirm ID {f.licence}"
        ),
        assertion=lambda f: f"SECTION II\nMANAGEMENT’S ASSERTION\n{f.in_two} asserts that controls were in place.",
        description=lambda f: f"SECTION III\n{f.entity.upper()}",
        tests=lambda f: "SECTION IV\nRESULTS",
    ),
    Style(
        firm="Prewitt Saint, LLC",
        state="Oregon",
        cover=lambda f: (
            f"{f.entity} | SOC 2 Type {f.type}\n" + over(f, us, two="Audit period {} to {}", one="Audit date {}")
        ),
        auditor=lambda f: (
            f"Independent Service Auditor’s Report\nManagement, {f.entity}\nThe system: {f.system}. "
            + over(f, us, two="The audit window ran from {} to {}.", one="We looked at the system on {}.")
            + f" It is measured against {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "The opinion: in our opinion, all is as described in every material respect.",
            "The opinion: in our opinion, all is as described in every material respect other than the matter above. We qualify our opinion so far.",
            "The opinion: in our opinion, the system is not as described; ours is an adverse opinion.",
            "The opinion: none. We disclaim.",
        ),
        signature=lambda f: f"Prewitt Saint, LLC — Portland, Oregon — {us(f.opinion_on)}",
        assertion=lambda f: f"Assertion\n{f.in_two} says that all is as described.",
        description=lambda f: f"The system of {f.entity}",
        tests=lambda f: "Results",
        failed="Issue: {}.",
        licence_said=False,
        exceptions_counted=False,
    ),
    Style(
        firm="Quarterman & Yole, CPAs",
        state="Nevada",
        cover=lambda f: (
            f"{f.entity}\nSOC 2 Type {'II' if f.type == 2 else 'I'}\n"
            + over(f, us, two="Review Period: {} through {}", one="Review Date: {}")
        ),
        auditor=lambda f: (
            f"Independent Service Auditor’s Report\nTo the Management of {f.entity}\nWe have examined {f.entity}’s description of its {f.system} "
            + over(f, us, two="throughout the review period {} through {}", one="as of {}")
            + f", and controls relevant to {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nIn our opinion, in all material respects, the description presents the system throughout the review period.",
            "Opinion\nIn our opinion, except for the matter described in the section titled Basis for Qualified Opinion, the description presents the system.",
            "Opinion\nIn our opinion, for the reasons given in the section titled Basis for Adverse Opinion, the description does not present the system.",
            "Opinion\nFor the reasons given in the section titled Basis for Disclaimer of Opinion, we do not express an opinion.",
        ),
        signature=lambda f: (
            f"Quarterman & Yole, CPAs\nNevada Firm License: PART-{f.licence}\nReno, Nevada\n{us(f.opinion_on)}"
        ),
        assertion=lambda f: f"Management of {f.in_two}’s Assertion\nThe description presents the system.",
        description=lambda f: f"Description of the {f.entity} System",
        tests=lambda f: "Testing Performed by the Service Auditor",
    ),
    Style(
        firm="Rookwood Trust Assurance Limited",
        state="Edinburgh",
        cover=lambda f: (
            f"Type {f.type} SOC 2 assurance report for {f.entity}\n"
            + over(f, uk, two="Period under review {} to {}", one="Date under review {}")
        ),
        auditor=lambda f: (
            f"Independent assurance report\nTo {f.entity}\nWe examined {f.system} "
            + over(f, ordinal, two="from {} until {}", one="on the {}")
            + f" against the criteria for {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nIn our opinion the controls were suitably designed in all material respects.",
            "Qualified opinion\nIn our opinion, except for the instance described below, the controls were suitably designed in all material respects.",
            "Adverse opinion\nIn our opinion the controls were not suitably designed in the respects described below.",
            "Disclaimer of opinion\nWe do not express an opinion because the records were lost.",
        ),
        signature=lambda f: (
            f"Rookwood Trust Assurance Limited\nEdinburgh, {uk(f.opinion_on)}\nRegistration number SA{f.licence}"
        ),
        assertion=lambda f: f"Statement of management\n{f.in_two} has described its system.",
        description=lambda f: f"The system: {f.system}",
        tests=lambda f: "Tests carried out and results",
        passed="No exception noted.",
        failed="Exception noted: {}.",
    ),
    Style(
        firm="Sable Winthrop LLP",
        state="Massachusetts",
        cover=lambda f: (
            f"{f.entity}\n{f.system} System\nSOC 2 Type {f.type}\n"
            + over(f, us, two="Throughout the Period {} through {}", one="As of {}")
        ),
        auditor=lambda f: (
            f"INDEPENDENT SERVICE AUDITOR’S REPORT\nTo the Management of {f.entity}\nScope\nWe have examined {f.entity}’s (the “Service Organization”) description titled “{f.system}” "
            + over(f, us, two="throughout the period {} through {}", one="as of {}")
            + f" with regard to {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nIn our opinion, in all material respects,\na. the description presents the system;\nb. the controls were suitably designed.",
            "Qualified Opinion\nIn our opinion, except for the matters described in the Basis for Qualified Opinion section of our report, in all material respects,\na. the description presents the system.",
            "Adverse Opinion\nIn our opinion, because of the significance of the matters described in the Basis for Adverse Opinion section of our report,\na. the description does not present the system.",
            "Disclaimer of Opinion\nWe do not express an opinion on\na. the description;\nb. the controls.",
        ),
        signature=lambda f: (
            f"Sable Winthrop LLP\nBoston, Massachusetts\n{us(f.opinion_on)}\nLicense No. {f.licence} (MA)"
        ),
        assertion=lambda f: f"{f.in_two}’S ASSERTION\nWe have prepared the accompanying description.",
        description=lambda f: f"{f.entity.upper()}’S DESCRIPTION OF ITS SYSTEM",
        tests=lambda f: "DESCRIPTION OF CRITERIA, CONTROLS, TESTS AND RESULTS",
    ),
    Style(
        firm="Thorngate Examiners, Inc.",
        state="New Jersey",
        cover=lambda f: f"{f.entity}\nSOC 2\nType {f.type}\n" + over(f, us, two="Start: {}\nEnd: {}", one="Date: {}"),
        auditor=lambda f: (
            f"Examiner’s report\nEntity: {f.entity}\nSystem: {f.system}\n"
            + over(f, us, two="Beginning of period: {}\nEnd of period: {}", one="Date of examination: {}")
            + f"\nCategories: {', '.join(f.categories)}\n{carves(f)}"
        ),
        opinion=opinions(
            "Type of opinion: unqualified",
            "Type of opinion: qualified",
            "Type of opinion: adverse",
            "Type of opinion: disclaimer",
        ),
        signature=lambda f: (
            f"Examiner: Thorngate Examiners, Inc.\nLicense: {f.licence}\nDate of opinion: {us(f.opinion_on)}"
        ),
        assertion=lambda f: f"Assertion of management\nEntity: {f.in_two}",
        description=lambda f: "The system",
        tests=lambda f: "Table of results",
        passed="No exceptions noted",
        failed="Exception noted: {}",
    ),
    Style(
        firm="Umbra Finch PLLC",
        state="Texas",
        cover=lambda f: f"{f.entity} SOC 2 Type {f.type}\nThis report covers " + over(f, us, two="{} to {}", one="{}"),
        auditor=lambda f: (
            f"Independent Service Auditor’s Report\nDear Management of {f.entity}:\nThis report is on the {f.system}, examined "
            + over(f, us, two="with a start date of {} and an end date of {}", one="as of {}")
            + f", on {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nWe believe and it is our opinion that, in all material respects, the description is accurate.",
            "Qualified Opinion\nWe believe and it is our opinion that, except for the finding above, the description is accurate.",
            "Adverse Opinion\nWe believe and it is our opinion that the description is inaccurate.",
            "Disclaimer of Opinion\nNo opinion can be given by us.",
        ),
        signature=lambda f: f"Umbra Finch PLLC\nHouston, TX\nTexas license {f.licence}\n{us(f.opinion_on)}",
        assertion=lambda f: f"Assertion of Management\n{f.in_two} believes the description is accurate.",
        description=lambda f: f"Description of {f.entity}",
        tests=lambda f: "Testing",
    ),
    Style(
        firm="Vantage Orme Assurance",
        state="Toronto",
        cover=lambda f: (
            f"{f.entity}\nService auditor’s report, SOC 2 type {f.type}\n" + over(f, uk, two="{} to {}", one="{}")
        ),
        auditor=lambda f: (
            f"Independent practitioner’s report\nTo the audit committee of {f.entity}\nWe undertook a reasonable assurance engagement on the {f.system} "
            + over(f, us, two="for the reporting period {} to {}", one="as at {}")
            + f" for {f.named}.\n{carves(f)}"
        ),
        opinion=opinions(
            "Opinion\nIn our opinion, the description of the controls is, in all material respects, fairly stated.",
            "Qualified opinion\nIn our opinion, except for the effects of the deficiency reported above, the description of the controls is fairly stated.",
            "Adverse opinion\nIn our opinion, given the deficiency reported above, the description of the controls is not fairly stated.",
            "Disclaimer of opinion\nWe do not express an opinion on the description.",
        ),
        signature=lambda f: (
            f"Vantage Orme Assurance\nChartered Professional Accountants, Licensed Public Accountants\nToronto, Canada\n{us(f.opinion_on)}"
        ),
        assertion=lambda f: f"Management’s statement of {f.in_two}\nThe description is fairly stated.",
        description=lambda f: f"Description of the system of {f.entity}",
        tests=lambda f: "Test results",
        failed="Exceptions noted: {}.",
        licence_said=False,
    ),
)
