"""What the demo's SOC 2 reports say: four sections, an exception, who is carved out and what is left to us. Pure."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

from portal.demo.cast import Company
from portal.demo.papers import NEW_PAGE

CONTROLS = (
    ("CC6.1", "Access to production needs the identity provider and a second factor."),
    ("CC6.2", "Access is granted on a ticket that the owner of the system approved."),
    ("CC6.3", "Access of leavers ends on their last working day."),
    ("CC6.6", "Networks of customers' projects are separated from each other."),
    ("CC6.7", "Export of task data needs a named approval and is logged."),
    ("CC6.8", "Devices run endpoint protection that reports to the operations team."),
    ("CC7.2", "Logs of the workspace are kept for twelve months and watched for anomalies."),
    ("CC7.3", "Incidents are triaged within four hours and written up."),
    ("CC7.4", "Customers are told of incidents that concern them within their contract's time."),
    ("CC8.1", "Changes are reviewed by a second engineer before they are released."),
    ("CC9.2", "Suppliers are assessed before they see task data, and once a year after."),
    ("C1.1", "Task data are marked with their customer and class."),
    ("C1.2", "Task data are deleted within 30 days after a project ends."),
)
PARTS = {
    "preference": "ranking pairs of model outputs",
    "expert": "writing rubrics with subject experts",
    "labelling": "labelling images and text",
    "collection": "collecting recordings and conversations from volunteers",
    "synthetic": "generating dialogues from seed topics",
    "eval": "running held-out evaluations",
    "redteam": "looking for ways around the safeguards of models",
}
DEVICES = {
    "ours": "screens that the customer hosts; nothing is kept on the worker's side",
    "yours": "laptops that the company owns, encrypts and can erase from afar",
    "own": "devices of the workers, through a browser that keeps nothing",
}
FORCE = {
    "employees": "its own employees",
    "dedicated": "contractors dedicated to one customer",
    "agencies": "staff of two partner agencies",
    "crowd": "a crowd of vetted freelancers",
}
CITIES = ("Lisbon", "Leeds", "Ghent", "Turku", "Galway", "Brno", "Malmö", "Porto", "Riga", "Graz")
AUDITORS = (
    ("Merrow & Pike LLP", "48213", "Oregon", "Portland"),
    ("Ashgrove Pell LLP", "30977", "Colorado", "Denver"),
    ("Tidewell Assurance PLLC", "11504", "Washington", "Tacoma"),
)
HOSTS = ("Harrow Cloud", "Skerry Hosting", "Lattice Compute")
GATEWAYS = ("Signet Identity", "Passmark Identity", "Keystead Identity")


def auditor_of(company: Company) -> tuple[str, str, str, str]:
    """Return the firm that audits a vendor: name, licence number, state and city."""
    return AUDITORS[_roll(company.name, "auditor") % len(AUDITORS)]


def suppliers_of(company: Company) -> tuple[str, str]:
    """Return who hosts a vendor's workspace and who signs its people in; both are carved out."""
    return (
        HOSTS[_roll(company.name, "host") % len(HOSTS)],
        GATEWAYS[_roll(company.name, "gateway") % len(GATEWAYS)],
    )


def system_of(company: Company) -> str:
    """Return how a vendor calls the audited system."""
    return f"{company.name.split()[0]} workspace"


def soc2_report(company: Company, *, start: date, end: date, like: Company | None = None) -> tuple[str, ...]:
    """Return the paragraphs of a Type 2 report; ``like``: the vendor whose description was taken over, names apart."""
    legal, system = company.legal_name, system_of(company)
    firm, licence, state, city = auditor_of(company)
    host, gateway = suppliers_of(company)
    signed = end + timedelta(days=38)
    return (
        "This report is invented for a demonstration. Restricted use: for management of the company, its customers "
        "and their auditors only.",
        NEW_PAGE,
        "Section I. Independent Service Auditor's Report",
        f"To the management of {legal}: We have examined the accompanying description of the {system} throughout the "
        f"period {_us(start)} to {_us(end)}, and the suitability of the design and operating effectiveness of the "
        "controls stated in it, against the trust services criteria for Security and Confidentiality. The examination "
        "was made in accordance with attestation standards AT-C section 105 and AT-C section 205.",
        f"{legal} uses {host} for hosting and {gateway} for signing people in. The description excludes the controls "
        f"of both subservice organizations (carve-out method); ours did not extend to them.",
        "Opinion. In our opinion, in all material respects, the description presents the system as it was designed and "
        "implemented, and the controls were suitably designed and operated effectively throughout the period.",
        f"{firm}, licence number {licence}, {state}. {city}, {_us(signed)}.",
        NEW_PAGE,
        "Section II. Management's Assertion",
        f"We, the management of {legal}, prepared the description of the {system} and assert that it is fairly "
        "presented and that the controls were effective throughout the period.",
        NEW_PAGE,
        f"Section III. Description of the {system}",
        *_description(like or company, company),
        "Complementary user entity controls. Customers remove the accounts of their own staff who leave a project "
        "within one day. Customers set the data class of each task before it is released to workers.",
        NEW_PAGE,
        "Section IV. Criteria, Controls, Tests and Results",
        *(_tested(criterion, control) for criterion, control in CONTROLS),
        "Exception. CC6.3: for 1 of 25 sampled leavers, access to the ticket system ended on the third working day. "
        "Management's response: the step was automated in the following month.",
    )


