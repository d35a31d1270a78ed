"""The definition of the score in plain fractions, written to be read; the compiled plan must agree with it
exactly.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from portal.scoring.rules.reading import Mark, marks
from portal.scoring.rules.result import DomainScore, Loss, Measures, Score
from portal.scoring.rules.values import Domain, Evidence, Inputs, State
from portal.scoring.rules.verdict import conclude


def score(inputs: Inputs) -> Score:
    """Return the score of these inputs. Total: whatever the inputs, there is a result."""
    return conclude(inputs, measure(inputs))


def measure(inputs: Inputs) -> Measures:
    """Add up the three lenses, domains, losses and knock-outs.

    Without any counted question there is nothing to average: the lenses are 0 and no domain or loss is
    listed.
    """
    every = marks(inputs)
    counted = tuple(mark for mark in every if mark.counts)
    domains = tuple(_domain(domain, mine) for domain in inputs.version.domains if (mine := _of(domain, counted)))
    total = sum(domain.weight for domain in domains)
    knock_outs = tuple(mark for mark in counted if mark.limit is not None)
    passed = tuple(mark for mark in knock_outs if not _failed(mark) and not _open(mark))
    return Measures(
        claim=_mean((domain.weight, domain.claim) for domain in domains),
        score=_mean((domain.weight, domain.score) for domain in domains),
        verified=_mean((domain.weight, domain.verified) for domain in domains),
        domains=domains,
        losses=_losses(inputs, counted, total),
        counted=len(counted),
        blank=_keys(mark for mark in counted if mark.state is State.BLANK),
        na_claimed=_keys(mark for mark in counted if mark.state is State.NA_CLAIMED),
        failed=_keys(mark for mark in knock_outs if _failed(mark)),
        open=_keys(mark for mark in knock_outs if _open(mark)),
        unproven=_keys(m for m in passed if m.level == 2 and m.evidence is not Evidence.VERIFIED),
        unsupported=_keys(m for m in passed if m.evidence in (Evidence.NONE, Evidence.EXPIRED)),
    )


def _domain(domain: Domain, mine: tuple[Mark, ...]) -> DomainScore:
    verified = [(m.question.weight, Fraction(m.credit if m.evidence is Evidence.VERIFIED else 0)) for m in mine]
    return DomainScore(
        key=domain.key,
        weight=domain.weight,
        claim=_mean((m.question.weight, Fraction(m.credit)) for m in mine),
        score=_mean((m.question.weight, m.score) for m in mine),
        verified=_mean(verified),
    )


def _losses(inputs: Inputs, counted: tuple[Mark, ...], total: int) -> tuple[Loss, ...]:
    losses: list[Loss] = []
    for domain in inputs.version.domains:
        mine = _of(domain, counted)
        weights = sum(mark.question.weight for mark in mine)
        for mark in mine:
            share = Fraction(domain.weight, total) * Fraction(mark.question.weight, weights)
            if loss := share * (100 - mark.score):
                losses.append(Loss(mark.question.key, domain.key, loss.numerator, loss.denominator))
    return tuple(sorted(losses, key=lambda loss: (-loss.value, loss.key)))


def _failed(mark: Mark) -> bool:
    if mark.state is State.ZERO:
        return True
    return mark.state is State.OK and mark.limit is not None and mark.credit <= mark.limit


def _open(mark: Mark) -> bool:
    return mark.state in (State.BLANK, State.NA_CLAIMED)


def _of(domain: Domain, counted: tuple[Mark, ...]) -> tuple[Mark, ...]:
    return tuple(mark for mark in counted if mark.question.domain == domain.key)


def _keys(chosen: Iterable[Mark]) -> tuple[str, ...]:
    return tuple(mark.question.key for mark in chosen)


def _mean(weighted: Iterable[tuple[int, Fraction]]) -> Fraction:
    pairs = list(weighted)
    weights = sum(weight for weight, _ in pairs)
    return sum((weight * value for weight, value in pairs), Fraction()) / weights if weights else Fraction()
