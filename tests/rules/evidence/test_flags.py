"""What a reviewer is told to look at twice, flag by flag; sound reports raise none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from portal.evidence.rules.companies import companies_in, company_key, is_same
from portal.evidence.rules.flags import Firm, Flag, FlagCode, ReportFacts, Resemblance, Seen, Weight, flags
from portal.terms import Service
from tests.factories.reporting.further import FURTHER
from tests.factories.reports import Report, report

TODAY = date(2026, 11, 24)
OPINION = (
    "Section I\nIndependent Service Auditor’s Report\nTo the Management of Acme Labelling, Inc.\nWe have examined it "
)
TWO = (
    f"{OPINION}throughout the period. In our opinion the controls operated effectively.",
    "Section II\nManagement’s Assertion\nWe, the management of Acme Labelling, Inc., assert this.",
    "Section III\nDescription of the System\nAcme annotates pictures and labels text.",
    "Section IV\nTests of Controls\nCC6.1 Inspected a sample. No exceptions noted.",
)
SOUND: Mapping[str, Any] = {
    "report_type": "type2",
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "opinion_on": "2026-02-10",
    "auditor": "Candle & Moss LLP",
    "licence_no": "OR-1207",
    "entity": "Acme Labelling Inc",
    "system": "Acme annotation platform",
    "categories": ["security", "confidentiality"],
    "exceptions": 2,
}
CHECKED = Firm("Candle & Moss", "OR-1207", True, date(2026, 10, 1), "the register of Oregon")


def facts(fields: Mapping[str, Any] | None = None, **more: Any) -> ReportFacts:
    said = {**SOUND, **(fields or {})}
    given = {
        "kind": "SOC2",
        "today": TODAY,
        "fields": {name: Seen(value, 4, f"… {value} …") for name, value in said.items() if value is not None},
        "legal_name": "Acme Labelling, Inc.",
        "vendor_name": "Acme",
        "pages": TWO,
        "services": (Service.LABELLING,),
        "firms": (CHECKED,),
    }
    return ReportFacts(**{**given, **more})


def only(report: ReportFacts, code: FlagCode) -> Flag:
    found = flags(report)
    assert [flag.code for flag in found] == [code], found
    return found[0]


def test_a_sound_report_raises_nothing() -> None:
    assert flags(facts()) == ()
    assert flags(replace(facts(), kind="POL")) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Acme Labelling, Inc.", "ACME LABELLING INC", True),
        ("Acme Labelling L.L.C.", "Acme Labelling, LLC", True),
        ("Tallow & Reed GmbH", "Tallow and Reed", True),
        ("Acme", "Acme Labelling Ltd", True),
        ("Acme Labelling, Inc.", "Acme Analytics, Inc.", False),
        ("", "Acme", False),
    ],
)
def test_companies_are_compared_without_their_legal_form(one: str, other: str, same: bool) -> None:
    assert is_same(one, other) is same


def test_companies_are_found_over_the_end_of_a_line() -> None:
    text = (
        "The description of the platform of the company that is called Kestrel Red\nTeaming, Inc. and Corvid Labs Ltd."
    )
    assert {company_key(name) for name in companies_in(text)} == {"kestrel red teaming", "corvid labs"}


def test_another_company_than_the_vendor_is_flagged_and_another_legal_form_is_a_question() -> None:
    flag = only(facts({"entity": "Tessellate Data Ltd."}), FlagCode.ENTITY)
    assert (flag.weight, flag.page, flag.quote) == (Weight.STRONG, 4, "… Tessellate Data Ltd. …")
    assert "names Tessellate Data Ltd.; the vendor’s legal name is Acme Labelling, Inc." in flag.detail
    assert only(facts({"entity": "Acme Labelling Ltd."}), FlagCode.ENTITY).weight is Weight.PLAIN


def test_two_companies_inside_one_report_are_flagged_with_the_page() -> None:
    pages = (TWO[0], TWO[1].replace("Acme Labelling, Inc.", "Corvid Analytics, Inc."), *TWO[2:])
    flag = only(facts(pages=pages), FlagCode.ENTITY)
    assert (flag.page, flag.weight) == (2, Weight.STRONG)
    assert "Corvid Analytics Inc" in flag.detail


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"opinion_on": "2025-12-30"}, "before the period ended on 31 December 2025"),
        ({"opinion_on": "2026-01-03"}, "3 days after the end of the period"),
        ({"opinion_on": "2025-12-31"}, "on the day on which the period ended"),
        ({"period_start": "2025-10-03"}, "90 days"),
        ({"period_end": "2026-12-31", "opinion_on": None}, "in the future: 31 December 2026"),
        ({"opinion_on": "2027-01-20"}, "in the future: 20 January 2027"),
    ],
)
def test_dates_that_do_not_fit_are_flagged(fields: Mapping[str, Any], words: str) -> None:
    if words == "90 days":
        assert flags(facts(fields)) == ()  # exactly ninety
        assert "89 days long" in only(facts({"period_start": "2025-10-04"}), FlagCode.DATES).detail
        return
    assert words in only(facts(fields), FlagCode.DATES).detail


def test_type_two_that_speaks_of_one_day_or_has_no_results_is_flagged() -> None:
    as_of = (f"{OPINION}(Type 2) as of June 30, 2025. In our opinion the design is suitable.", *TWO[1:])
    flag = only(facts(pages=as_of), FlagCode.TYPE)
    assert (flag.page, flag.weight) == (1, Weight.STRONG)
    assert "as of June 30, 2025" in flag.quote
    assert "no tests and no results" in only(facts(pages=TWO[:3]), FlagCode.TYPE).detail
    type_1 = {"report_type": "type1", "period_start": None, "period_end": None, "as_of": "2025-12-31"}
    assert "entered as Type 1" in only(facts(type_1), FlagCode.TYPE).detail


def test_an_auditor_is_flagged_until_somebody_looked_the_firm_up() -> None:
    unknown = facts(firms=())
    assert "Nobody has looked up" in only(unknown, FlagCode.AUDITOR).detail
    assert only(facts({"licence_no": None}, firms=()), FlagCode.AUDITOR).weight is Weight.STRONG
    assert flags(facts({"licence_no": None})) == ()
    missing = only(facts(firms=(replace(CHECKED, licensed=False),)), FlagCode.AUDITOR)
    assert "not found as a licensed firm" in missing.detail
    assert "our list has OR-1207" in only(facts({"licence_no": "OR-9"}), FlagCode.AUDITOR).detail
    assert "No audit firm is named" in only(facts({"auditor": None}), FlagCode.AUDITOR).detail


def test_likeness_names_the_other_vendor_and_the_share() -> None:
    flag = only(facts(resembles=(Resemblance("Tessellate Data", 873),)), FlagCode.BOILERPLATE)
    assert (flag.weight, flag.detail[:5]) == (Weight.STRONG, "87 % ")
    assert "Tessellate Data" in flag.detail


def test_too_clean_needs_two_reports_in_a_row_or_controls_that_did_not_occur() -> None:
    none = {"exceptions": None, "exceptions_listed": "none"}
    assert flags(facts(none)) == ()
    assert flags(facts(none, earlier={"exceptions": 1})) == ()
    assert flags(facts({"exceptions": None}, earlier={"exceptions": 0})) == ()
    assert "list no exception at all" in only(facts(none, earlier={"exceptions": 0}), FlagCode.CLEAN).detail
    idle = only(
        facts(pages=(*TWO, "CC7.4 The event did not occur in the period, so it was not tested.")), FlagCode.CLEAN
    )
    assert (idle.page, idle.quote) == (5, "CC7.4 The event did not occur in the period, so it was not tested.")


def test_scope_that_leaves_out_what_we_use_is_flagged() -> None:
    unspoken = only(facts(services=(Service.LABELLING, Service.REDTEAM)), FlagCode.SCOPE)
    assert "We use this vendor for Red-teaming, of which" in unspoken.detail
    assert "Only the Security category" in only(facts({"categories": "Security"}), FlagCode.SCOPE).detail
    carved = only(
        facts(carved_out=(("Staffwell Ltd.", "staffing of annotators"), ("Cumulus", "hosting"))), FlagCode.SCOPE
    )
    assert "Staffwell Ltd. is carved out and stands for the people who do the work" in carved.detail


def test_certificates_and_badges_are_flagged() -> None:
    worded = only(facts(pages=(*TWO, "We are proud to be SOC 2 certified since 2021.")), FlagCode.CERTIFICATE)
    assert (worded.page, worded.weight) == (5, Weight.PLAIN)
    badge = facts(pages=("SOC 2 Type 2\nAll systems monitored",), services=())
    assert only(badge, FlagCode.CERTIFICATE).weight is Weight.STRONG


def letter(**fields: Any) -> ReportFacts:
    given = {
        "issuer": "Acme Labelling, Inc.",
        "signer": "Ines Falk, CISO",
        "report_end": "2025-12-31",
        "covers_from": "2026-01-01",
        "covers_until": "2026-03-31",
        **fields,
    }
    seen = {name: Seen(value) for name, value in given.items()}
    return replace(facts(), kind="BL", fields=seen, report_ends=(date(2025, 12, 31),))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"covers_until": "2026-04-01"}, "more than 3 months after"),
        ({"covers_from": "2026-01-02"}, "closes the gap"),
        ({"signer": ""}, "Nobody is named as its signer"),
        ({"report_end": "2026-01-01"}, "the vendor’s reports here ended on 31 December 2025"),
    ],
)
def test_a_bridge_letter_that_does_not_hold_is_flagged(fields: Mapping[str, Any], words: str) -> None:
    assert flags(letter()) == ()
    assert words in only(letter(**fields), FlagCode.BRIDGE).detail


def test_what_nobody_confirmed_is_said_to_be_only_read() -> None:
    fields = {**facts().fields, "opinion_on": Seen("2025-12-30", 2, "Dated", proposed=True)}
    flag = only(replace(facts(), fields=fields), FlagCode.DATES)
    assert flag.detail.endswith("(As read in the file; nobody has confirmed it.)")


def of(made: Report) -> ReportFacts:
    said = {name: Seen(value) for name, value in made.truth.items() if name not in ("carved_out", "licence")}
    auditor = Firm(made.truth["auditor"], "1", True, TODAY, "a register")
    return ReportFacts(
        "SOC2", TODAY, said, made.facts.entity, made.facts.short, made.text_pages, firms=(auditor,), services=()
    )


def test_generated_reports_raise_no_flag_about_company_dates_type_or_certificate() -> None:
    quiet = {FlagCode.ENTITY, FlagCode.DATES, FlagCode.TYPE, FlagCode.CERTIFICATE}
    wrong = [
        (seed, flag)
        for seed in range(40)
        for flag in flags(of(report(seed, style=FURTHER[seed % len(FURTHER)] if seed % 2 else None)))
        if flag.code in quiet
    ]
    assert wrong == []


def test_a_second_company_in_a_generated_report_is_found() -> None:
    found = [flags(of(report(seed, second_entity="Zephyr Holdings, Inc."))) for seed in range(12)]
    assert sum(FlagCode.ENTITY in {flag.code for flag in each} for each in found) >= 10
