"""One open field with the collapsed cone of OpenTPS (opentps-core), on densities that the caller gives.

    run_opentps.py CASE.npz RESULT.npz

The engine is a program of its own that the package calls; it is called here in the same way, with files of
the same form (its module CCCdoseEngineIO). As installed it does not run: its execute bit is missing. The
field is one wide beamlet.
"""
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import opentps.core
from opentps.core.io import CCCdoseEngineIO as engine_io


def main() -> None:
    case = np.load(sys.argv[1])
    density, spacing, first = case["density"], case["spacing_cm"], case["first_centre_cm"]  # [depth, y, x]
    photons = Path(opentps.core.__file__).parent / "processing" / "doseCalculation" / "photons"
    program = photons / "CCC_DoseEngine" / "CCC_DoseEngine"
    os.chmod(program, 0o755)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kernels = photons / "Kernels_differentFluence"
        with open(folder / "kernels.txt", "w") as f:
            for file in sorted(kernels.iterdir()):
                f.write(f"{file.stem if file.suffix == '.txt' else 'kernel_' + file.stem}\n{file}\n")
        # Its first axis runs along the beam and is the fastest in memory.
        np.ascontiguousarray(density.transpose(2, 1, 0), dtype=np.float32).tofile(folder / "CT.bin")
        depth, ny, nx = density.shape
        (folder / "CT_HeaderFile.txt").write_text(
            f"Xcount Ycount Zcount\n{depth} {ny} {nx}\n"
            f"Xstart Ystart Zstart\n{first[0]} {first[1]} {first[2]}\n"
            f"dx dy dz\n{spacing[0]} {spacing[1]} {spacing[2]}\n"
            "Xorigin Yorigin Yorigin\n0 0 0\n")
        (folder / "geometry.txt").write_text(
            f"geometry_header\n{folder / 'CT_HeaderFile.txt'}\ngeometry_density\n{folder / 'CT.bin'}\n")
        with open(folder / "beams.txt", "w") as f:
            f.write("beamnum:\n1\n \n")
            i, j, k = engine_io.getRotatedVersors(0, 0, 0)
            engine_io.writeBeamletInFile(f, 0, 100.0, 0.0, 0.0, float(case["field_y_cm"]),
                                         float(case["field_x_cm"]), i, j, k)
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        run = subprocess.run([program, folder / "kernels.txt", folder / "geometry.txt", folder / "beams.txt",
                              folder / "dose.bin"], capture_output=True, text=True)
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        if not (folder / "dose.bin").exists():
            sys.exit(f"error: its engine ended with status {run.returncode}: "
                     f"{(run.stderr or run.stdout).strip()[-300:]}")
        content = (folder / "dose.bin").read_bytes()
    count = struct.unpack("i", content[20:24])[0]
    index = np.frombuffer(content, np.int32, count, 24)
    dose = np.zeros(density.size, np.float32)
    dose[index] = np.frombuffer(content, np.float32, count, 24 + 4 * count)
    np.savez(sys.argv[2], dose=dose.reshape(nx, ny, depth).transpose(2, 1, 0), wall=wall, threads=1,
             cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
             version=version("opentps-core"))


if __name__ == "__main__":
    main()
