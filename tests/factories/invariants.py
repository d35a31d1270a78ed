"""What must be true of every database whatever happened before: the INV cases, read from the stored rows alone.

``check(house)`` looks at all of it. Each invariant is a function of a transaction too, and names what broke it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from portal.assessments.models import AccessCard, PublishedOutcome, PublishedStanding
from portal.attestations import service as attestations
from portal.audit import service as audit
from portal.delivery.models import Mail
from portal.gate import service as gate
from portal.gate.rules import Question
from portal.kernel.actor import system
from portal.kernel.database import Base
from portal.kernel.ledger import Tx
from portal.scoring import rules as scores
from portal.wiring import House

SYSTEM = system("invariants")
Row = Mapping[str, Any]


def check(house: House) -> None:
    """Look at everything there is.

    :raises AssertionError: naming the first invariant that does not hold, and where.
    """
    with house.ledger.begin(SYSTEM) as tx:
        every(tx)


def every(tx: Tx) -> None:
    """Look at everything there is, in a transaction of the system's."""
    closed_by_vendor(tx)
    gate_as_decided(tx)
    trail_whole(tx)
    signed_recomputes(tx)
    scores_replay(tx)
    only_reopened_differ(tx)
    duties_apart(tx)
    one_decision(tx)
    sequences_rise(tx)


def rows(tx: Tx, statement: str, **values: object) -> list[Row]:
    """Return what a statement finds, as an export would hold it."""
    return [dict(row) for row in tx.session.execute(sa.text(statement), values).mappings()]


# INV-01: no row refers to a row of another vendor.

PLAIN_IDS: Final = frozenset(
    {
        "assessment_id",
        "attestation_id",
        "engagement_id",
        "evidence_id",
        "finding_id",
        "decision_id",
        "review_id",
        "snapshot_id",
        "supersedes_id",
        "carried_from",
        "replaced_by",
    }
)
"""Columns that name a row of a vendor, wherever a key does not say so."""
ACROSS: Final = frozenset({"evidence_likeness.other_vendor_id"})
"""What two vendors' reports have in common: its second key is bound to the other vendor; only the lab sees the row."""


def walled() -> list[sa.Table]:
    """Return the tables whose rows belong to vendors."""
    return [table for table in Base.metadata.sorted_tables if "vendor_id" in table.c]


def named(table: sa.Table, key: sa.ForeignKeyConstraint) -> str:
    """Return a foreign key by its table and first column."""
    return f"{table.name}.{next(iter(key.elements)).parent.name}"


def closed_by_vendor(tx: Tx) -> int:
    """INV-01, by every foreign key there is and every column that names a vendor's row; return how many were held."""
    looked = 0
    for each in rows(tx, _by_keys()) + rows(tx, _by_columns()):
        assert each["strangers"] == 0, f"INV-01: {each['held']} refers to rows of other vendors, or to none"
        looked += each["looked"]
    return looked


@cache
def _by_keys() -> str:
    parts = []
    for table in walled():
        for key in table.foreign_key_constraints:
            other = key.referred_table
            if "vendor_id" in other.c and named(table, key) not in ACROSS:
                on = " AND ".join(f't."{mine.parent.name}" = o."{mine.column.name}"' for mine in key.elements)
                parts.append(
                    f"SELECT '{table.name} {key.name}' AS held, 1 AS looked, count(*) AS strangers"  # noqa: S608
                    f' FROM "{table.name}" t JOIN "{other.name}" o ON {on} WHERE t.vendor_id <> o.vendor_id'
                )
    return " UNION ALL ".join(parts)


@cache
def _by_columns() -> str:
    tables = [each.name for each in walled() if "id" in each.c]
    owned = " UNION ALL ".join(f'SELECT id, vendor_id FROM "{each}"' for each in tables)  # noqa: S608
    parts = [
        f"SELECT '{table.name}.{name}' AS held, count(*) AS looked,"  # noqa: S608
        f" count(*) FILTER (WHERE NOT EXISTS (SELECT FROM owned WHERE owned.id = t.{name})"
        f" OR EXISTS (SELECT FROM owned WHERE owned.id = t.{name} AND owned.vendor_id <> t.vendor_id)) AS strangers"
        f' FROM "{table.name}" t WHERE t.{name} IS NOT NULL'
        for table in walled()
        for name in sorted(PLAIN_IDS & {column.name for column in table.c})
    ]
    return f"WITH owned AS MATERIALIZED ({owned}) " + " UNION ALL ".join(parts)


