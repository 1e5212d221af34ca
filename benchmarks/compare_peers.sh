#!/usr/bin/env bash
# Times the engines beside the open ones that a user would take instead, in one run on this machine, and says
# how near each comes to Monte Carlo.
#   benchmarks/compare_peers.sh [--json FILE] [--quick] [--dose COMMAND]
# --quick: only the pencil beam, on a coarser grid. Peers are installed from PyPI into environments of their
# own under build/peers (the first time about a minute).
# A peer that cannot be installed or run is named with the reason, and the rest goes on.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
dose=
passed=()
while [ $# -gt 0 ]; do
  case "$1" in
    --dose) dose=$2; shift 2 ;;
    *) passed+=("$1"); shift ;;
  esac
done
"$root/examples/install_packages.sh" test
if [ -z "$dose" ]; then
  build=$root/build/benchmarks
  echo "building in $build"
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIBDOSE_TESTS=OFF -DLIBDOSE_EXAMPLES=ON \
    >/dev/null
  cmake --build "$build" -j "$(nproc)" >/dev/null
  dose=$build/libdose/dose
fi
mkdir -p "$root/build/peers"
install() {  # name, packages…
  local venv=$root/build/peers/$1
  shift
  [ -e "$venv/installed" ] && return
  echo "installing $*"
  /usr/bin/python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >"$venv/install.log" 2>&1 &&
    touch "$venv/installed" ||
    echo "note: $* could not be installed; the log is $venv/install.log"
}
install opentps opentps-core==2.0.0 matplotlib  # which it needs and does not name
install pyradplan pyradplan==0.5.0 'pydantic==2.12.*'
exec /usr/bin/python3 "$here/compare_peers.py" --dose "$dose" --peers "$root/build/peers" \
  --cases "$root/tests/data/reference" "${passed[@]}"
