#!/bin/sh
# tools/check_layers must pass a right tree and name each kind of breach in a wrong one. Usage: layers.sh CHECKER
set -eu
checker=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# right: a fresh tree that keeps every rule
right() {
    rm -rf "${root:?}"/*
    mkdir -p "$root/include/aimfair" "$root/src/base" "$root/src/graph" "$root/src/train" "$root/src/cli"
    printf '#include <aimfair/error.h>\n#include <glib.h>\n' >"$root/include/aimfair/graph.h"
    printf '#include <glib.h>\n' >"$root/include/aimfair/error.h"
    printf '#include <aimfair/error.h>\n#include <stdio.h>\n' >"$root/src/base/file.h"
    printf '#include "base/file.h"\n' >"$root/src/base/file.c"
    printf '#include "base/file.h"\n#include <aimfair/graph.h>\n' >"$root/src/graph/graph.h"
    printf '#include "graph/graph.h"\n' >"$root/src/train/loop.c"
    printf '#include "cli.h"\n#include <aimfair/graph.h>\n' >"$root/src/cli/main.c"
    printf '#include <glib.h>\n' >"$root/src/cli/cli.h"
}

# wrong: what the checker must say of the tree as it is now
wrong() {
    if said=$("$checker" "$root" 2>&1); then
        echo "not noticed: $1"
        exit 1
    fi
    case $said in
    *"$1"*) ;;
    *)
        printf 'expected: %s\nsaid: %s\n' "$1" "$said"
        exit 1
        ;;
    esac
}

right
"$checker" "$root"

right
echo '#include "train/loop.h"' >>"$root/src/graph/graph.h"
wrong 'src/graph/graph.h:3: src/graph/ may not include src/train/'
right
echo '#  include "graph/graph.h"' >>"$root/src/cli/main.c"
wrong 'src/cli/main.c:3: the program includes "graph/graph.h"'
right
echo '#include "../graph/graph.h"' >>"$root/src/train/loop.c"
wrong 'by a relative path'
right
echo '#include "graph.h"' >>"$root/src/train/loop.c"
wrong 'internal headers are named with their folder'
right
echo '#include "aimfair/graph.h"' >>"$root/src/train/loop.c"
wrong 'public headers are included as installed'
right
echo '#include "base/file.h"' >>"$root/include/aimfair/graph.h"
wrong 'include/aimfair/graph.h:3: a public header includes the internal "base/file.h"'
right
echo '#include <base/file.h>' >>"$root/include/aimfair/graph.h"
wrong 'a public header includes the internal <base/file.h>'
right
echo '#include <graph/graph.h>' >>"$root/src/base/file.c"
wrong 'write "graph/graph.h"'
right
mkdir "$root/src/misc"
echo '#include <glib.h>' >"$root/src/misc/misc.c"
wrong 'folder src/misc/ has no place'
right
touch "$root/src/train/file.c"
wrong 'the name file.c is used more than once'
right
rm -r "$root/include"
wrong 'has no src/ and include/aimfair/'
echo "every breach was named"
