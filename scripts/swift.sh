#!/usr/bin/env bash
# Runs a command with a Swift 6 toolchain and the library that cargo has built: scripts/swift.sh swift test
#
# Where there is Swift 6, it is used. Elsewhere, on Debian and Ubuntu with root, Debian 13 is set up once in the cache
# folder (2.7 GB, four minutes), and the command runs in it, with the project, /tmp and the working directory where they
# are outside.
#
#   MLS_MOBILE_LIBRARY_DIR   where libmls_mobile is; default target/debug
#   MLS_MOBILE_SWIFT_ROOT    where Debian 13 is put; default $XDG_CACHE_HOME/mls-mobile/swift-trixie
set -euo pipefail

[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }

project=$(cd "$(dirname "$0")/.." && pwd)
library=${MLS_MOBILE_LIBRARY_DIR:-${CARGO_TARGET_DIR:-$project/target}/debug}
case $library in /*) ;; *) library=$PWD/$library ;; esac
root=${MLS_MOBILE_SWIFT_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/mls-mobile/swift-trixie}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" > /dev/null
}

# Appears under its name only when it is whole, so that an attempt that was interrupted is made again.
set_up() {
    command -v apt-get > /dev/null || { echo "swift.sh: please install Swift 6 (https://swift.org/install)" >&2; exit 1; }
    command -v debootstrap > /dev/null || install_packages debootstrap debian-archive-keyring
    echo "swift.sh: setting up Debian 13 with Swift in $root" >&2
    mkdir -p "$(dirname "$root")"
    as_root rm -rf "$root.new"
    as_root debootstrap --variant=minbase --include=swiftlang,libc6-dev,libstdc++-14-dev,gcc,git,ca-certificates \
        trixie "$root.new" > "$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
    as_root sh -c "rm -f '$root.new'/var/cache/apt/archives/*.deb && mv '$root.new' '$root'"
}

# What the linker and the loader look for, in both worlds. Swift's own libraries are found by its programs themselves.
environment=(LIBRARY_PATH="$library" LD_LIBRARY_PATH="$library")

if swift --version 2> /dev/null | grep -Eq "Swift version ([6-9]|[1-9][0-9])"; then
    exec env "${environment[@]}" "$@"
fi

{
    flock 9
    [ -d "$root" ] || set_up
} 9> "$(mkdir -p "$(dirname "$root")" && echo "$root.lock")"

environment+=(PATH=/usr/local/bin:/usr/bin:/bin HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}")
for name in $(compgen -e MLS_); do environment+=("$name=${!name}"); done
folders=(/proc /dev /tmp "$project" "$PWD")
if [ -d "$library" ]; then folders+=("$library"); fi

if as_root unshare --mount true 2> /dev/null; then
    # The mounts are this process's own and go with it; nothing outside sees them.
    as_root unshare --mount bash -euc '
        root=$1 here=$2 folders=$3
        shift 3
        for folder in $folders; do
            mkdir -p "$root$folder"
            mount --rbind "$folder" "$root$folder"
        done
        exec chroot "$root" /usr/bin/env --chdir="$here" -i "$@"
    ' swift.sh "$root" "$PWD" "${folders[*]}" "${environment[@]}" "$@"
else
    # In a container that may not mount, proot does the same by ptrace.
    command -v proot > /dev/null || install_packages proot
    bindings=()
    for folder in "${folders[@]}"; do bindings+=(-b "$folder"); done
    proot -0 -r "$root" "${bindings[@]}" -w "$PWD" /usr/bin/env -i "${environment[@]}" "$@"
fi
