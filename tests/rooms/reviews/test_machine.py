"""Whatever people do, in any order: the portal agrees with the model of security.md, and every invariant holds.

Two vendors, three tiers, every role, pauses, and time that passes. Every day a few examples; ``--thorough`` runs five
hundred of fifty steps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from portal.assessments import service as assessments
from portal.attestations import queries as answers
from portal.attestations import service as attestations
from portal.attestations.rules import waiting_answers
from portal.evidence.models import Evidence
from portal.gate import revoking
from portal.gate import service as gate
from portal.gate.models import Clearance
from portal.gate.rules import Question, Reason
from portal.identity import service as identity
from portal.kernel.actor import Actor, ActorKind
from portal.kernel.clock import FixedClock
from portal.kernel.errors import GatehouseError
from portal.kernel.ledger import Tx
from portal.policy import Action
from portal.questionnaires.models import QuestionnaireVersion
from portal.reviews import reviewing, rules
from portal.reviews import service as reviews
from portal.reviews.models import Decision, Review
from portal.scoring.models import ScoreSnapshot
from portal.terms import Outcome, Role, Scope, Verdict
from portal.vendors import service as vendors
from portal.vendors.models import Engagement, Vendor
from portal.wiring import House
from tests.conftest import NOW, Databases
from tests.factories import invariants
from tests.factories.identity import FACTORY
from tests.factories.reviews import TIERS as ENGAGED
from tests.factories.reviews import wrong
from tests.factories.swift import Somebody, World, asked, engaged, proof, signature, somebody
from tests.rooms.reviews import machine as model
from tests.rooms.reviews.machine import DONE, KEYS, LAB, LOGS, MFA, TIERS, VENDORS, Model, Said, Slot

INTERNAL = "zz-internal-zz"
"""A word of the lab's own, in everything that no vendor reads."""


@dataclass
class Stage:
    """One house for all examples; between two its database is made anew from a template."""

    house: House
    clock: FixedClock
    databases: Databases
    template: str
    people: dict[str, Somebody]
    vendor_ids: dict[str, UUID]
    slugs: dict[str, str]
    engagements: dict[Slot, UUID]
    files: dict[Slot, tuple[UUID, ...]]
    version: UUID
    world: World
    examples: int = 0
    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each act ended how."""
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often an assessment, or an engagement's clearance, went from one state to another."""

    def begin(self) -> None:
        """Start over."""
        self.clock.instant = NOW
        self.house.engine.dispose()
        self.databases.become(self.house.database_url, self.template)
        self.examples += 1


@pytest.fixture
def stage(house: House, databases: Databases, clock: FixedClock) -> Stage:
    """The lab, and two vendors that are engaged in each tier, with the files that each tier wants to see."""
    world = World(house)
    people: dict[str, Somebody] = dict(world.lab)
    vendor_ids, slugs, engagements, files = {}, {}, {}, {}
    with house.ledger.begin(FACTORY) as tx:
        version = world.version(tx).id
        for number, name in enumerate(VENDORS):
            vendor, made = engaged(tx, number, tiers=TIERS)
            for role, held in (("resp", Role.RESPONDENT), ("adm", Role.VENDOR_ADMIN), ("sig", Role.SIGNATORY)):
                people[f"{name}.{role}"] = somebody(tx, f"{name}.{role}", [held], vendor=vendor)
            vendor_ids[name], slugs[name] = vendor.id, vendor.slug
            for tier, engagement in zip(TIERS, made, strict=True):
                engagements[name, tier] = engagement.id
                files[name, tier] = proof(tx, vendor, people[f"{name}.adm"], tier)
    house.engine.dispose()
    template = _name(databases.fresh(_name(house.database_url)))
    return Stage(house, clock, databases, template, people, vendor_ids, slugs, engagements, files, version, world)


def _name(url: str) -> str:
    return url.partition("?")[0].rsplit("/", 1)[1]


