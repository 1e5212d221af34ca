#!/usr/bin/env bash
# compare.sh DEFAULT V3 V4: the three programs of dose_bits.cpp print the same doses, each by its own versions
# of functions. A version that this processor lacks is left out, with a word; 77 where only one is left.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
compared=0
for version in default x86-64-v3 x86-64-v4; do
  "$1" >"$folder/all"
  shift
  runs=$(sed -n 's/^version //p' "$folder/all")
  if [ "$runs" != "$version" ]; then
    # Hiding must hide no more than it should: only a processor that lacks a version runs a lesser one.
    if [ "$version" = default ] || { [ "$version" = x86-64-v3 ] && grep -qw avx2 /proc/cpuinfo; } ||
      { [ "$version" = x86-64-v4 ] && grep -qw avx512vl /proc/cpuinfo; }; then
      echo "error: the program for $version runs the versions for $runs" >&2
      exit 1
    fi
    echo "left out: this processor lacks $version"
    continue
  fi
  grep -v '^version ' "$folder/all" >"$folder/$version"
  echo "$version:"
  cat "$folder/$version"
  diff "$folder/default" "$folder/$version" || {
    echo "error: the versions for $version give other bits than those for every processor" >&2
    exit 1
  }
  compared=$((compared + 1))
done
[ "$compared" -gt 1 ] || exit 77
