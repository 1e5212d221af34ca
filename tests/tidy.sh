#!/usr/bin/env bash
# The checks of .clang-tidy on C++ sources; exits non-zero when clang-tidy finds one in them or cannot read a
# file. Needs clang-tidy, and a build folder configured by Ninja (BUILD, else build/release).
#   tests/tidy.sh FILE...
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/release}
if [ $# -eq 0 ]; then
  echo "usage: $0 FILE..." >&2
  exit 2
fi
if [ ! -f "$build/build.ninja" ]; then
  echo "error: $build is not configured: cmake --preset release, or set BUILD" >&2
  exit 2
fi
commands=$(mktemp -d)
trap 'rm -rf "$commands"' EXIT
# A launcher before the compiler would be taken for the compiler.
ninja -C "$build" -t compdb | sed -E 's/("command": ")[^ "]*ccache /\1/' >"$commands/compile_commands.json"
# Some warnings of GCC are not known to clang.
clang-tidy --quiet -p "$commands" --extra-arg=-Wno-unknown-warning-option --warnings-as-errors='*' "$@"
