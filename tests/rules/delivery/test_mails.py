"""What every mail must keep to (ux.md, e-mails), tried on each kind with gentle and with hostile words."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from html import unescape
from typing import Any
from uuid import UUID

import msgspec
import pytest

from portal.delivery.mails import KINDS
from portal.delivery.render import NotWanted, envelope, render
from portal.delivery.rules import Frame, Message, Reader
from portal.terms import LANGUAGES

FRAME = Frame("Orrery", "https://gatehouse.orrery.example")
ID = "01936b2a-0000-7000-8000-000000000001"
TOKEN = "a-token-of-chance"
WORK = {"assessment_id": ID, "vendor_name": "Marigold Labelling", "title": "AI contractor assessment"}
NOW = "2026-11-24T09:00:00Z"


def left(*sections: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"section_title": title, "open": count} for title, count in sections]


SAMPLES: dict[str, dict[str, Any]] = {
    "invitation": {
        "invitation_id": ID,
        "expires_at": NOW,
        "roles": ["vendor_admin", "respondent"],
        "invited_by": "Hana Sato",
        "vendor_name": "Marigold Labelling",
        "work": "AI contractor assessment",
        "sections": ["People and access", "Incidents"],
        "due_on": "2026-12-18",
        "hours": "7 to 13 hours",
    },
    "invitation_ending": {
        "invitation_id": ID,
        "expires_at": NOW,
        "invited_by": "Hana Sato",
        "vendor_name": "Marigold Labelling",
    },
    "invited_elsewhere": {"invited_by": "Hana Sato", "vendor_name": "Marigold Labelling"},
    "address_confirm": {"invitation_id": ID, "expires_at": NOW, "asked_by": "Hana Sato", "own": False},
    "address_moved": {"at": NOW, "asked_by": "Hana Sato", "own": False},
    "password_reset": {"invitation_id": ID, "expires_at": NOW},
    "new_sign_in": {"at": NOW, "device": "Firefox on Linux", "address": "192.0.2.7"},
    "role_changed": {"at": NOW, "roles": ["signatory"], "changed_by": "Hana Sato"},
    "account_changed": {"at": NOW, "change": "password"},
    "everything_taken": {"at": NOW, "taken_by": "Hana Sato", "with_files": True},
    "section_given": {
        "assessment_id": ID,
        "vendor_name": "Marigold Labelling",
        "section": "access",
        "section_title": "People and access",
        "given_by": "Ada Okafor",
        "due_on": "2026-12-18",
        "questions": 9,
    },
    "sent_back": {**WORK, "sent_by": "Daniel Osei"},
    "ready_to_sign": {**WORK, "due_on": "2026-12-18"},
    "receipt": {**WORK, "signed_by": "Ada Okafor", "signed_at": NOW, "fingerprint": "ab" * 32, "revision": 2},
    "questions": {**WORK, "questions": 5, "due_on": "2026-12-18"},
    "asked_again": {**WORK, "due_on": "2026-12-18", "to_confirm": 41, "again": 3, "new": 2, "moved": False},
    "reminder": {
        **WORK,
        "due_on": "2026-12-18",
        "days_left": 2,
        "left": left(("People and access", 3), ("Incidents", 1)),
    },
    "decision": {
        "outcome_id": ID,
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "number": 412,
    },
    "finding_due": {
        "finding_id": ID,
        "number": 3,
        "vendor_name": "Marigold Labelling",
        "due_on": "2026-12-18",
        "days_left": 14,
    },
    "proof_accepted": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling"},
    "proof_returned": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling", "due_on": "2026-12-18"},
    "plan_agreed": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling", "due_on": "2026-12-18"},
    "plan_returned": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling", "due_on": "2026-12-18"},
    "finding_due_moved": {
        "finding_id": ID,
        "number": 3,
        "vendor_name": "Marigold Labelling",
        "due_on": "2026-12-18",
        "was_due_on": "2026-11-30",
    },
    "risk_accepted": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling", "until": "2026-12-18"},
    "risk_revoked": {"finding_id": ID, "number": 3, "vendor_name": "Marigold Labelling", "due_on": "2026-12-18"},
    "plan_received": {"vendor_name": "Marigold Labelling", "title": "AI contractor assessment", "waiting": 2},
    "risk_proposed": {
        "finding_id": ID,
        "number": 3,
        "vendor_name": "Marigold Labelling",
        "until": "2026-12-18",
        "proposed_by": "Ines Valdarno",
        "acceptance_id": ID,
    },
    "evidence_ends": {
        "evidence_ids": [ID, ID],
        "vendor_name": "Marigold Labelling",
        "ends_on": "2026-12-18",
        "days_left": 30,
    },
    "approval_ends": {
        "engagement_id": ID,
        "vendor_name": "Marigold Labelling",
        "project": "Preference data for assistants",
        "ends_on": "2026-12-18",
        "days_left": 7,
    },
    "second_look_answered": {
        "outcome_id": ID,
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
    },
    "second_look_asked": {
        "second_look_id": ID,
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "due_on": "2026-12-18",
    },
    "proof_received": {"vendor_name": "Marigold Labelling", "title": "AI contractor assessment", "waiting": 2},
    "reply": {**WORK, "replies": 3, "keys": ["acc.leavers"]},
    "evidence_opened": {
        "vendor_name": "Marigold Labelling",
        "until": "2026-11-23",
        "openings": 12,
        "files": 3,
        "people": 2,
    },
    "digest": {
        "on": "2026-11-24",
        "lines": [{"kind": "reply", "number": 3}, {"kind": "evidence_ends", "number": 1}],
    },
    "incident_questions": {
        "vendor_name": "Marigold Labelling",
        "number": "INC-2026-014",
        "questions": 6,
        "answer_by": NOW,
    },
    "access_paused": {"vendor_name": "Marigold Labelling", "at": NOW},
    "access_restored": {"vendor_name": "Marigold Labelling", "at": NOW},
    "approval_revoked": {"vendor_name": "Marigold Labelling", "engagement": "Harbour rubrics", "at": NOW},
    "second_wanted": {
        "vendor_name": "Marigold Labelling",
        "asked_by": "Hana Kobayashi",
        "revokes": True,
        "vendor_slug": "marigold-labelling",
    },
    "more_time_answered": {**WORK, "due_on": "2026-12-18", "agreed": True},
    "more_time_asked": {
        **WORK,
        "vendor_slug": "marigold-labelling",
        "due_on": "2026-12-18",
        "wished_on": "2027-01-08",
        "asked_by": "Ada Okafor",
    },
    "new_submission": {"vendor_name": "Marigold Labelling", "title": "AI contractor assessment", "tier": 1},
    "reply_received": {"vendor_name": "Marigold Labelling", "title": "AI contractor assessment", "replies": 2},
    "cosign": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "tier": 1,
        "proposed_by": "Hana Sato",
    },
    "proposal_fell": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "number": 104,
        "decision_id": "01936b2a-0000-7000-8000-000000000104",
        "declined_by": "Theo Brandvold",
    },
    "proposal_ending": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "number": 104,
        "decision_id": "01936b2a-0000-7000-8000-000000000104",
        "ends_on": "2026-12-18",
    },
    "review_escalated": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "tier": 1,
        "raised_by": "Ines Valdarno",
        "due_on": "2026-12-18",
        "review_id": "01936b2a-0000-7000-8000-000000000105",
    },
    "handed_back": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "handed_back_by": "Hana Kobayashi",
        "review_id": "01936b2a-0000-7000-8000-000000000105",
    },
    "queue_digest": {
        "on": "2026-11-24",
        "mine": 6,
        "overdue": 1,
        "soon": 2,
        "unclaimed": 3,
        "to_sign": 1,
        "proofs": 2,
        "second_looks": 1,
    },
    "service_level": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "tier": 1,
        "due_at": NOW,
        "review_id": ID,
        "reviewer": "Ines Valdarno",
    },
    "contradiction_found": {
        "vendor_name": "Marigold Labelling",
        "title": "AI contractor assessment",
        "review_id": ID,
        "found": 3,
    },
    "key_failing": {"ends_on": "2026-12-01", "client": "Data platform, production", "days_left": 7},
    "chain_broken": {"at": NOW, "flaws": 2, "first": 41208, "events": 50000},
    "evidence_alert": {"vendor_name": "Marigold Labelling", "at": NOW, "person_name": "Ivo Brandt", "files": 60},
    "evidence_lapsed": {
        "on": "2027-02-28",
        "lapses": [
            {
                "vendor_name": "Marigold Labelling",
                "title": "AI contractor assessment",
                "before": "approve",
                "now": "hold",
                "score_before": "89.4",
                "score_now": "66.3",
            }
        ],
    },
}
VERBS = {
    "Accept",
    "Answer",
    "Check",
    "Choose",
    "Confirm",
    "Find",
    "Finish",
    "Keep",
    "Look",
    "Read",
    "Replace",
    "Send",
    "Review",
    "See",
    "Sign",
    "Start",
    "Stop",
    "Take",
}
FORBIDDEN = re.compile(
    r"\b(please|simply|invalid|error occurred|N/A|supplier|submission)\b|!(?!doctype|important)", re.I
)
HOSTILE = "Ada\r\nBcc: all@x.example\n<script>alert(1)</script> https://evil.example/x \u202e{{ 7*7 }}"


def written(kind: str, context: dict[str, Any] | None = None, *, to_name: str = "Ada Okafor") -> Message:
    return render(kind, context or SAMPLES[kind], to_name=to_name, frame=FRAME, link_token=lambda _id: TOKEN)


def hostile(kind: str) -> dict[str, Any]:
    """The same mail with hostile words wherever somebody's words go."""
    ours = {"fingerprint", "section", "change", "hours", "vendor_slug", "files"}
    return {
        name: HOSTILE
        if isinstance(value, str) and name not in ours and not re.match(r"\d{4}-|01936b2a", value)
        else value
        for name, value in SAMPLES[kind].items()
    }


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_is_short_and_begins_with_a_verb(kind) -> None:
    subject = written(kind).subject
    assert subject.split()[0] in VERBS
    assert len(subject) <= 60
    assert not subject.endswith(("…", "."))


