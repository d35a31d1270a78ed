"""The wordings of invented audit firms that the patterns were written with."""
# ruff: noqa: E501 - texts are kept whole

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from tests.factories.reporting.facts import NUMBER_WORDS, Facts, iso, listed, months_of, nth, ordinal, short_us, uk, us


@dataclass(frozen=True)
class Style:
    """How one firm writes: its parts as functions from facts to paragraphs."""

    firm: str
    state: str
    cover: Callable[[Facts], str]
    auditor: Callable[[Facts], str]
    opinion: Mapping[str, Callable[[Facts], str]]
    signature: Callable[[Facts], str]
    assertion: Callable[[Facts], str]
    description: Callable[[Facts], str]
    tests: Callable[[Facts], str]
    passed: str = "No exceptions noted."
    failed: str = "Exception noted: {}."
    licence_said: bool = True
    exceptions_counted: bool = True
    numeral_given: bool = True


def over(
    facts: Facts, day: Callable[[date], str], *, two: str = "throughout the period {} to {}", one: str = "as of {}"
) -> str:
    """The period or the day in the words of a firm."""
    return one.format(day(facts.as_of)) if facts.type == 1 else two.format(day(facts.start), day(facts.end))


def carves(facts: Facts) -> str:
    """Who is carved out or included, in words that most firms use."""
    said = []
    for name, purpose in facts.carved_out:
        said.append(
            f"{facts.short} uses {name}, a subservice organization, for {purpose}. The description excludes the "
            f"controls of {name} (carve-out method)."
        )
    for name, purpose in facts.inclusive:
        said.append(
            f"{name}, a subservice organization, provides {purpose}. Its controls are included in the description "
            "(inclusive method)."
        )
    return "\n".join(said)


def _harlow(f: Facts) -> str:
    period = over(f, us)
    return (
        f"INDEPENDENT SERVICE AUDITOR’S REPORT\nTo the Management of {f.entity}:\nScope\n"
        f"We have examined the accompanying description of {f.system} of {f.entity} {period} (description), and the "
        f"suitability of the design{' and operating effectiveness' if f.type == 2 else ''} of controls stated in it "
        f"{period}, based on the trust services criteria relevant to {f.named}.\n{carves(f)}\n"
        "Service organization’s responsibilities\n"
        f"{f.entity} is responsible for its commitments and for the controls that meet them.\n"
        "Service auditor’s responsibilities\n"
        "Our examination was conducted in accordance with attestation standards of the profession (AT-C 105 and 205)."
    )


HARLOW = Style(
    firm="Harlow Pike LLP",
    state="Ohio",
    cover=lambda f: (
        f"{f.entity}\nSOC 2 Type {f.type} Report\nReport on the {f.system}\n{over(f, us)}\nRelevant to {listed(f.categories)}"
    ),
    auditor=_harlow,
    opinion={
        "unqualified": lambda f: (
            "Opinion\nIn our opinion, in all material respects, the description presents the system, and the controls stated in it were suitably designed"
            + (" and operated effectively" if f.type == 2 else "")
            + f" {over(f, us)}."
        ),
        "qualified": lambda f: (
            "Basis for qualified opinion\nControls over the removal of access did not operate as described.\nQualified opinion\nIn our opinion, except for the matter described in the preceding paragraph, in all material respects, the controls were suitably designed."
        ),
        "adverse": lambda f: (
            "Basis for adverse opinion\nControls over access were missing in most of the systems.\nAdverse opinion\nIn our opinion, because of the significance of the matter described above, the controls were not suitably designed."
        ),
        "disclaimer": lambda f: (
            "Disclaimer of opinion\nBecause of the significance of the matter described above, we were not able to obtain sufficient appropriate evidence. Accordingly, we do not express an opinion."
        ),
    },
    signature=lambda f: f"Harlow Pike LLP\nOhio firm license no. {f.licence}\nColumbus, Ohio\n{us(f.opinion_on)}",
    assertion=lambda f: (
        f"MANAGEMENT’S ASSERTION\nWe have prepared the description of {f.system} of {f.in_two} {over(f, us)}. We confirm, to the best of our knowledge, that it presents the system.\n{f.in_two}\nOona Tremaine, Chief Executive Officer"
    ),
    description=lambda f: f"DESCRIPTION OF THE SYSTEM OF {f.entity.upper()}",
    tests=lambda f: "TESTS OF CONTROLS AND RESULTS OF TESTS",
)

