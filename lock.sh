#!/bin/sh
# Renews the lock files from pyproject.toml: every package with its version and hashes, no address of a registry.
set -eu
cd "$(dirname "$0")"
compile() { # compile FILE OPTIONS...
  out=$1; shift
  .venv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
    --no-annotate --no-emit-index-url --upgrade --quiet "$@" -o "$out"
}
compile requirements.lock --extra build
compile requirements-dev.lock --extra build --extra dev --constraint requirements.lock
.venv/bin/uv pip compile console/npm/npm.in --universal --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --upgrade --quiet -o console/npm/npm.lock
