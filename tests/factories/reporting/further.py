"""Wordings that the patterns were not written for at first: measured as they were found, then learned from."""
# ruff: noqa: E501 - texts are kept whole

from __future__ import annotations

from collections.abc import Callable

from tests.factories.reporting.facts import NUMBER_WORDS, Facts, iso, listed, months_of, nth, short_us, uk, us
from tests.factories.reporting.firms import Style, carves, over


def opinions(good: str, limited: str, bad: str, none: str) -> dict[str, Callable[[Facts], str]]:
    """One text a kind of opinion; it may name the facts as f."""
    texts = {"unqualified": good, "qualified": limited, "adverse": bad, "disclaimer": none}
    return {kind: (lambda f, text=text: text.format(f=f)) for kind, text in texts.items()}


ASHGROVE = Style(
    firm="Ashgrove CPA Group",
    state="Georgia",
    cover=lambda f: (
        f"{f.entity}\nSOC 2 Type {'II' if f.type == 2 else 'I'} Examination\n{over(f, us, two='Examination period: {} - {}', one='Examination date: {}')}"
    ),
    auditor=lambda f: (
        f"Section 1: Independent Auditor’s Report\nAttention: {f.entity}\nDescription of the engagement. At your request we examined the system known as {f.system} "
        + over(f, us, two="over the review period that started on {} and concluded on {}", one="in its state on {}")
        + f". The Trust Services Categories covered: {' / '.join(f.categories)}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Auditor’s conclusion. It is our opinion that the description is fair and that controls were designed and worked as needed, in all material respects.",
        "Auditor’s conclusion. It is our opinion that, with the exception of the matter below, the description is fair in all material respects. Our opinion is qualified in this respect.",
        "Auditor’s conclusion. It is our opinion that the description is not fair and that controls were not effective. This is an adverse opinion.",
        "Auditor’s conclusion. We were prevented from doing our tests. We therefore disclaim an opinion.",
    ),
    signature=lambda f: (
        f"Signed: Ashgrove CPA Group\nFirm permit {f.licence}, State of Georgia\nDated: {us(f.opinion_on)}"
    ),
    assertion=lambda f: (
        f"Section 2: {f.in_two} Assertion\nWe, the management of {f.in_two}, assert that the description is fair."
    ),
    description=lambda f: f"Section 3: System Narrative of {f.entity}",
    tests=lambda f: "Section 4: Testing Matrices",
    passed="No relevant exceptions noted.",
    failed="Exception identified: {}.",
)

BELLAMY = Style(
    firm="Bellamy Stroud & Co.",
    state="Illinois",
    cover=lambda f: (
        f"Service Organization Control 2 Report, Type {f.type}\n{f.system}\nprepared for {f.entity}\n"
        + over(
            f,
            us,
            two="For the year ended {1}"
            if months_of(f) == 12
            else "For the " + NUMBER_WORDS.get(months_of(f), "several") + " months ended {1}",
            one="At {}",
        )
    ),
    auditor=lambda f: (
        f"Independent Service Auditors’ Report\nTo {f.entity} (the “Company”):\nWe have examined management’s description of the {f.system} "
        + over(f, us, two="covering {} through {}", one="at {}")
        + f" and the related controls for the {f.named} categories.\n{carves(f)}"
    ),
    opinion=opinions(
        "OPINION\nIn our opinion, the description fairly presents the Company’s system; the controls were suitably designed; and they operated effectively, where tested.",
        "OPINION — QUALIFIED\nIn our opinion, save for the matter described above, the description fairly presents the Company’s system.",
        "OPINION — ADVERSE\nIn our opinion, because of the pervasive matter described above, the description does not fairly present the Company’s system.",
        "NO OPINION EXPRESSED\nThe scope of our work was not sufficient to enable us to express, and we do not express, an opinion.",
    ),
    signature=lambda f: f"BELLAMY STROUD & CO.\nChicago, Illinois, {us(f.opinion_on)}\nIllinois License {f.licence}",
    assertion=lambda f: f"Management of {f.in_two}’s Assertion\nThe description of {f.in_two} covers the whole period.",
    description=lambda f: f"{f.entity}: description of services",
    tests=lambda f: "Description of tests and results",
    passed="Results: none.",
    failed="Results: exception. {}.",
)

