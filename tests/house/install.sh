#!/bin/sh
# What is installed is enough: a client built with nothing but pkg-config's answer compiles, links (shared, then static) and runs, and so does
# one that asks CMake's find_package; the manual, the man pages, completion and the licence are there; DESTDIR is honoured.
# Usage: install.sh BUILD_FOLDER CLIENT_SOURCE EXAMPLES_FOLDER COMPILER [FLAG…]
set -eu
build=$1 client=$2 examples=$3
shift 3
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# As a packager does it: staged, then moved to where it belongs.
DESTDIR="$root/stage" cmake --install "$build" --prefix /opt/aimfair >"$root/log" || { cat "$root/log"; exit 1; }
[ ! -e /opt/aimfair ] || { echo "DESTDIR was not honoured"; exit 1; }
mv "$root/stage/opt/aimfair" "$root/prefix"
[ -z "$(find "$root/stage" -type f)" ] || { echo "outside the prefix:"; find "$root/stage" -type f; exit 1; }

for file in bin/aimfair include/aimfair/fair.h share/doc/aimfair/LICENSE share/doc/aimfair/CITATION.cff \
    share/doc/aimfair/CHANGELOG.md share/doc/aimfair/SECURITY.md share/doc/aimfair/docs/index.md share/doc/aimfair/docs/images/flow.svg \
    share/doc/aimfair/examples/measure_groups.c share/doc/aimfair/examples/utkface.sh share/man/man1/aimfair.1 \
    share/man/man1/aimfair-train.1 share/man/man1/aimfair-data-groups.1 share/bash-completion/completions/aimfair \
    share/zsh/site-functions/_aimfair; do
    [ -s "$root/prefix/$file" ] || { echo "$file is not installed"; exit 1; }
done

PKG_CONFIG_PATH=$(dirname "$(find "$root/prefix" -name aimfair.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir aimfair)

# shellcheck disable=SC2046 # pkg-config answers with words
"$@" -Wall -Wextra -Wpedantic -Werror -std=c17 "$client" -o "$root/shared" $(pkg-config --cflags --libs aimfair)
LD_LIBRARY_PATH=$libdir "$root/shared"

# CMake: the examples as a stranger builds them, here with the client in place of the C program.
compiler=$1
shift
mkdir "$root/project"
cp "$examples/CMakeLists.txt" "$root/project"
cp "$client" "$root/project/measure_groups.c"
with_cmake() { # FOLDER [OPTION…]
    folder=$root/$1
    shift 1
    cmake -S "$root/project" -B "$folder" -DCMAKE_PREFIX_PATH="$root/prefix" -DCMAKE_C_COMPILER="$compiler" \
        -DCMAKE_C_FLAGS="$flags" "$@" >"$root/log" 2>&1 && cmake --build "$folder" >>"$root/log" 2>&1 || return 1
}
flags=$*
with_cmake cmake-shared || { cat "$root/log"; exit 1; }
"$root/cmake-shared/measure_groups"
with_cmake cmake-static -Daimfair_STATIC=ON || { cat "$root/log"; exit 1; }
"$root/cmake-static/measure_groups"
sed -i 's/find_package(aimfair [0-9.]*/find_package(aimfair 99.0/' "$root/project/CMakeLists.txt"
if with_cmake cmake-later; then
    echo "version 99 was found"
    exit 1
fi

rm "$libdir"/libaimfair.so*
# shellcheck disable=SC2046,SC2086
"$compiler" $flags -std=c17 "$client" -o "$root/static" $(pkg-config --cflags aimfair) $(pkg-config --static --libs aimfair)
"$root/static"

# Every public header stands on its own.
for header in "$root"/prefix/include/aimfair/*.h; do
    # shellcheck disable=SC2046,SC2086
    echo "#include <aimfair/${header##*/}>" |
        "$compiler" $flags -Wall -Werror -std=c17 -fsyntax-only -xc - $(pkg-config --cflags aimfair)
done