CASTELLAN = Style(
    firm="Castellan & Brede, CPAs",
    state="Colorado",
    cover=lambda f: (
        f"System and Organization Controls (SOC) 2 — Type {'II' if f.type == 2 else 'I'}\n{f.entity}\nFor the {f.system}\n{over(f, short_us, two='{} through {}', one='At {}')}"
    ),
    auditor=lambda f: (
        f"Report of Independent Service Auditors\nTo: {f.entity}\nWe examined the description of the {f.system} that {f.entity} (the “Service Organization”) provides, "
        + over(f, us, two="for the period from {} through {}", one="as at {}")
        + f", together with its controls, against the applicable trust services criteria for {f.named}.\n{carves(f)}\n"
        "We are required to be independent. We believe that the evidence we obtained is sufficient and appropriate."
    ),
    opinion={
        "unqualified": lambda f: (
            "Opinion\nIn our opinion the description is fairly presented in all material respects and the controls were suitable."
        ),
        "qualified": lambda f: (
            "Qualified Opinion\nIn our opinion, except for the effects of the matters giving rise to the modification, the description is fairly presented in all material respects."
        ),
        "adverse": lambda f: (
            "Adverse Opinion\nIn our opinion, owing to the matters giving rise to the modification, the description is not fairly presented and the controls did not operate effectively."
        ),
        "disclaimer": lambda f: (
            "Disclaimer of Opinion\nWe do not express an opinion on the description or on the controls, as we could not obtain sufficient evidence."
        ),
    },
    signature=lambda f: (
        f"/s/ Castellan & Brede, CPAs\nLicense Number: FRM.{f.licence} (Colorado)\nDenver, Colorado\n{us(f.opinion_on)}"
    ),
    assertion=lambda f: (
        f"Assertion of the Management of {f.in_two}\nManagement of {f.in_two} prepared the description "
        + over(f, us, two="for the period from {} through {}", one="as at {}")
        + " and asserts that the controls stated therein were in place."
    ),
    description=lambda f: f"{f.entity}’s Description of Its System",
    tests=lambda f: "Trust Services Criteria, Related Controls and Tests of Controls",
    passed="No deviations noted.",
    failed="Deviation noted. {}.",
)

QUILLON = Style(
    firm="Quillon Assurance LLP",
    state="London",
    cover=lambda f: (
        f"SOC 2® TYPE {f.type}\n{f.entity}\n{f.system}\n{over(f, uk, two='Period: {} – {}', one='Date: {}')}"
    ),
    auditor=lambda f: (
        f"Independent Practitioner’s Assurance Report\nTo the Directors of {f.entity}\nWe were engaged to report on {f.entity}’s description of its {f.system} "
        + over(f, uk, two="for the period {} to {}", one="as at {}")
        + f" and on the controls that relate to {f.named}.\n{carves(f)}"
    ),
    opinion={
        "unqualified": lambda f: (
            "Opinion\nIn our opinion, in all material respects, the description fairly presents the system"
            + over(f, uk, two=" during the period {} to {}", one=" as at {}")
            + "."
        ),
        "qualified": lambda f: (
            "Qualified opinion\nIn our opinion, except for the matters set out in the basis for qualified opinion, the description fairly presents the system."
        ),
        "adverse": lambda f: (
            "Adverse opinion\nIn our opinion, because of the matters set out above, the description does not fairly present the system."
        ),
        "disclaimer": lambda f: (
            "Disclaimer of opinion\nBecause of the limits of our work we do not express an opinion on the description."
        ),
    },
    signature=lambda f: f"Quillon Assurance LLP\nRegistered auditor no. C{f.licence}, London\n{uk(f.opinion_on)}",
    assertion=lambda f: (
        f"Statement by the Management of {f.in_two}\nThe accompanying description of {f.in_two} covers the system "
        + over(f, uk, two="for the period {} to {}", one="as at {}")
        + "."
    ),
    description=lambda f: f"System description of {f.entity}",
    tests=lambda f: "Results of our testing of the controls",
    passed="No exception.",
    failed="Exception: {}.",
)

NORTHGATE = Style(
    firm="Northgate Assurance LLC",
    state="Florida",
    cover=lambda f: (
        f"{f.entity} — {f.system}\nSOC 2 TYPE {'TWO' if f.type == 2 else 'ONE'}\n"
        + over(
            f, us, two=f"For the {NUMBER_WORDS.get(months_of(f), 'twelve')}-month period ended {{1}}", one="As of {}"
        )
    ),
    auditor=lambda f: (
        f"Independent Service Auditor’s Report\nTo the Board of Directors of {f.entity}\nScope: we have examined {f.entity}’s description of {f.system} "
        + over(f, us, two="for the period beginning {} and ending {}", one="as of {}")
        + f". The categories in scope are: {', '.join(f.categories)}.\n{carves(f)}"
    ),
    opinion={
        "unqualified": lambda f: (
            "Opinion: In our opinion, in all material respects, the controls were suitably designed to meet the commitments."
        ),
        "qualified": lambda f: (
            "Qualified Opinion: In our opinion, except for the failure of the controls named above, the controls were suitably designed in all material respects."
        ),
        "adverse": lambda f: (
            "Adverse Opinion: In our opinion, the controls were not suitably designed and did not operate effectively."
        ),
        "disclaimer": lambda f: (
            "Disclaimer of Opinion: We were unable to obtain evidence and accordingly express no opinion."
        ),
    },
    signature=lambda f: (
        f"Northgate Assurance LLC\nTampa, Florida\n{us(f.opinion_on)}\nFlorida CPA firm license AD{f.licence}"
    ),
    assertion=lambda f: (
        f"{f.in_two}’s Management Assertion\n{f.in_two} has prepared the attached description of the system. The description covers the "
        + over(f, us, two="period {} to {}", one="system at {}")
        + "."
    ),
    description=lambda f: f"Description of {f.system} provided by {f.entity}",
    tests=lambda f: "Controls, Criteria, Tests and Results",
    passed="No exceptions noted",
    failed="Exception noted – {}",
)