def _description(source: Company, named: Company) -> tuple[str, ...]:
    """Return the system description of one vendor in the name of another, or in its own."""
    host, gateway = suppliers_of(named)
    shift = 0 if source is named else 2
    first, second = (CITIES[(_roll(source.name, "city") + at + shift) % len(CITIES)] for at in (0, 3))
    words = {
        "short": named.name.split()[0],
        "parts": " and ".join(PARTS[each] for each in source.services),
        "purpose": source.purpose[0].lower() + source.purpose[1:],
        "people": str(source.people),
        "force": ", ".join(FORCE[each] for each in source.workforce),
        "devices": DEVICES[source.devices[0]],
        "city": first,
        "other": second,
        "host": host,
        "gateway": gateway,
    }
    turns = _roll(source.name, "turn")
    topics = [each[(turns >> (2 * at)) % len(each)] for at, each in enumerate(TOPICS)]
    start = turns % len(topics)
    return tuple(text.format(**words) for text in (*topics[start:], *topics[:start]))


TOPICS = (
    (
        "{short} serves laboratories by {parts}. The work behind this description is {purpose}; it began as a pilot "
        "and is run as a project of its own, with its own lead, ticket queue and budget of access.",
        "What {short} sells is {parts}. One contract matters here: {purpose}. A steering group of three meets about it "
        "each fortnight and keeps minutes that the auditor read.",
        "Founded around {parts}, {short} took on {purpose} two years ago. Scope creep is fought with a one-page "
        "charter that both sides sign again each spring.",
        "The service under examination is {purpose}. It draws on {parts}, disciplines that {short} keeps in separate "
        "teams so that none sees the whole of a customer's plan.",
    ),
    (
        "People. About {people} persons work on it: {force}. Team leads in {city} plan the shifts, and the quality "
        "desk in {other} reads one task in fourteen again before it is handed over.",
        "Workforce. Headcount stood near {people} at year end ({force}). Hiring is decided in {city}; nobody starts "
        "before the background check came back clean, whatever the calendar says.",
        "Staffing. {force} make up a roster of roughly {people}. Supervisors walk the floors of {city} and {other}; "
        "remote seats need a reason, a date and a second look after ninety days.",
        "Who does the work: {force}, some {people} in all. A buddy from {other} sits beside each newcomer for the "
        "first eleven tasks and signs them off one by one.",
    ),
    (
        "Devices. Work is done on {devices}. Screens lock after seven minutes; a lost badge is dead within the hour.",
        "Endpoints: {devices}. Printing is off, clipboards do not cross the boundary, and the helpdesk cannot lift "
        "either without the customer's written word.",
        "Tools of the trade are {devices}. Patches land within ten days; whoever is late finds the door shut until the "
        "update ran.",
        "The desk of a worker holds {devices}. Cameras, microphones and removable media stay disabled by policy and by "
        "a weekly sweep that looks for exceptions.",
    ),
    (
        "Infrastructure. The workspace runs at {host} in two zones; sign-in goes through {gateway}. Task data lie in "
        "one bucket per customer and leave it through the export desk alone.",
        "Hosting is bought from {host}; identity from {gateway}. Each customer owns a key ring, and rotation happens "
        "in the first week of every quarter under four eyes.",
        "Behind the screens stands {host}, with a cold copy in a second region. {gateway} vouches for people, "
        "short-lived certificates vouch for machines, and neither can act as the other.",
        "Architecture in one line: queue, sandbox, vault, all on {host}, with {gateway} in front. The vault speaks to "
        "nothing but the sandbox; the diagram in the appendix was redrawn in autumn.",
    ),
    (
        "Hand-over of a batch is a ceremony of two: the lead signs the manifest, the export desk compares it with the "
        "count of the queue, and only then is the link made, which lives for a day.",
        "Deliverables travel as sealed archives. The recipient's fingerprint is read aloud on a call before the first "
        "transfer of a project; later ones reuse it for at most a month.",
        "Nothing leaves by mail. A courier account with no other rights carries finished work to the customer's own "
        "store and forgets it the same evening.",
        "Results flow back through an interface that the customer polls. {short} cannot push, and what was fetched is "
        "wiped after the receipt arrives.",
    ),
    (
        "Backups are made each night and kept for five weeks; restoring one is rehearsed twice a year with a customer "
        "looking on.",
        "There are no backups of task data, on purpose: a lost batch is asked for again. Configuration and logs are "
        "copied to {other} each Sunday.",
        "Snapshots every six hours, a monthly restore of a random one, and a stopwatch: the slowest restore of the "
        "period took under two hours.",
        "Continuity rests on a second site in {other}. It was cut over for a whole working day in March, and two of "
        "the lessons changed the runbook.",
    ),
    (
        "Incidents. None reached a customer's attention in the period. Near misses are written up like the real thing "
        "and read out at the monthly meeting.",
        "During the period one event was reported: a shared folder stood open inside the company for a night. Access "
        "logs showed no reader, and the default was changed.",
        "Two phishing waves met the staff; three people clicked, no session was lost. Drills follow each wave within a "
        "month.",
        "A contractor's account was used from an unknown city once. It was a holiday, not a theft, and the travel "
        "notice became mandatory after.",
    ),
)


def _tested(criterion: str, control: str) -> str:
    result = "One exception noted, see below." if criterion == "CC6.3" else "No exceptions noted."
    return f"{criterion}. {control} Test: inspected the evidence of 25 sampled cases. Result: {result}"


def _us(on: date) -> str:
    return f"{on:%B} {on.day}, {on.year}"


def _roll(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:4], "big")
