"""The C ABI from Python's ctypes, standard library only: one field on a water cube.

The same calls serve any language that can call C.

python3 examples/c_abi_ctypes.py                                    # an installed libdose
python3 examples/c_abi_ctypes.py --library build/.../libdose_c.so   # one that is not
"""
import argparse
import array
import ctypes as c
import ctypes.util
import sys


class Grid(c.Structure):  # libdose_grid
    _fields_ = [("struct_size", c.c_size_t), ("size", c.c_int32 * 3), ("spacing_mm", c.c_double * 3),
                ("origin_mm", c.c_double * 3)]


class Beam(c.Structure):  # libdose_beam
    _fields_ = [("struct_size", c.c_size_t), ("name", c.c_char_p), ("machine", c.c_char_p),
                ("manufacturer", c.c_char_p), ("fluence_mode", c.c_char_p), ("nominal_energy_mv", c.c_double),
                ("meterset_mu", c.c_double), ("source_axis_distance_mm", c.c_double),
                ("final_cumulative_weight", c.c_double), ("number", c.c_int32),
                ("control_point_count", c.c_int32)]


class ControlPoint(c.Structure):  # libdose_control_point
    _fields_ = [("struct_size", c.c_size_t), ("cumulative_weight", c.c_double), ("gantry_deg", c.c_double),
                ("collimator_deg", c.c_double), ("couch_deg", c.c_double), ("isocentre_mm", c.c_double * 3),
                ("jaw_x_mm", c.c_double * 2), ("jaw_y_mm", c.c_double * 2),
                ("leaf_lower_mm", c.POINTER(c.c_double)), ("leaf_upper_mm", c.POINTER(c.c_double)),
                ("leaf_pair_count", c.c_size_t), ("has_jaw_x", c.c_int32), ("has_jaw_y", c.c_int32),
                ("gantry_rotation", c.c_int32), ("reserved", c.c_int32)]


Progress = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_double, c.c_char_p)


# As the first version had it, without the members that came at the end since: the library takes a shorter
# struct.
class Options(c.Structure):  # libdose_options
    _fields_ = [("struct_size", c.c_size_t), ("grid_mm", c.c_double), ("beam_margin_mm", c.c_double),
                ("sub_arc_deg", c.c_double), ("algorithm", c.c_int32), ("quality", c.c_int32),
                ("transport", c.c_int32), ("dose_to", c.c_int32), ("threads", c.c_int32),
                ("per_beam", c.c_int32), ("lateral_scaling", c.c_int32), ("leaf_ends", c.c_int32),
                ("backend", c.c_int32), ("device", c.c_int32), ("leaves", c.c_char_p),
                ("calibration_depth", c.c_char_p), ("hu_curve_file", c.c_char_p),
                ("hu_curve_hu", c.POINTER(c.c_double)), ("hu_curve_density", c.POINTER(c.c_double)),
                ("hu_curve_count", c.c_size_t), ("overrides", c.c_void_p), ("override_count", c.c_size_t),
                ("progress", Progress), ("user", c.c_void_p)]


class LibdoseError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Library:
    """Calls by name without the prefix; a status other than 0 becomes an exception with libdose's text."""

    def __init__(self, file):
        self.c = c.CDLL(file)
        self.c.libdose_last_error.restype = c.c_char_p
        self.c.libdose_version.restype = c.c_char_p

    def __getattr__(self, name):
        function = getattr(self.c, "libdose_" + name)

        def call(*arguments):
            status = function(*arguments)
            if status != 0:
                raise LibdoseError(status, self.c.libdose_last_error().decode())

        return call

    def new(self, kind):
        """A struct with its defaults: Grid -> libdose_grid_init()."""
        made = kind()
        name = {Grid: "grid", Beam: "beam", ControlPoint: "control_point", Options: "options"}[kind]
        initialise = getattr(self.c, f"libdose_{name}_init")
        initialise.restype = None
        initialise(c.byref(made), c.c_size_t(c.sizeof(kind)))
        return made