# INV-02: nothing of the lab's own and nothing of another vendor is in what a vendor is told.


def told_nothing_of(tx: Tx, vendor_id: UUID, words: Iterable[str]) -> int:
    """INV-02: none of these words is in what was published down or mailed to a vendor; return how much was read."""
    told = [
        *tx.session.execute(sa.select(PublishedOutcome.body).where(PublishedOutcome.vendor_id == vendor_id)).scalars(),
        *tx.session.execute(
            sa.select(PublishedStanding.body).where(PublishedStanding.vendor_id == vendor_id)
        ).scalars(),
        *tx.session.execute(sa.select(AccessCard.body).where(AccessCard.vendor_id == vendor_id)).scalars(),
        *tx.session.execute(sa.select(Mail.context).where(Mail.vendor_id == vendor_id)).scalars(),
    ]
    text = "\n".join(json.dumps(each, default=str) for each in told).casefold()
    for word in words:
        assert word.casefold() not in text, f"INV-02: {word!r} was told to {vendor_id}"
    return len(told)


# INV-03: the gate answers what the exported decisions and the clock say.


def gate_as_decided(tx: Tx) -> int:
    """INV-03: the gate's answers are those of a second, small implementation; return how many were compared."""
    export = _exported(tx)
    compared = 0
    for vendor in export["vendor"]:
        asked = {
            (data, mode)
            for each in export["engagement"]
            if each["vendor_id"] == vendor["id"]
            for data in each["data_classes"]
            for mode in each["access_modes"]
        }
        for data, mode in sorted(asked | {(5, "A4")}):
            said = gate.answer(tx, Question(vendor["slug"], f"D{data}", mode, "invariant"))
            opened = _opens(export, vendor, data, mode, tx.now)
            where = f"INV-03: {vendor['slug']} D{data} {mode}: {said.reasons} on {tx.now}"
            assert said.allow == opened, where
            if said.allow and said.valid_until is not None:
                assert _opens(export, vendor, data, mode, said.valid_until - timedelta(seconds=1)), where
                assert not _opens(export, vendor, data, mode, said.valid_until), where
            assert said.sequence == _last_of(export, vendor), where
            compared += 1
    return compared


def _exported(tx: Tx) -> dict[str, list[Row]]:
    return {
        "vendor": rows(tx, "SELECT id, slug, disabled_at FROM vendor ORDER BY slug"),
        "engagement": rows(tx, "SELECT *, coalesce(raised_tier, computed_tier) AS tier FROM engagement"),
        "clearance": rows(tx, "SELECT * FROM clearance ORDER BY vendor_id, sequence"),
        "decision": rows(tx, "SELECT * FROM decision WHERE state = 'confirmed'"),
        "pause": rows(tx, "SELECT * FROM pause"),
        "ground": rows(tx, "SELECT clearance_id, requirement, holds_until FROM clearance_evidence"),
        "sequence": rows(tx, "SELECT vendor_id, last FROM gate_sequence"),
    }


def _last_of(export: Mapping[str, Sequence[Row]], vendor: Row) -> int:
    return next((each["last"] for each in export["sequence"] if each["vendor_id"] == vendor["id"]), 0)


def _opens(export: Mapping[str, Sequence[Row]], vendor: Row, data: int, mode: str, now: datetime) -> bool:
    """Whether the gate is open: written anew from security.md, without a line of the gate's own."""
    if vendor["disabled_at"] is not None:
        return False
    if any(each["ended_at"] is None and each["vendor_id"] in {None, vendor["id"]} for each in export["pause"]):
        return False
    return any(
        _covers(export, engagement, data, mode, now.astimezone(UTC).date())
        for engagement in export["engagement"]
        if engagement["vendor_id"] == vendor["id"]
    )


