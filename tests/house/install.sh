#!/bin/sh
# What is installed is enough: a client built with nothing but pkg-config's answer compiles, links (shared, then static) and runs.
# Usage: install.sh BUILD_FOLDER CLIENT_SOURCE COMPILER [FLAG…]
set -eu
build=$1 client=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

cmake --install "$build" --prefix "$root/prefix" >"$root/log" || { cat "$root/log"; exit 1; }
PKG_CONFIG_PATH=$(dirname "$(find "$root/prefix" -name aimfair.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir aimfair)

# shellcheck disable=SC2046 # pkg-config answers with words
"$@" -Wall -Wextra -Wpedantic -Werror -std=c17 "$client" -o "$root/shared" $(pkg-config --cflags --libs aimfair)
LD_LIBRARY_PATH=$libdir "$root/shared"

rm "$libdir"/libaimfair.so*
# shellcheck disable=SC2046
"$@" -std=c17 "$client" -o "$root/static" $(pkg-config --cflags aimfair) $(pkg-config --static --libs aimfair)
"$root/static"

# Every public header stands on its own.
for header in "$root"/prefix/include/aimfair/*.h; do
    # shellcheck disable=SC2046
    echo "#include <aimfair/${header##*/}>" | "$@" -Wall -Werror -std=c17 -fsyntax-only -xc - $(pkg-config --cflags aimfair)
done
