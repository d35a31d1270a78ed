"""The tables of all rooms, so that foreign keys between rooms resolve. Imported by wiring and migrations only."""

from types import ModuleType

from portal.assessments import models as assessments
from portal.attestations import models as attestations
from portal.audit import models as audit
from portal.delivery import models as delivery
from portal.evidence import models as evidence
from portal.exchange import models as exchange
from portal.findings import models as findings
from portal.gate import models as gate
from portal.identity import models as identity
from portal.kernel.database import Base
from portal.questionnaires import models as questionnaires
from portal.reviews import models as reviews
from portal.rulebook import models as rulebook
from portal.scoring import models as scoring
from portal.vendors import models as vendors

ROOMS: tuple[ModuleType, ...] = (
    audit,
    delivery,
    identity,
    vendors,
    rulebook,
    questionnaires,
    evidence,
    assessments,
    attestations,
    exchange,
    findings,
    scoring,
    reviews,
    gate,
)
ALL_MODELS = tuple(Base.metadata.tables)
