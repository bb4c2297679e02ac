#!/usr/bin/env bash
# Builds the native libraries and the artifacts, tests them, and installs them in Maven's local repository.
#
#   build.sh [--host FILE] [--jni FOLDER] [--stand-in FILE] [ARGUMENT OF MAVEN...]
#
# --host FILE       a library for this machine, instead of a release build
# --jni FOLDER      libraries for Android, <abi>/libmls_mobile.so for any set of ABIs, instead of builds by cargo-ndk,
#                   which needs the NDK
# --stand-in FILE   a library for this machine, and in the place of all for Android: makes an archive that has the right
#                   shape and that no phone can load, for tests
#
# All but a stand-in get a jar with the documentation too. scripts/check-library.sh must find nothing wrong with what is packed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

host='' jni='' stand_in=''
while [ $# -gt 0 ]; do
    case $1 in
        --host) host=$(realpath "$2"); shift 2 ;;
        --jni) jni=$(realpath "$2"); shift 2 ;;
        --stand-in) stand_in=$(realpath "$2"); shift 2 ;;
        *) break ;;
    esac
done

libraries=$here/target
rm -rf "$libraries/host" "$libraries/jni" "$libraries/stand-in"
if [ -n "$stand_in" ]; then
    host=$stand_in jni=$libraries/stand-in
    for abi in arm64-v8a armeabi-v7a x86_64; do
        mkdir -p "$jni/$abi"
        cp "$stand_in" "$jni/$abi/libmls_mobile.so"
    done
fi
if [ -z "$host" ]; then
    (cd "$root" && cargo build --release --locked --lib)
    host=$(ls "$target"/release/libmls_mobile.{so,dylib} 2> /dev/null | head -n 1)
fi
if [ -z "$jni" ]; then
    jni=$target/jni
    (cd "$root" && cargo ndk --platform 26 -t arm64-v8a -t armeabi-v7a -t x86_64 -o "$jni" build --release --locked --lib)
fi

# A platform's folder is named as JNA does.
case $(uname -sm) in
    'Linux x86_64') platform=linux-x86-64 ;;
    'Linux aarch64') platform=linux-aarch64 ;;
    'Darwin x86_64') platform=darwin-x86-64 ;;
    'Darwin arm64') platform=darwin-aarch64 ;;
    *) echo "build.sh: unknown platform $(uname -sm)" >&2; exit 1 ;;
esac
# Desktops have pages of their own size. What Darwin's tools say is another story, which the Swift package tells.
case $host in *.so) "$root/scripts/check-library.sh" --symbols "$host" ;; esac
if [ -z "$stand_in" ]; then
    find "$jni" -name '*.so' -exec "$root/scripts/check-library.sh" {} +
else
    echo "build.sh: the archive gets this machine's library in the place of Android's: it is for tests only"
fi
mkdir -p "$libraries/host/$platform"
cp "$host" "$libraries/host/$platform/"
cp -R "$jni" "$libraries/jni"
# The compiler leaves classes of calls that are gone, and they would be packed.
rm -rf "$here"/{ffi,jvm,aar,delivery}/target/{classes,test-classes,aar}

if [ -z "$stand_in" ]; then set -- -Dmls.documentation=yes "$@"; fi
mvn -f "$here/pom.xml" --batch-mode --no-transfer-progress install \
    -Dmls.library.folder="$libraries/host/$platform" "$@"
