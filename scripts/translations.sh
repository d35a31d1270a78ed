#!/bin/sh
# The catalogues anew from what the sources say: extract, update, compile. Fails while a text waits for its translation.
set -eu
cd "$(dirname "$0")/.."
exec .venv/bin/python -m scripts.translations
