#!/bin/sh
# Make the project's environment from the hashed pins, or leave it alone when nothing changed.
#
#   environment.sh run   what Gatehouse needs to run
#   environment.sh dev   that, and what the tests and checks need
set -eu
cd "$(dirname "$0")/.."
kind=${1:-run}

refuse() { printf '%s\n' "$*" >&2; exit 1; }

# A stamp says what the environment was made from: the pins, and where it lies (its scripts carry the path).
stamp=.venv/.made-from
run_pins="run $(cat requirements-uv.txt requirements.txt | cksum) $PWD"
dev_pins="dev $(cat requirements-uv.txt requirements.txt requirements-dev.txt | cksum) $PWD"
is_made() {
    made_from=$(cat "$stamp" 2>/dev/null || true)
    [ -x .venv/bin/python ] || return 1
    [ "$made_from" = "$dev_pins" ] || { [ "$kind" = run ] && [ "$made_from" = "$run_pins" ]; }
}
is_made && exit 0

recent_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

python=
for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
    if recent_enough "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    found=$("${PYTHON:-python3}" -V 2>/dev/null || echo 'no Python')
    refuse "Gatehouse needs Python 3.11 or newer and found $found: install one, or name it: make run PYTHON=/path/to/python3.11"
fi
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
    refuse "$("$python" -V) cannot make environments: install its venv package (on Debian and Ubuntu: apt install python3-venv)"
[ -w . ] || refuse "$PWD may not be written by this user: give it the rights, or work in a copy of your own"

# Two that start at once take turns; the second then finds it made. A holder that died holds nothing.
lock=.venv.lock
until mkdir "$lock" 2>/dev/null; do
    holder=$(cat "$lock/pid" 2>/dev/null || true)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then rm -rf "$lock"; else sleep 1; fi
done
trap 'rm -rf "$lock"' EXIT
trap 'exit 130' INT TERM HUP
echo $$ >"$lock/pid"
is_made && exit 0

# An environment for another place or another Python cannot be mended, so it is made anew.
if [ ! -x .venv/bin/python ] || ! recent_enough .venv/bin/python || [ "${made_from##* }" != "${PWD##* }" ]; then
    echo "Making the environment in .venv"
    rm -rf .venv
    "$python" -m venv .venv || refuse "The environment could not be made in $PWD/.venv: is the disk full?"
fi
rm -f "$stamp"

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
fetched() { refuse "The packages could not be installed (the reason is above): check the network, the proxy and the room on the disk, then run this again"; }
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$(sed -n 's/^uv==\([0-9.]*\).*/\1/p' requirements-uv.txt)" ]; then
    .venv/bin/python -m pip install --quiet --require-hashes -r requirements-uv.txt || fetched
fi
set -- requirements.txt
[ "$kind" = run ] || set -- requirements.txt requirements-dev.txt
echo "Installing the packages of $*"
.venv/bin/uv pip sync --quiet --no-progress --python .venv/bin/python --require-hashes "$@" || fetched
if [ "$kind" = run ]; then echo "$run_pins" >"$stamp"; else echo "$dev_pins" >"$stamp"; fi
