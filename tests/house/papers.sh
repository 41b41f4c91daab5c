#!/bin/sh
# What stands beside the sources fits them: versions agree, and what is referred to is there. Usage: papers.sh SOURCE_FOLDER VERSION
set -eu
source=$1 version=$2

grep -q "^## \[$version\]" "$source/CHANGELOG.md" || { echo "CHANGELOG.md does not know version $version"; exit 1; }
grep -q "^version: $version\$" "$source/CITATION.cff" || { echo "CITATION.cff is not of version $version"; exit 1; }
# Required by version 1.2.0 of the format.
for key in cff-version message title authors; do
    grep -q "^$key:" "$source/CITATION.cff" || { echo "CITATION.cff has no $key"; exit 1; }
done
# Every link between the papers leads somewhere, also where the Debian package has them.
packaged=$(sed -n 's,^usr/share/doc/aimfair/,,p' "$source/debian/aimfair.install" | sed 's,\.,\\.,g; s,\*,[^/]*,g; s,.*,^&(/|$),')
for page in "$source"/*.md "$source"/docs/*.md "$source"/examples/*.md; do
    folder=$(dirname "$page")
    grep -o '](\([^)#:]*\)[)#]' "$page" | sed 's/^](//; s/[)#]$//' | while read -r link; do
        [ -n "$link" ] || continue
        [ -e "$folder/$link" ] || { echo "$page leads to $link, which is not there"; exit 1; }
        realpath -m --relative-to="$source" "$folder/$link" | grep -qE "$packaged" ||
            { echo "$page leads to $link, which debian/aimfair.install leaves out"; exit 1; }
    done
done
