"""How far a draft is from being published: what does not compile, what the lint says, what nobody decided yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from portal.kernel.errors import Refused
from portal.kernel.ledger import Tx
from portal.kernel.memo import Memo
from portal.questionnaires import queries, versions
from portal.questionnaires.models import QuestionnaireDraft
from portal.questionnaires.queries import SignatureLine, VersionLine
from portal.questionnaires.rules import DefinitionError, Problem, Questionnaire, compile_yaml, diff, lint, meaning
from portal.questionnaires.rules.diff import Change
from portal.questionnaires.rules.meaning import Undecided

FRAMEWORKS: Final = Path(__file__).resolve().parents[2] / "questionnaires" / "frameworks"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a draft says and what stands between it and publication.

    ``problems`` are all of them, each with file, line and column, in the order of the lines; ``to_mend`` are those
    that the pages do not settle by themselves: deciding a change also writes the block “changes”.
    """

    questionnaire: Questionnaire
    previous: VersionLine | None
    before: Questionnaire | None
    changes: tuple[Change, ...]
    undecided: tuple[Undecided, ...]
    problems: tuple[Problem, ...]
    to_mend: tuple[Problem, ...]
    signatures: tuple[SignatureLine, ...]

    @property
    def to_decide(self) -> tuple[Change, ...]:
        """The changes that the author has to say something about."""
        return tuple(change for change in self.changes if change.needs_decision)

    @property
    def lacks_block(self) -> bool:
        """Whether the text does not say yet which version its decisions compare it with."""
        said = self.questionnaire.changes
        return self.previous is not None and (said is None or said.since != self.previous.version)

    @property
    def counting(self) -> tuple[SignatureLine, ...]:
        """The signatures on this very text by people who may still give one."""
        return tuple(line for line in self.signatures if line.counts)

    @property
    def is_ready(self) -> bool:
        """Whether it may be signed."""
        return not self.problems


def readiness(tx: Tx, draft: QuestionnaireDraft) -> Readiness:
    """Return how far a draft is from being published."""
    published = {(line.slug, line.version): versions.compiled(tx, line.id) for line in queries.versions(tx)}
    previous = queries.newest_before(tx, draft.slug, draft.version)
    judged = _judged(compiled_draft(draft), published)
    return Readiness(
        questionnaire=judged.questionnaire,
        previous=previous,
        before=judged.before,
        changes=judged.changes,
        undecided=judged.undecided,
        problems=judged.problems,
        to_mend=judged.to_mend,
        signatures=tuple(queries.signatures(tx, draft.id, draft.digest)),
    )


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the rules say of a text beside the published ones."""

    questionnaire: Questionnaire
    before: Questionnaire | None
    changes: tuple[Change, ...]
    undecided: tuple[Undecided, ...]
    problems: tuple[Problem, ...]
    to_mend: tuple[Problem, ...]


Published = Mapping[tuple[str, int], Questionnaire]
_judgements: Memo[_Judged] = Memo(16)


def _judged(questionnaire: Questionnaire, published: Published) -> _Judged:
    """Judge a text, or take what was judged: the fingerprints name all of what it depends on.

    A page of a draft reads it, a decision on it reads it twice; the last few are kept in the process.
    """
    name = (questionnaire.digest, *sorted(each.digest for each in published.values()))
    return _judgements.of(name, lambda: _judge(questionnaire, published))


def _judge(questionnaire: Questionnaire, published: Published) -> _Judged:
    mine = {number: each for (slug, number), each in published.items() if slug == questionnaire.slug}
    earlier = [mine[number] for number in sorted(mine) if number < questionnaire.version]
    before = earlier[-1] if earlier else None
    undecided = meaning.undecided(before, questionnaire) if before else ()
    mend = [
        *lint(questionnaire, known_ids()),
        *_version_problems(questionnaire, max(mine, default=0)),
        *meaning.elsewhere(questionnaire, published.values()),
    ]
    said = meaning.problems(before, questionnaire, earlier) if before else []
    whys = tuple(each.why for each in undecided)
    mend += [each for each in said if not each.message.endswith(whys) and "“changes”" not in each.message]
    return _Judged(
        questionnaire=questionnaire,
        before=before,
        changes=diff.diff(before, questionnaire) if before else (),
        undecided=undecided,
        problems=tuple(sorted({*mend, *said})),
        to_mend=tuple(sorted(mend)),
    )


def compiled_draft(draft: QuestionnaireDraft) -> Questionnaire:
    """Return a draft, compiled.

    :raises Refused: if it does not compile, which no stored draft does unless the language changed since.
    """
    return compile_source(bytes(draft.source), f"{draft.slug}/v{draft.version}.yaml")


@lru_cache(maxsize=8)
def compile_source(source: bytes, name: str) -> Questionnaire:
    """Return the questionnaire of these bytes; the last few are kept, for a page asks more than once.

    :raises Refused: if it does not compile; ``problems["source"]`` has every place.
    """
    try:
        return compile_yaml(source, name)
    except DefinitionError as failure:
        raise Refused(problems={"source": [str(problem) for problem in failure.problems]}) from failure


@cache
def known_ids() -> dict[str, frozenset[str]]:
    """Return the identifiers that the shipped frameworks know, read once a process."""
    return versions.framework_ids(FRAMEWORKS)


def _version_problems(questionnaire: Questionnaire, newest: int) -> list[Problem]:
    """Refuse a number that is published already, or that lies before one."""
    if questionnaire.version > newest:
        return []
    line, column = questionnaire.positions.get("version", (1, 1))
    words = f"{questionnaire.slug} v{newest} is published. A published version never changes: put your change into v"
    return [Problem(questionnaire.source, line, column, f"{words}{newest + 1}")]
