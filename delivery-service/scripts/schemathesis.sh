#!/usr/bin/env bash
# Installs schemathesis from PyPI below target/, and prints where it is, for the test that checks the running service against its
# OpenAPI document: SCHEMATHESIS=$(scripts/schemathesis.sh) cargo test --test openapi
set -euo pipefail
cd "$(dirname "$0")/.."

environment=$PWD/target/schemathesis
# An environment names the folder that it was made in, and does not run in another.
if ! "$environment/bin/schemathesis" --version > /dev/null 2>&1; then
    rm -rf "$environment"
    python3 -m venv "$environment" >&2
    "$environment/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.*' >&2
fi
echo "$environment/bin/schemathesis"