WREN = Style(
    firm="Wren Abernathy P.C.",
    state="Texas",
    cover=lambda f: f"SOC 2 Type {f.type}\n{f.entity}\n{over(f, iso, two='{} to {}', one='{}')}",
    auditor=lambda f: (
        f"Independent Service Auditor’s Report on a SOC 2 Type {f.type} Examination\n{f.entity}:\nWe have examined the description titled “{f.system}” of {f.entity} "
        + over(f, iso, two="throughout the period {} to {}", one="as of {}")
        + f", for the trust services categories {f.named}.\n{carves(f)}"
    ),
    opinion={
        "unqualified": lambda f: (
            "Our opinion\nIn our opinion, the description and the controls were, in all material respects, as the criteria require."
        ),
        "qualified": lambda f: (
            "Our qualified opinion\nIn our opinion, except for the matter in the paragraph above, the description and the controls were, in all material respects, as the criteria require."
        ),
        "adverse": lambda f: (
            "Our adverse opinion\nIn our opinion, in view of the matter above, the controls were not operating effectively."
        ),
        "disclaimer": lambda f: "Our disclaimer of opinion\nWe do not express an opinion.",
    },
    signature=lambda f: (
        f"Wren Abernathy P.C.\nTexas State Board license P{f.licence}\nAustin, Texas\n{iso(f.opinion_on)}"
    ),
    assertion=lambda f: (
        f"Management Assertion\n{f.in_two} is responsible for the description "
        + over(f, iso, two="throughout the period {} to {}", one="as of {}")
        + f".\nOn behalf of {f.in_two}: Idris Vane, Chief Security Officer"
    ),
    description=lambda f: f"Description of the {f.system}",
    tests=lambda f: "Tests of Operating Effectiveness",
    exceptions_counted=True,
)

MERIDIAN = Style(
    firm="Meridian Audit Partners, PLLC",
    state="Massachusetts",
    cover=lambda f: (
        f"{f.entity}\nA Type {f.type} Independent Service Auditor’s Report on Controls\n"
        + over(f, us, two="For the Period {} to {}", one="As of {}")
    ),
    auditor=lambda f: (
        f"Independent Service Auditor’s Report\nThe Management of {f.entity}\nWe have examined the description of the {f.system} and the controls of {f.entity} "
        + (f"from the {ordinal(f.start)} to the {ordinal(f.end)}" if f.type == 2 else f"as of the {ordinal(f.as_of)}")
        + f", as they relate to {f.named}.\n{carves(f)}"
    ),
    opinion={
        "unqualified": lambda f: (
            "Opinion\nIn our opinion, the description is presented in accordance with the criteria in all material respects."
        ),
        "qualified": lambda f: (
            "Qualified Opinion\nIn our opinion, except for the matter described in the Basis for Qualified Opinion section, the description is presented in accordance with the criteria."
        ),
        "adverse": lambda f: (
            "Adverse Opinion\nIn our opinion, the description is not presented in accordance with the criteria."
        ),
        "disclaimer": lambda f: (
            "Disclaimer of Opinion\nWe do not express an opinion on whether the description is presented in accordance with the criteria."
        ),
    },
    signature=lambda f: f"Meridian Audit Partners, PLLC\nBoston, Massachusetts\n{us(f.opinion_on)}",
    assertion=lambda f: (
        f"Assertion by Management\n{f.in_two} asserts that the description is presented in accordance with the criteria. Dated {nth(f.opinion_on.day)} of the month of signing."
    ),
    description=lambda f: f"{f.short}: the system and its boundaries",
    tests=lambda f: "Information provided by the service auditor: tests and results",
    licence_said=False,
)

TUNED = (HARLOW, CASTELLAN, QUILLON, NORTHGATE, WREN, MERIDIAN)
