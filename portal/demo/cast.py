"""Who is in the demo: the lab's people, ten vendors and how each is doing. Every name is invented. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from portal.terms import Role

PASSWORD = "demo-lantern-over-harbour"  # noqa: S105 - meant to be known
"""The password of everybody in the demo. Production refuses to load the demo at all."""


class Stage(StrEnum):
    """How far a vendor's assessment goes."""

    INVITED = "invited"
    ANSWERING = "answering"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    WITH_VENDOR = "with_vendor"
    TO_COSIGN = "to_cosign"
    APPROVED = "approved"
    CONDITIONAL = "conditional"
    REJECTED = "rejected"
    RENEWING = "renewing"
    RENEWED = "renewed"
    SNOOZED = "snoozed"
    TO_DECIDE = "to_decide"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class Player:
    """One person."""

    name: str
    title: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """One vendor: what it does for the lab, how well it stands, how far it is, and when that began."""

    name: str
    legal_name: str
    domain: str
    project: str
    purpose: str
    services: tuple[str, ...]
    data_classes: tuple[int, ...]
    access_modes: tuple[str, ...]
    people: int
    workforce: tuple[str, ...]
    devices: tuple[str, ...]
    persons: tuple[str, ...]
    players: tuple[Player, ...]
    stage: Stage
    days_ago: int
    strength: int = 96
    """How many of a hundred answers are full ones."""
    other_labs: bool = True
    platform: bool = True
    paused: bool = False
    questionnaire: str = "ai-contractor"
    version: int = 1
    """The version that it was asked; the newest is asked of who comes new and of who renews."""
    renewed_days_ago: int = 5
    """When a vendor that renews was asked again, on the newest version."""
    weak: tuple[str, ...] = field(default=())
    """Questions that are answered badly whatever the strength."""
    proofs: tuple[str, ...] = field(default=())
    """The finding that it sends proof for, by its question, and how far that goes: sent, or closed."""
    plans: tuple[str, ...] = field(default=())
    """Findings that it sends a plan for, by their questions; the lab agrees."""
    conditions: tuple[tuple[str, str, int], ...] = field(default=())
    """What an approval hangs on: the question of the finding, the words, and the days from the decision on."""
    lives_with: str = ""
    """The finding, by its question, whose risk the lab accepts for a while."""
    says_else: tuple[tuple[str, str, str], ...] = field(default=())
    """Where an answer contradicts a file: the question, the field of its form, and what it says there."""
    changed: tuple[str, ...] = field(default=())
    """What it answers anew, and worse, when it renews; the rest it confirms."""
    appeal: str = ""
    """Why it asks for a second look at its decision."""


LAB = (
    Player("Ines Valdarno", "Vendor security", (Role.REVIEWER,)),
    Player("Jonas Weil", "Vendor security", (Role.REVIEWER,)),
    Player("Hana Kobayashi", "Head of vendor security", (Role.LEAD_APPROVER,)),
    Player("Theo Brandvold", "Security architecture", (Role.LEAD_APPROVER,)),
    Player("Mara Ilves", "Program management", (Role.PROGRAM_ADMIN,)),
    Player("Noor Sandoval", "Internal audit", (Role.AUDITOR,)),
)


def _team(respondent: str, admin: str, signatory: str, *more: str) -> tuple[Player, ...]:
    return (
        Player(respondent, "Security lead", (Role.RESPONDENT,)),
        *(Player(name, "Engineer", (Role.RESPONDENT,)) for name in more),
        Player(admin, "Operations", (Role.VENDOR_ADMIN, Role.RESPONDENT)),
        Player(signatory, "Chief Technology Officer", (Role.SIGNATORY,)),
    )


def _small(name: str, work: tuple[str, str, str], team: tuple[str, str, str], **more: Any) -> Company:
    """Return a vendor that works for the lab in one service, in the lab's environment, and was asked little."""
    project, purpose, service = work
    given: dict[str, Any] = {
        "legal_name": f"{name} Ltd",
        "domain": f"{name.split()[0].lower()}.example",
        "data_classes": (2,),
        "access_modes": ("A2",),
        "people": 40,
        "workforce": ("employees",),
        "devices": ("ours",),
        "persons": (),
        "other_labs": False,
        "platform": False,
        "questionnaire": "ai-contractor-minimal",
    }
    return Company(
        name=name, project=project, purpose=purpose, services=(service,), players=_team(*team), **(given | more)
    )


