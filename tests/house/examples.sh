#!/bin/sh
# The examples run: both walk-throughs on small pictures, and the C program on what they made.
# Usage: examples.sh PROGRAM EXAMPLES_FOLDER MAKE_PICTURES MEASURE_GROUPS
set -eu
program=$1 examples=$2 make_pictures=$3 measure_groups=$4
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

fail() {
    echo "$1"
    shift
    cat "$@"
    exit 1
}

"$make_pictures" "$root" 24
export AIMFAIR="$program" AIMFAIR_DATA="$root"
export IMAGE_SIZE=32 BATCH=8 EPOCHS=1 FINETUNE_EPOCHS=1 BALANCED=8 BIASED=20 COUNT=40 VALIDATION=2 TEST=4 INIT=random

for walk in utkface celeba; do
    (cd "$root" && sh "$examples/$walk.sh" >"$root/$walk.log" 2>&1) || fail "$walk.sh failed:" "$root/$walk.log"
    for file in train.csv val.csv test.csv balanced.csv biased.csv biased.safetensors sensitivity.json fair.safetensors; do
        [ -s "$root/$walk-out/$file" ] || fail "$walk.sh did not make $file" "$root/$walk.log"
    done
    [ "$(grep -c 'worst group accuracy (WST)' "$root/$walk.log")" = 2 ] || fail "two evaluations were expected" "$root/$walk.log"
done

"$measure_groups" "$root/utkface-out/fair.safetensors" "$root/utkface-out/test.csv" >"$root/said"
[ "$(grep -c '^class [01], protected label [01]: .* of 4 right$' "$root/said")" = 4 ] || fail "four groups were expected:" "$root/said"
expected=$("$program" evaluate --model "$root/utkface-out/fair.safetensors" --data "$root/utkface-out/test.csv" --bootstrap 0 |
    sed -n 's/^worst group accuracy (WST) *\([0-9]*\.[0-9]\)[0-9]* .*/\1/p')
grep -q "worst group $expected %" "$root/said" || fail "the program says $expected for the worst group:" "$root/said"
if "$measure_groups" "$root/no.safetensors" "$root/no.csv" 2>"$root/said"; then
    fail "a missing model was taken" "$root/said"
fi
grep -q 'no.safetensors' "$root/said"

status=0
AIMFAIR_DATA=/nowhere sh "$examples/utkface.sh" 2>"$root/said" || status=$?
[ "$status" = 2 ] || fail "a missing folder gave $status" "$root/said"
grep -q "there is no folder '/nowhere/UTKFace'" "$root/said"
