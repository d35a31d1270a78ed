"""The demo is lived, not written: each vendor goes through the product's own commands, on the days it happened."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.demo.answers import PaperPlan, answer_to, dice, fact_form, papers_of
from portal.demo.cast import COMPANIES, LAB, PASSWORD, Company, Player, Stage, address
from portal.demo.papers import pdf
from portal.evidence import intake
from portal.evidence import service as evidence
from portal.gate import service as gate
from portal.identity import queries as people
from portal.identity import service as identity
from portal.identity import totp
from portal.identity.passwords import hasher
from portal.kernel.actor import Actor, ActorKind, system
from portal.kernel.clock import FixedClock
from portal.kernel.errors import NotFound
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Owner, Questionnaire
from portal.reviews import service as reviews
from portal.reviews.models import Review
from portal.reviews.rules import deviates
from portal.terms import EvidenceState, Outcome, Recommendation, Role, Severity, Side, Verdict
from portal.vendors import service as vendors
from portal.vendors.rules import slug_of

if TYPE_CHECKING:
    from portal.wiring import House

T = TypeVar("T")
DEMO = system("demo")
STATEMENTS = ("authority", "truth", "changes")
TIER_1_KINDS = ("SOC2", "SCR", "CON", "SPL", "POL", "LOG", "PT", "INS", "ARC", "RPT", "DPA")
TIER_2_KINDS = ("SOC2", "SCR", "CON", "SPL", "POL", "LOG")
TIER_3_KINDS = ("CON",)


@dataclass(frozen=True, slots=True)
class SignIn:
    """How one person of the demo gets in."""

    name: str
    email: str
    roles: tuple[str, ...]
    organisation: str
    totp_secret: str


def secret_of(email: str) -> str:
    """Return the authenticator secret of a demo person: always the same, so that it can be printed again."""
    return base64.b32encode(hashlib.sha256(f"gatehouse demo {email}".encode()).digest()[:20]).decode()


def sign_ins() -> list[SignIn]:
    """Return everybody who can sign in, the lab's people first."""
    cast = [(player, "orrery.example", "Orrery") for player in LAB]
    for company in COMPANIES:
        if company.stage is not Stage.INVITED:
            cast += [(player, company.domain, company.name) for player in company.players]
    return [
        SignIn(
            name=player.name,
            email=address(player, domain),
            roles=tuple(role.value for role in player.roles),
            organisation=organisation,
            totp_secret=secret_of(address(player, domain)),
        )
        for player, domain, organisation in cast
    ]


