#!/usr/bin/env bash
# Fails on C, C++ and CUDA sources that clang-format 14 (Debian 12) would write otherwise, by .clang-format.
#   check_format.sh ROOT          says which lines
#   check_format.sh ROOT --fix    formats them
# Another version formats otherwise, so that without version 14 nothing is judged: exit 77, skipped.
set -euo pipefail
cd "$1"
tool=
for candidate in clang-format-14 clang-format; do
  if command -v "$candidate" >/dev/null && "$candidate" --version | grep -q 'version 14\.'; then
    tool=$candidate
    break
  fi
done
if [ -z "$tool" ]; then
  echo "skipped: clang-format 14 is not installed (Debian 12: apt-get install clang-format)"
  exit 77
fi
folders=()
for folder in libdose tests python examples benchmarks; do
  [ ! -d "$folder" ] || folders+=("$folder")
done
mapfile -d '' sources < <(find "${folders[@]}" -type f \
  \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.cu' -o -name '*.cuh' \) -print0 | sort -z)
if [ ${#sources[@]} -eq 0 ]; then
  echo "error: no sources under $1" >&2
  exit 1
fi
if [ "${2:-}" = --fix ]; then
  "$tool" -i "${sources[@]}"
  exit 0
fi
"$tool" --dry-run --Werror "${sources[@]}" || {
  echo "error: format them with tests/house/check_format.sh $1 --fix" >&2
  exit 1
}
echo "${#sources[@]} sources are formatted"
