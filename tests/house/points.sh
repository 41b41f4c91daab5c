#!/bin/sh
# Numbers that the library writes have a point in every locale: printf's own functions, which ask the locale of the program
# around it, get none that could have one, and the lists of arguments of others go to base/format.h. Usage: points.sh SOURCES
set -eu
found=$(find "$1" -name '*.[ch]' ! -path '*/cli/*' ! -path '*/base/format.[ch]' | sort | while read -r file; do
    tr '\n' ' ' <"$file" | sed 's/g_ascii_formatd([^)]*)//g' |
        grep -oE '\b(g_strdup_printf|g_string_(append_)?printf|aimf_writer_printf|aimf_html_(put|table|figure_end)|g_snprintf|f?printf) ?\([^;]*;' |
        sed 's/%%//g; s/%\.0f//g' | grep -E '%[-+ #0-9.*]*[aefgAEFG]' | sed "s|^|$file: |" || true
    grep -HnE '\bg_(strdup|string_(append_)?)_?vprintf' "$file" | grep -vE 'html->text|b->scope' || true
done)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
