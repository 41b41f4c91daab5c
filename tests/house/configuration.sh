#!/bin/sh
# What is written of configurations is what the program says of them: docs/run.md ends with all keys, and every start and
# example is a configuration. Usage: configuration.sh PROGRAM SOURCE_FOLDER
set -eu
program=$1 source=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

"$program" run --keys >"$root/keys"
[ -s "$root/keys" ] || { echo "aimfair run --keys says nothing"; exit 1; }
lines=$(wc -l <"$root/keys")
tail -n "$lines" "$source/docs/run.md" >"$root/manual"
cmp -s "$root/keys" "$root/manual" || {
    echo "docs/run.md does not end with what 'aimfair run --keys' prints:"
    diff "$root/manual" "$root/keys" || true
    exit 1
}

# A configuration that can be read stops at data that are not there, and at nothing before.
check() { # NAME FILE
    status=0
    (cd "$root" && AIMFAIR_DATA="$root/nowhere" "$program" run --dry-run "$2" >"$root/said" 2>&1) || status=$?
    if [ "$status" != 2 ] || ! grep -q 'data\.[a-z]*: .* is not there$' "$root/said"; then
        echo "$1 is no configuration (status $status):"
        cat "$root/said"
        exit 1
    fi
}

for example in "$source"/examples/*.yaml; do
    check "$example" "$example"
done
for kind in celeba utkface folders own-model; do
    "$program" run --init "$kind" >"$root/$kind.yaml"
    check "--init $kind" "$root/$kind.yaml"
done
