"""Logs: constant sentences with fields, one JSON object a line in production, readable in development."""

from __future__ import annotations

import logging
import sys

import structlog

_processors: list[structlog.typing.Processor] = []


def configure(*, json_lines: bool) -> None:
    """Set up logging for this process. Secrets never reach it: only ids and codes are logged."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    )
    # The same list each time: loggers already in use keep the list they began with, and so follow.
    _processors[:] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        renderer,
    ]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return the logger of one module."""
    return structlog.get_logger(name)  # type: ignore[no-any-return]
