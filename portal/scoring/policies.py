"""The scoring policy in force, and what stands against another one among the published questionnaires."""

from __future__ import annotations

from typing import Final

from portal.kernel.ledger import Tx
from portal.questionnaires import queries as questionnaires
from portal.questionnaires import service as versions
from portal.rulebook import service as rulebook
from portal.rulebook.rules import Kind
from portal.scoring import rules
from portal.scoring.rules.written import policy_of, problems_of, written
from portal.scoring.translate import version_of


def in_force(tx: Tx) -> rules.Policy:
    """Return the policy that a score made now is made with."""
    found = rulebook.current(tx, SCORING)
    return policy_of(found.text, found.version)


def against(tx: Tx, text: str) -> list[str]:
    """Return which questionnaires vendors could pass in tier 1 with words alone under this text (P16).

    Only the newest version of each is asked; older ones stay with whoever was asked them.
    """
    policy = policy_of(text, rulebook.current(tx, SCORING).version + 1)
    newest = {line.slug: line for line in reversed(questionnaires.versions(tx))}
    found = []
    for slug in sorted(newest):
        line = newest[slug]
        version = version_of(versions.compiled(tx, line.id), 1)
        before = rules.problems(version, in_force(tx))
        for problem in rules.problems(version, policy):
            if problem in before:
                continue
            if problem.code == "claims_suffice":
                words = rules.display(rules.claims_only(version, policy, 1))
                found.append(
                    f"{line.name}: words without any evidence come to {words} in tier 1, and it considers from "
                    f"{policy.thresholds[0].consider} (P16)"
                )
            else:
                found.append(f"{line.name}: knock-outs would expect no evidence: {', '.join(problem.keys)} (P16)")
    return found


SCORING: Final = Kind(
    name="scoring",
    title="Scoring",
    check=problems_of,
    first=written(rules.POLICY_1),
    about="What answers and evidence are worth, what each tier demands, and for how long evidence counts",
    against=against,
)
