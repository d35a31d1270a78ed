"""Every question as a document to read ahead: what is asked, how it is answered, why, and what is not asked now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portal.kernel import words
from portal.questionnaires.queries import VersionLine
from portal.questionnaires.rules import Kind, Question
from portal.sites.shared.language import _, ngettext
from portal.sites.vendor.work import Work


def read_ahead(work: Work, version: VersionLine | None, language: str) -> dict[str, Any]:
    """Return what the template ``questions`` prints. The same questions give the same document, whenever it is made."""
    lab, row = work.lab, work.row
    asked = {each.key for each in work.visible}
    aside = [each for each in work.questionnaire.questions if _is_aside(work, each, asked)]
    return {
        "title": row.title,
        "language": language,
        "lab": lab,
        "made_at": row.requested_at,
        "reference": f"{version.title} {version.version}" if version else "",
        "words": _words(work, language),
        "sections": [
            {
                "title": f"{section.number}. {section.title}",
                "intro": section.intro,
                "questions": [_question(work, each) for each in section.questions if each.key in asked],
            }
            for section in work.questionnaire.sections
            if any(each.key in asked for each in section.questions)
        ],
        "aside": [[each.number, each.label] for each in aside],
    }


def answered_how(question: Question) -> str:
    """Return how a question is answered, in one line: its options, or what is to be entered."""
    if question.choices:
        return " · ".join(each.label for each in question.choices)
    if question.kind is Kind.NUMBER:
        return _("A number in %(unit)s.", unit=question.unit) if question.unit else _("A number.")
    if question.columns:
        return _("A table: %(columns)s.", columns=", ".join(each.label for each in question.columns))
    match question.kind:
        case Kind.DATE:
            return _("A day.")
        case Kind.RANGE:
            return _("A first and a last day.")
        case Kind.URL:
            return _("A web address.")
        case Kind.FILE:
            return _("A file.")
        case Kind.MANY_CHOICES:
            return _("Any of those that you named before.")
        case _:
            return _("In your own words.")


def _is_aside(work: Work, question: Question, asked: set[str]) -> bool:
    """Whether a question of this tier is not asked now, because facts or other answers rule it out."""
    return question.key not in asked and work.row.tier in question.tiers and work.sees(question.section)


def _question(work: Work, question: Question) -> dict[str, Any]:
    level = work.questionnaire.evidence_level(question.key, work.row.tier)
    details = [each.label for each in question.details]
    facts: Sequence[tuple[str, str]] = (
        (_("Answer"), answered_how(question)),
        (_("Also asked"), ", ".join(details)),
        (_("Help"), question.guidance),
        (_("Why we ask"), question.why),
        (_("A strong answer"), question.strong),
        (_("Good evidence"), question.good_evidence),
        (_("Evidence"), _("Needed, or a word on why you cannot share it.") if level >= 2 else ""),
    )
    return {
        "number": question.number,
        "label": question.label,
        "text": question.text,
        "facts": [[name, text] for name, text in facts if text],
    }


def _words(work: Work, language: str) -> dict[str, str]:
    return {
        "page": _("Page {page} of {pages}"),
        "lead": _(
            "What %(lab)s asks you, to read and to share with the people who know. Answer in the portal: what is "
            "written here is not sent.",
            lab=work.lab,
        ),
        "count": ngettext("%(num)s question", "%(num)s questions", len(work.visible)),
        "due": _("Due %(day)s", day=words.day(work.row.due_on, language)),
        "aside": _("Not asked now"),
        "aside_lead": _(
            "The facts about the work or your other answers rule these out. If that changes, they are asked."
        ),
    }
