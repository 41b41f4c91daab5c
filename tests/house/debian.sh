#!/bin/sh
# The Debian packages fit the tree: version, soname, and what they are built with, which is the list that everything is set up from.
# Usage: debian.sh SOURCE_FOLDER VERSION SOVERSION
set -eu
source=$1 version=$2 soversion=$3
LC_ALL=C
export LC_ALL
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

head -n 1 "$source/debian/changelog" | grep -q "^aimfair ($version) " || { echo "debian/changelog is not of version $version"; exit 1; }
grep -q "^Package: libaimfair$soversion\$" "$source/debian/control" || { echo "debian/control has no libaimfair$soversion"; exit 1; }
grep -q "libaimfair\.so\.$soversion libaimfair$soversion " "$source/debian/rules" || { echo "debian/rules lists symbols of another soname"; exit 1; }

# gcc, make and libc6-dev are in every Debian build; debhelper is what builds packages.
sed -n '/^Build-Depends:/,/^[A-Z]/{ s/^ //p }' "$source/debian/control" | sed 's/ .*//; s/,$//' | grep -v '^debhelper-compat$' | sort >"$root/control"
awk '$1 == "build" && $2 !~ /^(gcc|make|libc6-dev)$/ { print $2 }' "$source/tools/debian-packages" | sort >"$root/list"
[ -s "$root/control" ] || { echo "debian/control has no Build-Depends"; exit 1; }
if ! diff "$root/control" "$root/list"; then
    echo "debian/control (<) and tools/debian-packages (>) differ in what it is built with"
    exit 1
fi
