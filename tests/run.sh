#!/bin/sh
# Every test, in two parts at once. Real calls through a real Asterisk mostly wait (for rings), but must not be kept
# waiting; everything else (units, contracts on real servers, pages in a real browser, prompts heard back) takes what
# they leave of the processors: it runs behind, by nice. Each in a session of its own, since Linux may share the
# processors out by session first. With arguments: only what they name.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p var
run() { .venv/bin/python -m pytest --dist worksteal -p no:cacheprovider "$@"; }
if [ $# -gt 0 ]; then run --basetemp var/pytest -n "${WORKERS:-2}" "$@"; exit; fi
setsid sh -c '(echo 19 > /proc/self/autogroup) 2> /dev/null
    exec nice -n 19 .venv/bin/python -m pytest --dist worksteal -p no:cacheprovider --basetemp var/pytest-first \
        -n "${WORKERS:-4}" tests/integration tests/contract tests/unit' &
first=$!
setsid sh -c '(echo -10 > /proc/self/autogroup) 2> /dev/null
    exec .venv/bin/python -m pytest --dist worksteal -p no:cacheprovider --basetemp var/pytest-calls \
        -n "${WORKERS:-3}" tests/e2e' > var/calls.log 2>&1 &
second=$!
trap 'kill $first $second 2> /dev/null' INT TERM
wait $second
second=$?
wait $first
first=$?
cat var/calls.log
[ $first -eq 0 ] || echo "the first part (units, contracts, pages, prompts) failed: see above"
exit $((first | second))
