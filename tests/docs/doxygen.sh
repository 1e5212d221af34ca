#!/usr/bin/env bash
# The API reference, warnings as errors. Usage: doxygen.sh SOURCE OUTPUT
set -euo pipefail
source=$1 output=$2
command -v doxygen >/dev/null || { echo "skipped: doxygen is not installed"; exit 77; }
cd "$source"
rm -rf "$output/html"
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $output"; } | doxygen -
# Classes, and the functions of the C ABI, have their pages.
test -s "$output/html/structlibdose_1_1Plan.html"
grep -q libdose_calculate "$output"/html/dose__c_8h.html
echo "$(find "$output/html" -name '*.html' | wc -l) pages"
