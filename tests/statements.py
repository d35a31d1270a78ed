"""SQL that one test had put together serves the next: engines of one process share a dialect and a cache."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

_cache: dict[Any, Any] = {}
_dialects: list[sa.Dialect] = []


def share(engine: sa.Engine) -> None:
    """Let a new engine use what the others compiled. Their databases are copies of one template on one server."""
    known = next((each for each in _dialects if getattr(each, "server_version_info", None)), None)
    if known is None:
        _dialects.append(engine.dialect)
    else:
        engine.dialect = known
    engine.update_execution_options(compiled_cache=_cache)
