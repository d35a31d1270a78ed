"""The files of the demo's vendors, each with the details that a person typed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from portal.demo.cast import COMPANIES, Company, Stage
from portal.demo.reports import auditor_of, soc2_report, suppliers_of, system_of

LIKE = {"Northwick Speech": "Oakmere Panel"}
"""Whose system description a vendor took over: reviewers are shown the pair."""

ENDED_DAYS_AGO = 410
"""When the period of a report ended that has lapsed since and has no bridge letter: 54 days are not covered."""


@dataclass(frozen=True, slots=True)
class PaperPlan:
    """One file of a vendor: its kind, name, the form a person would fill in, and what is in it."""

    kind: str
    file_name: str
    title: str
    details: Mapping[str, str]
    paragraphs: tuple[str, ...]


def papers_of(company: Company, kinds: Collection[str], today: date) -> list[PaperPlan]:
    """Return the files of a vendor as they stand that day."""
    plans = [*_assurance(company, today), *_records(company, today), *_contracts(company, today)]
    return [plan for plan in plans if plan.kind in kinds]


def newer_list(company: Company, today: date) -> PaperPlan:
    """Return the sub-processor list that takes an older one's place."""
    host, gateway = suppliers_of(company)
    return PaperPlan(
        "SPL",
        f"{_slug(company)}-sub-processors-{today:%Y-%m}.csv",
        "Sub-processors",
        {"as_of": today.isoformat(), **_rows((host, gateway))},
        ("name,purpose,country,data class", f"{host},hosting,Ireland,D3", f"{gateway},sign-in,Ireland,D1"),
    )


def _slug(company: Company) -> str:
    return company.name.split()[0].lower()


def _rows(names: tuple[str, str]) -> dict[str, str]:
    rows = {"entries": "2"}
    for number, (name, purpose, data) in enumerate(zip(names, ("hosting", "sign-in"), ("D3", "D1"), strict=True)):
        cells = {"name": name, "purpose": purpose, "country": "Ireland", "data": data, "rank": "1"}
        rows |= {f"rows-{number}-{column}": value for column, value in cells.items()}
    return rows


def _assurance(company: Company, today: date) -> list[PaperPlan]:
    slug, legal = _slug(company), company.legal_name
    firm, licence, state, _city = auditor_of(company)
    host, gateway = suppliers_of(company)
    ended = ENDED_DAYS_AGO if company.stage is Stage.ANSWERING else 70
    end = today - timedelta(days=ended)
    start = end - timedelta(days=364)
    like = next((each for each in COMPANIES if each.name == LIKE.get(company.name)), None)
    carved = {
        f"carve_out_rows-{number}-{column}": value
        for number, (name, purpose) in enumerate(((host, "Hosting"), (gateway, "Sign-in")))
        for column, value in (("organisation", name), ("purpose", purpose), ("method", "carve_out"))
    }
    left = {
        "user_control_rows-0-text": "Remove the accounts of our own staff within one day after they leave a project",
        "user_control_rows-0-criterion": "CC6.3",
        "user_control_rows-1-text": "Set the data class of each task before it is released",
        "user_control_rows-1-criterion": "C1.1",
    }
    found = {
        "exceptions_listed": "some",
        "exceptions": "1",
        "exception_rows-0-control": "CC6.3",
        "exception_rows-0-criterion": "CC6.3",
        "exception_rows-0-text": "Access of a leaver to the ticket system ended on the third working day",
        "exception_rows-0-rate": "1 of 25",
        "exception_rows-0-response": "The step was automated in the following month",
    }
    return [
        PaperPlan(
            "SOC2",
            f"{slug}-soc2-type2.pdf",
            "SOC 2 Type 2 report",
            {
                "report_type": "type2",
                "period_start": start.isoformat(),
                "period_end": end.isoformat(),
                "opinion": "unqualified",
                "opinion_on": (end + timedelta(days=38)).isoformat(),
                "auditor": firm,
                "licence_no": licence,
                "licence_state": state,
                "standard": "AT-C 105 and AT-C 205",
                "entity": legal,
                "assertion": "yes",
                "assertion_entity": legal,
                "system": system_of(company),
                "categories": "security,confidentiality",
                "subservice_method": "carve_out",
                **carved,
                **found,
                **left,
            },
            soc2_report(company, start=start, end=end, like=like),
        ),
        PaperPlan(
            "PT",
            f"{slug}-penetration-test.pdf",
            "Penetration test letter",
            {
                "firm": "Saltmarsh Testing",
                "tested_from": (today - timedelta(days=72)).isoformat(),
                "tested_until": (today - timedelta(days=60)).isoformat(),
                "covered": "app,isolation",
                "scope": f"{system_of(company)} and the isolation between customers",
                "critical": "0",
                "high": "0",
                "medium": "2",
                "open": "0",
                "retested_on": (today - timedelta(days=30)).isoformat(),
            },
            ("Scope: annotation workspace, isolation between customers. Two medium findings, both retested.",),
        ),
        PaperPlan(
            "INS",
            f"{slug}-insurance.pdf",
            "Cyber insurance certificate",
            {
                "insurer": "Thornway Mutual",
                "insured": legal,
                "starts_on": (today - timedelta(days=165)).isoformat(),
                "expires_on": (today + timedelta(days=200)).isoformat(),
                "limit_claim": "10,000,000",
                "limit_claim-currency": "USD",
                "limit_aggregate": "20,000,000",
                "limit_aggregate-currency": "USD",
            },
            ("Technology E&O and cyber, 10 M USD per claim. No exclusion for AI services.",),
        ),
    ]


