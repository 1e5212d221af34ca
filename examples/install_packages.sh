#!/usr/bin/env bash
# Installs the Debian 12 packages that libdose needs, and only those that are missing.
#   install_packages.sh run     what building and the quickstart need
#   install_packages.sh test    the same and what the tests need
set -euo pipefail

run_packages=(build-essential cmake ninja-build libeigen3-dev libdcmtk-dev libhdf5-dev libssl-dev
  libcli11-dev libyaml-cpp-dev libfmt-dev nlohmann-json3-dev
  python3 python3-numpy python3-matplotlib python3-pydicom python3-h5py zlib1g-dev python3-plotly)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev python3-venv python3-pip python3-dev dicom3tools
  plastimatch doxygen dpkg-dev file pkg-config clang-format
  chromium chromium-driver poppler-utils fonts-liberation)

case "${1:-}" in
  run) wanted=("${run_packages[@]}") ;;
  test) wanted=("${run_packages[@]}" "${test_packages[@]}") ;;
  *) echo "usage: $0 run|test" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all ${#wanted[@]} are installed"
  exit 0
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "error: ${missing[*]} are missing and there is neither root nor sudo to install them" >&2
    exit 2
  }
  as_root=(sudo)
fi
echo "packages: installing ${missing[*]}"
log=$(mktemp)
if ! {
  "${as_root[@]}" apt-get update &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      "${missing[@]}"
} >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "error: apt-get could not install the packages" \
    "(Debian 12 is what libdose is tested on); the log is $log" >&2
  exit 2
fi
rm -f "$log"
