#!/bin/sh
# Whether a level of instruction sets runs here as it was configured: the program is asked under the level's cap.
# Usage: level.sh PROGRAM CAP CONFIGURED FLAG…   (CONFIGURED: the levels, separated by ';', for which tests were made)
# Exit status 77: this processor lacks the level, so whatever speaks of it was not tried.
set -eu

program=$1
cap=$2
configured=";$3;"
shift 3
case "$cap" in
    SSE41) name=SSE4.1 ;;
    AVX512_CORE) name=AVX-512 ;;
    AVX512_CORE_BF16) name='AVX-512 BF16' ;;
    AVX512_CORE_AMX) name=AMX ;;
    ALL) name=plain ;;
    *) name=$cap ;;
esac

for flag; do
    if ! grep -m1 '^flags' /proc/cpuinfo | grep -qw "$flag"; then
        echo "this processor has no $flag: the level $name was not tried"
        exit 77
    fi
done
case "$configured" in
    *";$cap;"*) ;;
    *)
        echo "this processor has the level $name, but the tests were configured on one that has not: configure again" >&2
        exit 1
        ;;
esac
version=$(unset ONEDNN_MAX_CPU_ISA && DNNL_MAX_CPU_ISA=$cap "$program" --version)
echo "$version"
case "$version" in
    *", $name") ;;
    *)
        echo "under the cap $cap the program should be at the level $name" >&2
        exit 1
        ;;
esac
