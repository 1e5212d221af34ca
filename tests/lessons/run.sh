#!/usr/bin/env bash
# Installs libdose to a folder, builds the lessons outside the tree, runs each and looks at what it says.
# Usage: run.sh SOURCE BUILD MAKE_PHANTOM
set -euo pipefail
source=$1 build=$2 make_phantom=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LIBDOSE_DATA
cmake --install "$build" --prefix "$work/prefix" >/dev/null
cp -r "$source/examples/lessons" "$work/lessons"
cmake -S "$work/lessons" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_CXX_FLAGS=-Werror \
  -DCMAKE_C_FLAGS=-Werror >"$work/log"
cmake --build "$work/build" -j "$(nproc)" >>"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
# C++ lessons are linked statically: they take the data of the prefix from here.
export LIBDOSE_DATA=$work/prefix/share/libdose

# run LESSON ARGUMENTS... : its output, kept in $work/output
run() {
  echo "== $1"
  "$work/build/$1" "${@:2}" | tee "$work/output"
}
# says TEXT : the last lesson said so
says() { grep -q -- "$1" "$work/output" || { echo "the lesson does not say: $1"; exit 1; }; }
# number KEY LOW HIGH : the first number behind KEY lies between the two
number() {
  awk -v key="$1" -v low="$2" -v high="$3" '
    (at = index($0, key)) && !seen { seen = 1; match(substr($0, at + length(key)), /-?[0-9]+(\.[0-9]+)?/)
      value = substr($0, at + length(key) + RSTART - 1, RLENGTH) + 0; good = value >= low && value <= high }
    END {
      if (!good) { printf "behind \"%s\": %s is not between %s and %s\n", key, value, low, high; exit 1 } }' \
    "$work/output"
}

# 100 MU are 1 Gy at the maximum (1.5 cm deep at 6 MV, 10 x 10 cm, surface 100 cm from the source), about two
# thirds of it at 10 cm.
run 01_water_phantom
number "15 mm deep:" 0.97 1.02
number "100 mm deep:" 0.62 0.70
says "pencil-beam: "

"$make_phantom" --quick "$work/patient" >/dev/null
mkdir "$work/out"
run 02_dicom_plan "$work/patient" four-field "$work/out"
says "plan four-field: 4 beams"
says "PTV: .* cm3, mean .* Gy, D95"
test -s "$work/out/plan.dcm" -a -s "$work/out/dose.h5"
status=0
"$work/build/02_dicom_plan" "$work/patient" halcyon >/dev/null 2>"$work/refused" || status=$?
test "$status" = 3 || { cat "$work/refused"; echo "the refused plan ends with $status, not 3"; exit 1; }

# A ramp: each step to the right has more dose; its leaves are found.
run 03_own_plan
says "leaves .*varian-millennium-120"
awk '/^ *-?[0-9]+ mm/ {
    x = $1; d = $3
    if (x > -40 && x < 31) { if (n++ && !(d > 1.1 * last)) bad = 1; last = d }
  }
  END { exit bad || n < 5 }' "$work/output" ||
  { echo "the dose does not rise along the ramp"; exit 1; }

# 36 beamlets of 10 mm; a wedge of 80 to 120 MU between -20 and 20 mm.
run 04_influence "$work/out/influence.h5"
says "^36 beamlets"
number "within 1 %/1 mm in" 99 100
says "columns 10 to 20 of the file: [1-9]"
awk '/mm deep:/ { d[n++] = $(NF - 1) } END { exit !(n == 3 && d[2] > 1.3 * d[0] && d[2] < 1.6 * d[0]) }' \
  "$work/output" || { echo "the fluence is no wedge"; exit 1; }

# On the device, or on the CPU with the reason.
run 05_gpu
says "calculated by: "
number "largest difference from the CPU:" 0 0.1

run 06_beam_model "$work/out/lesson.h5"
says "half the head scatter:  50 mm"
says "lesson-6MV, hash the same"

# The C library finds its data beside itself.
unset LIBDOSE_DATA
run 07_c_abi
says "progress was called many times"
number "100 mm deep:" 0.62 0.70
says "bad input: grid spacing -1 mm is not between 0.5 and 20"

# The same C lesson by pkg-config.
if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name libdose_c.pc)")
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046
  cc -std=c99 "$work/lessons/07_c_abi.c" $(pkg-config --cflags --libs libdose_c) \
    -Wl,-rpath,"$(pkg-config --variable=libdir libdose_c)" -o "$work/by_pkg_config"
  "$work/by_pkg_config" | diff - "$work/output"
else
  echo "note: pkg-config is not installed; libdose_c.pc is not tried"
fi
# That the data come from beside the library, not from the source tree.
library=$(find "$work/prefix" -name libdose_c.so.1)
folder=$(python3 -c 'import ctypes, sys
text = ctypes.create_string_buffer(4096)
assert ctypes.CDLL(sys.argv[1]).libdose_data_folder(text, ctypes.c_size_t(4096), None) == 0
print(text.value.decode())' "$library")
test "$folder" = "$work/prefix/share/libdose" || { echo "the C library takes its data from $folder"; exit 1; }
