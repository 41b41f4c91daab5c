#!/bin/sh
# The shared library exports what the installed headers declare, as the compiler reads them, and nothing else; and the tool that lists
# them for the linker is not led astray by what headers may hold.
# Usage: exports.sh LIBRARY SOURCE_FOLDER COMPILER [FLAG…]
set -eu
library=$1 source=$2
shift 2
LC_ALL=C
export LC_ALL
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
glib=$(pkg-config --cflags glib-2.0)

# Declared: names before a parenthesis, or behind extern, in what the preprocessor leaves of our own headers; inline functions are
# nobody's export. How many of them there are says that something was read.
for header in "$source"/include/aimfair/*.h; do
    echo "#include <aimfair/${header##*/}>"
done >"$root/all.c"
# shellcheck disable=SC2086 # pkg-config answers with words
"$@" -std=c17 "-I$source/include" $glib -E "$root/all.c" |
    awk '/^# [0-9]/ { ours = $3 ~ /\/aimfair\/[a-z]*\.h"$/; next } ours' >"$root/own.c"
grep -o 'aimf_[a-z0-9_]* *(' "$root/own.c" | tr -d ' (' | sort -u >"$root/called"
sed -n 's/.*static inline.*[ *]\(aimf_[a-z0-9_]*\)(.*/\1/p' "$root/own.c" | sort -u >"$root/inline"
{
    comm -23 "$root/called" "$root/inline"
    sed -n 's/^extern .*[ *]\([A-Za-z0-9_]*\)\(\[[^;]*\)*;$/\1/p' "$root/own.c"
} | sort -u >"$root/declared"
[ "$(wc -l <"$root/declared")" -gt 300 ] || { echo "only these declarations were found:"; cat "$root/declared"; exit 1; }

nm -D --defined-only --with-symbol-versions "$library" | awk '$2 != "A" { print $3 }' | sort >"$root/versioned"
sed -n 's/@@AIMFAIR_1$//p' "$root/versioned" >"$root/exported"
if ! diff "$root/declared" "$root/exported" >"$root/difference"; then
    echo "declared in a public header (<), exported as AIMFAIR_1 (>):"
    cat "$root/difference"
    exit 1
fi
if grep -v '@@AIMFAIR_1$' "$root/versioned"; then
    echo "exported without the version AIMFAIR_1"
    exit 1
fi

# What headers may hold.
mkdir -p "$root/include/aimfair"
cat >"$root/include/aimfair/every.h" <<'HEADER'
/* aimf_in_comment(1); a brace { and
 *     int aimf_in_example(void);
 */
#pragma once
#include <glib.h>
#define AIMF_MACRO(x) \
    aimf_in_macro(x)
G_BEGIN_DECLS
typedef struct AimfThing AimfThing;
typedef gboolean (*AimfCall)(AimfThing *thing, int (*inner)(void));
typedef struct {
    union {
        int a;
    };
    AimfCall call; /* of aimf_in_member() */
} AimfOptions;
enum { AIMF_ONE = (1) };
struct AimfThing;
extern const AimfOptions AIMF_DEFAULTS;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AimfThing, aimf_thing_free)
static inline int aimf_inline_first(int x)
{
    if (x) {
        return aimf_last(x);
    }
    return 0;
}
static inline AimfOptions aimf_inline_second(void) { return (AimfOptions){ .a = 1 }; }
void aimf_thing_free(AimfThing *thing);
const char *aimf_long(AimfThing *thing,
                      void (*call)(int, const char *), int (*other)(void)) G_GNUC_PRINTF(1, 2);
struct AimfThing *
aimf_last (int x);
G_END_DECLS
HEADER
printf '%s\n' AIMF_DEFAULTS aimf_last aimf_long aimf_thing_free >"$root/expected"
"$source/tools/public_symbols" names "$root/include" | diff "$root/expected" - || { echo "public_symbols reads headers wrongly"; exit 1; }
echo "$(wc -l <"$root/declared") names are declared and exported"
