#!/usr/bin/env bash
# Installs what is missing (Debian 12), builds with warnings as errors and runs every test, then the quick
# ones under the sanitizers. Exits non-zero on any failure.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
build=$root/build/tests
jobs=$(nproc)

begin=$SECONDS
"$root/examples/install_packages.sh" test
# Peers that Debian does not package, in an environment of their own on top of Debian's Python.
venv=$root/build/venv
if [ ! -x "$venv/bin/python" ]; then
  mkdir -p "$root/build"
  /usr/bin/python3 -m venv --system-site-packages "$venv"
fi
"$venv/bin/python" -c 'import numpy, h5py, pydicom' 2>/dev/null ||
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy h5py pydicom
"$venv/bin/python" -c 'import SimpleITK' 2>/dev/null ||
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check SimpleITK ||
  echo "note: SimpleITK could not be installed; its test will be reported as skipped"
installed=$SECONDS

# The device library of the CUDA backend is compiled where there is a compiler for it; a device is needed for
# the tests of label gpu only.
nvcc=$(command -v nvcc || { [ -x /usr/local/cuda/bin/nvcc ] && echo /usr/local/cuda/bin/nvcc; } || true)
if [ -n "$nvcc" ]; then
  cuda=(-DLIBDOSE_CUDA=ON -DCMAKE_CUDA_COMPILER="$nvcc")
  echo "CUDA: the device library is compiled by $nvcc"
else
  cuda=(-DLIBDOSE_CUDA=OFF)
  echo "CUDA: no nvcc here, compiling the device library is skipped;" \
    "its kernels' bodies are tested on the host (label cuda-host)"
fi

mkdir -p "$build"
echo "building with $jobs jobs, warnings as errors; log: $build/build.log"
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIBDOSE_WERROR=ON -DLIBDOSE_PRECOMPILE=ON \
  -DLIBDOSE_TESTS=ON -DLIBDOSE_EXAMPLES=ON -DLIBDOSE_BENCHMARKS=ON "${cuda[@]}" \
  -DPython3_EXECUTABLE="$venv/bin/python" >"$build/configure.log" 2>&1 || {
  cat "$build/configure.log"
  exit 1
}
cmake --build "$build" -j "$jobs" >"$build/build.log" 2>&1 || {
  tail -n 60 "$build/build.log"
  echo "error: the build failed; the log is $build/build.log" >&2
  exit 1
}
built=$SECONDS

# Tests run side by side: threads that wait shall not keep a core from the others.
export OMP_WAIT_POLICY=passive
echo "running the tests; log: $build/test.log"
# ctest writes to a file, so that its exit status is not that of a pipe.
status=0
ctest --test-dir "$build" --output-on-failure -j "$jobs" >"$build/test.log" 2>&1 || status=$?
grep -vE '^ *(Start +[0-9]+|[0-9]+/[0-9]+ Test .*Passed)' "$build/test.log" || true
total=$(sed -n 's/.*tests failed out of \([0-9]*\).*/\1/p' "$build/test.log")
skipped=$(sed -nE 's/^[[:space:]]*[0-9]+ - (.*) \((Skipped|Disabled|Not Run)\).*/  \1/p' "$build/test.log" |
  sort -u)
printf 'skipped:\n%s\n' "${skipped:-  none}"
printf '\n%s tests; install %d s, build %d s, tests %d s\n' \
  "${total:-no}" $((installed - begin)) $((built - installed)) $((SECONDS - built))
grep -E 'tests passed, .* tests failed out of' "$build/test.log" || status=1

# The quick tests of the libraries again, under the address and undefined-behaviour sanitizers
# (CMakePresets.json). A finding ends its test, which fails.
tested=$SECONDS
sanitized=$root/build/sanitizers
mkdir -p "$sanitized"
cd "$root"
printf '\nbuilding with the sanitizers; log: %s/build.log\n' "$sanitized"
cmake --preset sanitizers -DPython3_EXECUTABLE="$venv/bin/python" >"$sanitized/configure.log" 2>&1 || {
  cat "$sanitized/configure.log"
  exit 1
}
cmake --build --preset sanitizers -j "$jobs" >"$sanitized/build.log" 2>&1 || {
  tail -n 60 "$sanitized/build.log"
  echo "error: the build with the sanitizers failed; the log is $sanitized/build.log" >&2
  exit 1
}
sanitized_built=$SECONDS
# The search for leaks traces the process, which some containers forbid.
leaks=1
if ! ASAN_OPTIONS=detect_leaks=1 "$sanitized/tests/test_analysis" --gtest_filter=-* \
  >"$sanitized/leaks.log" 2>&1; then
  leaks=0
  echo "note: leaks cannot be searched for here ($sanitized/leaks.log); everything else is"
fi
ASAN_OPTIONS=detect_leaks=$leaks ctest --preset sanitizers -j "$jobs" >"$sanitized/test.log" 2>&1 || status=$?
grep -vE '^ *(Start +[0-9]+|[0-9]+/[0-9]+ Test .*Passed)' "$sanitized/test.log" || true
printf 'with the sanitizers: build %d s, tests %d s\n' \
  $((sanitized_built - tested)) $((SECONDS - sanitized_built))
grep -E 'tests passed, .* tests failed out of' "$sanitized/test.log" || status=1
exit "$status"
