"""Stages of a calculation: what is prepared once gives what calculate() gives."""

import copy

import numpy as np
import pytest

import libdose


@pytest.fixture(scope="module")
def engine() -> libdose.Engine:
    return libdose.Engine(quality="draft", grid_mm=5, beam_margin_mm=1000, per_beam=True)


def test_beams_one_by_one_are_those_of_the_plan(ct, plan, structures, engine):
    whole = engine.calculate(plan, ct, structures)
    patient = engine.prepare(plan, ct, structures)
    assert patient.grid_shape == whole.array.shape and patient.spacing_mm == whole.spacing_mm
    for beam, expected in zip(plan.beams, whole.beams):
        assert np.array_equal(patient.dose(patient.fluence(beam)).array, expected.array)
    assert np.array_equal(patient.calculate().array, whole.array)


def test_a_changed_beam_is_that_of_a_changed_plan(ct, plan, structures, engine):
    patient = engine.prepare(plan, ct, structures)
    changed = copy.deepcopy(plan)
    for point in changed.beams[0].control_points:
        point.jaw_x = (-10, 25)
    dose = patient.dose(patient.fluence(changed.beams[0]))
    assert np.array_equal(dose.array, engine.calculate(changed, ct, structures).beams[0].array)


def test_own_fluence_is_linear_and_lies_where_it_is_put(ct, plan, structures, engine):
    patient = engine.prepare(plan, ct, structures)
    square = libdose.FluenceRaster(np.full((40, 40), 100.0), 1.0, (-20, -20), axes=libdose.beam_axes(0))
    once = patient.dose(patient.own_fluence([square], plan.beams[0])).array
    square.values = 3 * np.asarray(square.values)
    thrice = patient.dose(patient.own_fluence([square], plan.beams[0])).array
    assert np.allclose(thrice, 3 * once, rtol=1e-4, atol=1e-6)
    middle = once[once.shape[0] // 2, once.shape[1] // 2]
    across = np.flatnonzero(middle > 0.5 * middle.max())
    # 40 mm at the isocentre, in voxels of 5 mm.
    assert abs(len(across) - 8) <= 1 and abs(across.mean() - (len(middle) - 1) / 2) <= 0.5


def test_rasters_are_the_fluence(ct, plan, structures, engine):
    patient = engine.prepare(plan, ct, structures)
    (raster,) = patient.rasters(patient.fluence(plan.beams[1]))
    assert np.allclose(raster.axes, libdose.beam_axes(120))
    values = np.asarray(raster.values)
    v, u = (int(round(-lower / raster.pixel_mm)) for lower in reversed(raster.lower_mm))
    # 60 MU, a 6 x 6 cm field: on the axis near that of the open field.
    assert values[v, u] == pytest.approx(60, rel=0.1)


def test_what_does_not_fit_is_refused(ct, plan, structures, engine):
    patient, other = (engine.prepare(plan, ct, structures) for _ in range(2))
    with pytest.raises(libdose.BadInput, match="another prepared patient"):
        patient.dose(other.fluence(plan.beams[0]))
    with pytest.raises(libdose.BadInput, match="negative"):
        patient.own_fluence([libdose.FluenceRaster(np.full((4, 4), -1.0))], plan.beams[0])
    with pytest.raises(ValueError, match="dimensions"):
        patient.own_fluence([libdose.FluenceRaster(np.ones(4))], plan.beams[0])


def test_progress_is_reported_and_can_end_it(ct, plan, structures, engine):
    patient = engine.prepare(plan, ct, structures)

    class Stop(Exception):
        pass

    def stop(fraction, stage):
        raise Stop

    with pytest.raises(Stop):
        engine.prepare(plan, ct, structures, progress=stop)
    assert patient.calculate().array.max() > 0
