"""The golden questionnaire G1, its examples, and random inputs for the laws of scoring."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from portal.scoring.rules import (
    POLICY_1,
    Answer,
    Domain,
    Exposure,
    Finding,
    Held,
    Inputs,
    NotApplicable,
    Policy,
    Proof,
    Question,
    Requirement,
    State,
    Thresholds,
    Version,
)

law = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)

TODAY = date(2026, 11, 24)
LAPSED = TODAY - timedelta(days=1)

G1 = Version(
    "g1",
    (Domain("iam", 3), Domain("dat", 5), Domain("inc", 2)),
    (
        Question("iam.mfa", "iam", 5, 2, 0),
        Question("iam.review", "iam", 3, 1),
        Question("iam.idle", "iam", 2, 0),
        Question("dat.seg", "dat", 5, 2, 0),
        Question("dat.del", "dat", 3, 1),
        Question("dat.synth", "dat", 2, 0),
        Question("inc.hours", "inc", 3, 2, 0),
        Question("inc.test", "inc", 1, 1),
    ),
)
HELD = tuple(Held(f"e-{kind}", kind) for kind in ("SOC2", "PT", "INS", "SPL"))
D4_A3_CROWD = Exposure((4,), (3,), open_crowd=True)
D4_A2_CROWD = Exposure((4,), (2,), open_crowd=True)
PROOFS = {
    "none": (),
    "attached": (Proof("p"),),
    "verified": (Proof("p", verified=True),),
    "expired": (Proof("p", verified=True, valid_until=LAPSED),),
}


def said(key: str, credit: int, evidence: str = "none") -> Answer:
    return Answer(key, credit=credit, proofs=PROOFS[evidence], claim=str(credit))


def g1(*answers: Answer, exposure: Exposure = D4_A3_CROWD, version: Version = G1) -> Inputs:
    return Inputs(version, POLICY_1, answers, exposure, as_of=TODAY, held=HELD)


def changed(inputs: Inputs, *answers: Answer) -> Inputs:
    """Return the inputs with these answers in place of those they had."""
    keys = {answer.key for answer in answers}
    return replace(inputs, answers=tuple(a for a in inputs.answers if a.key not in keys) + answers)


EX1 = g1(
    said("iam.mfa", 100, "verified"),
    said("iam.review", 80, "attached"),
    said("iam.idle", 100),
    said("dat.seg", 100, "verified"),
    said("dat.del", 100, "attached"),
    Answer("dat.synth", State.HIDDEN),
    said("inc.hours", 80, "verified"),
    said("inc.test", 50),
)
EX2 = g1(*(said(question.key, 100) for question in G1.questions))
EX3 = replace(
    changed(
        EX1,
        said("iam.idle", 0),
        said("dat.seg", 50, "verified"),
        Answer("dat.synth", State.NA, not_applicable=NotApplicable("ines", "no synthetic data is made")),
    ),
    exposure=D4_A2_CROWD,
)
EX4 = changed(EX1, said("inc.hours", 0, "verified"))
EX5 = changed(EX1, said("iam.mfa", 100, "expired"), said("dat.seg", 100, "expired"))
EX2_TIER_3 = replace(EX2, exposure=Exposure((1,), (3,)), held=())
EX3_BLANK = changed(EX3, Answer("iam.idle", State.BLANK))
EXAMPLES = {
    "EX1": EX1,
    "EX2": EX2,
    "EX3": EX3,
    "EX4": EX4,
    "EX5": EX5,
    "EX2-Tier-3": EX2_TIER_3,
    "EX3-blank": EX3_BLANK,
}

# --- random inputs

days = st.integers(-40, 40).map(lambda offset: TODAY + timedelta(days=offset))
credits_ = st.one_of(st.sampled_from((0, 50, 100)), st.integers(0, 100))
tier_sets = st.sets(st.sampled_from((1, 2, 3)), min_size=1).map(tuple)
exposures = st.builds(
    Exposure,
    data_classes=st.sets(st.integers(0, 5), max_size=3).map(tuple),
    access_modes=st.sets(st.integers(1, 5), max_size=3).map(tuple),
    open_crowd=st.booleans(),
    own_devices=st.booleans(),
    subcontracted=st.booleans(),
    people=st.sampled_from((0, 12, 1000, 1001, 20_000)),
)
KINDS = ("SOC2", "ISO", "STAR", "PT", "INS", "SPL", "DPA", "POL")


@st.composite
def versions(draw: st.DrawFn) -> Version:
    names = [f"d{number}" for number in range(draw(st.integers(1, 3)))]
    domains = tuple(Domain(name, draw(st.integers(1, 5))) for name in names)
    questions = tuple(
        Question(
            f"q{number}",
            draw(st.sampled_from(names)),
            draw(st.integers(1, 5)),
            draw(st.integers(0, 2)),
            draw(st.sampled_from((None, None, 0, 50))),
            draw(st.sampled_from(((1, 2, 3), (1,)))),
            draw(st.sampled_from(((1, 2, 3), (1, 2, 3), (1, 2)))),
        )
        for number in range(draw(st.integers(2, 6)))
    )
    return Version(draw(st.sampled_from(("v1", "v2"))), domains, questions)


@st.composite
def proof_sets(draw: st.DrawFn) -> tuple[Proof, ...]:
    dates = st.one_of(st.none(), days)
    return tuple(
        Proof(f"p{number}", draw(st.booleans()), draw(dates), draw(dates))
        for number in range(draw(st.sampled_from((0, 0, 1, 1, 2))))
    )


@st.composite
def answers_to(draw: st.DrawFn, key: str, *, good: bool = False, worth: tuple[int, ...] = (100,)) -> Answer:
    state = State.OK if good else draw(st.sampled_from((State.OK,) * 8 + tuple(State)))
    accepted = None
    if state is State.NA and draw(st.booleans()):
        acceptance = draw(st.sampled_from((None, "ra-1")))
        accepted = NotApplicable("ines", "not done here", acceptance, draw(st.one_of(st.none(), days)))
    finding = None
    if not good and draw(st.integers(0, 9)) == 0:
        finding = Finding(draw(credits_), "ines", "seen otherwise", ("page 4",))
    credit = draw(st.sampled_from(worth) if good else credits_)
    proofs = (
        (Proof("p", verified=True, valid_until=draw(st.one_of(st.none(), days))),)
        if good and draw(st.integers(0, 3))
        else draw(proof_sets())
    )
    return Answer(
        key=key,
        state=state,
        credit=credit,
        proofs=proofs,
        claim=draw(st.sampled_from(("", "yes", "no"))),
        finding=finding,
        contradicted=not good and draw(st.integers(0, 19)) == 0,
        not_applicable=accepted,
    )


@st.composite
def inputs_of(draw: st.DrawFn, version: Version | None = None) -> Inputs:
    """Draw inputs; most of them good enough for the better recommendations to turn up."""
    version = draw(versions()) if version is None else version
    good = draw(st.booleans())
    answers = tuple(
        draw(answers_to(question.key, good=good)) for question in version.questions if good or draw(st.integers(0, 9))
    )
    held = tuple(
        Held(f"e-{kind}", kind, draw(st.one_of(st.none(), days))) for kind in KINDS if good or draw(st.booleans())
    )
    return Inputs(
        version=version,
        policy=POLICY_1,
        answers=answers,
        exposure=draw(st.one_of(exposures, st.just(D4_A2_CROWD))),
        as_of=TODAY,
        held=held,
        facts=draw(st.sampled_from(((), ("pii",)))),
        raised_tier=draw(st.sampled_from((None, None, 1, 2, 3))),
    )


@st.composite
def nearly_good(draw: st.DrawFn) -> Inputs:
    """Draw Tier 2 inputs that are complete and proven, but of middling credit: most of them are conditional."""
    version = draw(versions())
    answers = tuple(
        Answer(q.key, credit=draw(st.sampled_from((51, 55, 60, 69, 100))), proofs=PROOFS["verified"])
        for q in version.questions
    )
    weak = draw(st.sampled_from(version.questions)).key
    answers = tuple(replace(a, credit=35) if a.key == weak and draw(st.booleans()) else a for a in answers)
    return Inputs(version, POLICY_1, answers, D4_A2_CROWD, TODAY, held=HELD)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy unlike the shipped one, within what a policy may be."""

    def row() -> tuple[int, int, int, int]:
        low, middle = sorted((draw(st.integers(0, 100)), draw(st.integers(0, 100))))
        return (low, low, middle, 100)

    def limits() -> Thresholds:
        consider, approve = sorted((draw(st.integers(0, 100)), draw(st.integers(0, 100))))
        return Thresholds(approve, draw(st.integers(30, 60)), draw(st.integers(0, 60)), consider, 20)

    return replace(
        POLICY_1,
        version=2,
        factors=(row(), row(), row()),
        thresholds=(limits(), limits(), limits()),
        required=((Requirement(("PT", "VS")),), (), ()),
        level_offsets=(0, draw(st.integers(-1, 1)), draw(st.integers(-2, 0))),
        strength_cap=draw(st.integers(0, 100)),
        relief=draw(st.integers(0, 100)),
    )
