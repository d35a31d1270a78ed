"""Keys are permanent: notices one that was renamed, or that comes back with another meaning."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Final

from portal.questionnaires.rules.definition import Question, Questionnaire
from portal.questionnaires.rules.wording import said

ALIKE: Final = 0.85
"""Two texts whose words are alike to this ratio are taken for one question under two keys."""

MOST_WORDS: Final = 200
MOST_PAIRS: Final = 10_000
"""So many removed and added questions are compared; where there are more, it is another questionnaire."""

Finding = tuple[tuple[str, ...], str]


def lost_keys(old: Questionnaire, new: Questionnaire, earlier: Iterable[Questionnaire] = ()) -> Iterator[Finding]:
    """Yield every key that looks renamed or used again for something else: places to point at, and words."""
    yield from _renamed_questions(old, new)
    for question in new.questions:
        if question.key in old:
            yield from _renamed_options(old.question(question.key), question)
    yield from _used_again(old, new, tuple(earlier))


def _renamed_questions(old: Questionnaire, new: Questionnaire) -> Iterator[Finding]:
    gone = [(question, said(question.text)) for question in old.questions if question.key not in new]
    if len(gone) * sum(question.key not in old for question in new.questions) > MOST_PAIRS:
        return
    notes = {each.key: each.note for each in new.changes.decisions if each.part == "removed"} if new.changes else {}
    for question in new.questions:
        if question.key in old:
            continue
        text = said(question.text)
        for twin, other in gone:
            # The author who names the successor has seen it, and says that the claim is another one.
            if question.key not in notes.get(twin.key, "") and _are_alike(text, other):
                yield (
                    (question.key,),
                    f"“{question.key}” looks like the removed “{twin.key}” renamed: keys are permanent. Keep the key, "
                    f"or name “{question.key}” in the note on the removal if it asks something else",
                )
                break


def _renamed_options(old: Question, new: Question) -> Iterator[Finding]:
    gone = {" ".join(said(option.label)): option.key for option in old.options if new.option(option.key) is None}
    for option in new.options:
        twin = gone.get(" ".join(said(option.label)))
        if twin is not None and old.option(option.key) is None:
            yield (
                (f"{new.key}/options", new.key),
                f"The option “{option.key}” looks like the removed “{twin}” renamed: keys are permanent. Keep the key",
            )


def _used_again(old: Questionnaire, new: Questionnaire, earlier: tuple[Questionnaire, ...]) -> Iterator[Finding]:
    for question in new.questions:
        before = [each.question(question.key) for each in earlier if question.key in each]
        if not before:
            continue
        latest = max(each.revision for each in before)
        if question.key not in old and question.revision <= latest:
            yield (
                (f"{question.key}/revision", question.key),
                f"“{question.key}” was asked before v{old.version} and given up: use another key, or a revision above "
                f"{latest}, so that no old answer is taken for one to this question",
            )
        yield from _options_used_again(old, question, [each for each in before if each.revision >= question.revision])


def _options_used_again(old: Questionnaire, question: Question, before: Iterable[Question]) -> Iterator[Finding]:
    for option in question.options:
        if question.key in old and old.question(question.key).option(option.key) is not None:
            continue
        labels = [found.label for each in before if (found := each.option(option.key)) is not None]
        if labels and said(labels[-1]) != said(option.label):
            yield (
                (f"{question.key}/options", question.key),
                f"The option key “{option.key}” meant “{labels[-1]}” before: use another key, or a higher revision",
            )


def _are_alike(one: list[str], other: list[str]) -> bool:
    """Compare word by word; the cheap bounds come first, and texts beyond any lint's length must be equal."""
    if one == other or max(len(one), len(other)) > MOST_WORDS:
        return one == other
    if 2 * min(len(one), len(other)) < ALIKE * (len(one) + len(other)):
        return False
    matcher = difflib.SequenceMatcher(None, one, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