@pytest.mark.timeout(0)
def test_people_in_any_order_never_break_an_invariant(stage: Stage, thorough: bool) -> None:
    class Bound(Machine):
        pass

    Bound.stage = stage
    examples, steps = (500, 50) if thorough else (6, 25)
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=not thorough,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(Bound, settings=settings)
    finally:
        print(_report(stage))
    assert stage.examples >= examples
    lacking = {move for move in model.MOVES if stage.moves[move] < max(1, examples // 100)}
    assert not (lacking if thorough else lacking & model.DAILY), lacking


def _report(stage: Stage) -> str:
    """Say how often everything was done and refused, and how often each state led to which."""
    acts = sorted({act for act, _ in stage.acts})
    lines = [
        f"{act:<24}" + ", ".join(f"{ended} {n}" for (each, ended), n in sorted(stage.acts.items()) if each == act)
        for act in acts
    ]
    moves = [f"{before} -> {after}: {n}" for (before, after), n in sorted(stage.moves.items())]
    return "\n".join([f"{stage.examples} examples, {stage.acts.total()} acts", *lines, *moves])


SLOTS = st.sampled_from([("a", 3), ("a", 1), ("b", 2), ("a", 3), ("a", 1), ("b", 2), ("a", 2), ("b", 1), ("b", 3)])
NAMES = st.sampled_from(["", "", "", "", "", "", *sorted(model.people())])
"""Who acts; nobody stands for one who may."""
ANYBODY = st.sampled_from(sorted(model.people()))
FRESH = st.sampled_from([True, True, True, True, False])
STALE = st.sampled_from([False, False, False, False, False, True])
AGAIN = st.sampled_from([False, False, False, True])
KEY = st.sampled_from([MFA, MFA, KEYS, LOGS])
SAID: st.SearchStrategy[Said] = st.sampled_from(
    [("yes", "Shown on a call."), ("yes", "All of them."), ("no", "Not yet."), ("partial", ""), None]
)


class Machine(RuleBasedStateMachine):
    """The real thing beside the model, step by step."""

    stage: ClassVar[Stage]

    @initialize(
        begun=st.lists(st.tuples(SLOTS, st.integers(2, 9), st.booleans(), st.booleans()), min_size=2, max_size=3)
    )
    def begin(self, begun: list[tuple[Slot, int, bool, bool]]) -> None:
        """Begin with some work under way, as far as so many steps bring it; some of it asked about once."""
        self.stage.begin()
        self.beside = self.stage.house.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.model = Model(today=NOW.date(), roles=model.people())
        self.steps: dict[UUID, model.Clearance] = {}
        self.events = self._events()
        self.stood: dict[UUID | Slot, str] = {}
        for slot, steps, proven, again in begun:
            for number in range(steps):
                self.go_on(slot, proven)
                if again and number == 1 and self.row_of(slot).review is not None:
                    self.ask_and_send_back(slot, MFA, again=True)

    # Acting and comparing.

    def actor(self, who: str, *, fresh: bool = True) -> Actor:
        """Return somebody acting with the roles held now."""
        if who == "bot":
            return Actor(ActorKind.CLIENT, self.stage.version, "bot", scopes=frozenset({Scope.GATE_READ}), fresh=fresh)
        person = self.stage.people[who]
        return replace(person, roles=frozenset(map(Role, self.model.roles[who]))).acting(fresh=fresh)

    def right(self, who: str, candidates: tuple[str, ...], expect: Callable[[str], str]) -> str:
        """Return who acts: the one named, or the first of those who may."""
        return who or next((each for each in candidates if expect(each) == DONE), candidates[0])

    def act(self, what: str, who: str, expected: str, command: Callable[[Tx], Any], *, fresh: bool = True) -> Any:
        """Do it, and hold how it ended against the model; what was refused left nothing."""
        result: Any = None
        try:
            with self.stage.house.ledger.begin(self.actor(who, fresh=fresh)) as tx:
                result = command(tx)
            ended = DONE
        except GatehouseError as refusal:
            ended, result = model.told(refusal), refusal
        assert ended == expected, f"{who} {what}: {ended}, not {expected}: {result!r}"
        self.stage.acts[what.split(" (", 1)[0], ended] += 1
        before, self.events = self.events, self._events()
        if ended != DONE:
            assert self.events == before, f"{who} {what}: refused, and yet it wrote"
            return None
        return result

    def stands(self, what: UUID | Slot, state: str) -> None:
        """Count how something came to stand where it stands."""
        before = self.stood.get(what, "none")
        if before != state:
            self.stage.moves[before, state] += 1
            self.stood[what] = state

    def _events(self) -> int:
        return int(self.beside.execute(sa.text("SELECT seq FROM audit_head WHERE id = 1")).scalar_one())

    def row_of(self, slot: Slot) -> model.Assessment:
        """Return the newest assessment of a slot in the model."""
        found = self.model.newest(slot)
        assert found is not None
        return found

    def compare(self, row: model.Assessment) -> None:
        """Hold one assessment against the model."""
        with self.stage.house.ledger.begin(FACTORY) as tx:
            stored = tx.session.get_one(assessments.Assessment, row.id)
            assert (stored.state.value, stored.revision) == (row.state, row.revision), row
            lines = {key: line for key, line in answers.answers(tx, row.id).items() if not line.answer.is_blank}
            said = {key: (line.answer.choice, line.answer.comment) for key, line in lines.items()}
            assert said == {key: each for key, each in row.answers.items() if each is not None}, row
            review = reviews.latest(tx, row.id)
            assert (review is None) == (row.review is None), row
            if review is not None and row.review is not None:
                row.review.id = review.id
                has = self.stage.people[row.review.reviewer].id if row.review.reviewer else None
                assert (review.revision, review.reviewer_id) == (row.review.revision, has), row
                assert (review.closed_at is not None) == row.review.closed, row
            decisions = tx.session.execute(
                sa.select(Decision.id, Decision.state).where(Decision.assessment_id == row.id)
            )
            found = {id_: state.value for id_, state in decisions}
            assert found == {each.id: each.state for each in row.proposals}, row
        self.stands(row.id, row.state)

    @rule(slot=SLOTS, proven=st.booleans())
    def go_on(self, slot: Slot, proven: bool) -> None:
        """Have those who may take the next step towards a decision, whatever it is."""
        row = self.model.newest(slot)
        if row is None or row.state in model.FINAL:
            self.request(slot, "")
        elif row.state in model.ANSWERABLE:
            self.answer_everything(slot, proven)
            self.sign(slot, "", fresh=True, stale=False)
        elif row.state == "submitted":
            self.claim(slot, "")
        elif row.state == "in_review":
            self.review_at_a_stretch(slot, "")
        elif row.proposal is None:
            self.propose(slot, "", True, Outcome.APPROVE, 80, closes=False, valid=True)
        else:
            self.sign_decision(slot, "", fresh=True, stale=False)

    @rule(slot=SLOTS, proven=st.booleans(), steps=st.integers(2, 7))
    def go_far(self, slot: Slot, proven: bool, steps: int) -> None:
        """Take several such steps."""
        for _ in range(steps):
            self.go_on(slot, proven)

    @precondition(lambda self: bool(self.model.cleared))
    @rule(
        slot=SLOTS,
        days=st.sampled_from([1, 31, 90]),
        outcome=st.sampled_from([Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS, Outcome.REJECT]),
        what=st.sampled_from(["pause", "pause", "pass", "decide", "revoke"]),
    )
    def live_on(self, slot: Slot, days: int, outcome: Outcome, what: str) -> None:
        """Have an engagement that was decided go on: paused and resumed, expired, revoked, decided anew."""
        slot = slot if slot in self.model.cleared else sorted(self.model.cleared)[0]
        if what == "pause" and not self.model.pauses:
            self.pause(slot[0], "", fresh=True)
        elif what == "pause":
            self.resume("", fresh=True)
            if self.model.pauses:
                self.resume("", fresh=True)
        elif what == "pass":
            self.time_passes(days)
        elif what == "revoke":
            self.revoke_one(slot, "", fresh=True, again=False)
            if slot in self.model.revocations:
                self.revoke_one(slot, "", fresh=True, again=False)
        else:
            self.decide_anew(slot, outcome)

    @rule(slot=SLOTS, outcome=st.sampled_from([Outcome.APPROVE_WITH_CONDITIONS, Outcome.REJECT, Outcome.APPROVE]))
    def decide_anew(self, slot: Slot, outcome: Outcome) -> None:
        """Have a slot asked, answered, judged and decided so, as far as everybody may."""
        for _ in range(8):
            row = self.model.newest(slot)
            if row is not None and row.state == "recommended" and row.proposal is None:
                self.propose(slot, "", True, outcome, 30, closes=False, valid=True)
            else:
                self.go_on(slot, proven=True)
            row = self.row_of(slot)
            if row.state == "decided":
                return

    # Asking and answering.

    @rule(slot=SLOTS, who=NAMES)
    def request(self, slot: Slot, who: str) -> None:
        """Ask a vendor to attest."""
        who = self.right(who, ("pa", "l1", "r1"), lambda each: self.model.expect_request(each, slot))
        expected = self.model.expect_request(who, slot)

        def command(tx: Tx) -> UUID:
            vendor = vendors.get(tx, self.stage.vendor_ids[slot[0]], Action.ASSESSMENT_CREATE)
            engagement = tx.session.get_one(Engagement, self.stage.engagements[slot])
            return asked(tx, vendor, engagement, tx.session.get_one(QuestionnaireVersion, self.stage.version)).id

        made = self.act(f"asks ({slot})", who, expected, command)
        if expected == DONE:
            row = model.Assessment(made, slot)
            with self.stage.house.ledger.begin(FACTORY) as tx:
                waiting = waiting_answers(answers.waiting(tx, made))
                row.carried = {key: each.choice or "" for key, each in waiting.items()}
            self.model.assessments.setdefault(slot, []).append(row)
            self.compare(row)

    def _save(self, row: model.Assessment, who: str, key: str, said: Said, *, stale: bool = False) -> None:
        expected = self.model.expect_save(who, row, key, said, stale=stale)
        raw = {"choice": said[0], "comment": said[1]} if said else {}

        def command(tx: Tx) -> None:
            stored = assessments.get(tx, row.id, Action.ASSESSMENT_READ)
            line = answers.answers(tx, row.id).get(key)
            version = (line.version if line else 0) + (7 if stale else 0)
            attestations.save_answer(tx, assessment=stored, question_key=key, raw=raw, version=version)

        self.act(f"saves ({key} of {row.slot} as {said})", who, expected, command)
        if expected == DONE:
            self.model.do_save(row, key, said)

    def _is_asked(self) -> bool:
        return bool(self.model.assessments)

    def _asked_slot(self, slot: Slot) -> Slot:
        """Return the slot, or another that was asked."""
        return slot if slot in self.model.assessments else sorted(self.model.assessments)[0]

    @precondition(_is_asked)
    @rule(slot=SLOTS, who=NAMES, key=KEY, said=SAID, stale=STALE)
    def save(self, slot: Slot, who: str, key: str, said: Said, stale: bool) -> None:
        """Answer one question."""
        row = self.row_of(self._asked_slot(slot))
        name = row.slot[0]
        who = who or f"{name}.resp"
        self._save(row, who, key, said, stale=stale)
        self.compare(row)

    @precondition(_is_asked)
    @rule(slot=SLOTS, proven=st.booleans())
    def answer_everything(self, slot: Slot, proven: bool) -> None:
        """Answer everything that can be answered with yes; now and then with the files that the tier wants to see."""
        row = self.row_of(self._asked_slot(slot))
        who = f"{row.slot[0]}.adm"
        for key in row.keys:
            if row.is_open(key) and key in row.visible and row.answers.get(key) is None:
                self._save(row, who, key, ("yes", "Shown on a call."))
        for key in sorted(row.waits):
            self.reply(row.slot, who, key)
        if proven and row.state == "in_progress":
            with self.stage.house.ledger.begin(self.actor(who)) as tx:
                stored = assessments.get(tx, row.id, Action.ASSESSMENT_READ)
                for key in sorted(row.visible):
                    for file in self.stage.files[row.slot] if key == MFA else self.stage.files[row.slot][:1]:
                        evidence = tx.session.get_one(Evidence, file)
                        attestations.cite(tx, assessment=stored, question_key=key, evidence=evidence, pages="3")
            self.events = self._events()
        self.compare(row)

    @precondition(_is_asked)
    @rule(slot=SLOTS, who=NAMES, key=KEY)
    def reply(self, slot: Slot, who: str, key: str) -> None:
        """Write in the conversation about a question: the vendor, or whoever reviews it."""
        row = self.row_of(self._asked_slot(slot))
        who = who or f"{row.slot[0]}.resp"
        expected = self.model.expect_reply(who, row, key)

        def command(tx: Tx) -> None:
            stored = assessments.get(tx, row.id, Action.ASSESSMENT_READ)
            review = reviews.latest(tx, row.id) if "." not in who else None
            attestations.post_message(
                tx,
                assessment=stored,
                question_key=key,
                body="Since March.",
                reviewer_id=review.reviewer_id if review else None,
            )

        self.act(f"writes (about {key} of {row.slot})", who, expected, command)
        self.stage.clock.advance(seconds=1)  # the last word of a conversation is the latest
        if expected == DONE:
            self.model.do_reply(who, row, key)

    @precondition(_is_asked)
    @rule(slot=SLOTS, who=NAMES, fresh=FRESH, stale=STALE)
    def sign(self, slot: Slot, who: str, fresh: bool, stale: bool) -> None:
        """Sign what is there."""
        row = self.row_of(self._asked_slot(slot))
        who = who or f"{row.slot[0]}.sig"
        expected = self.model.expect_sign(who, row, fresh=fresh, stale=stale)
        signer = self.stage.people.get(who, self.stage.people["au"])
        with self.stage.house.ledger.begin(FACTORY) as tx:
            form = signature(tx, tx.session.get_one(assessments.Assessment, row.id), signer)
        form["row_version"] -= stale

        def command(tx: Tx) -> None:
            stored = assessments.get(tx, row.id, Action.ASSESSMENT_READ)
            attestations.sign(tx, assessment=stored, **form)

        self.act(f"signs answers (of {row.slot})", who, expected, command, fresh=fresh)
        if expected == DONE:
            self.model.do_sign(row)
        self.compare(row)

    @precondition(_is_asked)
    @rule(slot=SLOTS, who=NAMES)
    def withdraw(self, slot: Slot, who: str) -> None:
        """Take back what was signed."""
        row = self.row_of(self._asked_slot(slot))
        who = who or f"{row.slot[0]}.adm"
        expected = self.model.expect_withdraw(who, row)

        def command(tx: Tx) -> None:
            stored = assessments.get(tx, row.id, Action.ASSESSMENT_READ)
            assessments.withdraw(tx, assessment=stored, reason="Wrong entity")

        self.act(f"withdraws ({row.slot})", who, expected, command)
        if expected == DONE:
            self.model.do_withdraw(row)
        self.compare(row)

    @precondition(_is_asked)
    @rule(slot=SLOTS, who=NAMES)
    def cancel(self, slot: Slot, who: str) -> None:
        """Stop asking."""
        row = self.row_of(self._asked_slot(slot))
        who = who or "pa"
        expected = self.model.expect_cancel(who, row)

        def command(tx: Tx) -> None:
            stored = assessments.get(tx, row.id, Action.ASSESSMENT_CANCEL)
            assessments.cancel(tx, assessment=stored, reason="Not needed")

        self.act(f"cancels ({row.slot})", who, expected, command)
        if expected == DONE:
            row.state = "cancelled"
        self.compare(row)

    @precondition(_is_asked)
    @rule(slot=SLOTS, said=SAID)
    def answer_and_stop(self, slot: Slot, said: Said) -> None:
        """Answer one question of what nobody has begun, or of what came back, and stop asking."""
        row = self.row_of(self._asked_slot(slot))
        if row.state == "draft":
            self._save(row, f"{row.slot[0]}.adm", row.keys[0], said)
        if row.state in {"in_progress", "changes_requested"}:
            self.cancel(row.slot, "l1")

    # Reviewing.

    def _is_signed(self) -> bool:
        return any(row.review for rows in self.model.assessments.values() for row in rows[-1:])

    def signed(self, slot: Slot) -> model.Assessment:
        """Return the newest assessment of a slot if it was ever signed, else one of another slot."""
        newest = self.model.newest(slot)
        if newest is not None and newest.review is not None:
            return newest
        return next(rows[-1] for _, rows in sorted(self.model.assessments.items()) if rows[-1].review is not None)

    def review_in(self, tx: Tx, row: model.Assessment, action: Action) -> Review:
        """Return the newest review as the page of an act fetches it."""
        assert row.review is not None
        assert row.review.id is not None
        return reviews.get(tx, row.review.id, action)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES)
    def claim(self, slot: Slot, who: str) -> None:
        """Take a review."""
        row = self.signed(slot)
        who = self.right(who, ("r1", "lr", "r2", "l3"), lambda each: self.model.expect_claim(each, row))
        expected = self.model.expect_claim(who, row)
        self.act(
            f"claims ({row.slot})",
            who,
            expected,
            lambda tx: reviews.claim(tx, review=self.review_in(tx, row, Action.REVIEW_CLAIM)),
        )
        if expected == DONE:
            self.model.do_take(row, who)
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES, to=st.sampled_from(LAB))
    def assign(self, slot: Slot, who: str, to: str) -> None:
        """Give a review to somebody."""
        row = self.signed(slot)
        who = who or "l1"
        expected = self.model.expect_assign(who, row, to)

        def command(tx: Tx) -> None:
            review = self.review_in(tx, row, Action.REVIEW_ASSIGN)
            reviews.assign(tx, review=review, reviewer_id=self.stage.people[to].id)

        self.act(f"gives a review (of {row.slot} to {to})", who, expected, command)
        if expected == DONE:
            self.model.do_take(row, to)
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=ANYBODY)
    def release(self, slot: Slot, who: str) -> None:
        """Let a review go."""
        row = self.signed(slot)
        assert row.review is not None
        expected = self.model.expect_release(who, row)
        action = Action.REVIEW_READ if row.review.reviewer == who else Action.REVIEW_ASSIGN
        self.act(
            f"lets a review go (of {row.slot})",
            who,
            expected,
            lambda tx: reviews.release(tx, review=self.review_in(tx, row, action)),
        )
        if expected == DONE:
            row.review.reviewer = None
        self.compare(row)

    def _judge(self, row: model.Assessment, who: str, key: str, verdict: Verdict) -> None:
        assert row.review is not None
        expected = self.model.expect_judge(who, row, key)
        given: dict[str, Any] = {}
        if verdict is Verdict.FLAG:
            given["wrong"] = wrong(due_on=self.model.today + timedelta(days=60), credit=None)

        def command(tx: Tx) -> None:
            review = self.review_in(tx, row, Action.REVIEW_JUDGE)
            line = reviews.verdict_lines(tx, review).get(key)
            version = line.version if line else 0
            reviews.judge(
                tx,
                review=review,
                question_key=key,
                verdict=verdict,
                note="Since when?" if verdict is Verdict.ASK else INTERNAL,
                version=version,
                **given,
            )

        self.act(f"judges: {verdict} ({key} of {row.slot})", who, expected, command)
        if expected == DONE:
            row.review.verdicts[key] = (verdict.value, who, False)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES, key=KEY, verdict=st.sampled_from([Verdict.ACCEPT, Verdict.ASK, Verdict.FLAG]))
    def judge(self, slot: Slot, who: str, key: str, verdict: Verdict) -> None:
        """Say something of one answer."""
        row = self.signed(slot)
        assert row.review is not None
        self._judge(row, who or row.review.reviewer or "r1", key, verdict)
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS)
    def accept_the_rest(self, slot: Slot) -> None:
        """Accept what nobody judged yet, and what was asked about."""
        row = self.signed(slot)
        assert row.review is not None
        if row.working and row.review.reviewer and self.model.mine(row.review.reviewer, row) is None:
            for key in sorted(row.review.asked):
                if row.review.verdicts.get(key, (None, "", False))[0] in {None, "ask"}:
                    self._judge(row, row.review.reviewer, key, Verdict.ACCEPT)
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES)
    def return_questions(self, slot: Slot, who: str) -> None:
        """Send back what was asked."""
        row = self.signed(slot)
        assert row.review is not None
        who = who or row.review.reviewer or "l1"
        expected = self.model.expect_return_questions(who, row)

        def command(tx: Tx) -> None:
            review = self.review_in(tx, row, Action.QUESTIONS_RETURN)
            reviews.return_questions(tx, review=review, row_version=review.row_version)

        self.act(f"sends questions back (of {row.slot})", who, expected, command)
        self.stage.clock.advance(seconds=1)
        if expected == DONE:
            self.model.do_return_questions(row)
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS, key=KEY, again=st.booleans())
    def ask_and_send_back(self, slot: Slot, key: str, again: bool) -> None:
        """Ask about one answer and send the review back; ``again``: and have the vendor answer and sign once more."""
        row = self.signed(slot)
        if row.state == "recommended" and row.proposal is None:
            self.return_to_review(row.slot, "")
        if row.takeable and row.review is not None and row.review.reviewer is None:
            self.claim(row.slot, "")
        if row.working and row.review is not None and row.review.reviewer and key in row.review.asked:
            self.judge(row.slot, "", key, Verdict.ASK)
            self.return_questions(row.slot, "")
        if again and row.state == "changes_requested":
            self.save(row.slot, "", key, ("yes", "Since March, and shown on a call."), stale=False)
            self.answer_everything(row.slot, proven=False)
            self.sign(row.slot, "", fresh=True, stale=False)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES)
    def recommend(self, slot: Slot, who: str) -> None:
        """Finish a review."""
        row = self.signed(slot)
        assert row.review is not None
        who = who or row.review.reviewer or "r1"
        expected = self.model.expect_recommend(who, row)

        def command(tx: Tx) -> None:
            review = self.review_in(tx, row, Action.RECOMMEND)
            reviews.recommend(tx, review=review, note=INTERNAL, row_version=review.row_version)

        self.act(f"recommends ({row.slot})", who, expected, command)
        if expected == DONE:
            row.state = "recommended"
        self.compare(row)

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES)
    def review_at_a_stretch(self, slot: Slot, who: str) -> None:
        """Take, accept and recommend, as far as it goes: so that many come to a decision."""
        row = self.signed(slot)
        if row.takeable and row.review is not None and row.review.reviewer is None:
            self.claim(row.slot, "")
        self.accept_the_rest(row.slot)
        if row.working:
            self.recommend(row.slot, who if who in {"r1", "r2"} else "")

    @precondition(_is_signed)
    @rule(slot=SLOTS, who=NAMES)
    def return_to_review(self, slot: Slot, who: str) -> None:
        """Have a finished review looked at again."""
        row = self.signed(slot)
        who = self.right(who, ("l1", "l2", "lr"), lambda each: self.model.expect_return_to_review(each, row))
        expected = self.model.expect_return_to_review(who, row)

        def command(tx: Tx) -> None:
            review = self.review_in(tx, row, Action.QUESTIONS_RETURN)
            reviews.return_to_review(tx, review=review, reason=INTERNAL, row_version=review.row_version)

        self.act(f"returns to review ({row.slot})", who, expected, command)
        if expected == DONE:
            self.model.do_return_to_review(row)
        self.compare(row)

    # Deciding.

    @precondition(_is_signed)
    @rule(
        slot=SLOTS,
        who=NAMES,
        fresh=FRESH,
        outcome=st.sampled_from([Outcome.APPROVE, Outcome.APPROVE, Outcome.APPROVE_WITH_CONDITIONS, Outcome.REJECT]),
        days=st.sampled_from([2, 30, 80, 80]),
        closes=st.booleans(),
        valid=st.sampled_from([True, True, True, True, False]),
    )
    def propose(
        self, slot: Slot, who: str, fresh: bool, outcome: Outcome, days: int, closes: bool, valid: bool
    ) -> None:
        """Propose a decision; where one signature is enough, that is the decision."""
        row = self.signed(slot)
        now = self.stage.clock.instant

        def expect(each: str) -> str:
            return self.model.expect_propose(each, row, fresh=fresh, valid=valid, now=now)

        who = self.right(who, ("l1", "l2", "lr"), expect)
        expected = expect(who)
        until = now.date() + timedelta(days=days)
        data = max(ENGAGED[row.slot[1]]["data_classes"])
        condition = rules.Condition("Encrypt every laptop", until - timedelta(days=1), data if closes else None)
        conditional = outcome is Outcome.APPROVE_WITH_CONDITIONS
        form: dict[str, Any] = {
            "outcome": outcome,
            "conditions": (condition,) if conditional else (),
            "valid_until": None if outcome is Outcome.REJECT else until if valid else now.date() - timedelta(days=1),
            "reason": INTERNAL if valid else "",
            "letter": "As discussed." if valid else "x" * 4_001,
            **self.stage.world.sealing(),
        }

        def command(tx: Tx) -> tuple[UUID, bool, int]:
            review = self.review_in(tx, row, Action.DECISION_PROPOSE)
            made = reviews.propose_decision(tx, review=review, row_version=review.row_version, **form)
            snapshot = tx.session.get_one(ScoreSnapshot, made.snapshot_id)
            against = outcome is not Outcome.REJECT and snapshot.recommendation.value in {"hold", "reject"}
            return made.id, against, made.signatures_needed

        made = self.act(f"proposes: {outcome} (for {row.slot})", who, expected, command, fresh=fresh)
        if expected == DONE:
            id_, exception, needed = made
            approves = outcome is not Outcome.REJECT
            assert needed == (2 if approves and (row.slot[1] == 1 or exception) else 1)
            ends = form["valid_until"]
            proposal = model.Proposal(id_, who, outcome.value, exception, needed, ends, now)
            self.model.do_propose(who, row, proposal, self._step(proposal, condition if conditional else None))
        self.compare(row)
        self.ask_gate()

    def _step(self, proposal: model.Proposal, condition: rules.Condition | None) -> model.Clearance:
        due, closes = (condition.due_on, condition.closes_at is not None) if condition else (None, False)
        step = model.Clearance(proposal.outcome, proposal.valid_until, due, closes)
        self.steps[proposal.id] = step
        return step

    def _is_proposed(self) -> bool:
        return any(row.proposals for rows in self.model.assessments.values() for row in rows)

    def proposed(self, slot: Slot) -> tuple[model.Assessment, model.Proposal]:
        """Return what was proposed last: of a slot, or else of another."""
        rows = [row for each in (slot, *sorted(self.model.assessments)) for row in self.model.assessments.get(each, [])]
        ordered = sorted(rows, key=lambda row: (row.slot != slot, row.proposal is None))
        row = next(row for row in ordered if row.proposals)
        return row, row.proposals[-1]

    @precondition(_is_proposed)
    @rule(slot=SLOTS, who=NAMES, fresh=FRESH, stale=STALE)
    def sign_decision(self, slot: Slot, who: str, fresh: bool, stale: bool) -> None:
        """Sign what somebody proposed."""
        row, proposal = self.proposed(slot)
        now = self.stage.clock.instant
        rescored = self._rescored(row, proposal)

        def expect(each: str) -> str:
            return self.model.expect_sign_decision(
                each, row, proposal, fresh=fresh, stale=stale, now=now, rescored=rescored
            )

        who = self.right(who, ("l2", "l1", "l3", "lr"), expect)
        expected = expect(who)

        def command(tx: Tx) -> None:
            decision = reviews.get_decision(tx, proposal.id, Action.DECISION_CONFIRM)
            seen = "0" * 64 if stale else decision.digest
            reviews.sign_decision(tx, decision=decision, digest_seen=seen, **self.stage.world.sealing())

        self.act(f"signs a decision (on {row.slot})", who, expected, command, fresh=fresh)
        if expected == DONE:
            self.model.do_sign_decision(who, row, proposal, self.steps[proposal.id])
        self.compare(row)
        self.ask_gate()

    def _rescored(self, row: model.Assessment, proposal: model.Proposal) -> bool:
        """Whether the score is another one now, because time passed and evidence lapsed."""
        if proposal.state != "proposed":
            return False
        with self.stage.house.ledger.begin(FACTORY) as tx:
            decision = tx.session.get_one(Decision, proposal.id)
            review = reviews.latest(tx, row.id)
            assert review is not None
            snapshot = tx.session.get_one(ScoreSnapshot, decision.snapshot_id)
            return reviewing.score_now(tx, review).digest != snapshot.result_digest

    @precondition(_is_proposed)
    @rule(slot=SLOTS, who=st.sampled_from(["", *sorted(model.people())]))
    def take_back(self, slot: Slot, who: str) -> None:
        """Take a proposal back."""
        row, proposal = self.proposed(slot)
        who = who or proposal.by
        expected = self.model.expect_take_back(who, row, proposal)
        self.act(
            f"takes a proposal back (on {row.slot})",
            who,
            expected,
            lambda tx: reviews.withdraw_decision(
                tx, decision=reviews.get_decision(tx, proposal.id, Action.REVIEW_READ)
            ),
        )
        if expected == DONE:
            proposal.state = "voided"
        self.compare(row)

    @precondition(_is_proposed)
    @rule(slot=SLOTS, who=ANYBODY)
    def decline(self, slot: Slot, who: str) -> None:
        """Refuse to sign a proposal."""
        row, proposal = self.proposed(slot)
        expected = self.model.expect_decline(who, row, proposal)

        def command(tx: Tx) -> None:
            decision = reviews.get_decision(tx, proposal.id, Action.REVIEW_READ)
            reviews.decline_decision(tx, decision=decision, reason=INTERNAL)

        self.act(f"declines a decision (on {row.slot})", who, expected, command)
        if expected == DONE:
            proposal.state = "voided"
        self.compare(row)

    # People, pauses, time.

    @precondition(_is_asked)
    @rule(vendor=st.sampled_from(VENDORS), who=st.sampled_from(["r2", "l3", "lr", "l3", "lr", "au", "a.adm", "bot"]))
    def declare_conflict(self, vendor: str, who: str) -> None:
        """Say that one is tied to a vendor."""
        expected = self.model.expect_conflict(who, vendor)

        def command(tx: Tx) -> None:
            row = tx.session.get(Vendor, self.stage.vendor_ids[vendor])
            if row is None:
                vendors.get(tx, self.stage.vendor_ids[vendor], Action.CONFLICT_DECLARE)
            assert row is not None
            reviews.declare_conflict(tx, vendor=row, reason=INTERNAL)

        self.act(f"declares a conflict (with {vendor})", who, expected, command)
        if expected == DONE:
            self.model.do_conflict(who, vendor)
        for rows in self.model.assessments.values():
            self.compare(rows[-1])

    @precondition(_is_signed)
    @rule(who=st.sampled_from(["l3", "r2"]))
    def lose_role(self, who: str) -> None:
        """Take a role from somebody: what they signed and nobody confirmed falls (S7)."""
        role = {"l3": "lead_approver", "r2": "reviewer"}[who]
        expected = DONE if role in self.model.roles[who] else model.CONFLICT

        def command(tx: Tx) -> None:
            identity.revoke_role(tx, user=identity.get_person(tx, self.stage.people[who].id), role=Role(role))

        self.act(f"takes a role ({role} from {who})", "pa", expected, command)
        if expected == DONE:
            self.model.do_lose_role(who, role)
        for rows in self.model.assessments.values():
            self.compare(rows[-1])

    @rule(vendor=st.sampled_from(["a", "a", "b", "*"]), who=NAMES, fresh=FRESH)
    def pause(self, vendor: str, who: str, fresh: bool) -> None:
        """Stop one vendor, or everybody."""
        who = who or "l1"
        expected = self.model.expect_pause(who, vendor, fresh=fresh)

        def command(tx: Tx) -> UUID:
            ids = self.stage.vendor_ids
            row = tx.session.get(Vendor, ids[vendor]) if vendor != "*" else None
            if vendor != "*" and row is None:
                vendors.get(tx, ids[vendor], Action.PAUSE)
            return gate.pause(tx, vendor=row, reason=INTERNAL).id

        made = self.act(
            f"pauses{' everybody' if vendor == '*' else ''} ({vendor})", who, expected, command, fresh=fresh
        )
        if expected == DONE:
            self.model.pauses[vendor] = model.Pause(made, who)
        self.ask_gate()

    def _is_paused(self) -> bool:
        return bool(self.model.pauses)

    @precondition(_is_paused)
    @rule(who=st.sampled_from(["", "", "", *sorted(set(model.people()) - {"a.resp", "b.resp"})]), fresh=FRESH)
    def resume(self, who: str, fresh: bool) -> None:
        """Ask for a pause to end, or confirm it as the second of two."""
        vendor, pause = next(iter(self.model.pauses.items()))
        asks = pause.asked is None
        if "." in who:
            return  # a vendor has no page on which a pause could be fetched
        expect = self.model.expect_ask_resume if asks else self.model.expect_confirm_resume
        who = self.right(who, ("l1", "l2"), lambda each: expect(each, vendor, fresh=fresh))
        expected = expect(who, vendor, fresh=fresh)

        def command(tx: Tx) -> None:
            row = gate.get_pause(tx, pause.id, Action.RESUME)
            if asks:
                gate.ask_resume(tx, pause=row, plan="Keys rotated", row_version=pause.version)
            else:
                gate.confirm_resume(tx, pause=row, row_version=pause.version, **self.stage.world.sealing())

        self.act(
            f"{'asks for' if asks else 'confirms'} the end of a pause (of {vendor})",
            who,
            expected,
            command,
            fresh=fresh,
        )
        if expected == DONE:
            pause.version += 1
            if asks:
                pause.asked = who
            else:
                del self.model.pauses[vendor]
        self.ask_gate()

    def _is_cleared(self) -> bool:
        return bool(self.model.cleared)

    @precondition(_is_cleared)
    @rule(at=st.integers(0, 5), who=st.sampled_from(["", "", "", *sorted(model.people())]), fresh=FRESH, again=AGAIN)
    def revoke(self, at: int, who: str, fresh: bool, again: bool) -> None:
        """Ask to take an approval back, or confirm it as the second of two; or ask again what was asked."""
        slots = sorted(self.model.cleared, key=lambda each: (not self.model.in_force(each), each))
        self.revoke_one(slots[min(at, len(slots) - 1)], who, fresh=fresh, again=again)

    def revoke_one(self, slot: Slot, who: str, *, fresh: bool, again: bool) -> None:
        """Do so with the approval of one slot."""
        asked = self.model.revocations.get(slot)
        if asked is not None and not again:
            who = self.right(who, ("l1", "l2"), lambda each: self.model.expect_confirm_revoke(each, slot, fresh=fresh))
            expected = self.model.expect_confirm_revoke(who, slot, fresh=fresh)
            revocation_id, vendor_id = asked.id, self.stage.vendor_ids[slot[0]]

            def confirm(tx: Tx) -> None:
                row = revoking.get(tx, vendor_id, revocation_id, Action.REVOKE)
                revoking.confirm(tx, revocation=row, row_version=1, **self.stage.world.sealing())

            self.act(f"confirms a revocation (of {slot})", who, expected, confirm, fresh=fresh)
            if expected == DONE:
                self.model.do_confirm_revoke(slot)
            self.ask_gate()
            return
        who = self.right(who, ("l1", "l2"), lambda each: self.model.expect_ask_revoke(each, slot, fresh=fresh))
        expected = self.model.expect_ask_revoke(who, slot, fresh=fresh)
        about = self.newest_step(slot)

        def ask(tx: Tx) -> UUID:
            vendor = vendors.get(tx, self.stage.vendor_ids[slot[0]], Action.REVOKE)
            return revoking.ask(tx, vendor=vendor, clearance_id=about, reason=INTERNAL).id

        made = self.act(f"asks to revoke ({slot})", who, expected, ask, fresh=fresh)
        if expected == DONE:
            self.model.revocations[slot] = model.Revocation(made, who)
        self.ask_gate()

    def newest_step(self, slot: Slot) -> UUID:
        """Return the newest step of a slot's clearances."""
        with self.stage.house.ledger.begin(FACTORY) as tx:
            statement = (
                sa.select(Clearance.id)
                .where(Clearance.engagement_id == self.stage.engagements[slot])
                .order_by(Clearance.sequence.desc())
                .limit(1)
            )
            return tx.session.execute(statement).scalar_one()

    @rule(days=st.sampled_from([1, 3, 15, 31, 60]))
    def time_passes(self, days: int) -> None:
        """Let days go by: approvals end, conditions fall due, proposals grow too old."""
        if (self.model.today - NOW.date()).days + days > 600:
            return
        self.stage.clock.advance(days=days)
        self.model.today = self.stage.clock.instant.date()
        self.ask_gate()

    def ask_gate(self) -> None:
        """Hold the gate against the model, for everything that anybody is engaged for."""
        with self.stage.house.ledger.begin(FACTORY) as tx:
            for slot in sorted(self.model.cleared):
                self.stands(slot, self.model.clearance(slot))
                stated = ENGAGED[slot[1]]
                data, mode = max(stated["data_classes"]), max(stated["access_modes"])
                said = gate.answer(tx, Question(self.stage.slugs[slot[0]], f"D{data}", mode, "machine"))
                if self.model.opens(slot):
                    assert said.allow or set(said.reasons) == {Reason.EVIDENCE_EXPIRED}, (slot, said)
                else:
                    assert not said.allow, (slot, said)

    def teardown(self) -> None:
        """When all is over, everything that must always hold holds."""
        if not hasattr(self, "model"):
            return
        self.beside.close()
        for rows in self.model.assessments.values():
            for row in rows:
                self.compare(row)
        invariants.check(self.stage.house)
        with self.stage.house.ledger.begin(invariants.SYSTEM) as tx:
            for name, vendor_id in self.stage.vendor_ids.items():
                strangers = [slug for other, slug in self.stage.slugs.items() if other != name]
                invariants.told_nothing_of(tx, vendor_id, [INTERNAL, *strangers])