COMPANIES = (
    Company(
        name="Quillmark Annotation",
        legal_name="Quillmark Annotation, Inc.",
        domain="quillmark.example",
        project="Lark preferences",
        purpose="Preference rankings on unreleased prompts and outputs",
        services=("preference", "expert"),
        data_classes=(3, 4),
        access_modes=("A2", "A4"),
        people=620,
        workforce=("employees", "crowd"),
        devices=("ours",),
        persons=("personal",),
        players=_team("Priya Raghunath", "Marisol Dufour", "Daniel Osei", "Tomasz Okoro"),
        stage=Stage.IN_REVIEW,
        days_ago=14,
        strength=90,
        weak=("end.managed", "inc.exercise"),
        says_else=(
            ("inf.pentest", "details.firm", "Cobalt Reach Testing"),
            ("gov.insurance.cyber", "details.insurer", "Northgate Mutual"),
        ),
    ),
    Company(
        name="Hollowbrook Linguistics",
        legal_name="Hollowbrook Linguistics GmbH",
        domain="hollowbrook.example",
        project="Harbour rubrics",
        purpose="Expert rubrics and rankings inside our environment",
        services=("expert", "preference"),
        data_classes=(2, 3),
        access_modes=("A2",),
        people=140,
        workforce=("employees", "dedicated"),
        devices=("yours",),
        persons=(),
        players=_team("Anselm Quist", "Berta Nowak", "Clara Vinter"),
        stage=Stage.CONDITIONAL,
        days_ago=74,
        strength=93,
        weak=("inc.exercise", "end.dlp"),
        proofs=("inc.exercise", "sent"),
        plans=("end.dlp",),
        conditions=(("inc.exercise", "Run the yearly incident exercise and send its report", 120),),
        platform=False,
    ),
    Company(
        name="Brightseam Data",
        legal_name="Brightseam Data Ltd",
        domain="brightseam.example",
        project="Cedar labelling",
        purpose="Image and text labelling on its own platform",
        services=("labelling", "collection"),
        data_classes=(1, 2),
        access_modes=("A3",),
        people=900,
        workforce=("employees", "agencies"),
        devices=("yours",),
        persons=(),
        players=_team("Dagny Holt", "Emil Sørby", "Farah Aldous", "Gregor Tamm"),
        stage=Stage.ANSWERING,
        days_ago=12,
        strength=88,
    ),
    Company(
        name="Tessellate Works",
        legal_name="Tessellate Works BV",
        domain="tessellate.example",
        project="Public corpus tidy-up",
        purpose="Cleaning of public data; our identity is hidden",
        services=("labelling",),
        data_classes=(0, 1),
        access_modes=("A1",),
        people=18,
        workforce=("employees",),
        devices=("yours",),
        persons=(),
        players=_team("Hedda Lund", "Ivo Marek", "Juno Castellan"),
        stage=Stage.APPROVED,
        days_ago=120,
        strength=100,
        other_labs=False,
        platform=False,
        questionnaire="ai-contractor-minimal",
    ),
    Company(
        name="Oakmere Panel",
        legal_name="Oakmere Panel, LLC",
        domain="oakmere.example",
        project="Meadow conversations",
        purpose="Conversations with volunteers, inside our environment",
        services=("collection", "preference"),
        data_classes=(2, 3),
        access_modes=("A2",),
        people=480,
        workforce=("employees", "dedicated"),
        devices=("ours",),
        persons=(),
        players=_team("Kester Amadi", "Lotte Brandt", "Mikkel Aune"),
        stage=Stage.APPROVED,
        days_ago=95,
        strength=98,
        platform=False,
        paused=True,
    ),
    Company(
        name="Larkfield Synthetics",
        legal_name="Larkfield Synthetics SA",
        domain="larkfield.example",
        project="Synthetic dialogues",
        purpose="Generated dialogues for training",
        services=("synthetic",),
        data_classes=(1,),
        access_modes=("A1",),
        people=35,
        workforce=("employees",),
        devices=("yours",),
        persons=(),
        players=_team("Nils Oduya", "Orla Finch", "Petra Sandell"),
        stage=Stage.APPROVED,
        days_ago=400,
        strength=97,
        questionnaire="ai-contractor-minimal",
    ),
    Company(
        name="Vesper Evaluation",
        legal_name="Vesper Evaluation Inc.",
        domain="vesper.example",
        project="Held-out evaluations",
        purpose="Held-out evaluations of unreleased models",
        services=("eval",),
        data_classes=(4,),
        access_modes=("A2", "A4"),
        people=60,
        workforce=("employees", "dedicated", "crowd"),
        devices=("ours",),
        persons=(),
        players=_team("Quentin Abara", "Rosalind Ek", "Stellan Vogt"),
        stage=Stage.TO_COSIGN,
        days_ago=16,
        strength=99,
    ),
    Company(
        name="Candlewick Red Team",
        legal_name="Candlewick Red Team Ltd",
        domain="candlewick.example",
        project="Jailbreak hunt",
        purpose="Red-teaming through our models' interface",
        services=("redteam",),
        data_classes=(1,),
        access_modes=("A2",),
        people=25,
        workforce=("employees", "dedicated"),
        devices=("own",),
        persons=(),
        players=_team("Tamsin Roe", "Ulrik Beck", "Vera Lindqvist"),
        stage=Stage.REJECTED,
        days_ago=20,
        strength=55,
        weak=("iam.mfa.workforce", "gdl.links"),
        proofs=("gdl.links", "closed"),
        appeal="The export that you read was of our test tenant. The tenant in which our people work asks for a "
        "second factor from everybody. Its export is in our library since Monday.",
        platform=False,
        questionnaire="ai-contractor-minimal",
    ),
    Company(
        name="Northwick Speech",
        legal_name="Northwick Speech AS",
        domain="northwick.example",
        project="Spoken instructions",
        purpose="Recordings of spoken instructions, inside our environment",
        services=("collection",),
        data_classes=(3,),
        access_modes=("A2",),
        people=210,
        workforce=("employees", "dedicated"),
        devices=("ours",),
        persons=(),
        players=_team("Wanda Ostrow", "Xavier Lind", "Ylva Berg"),
        stage=Stage.WITH_VENDOR,
        days_ago=26,
        strength=92,
        platform=False,
    ),
    Company(
        name="Pellmore Annotation",
        legal_name="Pellmore Annotation Ltd",
        domain="pellmore.example",
        project="Finch rankings",
        purpose="Preference rankings inside our environment",
        services=("preference",),
        data_classes=(3,),
        access_modes=("A2",),
        people=80,
        workforce=("employees",),
        devices=("ours",),
        persons=(),
        players=(Player("Zelda Moor", "Chief Information Security Officer", (Role.VENDOR_ADMIN, Role.SIGNATORY)),),
        stage=Stage.INVITED,
        days_ago=1,
        version=2,
    ),
    Company(
        name="Fernley Transcripts",
        legal_name="Fernley Transcripts Ltd",
        domain="fernley.example",
        project="Tern dialogues",
        purpose="Transcripts and rankings of dialogues, inside our environment",
        services=("preference", "expert"),
        data_classes=(2, 3),
        access_modes=("A2",),
        people=160,
        workforce=("employees", "dedicated"),
        devices=("yours",),
        persons=(),
        players=_team("Aurel Stanek", "Bodil Krag", "Cato Lindgren", "Delia Moreau"),
        stage=Stage.RENEWING,
        days_ago=185,
        strength=97,
        weak=("ret.backups.days",),
    ),
    _small(
        "Umberfield Data",
        ("Cedar captions", "Captions for images, inside our environment", "labelling"),
        ("Edda Marsh", "Frode Linnet", "Gitta Solberg"),
        stage=Stage.IN_REVIEW,
        days_ago=19,
        strength=84,
    ),
    _small(
        "Sablewood Evals",
        ("Grader panel", "Gradings of outputs, inside our environment", "expert"),
        ("Halvor Pike", "Irma Decker", "Jarl Winther"),
        stage=Stage.SUBMITTED,
        days_ago=9,
    ),
    _small(
        "Thornbury Maths",
        ("Proof rubrics", "Rubrics for proofs, inside our environment", "expert"),
        ("Kaja Verne", "Lars Umber", "Mette Roke"),
        stage=Stage.SUBMITTED,
        days_ago=7,
        strength=99,
    ),
    _small(
        "Kestrel Speech",
        ("Read sentences", "Recordings of sentences, inside our environment", "collection"),
        ("Nanna Frey", "Odd Sommer", "Pia Lindell"),
        stage=Stage.SNOOZED,
        days_ago=10,
        strength=90,
    ),
    _small(
        "Redgate Curation",
        ("Sourcing of public texts", "Curation of public texts, inside our environment", "collection"),
        ("Runa Keel", "Sverre Alm", "Tora Hedge"),
        stage=Stage.TO_DECIDE,
        days_ago=13,
    ),
    _small(
        "Marrowstone Labs",
        ("Refusal pairs", "Preference pairs, inside our environment", "preference"),
        ("Ulla Brink", "Viggo Stern", "Wenche Dahl"),
        stage=Stage.ESCALATED,
        days_ago=14,
        strength=80,
        weak=("inf.logs.months",),
    ),
    _small(
        "Copperline Raters",
        ("Tone ratings", "Ratings of tone, inside our environment", "preference"),
        ("Yrsa Quill", "Aksel Thorn", "Birte Holm"),
        stage=Stage.RENEWED,
        days_ago=80,
        renewed_days_ago=10,
        strength=98,
        changed=("inf.logs.months", "wrk.offboard.hours"),
    ),
    _small(
        "Pinwheel Text",
        ("Story endings", "Endings of stories, inside our environment", "expert"),
        ("Ditte Rowan", "Eskil Barth", "Fenja Lorne"),
        stage=Stage.CONDITIONAL,
        days_ago=75,
        strength=95,
        weak=("inf.logs.months", "wrk.training"),
        conditions=(
            ("inf.logs.months", "Keep the logs of access for twelve months and show the setting", 30),
            ("wrk.training", "Train everybody on the project and send the list", 35),
        ),
        lives_with="wrk.training",
    ),
)


_PLAIN = str.maketrans("øåäé ", "oaae.")


def address(player: Player, domain: str) -> str:
    """Return the mail address of a person: first.last at the company."""
    return f"{player.name.lower().translate(_PLAIN)}@{domain}"
