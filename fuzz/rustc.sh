#!/usr/bin/env bash
# The compiler of the fuzz targets (RUSTC_WRAPPER): counters and assertions only where input is read and judged. In
# curves, ciphers and the database's engine they would take most of the time and tell the fuzzer nothing.
set -euo pipefail

judges=' mls_mobile mls_mobile_fuzz openmls openmls_libcrux_crypto openmls_traits tls_codec rmp rmp_serde webpki untrusted '

name= target= binary=
arguments=("$@")
for ((i = 0; i < $#; i++)); do
    case ${arguments[i]} in
        --crate-name) name=${arguments[i + 1]} ;;
        --crate-type) [ "${arguments[i + 1]}" != bin ] || binary=1 ;;
        --target) target=1 ;;
    esac
done

# Build scripts and macros have no flags of the fuzzer; a target's own file may keep them.
if [ -z "$target" ] || [ -n "$binary" ]; then
    exec "$@"
fi
if [[ $judges == *" $name "* ]]; then
    exec "$@" -Coverflow-checks
fi
kept=()
for argument in "$@"; do
    case $argument in
        -Cpasses=sancov-module | -Cllvm-args=-sanitizer-coverage-* | -Cllvm-args=-simplifycfg-branch-fold-threshold=0 | -Cdebug-assertions) ;;
        *) kept+=("$argument") ;;
    esac
done
# These instructions are as good as the ones that ship, and quicker.
exec "${kept[@]}" -Ctarget-cpu=native
