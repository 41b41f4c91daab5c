#!/bin/sh
# tools/check_circles must pass a tree without circles and name each kind of circle in a wrong one. Usage: circles.sh CHECKER COMPILER
set -eu
checker=$1 compiler=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# right: a fresh tree without circles: a table, one that it names, what both include, and a public header
right() {
    rm -rf "${root:?}"/*
    mkdir -p "$root/include/aimfair" "$root/src/base" "$root/src/cli"
    printf '#pragma once\nint low(void);\n' >"$root/include/aimfair/low.h"
    printf '#pragma once\n#include <aimfair/low.h>\nextern const int numbers[];\n' >"$root/src/base/shared.h"
    printf '#include "base/shared.h"\nint low(void)\n{\n    return numbers[0];\n}\n' >"$root/src/base/low.c"
    printf '#include "base/shared.h"\nconst int numbers[] = { 1 };\n' >"$root/src/base/table.c"
    printf '#pragma once\nint high(void);\n' >"$root/src/cli/high.h"
    printf '#include "high.h"\n#include <aimfair/low.h>\nint high(void)\n{\n    return low();\n}\n' >"$root/src/cli/high.c"
}

build() {
    rm -rf "$root/build/CMakeFiles/all.dir"
    for file in "$root"/src/*/*.c; do
        object=$root/build/CMakeFiles/all.dir/${file#"$root"/}.o
        mkdir -p "$(dirname "$object")"
        "$compiler" -w -I "$root/include" -I "$root/src" -c "$file" -o "$object"
    done
}

# wrong: what the checker must say of the tree as it is now
wrong() {
    if said=$("$checker" "$root/build" "$root" 2>&1); then
        echo "not noticed: $1"
        exit 1
    fi
    for expected; do
        case $said in
        *"$expected"*) ;;
        *)
            printf 'expected: %s\nsaid: %s\n' "$expected" "$said"
            exit 1
            ;;
        esac
    done
}

right
build
"$checker" "$root/build" "$root"

# two that call each other
printf 'int high(void);\nint back(void)\n{\n    return high();\n}\n' >>"$root/src/base/low.c"
build
wrong 'src/base/low: src/cli/high, uses its high' 'src/cli/high: src/base/low, uses its low'

# one calls, the other only includes
right
printf '#include "cli/high.h"\n' >>"$root/src/base/low.c"
build
wrong 'src/base/low: src/cli/high, includes its header' 'src/cli/high: src/base/low, uses its low'

# three, by way of a table
right
printf 'int high(void);\nint (*const way)(void) = high;\n' >>"$root/src/base/table.c"
build
wrong 'src/base/low: src/base/table, uses its numbers' 'src/base/table: src/cli/high, uses its high'

# headers alone
right
printf '#include "base/more.h"\n' >>"$root/src/base/shared.h"
printf '#pragma once\n#include "base/shared.h"\n' >"$root/src/base/more.h"
build
wrong 'src/base/more: src/base/shared, includes its header' 'src/base/shared: src/base/more, includes its header'

# two circles that have no file in common
printf '#include <aimfair/lower.h>\n' >>"$root/include/aimfair/low.h"
printf '#pragma once\n#include <aimfair/low.h>\n' >"$root/include/aimfair/lower.h"
build
wrong 'src/base/more: src/base/shared' 'include/aimfair/lower: include/aimfair/low'

# an object of a file that is no more says nothing; a file without an object is told
right
build
mkdir -p "$root/build/CMakeFiles/old.dir/src/base"
printf 'int high(void);\nint back(void)\n{\n    return high();\n}\nint low(void)\n{\n    return 0;\n}\n' >"$root/old.c"
"$compiler" -w -c "$root/old.c" -o "$root/build/CMakeFiles/old.dir/src/base/old.c.o"
"$checker" "$root/build" "$root"
rm "$root/build/CMakeFiles/all.dir/src/base/low.c.o"
wrong 'there is no object of src/base/low.c; build it first'
rm -r "$root/build"
wrong 'BUILD is a folder that the tree was built in'
echo "every circle was named"
