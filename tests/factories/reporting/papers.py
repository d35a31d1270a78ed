"""Bridge letters, certificates, insurance certificates and letters of penetration tests, generated."""
# ruff: noqa: E501, S311 - texts are kept whole; chance makes test data here, not secrets

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.factories.reporting.facts import ENTITIES, add_months, iso, uk, us

PEOPLE = ("Ines Corvo", "Tomas Vale", "Ruth Adeyemi", "Pavel Horn", "Maya Linde")
TITLES = ("Chief Executive Officer", "Chief Information Security Officer", "General Counsel")
BODIES = ("Anvil Certification Ltd", "Helvet Cert AG", "Boreal Registrars Inc.")
INSURERS = ("Harbour Mutual Insurance plc", "Stonegate Specialty SE", "Cobalt Re Underwriting")
TESTERS = ("Nightjar Security Ltd", "Redoubt Labs GmbH", "Palisade Testing LLC")


@dataclass(frozen=True)
class Paper:
    """A document of one kind: its pages and what is true of it."""

    kind: str
    text_pages: tuple[str, ...]
    truth: dict[str, Any]


def _bridge(chance: random.Random, style: int) -> Paper:
    entity, short = chance.choice(ENTITIES)
    end = add_months(date(2025, 1, 1), chance.randrange(0, 14)) - timedelta(days=1)
    start = add_months(end + timedelta(days=1), -12)
    covers_from, covers_until = end + timedelta(days=1), end + timedelta(days=chance.randrange(40, 92))
    signer, title = chance.choice(PEOPLE), chance.choice(TITLES)
    signed = covers_until + timedelta(days=chance.randrange(0, 5))
    firm = chance.choice(("Harlow Pike LLP", "Castellan & Brede, CPAs", "Northgate Assurance LLC"))
    texts: tuple[Callable[[], str], ...] = (
        lambda: (
            f"{entity}\n{us(signed)}\nTo our customers: bridge letter\nOur SOC 2 Type 2 report covers the period {us(start)} through {us(end)}. This letter covers the period {us(covers_from)} through {us(covers_until)}.\nWe know of no material changes to the controls in that time. The next examination period began on {us(covers_from)} and the examination will be performed by {firm}.\nThis letter is not a report of an auditor.\n/s/ {signer}\n{signer}\n{title}, {entity}"
        ),
        lambda: (
            f"{entity}\nGap letter\n{uk(signed)}\nThe most recent SOC 2 report of {short} was issued for the examination period ended {uk(end)}.\nFor the interim from {uk(covers_from)} to {uk(covers_until)} management is not aware of changes that would weaken the controls in that report.\nOur next audit, by {firm}, starts on {uk(covers_from)}.\nYours sincerely,\n{signer}, {title}\n{entity}"
        ),
        lambda: (
            f"{iso(signed)}\nRE: SOC 2 continuity statement\nDear customer,\n{entity} has a SOC 2 report for {iso(start)} to {iso(end)}. Between {iso(covers_from)} and {iso(covers_until)} there were no changes of note in the environment.\nThe following report, for which we engaged {firm}, has an observation period beginning {iso(covers_from)}.\nSigned: {signer}, {title}"
        ),
        lambda: (
            f"{entity}\nBridge Letter\nDate: {us(signed)}\n{firm} examined our controls for the twelve months ended {us(end)}. Since then, from {us(covers_from)} until {us(covers_until)}, controls have continued to operate.\nA new audit window started {us(covers_from)} with {firm}.\n{signer}\n{title}"
        ),
    )
    truth = {
        "report_end": iso(end),
        "covers_from": iso(covers_from),
        "covers_until": iso(covers_until),
        "next_start": iso(covers_from),
        "next_auditor": firm,
        "signer": f"{signer}, {title}",
        "issuer": entity,
    }
    return Paper("BL", (texts[style](),), truth)


def _iso(chance: random.Random, style: int) -> Paper:
    entity, _short = chance.choice(ENTITIES)
    issued = date(2024, 1, 1) + timedelta(days=chance.randrange(0, 600))
    expires = date(issued.year + 3, issued.month, min(issued.day, 28)) - timedelta(days=1)
    first = date(issued.year - 3, issued.month, 1)
    checked = issued + timedelta(days=chance.randrange(200, 360))
    body, number = chance.choice(BODIES), f"IS {chance.randrange(100_000, 999_999)}"
    texts: tuple[Callable[[], str], ...] = (
        lambda: (
            f"CERTIFICATE OF REGISTRATION\nCertificate number: {number}\nThis is to certify that the information security management system of\n{entity}\ncomplies with ISO/IEC 27001:2022\nScope of certification: collection and labelling of data for training\nOriginal issue date: {uk(first)}\nDate of issue: {uk(issued)}\nExpiry date: {uk(expires)}\nLast surveillance audit: {uk(checked)}\nIssued by: {body}"
        ),
        lambda: (
            f"{body}\nCertificate No. {number}\nOrganization: {entity}\nStandard: ISO/IEC 27001:2022\nScope: services of annotation and evaluation\nIssued on {us(issued)}\nValid until {us(expires)}\nInitial certification: {us(first)}\nCertification body: {body}"
        ),
        lambda: (
            f"Certified to ISO 27001:2022\nRegistration number {number}\nGranted to {entity}\nInitially certified {iso(first)}\nValid from {iso(issued)}\nValid to {iso(expires)}\nCertified by {body}\nApplicable to: the platform for human feedback"
        ),
        lambda: (
            f"ISO/IEC 27001:2022 CERTIFICATE\nHolder: {entity}\nCertification ID: {number}\nEffective date: {us(issued)}\nExpiration date: {us(expires)}\nFirst issued: {us(first)}\nRegistrar: {body}"
        ),
    )
    truth = {
        "edition": "2022",
        "issued_on": iso(issued),
        "expires_on": iso(expires),
        "certificate_no": number,
        "entity": entity,
        "body": body,
    }
    return Paper("ISO", (texts[style](),), truth)


