#!/bin/sh
# Every check that reads the code without running it. All of them run; the first failure is remembered.
set -u
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH
failed=0

check() {
    name=$1
    shift
    if "$@"; then printf 'ok    %s\n' "$name"; else printf 'FAIL  %s\n' "$name"; failed=1; fi
}

check 'ruff check' ruff check --quiet .
check 'ruff format' ruff format --quiet --check .
check 'mypy' mypy --no-error-summary
check 'import contracts' lint-imports --no-logo
check 'bandit' bandit --quiet --recursive --severity-level medium app.py portal
check 'templates' python -m tests.house.template_lint
exit $failed
