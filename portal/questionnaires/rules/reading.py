"""How easily a text reads: words in a sentence, and Flesch's reading ease (R. Flesch, 1948). Exact and small."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

# ux.md, U17.
MAX_SENTENCE: Final = 16
MIN_EASE: Final = 55
# Beyond this a single sentence is read twice, whatever the others are like.
MAX_LONGEST: Final = 30

# Flesch's weights for English: 206.835 − 1.015 × words a sentence − 84.6 × syllables a word.
_START, _PER_SENTENCE, _PER_WORD = Fraction(206_835, 1_000), Fraction(1_015, 1_000), Fraction(846, 10)
# A mark ends a sentence if a space or the end follows, so that 2.5 and gov.owner stay whole.
_ENDS: Final = re.compile(r"[.!?;:](?=\s|$)|\n")
_WORD: Final = re.compile(r"[A-Za-zÀ-ž]+(?:['’][A-Za-z]+)?|[0-9]+(?:[.,:][0-9]+)*")
_VOWELS: Final = re.compile(r"[aeiouyà-öø-ž]+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text is made of; ``longest`` is the number of words of its longest sentence."""

    sentences: int
    words: int
    syllables: int
    longest: int = 0

    @property
    def sentence_length(self) -> Fraction:
        """Words in a sentence, on average."""
        return Fraction(self.words, self.sentences) if self.sentences else Fraction(0)

    @property
    def ease(self) -> Fraction:
        """Flesch's reading ease: 100 is easy, 0 is hard. A text without words is as easy as can be."""
        if not self.words:
            return Fraction(100)
        return _START - _PER_SENTENCE * self.sentence_length - _PER_WORD * Fraction(self.syllables, self.words)


def reading_of(texts: Iterable[str]) -> Reading:
    """Count the sentences, words and syllables of texts that are read one after the other.

    A colon or a semicolon ends a sentence: what follows is understood on its own.
    """
    sentences = words = count = longest = 0
    for text in texts:
        for sentence in _ENDS.split(text):
            found = _WORD.findall(sentence)
            sentences += bool(found)
            words += len(found)
            longest = max(longest, len(found))
            count += sum(syllables(word) for word in found)
    return Reading(sentences, words, count, longest)


def syllables(word: str) -> int:
    """Return how many syllables a word has, by its groups of vowels; a number or a short name in capitals counts one.

    A last e is silent, except after l with a consonant before it (“table”), and so is the e of a last -ed, except
    after t or d, and of a last -es, except after a hiss.
    """
    if not word.isalpha() and word[0].isdigit():
        return 1
    if word.isupper() and len(word) <= 5:
        return 1
    plain = word.lower().replace("’", "'").split("'")[0]
    groups = len(_VOWELS.findall(plain))
    if len(plain) > 2 and _is_silent(plain):
        groups -= 1
    return max(1, groups)


def _is_silent(word: str) -> bool:
    """Whether the last e of a word is not spoken."""
    if word.endswith("e"):
        return word[-2] not in "aeiouy" and not (word.endswith("le") and word[-3] not in "aeiouy")
    if word.endswith("ed"):
        return word[-3] not in "aeiouytd"
    return word.endswith("es") and word[-3] not in "aeiouysxzcg" and not word.endswith(("ches", "shes"))