@pytest.mark.parametrize("kind", KINDS)
def test_the_words_are_ours_and_calm(kind) -> None:
    mail = written(kind)
    for words in (mail.subject, mail.text, re.sub(r"<style>.*?</style>", "", mail.html, flags=re.S)):
        assert FORBIDDEN.search(words) is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_link_from_the_settings_is_the_only_link(kind) -> None:
    for context in (SAMPLES[kind], hostile(kind)):
        mail = written(kind, context, to_name=HOSTILE)
        links = re.findall(r"[a-z]+://\S+", mail.text)
        assert len(links) == 1
        assert links[0].startswith(FRAME.base_url + "/")
        assert re.findall(r'href="([^"]*)"', mail.html) == links
        assert len(re.findall(r"[a-z]+://", mail.html)) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_words_change_nothing_but_themselves(kind) -> None:
    mail = written(kind, hostile(kind), to_name=HOSTILE)
    assert len(mail.subject) <= 60
    assert len(mail.subject.splitlines()) == 1
    assert "<script" not in mail.html
    assert "49" not in mail.text
    assert "\u202e" not in mail.text + mail.html


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_say_the_same(kind) -> None:
    mail = written(kind)
    plain = re.sub(r"\W+", " ", mail.text)
    body = mail.html.split("<body>")[1]
    for piece in re.findall(r">([^<>]+)<", body):
        assert re.sub(r"\W+", " ", unescape(piece)).strip() in plain


