#!/usr/bin/env bash
# Times the influence matrix beside pyRadPlan's on its own TG-119 phantom, in one run on this machine.
#   benchmarks/compare_influence.sh [--json FILE] [--gantry ANGLE…]
# Everything is installed into environments of their own under build/peers (the first time some minutes).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
"$root/examples/install_packages.sh" test
peers=$root/build/peers
mkdir -p "$peers"
if [ ! -e "$peers/pyradplan/installed" ]; then
  echo "installing pyRadPlan"
  /usr/bin/python3 -m venv "$peers/pyradplan"
  "$peers/pyradplan/bin/python" -m pip install --quiet --disable-pip-version-check \
    pyradplan==0.5.0 'pydantic==2.12.*' && touch "$peers/pyradplan/installed"
fi
echo "building and installing libdose"
[ -x "$peers/libdose/bin/python" ] || /usr/bin/python3 -m venv "$peers/libdose"
"$peers/libdose/bin/python" -m pip install --quiet --disable-pip-version-check "$root[influence]"
cd /
exec "$peers/libdose/bin/python" "$here/compare_influence.py" --peer-python "$peers/pyradplan/bin/python" \
  --work "$peers/work" "$@"
