#!/bin/sh
# Every command has a manual page with all its options, without a warning. Usage: manual.sh PROGRAM MAN_FOLDER
# Exit status 77: there is no mandoc.
set -eu
program=$1 pages=$2
if ! command -v mandoc >/dev/null; then
    echo "mandoc is missing: the manual pages were not looked at"
    exit 77
fi

"$program" --manual | while read -r page; do
    file=$pages/$page.1
    said=$(mandoc -Tlint -W warning "$file" || true)
    [ -z "$said" ] || { echo "$said"; exit 1; }
    grep -q '^\.TH [A-Z-]* 1 "*[0-9-]*"* ' "$file" || { echo "$page has no date"; exit 1; }
    text=$(LC_ALL=C.UTF-8 mandoc -T ascii "$file" | sed 's/.\x08//g')
    [ "$page" != aimfair ] || continue
    command=$(sed -n 's/^\\fBaimfair \([a-z ]*\)\\fP.*/\1/p' "$file" | head -n 1)
    # shellcheck disable=SC2086 # a command may be two words
    "$program" help $command | sed -n 's/^  *\(-., \)\{0,1\}\(--[a-z][a-z-]*\).*/\2/p' | while read -r option; do
        case $text in
        *"$option"*) ;;
        *) echo "$page does not have $option"; exit 1 ;;
        esac
    done
done

# What the docs say is in the pages too, as text: no Markdown is left.
text=$(mandoc -T ascii "$pages/aimfair-evaluate.1" | sed 's/.\x08//g')
case $text in *"THE MEASURES"*"worst_group_accuracy"*"lowest accuracy of a group (WST)"*) ;; *) echo "docs/evaluate.md is missing"; exit 1 ;; esac
if grep -n '](\|^|\|^```\|\*\*' "$pages"/*.1; then
    echo "Markdown is left in the pages"
    exit 1
fi
if "$program" --manual aimfair-nothing 2>/dev/null; then
    exit 1
fi