@pytest.mark.parametrize("kind", KINDS)
def test_lines_of_the_plain_form_are_short(kind) -> None:
    assert all(len(line) <= 78 or "://" in line or "SHA-256" in line for line in written(kind).text.splitlines())


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_too_few_is_found(kind) -> None:
    context = dict(SAMPLES[kind])
    del context["at" if "at" in context else next(iter(context))]
    with pytest.raises(msgspec.ValidationError):
        written(kind, context)


def test_the_token_is_in_the_link_and_nowhere_else() -> None:
    mail = written("invitation")
    assert mail.text.count(TOKEN) == 1
    assert f"{FRAME.base_url}/invitation/{TOKEN}" in mail.text
    assert f"{FRAME.base_url}/reset/{TOKEN}" in written("password_reset").text


def test_a_link_that_is_over_makes_no_mail() -> None:
    asked: list[UUID] = []

    def over(invitation_id: UUID) -> None:
        asked.append(invitation_id)

    with pytest.raises(NotWanted):
        render("invitation", SAMPLES["invitation"], to_name="", frame=FRAME, link_token=over)
    assert asked == [UUID(ID)]


def test_a_lab_person_is_not_told_of_a_form() -> None:
    context = {"invitation_id": ID, "expires_at": NOW, "roles": ["reviewer"]}
    text = written("invitation", context).text
    assert "SOC 2" not in text
    assert "You join as: reviewer" in text


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ([], "Everything is answered. What is missing is a signature."),
        (left(("Incidents", 1)), "- Incidents: 1 answer to finish"),
    ],
)
def test_a_reminder_says_what_is_left(rest, said) -> None:
    assert said in written("reminder", {**SAMPLES["reminder"], "left": rest}).text


