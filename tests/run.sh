#!/bin/sh
# Every test, in two parts. First units, contracts on real servers, pages in a real browser, prompts heard back; then,
# with the machine to itself, real calls through a real Asterisk: those mostly wait (for rings), so there are more
# workers than cores. With arguments: only what they name.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p var
run() { .venv/bin/python -m pytest --dist worksteal --basetemp var/pytest -p no:cacheprovider "$@"; }
if [ $# -gt 0 ]; then run -n "${WORKERS:-2}" "$@"; exit; fi
run -n "${WORKERS:-4}" tests/unit tests/contract tests/integration
first=$?
run -n "${WORKERS:-3}" tests/e2e
second=$?
[ $first -eq 0 ] || echo "the first part (units, contracts, pages, prompts) failed: see above"
exit $((first | second))
