"""The refusals everybody may raise; each has one home on the web (sites/shared/errors.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portal.kernel.words import together


class GatehouseError(Exception):
    """A refusal with words for the person who caused it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotFound(GatehouseError):
    """There is no such thing, or it is not yours to know of: the two are never told apart (404)."""


class Forbidden(GatehouseError):
    """You may know of it, but not do this (403)."""


class StepUpRequired(GatehouseError):
    """The act needs a factor given moments ago (403 with a challenge)."""


class Conflict(GatehouseError):
    """It is not the moment, or somebody was faster (409). ``current`` says how things stand now."""

    def __init__(self, message: str, *, current: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.current = dict(current or {})


class Refused(GatehouseError):
    """What was sent cannot be taken (422). ``problems`` maps a field to its sentences."""

    def __init__(self, message: str = "", *, problems: Mapping[str, Sequence[str]] | None = None) -> None:
        self.problems = {field: list(texts) for field, texts in (problems or {}).items()}
        super().__init__(message or together(text for texts in self.problems.values() for text in texts))


class TooMany(GatehouseError):
    """Too many tries (429). ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(GatehouseError):
    """A part that we stand on is away; nothing was changed (503). ``retry_after`` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after