def test_a_reminder_that_does_not_know_what_is_left_says_nothing_of_it() -> None:
    text = written("reminder", {**SAMPLES["reminder"], "left": None}).text
    assert "Everything is answered" not in text
    assert "Left to do" not in text


def test_a_reminder_lists_many_sections_in_few_lines() -> None:
    many = left(*((f"Section {n}", 1) for n in range(40)))
    text = written("reminder", {**SAMPLES["reminder"], "left": many}).text
    assert "- and 24 more sections" in text
    assert "Finish 40 answers" in written("reminder", {**SAMPLES["reminder"], "left": many}).subject


def test_a_renewal_says_how_much_is_left_to_do_and_a_move_says_so() -> None:
    """ux.md, e-mail 17."""
    counts = SAMPLES["asked_again"]
    renewed = written("asked_again")
    moved = written("asked_again", {**counts, "moved": True, "new": 0})
    nothing = written("asked_again", {**counts, "moved": True, "again": 0, "new": 0})

    assert renewed.subject == "Answer Orrery again by 18 December"
    assert moved.subject == "Answer 3 questions again by 18 December"
    assert re.search(r"To confirm:?\s+41 answers", renewed.text)
    assert nothing.subject == "Check Orrery's newer questions by 18 December"
    assert "newer version of the questionnaire" in " ".join(moved.text.split())
    assert "New" not in moved.text.split()


THE_18 = {
    1: ("invitation",),
    2: ("section_given",),
    3: ("invitation_ending",),
    4: ("reminder",),
    5: ("ready_to_sign",),
    6: ("receipt",),
    7: ("questions",),
    8: ("reply", "digest"),
    9: ("decision",),
    10: ("finding_due", "finding_due_moved"),
    11: ("proof_accepted", "proof_returned", "plan_agreed", "plan_returned", "risk_accepted", "risk_revoked"),
    12: ("evidence_ends",),
    13: ("approval_ends",),
    14: ("incident_questions",),
    15: ("access_paused", "access_restored", "approval_revoked"),
    16: ("new_sign_in", "role_changed", "account_changed"),
    17: ("asked_again",),
    18: ("evidence_opened",),
}
"""The mails to a contractor, as ux.md counts them."""
CONTENT = {
    "body",
    "answer",
    "comment",
    "quote",
    "note",
    "what",
    "reason",
    "file_name",
    "closes_when",
    "score",
    "evidence",
}
"""Fields that would carry what somebody answered, wrote or uploaded."""


@pytest.mark.parametrize("number", THE_18)
def test_each_of_the_18_is_there_and_has_no_room_for_what_somebody_answered_or_uploaded(number) -> None:
    """INV-02: what is not in the fields of a kind cannot be in its mail."""
    for kind in THE_18[number]:
        names = {field.name for field in msgspec.structs.fields(KINDS[kind].fields)}
        assert names.isdisjoint(CONTENT)
        with pytest.raises(msgspec.ValidationError):
            written(kind, {"canary": "CANA-1"})
        assert "CANA" not in written(kind, {**SAMPLES[kind], "body": "CANA-1", "file_name": "CANA-2"}).text


