#!/bin/bash
# What is completed is what there is: every command, subcommand and option, in bash by doing it, in zsh by the script's text.
# Usage: completion.sh PROGRAM COMPLETION_FOLDER
set -euo pipefail
program=$1 folder=$2

fail() {
    echo "$*"
    exit 1
}

# shellcheck source=/dev/null
source "$folder/aimfair"

# What bash offers after these words, the last of which is being typed.
complete_words() {
    COMP_WORDS=(aimfair "$@")
    COMP_CWORD=$#
    COMPREPLY=()
    _aimfair || true
    echo " ${COMPREPLY[*]-} "
}

expect() { # what, words…
    local what=$1 offered
    shift
    offered=$(complete_words "$@")
    [[ $offered == *" $what "* ]] || fail "after '$*' bash offers '$offered', not $what"
}

refuse() {
    local what=$1 offered
    shift
    offered=$(complete_words "$@")
    [[ $offered != *" $what "* ]] || fail "after '$*' bash offers $what"
}

options_of() { "$program" help "$@" | sed -n 's/^  *\(-., \)\{0,1\}\(--[a-z][a-z-]*\).*/\2/p'; }
zsh_section() { sed -n "/^    '$1')\$/,/ ;;\$/p" "$folder/_aimfair"; }

commands=$("$program" help | sed -n 's/^  \([a-z]*\)  *[a-zA-Z].*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 12 ] || fail "the commands are not read: $commands"
n=0
for page in $("$program" --manual); do
    [ "$page" != aimfair ] || continue
    name=${page#aimfair-} words=()
    for word in ${name/-/ }; do words+=("$word"); done
    if [ ${#words[@]} = 1 ]; then
        expect "${words[0]}" ""
        expect "${words[0]}" "${words[0]:0:2}"
        expect "${words[0]}" help ""
        grep -q "^ *'${words[0]}:" "$folder/_aimfair" || fail "zsh does not know ${words[0]}"
    else
        expect "${words[1]}" "${words[0]}" ""
        expect "${words[1]}" help "${words[0]}" ""
        grep -q "^ *'${words[1]}:" "$folder/_aimfair" || fail "zsh does not know ${words[*]}"
    fi
    section=$(zsh_section "${words[*]}")
    [ -n "$section" ] || fail "zsh has nothing for ${words[*]}"
    for option in $(options_of "${words[@]}"); do
        expect "$option" "${words[@]}" "${option:0:4}"
        expect "$option" "${words[@]}" --seed 3 "$option"
        [[ $section == *"$option"* ]] || fail "zsh does not know $option of ${words[*]}"
        n=$((n + 1))
    done
    refuse --no-such "${words[@]}" --
done
[ "$n" -ge 200 ] || fail "only $n options were tried"

# After an option that takes a text nothing of ours is offered: the shell completes file names.
[ "$(complete_words train --train "")" = "  " ] || fail "a file's name is not left to the shell"
[ "$(complete_words train --train = "")" = "  " ] || fail "--option=FILE is not left to the shell"
[ "$(complete_words train -o --)" = "  " ] || fail "the text after -o is taken for an option"
refuse --top-k train --
refuse --root data check --
expect --no-decode data check --
expect --llm prompts --
if command -v zsh >/dev/null; then
    zsh -n "$folder/_aimfair"
fi
if "$program" --completion fish 2>/dev/null; then
    fail "a shell that is not there was taken"
fi