def water_ct(libdose):
    """20 cm of water in air, voxels of 5 mm, its front surface 10 cm above the isocentre."""
    grid = libdose.new(Grid)
    grid.size[:] = (60, 60, 60)
    grid.spacing_mm[:] = (5, 5, 5)
    grid.origin_mm[:] = (-147.5, -147.5, -147.5)
    inside = [abs(-147.5 + 5 * i) < 100 for i in range(60)]
    hu = array.array("h", (0 if x and y and z else -1000 for z in inside for y in inside for x in inside))
    ct = c.c_void_p()
    libdose.ct_create_int16(c.byref(grid), (c.c_int16 * len(hu)).from_buffer(hu), c.c_size_t(len(hu)),
                            c.c_int32(0), None, c.byref(ct))
    return ct


def one_field(libdose):
    plan, index = c.c_void_p(), c.c_size_t()
    libdose.plan_create(b"one field", c.c_int32(1), c.c_int32(0), None, c.byref(plan))
    beam = libdose.new(Beam)
    beam.number, beam.nominal_energy_mv, beam.meterset_mu = 1, 6, 100
    libdose.plan_add_beam(plan, c.byref(beam), c.byref(index))
    for weight in (0, 1):
        point = libdose.new(ControlPoint)
        point.cumulative_weight = weight
        point.has_jaw_x = point.has_jaw_y = 1
        point.jaw_x_mm[:] = point.jaw_y_mm[:] = (-50, 50)
        libdose.plan_add_control_point(plan, index, c.byref(point))
    return plan


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library", default=ctypes.util.find_library("dose_c") or "libdose_c.so.1")
    libdose = Library(parser.parse_args().library)
    print("libdose", libdose.c.libdose_version().decode())
    ct, plan, dose = water_ct(libdose), one_field(libdose), c.c_void_p()

    calls = []
    options = libdose.new(Options)
    options.grid_mm, options.quality = 5, 1  # draft
    options.progress = Progress(lambda user, fraction, stage: calls.append(fraction) or 0)
    libdose.calculate(ct, None, plan, None, c.byref(options), c.byref(dose))
    assert calls[0] == 0 and calls[-1] == 1 and calls == sorted(calls)

    # The values without a copy, [z][y][x], as a memory view (numpy.ctypeslib.as_array takes the same
    # pointer).
    grid, values, count = libdose.new(Grid), c.POINTER(c.c_float)(), c.c_size_t()
    libdose.dose_grid(dose, c.byref(grid))
    libdose.dose_values(dose, c.byref(values), c.byref(count))
    assert count.value == grid.size[0] * grid.size[1] * grid.size[2]
    print("grid", list(grid.size), "largest", round(max(values[: count.value]), 3), "Gy")

    doses = {}
    for depth_mm in (15, 50, 100, 150):
        gy = c.c_double()
        libdose.dose_at(dose, (c.c_double * 3)(0, -100 + depth_mm, 0), c.byref(gy))
        doses[depth_mm] = gy.value
        print(f"dose at {depth_mm:3d} mm: {gy.value:.3f} Gy")
    # 1 cGy/MU at the maximum, 100 cm from the source; here the surface is 90 cm away: (101.5 / 91.5)^2 and a
    # little less scatter.
    assert 1.1 < doses[15] < 1.3 and doses[15] > doses[50] > doses[100] > doses[150] > 0.4

    options.progress = Progress(lambda user, fraction, stage: 1)
    cancelled = c.c_void_p()
    try:
        libdose.calculate(ct, None, plan, None, c.byref(options), c.byref(cancelled))
        sys.exit("not cancelled")
    except LibdoseError as error:
        assert error.status == 5 and not cancelled
        print("cancelled:", error)
    for free, handle in ((libdose.c.libdose_dose_free, dose), (libdose.c.libdose_plan_free, plan),
                         (libdose.c.libdose_ct_free, ct)):
        free.restype = None
        free(c.byref(handle))
        assert not handle


main()
