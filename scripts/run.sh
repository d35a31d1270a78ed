#!/bin/sh
# Make the environment if need be, then run Gatehouse.
# In development it comes with the demo; GATEHOUSE_DEMO=0 leaves that out.
set -eu
cd "$(dirname "$0")/.."
sh scripts/environment.sh run
if [ "${GATEHOUSE_ENV:-development}" = development ]; then
    GATEHOUSE_DEMO=${GATEHOUSE_DEMO:-1}
    export GATEHOUSE_DEMO
fi
# The supervisor stops when make is gone, even if make was killed.
GATEHOUSE_STOP_WITH_PARENT=1
export GATEHOUSE_STOP_WITH_PARENT
exec .venv/bin/python app.py serve