CINDER = Style(
    firm="Cinder Hill Attest LLC",
    state="Utah",
    cover=lambda f: f"{f.short} SOC 2 Report\n" + over(f, iso, two="Type 2 | {} → {}", one="Type 1 | {}"),
    auditor=lambda f: (
        f"I. INDEPENDENT SERVICE AUDITOR’S REPORT\n{f.entity}\nWe examined the {f.system} of {f.entity}. "
        + over(
            f,
            us,
            two="The examination covers the period starting {} and ending {}.",
            one="The examination covers the system on {}.",
        )
        + f" In scope: {listed(f.categories)}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Opinion. In our opinion, in all material respects, what is described was in place. This opinion is unmodified.",
        "Modified opinion (qualified). In our opinion, except as noted in the basis paragraph, what is described was in place.",
        "Modified opinion (adverse). In our opinion, what is described was not in place.",
        "Modified opinion (disclaimer). We are unable to express an opinion.",
    ),
    signature=lambda f: (
        f"Cinder Hill Attest LLC, Salt Lake City, Utah\nReport date: {us(f.opinion_on)}\nFirm license: {f.licence}-2603 (UT)"
    ),
    assertion=lambda f: f"II. ASSERTION OF {f.in_two.upper()}\nManagement is responsible for the description.",
    description=lambda f: f"III. DESCRIPTION OF {f.system.upper()}",
    tests=lambda f: "IV. CONTROL ACTIVITIES AND RESULTS",
    passed="Pass",
    failed="Fail: {}.",
    exceptions_counted=False,
)

DUNMORE = Style(
    firm="Dunmore Vale Chartered Accountants",
    state="Dublin",
    cover=lambda f: (
        f"SOC 2 Report (Type {f.type})\n{f.entity}\n" + over(f, uk, two="{} to {} inclusive", one="Position at {}")
    ),
    auditor=lambda f: (
        f"Independent service auditor’s assurance report\nTo the management of {f.entity}\nWe report on the design and operation of controls over {f.system} "
        + over(f, uk, two="in the period from {} up to and including {}", one="on {}")
        + f", with reference to the criteria for {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Our opinion has been formed on the basis of the matters outlined in this report. In our opinion, in all material respects the controls were suitably designed.",
        "Our opinion has been formed on the basis of the matters outlined in this report. In our opinion, apart from the matters in the section headed Basis of qualification, the controls were suitably designed. (Qualified)",
        "Our opinion has been formed on the basis of the matters outlined in this report. In our opinion the controls were not suitably designed. (Adverse)",
        "We have not formed an opinion, as we could not obtain the evidence we need.",
    ),
    signature=lambda f: (
        f"Dunmore Vale Chartered Accountants\nStatutory audit firm {f.licence}\nDublin\n{nth(f.opinion_on.day)} {uk(f.opinion_on).split(' ', 1)[1]}"
    ),
    assertion=lambda f: f"Management statement\n{f.in_two} confirms the description.",
    description=lambda f: f"The system of {f.entity}",
    tests=lambda f: "Tests and results",
    passed="No exceptions were found.",
    failed="One exception was found. {}.",
)

ELDER = Style(
    firm="Elder Fairbanks PLLC",
    state="Washington",
    cover=lambda f: (
        f"REPORT ON {f.entity.upper()}\nSOC 2 TYPE {f.type}\n"
        + over(f, us, two="FROM {} THROUGH {}", one="AS OF {}").upper()
    ),
    auditor=lambda f: (
        f"SECTION ONE\nINDEPENDENT SERVICE AUDITOR’S REPORT\nTo Management of {f.entity}\nWe have examined {f.entity}’s description of its system entitled {f.system} "
        + over(f, us, two="for the period {} - {}", one="as of {}")
        + f" (TSC relevant to {f.named}).\n{carves(f)}"
    ),
    opinion=opinions(
        "Opinion\nBased on the procedures we performed, in our opinion and in all material respects, the description and the controls meet the criteria.",
        "Qualified Opinion\nBased on the procedures we performed, in our opinion, except for the effect of the matters named in the Basis section, the description and the controls meet the criteria.",
        "Adverse Opinion\nBased on the procedures we performed, the description and the controls do not meet the criteria.",
        "Disclaimer\nWe do not express an opinion on the description and the controls.",
    ),
    signature=lambda f: f"Elder Fairbanks PLLC\nSeattle, WA\n{short_us(f.opinion_on)}",
    assertion=lambda f: f"SECTION TWO\nASSERTION OF MANAGEMENT OF {f.in_two.upper()}\n{f.in_two} makes this assertion.",
    description=lambda f: f"SECTION THREE\n{f.entity.upper()}’S DESCRIPTION",
    tests=lambda f: "SECTION FOUR\nTESTS OF CONTROLS",
    passed="No exceptions noted.",
    failed="Exception noted. {}.",
    licence_said=False,
)

