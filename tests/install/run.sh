#!/usr/bin/env bash
# Builds the consumer outside the tree. Usage: run.sh find-package|core-only|subdirectory SOURCE BUILD
set -euo pipefail
mode=$1 source=$2 build=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$source"/tests/install/{CMakeLists.txt,consumer.cpp} "$work"
configure=(cmake -S "$work" -G Ninja -DCMAKE_BUILD_TYPE=Release)
without_io=(-DWITH_IO=OFF -DCMAKE_DISABLE_FIND_PACKAGE_DCMTK=ON -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON)
build_in() {
  ninja -C "$@" >"$work/log" 2>&1 || { tail -n 30 "$work/log"; exit 1; }
}
# objects_in FOLDER NAME... : the object files of sources with these names, each of which must be there
objects_in() {
  local folder=$1 name object
  for name in "${@:2}"; do
    object=$(ninja -C "$folder" -t targets all | sed -nE "s,^([^:]*/$name\.cpp\.o): .*,\1,p")
    test -n "$object" || { echo "no object of $name.cpp" >&2; return 1; }
    echo "$object"
  done
}
install_to_prefix() {
  cmake --install "$build" --prefix "$work/prefix" >/dev/null
  configure+=(-DCMAKE_PREFIX_PATH="$work/prefix")
  export LIBDOSE_DATA=$work/prefix/share/libdose
}
case $mode in
  find-package)
    install_to_prefix
    "${configure[@]}" -B "$work/build" >/dev/null
    test -x "$work/prefix/bin/dose"
    # The installed command finds its data beside itself.
    # (Not through a pipe: grep -q ends at the first match, and what the command still writes would end it as
    # failed.)
    list=$(env -u LIBDOSE_DATA "$work/prefix/bin/dose" model list)
    grep -q generic-6MV <<<"$list"
    grep -q varian-millennium-120 <<<"$list"
    if [ -f "$build/cuda/libdose_cuda.so" ]; then
      # It finds the device library beside itself too: what it then says, if anything, is of the driver or the
      # device.
      find "$work/prefix" -name libdose_cuda.so | grep -c . >/dev/null
      said=$(env -u LIBDOSE_DATA "$work/prefix/bin/dose" validate \
        "$source/tests/data/reference/water_6MV_3x3.h5" --engine pencil-beam --grid 5 --backend cuda \
        2>&1 || true)
      if grep -qE 'not installed|cannot be loaded|version of libdose|other sources' <<<"$said"; then
        echo "$said"
        exit 1
      fi
    fi
    build_in "$work/build" consumer
    "$work/build/consumer" ;;
  core-only)
    # DCMTK and HDF5 are not even looked for.
    install_to_prefix
    "${configure[@]}" -B "$work/build" "${without_io[@]}" >/dev/null
    build_in "$work/build" consumer
    "$work/build/consumer" ;;
  subdirectory)
    # The program and the files that depend on where the source and the build are, or on other packages. The
    # rest is as in the build that is tested.
    "${configure[@]}" -B "$work/core" -DLIBDOSE_SOURCE="$source" "${without_io[@]}" >/dev/null
    objects=$(objects_in "$work/core" consumer data_folder library_paths)
    # shellcheck disable=SC2086
    build_in "$work/core" $objects
    if ninja -C "$work/core" -t targets all | grep -q libdose_io; then
      echo "input and output are there, unasked for"
      exit 1
    fi
    "${configure[@]}" -B "$work/build" -DLIBDOSE_SOURCE="$source" >/dev/null
    objects=$(objects_in "$work/build" consumer data_folder dicom_item hdf5_file model_signature)
    # shellcheck disable=SC2086
    build_in "$work/build" $objects ;;
esac