def _covers(export: Mapping[str, Sequence[Row]], engagement: Row, data: int, mode: str, today: date) -> bool:
    steps = [each for each in export["clearance"] if each["engagement_id"] == engagement["id"]]
    if not steps:
        return False
    step = max(steps, key=lambda each: each["sequence"])
    if step["act"] not in {"approve", "approve_with_conditions"} or today > step["valid_until"]:
        return False
    if not engagement["starts_on"] <= today <= (engagement["ends_on"] or date.max):
        return False
    if data not in engagement["data_classes"] or mode not in engagement["access_modes"]:
        return False
    if data not in step["data_classes"] or mode not in step["access_modes"] or engagement["tier"] < step["tier"]:
        return False
    holds: dict[str, bool] = defaultdict(bool)
    for each in export["ground"]:
        if each["clearance_id"] == step["id"]:
            holds[each["requirement"]] |= each["holds_until"] is None or each["holds_until"] >= today
    return all(holds.values()) and not any(_shuts(each, data, mode, today) for each in step["conditions"])


def _shuts(condition: Row, data: int, mode: str, today: date) -> bool:
    if condition.get("met"):
        return False
    lowest, way = condition.get("closes_at"), condition.get("access_mode")
    only = condition.get("data_class")
    about = (lowest is None or data >= lowest) and only in {None, data} and way in {None, mode}
    overdue = condition.get("due_on") is not None and today > date.fromisoformat(condition["due_on"])
    if overdue and condition.get("consequence", "class") == "all":
        return True
    return about and (overdue or lowest is not None)


# INV-04: the trail is whole, and tells every change of state once.

WAYS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "assessment_begun": (frozenset({"draft"}), "in_progress"),
    "assessment_submitted": (frozenset({"in_progress", "changes_requested"}), "submitted"),
    "review_begun": (frozenset({"submitted"}), "in_review"),
    "changes_requested": (frozenset({"in_review"}), "changes_requested"),
    "assessment_recommended": (frozenset({"in_review"}), "recommended"),
    "recommendation_returned": (frozenset({"recommended"}), "in_review"),
    "assessment_decided": (frozenset({"recommended"}), "decided"),
    "assessment_cancelled": (frozenset({"draft", "in_progress", "changes_requested"}), "cancelled"),
    "assessment_withdrawn": (frozenset({"submitted", "in_review"}), "withdrawn"),
}
"""The state machine of an assessment (security.md), by the events that move it."""

ONCE: Final[Mapping[str, str]] = {
    "attestation_signed": "SELECT count(*) FROM attestation",
    "decision_proposed": "SELECT count(*) FROM decision",
    "decision_signed": "SELECT count(*) FROM decision_signature",
    "decision_confirmed": "SELECT count(*) FROM decision WHERE state = 'confirmed'",
    "clearance_recorded": "SELECT count(*) FROM clearance",
    "vendor_paused": "SELECT count(*) FROM pause WHERE vendor_id IS NOT NULL",
    "vendor_resumed": "SELECT count(*) FROM pause WHERE vendor_id IS NOT NULL AND ended_at IS NOT NULL",
    "every_vendor_paused": "SELECT count(*) FROM pause WHERE vendor_id IS NULL",
    "every_vendor_resumed": "SELECT count(*) FROM pause WHERE vendor_id IS NULL AND ended_at IS NOT NULL",
    "outcome_published": "SELECT count(*) FROM published_outcome",
    "score_computed": "SELECT count(*) FROM score_snapshot",
}
"""Events and the rows that they tell of, one for one."""


def trail_whole(tx: Tx) -> int:
    """INV-04: the chain verifies without gaps and tells each change once; return how many events there are."""
    assert audit.verify(tx) == [], "INV-04: the chain is broken"
    told: Counter[str] = Counter(tx.session.execute(sa.text("SELECT fact FROM audit_event")).scalars())
    for fact, counted in ONCE.items():
        there = tx.session.execute(sa.text(counted)).scalar_one()
        assert told[fact] == there, f"INV-04: {told[fact]} × {fact}, {there} rows"
    states: dict[str, str] = {}
    events = rows(
        tx,
        "SELECT seq, fact, payload FROM audit_event WHERE fact = ANY(:moves) ORDER BY seq",
        moves=["assessment_requested", *WAYS],
    )
    for each in events:
        about = json.loads(each["payload"])["assessment_id"]
        if each["fact"] == "assessment_requested":
            states[about] = "draft"
            continue
        starts, ends = WAYS[each["fact"]]
        assert states[about] in starts, f"INV-04: event {each['seq']}, {each['fact']} from {states[about]}"
        states[about] = ends
    stored = {str(row["id"]): row["state"] for row in rows(tx, "SELECT id, state FROM assessment")}
    assert stored == states, "INV-04: the states are not those that the trail tells"
    return sum(told.values())


