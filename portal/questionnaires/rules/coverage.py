"""Which controls of other catalogues the questions of some questionnaires speak to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portal.questionnaires.rules.definition import Framework, Questionnaire


@dataclass(frozen=True, slots=True)
class Coverage:
    """One framework version: its identifiers with the questions that are mapped to them, and those without any."""

    framework: Framework
    mapped: Mapping[str, tuple[str, ...]]
    known: frozenset[str]

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The known identifiers that no question is mapped to."""
        return tuple(sorted(self.known - self.mapped.keys(), key=_counted))


def coverage(versions: Iterable[Questionnaire], known: Mapping[str, frozenset[str]]) -> tuple[Coverage, ...]:
    """Return what is mapped, by framework version; a question is named with its questionnaire.

    :param known: the identifiers of each framework version by its name, such as `csf-2.0`.
    """
    frameworks: dict[str, Framework] = {}
    found: dict[str, dict[str, list[str]]] = {}
    for version in versions:
        for framework in version.frameworks.values():
            frameworks.setdefault(framework.id_list, framework)
            found.setdefault(framework.id_list, {})
        for question in version.questions:
            for name, control in question.maps.items():
                where = found[version.frameworks[name].id_list].setdefault(control, [])
                where.append(f"{version.slug}:{version.version}/{question.key}")
    return tuple(
        Coverage(
            framework=frameworks[name],
            mapped={control: tuple(found[name][control]) for control in sorted(found[name], key=_counted)},
            known=known.get(name, frozenset()),
        )
        for name in sorted(frameworks)
    )


def _counted(control: str) -> list[tuple[int, str]]:
    """Order identifiers as people count: A.5.9 before A.5.10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"([0-9]+)", control)]