@pytest.mark.parametrize("kind", [kind for kinds in THE_18.values() for kind in kinds])
def test_a_moment_is_said_by_the_clock_of_its_reader_and_names_the_zone(kind) -> None:
    there = Reader(zone="Asia/Tokyo")
    mail = render(kind, SAMPLES[kind], to_name="Ada", frame=FRAME, link_token=lambda _id: TOKEN, reader=there)
    assert "UTC" not in mail.text
    if NOW in SAMPLES[kind].values():
        assert "24 November 2026 at 18:00 JST" in mail.text
        assert "24 November 2026 at 18:00 JST" in mail.html


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [kind for kinds in THE_18.values() for kind in kinds])
def test_in_every_language_the_subject_is_short_and_both_forms_say_the_same(kind, language) -> None:
    reader = Reader(language, "Europe/Berlin")
    mail = render(kind, SAMPLES[kind], to_name="Ada", frame=FRAME, link_token=lambda _id: TOKEN, reader=reader)
    plain = re.sub(r"\W+", " ", mail.text)
    assert len(mail.subject) <= 60
    assert len(re.findall(r"[a-z]+://\S+", mail.text)) == 1
    assert f'<html lang="{"en-GB" if language == "en" else language}">' in mail.html
    for piece in re.findall(r">([^<>]+)<", mail.html.split("<body>")[1]):
        assert re.sub(r"\W+", " ", unescape(piece)).strip() in plain


def test_mail_that_was_queued_before_still_renders() -> None:
    """Fields were only added: what a row of an earlier version holds is enough."""
    old = {
        "reminder": {**WORK, "due_on": "2026-12-18", "days_left": 2, "left": left(("Incidents", 1))},
        "invitation": {"invitation_id": ID, "expires_at": NOW, "roles": ["respondent"], "hours": "7 to 13 hours"},
        "access_paused": {"vendor_name": "Marigold Labelling", "at": NOW},
        "questions": {**WORK, "questions": 5},
        "reply_received": {"vendor_name": "Marigold Labelling", "title": "AI contractor assessment"},
    }
    assert all(written(kind, context).text for kind, context in old.items())
    assert "Time it takes: 7 to 13 hours" in written("invitation", old["invitation"]).text


def test_a_reminder_counts_what_blocks_signing_by_kind() -> None:
    blocks = [{"kind": kind, "number": 2} for kind in ("confirm", "answer", "evidence", "reply", "new kind")]
    text = written("reminder", {**SAMPLES["reminder"], "left": [], "blocks": blocks}).text
    assert "- Confirm 2 earlier answers" in text
    assert "- Add evidence to 2 answers" in text
    assert "- Reply to 2 questions of the reviewers" in text
    assert "Everything is answered" not in text


def test_a_mail_that_can_be_ended_says_so_in_its_head_and_no_other_does() -> None:
    def wire(unsubscribe: str) -> EmailMessage:
        return envelope(
            written("digest"),
            mail_id=UUID(ID),
            to_address="ada@acme.example",
            to_name="Ada",
            sender="gatehouse@orrery.example",
            lab_name="Orrery",
            created_at=datetime(2026, 11, 24, tzinfo=UTC),
            unsubscribe=unsubscribe,
        )

    ended = wire("https://gatehouse.orrery.example/unsubscribe/token")
    assert ended["List-Unsubscribe"] == "<https://gatehouse.orrery.example/unsubscribe/token>"
    assert ended["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert wire("")["List-Unsubscribe"] is None


def test_a_deadline_is_said_by_both_clocks_where_they_differ() -> None:
    """ux.md, formats: days are days of the world's clock."""

    def text(zone: str) -> str:
        here = Reader(zone=zone)
        words = render(
            "reminder", SAMPLES["reminder"], to_name="", frame=FRAME, link_token=lambda _id: TOKEN, reader=here
        ).text
        return " ".join(words.split())

    assert "Due: 18 December 2026, for you until 18 December 2026 at 15:59 PST" in text("America/Los_Angeles")
    assert "Due: 18 December 2026, for you until 19 December 2026 at 08:59 JST" in text("Asia/Tokyo")
    assert "Due: 18 December 2026 Left" in text("Europe/London")
