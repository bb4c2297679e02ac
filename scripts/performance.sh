#!/usr/bin/env bash
# Measures, and writes the tables and plots of docs/performance.md.
#
#   scripts/performance.sh            everything; takes half an hour
#   scripts/performance.sh report     only writes what earlier runs have left in target/compare/results.tsv
#
# What follows other than "report" goes to the bench: scripts/performance.sh 32 1000 --only decrypt,encrypt
set -euo pipefail
cd "$(dirname "$0")/.."

bench() { cargo bench --quiet --bench compare -- "$@"; }

case ${1:-} in
    '') bench --growth --large ;;
    report) ;;
    *) bench "$@" ;;
esac
bench report
