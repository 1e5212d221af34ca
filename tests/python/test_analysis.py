import numpy as np
import pytest
from conftest import box

import libdose


def ramp(offset_mm=0.0):
    """1 Gy/cm along x, from 0 at x = offset."""
    x = np.arange(60) * 2.0
    return libdose.Dose(np.broadcast_to((x - offset_mm) / 10, (20, 30, 60)).astype(np.float32).copy(),
                        (2, 2, 2), (0, 0, 0))


def test_gamma_of_a_shift_is_its_distance():
    # Moved by 1 mm against a criterion of 2 mm, with a dose criterion that does not help: gamma 0.5 wherever
    # the shifted value is on the grid.
    result = libdose.gamma(ramp(), ramp(1.0), dose_percent=0.01, distance_mm=2, threshold_percent=20,
                           normalisation_gy=10)
    inner = result.array[10, 15, 15:50]
    assert inner == pytest.approx(0.5, abs=0.02)
    # Voxels below 2 Gy (x < 20 mm) are not evaluated.
    assert result.evaluated == 20 * 30 * 50 and np.isnan(result.array[0, 0, 5])
    assert libdose.gamma(ramp(), ramp()).pass_rate == 100


def test_gamma_refuses_what_it_cannot_judge():
    with pytest.raises(libdose.BadInput):
        libdose.gamma(ramp(), ramp(), dose_percent=0)


def test_dvh_of_a_ramp():
    # x from 20 to 60 mm: 2 to 6 Gy, evenly.
    structure = box("R", "ORGAN", 10)
    for contour in structure.contours:
        contour[:, 0] = np.where(contour[:, 0] < 0, 20, 60)
        contour[:, 1] += 30
        contour[:, 2] += 20
    histogram = libdose.dvh(ramp(), structure)
    assert histogram.volume_cm3 == pytest.approx(4 * 2 * 2, rel=0.01)
    assert histogram.mean_gy == pytest.approx(4, rel=0.01)
    assert histogram.dose_at_volume(50) == pytest.approx(4, abs=0.1)
    assert histogram.volume_at_dose(5) == pytest.approx(25, abs=2.6)
    assert histogram.dose_gy.shape == histogram.cumulative_cm3.shape


def test_mask_is_the_covered_fraction():
    dose = libdose.Dose(np.zeros((5, 5, 5), np.float32), (10, 10, 10), (-20, -20, -20))
    mask = libdose.mask(box("cube", "", 10), dose)
    # 20 mm in voxels of 10 mm around the middle one: the middle whole, its neighbours half.
    assert (mask[2, 2, 2] == pytest.approx(1) and mask[2, 2, 1] == pytest.approx(0.5)
            and mask[2, 1, 1] == pytest.approx(0.25))
    assert mask.sum() == pytest.approx(8, rel=1e-5)
