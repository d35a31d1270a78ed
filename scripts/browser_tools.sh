#!/bin/sh
# Fetch what the browser tests need (pinned in package-lock.json), or leave it alone when nothing changed.
set -eu
cd "$(dirname "$0")/.."
[ -f package-lock.json ] || exit 0

stamp=node_modules/.made-from
pins=$(cat package.json package-lock.json | cksum)
[ "$(cat "$stamp" 2>/dev/null || true)" = "$pins" ] && exit 0

# The npm of the pinned packages first, so that every machine uses the same one.
npm=.venv/bin/npm
"$npm" --version >/dev/null 2>&1 || npm=npm
command -v "$npm" >/dev/null || { echo "npm is missing: run make test, which brings its own" >&2; exit 1; }
echo "Fetching the browser tools"
"$npm" ci --silent --no-audit --no-fund --ignore-scripts ||
    { echo "The browser tools could not be fetched: check the network and the proxy, then run this again" >&2; exit 1; }
echo "$pins" >"$stamp"
