"""What was computed once is not computed again, as long as it is among the last few."""

from __future__ import annotations

from portal.kernel.memo import Memo


def test_a_known_result_is_not_computed_again_and_the_oldest_goes_first() -> None:
    memo: Memo[str] = Memo(2)
    made: list[str] = []

    def ask(name: str) -> str:
        def compute() -> str:
            made.append(name)
            return name.upper()

        return memo.of(name, compute)

    asked = [ask(name) for name in ("a", "b", "a", "c", "a", "b")]

    assert asked == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]
