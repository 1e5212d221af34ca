#!/usr/bin/env bash
# Builds the consumer outside the tree. Usage: run.sh find-package|subdirectory SOURCE BUILD
set -euo pipefail
mode=$1 source=$2 build=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$source"/tests/install/{CMakeLists.txt,consumer.cpp} "$work"
build_and_run() {
  cmake --build "$work/build" --target consumer -j "$(nproc)" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
  "$work/build/consumer"
}
configure=(cmake -S "$work" -B "$work/build" -DCMAKE_BUILD_TYPE=Release)
case $mode in
  find-package)
    cmake --install "$build" --prefix "$work/prefix" >/dev/null
    "${configure[@]}" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
    export LIBDOSE_DATA=$work/prefix/share/libdose
    test -x "$work/prefix/bin/dose"
    # The installed command finds its data beside itself.
    # (Not through a pipe: grep -q ends at the first match, and what the command still writes would end it as failed.)
    list=$(env -u LIBDOSE_DATA "$work/prefix/bin/dose" model list)
    grep -q generic-6MV <<<"$list"
    grep -q varian-millennium-120 <<<"$list"
    if [ -f "$build/cuda/libdose_cuda.so" ]; then
      # It finds the device library beside itself too: what it then says, if anything, is of the driver or the device.
      find "$work/prefix" -name libdose_cuda.so | grep -c . >/dev/null
      said=$(env -u LIBDOSE_DATA "$work/prefix/bin/dose" validate "$source/tests/data/reference/water_6MV_3x3.h5" --engine pencil-beam --grid 5 --backend cuda 2>&1 || true)
      if grep -qE 'not installed|cannot be loaded|version of libdose|other sources' <<<"$said"; then echo "$said"; exit 1; fi
    fi ;;
  subdirectory)
    # Without optimisation: that it builds, links and runs is what is tested here. First the core only: DCMTK and HDF5 are not even looked for.
    configure+=(-DLIBDOSE_SOURCE="$source" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DLIBDOSE_PRECOMPILE=ON)
    "${configure[@]}" -DWITH_IO=OFF -DCMAKE_DISABLE_FIND_PACKAGE_DCMTK=ON -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON >/dev/null
    build_and_run
    "${configure[@]}" -DWITH_IO=ON -DCMAKE_DISABLE_FIND_PACKAGE_DCMTK=OFF -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=OFF >/dev/null ;;
esac
build_and_run