class Story:
    """Tells the whole demo to an empty house."""

    def __init__(self, house: House) -> None:
        self._house = house
        with house.ledger.begin(DEMO) as tx:
            self._now = tx.now
        self._clock = FixedClock(self._now)
        # The same database and store, with a clock that can be set to the day on which something happened.
        self._then = type(house)(house.settings, database_url=house.database_url, clock=self._clock, store=house.store)
        self._actors: dict[str, Actor] = {}

    def tell(self) -> Iterator[str]:
        """Live through it; yield a word on each vendor. What is there already is not lived twice."""
        self._at(days_ago=460)
        for player in LAB:
            self._enrol(player, "orrery.example", vendor_id=None)
        for company in COMPANIES:
            if not self._knows(company):
                _Vendor(self, company).live()
                yield f"{company.name}: {company.stage.value.replace('_', ' ')}"
        self._then.engine.dispose()

    def _knows(self, company: Company) -> bool:
        with self._then.ledger.begin(DEMO) as tx:
            try:
                vendors.by_slug(tx, slug_of(company.name, fallback="vendor"), Action.VENDOR_READ)
            except NotFound:
                return False
        return True

    def at(self, *, days_ago: float) -> datetime:
        """Set the clock to a working hour so many days ago."""
        return self._at(days_ago=days_ago)

    def _at(self, *, days_ago: float) -> datetime:
        self._clock.instant = self._now - timedelta(days=days_ago)
        return self._clock.instant

    @property
    def then(self) -> House:
        """The house on the day that is being told."""
        return self._then

    def today(self) -> date:
        """Return the day that is being told."""
        return self._clock.instant.date()

    def lab(self, name: str) -> Actor:
        """Return one of the lab's people, with a factor given just now."""
        return self._actors[name]

    def enrol(self, player: Player, company: Company, vendor_id: UUID) -> Actor:
        """Invite and enrol a person of a vendor."""
        return self._enrol(player, company.domain, vendor_id=vendor_id)

    def _enrol(self, player: Player, domain: str, *, vendor_id: UUID | None) -> Actor:
        email = address(player, domain)
        keyring = self._house.keyring
        with self._then.ledger.begin(DEMO) as tx:
            known = people.people_of_vendor(tx, vendor_id) if vendor_id else people.lab_people(tx)
            found = next((each for each in known if each.email == email), None)
            if found is None:
                invitation = identity.invite(
                    tx,
                    email=email,
                    full_name=player.name,
                    roles=player.roles,
                    side=Side.VENDOR if vendor_id else Side.LAB,
                    vendor_id=vendor_id,
                    keyring=keyring,
                )
                secret = secret_of(email)
                user, _codes = identity.enrol(
                    tx,
                    invitation=invitation,
                    password=PASSWORD,
                    totp_secret=secret,
                    totp_code=totp.code_at(secret, totp.step_at(tx.now)),
                    keyring=keyring,
                    hasher=hasher("test"),  # everybody knows these passwords; the demo should load fast
                )
                user.title = player.title
                tx.session.flush()
                user_id = user.id
            else:
                user_id = found.id
        actor = Actor(
            ActorKind.PERSON,
            user_id,
            player.name,
            vendor_id=vendor_id,
            roles=frozenset(player.roles),
            fresh=True,
            email=email,
            address="127.0.0.1",
        )
        self._actors[player.name] = actor
        return actor