# INV-05: what was signed, decided and scored recomputes.


def signed_recomputes(tx: Tx) -> int:
    """INV-05: the digest of every signed revision follows from its rows, those of decisions from their documents."""
    signed = rows(tx, "SELECT id, digest FROM attestation ORDER BY id")
    for each in signed:
        assert attestations.digest_of(tx, each["id"]) == each["digest"], f"INV-05: attestation {each['id']}"
    strangers = rows(
        tx,
        "SELECT r.id FROM review r JOIN attestation a ON a.id = r.attestation_id WHERE r.attestation_digest <> a.digest"
        " UNION ALL "
        "SELECT d.id FROM decision d JOIN attestation a"
        " ON a.assessment_id = d.assessment_id AND a.revision = d.revision WHERE d.attestation_digest <> a.digest",
    )
    assert strangers == [], f"INV-05: reviewed or decided on another text: {strangers}"
    for each in rows(tx, "SELECT number, digest, document FROM decision"):
        assert hashlib.sha256(each["document"].encode()).hexdigest() == each["digest"], f"INV-05: D-{each['number']}"
    return len(signed)


def scores_replay(tx: Tx) -> int:
    """Every stored score follows from its stored inputs, byte for byte; return how many there are."""
    stored = rows(tx, "SELECT id, inputs, result FROM score_snapshot ORDER BY id")
    for each in stored:
        assert scores.replay(each["inputs"].encode()) == each["result"].encode(), f"score {each['id']} does not replay"
    return len(stored)


# WF-13: a revision differs from the one before only where questions came back.


def only_reopened_differ(tx: Tx) -> int:
    """WF-13: between two revisions only what came back was changed, or what an answer brought up; return the pairs."""
    pairs = rows(
        tx,
        "SELECT a.id AS before, b.id AS after, a.assessment_id, a.revision FROM attestation a JOIN attestation b"
        " ON b.assessment_id = a.assessment_id AND b.revision = a.revision + 1",
    )
    for pair in pairs:
        came = rows(
            tx,
            "SELECT question_key FROM reopened_question WHERE assessment_id = :a AND revision = :r",
            a=pair["assessment_id"],
            r=pair["revision"],
        )
        reopened = {each["question_key"] for each in came}
        before, after = (_answers(tx, pair[name]) for name in ("before", "after"))
        assert before.keys() == after.keys(), f"WF-13: {pair}"
        for key, (state, content) in after.items():
            was, said = before[key]
            if key not in reopened and was not in _UNSEEN and state not in _UNSEEN:
                assert content == said, f"WF-13: {key} did not come back and changed, {pair}"
    return len(pairs)


_UNSEEN: Final = frozenset({"hidden", "zero"})


def _answers(tx: Tx, attestation_id: UUID) -> dict[str, tuple[str, Any]]:
    found = rows(
        tx, "SELECT question_key, state, content FROM attested_answer WHERE attestation_id = :a", a=attestation_id
    )
    return {each["question_key"]: (each["state"], each["content"]) for each in found}


# INV-08: separation of duties holds for every decision stored.


def duties_apart(tx: Tx) -> int:
    """INV-08: S1 to S9 hold for every decision that counts, from the rows alone; return how many decisions."""
    decided = rows(tx, "SELECT * FROM decision WHERE state = 'confirmed' ORDER BY number")
    for each in decided:
        for broken in _broken(tx, each):
            raise AssertionError(f"INV-08: D-{each['number']} ({each['outcome']}, tier {each['tier']}): {broken}")
    return len(decided)