def _records(company: Company, today: date) -> list[PaperPlan]:
    slug = _slug(company)

    def on(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    return [
        PaperPlan(
            "SCR",
            f"{slug}-configuration-export.pdf",
            "Configuration export",
            {
                "system": "Identity provider and document store",
                "setting": "MFA, sharing, encryption",
                "taken_on": on(-12),
            },
            ("Setting: external sharing, off for the whole tenant. Setting: MFA, required, phishing-resistant.",),
        ),
        PaperPlan(
            "POL",
            f"{slug}-security-policies.pdf",
            "Security policies",
            {"version": "4.1", "approved_by": "Security board", "approved_on": on(-120), "next_review_on": on(245)},
            ("These policies apply to employees, freelancers and agency staff alike.",),
        ),
        PaperPlan(
            "LOG",
            f"{slug}-access-log-sample.csv",
            "Access log sample",
            {"source": "Annotation workspace", "range_from": on(-98), "range_until": on(-8)},
            ("time,person,action", "2026-08-03T09:12Z,a.worker,opened task 118", "2026-08-03T17:40Z,a.worker,left"),
        ),
        PaperPlan(
            "ARC",
            f"{slug}-data-flow.pdf",
            "Data-flow diagram",
            {"version": "3", "author": "Platform team", "dated_on": on(-40)},
            ("Every system, person group, supplier and export of the engagement.",),
        ),
        PaperPlan(
            "RPT",
            f"{slug}-risk-assessment.pdf",
            "Risk assessment",
            {"author": "Security lead", "dated_on": on(-50)},
            ("Customers' AI data and model access are named as assets.",),
        ),
    ]


def _contracts(company: Company, today: date) -> list[PaperPlan]:
    slug, legal = _slug(company), company.legal_name
    host, gateway = suppliers_of(company)

    def on(days: int) -> str:
        return (today + timedelta(days=days)).isoformat()

    return [
        PaperPlan(
            "CON",
            f"{slug}-contract-extract.pdf",
            "Contract extract",
            {"clause": "9 to 14", "parties": f"{legal} and Orrery", "starts_on": on(-300)},
            ("Clause 9: no reuse and no training. Clause 11: notice of an incident within 24 hours of detection.",),
        ),
        PaperPlan(
            "DPA",
            f"{slug}-dpa.pdf",
            "Data-processing agreement",
            {"parties": f"{legal} and Orrery", "signed_on": on(-300)},
            ("Roles, transfers and sub-processing, with annexes filled.",),
        ),
        PaperPlan(
            "SPL",
            f"{slug}-sub-processors.csv",
            "Sub-processors",
            {"as_of": on(-9), **_rows((host, gateway))},
            ("name,purpose,country,data class", f"{host},hosting,Ireland,D3", f"{gateway},sign-in,Ireland,D1"),
        ),
    ]