FENWICK = Style(
    firm="Fenwick Tolliver LLP",
    state="California",
    cover=lambda f: (
        f"{f.entity}\nSOC 2® — SOC for Service Organizations: Trust Services Criteria\nType {f.type}\n"
        + over(f, us, two="Throughout the Period {} to {}", one="As of {}")
    ),
    auditor=lambda f: (
        f"Independent Service Auditor’s Report\nBoard of Directors and Management\n{f.entity}\nScope\nWe have examined management of {f.short}’s assertion and the description of the {f.system}, "
        + over(f, us, two="which was in use from {} until {}", one="as it stood on {}")
        + f". Applicable categories: {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Opinion\nIn our opinion, management’s assertion is fairly stated in all material respects.",
        "Opinion\nIn our opinion, except for the matter giving rise to our qualification, management’s assertion is fairly stated in all material respects.",
        "Opinion\nIn our opinion, management’s assertion is not fairly stated.",
        "Opinion\nWe were not able to reach an opinion and do not give one.",
    ),
    signature=lambda f: (
        f"Fenwick Tolliver LLP\nSan Francisco, California\nCalifornia license {f.licence}\nThe date of this report is {us(f.opinion_on)}."
    ),
    assertion=lambda f: (
        f"Management’s Assertion Regarding Its System\n{f.in_two} asserts that the description is fair."
    ),
    description=lambda f: f"Description of the System of {f.entity}",
    tests=lambda f: "Testing performed and results of testing",
    failed="Exceptions noted. {}.",
)

GALT = Style(
    firm="Galt & Summers, Certified Public Accountants",
    state="New York",
    cover=lambda f: (
        f"A SOC 2 report of type {f.type}\n{f.entity}\n"
        + over(f, short_us, two="Report period {} – {}", one="Report date {}")
    ),
    auditor=lambda f: (
        f"Report of the independent accountants\n{f.entity}\nSubject matter: {f.system}. "
        + over(f, us, two="Period covered: {} to {}", one="Date covered: {}")
        + f". Criteria: {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "What we conclude: in our opinion the subject matter agrees with the criteria in all material respects.",
        "What we conclude: in our opinion the subject matter agrees with the criteria in all material respects, except for the matter explained before. This is a qualified opinion.",
        "What we conclude: in our opinion the subject matter does not agree with the criteria. This is an adverse opinion.",
        "What we conclude: nothing; we disclaim an opinion because we could not finish our work.",
    ),
    signature=lambda f: (
        f"Galt & Summers, Certified Public Accountants\nNew York State firm registration {f.licence}\nNew York, NY — {us(f.opinion_on)}"
    ),
    assertion=lambda f: f"Assertion of {f.in_two}\nThe subject matter is as described.",
    description=lambda f: f"About the system of {f.entity}",
    tests=lambda f: "What we tested and what we found",
    passed="None noted.",
    failed="Noted: {}.",
    exceptions_counted=False,
)

