#!/usr/bin/env bash
# Makes the Debian package and uses it unpacked. Usage: run.sh SOURCE BUILD CPACK MAKE_PHANTOM
set -euo pipefail
source=$1 build=$2 cpack=$3 make_phantom=$4
for tool in dpkg-deb dpkg-shlibdeps file; do
  command -v $tool >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset LIBDOSE_DATA
"$cpack" -G DEB --config "$build/CPackConfig.cmake" -B "$work/made" >"$work/log" 2>&1 || {
  tail -n 30 "$work/log"; exit 1; }
package=$(ls "$work"/made/libdose_*.deb)
basename "$package"

fail() {
  echo "$1"
  exit 1
}
# Whatever the command and the C library are linked with is named, so that apt brings it.
depends=$(dpkg-deb -f "$package" Depends)
echo "depends: $depends"
for library in libc6 libdcmtk libhdf5 libgomp1 libssl libstdc++6 libyaml-cpp libfmt; do
  grep -q "$library" <<<"$depends" || fail "the package does not depend on $library"
done
test "$(dpkg-deb -f "$package" Package)" = libdose || fail "the package has another name"
dpkg-deb -c "$package" | awk '{ print $6 }' >"$work/contents"
for file in bin/dose include/libdose/engine.h include/libdose/io/dicom.h include/libdose/dose_c.h \
  share/libdose/models/generic-6MV.h5 share/libdose/materials/basis.csv \
  share/libdose/mlc/varian-millennium-120.csv share/doc/libdose/copyright; do
  grep -qx "./usr/$file" "$work/contents" || fail "usr/$file is not in the package"
done
for file in libdose_c.so.1 libdose_c.so libdose.a libdose_io.a cmake/libdose/libdoseConfig.cmake \
  pkgconfig/libdose_c.pc; do
  grep -qE "^./usr/lib/([^/]*/)?$file\$" "$work/contents" || fail "$file is not in the package"
done
if grep -vE '^\./(usr/((bin|include|lib|share)/.*)?)?$' "$work/contents"; then
  fail "files outside the usual folders"
fi
if dpkg-deb -c "$package" | awk '{ print $1, $2 }' |
  grep -vE '^(drwxr-xr-x|-rw-r--r--|-rwxr-xr-x|lrwxrwxrwx) root/root$'; then
  fail "permissions"
fi

dpkg-deb -x "$package" "$work/root"
dose=$work/root/usr/bin/dose
"$dose" --version
# The data of the package, not those of the source tree: a model that is taken away here is gone.
rm "$work/root/usr/share/libdose/models/generic-4MV.h5"
models=$("$dose" model list)
grep -q generic-6MV <<<"$models" || fail "the unpacked command finds no models"
if grep -q generic-4MV <<<"$models"; then fail "the unpacked command has the models of another place"; fi
"$make_phantom" --quick "$work/patient" >/dev/null
"$dose" calc "$work/patient" --plan four-field --engine pencil-beam --grid 6 --out "$work/result" \
  >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
grep "maximum dose" "$work/log"
test -s "$work/result/plan.dcm" -a -s "$work/result/dose.h5" || fail "no dose was written"
library=$(find "$work/root" -name libdose_c.so.1)
python3 -B "$source/examples/c_abi_ctypes.py" --library "$library"
