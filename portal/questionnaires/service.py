"""What others may ask of questionnaires: versions and compiled ones, drafts and their publication by two people."""

from __future__ import annotations

from portal.questionnaires.versions import (
    LOCK_FILE,
    changed,
    compiled,
    file_of,
    framework_ids,
    get,
    latest,
    list_versions,
    load_locked,
    locked,
    locked_source,
    publish,
    source_of,
)

__all__ = [
    "LOCK_FILE",
    "changed",
    "compiled",
    "file_of",
    "framework_ids",
    "get",
    "latest",
    "list_versions",
    "load_locked",
    "locked",
    "locked_source",
    "publish",
    "source_of",
]
