"""What others may ask of questionnaires: versions and compiled ones, drafts and their publication by two people."""

from __future__ import annotations

from portal.questionnaires.drafts import (
    accept_proposals,
    create_draft,
    decide_change,
    discard_draft,
    draft_from,
    edit_draft,
    get_draft,
    presentation,
    sign_draft,
)
from portal.questionnaires.models import QuestionnaireDraft as Draft
from portal.questionnaires.readiness import Readiness, compiled_draft, readiness
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
    named,
    publish,
    source_of,
)

__all__ = [
    "LOCK_FILE",
    "Draft",
    "Readiness",
    "accept_proposals",
    "changed",
    "compiled",
    "compiled_draft",
    "create_draft",
    "decide_change",
    "discard_draft",
    "draft_from",
    "edit_draft",
    "file_of",
    "framework_ids",
    "get",
    "get_draft",
    "latest",
    "list_versions",
    "load_locked",
    "locked",
    "locked_source",
    "named",
    "presentation",
    "publish",
    "readiness",
    "sign_draft",
    "source_of",
]
