#!/bin/sh
# A program in a bundle draws with the bundle's letters where the system has none, and only there; one that is in no bundle never does.
# Usage: bundle_fonts.sh PROGRAM
# Exit status 77: fonts cannot be hidden here, or there are none.
set -eu
program=$1
font=/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf
if [ ! -e "$font" ] || ! unshare --map-root-user --mount mount -t tmpfs none /usr/share/fonts 2>/dev/null; then
    echo "DejaVu Sans is missing, or a mount namespace of our own: a bundle's fonts were not looked at"
    exit 77
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# Letters that no other font has: all bold.
bundle=$root/bundle
mkdir -p "$bundle/bin" "$bundle/share/aimfair/fonts"
cp "$program" "$bundle/bin/aimfair"
cp "$font" "$bundle/share/aimfair/fonts"
conf=$bundle/share/aimfair/fonts/fonts.conf
echo '<fontconfig><dir prefix="relative">.</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>' >"$conf"

table() { # ROW_THAT_IS_WRONG
    echo "path,target,protected,prediction"
    for i in 1 2 3 4 5 6 7 8; do
        echo "$i.png,$((i % 2)),$((i / 5)),$((i == $1 ? 1 - i % 2 : i % 2))"
    done
}
table 2 >"$root/before.csv"
table 7 >"$root/after.csv"

export HOME="$root" XDG_DATA_HOME="$root/none" XDG_CACHE_HOME="$root/cache" ASAN_OPTIONS=detect_leaks=0
unset FONTCONFIG_FILE FONTCONFIG_PATH
# shellcheck disable=SC2016 # the inner shell's own
draw='"$0" evaluate --compare "$1/before.csv" "$1/after.csv" --bootstrap 0 --chart "$2" >"$1/said" 2>&1 || { cat "$1/said"; exit 1; }'
chart() { # PROGRAM FILE
    sh -c "$draw" "$1" "$root" "$root/$2"
}
chart_without_fonts() {
    unshare --map-root-user --mount sh -c "mount -t tmpfs none /usr/share/fonts; $draw" "$1" "$root" "$root/$2"
}

chart "$program" system.svg
FONTCONFIG_FILE="$conf" chart "$program" bold.svg
chart "$bundle/bin/aimfair" bundle.svg
chart_without_fonts "$program" bare.svg
chart_without_fonts "$bundle/bin/aimfair" bundle-bare.svg

same() { cmp -s "$root/$1" "$root/$2"; }
if same system.svg bold.svg; then echo "the charts do not show which letters were used"; exit 1; fi
same bundle.svg system.svg || { echo "the bundle's fonts were used in place of the system's"; exit 1; }
if same bare.svg bold.svg; then echo "a program that is in no bundle used fonts of one"; exit 1; fi
same bundle-bare.svg bold.svg || { echo "the bundle's fonts were not used where the system has none"; exit 1; }
