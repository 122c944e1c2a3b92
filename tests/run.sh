#!/bin/sh
# Every test: units, contracts on real servers, pages in a real browser, real calls through a real Asterisk.
# The workers mostly wait (for rings), so there are more of them than cores.
set -eu
cd "$(dirname "$0")/.."
mkdir -p var
exec .venv/bin/python -m pytest -n "${WORKERS:-4}" --dist worksteal --basetemp var/pytest -p no:cacheprovider "$@"
