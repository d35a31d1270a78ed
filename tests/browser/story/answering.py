"""How a person fills the cards of a section: each kind in its own way, saved by the page itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from playwright.sync_api import Locator, Page, expect

from portal.questionnaires.rules import Kind, Question, Questionnaire
from tests.browser.story.people import PATIENCE, Human


def slug(key: str) -> str:
    """Return a key as the page's ids have it."""
    return key.replace(".", "-")


def unanswered(page: Page, asked: Questionnaire) -> list[Question]:
    """Return the questions on the page whose card says that nothing was answered yet."""
    ids = page.locator("article.q").evaluate_all(
        "cards => cards.filter(card => /Not started/.test(card.querySelector('.q__meta')?.textContent ?? ''))"
        ".map(card => card.id)"
    )
    by_id = {f"q-{slug(each.key)}": each for each in asked.questions}
    return [by_id[each] for each in ids]


@dataclass
class Respondent:
    """Somebody who answers, and what they have answered so far."""

    human: Human
    asked: Questionnaire
    partial: Mapping[str, date] = field(default_factory=dict)
    answered: list[str] = field(default_factory=list)
    section: str = ""

    def opens(self, home: str, key: str) -> None:
        """Go to a section from the list of all."""
        page, part = self.human.page, self.asked.section(key)
        page.goto(home)
        page.get_by_role("link", name=f"{part.number}. {part.title}", exact=True).click()
        expect(page.get_by_role("heading", name=part.title, level=1)).to_be_visible()
        self.section = key

    def fills(self, question: Question) -> None:
        """Answer one question in full, or in part where that is the truth."""
        form = self.human.page.locator(f"#answer-{slug(question.key)}")
        if question.kind is Kind.NUMBER:
            best = max(question.steps, key=lambda step: step.credit)
            form.locator('input[name="number"]').fill(str(best.bound or 0))
        elif question.kind is Kind.MANY_CHOICES:
            form.locator('input[name="choices"]').first.check()
        elif question.kind is Kind.TABLE:
            self._row(form, "rows")
        elif question.kind is Kind.DATE:
            form.locator('input[name="day"]').fill(_day(-20))
        elif question.kind is Kind.TEXT:
            form.locator('textarea[name="text"]').fill("As agreed.")
        elif question.key in self.partial:
            form.locator('input[name="choice"][value="partial"]').check()
            form.locator('input[name="planned_on"]').fill(self.partial[question.key].isoformat())
        else:
            best_key = max(question.choices, key=lambda option: option.credit or 0).key
            form.locator(f'input[name="choice"][value="{best_key}"]').check()
        if question.details:
            self._details(form, question)
        comment = form.locator('textarea[name="comment"]')
        comment.fill(f"{question.label}: written down, checked every quarter by the security lead.")
        comment.blur()
        self.answered.append(question.key)

    def _details(self, form: Locator, question: Question) -> None:
        summary = form.get_by_text(f"Details for {question.number}")
        if summary.locator("xpath=..").get_attribute("open") is None:
            summary.click()
        for detail in question.details:
            name = f"details.{detail.key}"
            if detail.columns:
                self._row(form, name)
                continue
            box = form.locator(f'[name="{name}"]')
            if detail.options:
                box.select_option(detail.options[0].key)
            else:
                box.fill({"date": _day(-90), "number": "1"}.get(detail.kind.value, "As in the register"))

    def _row(self, form: Locator, prefix: str) -> None:
        for box in form.locator(f'[name^="{prefix}.0."]').all():
            if box.evaluate("box => box.tagName") == "SELECT":
                box.select_option(index=1)
            elif box.get_attribute("type") == "date":
                box.fill(_day(-90))
            else:
                box.fill("1" if box.get_attribute("inputmode") else "Harrow Cloud")

    def saved(self) -> None:
        """Wait until the page says that everything is on the server."""
        status = self.human.page.locator("[data-save-status]")
        expect(status).to_contain_text("All changes saved", timeout=PATIENCE)
        expect(status).to_have_attribute("data-state", "saved")

    def attaches(self, question: Question, title: str, pages: str) -> None:
        """Attach a file of the library to an answer, at named pages."""
        page = self.human.page
        place = page.locator(f"#ev-{slug(question.key)}")
        place.locator("summary").filter(has_text="Choose from your library").click()
        place.get_by_role("radio", name=title).check()
        place.get_by_label("Pages").fill(pages)
        place.get_by_role("button", name=f"Attach to {question.number}").click()
        expect(page.locator(f"#evl-{slug(question.key)}")).to_contain_text(f"pages {pages}")


def two_answer(one: Respondent, other: Respondent, plan: list[tuple[Respondent, str]], home: str) -> None:
    """Let two people answer their sections at the same time: a card here, a card there, until nothing is left."""
    queues = {id(each): [key for who, key in plan if who is each] for each in (one, other)}
    work: dict[int, list[Question]] = {id(one): [], id(other): []}
    busy = True
    while busy:
        busy = False
        for who in (one, other):
            if not work[id(who)]:
                _turn(who, queues[id(who)], work, home)
            if work[id(who)]:
                busy = True
                who.fills(work[id(who)].pop(0))


def _turn(who: Respondent, queue: list[str], work: dict[int, list[Question]], home: str) -> None:
    """Look whether the section is done, with what its answers brought up, and go on to the next one."""
    if who.section:
        who.saved()
        if left := unanswered(who.human.page, who.asked):
            work[id(who)] = left
            return
    if queue:
        who.opens(home, queue.pop(0))
        work[id(who)] = unanswered(who.human.page, who.asked)


def _day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
