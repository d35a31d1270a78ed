"""The small questionnaire, compiled and as text."""

import pytest

from portal.questionnaires.rules import Questionnaire
from tests.rules.questionnaires.samples import SAMPLE, small


@pytest.fixture
def sample() -> Questionnaire:
    return small()


@pytest.fixture
def sample_text() -> str:
    return SAMPLE
