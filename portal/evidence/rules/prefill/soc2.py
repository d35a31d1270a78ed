"""What the text of a SOC 2 report proposes. Pure.

Beside the fields of the kind: ``carved_out`` (names, with "; "), ``description_entity``, and, as often as found,
``subservice`` ("name (method)"), ``exception`` ("criterion: text") and ``cuec``.
"""

from __future__ import annotations

from collections.abc import Sequence

from portal.evidence.rules.prefill.sections import parts_of
from portal.evidence.rules.prefill.soc2_contents import read_cuecs, read_exceptions, read_frame, read_subservices
from portal.evidence.rules.prefill.soc2_opinion import read_opinion
from portal.evidence.rules.prefill.soc2_parties import read_categories, read_entity, read_signature, read_system
from portal.evidence.rules.prefill.soc2_period import read_period
from portal.evidence.rules.prefill.text import text_of
from portal.evidence.rules.prefill.values import Confidence, Proposal


def read_soc2(pages: Sequence[str]) -> tuple[Proposal, ...]:
    """Return the proposals of a report; what its parts contradict each other in is left out or said to be unsure."""
    parts = parts_of(text_of(pages))
    found = [*read_period(parts), *read_opinion(parts), *read_signature(parts)]
    firm = next((str(each.value) for each in found if each.field == "auditor"), "")
    subservices = list(read_subservices(parts, {firm}))
    others = [str(each.value).rpartition(" (")[0] for each in subservices if each.field == "subservice"]
    entity = list(read_entity(parts, firm, others))
    found += entity
    name = str(entity[0].value) if entity else ""
    subservices = list(read_subservices(parts, {firm, *(str(each.value) for each in entity)}))
    found += [*read_system(parts, name), *read_categories(parts), *read_exceptions(parts), *subservices]
    found += [*read_frame(parts), *read_cuecs(parts)]
    return tuple(_checked(found))


def _checked(found: Sequence[Proposal]) -> list[Proposal]:
    """Leave out a day of the opinion that its report cannot have been signed on."""
    ends = [str(each.value) for each in found if each.field in {"period_end", "as_of"}]
    return [
        each
        for each in found
        if each.field != "opinion_on"
        or each.confidence is Confidence.HIGH
        or all(str(each.value) >= end for end in ends)
    ]