def _broken(tx: Tx, decision: Row) -> Iterator[str]:
    signatures = rows(
        tx, "SELECT * FROM decision_signature WHERE decision_id = :d ORDER BY signed_at", d=decision["id"]
    )
    signers = [each["signer_id"] for each in signatures]
    approves = decision["outcome"] != "reject"
    exception = approves and decision["recommendation"] in {"hold", "reject"}
    needed = 2 if approves and (decision["tier"] == 1 or exception) else 1
    if len(set(signers)) < needed or len(signers) < decision["signatures_needed"]:
        yield f"S2: {len(set(signers))} signed, {needed} are needed"
    if any(each["digest"] != decision["digest"] for each in signatures):
        yield "S9: not everybody signed the same document"
    if exception and set(signers) == {decision["proposed_by"]}:
        yield "S4: who proposed the exception confirmed it alone"
    judges = _judges(tx, decision)
    if approves and decision["tier"] < 3 and judges & set(signers):
        yield "S1: a reviewer of this assessment signed"
    for each in signatures:
        yield from _barred(tx, decision, each, judges, alone=needed == 1)
    yield from _granted(tx, signatures)


def _judges(tx: Tx, decision: Row) -> set[UUID]:
    found = rows(
        tx,
        "SELECT reviewer_id AS who FROM review WHERE assessment_id = :a AND revision <= :r AND reviewer_id IS NOT NULL"
        " UNION SELECT v.given_by FROM answer_verdict v JOIN review r ON r.id = v.review_id"
        " WHERE r.assessment_id = :a AND r.revision <= :r AND v.given_by IS NOT NULL AND v.carried_from IS NULL",
        a=decision["assessment_id"],
        r=decision["revision"],
    )
    return {each["who"] for each in found}


def _barred(tx: Tx, decision: Row, signature: Row, judges: Collection[UUID], *, alone: bool) -> Iterator[str]:
    who = signature["signer_id"]
    (person,) = rows(tx, "SELECT * FROM user_account WHERE id = :u", u=who)
    if person["side"] != "lab":
        yield f"S8: {person['full_name']} is not of the lab"
    held = {each["role"] for each in _held(tx, who, signature["signed_at"], decision["decided_at"])}
    reviewer_may = (decision["tier"] == 3 or decision["outcome"] == "reject") and who in judges
    if "lead_approver" not in held and not (reviewer_may and "reviewer" in held):
        yield f"S7: {person['full_name']} did not hold the role from the signature to the decision"
    (vendor,) = rows(tx, "SELECT mail_domains FROM vendor WHERE id = :v", v=decision["vendor_id"])
    host = person["email"].rpartition("@")[2]
    if any(host == each or host.endswith(f".{each}") for each in vendor["mail_domains"]):
        yield f"S3: {person['full_name']} has an address of the vendor"
    tied = rows(
        tx,
        "SELECT reason FROM conflict_of_interest WHERE user_id = :u AND vendor_id = :v AND declared_at < :at"
        " AND (ended_at IS NULL OR ended_at > :at)"
        " UNION ALL SELECT reason FROM conflict_of_interest WHERE user_id = :u AND vendor_id = :v"
        " AND declared_at BETWEEN :at AND :d AND declared_at < :d"
        " UNION ALL SELECT 'was invited' FROM invitation WHERE email = :e AND vendor_id = :v AND created_at < :at",
        u=who,
        v=decision["vendor_id"],
        at=signature["signed_at"],
        d=decision["decided_at"],
        e=person["email"],
    )
    if tied:
        yield f"S3: {person['full_name']} was tied to the vendor: {tied}"
    authored = rows(
        tx,
        "SELECT q.published_by FROM questionnaire_version q JOIN assessment a ON a.questionnaire_id = q.id"
        " WHERE a.id = :a AND q.published_by = :u AND q.published_at > :since",
        a=decision["assessment_id"],
        u=who,
        since=signature["signed_at"] - timedelta(days=7),
    )
    if alone and authored:
        yield f"S5: {person['full_name']} wrote the questionnaire less than 7 days before"


