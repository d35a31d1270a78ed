"""The product with the demo in it, and the requests that are measured."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from itsdangerous import URLSafeTimedSerializer

from bench.servers import Request
from portal.assessments import service as assessments
from portal.attestations import service as attestations
from portal.demo import story
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity.models import UserAccount, WebSession
from portal.kernel.actor import system
from portal.kernel.embedded import EmbeddedPostgres
from portal.policy import Action
from portal.questionnaires.rules import (
    Answer,
    Kind,
    Problems,
    Question,
    compile_yaml,
    facts_from,
    missing,
    parse_answer,
    state_of,
)
from portal.questionnaires.rules.diff import diff
from portal.scoring import rules as scores
from portal.scoring import service as scoring
from portal.scoring.models import ScoreSnapshot
from portal.settings import Settings
from portal.setup import first_steps
from portal.terms import AssessmentState, Role, Scope
from portal.wiring import House

ROOT = Path(__file__).resolve().parent.parent
BENCH = system("bench")
FORM_TOKEN = "b" * 40
SECTION, QUESTION = "iam", "iam.sso"


@dataclass
class Product:
    """A prepared installation."""

    house: House
    environment: dict[str, str]
    database_pid: int
    assessment_id: UUID
    session: str
    token: str
    words: dict[str, str] = field(
        default_factory=lambda: {
            "bare": "bare WSGI callable",
            "flask": "bare Flask JSON route (F)",
            "gate": "gate: token, decision, signature",
            "section": "section page, all its questions",
            "autosave": "save one answer, with its trail",
        }
    )

    @property
    def gate(self) -> Request:
        """May this vendor?"""
        question = {"vendor": "hollowbrook-linguistics", "data_class": "D3", "access_mode": "A2", "purpose": "bench"}
        return Request("GET", f"/api/v1/gate?{urlencode(question)}", {"Authorization": f"Bearer {self.token}"})

    @property
    def section(self) -> Request:
        """One section of the questionnaire as a contractor sees it."""
        return Request("GET", f"/assessments/{self.assessment_id}/s/{SECTION}", {"Cookie": f"gatehouse={self.session}"})

    def autosave(self) -> Request:
        """Save one answer over and over, each time another text."""
        with self.house.ledger.begin(BENCH) as tx:
            row = assessments.get(tx, self.assessment_id, Action.ASSESSMENT_READ)
            line = attestations.answers_of(tx, row).get(QUESTION)
        versions = itertools.count(line.version if line else 0)
        form_token = URLSafeTimedSerializer(self.house.settings.secret_keys[0], salt="wtf-csrf-token").dumps(FORM_TOKEN)

        def body() -> bytes:
            version = next(versions)
            text = f"Every system since spring; text {version} of the measurement."
            return urlencode({"version": str(version), "choice": "yes", "comment": text}).encode()

        headers = {
            "Cookie": f"gatehouse={self.session}",
            "Content-Type": "application/x-www-form-urlencoded",
            "HX-Request": "true",
            "X-CSRFToken": str(form_token),
        }
        return Request("POST", f"/assessments/{self.assessment_id}/s/{SECTION}/{QUESTION}", headers, body)

    def in_process(self) -> Iterator[tuple[str, str, float]]:
        """Yield what is measured without a server: what it is, its goal, seconds."""
        source = of_140_questions()
        large = compile_yaml(source, "large")
        forms = {question.key: _form(question) for question in large.questions}
        said = {key: _taken(parse_answer(large.question(key), form)) for key, form in forms.items()}
        facts = facts_from({}, large)
        yield "compile a questionnaire, 140 questions", "B14 60 ms", _best(lambda: compile_yaml(source, "large"), 5)
        yield (
            "what is asked and what is missing, 140 answers",
            "B14 2 ms",
            _best(lambda: (state_of(large, 1, facts, said), missing(large, 1, facts, said)), 50),
        )
        yield (
            "read 140 answers from their forms",
            "B14 2 ms",
            _best(lambda: [parse_answer(large.question(key), form) for key, form in forms.items()], 20),
        )
        changed = compile_yaml(source.replace(b"last 12 months", b"last 6 months"), "changed")
        yield "difference of two versions, 140 questions", "-", _best(lambda: diff(large, changed), 5)
        with self.house.ledger.begin(BENCH) as tx:
            row = assessments.get(tx, self.assessment_id, Action.ASSESSMENT_READ)
            standing = attestations.standing(tx, row)
            answers = {key: line.answer for key, line in attestations.answers_of(tx, row).items()}
            stored = tx.session.query(ScoreSnapshot).order_by(ScoreSnapshot.made_at.desc()).first()
        given = (standing.questionnaire, row.tier, standing.facts, answers)
        yield "what is asked of whom, all questions", "B14 2 ms", _best(lambda: state_of(*given), 50)
        if stored is not None:
            inputs = scoring.inputs_of(stored)
            plan = scores.compile_plan(inputs.version, inputs.policy)
            yield "exact score of one attestation", "B6 0.5 ms", _best(lambda: plan.score(inputs), 50)


def of_140_questions() -> bytes:
    """Return the largest questionnaire with a section more, so that it asks 140 questions."""
    shipped = (ROOT / "questionnaires" / "ai-contractor" / "v1.yaml").read_text("utf-8").rstrip()
    left = 140 - len(compile_yaml(shipped.encode(), "v1").questions)
    more = "".join(
        f"      - {{key: more.q{number}, revision: 1, label: More {number}, text: One more., kind: ynp, weight: 1, "
        "tiers: [1, 2, 3], guidance: How., why: Why., strong: Strong., good_evidence: Good.}\n"
        for number in range(left)
    )
    head = "key: more, title: More, group: Assurance, summary: More, intro: More., weight: 1".replace(", ", "\n    ")
    return f"{shipped}\n  - {head}\n    questions:\n{more}".encode()


def _form(question: Question) -> dict[str, str | list[str]]:
    if question.kind is Kind.NUMBER:
        return {"number": "1", "comment": "Because."}
    best = max(question.choices, key=lambda option: option.credit or 0)
    return {"choice": best.key, "comment": "Because."}


def _taken(answer: Answer | Problems) -> Answer:
    assert isinstance(answer, Answer), answer
    return answer


def _best(job: Callable[[], object], times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        job()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2]


@contextmanager
def prepare(folder: Path) -> Iterator[Product]:
    """Make an installation in an empty folder: a durable database, the demo, a session and a token."""
    with EmbeddedPostgres(folder / "postgres") as server:
        given = {
            **os.environ,
            "GATEHOUSE_VAR": str(folder),
            "GATEHOUSE_DATABASE_URL": server.url(),
            "GATEHOUSE_DEMO": "1",
        }
        house = House(Settings.from_env(given))
        for _line in first_steps(house, ROOT / "questionnaires"):
            continue
        for _word in story.Story(house).tell():
            continue
        with house.ledger.begin(BENCH) as tx:
            owed = assessments.owed(tx, due_by=tx.now.date() + timedelta(days=90))
            vendor_id, assessment_id = next(
                (line.vendor_id, line.id) for line in owed if line.state is AssessmentState.IN_PROGRESS
            )
            admin = people.people_of_vendor_with(tx, vendor_id, Role.VENDOR_ADMIN)[0]
            user = tx.session.get_one(UserAccount, admin.id)
            new = identity.begin_session(tx, user=user, address="127.0.0.1", user_agent="bench", factor="totp")
            tx.session.flush()
            tx.session.get_one(WebSession, new.session_id).data = {"csrf_token": FORM_TOKEN}
            _client, token = identity.create_client(
                tx, name="bench", scopes=[Scope.GATE_READ], vendor_ids=None, expires_at=tx.now + timedelta(days=1)
            )
        environment = {name: value for name, value in given.items() if name.startswith("GATEHOUSE_")}
        yield Product(house, environment, int(server.pid or 0), assessment_id, new.token, token)
        house.engine.dispose()
