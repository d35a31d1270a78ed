"""Who plays: the lab's people, the vendor's people, and how each of them gets a browser."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from playwright.sync_api import Page

from portal.questionnaires.rules import Questionnaire, compile_yaml
from tests.browser.story.installation import PROJECT as HERE
from tests.browser.story.installation import Installation
from tests.browser.story.people import Human

VENDOR = "Fernhill Annotation"
LEGAL_NAME = "Fernhill Annotation Ltd"
DOMAIN = "fernhill.example"
SLUG = "fernhill-annotation"
PROJECT = "Preference ranking"


@dataclass(frozen=True)
class Script:
    """What the vendor is asked, and at which answers something happens: one is flagged, one comes back."""

    slug: str
    flagged: str
    asked: str

    @cached_property
    def questionnaire(self) -> Questionnaire:
        """What is asked, to know a strong answer when one is needed."""
        file = HERE / f"questionnaires/{self.slug}/v1.yaml"
        return compile_yaml(file.read_bytes(), file.name)


SHORT = Script("ai-contractor-minimal", flagged="inf.logs.months", asked="wrk.offboard.hours")


@dataclass
class Story:
    """One telling of the story on one installation."""

    gatehouse: Installation
    new_page: Callable[..., Page]
    shots: Path
    script: Script = SHORT
    people: dict[str, Human] = field(default_factory=dict)
    home: str = ""
    token: str = ""
    answered: list[str] = field(default_factory=list)

    def person(self, name: str, domain: str = "orrery.example") -> Human:
        """Return somebody, with a browser that nobody else uses."""
        first = name.split()[0].lower()
        if first not in self.people:
            page = self.new_page()
            page.context.set_default_timeout(20_000)
            self.people[first] = Human(name, f"{first}@{domain}", page, self.shots)
        return self.people[first]

    def url(self, path: str) -> str:
        """Return an address of the installation."""
        return self.gatehouse.url + path

    @property
    def troubles(self) -> list[str]:
        """Everything that went wrong without anybody asking."""
        return [words for each in self.people.values() for words in each.troubles] + self.gatehouse.troubles()
