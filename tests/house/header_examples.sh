#!/bin/sh
# Every public header's head comment ends with an example, and the example compiles: what stands behind "Example:" is
# C at file scope of a client that includes the header, with // for comments. Then the same of headers that are wrong,
# which must be noticed.
# Usage: header_examples.sh INCLUDE_FOLDER COMPILER [FLAG…]
set -eu
include=$1
shift
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
glib=$(pkg-config --cflags glib-2.0 json-glib-1.0)

# look FOLDER COMPILER [FLAG…]: says what is wrong with the headers in FOLDER/aimfair.
look() {
    folder=$1
    shift
    status=0
    for header in "$folder"/aimfair/*.h; do
        name=${header##*/}
        printf '#include <aimfair/%s>\n#line 1 "the example of %s"\n' "$name" "$name" >"$root/example.c"
        if awk '/\*\// { exit !example } example { print substr($0, 8) } /^ \* Example:$/ { example = 1 }' "$header" \
            >>"$root/example.c"; then
            # shellcheck disable=SC2086 # pkg-config answers with words
            "$@" -O2 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -std=c17 "-I$folder" $glib -c "$root/example.c" \
                -o "$root/example.o" 2>&1 || status=1
        else
            echo "$name has no example"
            status=1
        fi
    done
    return $status
}

# notices TEXT COMPILER [FLAG…]: TEXT must be said of the wrong header.
notices() {
    expected=$1
    shift
    if said=$(look "$root/include" "$@") || [ "${said#*"$expected"}" = "$said" ]; then
        printf 'expected: %s\nsaid: %s\n' "$expected" "$said"
        exit 1
    fi
}

look "$include" "$@"

mkdir -p "$root/include/aimfair"
header=$root/include/aimfair/numbers.h
example='/*\n * Numbers.\n *\n * Example:\n *     int four(void)\n *     {\n *         return 2 * two(1);\n *     }\n */\n'
printf '/* Numbers. */\nint two(void);\n%b' "$example" >"$header"
notices 'numbers.h has no example' "$@"
printf '%bint two(void);\n' "$example" >"$header"
notices 'the example of numbers.h:3' "$@"
sed -i 's/two(1)/two()/' "$header"
look "$root/include" "$@"
echo "every header's example compiles"
