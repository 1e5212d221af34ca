#!/usr/bin/env bash
# From a clean clone to a dose: installs what is missing, builds, makes a DICOM thorax phantom, calculates a
# plan on it with both engines, compares them, draws a picture and checks the plan. Results:
# quickstart-output/. Needs Debian 12 and root or sudo for the packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
out=${1:-$root/quickstart-output}
build=$root/build/quickstart

begin=$SECONDS
step() {
  printf '\n== %s\n' "$*"
  step_begin=$SECONDS
}
took() { printf '   (%d s)\n' $((SECONDS - step_begin)); }

step "1/7 Packages"
"$here/install_packages.sh" run
took

step "2/7 Build (the first time takes some minutes)"
mkdir -p "$build"
if ! {
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIBDOSE_PRECOMPILE=ON \
    -DLIBDOSE_TESTS=OFF -DLIBDOSE_EXAMPLES=ON &&
    cmake --build "$build" --target dose make_phantom
} >"$build/log.txt" 2>&1; then
  tail -n 30 "$build/log.txt" >&2
  echo "error: the build failed; the whole log is $build/log.txt" >&2
  exit 4
fi
dose=$build/libdose/dose
took

step "3/7 A patient: DICOM thorax phantom"
mkdir -p "$out"
"$build/examples/make_phantom" "$out/dicom" --planned-dose four-field
took

step "4/7 Dose of the plan four-field, collapsed cone"
"$dose" calc "$out/dicom" --plan four-field --algorithm collapsed-cone --out "$out/collapsed-cone" \
  --json "$out/collapsed-cone.json"
took

step "5/7 The same with the pencil beam, and the two compared"
"$dose" calc "$out/dicom" --plan four-field --algorithm pencil-beam --out "$out/pencil-beam" \
  --json "$out/pencil-beam.json"
echo
"$dose" gamma "$out/collapsed-cone/plan.dcm" "$out/pencil-beam/plan.dcm" --dose-percent 3 --distance-mm 3
echo "(the pencil beam widens its kernels in lung, but knows no build-up where lung begins or ends;" \
  "docs/theory/pencil-beam.md)"
echo
"$dose" dvh "$out/collapsed-cone/plan.dcm" "$out/dicom/RS.dcm" --csv "$out/dvh.csv"
took

step "6/7 Picture"
/usr/bin/python3 "$here/plot_dose.py" --ct "$out/dicom" --dose "collapsed cone=$out/collapsed-cone/plan.dcm" \
  --dose "pencil beam=$out/pencil-beam/plan.dcm" \
  --structures "$out/dicom/RS.dcm" --plan "$out/dicom/RP_four-field.dcm" --out "$out/dose.png"
took

step "7/7 Independent check of the plan against the dose that stands for a planning system's"
checked=0
"$dose" check "$out/dicom" --plan four-field --out "$out/check" || checked=$?
# 5 and 6: the report wants a look. Anything else than a verdict is an error.
case $checked in 0 | 1 | 5 | 6) ;; *) exit "$checked" ;; esac
took

cat <<TXT

Done in $((SECONDS - begin)) s. In $out:
  dicom/                     the phantom: CT, RTSTRUCT, RTPLANs
  collapsed-cone/plan.dcm    RTDOSE of the collapsed-cone engine; dose.h5 holds the same with its provenance
  pencil-beam/plan.dcm       RTDOSE of the pencil-beam engine
  *.json, dvh.csv            the numbers
  dose.png                   the picture
  check/check.html           the report of the check: open it in a browser
The same command works on your own plan:  $dose calc FOLDER --out RESULT
Not a medical device: see README.md.
TXT