class _Vendor:
    """One vendor's way through the product."""

    def __init__(self, story: Story, company: Company) -> None:
        self._story = story
        self._company = company
        self._ledger = story.then.ledger
        self._team: list[Actor] = []
        self._papers: dict[str, UUID] = {}
        self._assessment_id: UUID | None = None
        self._tier = 3

    def live(self) -> None:
        """Go as far as the company goes."""
        company, story = self._company, self._story
        began = story.at(days_ago=company.days_ago)
        with self._ledger.begin(story.lab("Ines Valdarno")) as tx:
            vendor = vendors.add(tx, name=company.name, legal_name=company.legal_name, mail_domains=[company.domain])
            engagement = vendors.engage(
                tx,
                vendor=vendor,
                project=company.project,
                purpose=company.purpose,
                services=company.services,
                data_classes=company.data_classes,
                access_modes=company.access_modes,
                persons=company.persons,
                people=company.people,
                workforce=company.workforce,
                devices=company.devices,
                starts_on=began.date(),
                ends_on=None,
            )
            version = questionnaires.latest(tx, company.questionnaire)
            assessment = assessments.request(
                tx,
                vendor=vendor,
                engagement=engagement,
                questionnaire_version=version,
                due_on=began.date() + timedelta(days=28),
            )
            vendor_id, self._assessment_id = vendor.id, assessment.id
            self._tier = assessment.tier
            if company.stage is Stage.INVITED:
                for player in company.players:
                    identity.invite(
                        tx,
                        email=address(player, company.domain),
                        full_name=player.name,
                        roles=player.roles,
                        side=Side.VENDOR,
                        vendor_id=vendor.id,
                        assessment_id=assessment.id,
                        keyring=story.then.keyring,
                    )
                return
        story.at(days_ago=company.days_ago - 1)
        self._team = [story.enrol(player, company, vendor_id) for player in company.players]
        self._scoping()
        self._divide()
        story.at(days_ago=company.days_ago - 3)
        self._upload()
        self._answer()
        if company.stage is Stage.ANSWERING:
            return
        story.at(days_ago=company.days_ago - 6)
        self._sign()
        if company.stage is Stage.SUBMITTED:
            return
        story.at(days_ago=company.days_ago - 7)
        self._review()

    # the vendor's side

    @property
    def _admin(self) -> Actor:
        return next(actor for actor in self._team if Role.VENDOR_ADMIN in actor.roles)

    @property
    def _signatory(self) -> Actor:
        return next(actor for actor in self._team if Role.SIGNATORY in actor.roles)

    def _scoping(self) -> None:
        company = self._company
        with self._ledger.begin(self._admin) as tx:
            assessment = assessments.get(tx, _some(self._assessment_id), Action.SCOPING_CONFIRM)
            for line in assessments.scoping_of(tx, assessment):
                if line.definition.owner is Owner.VENDOR:
                    form = fact_form(
                        line.definition,
                        people=company.people,
                        workforce=company.workforce,
                        devices=company.devices,
                        labs=company.other_labs,
                        platform=company.platform,
                    )
                    assessments.state_fact(tx, assessment=assessment, key=line.key, value=form, version=line.version)
                elif line.needs_confirmation and line.stated:
                    assessments.confirm_fact(tx, assessment=assessment, key=line.key, version=line.version)

    def _divide(self) -> None:
        helpers = [actor for actor in self._team if actor.roles == {Role.RESPONDENT}][1:]
        if not helpers:
            return
        with self._ledger.begin(self._admin) as tx:
            assessment = assessments.get(tx, _some(self._assessment_id), Action.SECTION_ASSIGN)
            for number, section in enumerate(("inf", "ssc", "iam")):
                helper = helpers[number % len(helpers)]
                if helper.id is not None:
                    assessments.assign_section(
                        tx,
                        assessment=assessment,
                        section=section,
                        user_id=helper.id,
                        due_on=self._story.today() + timedelta(days=14),
                    )

    def _upload(self) -> None:
        kinds = {1: TIER_1_KINDS, 2: TIER_2_KINDS, 3: TIER_3_KINDS}[self._tier]
        if self._company.persons and self._tier == 2:
            kinds = (*kinds, "DPA")
        if self._company.stage in {Stage.ANSWERING, Stage.REJECTED}:
            kinds = ("SOC2", "POL")
        for plan in papers_of(self._company.name, self._company.legal_name, kinds, self._story.today()):
            self._papers[plan.kind] = self._file(plan)

    def _file(self, plan: PaperPlan) -> UUID:
        content = (
            "\n".join(plan.paragraphs).encode() + b"\n"
            if plan.file_name.endswith(".csv")
            else pdf(plan.title, plan.paragraphs)
        )
        taken = intake.receive_form(
            self._ledger,
            self._team[0],
            store=self._story.then.store,
            stream=io.BytesIO(content),
            file_name=plan.file_name,
            kind=plan.kind,
            title=plan.title,
            details=plan.details,
            scanner_url=self._story.then.settings.scanner_url,
        )
        return taken.id

    def _answer(self) -> None:
        """Answer what is visible until nothing new appears; a vendor in the middle leaves some sections untouched."""
        company = self._company
        skip = {"inc", "ssc", "sub", "ret", "syn"} if company.stage is Stage.ANSWERING else set()
        done: set[str] = set()
        while True:
            with self._ledger.begin(self._admin) as tx:
                assessment = assessments.get(tx, _some(self._assessment_id), Action.ASSESSMENT_READ)
                questionnaire = questionnaires.compiled(tx, assessment.questionnaire_id)
                visible = attestations.standing(tx, assessment).visible()
                todo = [each for each in visible if each.key not in done and each.section not in skip]
                for question in todo:
                    done.add(question.key)
                    if company.stage is Stage.ANSWERING and dice(company.name, question.key, "skip", sides=5) == 0:
                        continue
                    raw = answer_to(
                        question,
                        vendor=company.name,
                        strength=company.strength,
                        weak=company.weak,
                        today=self._story.today(),
                    )
                    attestations.save_answer(tx, assessment=assessment, question_key=question.key, raw=raw, version=0)
                    self._cite(tx, assessment, questionnaire, question.key)
            if not todo:
                return

    def _cite(self, tx: Tx, assessment: Assessment, questionnaire: Questionnaire, key: str) -> None:
        need = questionnaire.question(key).evidence
        fitting = [kind for kind in need.kinds if kind in self._papers]
        if not fitting and need.level and "SOC2" in self._papers and dice(self._company.name, key, "soc", sides=3):
            fitting = ["SOC2"]
        if not fitting and questionnaire.question(key).is_knock_out_in(self._tier):
            fitting = [kind for kind in ("CON", "POL", "SOC2") if kind in self._papers]
        if not fitting or not need.level:
            return
        row = evidence.get(tx, self._papers[fitting[0]], Action.EVIDENCE_READ)
        pages = str(1 + dice(key, "page", sides=row.page_count or 1)) if fitting[0] == "SOC2" else ""
        attestations.cite(tx, assessment=assessment, question_key=key, evidence=row, pages=pages)

    def _sign(self) -> None:
        lab_name = self._story.then.settings.lab_name
        with self._ledger.begin(self._signatory) as tx:
            assessment = assessments.get(tx, _some(self._assessment_id), Action.ATTESTATION_SIGN)
            attestations.sign(
                tx,
                assessment=assessment,
                full_name=self._signatory.name,
                statements=STATEMENTS,
                row_version=assessment.row_version,
                digest_seen=attestations.preview_digest(tx, assessment, lab_name=lab_name),
                lab_name=lab_name,
                address="127.0.0.1",
                factor="totp",
            )

    # the lab's side

    def _review(self) -> None:
        company, story = self._company, self._story
        reviewer = story.lab("Jonas Weil" if dice(company.name, "reviewer", sides=2) else "Ines Valdarno")
        with self._ledger.begin(reviewer) as tx:
            review = _some(reviews.latest(tx, _some(self._assessment_id)))
            reviews.claim(tx, review=review, row_version=review.row_version)
            review_id = review.id
        self._verify_papers(reviewer)
        partly = company.stage is Stage.IN_REVIEW
        self._judge(reviewer, review_id, partly=partly)
        if partly:
            return
        if company.stage is Stage.WITH_VENDOR:
            self._send_back(reviewer, review_id)
            return
        story.at(days_ago=company.days_ago - 9)
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.RECOMMEND)
            reviews.recommend(tx, review=review, note="Read in full; the proofs hold.", row_version=review.row_version)
        story.at(days_ago=company.days_ago - 10)
        self._decide(review_id)
        if company.paused:
            self._pause()

    def _verify_papers(self, reviewer: Actor) -> None:
        for paper_id in self._papers.values():
            with self._ledger.begin(reviewer) as tx:
                row = evidence.get(tx, paper_id, Action.EVIDENCE_JUDGE)
                evidence.open_file(tx, evidence=row)
                if row.state is EvidenceState.ATTACHED:
                    evidence.verify(tx, evidence=row, note="Scope and dates checked.", row_version=row.row_version)

    def _judge(self, reviewer: Actor, review_id: UUID, *, partly: bool) -> None:
        company = self._company
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            asked = _asked(tx, review)
            for key in asked:
                if partly and dice(company.name, key, "judged", sides=3):
                    continue
                if key in company.weak:
                    wrong = reviews.Wrong(
                        severity=Severity.HIGH,
                        what="The answer shows a gap that reaches our data, and the evidence says the same.",
                        closes_when="An export shows that it holds for everybody who reaches our data.",
                        due_on=self._story.today() + timedelta(days=60),
                    )
                    reviews.judge(tx, review=review, question_key=key, verdict=Verdict.FLAG, wrong=wrong)
                else:
                    reviews.judge(tx, review=review, question_key=key, verdict=Verdict.ACCEPT)
            if partly and asked:
                reviews.note_internal(
                    tx, review=review, question_key=asked[0], body="Compare with the device list before you accept."
                )

    def _send_back(self, reviewer: Actor, review_id: UUID) -> None:
        with self._ledger.begin(reviewer) as tx:
            review = reviews.get(tx, review_id, Action.REVIEW_JUDGE)
            lines = reviews.verdict_lines(tx, review)
            for key in _asked(tx, review)[3:5]:
                reviews.judge(
                    tx,
                    review=review,
                    question_key=key,
                    verdict=Verdict.ASK,
                    note="Which teams does this cover, and since when? One sentence and a date will do.",
                    version=lines[key].version,
                )
            review = reviews.get(tx, review_id, Action.QUESTIONS_RETURN)
            reviews.return_questions(tx, review=review, row_version=review.row_version)

    def _decide(self, review_id: UUID) -> None:
        company, story = self._company, self._story
        first, second = story.lab("Hana Kobayashi"), story.lab("Theo Brandvold")
        with self._ledger.begin(first) as tx:
            review = reviews.get(tx, review_id, Action.DECISION_PROPOSE)
            suggested = reviews.score_now(tx, review).recommendation
            outcome = {
                Stage.CONDITIONAL: Outcome.APPROVE_WITH_CONDITIONS,
                Stage.REJECTED: Outcome.REJECT,
            }.get(company.stage, Outcome.APPROVE)
            easy = suggested in {Recommendation.APPROVE, Recommendation.CONDITIONAL}
            life = 300 if easy else 85
            conditions = (
                [
                    reviews.Condition(
                        text="Run the yearly incident exercise and send its report",
                        due_on=story.today() + timedelta(days=120),
                    )
                ]
                if outcome is Outcome.APPROVE_WITH_CONDITIONS
                else []
            )
            decision = reviews.propose_decision(
                tx,
                review=review,
                outcome=outcome,
                conditions=conditions,
                valid_until=None if outcome is Outcome.REJECT else story.today() + timedelta(days=life),
                reason="Agreed with the owner of the work, who accepts what is still open."
                if deviates(outcome, suggested)
                else "",
                letter="Thank you for clear answers and documents that say what they prove."
                if outcome is not Outcome.REJECT
                else "The two knock-outs below stand between you and an approval. Both can be closed by proof.",
                row_version=review.row_version,
            )
            decision_id, digest, waiting = decision.id, decision.digest, decision.decided_at is None
        if waiting and company.stage is not Stage.TO_COSIGN:
            with self._ledger.begin(second) as tx:
                decision = reviews.get_decision(tx, decision_id, Action.DECISION_CONFIRM)
                reviews.sign_decision(tx, decision=decision, digest_seen=digest)

    def _pause(self) -> None:
        self._story.at(days_ago=2)
        with self._ledger.begin(self._story.lab("Ines Valdarno")) as tx:
            vendor = vendors.get(tx, _some(self._team[0].vendor_id), Action.PAUSE)
            row = gate.pause(tx, vendor=vendor, reason="The vendor reported stolen laptops at 07:50; scope unknown.")
            pause_id = row.id
        self._story.at(days_ago=0.5)
        with self._ledger.begin(self._story.lab("Hana Kobayashi")) as tx:
            row = gate.get_pause(tx, pause_id, Action.RESUME)
            gate.ask_resume(
                tx,
                pause=row,
                plan="Laptops were encrypted and wiped; sessions ended; access log of the window read and clean.",
                row_version=row.row_version,
            )


def _asked(tx: Tx, review: Review) -> list[str]:
    return [key for key, signed in reviews.attested_of(tx, review).snapshot.answers.items() if signed.is_asked]


def _some(value: T | None) -> T:
    if value is None:
        raise LookupError("the demo's story lost its thread")
    return value