def _insurance(chance: random.Random, style: int) -> Paper:
    entity, _short = chance.choice(ENTITIES)
    starts = date(2025, 1, 1) + timedelta(days=chance.randrange(0, 600))
    expires = starts + timedelta(days=365)
    insurer, number = chance.choice(INSURERS), f"CY-{chance.randrange(100_000, 999_999)}"
    claim = chance.choice((2, 5, 10))
    texts: tuple[Callable[[], str], ...] = (
        lambda: (
            f"CERTIFICATE OF INSURANCE\nInsurer: {insurer}\nNamed insured: {entity}\nPolicy number: {number}\nPolicy period: {us(starts)} to {us(expires)}\nLimit each claim: USD {claim},000,000\nAggregate limit: USD {2 * claim},000,000\nRetention: USD 50,000\nIssued on {us(starts - timedelta(days=9))}"
        ),
        lambda: (
            f"Evidence of cover\nPolicyholder: {entity}\nUnderwritten by: {insurer}\nPolicy no. {number}\nEffective date: {iso(starts)}\nExpiry date: {iso(expires)}\nLimit of liability per claim: ${claim},000,000\nAggregate limit of liability: ${2 * claim},000,000"
        ),
        lambda: (
            f"Confirmation of insurance\nCarrier: {insurer}\nInsured: {entity}\nPolicy reference: {number}\nPeriod of insurance: {uk(starts)} until {uk(expires)}\nAny one claim: USD {claim} million\nIn the aggregate: USD {2 * claim} million"
        ),
        lambda: (
            f"{insurer}\nCyber and technology policy {number}\nWe confirm that {entity} is insured. Cover is in force from {us(starts)} to {us(expires)}. Limit per claim: US$ {claim}M. Annual aggregate limit: US$ {2 * claim}M."
        ),
    )
    truth = {
        "starts_on": iso(starts),
        "expires_on": iso(expires),
        "policy_no": number,
        "insured": entity,
        "insurer": insurer,
        "limit_claim": f"{claim}000000 USD",
        "limit_aggregate": f"{2 * claim}000000 USD",
    }
    return Paper("INS", (texts[style](),), truth)


def _test(chance: random.Random, style: int) -> Paper:
    entity, _short = chance.choice(ENTITIES)
    begun = date(2025, 1, 1) + timedelta(days=chance.randrange(0, 600))
    ended = begun + timedelta(days=chance.randrange(4, 20))
    retested = ended + timedelta(days=chance.randrange(10, 80))
    firm = chance.choice(TESTERS)
    critical, high, medium, low = (
        chance.randrange(0, 2),
        chance.randrange(0, 4),
        chance.randrange(1, 6),
        chance.randrange(1, 9),
    )
    words = {0: "no", 1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    texts: tuple[Callable[[], str], ...] = (
        lambda: (
            f"Penetration test summary letter\nTested by: {firm}\nClient: {entity}\nScope: the web application and its interfaces\nMethod: grey box\nThe test was carried out from {us(begun)} to {us(ended)}.\nCritical: {critical}\nHigh: {high}\nMedium: {medium}\nLow: {low}\nRetest completed on {us(retested)}. {words[0].capitalize()} findings remain open."
        ),
        lambda: (
            f"{firm}\nLetter of attestation\n{firm} performed an assessment of the platform of {entity} between {uk(begun)} and {uk(ended)}. We found {words[critical]} critical, {words[high]} high, {words[medium]} medium and {words[low]} low findings. All were retested on {uk(retested)}.\nPerformed by: {firm}"
        ),
        lambda: (
            f"Statement of security testing\nTesting firm: {firm}\nTesting window: {iso(begun)} – {iso(ended)}\nCritical findings {critical}\nHigh findings {high}\nMedium findings {medium}\nLow findings {low}\nRetest date: {iso(retested)}\nOpen findings: none"
        ),
        lambda: (
            f"To whom it may concern\n{firm} tested the systems of {entity} in the days from {us(begun)} through {us(ended)}. Results: {critical} critical, {high} high, {medium} medium, {low} low. Retesting took place on {us(retested)}."
        ),
    )
    truth: dict[str, Any] = {
        "tested_from": iso(begun),
        "tested_until": iso(ended),
        "retested_on": iso(retested),
        "critical": critical,
        "high": high,
        "medium": medium,
        "low": low,
    }
    if style != 3:
        truth["firm"] = firm
    return Paper("PT", (texts[style](),), truth)


_MAKERS = {"BL": _bridge, "ISO": _iso, "INS": _insurance, "PT": _test}
KNOWN_STYLES, UNSEEN_STYLES = (0, 1), (2, 3)


def paper(kind: str, seed: int, style: int) -> Paper:
    """A document of a kind in one of four wordings; the last two are those that no pattern was written for."""
    return _MAKERS[kind](random.Random(f"{kind} {seed}"), style)


def papers(kind: str, styles: tuple[int, ...], *, each: int = 4) -> list[Paper]:
    """So many documents of a kind in each wording."""
    return [paper(kind, 100 * style + number, style) for style in styles for number in range(each)]
