#!/usr/bin/env bash
# The DICOM phantom through the command and through the C ABI.
# Usage: files.sh MAKE_PHANTOM DOSE TEST_FILES TEST_CHECK
set -euo pipefail
make_phantom=$1 dose=$2 test_files=$3 test_check=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$make_phantom" --quick "$work/all" >/dev/null
# One plan, with leaves, and what it refers to.
mkdir "$work/case"
cp "$work"/all/CT* "$work/all/RS.dcm" "$work/all/RP_sliding-window.dcm" "$work/case"
"$dose" calc "$work/case" --grid 6 --quality draft --per-beam --out "$work/command" >"$work/log" 2>&1 || {
  cat "$work/log"; exit 1; }
"$test_files" "$work/case" "$work/command/dose.h5" "$work"
# The same patient with a planning system's dose, checked.
"$make_phantom" --quick "$work/planned" --planned-dose four-field >/dev/null
find "$work/planned" -name 'RP_*' ! -name 'RP_four-field.dcm' -delete
"$test_check" "$work/planned" "$work/report"
