"""Section III: what a service organisation writes of its system, different in every report but for its boilerplate."""
# ruff: noqa: E501 - texts are kept whole

from __future__ import annotations

import random

from tests.factories.reporting.facts import Facts, expand

TOPICS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Company overview and services",
        (
            "{short} was founded in {year} and [helps developers of models|serves research laboratories|works for makers of assistants] to [collect|obtain|gather] [human feedback|labelled examples|spoken samples] [at scale|in many languages|with known quality].",
            "Today [about|more than|some] {n1} employees and {n2} [contract raters|freelance annotators|external reviewers] [work on|contribute to|use] the {system} from {n3} [countries|regions|time zones].",
            "[Customers|User entities|Clients] [send|upload|deliver] [raw items|tasks|batches] [through an interface|over an encrypted channel|by an API], [raters judge them|annotators mark them|experts compare them], and [results are returned|the output is delivered|files come back] [within|after|in] {n4} [hours|days|working days].",
            "The [service|platform|product] is [offered|sold|provided] in {n5} editions, of which the [largest|smallest|newest] [adds|includes|brings] [dedicated reviewers|a private work area|separate storage].",
            "[Quality|Accuracy|Agreement] is [measured|tracked|watched] by [gold items|repeated items|a second look] in {n4} per cent of [tasks|judgements|batches], and [low scores|poor results|outliers] [lead to|trigger|cause] [retraining|a pause|removal from the project].",
        ),
    ),
    (
        "Infrastructure",
        (
            "The [production environment|platform|system] runs in {n5} [regions|zones|sites] of [a public cloud|two providers|one hosting provider] and [is described in code|is rebuilt from templates|is deployed by pipelines].",
            "[Servers|Nodes|Instances] are [replaced|renewed|rebuilt] every {n4} [days|weeks], so that [no machine is patched by hand|drift is removed|old images vanish].",
            "A [relational database|document store|queue of tasks] [keeps|holds|stores] [the state of work|all judgements|assignments], with [a replica|two replicas|a standby] in [another zone|a second region|a different building].",
            "[Traffic|Every request|Access from outside] [passes|goes through|reaches] a [filtering proxy|gateway|load balancer] that [ends encryption|limits rates|blocks known attacks].",
            "[Work areas|Project spaces|Queues] of [different customers|each client|user entities] are [kept apart|separated|isolated] by [separate keys|their own schema|network rules].",
        ),
    ),
    (
        "People",
        (
            "The [security team|group for trust|office of the CISO] of {n5} people [reports|answers] to the [chief executive|board|head of engineering] [each month|every quarter|twice a year].",
            "[Annotators|Raters|Contract workers] [sign|accept|agree to] [a confidentiality agreement|rules of conduct|terms of secrecy] and [pass|complete|finish] [training|an exam|an introduction] of {n4} [hours|units] before [their first task|they see data|access is given].",
            "[Background checks|Checks of identity|Screenings] are [carried out|made|ordered] for [employees|everybody with access|staff] [before they start|in the first week|at hiring], [as far as local law allows|in all countries|by a provider].",
            "[Leavers|People who leave|Terminated workers] [lose|are removed from] [all access|their accounts|the identity provider] within {n4} hours of [notice|the last day|the request].",
        ),
    ),
    (
        "Procedures and access",
        (
            "[Access|Permission|A role] is [requested|asked for] in [the ticket system|a form|a workflow], [approved|allowed|confirmed] by [the manager|the owner of the system|two people] and [reviewed|checked|looked at again] every {n5} months.",
            "[All sign-ins|Every session|Administrators] [need|require|use] [a second factor|a hardware key|a phishing-resistant factor], and [sessions end|idle users are signed out|tokens lapse] after {n4} [minutes|hours].",
            "[Privileged|Emergency|Break-glass] access is [given for|limited to|ended after] {n4} hours and [recorded|filmed|written to the trail].",
            "[Passwords|Secrets|Keys] are [kept in a vault|rotated every {n4} weeks|never written into code], and [a scanner|a hook|a nightly job] [looks for|finds|reports] [leaks|copies|strays].",
        ),
    ),
    (
        "Data",
        (
            "[Customer data|Items for annotation|Uploads] are [classified|labelled|marked] as [restricted|confidential|secret], [encrypted|kept encrypted] with [AES-256|keys of the customer|keys that rotate] and [deleted|erased|removed] {n4} days after [the end of a project|delivery|the contract ends].",
            "[Raters|Annotators|Reviewers] [see|open|view] [one item at a time|data in a remote browser|pictures of the text], and [copying|downloads|printing] [is|are] [disabled|blocked|not possible].",
            "[Backups|Copies|Snapshots] are [made|taken|written] every {n4} hours, [kept|stored] for {n6} days and [restored|tested|tried out] [each quarter|every month|twice a year].",
            "[Training|Tuning|Use] of [own models|internal tools|models of the company] with [customer data|uploads] is [forbidden|excluded by contract|not allowed] unless [the customer agreed in writing|a signed order says so].",
        ),
    ),
    (
        "Risk assessment and monitoring",
        (
            "[Risks|Threats|Hazards] are [listed|rated|discussed] [once a year|each half-year|every quarter] in a [register|workshop|meeting] with {n5} [owners|departments|participants], and [the top ten|high ones|open ones] are [reported|shown|brought] to [the board|management|the steering group].",
            "[Logs|Events|Signals] of [all systems|hosts and applications|the cloud accounts] [arrive|are collected|meet] in [one place|a central store|a monitoring service] and [are kept|stay|remain] for {n6} days; {n4} rules [raise|send|open] [alerts|tickets|pages].",
            "[Vulnerabilities|Weaknesses|Findings of scanners] are [fixed|closed|repaired] within {n4} days if [critical|high], else within {n6} days.",
            "[An external firm|Independent testers|A contracted laboratory] [attacks|tests|examines] the [platform|application|interfaces] [every year|each spring|before large releases].",
        ),
    ),
    (
        "Changes and incidents",
        (
            "[Changes|Releases|Merges] [need|require|get] [a review|two reviews|an approval] and {n6} [automatic tests|checks|gates] before they [reach production|go live|are rolled out].",
            "[During the period|In the time under examination|Since the last description], the company [moved to a new region|replaced its ticket system|introduced a remote desktop|opened an office].",
            "[No significant incident|No incident that hindered commitments|Nothing that endangered commitments] [occurred|happened|was identified] [in the time described|in these months|while the description applied].",
            "[An incident|A disturbance|An outage] is [classified|rated|given a level] within {n4} minutes, and [customers|user entities|those affected] [hear|are told|are notified] within {n6} hours.",
        ),
    ),
    (
        "Locations and commitments",
        (
            "[Offices|Sites|Work rooms] are in {city1} and {city2}; [annotators|raters|workers] [also work|may work] [from home|remotely|at partner sites] [on managed devices|through a remote desktop|in a locked browser].",
            "[Commitments|Promises|Undertakings] to [user entities|customers] are [written down|set out|stated] in [agreements|the terms of service|orders] and [include|cover|comprise] [an uptime of 99.9 per cent|answers within {n4} hours|deletion on request].",
            "[Visitors|Guests|Suppliers] [sign in|are accompanied|wear a badge], and [doors|rooms|cabinets] [open by card|are locked|are watched by cameras] whose [pictures|records] are kept {n6} days.",
        ),
    ),
)
CITIES = ("Leeds", "Nairobi", "Manila", "Kraków", "Austin", "Montevideo", "Tallinn", "Pune", "Lisbon", "Accra")


def describe(facts: Facts, chance: random.Random) -> list[str]:
    """Return the paragraphs of the description, each with its heading before it; names come from the facts."""
    paragraphs: list[str] = []
    topics = list(TOPICS)
    middle = topics[1:-1]
    chance.shuffle(middle)
    for title, sentences in (topics[0], *middle, topics[-1]):
        picked = chance.sample(sentences, chance.randrange(2, 4))
        said = " ".join(_filled(each, facts, chance) for each in picked)
        paragraphs += [title, said]
    return paragraphs


def _filled(sentence: str, facts: Facts, chance: random.Random) -> str:
    numbers = {f"n{index}": str(chance.randrange(2, 60)) for index in range(1, 7)}
    first, second = chance.sample(CITIES, 2)
    text = expand(sentence, chance)
    return text.format(
        short=facts.short,
        system=facts.system,
        entity=facts.entity,
        year=chance.randrange(2008, 2022),
        city1=first,
        city2=second,
        **numbers,
    )