def _held(tx: Tx, who: UUID, since: datetime, until: datetime) -> list[Row]:
    return rows(
        tx,
        "SELECT role FROM role_grant WHERE user_id = :u AND granted_at <= :s"
        " AND (revoked_at IS NULL OR revoked_at >= :d)",
        u=who,
        s=since,
        d=until,
    )


def _granted(tx: Tx, signatures: Sequence[Row]) -> Iterator[str]:
    for each in signatures:
        for other in signatures:
            young = rows(
                tx,
                "SELECT 1 FROM role_grant WHERE user_id = :u AND role = 'lead_approver' AND granted_at > :since"
                " AND :by IN (granted_by, confirmed_by)",
                u=each["signer_id"],
                since=each["signed_at"] - timedelta(hours=24),
                by=other["signer_id"],
            )
            if young:
                yield f"S6: {other['signer_id']} made {each['signer_id']} an approver within a day"


# INV-09: at most one decision a revision; sequences only rise.


def one_decision(tx: Tx) -> int:
    """INV-09: a revision has at most one decision, a decided assessment exactly one, and the vendor was told once."""
    twice = rows(
        tx,
        "SELECT assessment_id, revision FROM decision WHERE state = 'confirmed' GROUP BY 1, 2 HAVING count(*) > 1"
        " UNION ALL SELECT assessment_id, 0 FROM decision WHERE state = 'proposed' GROUP BY 1 HAVING count(*) > 1",
    )
    assert twice == [], f"INV-09: decided or proposed twice: {twice}"
    counted = rows(
        tx,
        "SELECT a.id, a.state,"
        " (SELECT count(*) FROM decision d WHERE d.assessment_id = a.id AND d.state = 'confirmed'"
        "   AND d.revision = a.revision) AS decisions,"
        " (SELECT count(*) FROM decision d WHERE d.assessment_id = a.id AND d.state = 'proposed') AS proposed,"
        " (SELECT count(*) FROM published_outcome o WHERE o.assessment_id = a.id) AS told,"
        " (SELECT count(*) FROM review r WHERE r.assessment_id = a.id AND r.closed_at IS NULL) AS open"
        " FROM assessment a",
    )
    for each in counted:
        decided = each["state"] == "decided"
        assert (each["decisions"], each["told"]) == ((1, 1) if decided else (0, 0)), f"INV-09: {each}"
        assert each["proposed"] <= (each["state"] == "recommended"), f"INV-09: {each}"
        assert each["open"] == (each["state"] in {"submitted", "in_review", "recommended"}), f"INV-09: {each}"
    return len(counted)


def sequences_rise(tx: Tx) -> int:
    """INV-09: a vendor's numbers are each used once, rise with the trail, and end at the last one given."""
    given: dict[str, list[int]] = defaultdict(list)
    events = rows(
        tx,
        "SELECT payload FROM audit_event WHERE vendor_id IS NOT NULL AND payload LIKE :has ORDER BY seq",
        has='%"sequence":%',
    )
    for each in events:
        payload = json.loads(each["payload"])
        given[payload["vendor_id"]].append(payload["sequence"])
    for vendor_id, numbers in given.items():
        assert numbers == sorted(set(numbers)), f"INV-09: the numbers of {vendor_id} are {numbers}"
    last = {str(each["vendor_id"]): each["last"] for each in rows(tx, "SELECT vendor_id, last FROM gate_sequence")}
    assert {vendor_id: numbers[-1] for vendor_id, numbers in given.items()} == last, "INV-09: a number was lost"
    wrong = rows(
        tx,
        "SELECT sequence, at, before FROM (SELECT sequence, recorded_at AS at,"
        " lag(recorded_at) OVER (PARTITION BY vendor_id ORDER BY sequence) AS before"
        " FROM clearance) s WHERE at < before",
    )
    assert wrong == [], f"INV-09: a later number was given before an earlier one: {wrong}"
    strangers = rows(
        tx,
        "SELECT c.sequence, d.number FROM clearance c JOIN decision d ON d.id = c.decision_id"
        " WHERE d.state <> 'confirmed' OR d.engagement_id <> c.engagement_id OR d.tier <> c.tier",
    )
    assert strangers == [], f"INV-09: cleared by what nobody decided: {strangers}"
    return len(events)
