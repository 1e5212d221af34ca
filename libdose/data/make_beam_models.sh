#!/usr/bin/env bash
# Makes the material basis and the generic beam models again: spectra and heads (Python: numpy, h5py), then
# kernels, calibration and seal by the engine. Usage: make_beam_models.sh DOSE_COMMAND, for example
# build/release/libdose/dose
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dose=${1:?"usage: make_beam_models.sh DOSE_COMMAND"}
python3 "$here/make_beam_models.py"
for model in "$here"/models/generic-*.h5; do LIBDOSE_DATA="$here" "$dose" model calibrate "$model"; done
