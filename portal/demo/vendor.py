"""The vendor's side of the demo: engaged, invited, answering, signing; then the lab goes on."""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from portal.assessments import service as assessments
from portal.assessments.models import Assessment
from portal.attestations import service as attestations
from portal.demo.agreed import agreed
from portal.demo.answers import answer_to, dice, fact_form
from portal.demo.cast import Company, Stage, address
from portal.demo.library import PaperPlan, newer_list, papers_of
from portal.demo.papers import pdf
from portal.demo.review import LabSide, check_newer, snooze, some
from portal.evidence import intake
from portal.evidence import service as evidence
from portal.identity import service as identity
from portal.kernel.actor import Actor
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires import service as questionnaires
from portal.questionnaires.rules import Owner, Questionnaire
from portal.terms import Role, Side
from portal.vendors import service as vendors

if TYPE_CHECKING:
    from portal.demo.story import Story

STATEMENTS = ("authority", "truth", "changes")
TIER_1_KINDS = ("SOC2", "SCR", "CON", "SPL", "POL", "LOG", "PT", "INS", "ARC", "RPT", "DPA")
TIER_2_KINDS = ("SOC2", "SCR", "CON", "SPL", "POL", "LOG")
TIER_3_KINDS = ("CON",)
NEW_LIST_DAYS = 20
"""When vendors that are cleared replaced their sub-processor list."""


class Way:
    """One vendor's way through the product."""

    def __init__(self, story: Story, company: Company) -> None:
        self._story = story
        self._company = company
        self._ledger = story.then.ledger
        self._team: list[Actor] = []
        self._papers: dict[str, UUID] = {}
        self._plans: list[PaperPlan] = []
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
            version = questionnaires.named(tx, company.questionnaire, company.version)
            assessment = assessments.request(
                tx,
                vendor=vendor,
                engagement=engagement,
                questionnaire_version=version,
                due_on=began.date() + timedelta(days=28),
            )
            vendor_id, engagement_id, self._assessment_id = vendor.id, engagement.id, assessment.id
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
        if company.stage in {Stage.SUBMITTED, Stage.SNOOZED}:
            if company.stage is Stage.SNOOZED:
                snooze(story, self._assessment)
            return
        story.at(days_ago=company.days_ago - 7)
        lab = LabSide(
            story, company, assessment_id=self._assessment, vendor_id=vendor_id, papers=tuple(self._papers.values())
        )
        lab.live()
        self._refresh()
        lab.follow_up(self._team[0], self._team[-1])
        if company.stage in {Stage.RENEWING, Stage.RENEWED}:
            self._renew(vendor_id, engagement_id)

    def _refresh(self) -> None:
        """Replace a sub-processor list that would have ended since, and have the new one checked: it holds 90 days."""
        cleared = self._company.stage in {Stage.APPROVED, Stage.CONDITIONAL, Stage.RENEWING, Stage.RENEWED}
        if not cleared or "SPL" not in self._papers or self._company.days_ago < NEW_LIST_DAYS:
            return
        self._story.at(days_ago=NEW_LIST_DAYS)
        newer = self._file(newer_list(self._company, self._story.today()), supersedes=self._papers["SPL"])
        self._story.at(days_ago=NEW_LIST_DAYS - 2)
        check_newer(self._story, cited=self._papers["SPL"], newer=newer)

    def _renew(self, vendor_id: UUID, engagement_id: UUID) -> None:
        """Ask again, on the newest version: what was signed lies there to be confirmed. Some do, and sign."""
        asked = self._story.at(days_ago=self._company.renewed_days_ago)
        with self._ledger.begin(self._story.lab("Ines Valdarno")) as tx:
            again = assessments.request(
                tx,
                vendor=vendors.get(tx, vendor_id, Action.VENDOR_READ),
                engagement=vendors.engagement(tx, engagement_id, Action.ASSESSMENT_CREATE),
                questionnaire_version=questionnaires.latest(tx, self._company.questionnaire),
                due_on=asked.date() + timedelta(days=28),
            )
            self._assessment_id = again.id
        if self._company.stage is Stage.RENEWING:
            return
        self._story.at(days_ago=self._company.renewed_days_ago - 3)
        self._scoping()
        self._answer(self._confirm(), weak=(*self._company.weak, *self._company.changed))
        self._story.at(days_ago=self._company.renewed_days_ago - 5)
        self._sign()

    def _confirm(self) -> set[str]:
        """Confirm what was signed before, but for what changed; return what stands confirmed."""
        with self._ledger.begin(self._admin) as tx:
            assessment = assessments.get(tx, self._assessment, Action.ASSESSMENT_READ)
            lines = attestations.carried_of(tx, assessment)
            keys = [key for key in attestations.plan_of(tx, assessment).to_confirm if key not in self._company.changed]
            seen = {key: lines[key].digest for key in keys}
            return set(attestations.confirm(tx, assessment=assessment, keys=keys, seen=seen).done)

    @property
    def _assessment(self) -> UUID:
        return some(self._assessment_id)

    @property
    def _admin(self) -> Actor:
        return next(actor for actor in self._team if Role.VENDOR_ADMIN in actor.roles)

    @property
    def _signatory(self) -> Actor:
        return next(actor for actor in self._team if Role.SIGNATORY in actor.roles)

    def _scoping(self) -> None:
        company = self._company
        with self._ledger.begin(self._admin) as tx:
            assessment = assessments.get(tx, self._assessment, Action.SCOPING_CONFIRM)
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
            assessment = assessments.get(tx, self._assessment, Action.SECTION_ASSIGN)
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
        self._plans = papers_of(self._company, kinds, self._story.today())
        for plan in self._plans:
            self._papers[plan.kind] = self._file(plan)

    def _file(self, plan: PaperPlan, *, supersedes: UUID | None = None) -> UUID:
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
            supersedes_id=supersedes,
            scanner_url=self._story.then.settings.scanner,
        )
        with self._ledger.begin(self._team[0]) as tx:
            row = evidence.get(tx, taken.id, Action.EVIDENCE_UPLOAD)
            form = {f"detail-{name}": value for name, value in plan.details.items()}
            evidence.describe(tx, evidence=row, kind=plan.kind, title=plan.title, raw=form, row_version=row.row_version)
        return taken.id

    def _answer(self, done: Collection[str] = (), *, weak: Collection[str] | None = None) -> None:
        """Answer what is visible until nothing new appears; a vendor in the middle leaves some sections untouched."""
        company = self._company
        skip = {"inc", "ssc", "sub", "ret", "syn"} if company.stage is Stage.ANSWERING else set()
        done = set(done)
        while True:
            with self._ledger.begin(self._admin) as tx:
                assessment = assessments.get(tx, self._assessment, Action.ASSESSMENT_READ)
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
                        weak=company.weak if weak is None else weak,
                        today=self._story.today(),
                    )
                    raw |= agreed(question, self._plans)
                    raw |= {name: words for key, name, words in company.says_else if key == question.key}
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
            assessment = assessments.get(tx, self._assessment, Action.ATTESTATION_SIGN)
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
