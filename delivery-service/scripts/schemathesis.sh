#!/usr/bin/env bash
# Checks the running service against its OpenAPI document with schemathesis, which it installs from PyPI below target/.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=target/schemathesis
if [ ! -x $environment/bin/schemathesis ]; then
    python3 -m venv $environment
    $environment/bin/pip install --quiet --disable-pip-version-check 'schemathesis==4.*'
fi
SCHEMATHESIS=$PWD/$environment/bin/schemathesis cargo test --locked --test openapi -- --nocapture "$@"