HOLLIS = Style(
    firm="Hollis Crane Attestation, Inc.",
    state="Arizona",
    cover=lambda f: f"{f.entity}\nType {f.type} SOC 2\nReport {f.end.year}",
    auditor=lambda f: (
        f"INDEPENDENT SERVICE AUDITOR’S REPORT\nTo: Management, {f.entity}\nWe examined the description of {f.system} and the controls in it "
        + over(f, us, two=f"for the {months_of(f)}-month period ended {{1}}", one="as of {}")
        + f" relevant to {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Opinion\nIn our opinion, in all material respects, (a) the description presents the system, and (b) the controls were suitably designed.",
        "Opinion (Qualified)\nIn our opinion, except for the matter referred to above, in all material respects, (a) the description presents the system.",
        "Opinion (Adverse)\nIn our opinion, due to the matter referred to above, (a) the description misstates the system.",
        "Disclaimer of Opinion\nSince we could not inspect records, no opinion is expressed.",
    ),
    signature=lambda f: (
        f"Hollis Crane Attestation, Inc.\nPhoenix, Arizona\n{us(f.opinion_on)}\nAZ CPA Firm #{f.licence}"
    ),
    assertion=lambda f: f"MANAGEMENT’S ASSERTION\n{f.in_two} asserts the following for the system.",
    description=lambda f: f"{f.entity.upper()} — SYSTEM DESCRIPTION",
    tests=lambda f: "CONTROLS AND RESULTS OF TESTS",
    failed="Exception(s) noted: {}.",
)

IVERSON = Style(
    firm="Iverson Blakely LLP",
    state="Minnesota",
    cover=lambda f: f"SOC 2 Type {f.type} Report — {f.entity}\n" + over(f, us, two="{} through {}", one="{}"),
    auditor=lambda f: (
        f"Section I: Report of Independent Service Auditor\nManagement of {f.entity}\n(1) Scope. We examined {f.system} "
        + over(f, us, two="throughout the period of {} through {}", one="as of {}")
        + f". The criteria used relate to {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "(5) Opinion. In our opinion, in all material respects, based on the criteria, the description is presented as required.",
        "(5) Qualified opinion. In our opinion, in all material respects, based on the criteria, except for what paragraph (4) describes, the description is presented as required.",
        "(5) Adverse opinion. In our opinion, the description is not presented as required.",
        "(5) Disclaimer of opinion. We do not express an opinion.",
    ),
    signature=lambda f: (
        f"Minneapolis, Minnesota\n{us(f.opinion_on)}\nIverson Blakely LLP\nMinnesota firm permit number {f.licence}"
    ),
    assertion=lambda f: f"Section II: Assertion of {f.in_two} Management\nThe description is presented as required.",
    description=lambda f: f"Section III: Description of the System — {f.entity}",
    tests=lambda f: "Section IV: Testing",
    passed="No exceptions noted.",
    failed="Exceptions noted: {}.",
)

JUNIPER = Style(
    firm="Juniper Moss Auditors Pte. Ltd.",
    state="Singapore",
    cover=lambda f: (
        f"{f.entity}\nSOC 2 Type {f.type}\n" + over(f, uk, two="Reporting period: {} to {}", one="Reporting date: {}")
    ),
    auditor=lambda f: (
        f"Independent Auditor’s Report\nTo {f.entity}\nWe have been engaged to examine the controls of {f.system} "
        + over(f, uk, two="during the reporting period ({} to {})", one="at the reporting date ({})")
        + f" for {f.named}.\n{carves(f)}"
    ),
    opinion=opinions(
        "Conclusion\nIn our opinion, the controls were suitable in all material respects.",
        "Qualified conclusion\nIn our opinion, except for the possible effects of the matter above, the controls were suitable in all material respects.",
        "Adverse conclusion\nIn our opinion, the controls were unsuitable.",
        "Disclaimer of conclusion\nWe do not express a conclusion.",
    ),
    signature=lambda f: (
        f"Juniper Moss Auditors Pte. Ltd.\nPublic Accountants, registration {f.licence}\nSingapore, {uk(f.opinion_on)}"
    ),
    assertion=lambda f: f"Management’s statement\n{f.in_two} states that the controls were suitable.",
    description=lambda f: f"Description of {f.system}",
    tests=lambda f: "Detailed results",
    passed="No exceptions noted.",
    failed="Exception noted: {}.",
)

FURTHER = (ASHGROVE, BELLAMY, CINDER, DUNMORE, ELDER, FENWICK, GALT, HOLLIS, IVERSON, JUNIPER)
