#!/bin/sh
# Style, types, import contracts, shell scripts, dialplan.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
$bin/ruff check .
$bin/ruff format --check .
$bin/mypy calls ivr asterisk_conf recordings qa cases metrics storage console service simulation bench
$bin/lint-imports
